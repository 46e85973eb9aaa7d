"""The ledger of long runs: a line for each, added to `docs/reliability-results.csv`, which is committed.

A run goes on where the last one of its kind ended, so the numbers add up over many of them.
"""

from __future__ import annotations

import csv
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from tools.source import ROOT

__all__ = ["RESULTS", "Run", "append", "next_seed", "read", "revision", "totals"]

RESULTS: Final = ROOT / "docs" / "reliability-results.csv"


class Run(NamedTuple):
    """One run. `kind`: cuts, kills, matrix or sim; `times`: how many; `outcome`: ok, or what broke."""

    at: str
    revision: str
    kind: str
    first_seed: int
    last_seed: int
    times: int
    seconds: int
    outcome: str


def read(path: Path = RESULTS) -> list[Run]:
    """All runs, oldest first."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Run(r["at"], r["revision"], r["kind"], int(r["first_seed"]), int(r["last_seed"]), int(r["times"]),
                int(r["seconds"]), r["outcome"])
            for r in csv.DictReader(file)
        ]  # fmt: skip


def next_seed(kind: str, path: Path = RESULTS) -> int:
    """The seed after the last one of that kind."""
    return max((run.last_seed + 1 for run in read(path) if run.kind == kind), default=0)


def append(kind: str, seeds: tuple[int, int], count: int, seconds: int, outcome: str, path: Path = RESULTS) -> None:
    """Add a run."""
    new = not path.exists()
    run = Run(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), revision(), kind, *seeds, count, seconds, outcome)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(Run._fields)
        writer.writerow(run)


def totals(path: Path = RESULTS) -> dict[str, int]:
    """How many of each kind went well."""
    sums: dict[str, int] = {}
    for run in read(path):
        if run.outcome == "ok":
            sums[run.kind] = sums.get(run.kind, 0) + run.times
    return sums


def revision() -> str:
    """What runs, as git names it."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
