"""J3: the books are in PostgreSQL, and its disk fills up to the last octet in the middle of a payment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import agree, line, net, pointer, running, settings, until

from interledger.store.base import Durability, Store
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow

BILLION = 10**9


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with small_disk() as made:
        yield made


async def test_J3_what_is_in_flight_ends_and_everybody_agrees(tmp_path: Path, disk: SmallDisk) -> None:
    from interledger.store.postgres import PostgresStore

    url = disk.server.url(disk.server.new_database())

    def books() -> Store:
        store = PostgresStore(url, Durability.POWER, directory=tmp_path / "hub", reserve_octets=4_000_000)
        store.open()
        return store

    async with line(place=tmp_path, hub_store=books(), packet_amount_max=1_000_000) as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=20 * BILLION)
        await until(lambda: payment.fulfilled >= 300 and hub.status().in_flight > 10)
        await asyncio.to_thread(disk.fill)
        await until(lambda: hub.read_only)
        assert "the server's disk is full" in hub.alarms[-1]
        await until(lambda: any(refused.code == "T03" for refused in hub.connector.refusals.latest))
        payment.cancel()
        ended = await payment.done()
        await until(lambda: not any(node.ledger.holds or node.status().in_flight for node in (alice, hub, bob)))
        # Whatever was in flight was relayed, and written down with the room of the reserve.
        assert ended.unknown == 0
        assert agree(alice, "hub", hub, "alice")
        assert agree(hub, "bob", bob, "hub")
        assert (net(alice, "alice"), net(bob, "bob")) == (ended.sent, -ended.delivered)
        assert not any(node.ledger.unknown for node in (alice, hub, bob))
        figures = net(hub, "alice"), net(hub, "bob")
    disk.make_room()
    disk.server.revive()
    async with running(settings("test.hub", tmp_path / "hub"), books()) as hub:
        assert not hub.read_only
        assert (net(hub, "alice"), net(hub, "bob")) == figures
        assert hub.ledger.unknown == {}
