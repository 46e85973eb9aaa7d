"""A full disk: new Prepares are refused with T03, what is in flight still ends as it should, and nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from loopback import agree, line, net, pointer, running, settings, until

from interledger.errors import DiskFullError, StoreError
from interledger.node.node import Node
from interledger.store.base import Durability
from interledger.store.sqlite import SqliteStore

BILLION = 10**9
RESERVED_PAGES = 1_024
"""As much as the reserve on disk gives back."""


class SmallDisk:
    """A SQLite store whose disk can be filled: SQLite itself says that it is full, in the middle of a write."""

    def __init__(self, place: Path) -> None:
        # A small log of commits, so that the database is asked for room soon.
        self.store = SqliteStore(place, Durability.PROCESS, log_octets=65_536)
        self.store.open()
        self.released = False
        self.gives_back = RESERVED_PAGES
        give_back = self.store.release_reserve

        def release_reserve() -> None:
            give_back()
            self.released = True
            self._allow(self._pages() + self.gives_back)

        self.store.release_reserve = release_reserve  # type: ignore[method-assign]

    def fill(self) -> None:
        """From now on not one page more."""
        self._allow(self._pages())

    def _pages(self) -> int:
        return int(self._db().execute("PRAGMA page_count").fetchone()[0])

    def _allow(self, pages: int) -> None:
        self._db().execute(f"PRAGMA max_page_count = {pages}")

    def _db(self) -> sqlite3.Connection:
        assert self.store._db is not None
        return self.store._db


async def settle(*nodes: Node) -> None:
    await until(lambda: not any(node.ledger.holds or node.status().in_flight for node in nodes))


@pytest.mark.slow
async def test_a_disk_that_fills_up_in_the_middle_of_a_payment(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "hub")
    async with line(place=tmp_path, hub_store=disk.store, packet_amount_max=1_000_000) as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=20 * BILLION)
        await until(lambda: payment.fulfilled >= 300 and hub.status().in_flight > 10)
        disk.fill()
        await until(lambda: hub.read_only)
        assert disk.released
        # New Prepares are refused, and whoever asks is told why.
        await until(lambda: any(refused.code == "T03" for refused in hub.connector.refusals.latest))
        assert "cannot be written" in hub.alarms[-1]
        assert hub.status().read_only
        payment.cancel()
        ended = await payment.done()
        await settle(alice, hub, bob)
        assert ended.unknown == 0
        # Whatever was in flight was relayed and written down: everybody agrees, to the unit.
        assert agree(alice, "hub", hub, "alice")
        assert agree(hub, "bob", bob, "hub")
        assert net(alice, "alice") == ended.sent
        assert net(bob, "bob") == -ended.delivered
        assert not any(node.ledger.unknown for node in (alice, hub, bob))
        figures = net(hub, "alice"), net(hub, "bob")
        # No money: still answered. Money: not.
        assert (await alice.requests.ping("test.hub")).code is None
        again = alice.pay("alice", pointer(bob, "bob"), send=1_000)
        refused = len(hub.connector.refusals.latest)
        await until(lambda: len(hub.connector.refusals.latest) > refused or again.ended_at)
        again.cancel()
        await again.done()
        assert net(hub, "alice") == figures[0]
    # On a disk with room the same books are found, and they are sound.
    async with running(settings("test.hub", tmp_path / "hub")) as hub:
        assert not hub.read_only
        assert (net(hub, "alice"), net(hub, "bob")) == figures
        assert hub.ledger.unknown == {}


async def test_a_disk_without_any_room_left_relays_what_moved_and_says_so(tmp_path: Path) -> None:
    """The reserve is gone too: Prepares do not leave, Fulfills do, and what cannot be kept is refused by name."""
    disk = SmallDisk(tmp_path / "hub")
    disk.gives_back = 0
    async with line(place=tmp_path, hub_store=disk.store, packet_amount_max=1_000_000) as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=20 * BILLION)
        await until(lambda: payment.fulfilled >= 300)
        disk.fill()
        await until(lambda: hub.read_only)
        payment.cancel()
        ended = await payment.done()
        await settle(alice, hub, bob)
        assert ended.unknown == 0
        assert net(alice, "alice") == ended.sent
        assert net(bob, "bob") == -ended.delivered
        with pytest.raises(StoreError):
            await hub.set_rates({"USD": "1"})
        assert not any(node.ledger.check() for node in (alice, hub, bob))
    async with running(settings("test.hub", tmp_path / "hub")) as restarted:
        # What could not be written is unknown, not gone: bob may ask for no more than is on record.
        unknown = sum(item.amount for item in restarted.ledger.unknown.values())
        assert -ended.delivered >= net(restarted, "bob") - unknown


async def test_a_node_does_not_start_without_room_for_its_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(fd: int, octets: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("interledger.store.files._allocate", no_room)
    node = Node(settings("test.hub", tmp_path))
    with pytest.raises(DiskFullError, match="no room for a reserve"):
        await node.start()
    await asyncio.sleep(0)
    assert not node.ready
