"""`ilp node settings`: what a running node was started with, and who said so."""

from __future__ import annotations

import click

from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["settings"]


@command("settings")
@click.option("--set", "only_set", is_flag=True, help="Only what somebody has set.")
@click.pass_obj
def settings(state: State, only_set: bool) -> None:
    """Every setting of the running node: its value, who set it, and when a change takes effect. No secret is shown.

    \b
      ilp node settings
      ilp node settings --set -o tsv --fields key,value,origin

    What a file says before a node reads it:  ilp config show
    """
    items = [item for item in state.call(lambda api: api.settings()) if not only_set or item["set_by"] != "default"]
    columns = (
        Column("SETTING", lambda row: row["key"], keep=4),
        Column("VALUE", lambda row: row["value"] or ("(set)" if row["is_set"] else "–"), keep=3),
        Column("FROM", lambda row: row["origin"] or "default", keep=2),
        Column("A CHANGE TAKES EFFECT", lambda row: row["takes_effect"], keep=1),
    )
    none = ["Nothing was set by a flag, the environment or a file."]
    state.emit_list(items, lambda: render_table(items, columns, state.console) if items else none, identifier="key")
