"""`ilp node drain`, `ilp node resume` and `ilp node stop`: whether a running node takes packets, and its end."""

from __future__ import annotations

import click

from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["drain", "resume", "stop"]


@command("drain", would="have the node take no new packets")
@click.pass_obj
def drain(state: State) -> None:
    """Take no new packets: they are refused with T03. Those in flight come to their end, the node goes on running.

    \b
      ilp node drain
      ilp node drain -o json --fields in_flight
    """
    said = state.call(lambda api: api.drain())
    left = f"{said['in_flight']:,} in flight" if said["in_flight"] else "nothing is in flight"
    state.emit(said, lambda: [state.console.mark("✓", f"New packets are refused (T03); {left}.")])


@command("resume", would="have the node take packets again")
@click.pass_obj
def resume(state: State) -> None:
    """Take packets again, after a drain.

    \b
      ilp node resume
    """
    said = state.call(lambda api: api.resume())
    state.emit(said, lambda: [state.console.mark("✓", "The node takes packets.")])


@command("stop", would="stop the node")
@click.pass_obj
def stop(state: State) -> None:
    """Take no new packets, wait for those in flight, and end the node's program. Nothing is lost.

    \b
      ilp node stop
    """
    said = state.call(lambda api: api.stop())
    state.emit(said, lambda: [state.console.mark("✓", f"The node stops; {said['in_flight']:,} packets in flight.")])
