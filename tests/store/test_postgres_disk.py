"""J3: PostgreSQL on a disk that is really full. What it acknowledged is there, and no more; with room it goes on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.base import Durability
from interledger.store.durable_step import DurableStep, write_step
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow

USD = Asset("USD", 9)
NOW = Timestamp(1_700_000_000_000)
RESERVE = 4_000_000


@pytest.fixture(scope="module")
def disk() -> Iterator[SmallDisk]:
    with small_disk() as made:
        yield made


class Books:
    """A ledger in a database of its own on that disk."""

    def __init__(self, disk: SmallDisk, directory: Path) -> None:
        from interledger.store.postgres import PostgresStore

        url = disk.server.url(disk.server.new_database())
        self.outages: list[StoreError | None] = []
        self.make = lambda: PostgresStore(url, Durability.POWER, directory=directory, reserve_octets=RESERVE)
        self.acknowledged = 0
        self.store: Any = None
        self.ledger = Ledger()

    def start(self) -> None:
        if self.store is not None:
            self.store.close()
        self.store = self.make()
        self.store.on_outage = self.outages.append
        self.store.open()
        self.ledger = Ledger()
        self.store.load(self.ledger)

    def write(self, packets: int = 100) -> DurableStep:
        """One commit of so many entries of one unit each, as a node has it written."""
        alice, bob = self.ledger.account("peer/alice", USD), self.ledger.account("peer/bob", USD)
        for _ in range(packets):
            self.ledger.post(((alice, bob, 1),), "x" * 200)
        batch = self.ledger.take_batch()
        assert batch is not None
        step = DurableStep(batch, b"".join(batch.records), self.store.take_changes(), None, NOW)
        write_step(self.store, step)
        if step.error is None:
            self.acknowledged += packets
        return step

    def start_again(self, disk: SmallDisk) -> None:
        """On a disk with room."""
        disk.make_room()
        disk.server.revive()
        self.start()

    def total(self) -> int:
        """What is in the books."""
        return sum(account.net for account in self.ledger.accounts if account.name == "peer/alice")


@pytest.fixture
def books(disk: SmallDisk, tmp_path: Path) -> Iterator[Books]:
    made = Books(disk, tmp_path)
    made.start()
    try:
        yield made
    finally:
        disk.make_room()
        disk.server.revive()
        made.store.close()


def until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        Event().wait(0.01)


def test_J3_a_table_that_cannot_grow_is_a_full_disk_and_the_reserve_gives_room(disk: SmallDisk, books: Books) -> None:
    books.write()
    disk.fill()
    step = books.write()
    for _ in range(200):
        if step.full is not None:
            break
        step = books.write()
    # Refused, and written with the room of the reserve: the outcomes of what is in flight find their place.
    assert "the server's disk is full" in str(step.full)
    assert step.error is None
    assert all(books.write(1).error is None for _ in range(300))
    books.start_again(disk)
    assert books.total() == books.acknowledged


def test_J3_without_a_reserve_nothing_is_half_written(disk: SmallDisk, books: Books) -> None:
    books.store.release_reserve()
    disk.fill()
    errors = [books.write().error for _ in range(200)]
    assert "the server's disk is full" in str(errors[-1])
    books.start_again(disk)
    assert books.total() == books.acknowledged


def test_J3_a_server_whose_log_has_no_room_is_an_outage_and_then_it_goes_on(disk: SmallDisk, books: Books) -> None:
    """PostgreSQL gives up then. The step waits, and is written once when there is room and the server is back."""
    books.write()
    next_log = "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'x', repeat('x', 1000))"
    with disk.server.connect() as admin:
        admin.execute(next_log)
    disk.fill()
    end = time.monotonic() + 20
    while not disk.server.has_ended:
        assert time.monotonic() < end, disk.server.log
        with contextlib.suppress(psycopg.Error), disk.server.connect() as admin:
            while True:
                admin.execute(next_log)
    steps: list[DurableStep] = []
    writing = Thread(target=lambda: steps.append(books.write()))
    writing.start()
    until(lambda: books.outages != [])
    assert books.outages[-1] is not None
    disk.make_room()
    disk.server.revive()
    writing.join(30)
    assert not writing.is_alive()
    assert [(step.full, step.error) for step in steps] == [(None, None)]
    until(lambda: books.outages[-1] is None)
    books.start()
    assert books.total() == books.acknowledged == 200
