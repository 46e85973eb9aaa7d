"""`ilp`, with each turn of its event loop timed: how long the node works between two looks at its sockets.

    TURNS_FILE=FILE python bench/turns.py node run ...

FILE holds a count of turns by duration, as 64-bit integers in the machine's order: bucket i is of turns that took up to
2^(i/4) microseconds of the loop's thread. `read` gives them.
"""

from __future__ import annotations

import math
import mmap
import os
import selectors
import sys
import time
from array import array
from pathlib import Path
from typing import Any

BUCKETS = 96


def read(path: Path) -> list[int]:
    """How many turns there were of each duration so far."""
    return list(array("Q", path.read_bytes()))


def microseconds(bucket: int) -> float:
    """The longest turn that `bucket` counts."""
    return float(2 ** (bucket / 4))


class TimedSelector(selectors.EpollSelector):
    """Asks for the time before and behind each wait."""

    counts: memoryview

    def __init__(self) -> None:
        super().__init__()
        self._began = time.thread_time()

    def select(self, timeout: float | None = None) -> Any:
        took_us = (time.thread_time() - self._began) * 1e6
        bucket = math.ceil(4 * math.log2(took_us)) if took_us > 1 else 0
        self.counts[min(bucket, BUCKETS - 1)] += 1
        ready = super().select(timeout)
        self._began = time.thread_time()
        return ready


def main() -> None:
    path = Path(os.environ["TURNS_FILE"])
    path.write_bytes(bytes(8 * BUCKETS))
    with path.open("r+b") as file:
        TimedSelector.counts = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # its turns cannot be timed so
    selectors.DefaultSelector = TimedSelector  # type: ignore[misc]
    from interledger.cli.main import main as ilp

    sys.argv[0] = "ilp"
    ilp()


if __name__ == "__main__":
    main()
