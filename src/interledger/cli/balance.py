"""`ilp balance`: where accounts stand, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.account import find_account
from interledger.cli.account_view import balance_lines
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State, Target
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["balance"]


@command("balance")
@click.argument("name", metavar="ACCOUNT", required=False)
@click.option("--peer", is_flag=True, help="Ask the counterpart what its books say.")
@click.pass_obj
def balance(state: State, name: str | None, peer: bool) -> int:
    """Where one account stands; without a name, all of the node, and in a development network of every node.

    \b
      ilp balance
      ilp balance bob -o json
    """
    if peer:
        return _compare(state, name)
    rows: list[tuple[str, dict[str, Any]]] = []
    if name is not None:
        rows = [("", find_account(state, name, state.target(name)))]
        state.emit(rows[0][1], lambda: balance_lines(rows, state.console, exact=state.exact))
        return ExitCode.DONE
    for target in _targets(state):
        rows += [(target.name or "", account) for account in state.call(_accounts, target)]
    documents = [{"node": node, **account} if node else account for node, account in rows]
    state.emit_list(documents, lambda: balance_lines(rows, state.console, exact=state.exact))
    return ExitCode.DONE


def _compare(state: State, name: str | None) -> int:
    if name is None:
        raise CliError(
            ExitCode.USAGE, "--peer needs an account: whose books are asked for?", "Write  ilp balance bob --peer"
        )
    account = find_account(state, name, state.target(name))
    document = state.call(lambda api: api.peer_balance(account["id"]), state.target(name))
    state.emit(document, lambda: peer_balance_lines(document, state), identifier="account")
    return ExitCode.DONE if document["difference"] == "0" else ExitCode.FAULT_FOUND


def peer_balance_lines(document: Mapping[str, Any], state: State) -> list[str]:
    """Both books, and what is between them."""
    name, asset = document["account"], Asset(document["asset_code"], document["asset_scale"])

    def owing(units: str) -> str:
        number = int(units)
        amount = f"{format_amount(abs(number), asset, thousands=state.console.is_terminal)} {asset.code}"
        return (
            "nothing owed" if number == 0 else f"{name} owes us {amount}" if number > 0 else f"we owe {name} {amount}"
        )

    lines = [
        f"  Our books      {owing(document['owes_us_by_our_books'])}",
        f"  {name}’s books".ljust(17) + owing(document["owes_us_by_their_books"]),
    ]
    difference = abs(int(document["difference"]))
    if difference == 0:
        return [*lines, f"{state.console.mark('✓')} The books agree."]
    pending = int(document["pending"]["in"]) + int(document["pending"]["out"])
    text = f"{format_amount(difference, asset, thousands=state.console.is_terminal)} {asset.code}"
    reason = (
        "No more than is in flight: ask again when nothing is."
        if difference <= pending
        else f"More than is in flight. See  ilp ledger check  and ask {name} for theirs."
    )
    return [*lines, f"{state.console.mark('!')} They differ by {text}. {reason}"]


async def _accounts(api: ApiClient) -> list[dict[str, Any]]:
    return [dict(account) for account in await api.accounts()]


def _targets(state: State) -> list[Target]:
    """Every node of the development network, unless one node was named."""
    document = state.dev_document()
    if document is None or state.node is not None:
        return [state.target()]
    return [state.target(name) for name in document["nodes"]]
