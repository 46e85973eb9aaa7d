"""Power cuts: a store lives, its disk is looked at as a cut would leave it, and what a start finds is judged.

After every cut the books and documents are those after some durable step, whole, and no older than the last step that
anything which left rests on. In mode `process` a power cut may lose steps, but never leave half of one; kill -9 may
lose nothing. Some cuts are the beginning of the next life, so that recovery is cut too.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from interledger.errors import StoreError
from interledger.store.base import Durability
from tools.torture.life import Life, State, load

__all__ = ["BrokenError", "CutReport", "cut_seeds", "quick_place", "torture_seed"]

LIVES_MAX: Final = 4
CUTS_PER_LIFE: Final = 25


class BrokenError(AssertionError):
    """A promise was broken. Names the seed that does it again."""


@dataclass(slots=True)
class CutReport:
    """What was done. `kinds`: cuts by what they cut."""

    seeds: int = 0
    lives: int = 0
    cuts: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str) -> None:
        self.cuts += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1


def cut_seeds(first: int, cuts: int) -> CutReport:
    """From seed `first` on, until there were so many cuts. Raises `BrokenError`."""
    report = CutReport()
    with tempfile.TemporaryDirectory(dir=quick_place()) as place:
        while report.cuts < cuts:
            torture_seed(first + report.seeds, Path(place), report)
            report.seeds += 1
    return report


def torture_seed(seed: int, place: Path, report: CutReport) -> None:
    """Some lives, one after another, each cut many times. Raises `BrokenError`."""
    dice = random.Random(seed)
    durability = dice.choice((Durability.POWER, Durability.POWER, Durability.PROCESS))
    files: dict[str, bytes] = {}
    for _ in range(dice.randint(1, LIVES_MAX)):
        life = Life(place, durability, dice, files)
        life.run(dice.choice((0, 3, 12, 30)))
        report.lives += 1
        for cut in _cuts_of(life, dice):
            found = _judge(seed, life, cut, report)
        if found is not None:
            files = found


@dataclass(slots=True)
class _Cut:
    at: int
    killed: bool
    files: dict[str, bytes]
    what: str


def _cuts_of(life: Life, dice: random.Random) -> Iterator[_Cut]:
    ops = life.disk.ops
    for _ in range(min(CUTS_PER_LIFE, len(ops))):
        at = dice.randrange(len(ops))
        if dice.random() < 0.15:
            yield _Cut(at, True, life.disk.killed_at(at), "kill")
        else:
            what = f"{ops[at].kind.value} {ops[at].name.removeprefix('ledger.')}"
            yield _Cut(at, False, life.disk.cut_at(at, dice), what)


def _judge(seed: int, life: Life, cut: _Cut, report: CutReport) -> dict[str, bytes] | None:
    """The files after a start on what the cut left."""
    report.add(cut.what)
    where = f"seed {seed}, {life.durability.value}, cut at request {cut.at} ({cut.what})"
    try:
        state, disk = load(life.directory, life.durability, cut.files)
    except StoreError as error:
        raise BrokenError(f"{where}: a start is refused: {error}") from error
    promised = max((number for ops, number in life.promises if ops <= cut.at), default=0)
    if life.durability is Durability.PROCESS and not cut.killed:
        promised = 0
    found = _number_of(state, life.states, promised)
    if found is None:
        known = [number for number, one in enumerate(life.states) if one == state]
        raise BrokenError(
            f"{where}: state {known or 'of no step at all'} was found, an effect rests on state {promised} of "
            f"{len(life.states)}"
        )
    return {name: bytes(octets) for name, octets in disk.files.items()}


def _number_of(state: State, states: list[State], promised: int) -> int | None:
    return next((number for number in range(promised, len(states)) if states[number] == state), None)


def quick_place() -> str | None:
    """Where files that only a process has to survive are quickest: in memory; None where there is no such place."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a directory of our own is made in it
