"""The bar: redrawn at most ten times a second, a line a second where nothing can be redrawn."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import pytest

from interledger.cli.console import Console
from interledger.cli.progress import Progress, bar, counts, waiting_line


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def moment(
    sent: int, *, ended: int | None = None, fulfilled: int = 1, packets: int = 1, unknown: int = 0
) -> dict[str, Any]:
    usd = {"asset_code": "USD", "asset_scale": 2}
    return {
        "sent": {"amount": str(sent), **usd},
        "unknown": {"amount": str(unknown), **usd},
        "packets": {"sent": packets, "fulfilled": fulfilled, "rejected": 0},
        "ended_at": None if ended is None else "2026-11-21T12:00:00.000Z",
        "duration_ms": ended,
    }


@pytest.mark.parametrize(
    ("share", "drawn"),
    [
        (Fraction(0), "········"),
        (Fraction(1, 16), "▌·······"),
        (Fraction(1, 2), "████····"),
        (Fraction(99, 100), "███████▌"),
        (Fraction(1), "████████"),
        (Fraction(2), "████████"),
        (Fraction(-1), "········"),
    ],
)
def test_bar(share: Fraction, drawn: str) -> None:
    assert bar(share, 8) == drawn


def test_counts() -> None:
    assert counts(moment(1, packets=5)) == "1 fulfilled, 4 in flight"
    assert counts(moment(1, packets=3, ended=5, unknown=1)) == "1 fulfilled, 2 unknown"


def test_on_a_terminal_at_most_ten_times_a_second(terminal: Console) -> None:
    clock = Clock()
    progress = Progress(terminal, 100, clock)
    for milliseconds in range(0, 1000, 10):
        clock.now = milliseconds / 1000
        progress.update(moment(milliseconds // 10))
    progress.update(moment(100, ended=1000))
    progress.finish()
    progress.finish()
    written = terminal.err.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert 10 <= written.count("\r\x1b[J") - 1 <= 11
    assert written.endswith("████████████████████████████████ 1.00 USD   1 fulfilled   1.0 s\n\r\x1b[J")


def test_elsewhere_a_line_a_second(pipe: Console) -> None:
    clock = Clock()
    progress = Progress(pipe, 100, clock)
    for milliseconds in range(0, 2_500, 50):
        clock.now = milliseconds / 1000
        progress.update(moment(milliseconds // 25))
    progress.update(moment(100, ended=2_500))
    progress.finish()
    assert isinstance(pipe.err, io.StringIO)
    lines = pipe.err.getvalue().splitlines()
    assert [line.rpartition("   ")[2] for line in lines] == ["1.0 s", "2.0 s", "2.5 s"]
    assert "\r" not in pipe.err.getvalue()


def test_nothing_to_send(pipe: Console) -> None:
    Progress(pipe, 0).update(moment(0, ended=1))


# ---------------------------------------------------------------------- what holds it up

NAMES = {"test.hub": "hub"}


def held_up(code: str, by: str, retry_ms: int, **more: Any) -> dict[str, Any]:
    return moment(1, **more) | {"waiting": {"code": code, "triggered_by": by, "retry_ms": retry_ms}}


@pytest.mark.parametrize(
    ("payment", "line"),
    [
        (held_up("T04", "test.hub", 40), "  ! hub has no room for a moment (T04); trying again in 40 ms"),
        (held_up("T04", "test.hub", 0), "  ! hub has no room for a moment (T04); sending less"),
        (held_up("T02", "test.far.away", 100), "  ! test.far.away is busy (T02); trying again in 100 ms"),
        (held_up("T99", "", 50), "  ! a node on the way refuses for a moment (T99); trying again in 50 ms"),
        (held_up("T\x1b", "x\x1b[2J", 0), "  ! x\\x1b[2J refuses for a moment (T\\x1b); sending less"),
        (held_up("T04", "test.hub", 40, ended=5), None),
        (moment(1) | {"waiting": None}, None),
        (moment(1), None),
    ],
)
def test_why_it_waits(terminal: Console, payment: dict[str, Any], line: str | None) -> None:
    assert waiting_line(payment, terminal, NAMES) == line


def test_the_line_below_the_bar_goes_when_packets_pass_again(terminal: Console) -> None:
    clock = Clock()
    progress = Progress(terminal, 100, clock, NAMES)
    progress.update(held_up("T04", "test.hub", 40))
    clock.now = 1.0
    progress.update(moment(50))
    progress.finish()
    written = terminal.err.getvalue()  # type: ignore[attr-defined]  # a StringIO
    first, second, rest = written.removeprefix("\r\x1b[J").split("\r\x1b[J")
    assert first.endswith("\n  ! hub has no room for a moment (T04); trying again in 40 ms\r\x1b[A")
    assert second.endswith("1.0 s\n")
    assert rest == ""


def test_elsewhere_it_is_a_line_of_its_own(pipe: Console) -> None:
    clock = Clock()
    progress = Progress(pipe, 100, clock, NAMES)
    clock.now = 1.0
    progress.update(held_up("T04", "test.hub", 0))
    assert pipe.err.getvalue().splitlines()[1] == "  ! hub has no room for a moment (T04); sending less"  # type: ignore[attr-defined]  # a StringIO
