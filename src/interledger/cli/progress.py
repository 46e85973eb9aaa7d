"""A payment on its way: one line that is redrawn on a terminal, a line a second elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, final

from interledger.accounts.asset import format_amount
from interledger.cli.console import Console
from interledger.cli.money import duration, money_of
from interledger.cli.output import printable

__all__ = ["BAR_WIDTH", "Progress", "bar", "counts", "progress_line", "waiting_line"]

BAR_WIDTH: Final = 32

REDRAW_S: Final = 0.1
"""Ten times a second: the eye sees no more, and a slow terminal keeps up."""

CLEAR: Final = "\r\x1b[J"
"""From the beginning of the line: it, and what is below."""

UP: Final = "\r\x1b[A"

LINE_S: Final = 1.0
"""Where nothing can be redrawn."""

TROUBLES: Final = {
    "T01": "cannot reach the next node",
    "T02": "is busy",
    "T03": "is busy",
    "T04": "has no room for a moment",
    "T05": "lets no more packets pass for a moment",
    "R00": "had no answer in time",
}

Document = Mapping[str, Any]


def bar(share: Fraction, width: int = BAR_WIDTH) -> str:
    """`███████████████▌················`: full cells, then perhaps half a one, cut."""
    halves = int(max(min(share, Fraction(1)), Fraction(0)) * width * 2)
    full, half = divmod(halves, 2)
    return "█" * full + "▌" * half + "·" * (width - full - half)


def counts(payment: Document) -> str:
    """`9 fulfilled, 1 rejected, 4 in flight`"""
    packets = payment["packets"]
    in_flight = packets["sent"] - packets["fulfilled"] - packets["rejected"]
    unknown = int(payment["unknown"]["amount"]) > 0
    parts = [f"{packets['fulfilled']} fulfilled"]
    if packets["rejected"]:
        parts.append(f"{packets['rejected']} rejected")
    if in_flight > 0:
        parts.append(f"{in_flight} {'unknown' if unknown and payment['ended_at'] else 'in flight'}")
    return ", ".join(parts)


def progress_line(payment: Document, total: int, elapsed_ms: int, console: Console) -> str:
    """The line for one moment. `total`: units of the source asset that are to be sent, all in all."""
    sent, asset = money_of(payment["sent"])
    width = len(format_amount(total, asset))
    drawn = bar(Fraction(sent, total) if total else Fraction(1))
    ended = payment["duration_ms"]
    amount = f"{format_amount(sent, asset):>{width}} {asset.code}"
    return f"  {drawn} {amount}   {counts(payment)}   {duration(elapsed_ms if ended is None else ended)}"


def waiting_line(payment: Document, console: Console, names: Mapping[str, str]) -> str | None:
    """`! hub has no room for a moment (T04); trying again in 40 ms`; None while nothing holds it up.

    `names`: what nodes are called here, by their addresses.
    """
    waiting = payment.get("waiting")
    if waiting is None or payment["ended_at"] is not None:
        return None
    code, address = printable(waiting["code"]), printable(waiting["triggered_by"])
    who = names.get(address, address) or "a node on the way"
    again = f"trying again in {duration(waiting['retry_ms'])}" if waiting["retry_ms"] else "sending less"
    return f"  {console.mark('!')} {who} {TROUBLES.get(code, 'refuses for a moment')} ({code}); {again}"


@final
class Progress:
    """Shows one payment. `update` for each document, `finish` before anything else is printed."""

    def __init__(
        self,
        console: Console,
        total: int,
        monotonic: Callable[[], float] = time.monotonic,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`names`: of nodes, by their addresses."""
        self._names = names or {}
        self._console = console
        self._total = total
        self._monotonic = monotonic
        self._began = monotonic()
        self._shown_at = self._began if not console.shows_progress else self._began - REDRAW_S
        self._line = ""
        self._is_open = False

    def update(self, payment: Document) -> None:
        """Draw it, unless it was drawn a moment ago. The last one is always drawn."""
        now = self._monotonic()
        self._line = progress_line(payment, self._total, int((now - self._began) * 1000), self._console)
        interval = REDRAW_S if self._console.shows_progress else LINE_S
        is_last = payment["ended_at"] is not None
        if now - self._shown_at < interval and not is_last:
            return
        self._shown_at = now
        trouble = waiting_line(payment, self._console, self._names)
        if self._console.shows_progress:
            below = "" if trouble is None else f"\n{self._console.encode(trouble)}{UP}"
            self._console.err.write(f"{CLEAR}{self._console.encode(self._line)}{below}")
            self._console.err.flush()
            self._is_open = True
        else:
            for line in (self._line, trouble):
                if line is not None:
                    self._console.note(line)
            self._console.err.flush()

    def finish(self) -> None:
        """End the line."""
        if self._is_open:
            self._console.err.write(f"\n{CLEAR}")
            self._is_open = False
