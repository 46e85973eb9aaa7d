"""`ilp account history`: where an account stood, over time."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from interledger.accounts.asset import format_amount
from interledger.cli.account import find_account
from interledger.cli.account_view import asset_of
from interledger.cli.money import time_of_day
from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["history"]


@command("history")
@click.argument("name", metavar="ACCOUNT")
@click.pass_obj
def history(state: State, name: str) -> None:
    """Where an account stood since the node started, oldest first: who owed whom, and what was in flight.

    \b
      ilp account history bob
      ilp account history bob -o ndjson --fields at,net
    """
    account = find_account(state, name)
    asset = asset_of(account)
    items = state.call(lambda api: api.account_history(account["id"]))
    now = datetime.now(UTC)

    def shown(units: str) -> str:
        return format_amount(abs(int(units)), asset, exact=state.exact, thousands=state.console.is_terminal)

    columns = (
        Column("AT", lambda row: time_of_day(row["at"], now), keep=5),
        Column("", lambda row: "owes us" if int(row["net"]) > 0 else "we owe" if int(row["net"]) else "", keep=4),
        Column(asset.code, lambda row: shown(row["net"]), right=True, keep=4),
        Column("COMING", lambda row: shown(row["pending_in"]) if int(row["pending_in"]) else "", right=True, keep=2),
        Column("LEAVING", lambda row: shown(row["pending_out"]) if int(row["pending_out"]) else "", right=True, keep=2),
    )
    none = [f"Nothing was kept yet: {name} has not moved since the node started."]
    state.emit_list(items, lambda: render_table(items, columns, state.console) if items else none, identifier="at")
