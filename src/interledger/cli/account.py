"""`ilp account list` and `ilp account show`."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from interledger.cli.account_facts import unknown_note, with_settlements
from interledger.cli.account_view import account_lines, accounts_lines, at_risk
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.qr import qr_lines
from interledger.cli.state import State, Target
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["find_account", "list_accounts", "rate_values", "show"]

Document = Mapping[str, Any]


@command("list")
@click.pass_obj
def list_accounts(state: State) -> None:
    """All accounts of the node: how they are linked, where they stand, how much of their limits is used.

    \b
      ilp account list
      ilp account list -o tsv --fields id,position.net
    """

    async def ask(api: ApiClient) -> Any:
        return await asyncio.gather(api.accounts(), api.rates(), api.status())

    accounts, rates, status = state.call(ask)
    values = rate_values(rates)
    unknown = unknown_note(status["unknown"], status["at_risk"])

    def render() -> list[str]:
        risk = at_risk(accounts, values)
        return accounts_lines(accounts, state.console, risk=risk, unknown=unknown, exact=state.exact)

    state.emit_list(accounts, render)


@command("show")
@click.argument("name", metavar="ACCOUNT")
@click.option("--qr", is_flag=True, help="Its payment pointer, as a code.")
@click.pass_obj
def show(state: State, name: str, qr: bool) -> None:
    """One account: its position between its limits, what is in flight, how it is linked, and what comes next.

    \b
      ilp account show bob
      ilp account show bob -o json --fields id,position,limits.owes_us_max
      ilp account show alice --qr
    """
    if qr:
        _show_pointer(state, name)
        return
    document = find_account(state, name)

    def render() -> list[str]:
        settlements: Any = []
        with suppress(CliError):  # an account's own token may not see them
            settlements = state.call(lambda api: api.settlements(document["id"]))
        shown = with_settlements(document, settlements, state.console, datetime.now(UTC))
        return account_lines(shown, state.console, exact=state.exact)

    state.emit(document, render)


def _show_pointer(state: State, name: str) -> None:
    """Where to pay this account. Only one that is held here has such a place."""
    target = state.target(name)
    document = find_account(state, name, target)
    if document["relation"] != "local":
        raise CliError(
            ExitCode.USAGE,
            f"{name} is a {document['relation']}: it has its payment pointer on its own node.",
            "Accounts of this node:  ilp account list",
        )
    held = (state.dev_document() or {}).get("nodes", {}).get(target.name, {})
    wallet = held.get("wallet") if held.get("account") == name else None
    pointer = wallet or f"${target.url.partition('://')[2]}/{name}"
    state.emit(
        {"id": name, "payment_pointer": pointer},
        lambda: [*qr_lines(pointer, state.console), f"  {pointer}"],
        identifier="payment_pointer",
    )


def find_account(state: State, name: str, target: Target | None = None) -> dict[str, Any]:
    """An account's document. Raises `CliError` that suggests the nearest name."""
    try:
        return dict(state.call(lambda api: api.account(name), target))
    except CliError as error:
        if error.code is not ExitCode.NOT_FOUND:
            raise
        near: list[str] = []
        state.open = False  # what is asked now is not what was asked for
        with suppress(CliError):  # an account's own token may not see the others
            names = [account["id"] for account in state.call(lambda api: api.accounts(), target)]
            near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean  {near[0]} ?" if near else " All:  ilp account list"
        raise CliError(ExitCode.NOT_FOUND, f"There is no account “{name}”.{hint}", problem=error.problem) from None


def rate_values(rates: Any) -> dict[str, Fraction]:
    """Rate documents -> code: value."""
    return {rate["code"]: Fraction(rate["value"]) for rate in rates}
