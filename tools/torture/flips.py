"""Flipped bits: one in every octet of a store's files, one at a time. Each is found at the start, or changes nothing.

Harmless is also a flip in the very last commit of the commit log: it cannot be told from one that a power cut tore.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from interledger.errors import StoreError
from interledger.store.base import Durability
from tools.torture.cuts import BrokenError
from tools.torture.disk import Op
from tools.torture.life import Life, State, load

__all__ = ["FlipReport", "flip_bits"]

STEPS: Final = 12
LOG: Final = "commits.log"


@dataclass(slots=True)
class FlipReport:
    """By file: how many octets had a bit flipped, and how many of these a start refused."""

    flipped: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)


def flip_bits(place: Path, *, killed: bool, every: int = 1, seed: int = 11) -> FlipReport:
    """One bit in each so many-th octet that is not zero, and in some that are. Raises `BrokenError`.

    `killed`: the files of a node that was killed, with a write-ahead log; else of one that was stopped.
    """
    life = Life(place, Durability.POWER, random.Random(seed), {})
    life.run(STEPS)
    ops = life.disk.ops
    at = max(number for number, op in enumerate(ops) if op.name == LOG) + 1 if killed else len(ops)
    files = life.disk.killed_at(at)
    promised = max(number for count, number in life.promises if count <= at)
    last = next(op for op in reversed(ops[:at]) if op.name == LOG)
    report = FlipReport()
    for name in (LOG, "ledger.db-wal" if killed else "ledger.db"):
        octets = files[name]
        whole = [offset for offset, octet in enumerate(octets) if octet]
        empty = [offset for offset, octet in enumerate(octets) if not octet]
        report.flipped[name] = report.found[name] = 0
        for offset in (*whole[::every], *empty[:: every * 50]):
            damaged = bytearray(octets)
            damaged[offset] ^= 1 << offset % 8
            report.flipped[name] += 1
            try:
                state, _ = load(place, life.durability, files | {name: bytes(damaged)})
            except StoreError:
                report.found[name] += 1
                continue
            if not _is_right(state, life.states, promised, in_last=name == LOG and _covers(last, offset)):
                raise BrokenError(f"a bit flipped in octet {offset} of {name} gave other books, and was not found")
    return report


def _is_right(state: State, states: list[State], promised: int, *, in_last: bool) -> bool:
    return state in states[promised - in_last :]


def _covers(op: Op, offset: int) -> bool:
    return op.offset <= offset < op.offset + len(op.data)
