"""`ilp ledger accounts` and `compare`: the books as they stand, by themselves and beside those of the peers."""

from __future__ import annotations

import click

from interledger.cli.exit_codes import ExitCode
from interledger.cli.ledger_view import accounts_lines, compare_lines
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["accounts", "compare"]


@command("accounts")
@click.pass_obj
def accounts(state: State) -> None:
    """The chart of accounts: what each ledger account means, and where it stands.

    \b
      ilp ledger accounts --exact
    """
    items = state.call(lambda api: api.ledger_accounts())
    state.emit_list(items, lambda: accounts_lines(items, state.console, exact=state.exact), identifier="name")


@command("compare")
@click.pass_obj
def compare(state: State) -> int:
    """Ask every peer what its books say, and compare. Exit code 10 when something differs that nothing explains.

    \b
      ilp ledger compare

    Packets in flight and unknown items explain a difference. One that stays may mean that one of the two nodes was
    restored from an old backup. A peer says it when its account of us has peer_balance.
    """
    items = state.call(lambda api: api.ledger_compare())
    state.emit_list(items, lambda: compare_lines(items, state.console, exact=state.exact), identifier="account")
    return ExitCode.FAULT_FOUND if any(item["unexplained"] != "0" for item in items) else ExitCode.DONE
