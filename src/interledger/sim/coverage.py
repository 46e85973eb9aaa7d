"""What the simulation really did: how often each class of fault met a packet, in what state, and how that packet ended.

A generator that never makes a case tests nothing of it, however many seeds it has. So the cells that have to occur are
listed here, and a run over many seeds in which one of them stayed empty has failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, final

from interledger.sim.options import CLASSES

__all__ = ["MUST_HAPPEN", "MUST_OCCUR", "OUTCOMES", "STATES", "Cell", "Coverage"]

Cell = tuple[str, str, str]
"""(class of fault, state of the packet when it met it, outcome of the packet at that node)."""

STATES: Final = {
    "prepare": "on its way to the node",
    "deciding": "received, nothing written yet",
    "in flight": "its hold is written, no answer yet",
    "executed": "the fulfillment is written, the answer has not left",
    "fulfill": "its Fulfill is on its way back",
    "reject": "its Reject is on its way back",
}
"""In the order of a packet's life."""

OUTCOMES: Final = ("executed", "released", "unknown", "never held")


@final
class Coverage:
    """Counts cells; the sum of many runs by `add`."""

    def __init__(self) -> None:
        self.cells: Counter[Cell] = Counter()
        self.events: Counter[str] = Counter()
        """What happened, whatever packets it met."""

    def add(self, other: Coverage) -> None:
        """Sum up."""
        self.cells.update(other.cells)
        self.events.update(other.events)

    def missing(self, required: Iterable[Cell] | None = None) -> list[str]:
        """What had to occur and did not, in words."""
        wanted = MUST_OCCUR if required is None else required
        found = [" / ".join(cell) for cell in wanted if not self.cells[cell]]
        return [*found, *(f"{name}: never happened" for name in (*CLASSES, *MUST_HAPPEN) if not self.events[name])]

    def table(self) -> str:
        """A table in Markdown: a line for each class and state, a column for each outcome."""
        lines = ["| fault | happened | state of the packet | " + " | ".join(OUTCOMES) + " |"]
        lines.append("|" + " --- |" * (3 + len(OUTCOMES)))
        for name in CLASSES:
            head = f"| {name} | {self.events[name]:,} |"
            for state in STATES:
                counts = [self.cells[name, state, outcome] for outcome in OUTCOMES]
                if any(counts):
                    lines.append(f"{head} {state} | " + " | ".join(f"{n:,}" for n in counts) + " |")
                    head = "| | |"
            if head != "| | |":
                lines.append(f"{head} |" + " |" * len(OUTCOMES))
        lines += ["", "| settlement | happened |", "| --- | --- |"]
        lines += [f"| {name} | {self.events[name]:,} |" for name in MUST_HAPPEN]
        return "\n".join(lines)


MUST_HAPPEN: Final = (
    *(
        f"engine dies: {step}"
        for step in ("asked", "taken", "payment made", "signed", "sent", "paid", "seen", "told", "acknowledged")
    ),
    "kill: settlement on its way",
    "power: settlement on its way",
    "settlement held",
    "settlement settled",
    "settlement credited",
    "settlement leftover",
)
"""What settlements have to meet in 2,000 seeds."""

_ANY: Final = "executed, released, unknown"


def _cells(names: str, state: str, outcomes: str) -> tuple[Cell, ...]:
    return tuple((name, state, outcome) for name in names.split(", ") for outcome in outcomes.split(", "))


MUST_OCCUR: Final[tuple[Cell, ...]] = (
    *_cells("drop", "prepare", "never held"),
    *_cells("drop", "fulfill", "unknown"),
    *_cells("drop", "reject", "unknown"),
    *_cells("delay, reorder", "prepare", _ANY),
    *_cells("delay", "fulfill", "executed, unknown"),
    *_cells("duplicate, reorder", "fulfill", "executed"),
    *_cells("delay, duplicate, reorder", "reject", "released"),
    *_cells("cut, slow disk", "deciding", "executed, released"),
    *_cells("cut, half-open, storm", "in flight", _ANY),
    *_cells("kill, power", "deciding", "never held"),
    *_cells("kill, power, kill in recovery, restart, disk broken", "in flight", "released, unknown"),
    *_cells("stall, slow disk, disk full, skew, clock step", "in flight", _ANY),
    *_cells("rate jump, rate stale, limit change, peer removed, settings change", "in flight", _ANY),
    *_cells("late fulfill, last moment", "in flight", "executed, unknown"),
    *_cells("wrong fulfill", "in flight", "released"),
    *_cells("two replies", "in flight", "executed, released"),
    *_cells("grief", "in flight", "unknown"),
    *_cells("early fulfill", "executed", "executed, released, unknown"),
    *_cells("replay", "executed", _ANY),
    *_cells("replay", "deciding", "never held"),
    *_cells("garbage, steal, hijack, loop, intruder", "in flight", _ANY),
    *_cells("probe", "deciding", "released, unknown, never held"),
)
"""Cells that have to occur in 2,000 seeds; none of them by a single packet only."""
