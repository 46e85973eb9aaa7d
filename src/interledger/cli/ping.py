"""`ilp ping`: ask a node for an echo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.ilp.error_codes import ERROR_CODES

__all__ = ["ping", "ping_lines"]


@command("ping")
@click.argument("address", metavar="ADDRESS")
@click.option(
    "--timeout", "timeout_ms", type=click.IntRange(1, 30_000), default=10_000, metavar="MS", help="How long to wait."
)
@click.pass_obj
def ping(state: State, address: str, timeout_ms: int) -> int:
    """Send a packet to a node and have it sent back. It moves no money.

    \b
      ilp ping test.bob
    """
    answer = state.call(lambda api: api.ping(address, timeout_ms=timeout_ms))
    state.emit(answer, lambda: ping_lines(answer, state), identifier="destination")
    return ExitCode.DONE if answer["code"] is None else ExitCode.REJECTED


def ping_lines(answer: Mapping[str, Any], state: State) -> list[str]:
    """One line, and what to do where it was rejected."""
    took = f"{answer['round_trip_us'] // 1000}.{answer['round_trip_us'] % 1000 // 100} ms"
    code = answer["code"]
    if code is None:
        return [f"{state.console.mark('✓')} {answer['destination']} answers in {took}"]
    known = ERROR_CODES.get(code)
    name = f" ({known.name})" if known else ""
    return [
        f"{state.console.mark('✗')} {answer['destination']} was not reached: {code}{name} after {took}",
        f"  What that means:  ilp explain {code}",
    ]
