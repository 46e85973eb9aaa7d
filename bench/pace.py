"""How fast the core of the node under test is while it is measured: a machine with neighbours has more than one speed.

A fixed piece of Python runs for a millisecond or less, twenty times a second, on the node's core, and times itself by
its own CPU clock. Figures divided by it can be compared when the machine was slower for one node than for the other.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from nodes import on_core

PAUSE_S = 0.05
NOMINAL_US = 700.0
"""What the piece takes on the machine of docs/explanation/performance.md when nothing disturbs it."""


class Pace:
    """The piece, running beside the node; `stop` gives the median of its times, in microseconds."""

    def __init__(self) -> None:
        self._times = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        self._process = subprocess.Popen(on_core([sys.executable, __file__]), stdout=self._times)

    def stop(self) -> float:
        self._process.kill()
        self._process.wait()
        self._times.seek(0)
        times = [int(line) for line in self._times.read().splitlines()[1:]]  # the first one warmed up
        self._times.close()
        return statistics.median(times) / 1000 if times else NOMINAL_US


def piece(table: dict[int, int]) -> list[tuple[int, int]]:
    total = 0
    made = []
    for number in range(4_000):
        total += table[number % len(table)]
        made.append((total, number))
    return made


def main() -> None:
    table = {number: number for number in range(2_000)}
    while True:
        began = time.thread_time_ns()
        piece(table)
        print(time.thread_time_ns() - began, flush=True)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
