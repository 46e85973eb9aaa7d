"""The packets of a payment below one another, each where it was sent and as long as it took: a waterfall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.money import align

__all__ = ["waterfall_lines"]

Document = Mapping[str, Any]

TICK_WIDTH: Final = 9
TICKS_MAX: Final = 4
"""Of the axis: so that a line has 80 columns."""

SHOWN_FIRST: Final = 2
"""Of the first run of packets with the same outcome; the rest of it is a number, and so are later runs."""

RUN_MIN: Final = 4
"""A shorter run is not worth being hidden."""

BAR: Final = "▆"

WORDS: Final = {
    "fulfilled": ("✓", "fulfilled"),
    "rejected": ("✗", "rejected"),
    "test": ("·", "test"),
    "unanswered": ("?", "unanswered"),
    "in_flight": ("·", "in flight"),
}


class _Run(NamedTuple):
    rows: Sequence[Document]
    outcome: str
    code: str | None

    @property
    def packets(self) -> int:
        return sum(int(row["count"]) for row in self.rows)


def waterfall_lines(packets: Sequence[Document], asset: Asset, console: Console, *, whole: bool = False) -> list[str]:
    """`packets`: rows of the API's trace; `asset`: of what is sent; `whole`: all of them, none folded."""
    if not packets:
        return []
    end_us = max(max(row["answered_us"] or 0, row["sent_us"]) for row in packets)
    tick_ms = _tick(end_us)
    ticks = "".join(f"{tick * tick_ms:<{TICK_WIDTH}}" for tick in range(-(-end_us // (tick_ms * 1_000)) or 1)).rstrip()
    axis = ticks.ljust(max(len(ticks) + 1, -(-end_us * TICK_WIDTH // (tick_ms * 1_000))))
    amounts = dict(zip(map(id, packets), align([_amount(row, asset) for row in packets]), strict=True))
    width = max(4, *(len(text) for text in amounts.values()))
    outcomes = {id(row): _outcome(row) for row in packets}
    wide = max(13, *(len(text) + 2 for _, text in outcomes.values()))
    lines = [f"  NO.  {'SENT':<{width}}  {'OUTCOME':<{wide}}   {axis}ms"]

    def row_line(row: Document) -> str:
        mark, text = outcomes[id(row)]
        start, length = _bar(row, tick_ms)
        shown = f"{console.mark(mark)} {text:<{wide - 2}}"
        return f"  {row['number']:>3}  {amounts[id(row)]:<{width}}  {shown}   {' ' * start}{BAR * length}".rstrip()

    seen: set[tuple[str, str | None]] = set()
    has_hint = False
    for run in _runs(packets):
        shown = len(run.rows)
        if not whole and run.packets >= RUN_MIN:
            shown = 0 if (run.outcome, run.code) in seen else SHOWN_FIRST
        seen.add((run.outcome, run.code))
        lines += [row_line(row) for row in run.rows[:shown]]
        hidden = sum(int(row["count"]) for row in run.rows[shown:])
        if hidden:
            hint = "" if has_hint else " (--all)"
            has_hint = True
            lines.append(f"  … {hidden} more {_outcome(run.rows[0])[1]}{hint}")
    return [*lines, f"  {_summary(packets)}"]


def _runs(packets: Sequence[Document]) -> list[_Run]:
    runs: list[list[Document]] = []
    for row in packets:
        if runs and (runs[-1][0]["outcome"], runs[-1][0]["code"]) == (row["outcome"], row["code"]):
            runs[-1].append(row)
        else:
            runs.append([row])
    return [_Run(rows, rows[0]["outcome"], rows[0]["code"]) for rows in runs]


def _tick(end_us: int) -> int:
    """Milliseconds between two numbers of the axis: 1, 2, 5, 10, ..."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size * TICKS_MAX * 1_000 >= end_us:
                return factor * size
        size *= 10


def _bar(row: Document, tick_ms: int) -> tuple[int, int]:
    """Where it begins, and how long it is; one cell at least. What has no answer has one."""
    sent, answered = row["sent_us"], row["answered_us"] or row["sent_us"]
    cell_us = tick_ms * 1_000
    start = sent * TICK_WIDTH // cell_us
    return start, max(-(-answered * TICK_WIDTH // cell_us) - start, 1)


def _amount(row: Document, asset: Asset) -> str:
    return format_amount(int(row["amount"]), asset)


def _outcome(row: Document) -> tuple[str, str]:
    """`✗` `F08`; `·` `test F99`"""
    mark, word = WORDS.get(row["outcome"], ("·", row["outcome"]))
    if row["code"] is None:
        return mark, word
    return mark, f"{word} {row['code']}" if row["outcome"] == "test" else row["code"]


def _summary(packets: Sequence[Document]) -> str:
    """`22 packets: 19 fulfilled, 2 rejected, 1 test`"""
    counts: Counter[str] = Counter()
    for row in packets:
        counts[row["outcome"]] += int(row["count"])
    parts = [f"{counts[name]} {word}" for name, (_, word) in WORDS.items() if counts[name]]
    return f"{sum(counts.values())} packets: {', '.join(parts)}"
