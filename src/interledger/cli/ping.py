"""`ilp ping`: ask a node for an echo, once or several times, and the nodes on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.ilp.error_codes import ERROR_CODES

__all__ = ["ping", "ping_lines", "summary_lines"]

COUNT_MAX: Final = 1_000
"""More is a load test."""


@command("ping")
@click.argument("address", metavar="ADDRESS")
@click.option(
    "--count", type=click.IntRange(1, COUNT_MAX), default=1, metavar="N", help="How often, one after another."
)
@click.option("--hops", is_flag=True, help="Ask every node on the way too.")
@click.option(
    "--kind",
    type=click.Choice(("echo", "java")),
    default="echo",
    help="java: the ping that the Java connector answers.",
)
@click.option(
    "--timeout", "timeout_ms", type=click.IntRange(1, 30_000), default=10_000, metavar="MS", help="How long to wait."
)
@click.pass_obj
def ping(state: State, address: str, count: int, hops: bool, kind: str, timeout_ms: int) -> int:
    """Send a packet to a node and have it sent back. It moves no money.

    \b
      ilp ping test.bob
      ilp ping test.bob --count 5
      ilp ping test.bob --hops
    """
    answers: list[dict[str, Any]] = []
    for number in range(count):
        # The way is the same each time: it is asked for once.
        wants_hops = hops and number == 0
        answers.append(_ping(state, address, timeout_ms, kind, wants_hops, several=count > 1))
    good = [answer for answer in answers if answer["code"] is None]
    if count == 1:
        state.emit(answers[0], lambda: ping_lines(answers[0], state), identifier="destination")
    else:
        lines = [line for answer in answers for line in ping_lines(answer, state)[:1]]
        state.emit_list(answers, lambda: [*_hop_lines(answers[0]), *lines, *summary_lines(answers)], identifier="code")
    return ExitCode.DONE if good else ExitCode.REJECTED


def _ping(state: State, address: str, timeout_ms: int, kind: str, hops: bool, *, several: bool) -> dict[str, Any]:
    try:
        return dict(state.call(lambda api: api.ping(address, timeout_ms=timeout_ms, kind=kind, hops=hops)))
    except CliError as error:
        # Of several, one that is lost is counted, and the others go on.
        if not several or error.problem is None or not str(error.problem.get("type", "")).endswith("/no-answer"):
            raise
        return {
            "destination": address, "round_trip_us": timeout_ms * 1000, "code": "lost", "triggered_by": None, "hops": []
        }  # fmt: skip


def ping_lines(answer: Mapping[str, Any], state: State) -> list[str]:
    """One line, what to do where it was rejected, and the nodes on the way."""
    took = _ms(answer["round_trip_us"])
    code = answer["code"]
    if code is None:
        return [f"{state.console.mark('✓')} {answer['destination']} answers in {took}", *_hop_lines(answer)]
    if code == "lost":
        return [f"{state.console.mark('?')} {answer['destination']} did not answer within {took}"]
    known = ERROR_CODES.get(code)
    name = f" ({known.name})" if known else ""
    by = f" by {answer['triggered_by']}" if answer.get("triggered_by") else ""
    return [
        f"{state.console.mark('✗')} {answer['destination']} was not reached: {code}{name}{by} after {took}",
        f"  What that means:  ilp explain {code}",
        *_hop_lines(answer),
    ]


def _hop_lines(answer: Mapping[str, Any]) -> list[str]:
    hops = answer.get("hops", ())
    width = max((len(hop["address"]) for hop in hops), default=0)
    return [
        f"  {number:>2}  {hop['address'].ljust(width)}  {_ms(hop['round_trip_us']):>10}"
        for number, hop in enumerate(hops, 1)
    ]


def summary_lines(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many came back, and how fast."""
    times = sorted(answer["round_trip_us"] for answer in answers if answer["code"] is None)
    lost = len(answers) - len(times)
    lines = [f"  {len(answers)} sent, {len(times)} answered, {lost * 100 // len(answers)} % lost"]
    if times:
        lines.append(f"  fastest {_ms(times[0])}, median {_ms(times[len(times) // 2])}, slowest {_ms(times[-1])}")
    return lines


def _ms(microseconds: int) -> str:
    return f"{microseconds // 1000}.{microseconds % 1000 // 100} ms"
