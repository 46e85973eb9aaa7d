"""`ilp node log-level`: what a running node writes down, until its next start."""

from __future__ import annotations

import click

from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["log_level"]


@command("log-level", would="change what the node logs to {directives}")
@click.argument("directives", metavar="LEVEL|PART=LEVEL,...")
@click.pass_obj
def log_level(state: State, directives: str) -> None:
    """What a running node logs, until its next start: error, warn, info or debug, of all or of a part.

    \b
      ilp node log-level debug
      ilp node log-level info,interledger.link.btp=debug
    """
    said = state.call(lambda api: api.set_log_level(directives))
    state.emit({"level": directives, "said": said}, lambda: [state.console.mark("✓", said)], identifier="level")
