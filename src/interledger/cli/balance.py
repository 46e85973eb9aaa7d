"""`ilp balance`: where accounts stand, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interledger.cli.account import find_account
from interledger.cli.account_view import balance_lines
from interledger.cli.state import State, Target
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["balance"]


@command("balance")
@click.argument("name", metavar="ACCOUNT", required=False)
@click.pass_obj
def balance(state: State, name: str | None) -> None:
    """Where one account stands; without a name, all of the node, and in a development network of every node."""
    rows: list[tuple[str, dict[str, Any]]] = []
    if name is not None:
        rows = [("", find_account(state, name, state.target(name)))]
        state.emit(rows[0][1], lambda: balance_lines(rows, state.console, exact=state.exact))
        return
    for target in _targets(state):
        rows += [(target.name or "", account) for account in state.call(_accounts, target)]
    documents = [{"node": node, **account} if node else account for node, account in rows]
    state.emit_list(documents, lambda: balance_lines(rows, state.console, exact=state.exact))


async def _accounts(api: ApiClient) -> list[dict[str, Any]]:
    return [dict(account) for account in await api.accounts()]


def _targets(state: State) -> list[Target]:
    """Every node of the development network, unless one node was named."""
    document = state.dev_document()
    if document is None or state.node is not None:
        return [state.target()]
    return [state.target(name) for name in document["nodes"]]
