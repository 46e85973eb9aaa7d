"""Many seeds, on all cores: what they add up to, and which of them broke something."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

from interledger.sim.books import BreachError
from interledger.sim.coverage import Coverage
from interledger.sim.simulation import simulate
from interledger.sim.storage import MakeStorage

__all__ = ["Breach", "Campaign", "run_campaign", "run_seeds"]

CHUNK: Final = 20
"""Seeds that a process takes at a time."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A seed that broke something, and what it says."""

    seed: int
    text: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.text}\nAgain:  make sim SEED={self.seed}"


@dataclass(slots=True)
class Campaign:
    """What runs add up to."""

    seeds: int = 0
    figures: dict[str, int] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    breaches: list[Breach] = field(default_factory=list)
    fingerprints: dict[int, str] = field(default_factory=dict)

    def add(self, other: Campaign) -> None:
        """Sum up."""
        self.seeds += other.seeds
        for name, number in other.figures.items():
            self.figures[name] = self.figures.get(name, 0) + number
        self.coverage.add(other.coverage)
        self.breaches += other.breaches
        self.fingerprints |= other.fingerprints

    def __str__(self) -> str:
        return f"{self.seeds:,} seeds: " + ", ".join(f"{number:,} {name}" for name, number in self.figures.items())


def run_seeds(seeds: Iterable[int], make_sqlite: Callable[[], MakeStorage | None] | None = None) -> Campaign:
    """One seed after the other, in this process. A breach ends its seed, not the others."""
    logger = logging.getLogger("interledger")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # disks fail here on purpose
    try:
        return _run_seeds(seeds, None if make_sqlite is None else make_sqlite())
    finally:
        logger.setLevel(level)


def _run_seeds(seeds: Iterable[int], sqlite: MakeStorage | None) -> Campaign:
    campaign = Campaign()
    for seed in seeds:
        one = Campaign(seeds=1)
        try:
            report = simulate(seed, sqlite)
        except BreachError as breach:
            one.breaches.append(Breach(seed, str(breach)))
        except Exception as error:  # the node, or the simulation: either has to be looked at
            one.breaches.append(Breach(seed, f"{type(error).__name__}: {error}"))
        else:
            one.coverage = report.coverage
            one.fingerprints[seed] = report.fingerprint
            one.figures = {
                "packets": report.packets,
                "fulfilled": report.fulfilled,
                "STREAM payments complete": report.paid,
                "crashes": report.crashes,
                "events": report.events,
                "virtual seconds": report.virtual_ms // 1000,
                "in SQLite": int(report.options.sqlite and sqlite is not None),
                **report.counts,
            }
        campaign.add(one)
    return campaign


def run_campaign(
    first: int,
    count: int,
    make_sqlite: Callable[[], MakeStorage | None] | None = None,
    processes: int | None = None,
) -> Iterator[Campaign]:
    """Seeds `first` to `first + count - 1`, spread over processes; the sum so far after each chunk.

    `make_sqlite` is called in each process: a module's function.
    """
    chunks = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    total = Campaign()
    workers = processes or os.cpu_count() or 1
    if workers == 1:
        for chunk in chunks:
            total.add(run_seeds(chunk, make_sqlite))
            yield total
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for part in pool.map(run_seeds, chunks, [make_sqlite] * len(chunks)):
            total.add(part)
            yield total
