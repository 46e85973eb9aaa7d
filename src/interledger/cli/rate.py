"""`ilp rate`: what assets are worth here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import align
from interledger.cli.output import Column, render_table
from interledger.cli.route import pairs_of
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["list_rates", "rate_lines", "set_rates"]


@command("list")
@click.pass_obj
def list_rates(state: State) -> None:
    """What one whole unit of each asset is worth, in a common base: 1 USD buys value(USD) / value(EUR) EUR.

    \b
      ilp rate list
    """
    rates = state.call(lambda api: api.rates())
    state.emit_list(rates, lambda: rate_lines(state, rates), identifier="code")


def rate_lines(state: State, rates: Sequence[Any]) -> list[str]:
    """A table of rates."""
    if not rates:
        return ["No rates. Set some:  ilp rate set USD 1 EUR 1.08"]
    rows = list(zip(rates, align([rate["value"] for rate in rates]), strict=True))
    columns = (
        Column("CODE", lambda row: row[0]["code"]),
        Column("VALUE", lambda row: row[1]),
        Column("SOURCE", lambda row: row[0]["source"]),
        Column("AS OF", lambda row: row[0]["as_of"] or ""),
    )
    return render_table(rows, columns, state.console)


@command("set", would="set rates by hand")
@click.argument("pairs", metavar="CODE VALUE ...", nargs=-1)
@click.option("--replace", is_flag=True, help="Forget all rates that are not named.")
@click.pass_obj
def set_rates(state: State, pairs: tuple[str, ...], replace: bool) -> None:
    """Set what one whole unit of an asset is worth, in any base that is the same for all.

    \b
      ilp rate set USD 0.9213 EUR 1
    """
    wanted = {code.upper(): value for code, value in pairs_of(pairs, "CODE VALUE").items()}
    if not wanted:
        raise CliError(ExitCode.USAGE, "CODE VALUE is missing.", "Write  ilp rate set USD 0.9213 EUR 1")

    async def ask(api: ApiClient) -> Any:
        kept = {} if replace else {rate["code"]: rate["value"] for rate in await api.rates()}
        return await api.set_rates(kept | wanted)

    rates = state.call(ask)
    state.emit_list(rates, lambda: rate_lines(state, rates), identifier="code")
