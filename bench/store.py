"""What durability costs: per record and commit, beside a busy thread, and at the start.

    python bench/store.py [--directory DIR]
    python bench/store.py --postgres [--directory DIR]      # beside a PostgreSQL server of its own, in that directory

One packet makes two records (hold, execution). "main" is the CPU of the ledger's thread without the ledger itself:
taking the batch, the loop's turns, the effects. "writer" is the CPU of the store's thread; "server" that of all
processes of PostgreSQL, which may be another machine's. 20 accounts are hot.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.clock import SystemClock
from interledger.store import group_commit
from interledger.store.base import Durability, Store
from interledger.store.durable_step import DurableStep
from interledger.store.group_commit import GroupCommit
from interledger.store.open import open_store

if TYPE_CHECKING:
    from tools.torture.postgres_server import PostgresServer

USD = Asset("USD", 9)
HASH = bytes(range(32))
EXPIRES_AT = 1_800_000_000_000
ACCOUNTS = 20
SIZES = ((1, 2000), (16, 1000), (64, 1000), (256, 300))
"""(records in a commit, commits)"""
MICRO = 1_000_000


class Load:
    """Keeps one batch of `records` records being written, again and again."""

    def __init__(self, store: Store, records: int) -> None:
        self.records = records
        self.ledger = Ledger()
        store.load(self.ledger)
        self.commits = GroupCommit(self.ledger, store, SystemClock())
        self.accounts = [self.ledger.account(f"peer/a{i}", USD) for i in range(ACCOUNTS)]
        self.turn = 0
        self.open: Hold | None = None
        self.in_ledger = 0.0
        self.took: list[float] = []

    async def run(self, commits: int) -> None:
        """Fill and wait, so many times."""
        await self.commits.commit()
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._fill(commits, loop.call_soon, lambda: done.set_result(None))
        await done

    def _fill(self, left: int, call_soon: Callable[..., object], finish: Callable[[], None]) -> None:
        began = time.thread_time()
        for _ in range(self.records):
            self._record()
        self.in_ledger += time.thread_time() - began
        started = time.perf_counter()

        def written(error: Exception | None) -> None:
            self.took.append(time.perf_counter() - started)
            if left > 1:
                call_soon(self._fill, left - 1, call_soon, finish)
            else:
                finish()

        self.ledger.call_after_commit(written)

    def _record(self) -> None:
        """A hold with its Prepare, then its execution with its Fulfill, by turns."""
        if self.open is None:
            self.turn += 1
            debited, credited = self.accounts[self.turn % ACCOUNTS], self.accounts[(self.turn + 7) % ACCOUNTS]
            held = self.ledger.hold(((debited, credited, 99),), HASH, EXPIRES_AT, True)
            if isinstance(held, Hold):
                self.open = held
                self.ledger.prepare_after_commit(_send, _send, 1, None)
        else:
            self.ledger.execute(self.open, HASH)
            self.ledger.reply_after_commit(_send, 1, None)
            self.open = None


def _send(request_id: object, packet: object) -> None:
    """A link that costs nothing."""


async def measure(
    durability: str, records: int, commits: int, directory: Path, server: PostgresServer | None = None
) -> str:
    """One line of the table."""
    in_writer = 0.0
    write = group_commit.write_step

    def timed(store: Store, commit: DurableStep) -> None:
        nonlocal in_writer
        began = time.thread_time()
        write(store, commit)
        in_writer += time.thread_time() - began

    store = open_store(directory, durability, None if server is None else server.url(server.new_database()))
    group_commit.write_step = timed
    load = Load(store, records)
    began, cpu, of_server = time.perf_counter(), time.thread_time(), 0.0 if server is None else server.cpu_seconds()
    await load.run(commits)
    took, cpu = time.perf_counter() - began, time.thread_time() - cpu - load.in_ledger
    of_server = 0.0 if server is None else server.cpu_seconds() - of_server
    group_commit.write_step = write
    await load.commits.close()
    store.close()
    count, times = records * commits, sorted(load.took)
    half, most = times[len(times) // 2], times[len(times) * 99 // 100]
    name = durability if server is None else f"pg {durability}"
    each = "".join(f"{spent / count * MICRO:9.2f}" for spent in (cpu, load.in_ledger, in_writer, of_server))
    return f"{name:10}{records:8}{each}{half * 1000:10.2f}{most * 1000:9.2f}{count / took:12.0f}"


async def beside_a_busy_thread(directory: Path, interval: float) -> str:
    """How long a commit of 64 records takes while the packet path never rests."""
    sys.setswitchinterval(interval)
    store = open_store(directory, Durability.POWER)
    load = Load(store, 64)
    running = asyncio.ensure_future(load.run(60))
    while not running.done():
        until = time.perf_counter() + 0.001
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0)
    await load.commits.close()
    store.close()
    times = sorted(load.took)
    return (
        f"switch interval {interval * 1000:.1f} ms: commit p50 {times[30] * 1000:.1f} ms, max {times[-1] * 1000:.1f} ms"
    )


async def start(directory: Path) -> str:
    """The longest start: the journal is as long as it gets before a snapshot, and the process was killed."""
    store = open_store(directory, Durability.PROCESS)
    load = Load(store, 64)
    await load.run(490)
    size = store.octets_since_snapshot
    store.close()
    began = time.perf_counter()
    store = open_store(directory, Durability.PROCESS)
    state = store.load(Ledger())
    took = time.perf_counter() - began
    store.close()
    return f"start with {state.records_replayed} records ({size} octets) of journal: {took:.2f} s"


def beside_postgres(place: Path | None) -> None:
    """The same lines with the books in PostgreSQL."""
    # The driver is an extra.
    from tools.torture.postgres_server import postgres_server

    with postgres_server(None if place is None else str(place)) as server:
        for durability in (Durability.PROCESS, Durability.POWER):
            for records, commits in SIZES:
                with tempfile.TemporaryDirectory(dir=place) as directory:
                    print(asyncio.run(measure(durability, records, commits, Path(directory), server)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, help="where to write; a real disk, not a tmpfs")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL beside SQLite, and nothing else")
    options = parser.parse_args()
    place = options.directory
    print("microseconds of CPU per record: main, ledger, writer, server. Milliseconds per commit: p50, p99.")
    print("store      records     main   ledger   writer   server       p50      p99   records/s")
    for durability in ("memory", Durability.PROCESS, Durability.POWER):
        for records, commits in SIZES:
            with tempfile.TemporaryDirectory(dir=place) as directory:
                print(asyncio.run(measure(durability, records, commits, Path(directory))), flush=True)
    if options.postgres:
        beside_postgres(place)
        return
    for interval in (0.005, 0.0005):
        with tempfile.TemporaryDirectory(dir=place) as directory:
            print(asyncio.run(beside_a_busy_thread(Path(directory), interval)), flush=True)
    sys.setswitchinterval(0.005)
    with tempfile.TemporaryDirectory(dir=place) as directory:
        print(asyncio.run(start(Path(directory))))


if __name__ == "__main__":
    main()
