"""What one run is made of, drawn from its seed: swarm testing.

Each class of faults is on or off by chance, and how much of it there is is drawn evenly on a logarithmic scale, so that
runs differ in kind and not only in degree. Some have no faults at all: there the books must agree to the unit.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

__all__ = ["CLASSES", "TOPOLOGIES", "FaultClass", "Options", "draw_options"]

TOPOLOGIES: Final = ("line 3", "line 5", "line 7", "star", "ring", "tree", "mesh", "dual-homed")
WIRES: Final = ("messages", "messages", "messages", "btp", "btp/2.0-i")
"""What links are made of. “messages” lose, double and reorder; the two of BTP are the real protocol over octets."""

SETTLED_SHARE: Final = 0.4
"""Of the runs: neighbours settle with each other."""

SQLITE_SHARE: Final = 1 / 2
"""Of the runs: their nodes keep their books in the real SQLite store, on a disk in memory."""


class FaultClass(NamedTuple):
    """A class of faults: of whom, between which intensities, and what the number means."""

    group: str
    lowest: float
    highest: float
    unit: str


CLASSES: Final[dict[str, FaultClass]] = {
    # of a network that loses messages
    "drop": FaultClass("network", 0.002, 0.2, "of messages"),
    "delay": FaultClass("network", 0.005, 0.2, "of messages, up to 40 s, most of them less"),
    "duplicate": FaultClass("network", 0.005, 0.2, "of messages"),
    "reorder": FaultClass("network", 0.02, 0.5, "of messages, up to 300 ms later than others"),
    # of links, of whatever kind
    "cut": FaultClass("link", 1, 8, "times"),
    "half-open": FaultClass("link", 1, 4, "times: octets vanish, nobody is told"),
    "storm": FaultClass("link", 1, 3, "times: all links of a node go and come ten times"),
    # of processes
    "kill": FaultClass("process", 1, 6, "times"),
    "power": FaultClass("process", 1, 6, "times"),
    "kill in recovery": FaultClass("process", 0.2, 1, "of restarts are killed again before they have written"),
    "stall": FaultClass("process", 1, 4, "times: nothing is done for up to 40 s"),
    # of disks
    "slow disk": FaultClass("disk", 50, 2_000, "ms, for a commit"),
    "disk full": FaultClass("disk", 1, 2, "times"),
    "disk broken": FaultClass("disk", 1, 2, "times"),
    # of clocks
    "skew": FaultClass("clock", 10, 2_000, "ms at most, either way"),
    "clock step": FaultClass("clock", 1, 4, "times, by up to an hour, either way"),
    # of rates
    "rate jump": FaultClass("rates", 1, 6, "times"),
    "rate stale": FaultClass("rates", 1, 3, "times"),
    # operators
    "limit change": FaultClass("operator", 1, 8, "times"),
    "peer removed": FaultClass("operator", 1, 3, "times, and added again"),
    "restart": FaultClass("operator", 1, 3, "times, in good order"),
    "settings change": FaultClass("operator", 1, 4, "times: packet sizes and rates of an account"),
    # what settlement engines do, where nodes settle
    "engine times out": FaultClass("engine", 0.02, 0.5, "of calls: what was asked is done, and nobody hears of it"),
    "engine twice": FaultClass("engine", 0.02, 0.5, "of calls come twice"),
    "engine late": FaultClass("engine", 0.02, 0.3, "of calls come up to a minute later"),
    "engine lies": FaultClass("engine", 0.02, 0.3, "of what it did it denies; and it tells of money that never came"),
    "engine dies": FaultClass("engine", 0.01, 0.2, "of its steps are its last, until it is started again"),
    "engine away": FaultClass("engine", 1, 4, "times, for up to 40 s"),
    "engine days": FaultClass("engine", 1, 2, "times: an engine is away for days"),
    # what peers do who mean harm
    "late fulfill": FaultClass("adversary", 0.02, 0.5, "of their packets"),
    "last moment": FaultClass("adversary", 0.02, 0.5, "of their packets, fulfilled just before they expire"),
    "wrong fulfill": FaultClass("adversary", 0.02, 0.5, "of their packets"),
    "early fulfill": FaultClass("adversary", 1, 20, "Fulfills that nobody asked for"),
    "two replies": FaultClass("adversary", 0.02, 0.5, "of their packets: a Reject and a Fulfill"),
    "grief": FaultClass("adversary", 0.05, 1, "of their packets are never answered"),
    "replay": FaultClass("adversary", 1, 20, "Prepares sent again"),
    "garbage": FaultClass("adversary", 1, 20, "messages"),
    "probe": FaultClass("adversary", 1, 20, "packets around the credit limit, rejected by an accomplice"),
    "steal": FaultClass("adversary", 0.02, 0.5, "of the amount is kept by a node on the way"),
    "hijack": FaultClass("adversary", 1, 4, "announcements of what is others'"),
    "loop": FaultClass("adversary", 1, 3, "routes that lead round in a circle"),
    "intruder": FaultClass("adversary", 1, 5, "connections without a right to them"),
}
"""All classes of faults, by name."""


@dataclass(frozen=True, slots=True)
class Options:
    """Of one run. `faults`: those that are on, with their intensity."""

    seed: int
    topology: str
    wire: str
    sqlite: bool
    learned: bool
    """Nodes tell each other their routes; otherwise the operator has set them."""
    assets: int
    packets: int
    faults: dict[str, float]
    settles: bool = False
    """Each two neighbours have an engine each, on a ledger of theirs."""

    def has(self, *names: str) -> bool:
        """Whether one of these classes is on."""
        return any(name in self.faults for name in names)

    def has_group(self, *groups: str) -> bool:
        """Whether a class of one of these groups is on."""
        return any(CLASSES[name].group in groups for name in self.faults)

    def times(self, name: str) -> int:
        """Of a class that is counted: how often."""
        return round(self.faults.get(name, 0))

    def part(self, name: str) -> float:
        """Of a class that is a share: how much."""
        return self.faults.get(name, 0.0)

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {value:.3g}" for name, value in self.faults.items()) or "no faults"
        books = "SQLite" if self.sqlite else "memory"
        routes = "learned" if self.learned else "static"
        settled = ", settled" if self.settles else ""
        return (
            f"{self.topology}, {self.assets} assets, links of {self.wire}, {routes} routes, books in {books}, "
            f"{self.packets} packets{settled}; {faults}"
        )


def draw_options(seed: int) -> Options:
    """The same for the same seed."""
    dice = random.Random(f"options {seed}")
    each = dice.choice((0.0, 0.06, 0.15, 0.15, 0.3, 0.6))
    faults = {
        name: found.lowest * (found.highest / found.lowest) ** dice.random()
        for name, found in CLASSES.items()
        if found.group != "engine" and dice.random() < each
    }
    drawn = Options(
        seed=seed,
        topology=dice.choice(TOPOLOGIES),
        wire=dice.choice(WIRES),
        sqlite=dice.random() < SQLITE_SHARE,
        learned=dice.random() < 0.25 or "hijack" in faults,
        assets=dice.randint(2, 4),
        packets=round(30 * 8 ** dice.random()),
        faults=faults,
    )
    return _with_engines(drawn, random.Random(f"engines {seed}"))


def _with_engines(options: Options, dice: random.Random) -> Options:
    """By dice of their own: all else of a seed is as it is without them."""
    if dice.random() >= SETTLED_SHARE:
        return options
    each = dice.choice((0.0, 0.3, 0.6))
    faults = {
        name: found.lowest * (found.highest / found.lowest) ** dice.random()
        for name, found in CLASSES.items()
        if found.group == "engine" and dice.random() < each
    }
    if options.learned or options.wire != "messages":  # they look at the time too often for days
        faults.pop("engine days", None)
    return replace(options, settles=True, faults=options.faults | faults)
