"""A server that is away: what is told, what waits for it, and what does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interledger.accounts.ledger import Hold
from interledger.errors import StoreError
from interledger.ilp.packet import Fulfill
from tests.store.test_group_commit import PROOF, USD, Disk, FixedClock, Node

NOW = FixedClock().now()
AWAY = StoreError("the server is away")


class AwayNode(Node):
    """Writes slowly; `told` is what the operator hears of outages."""

    def __init__(self) -> None:
        self.told: list[StoreError | None] = []
        super().__init__(Disk(waits=True), on_outage=self.told.append)

    def hold(self, expires_at: int) -> Hold:
        held = self.ledger.hold(((self.alice, self.bob, 1),), bytes(32), expires_at, True)
        assert isinstance(held, Hold)
        return held

    def send(self, name: str, what: Any = None) -> None:
        self.ledger.prepare_after_commit(self.effect("prepare"), self.effect("cancel"), name, what)

    def relay(self, name: str, hold: Hold) -> None:
        self.ledger.execute(hold, PROOF)
        self.ledger.reply_after_commit(self.effect("reply"), name, None)

    async def begin(self) -> None:
        """A batch is being written, and the server is away."""
        await asyncio.sleep(0.01)
        await asyncio.to_thread(self.disk.on_outage, AWAY)
        await asyncio.sleep(0.01)

    async def end(self) -> None:
        """It is back, and takes all that waited."""
        await asyncio.to_thread(self.disk.on_outage, None)
        self.disk.stop_waiting()
        await asyncio.wait_for(self.commits.commit(), 5)


@pytest.fixture
async def node() -> AsyncIterator[AwayNode]:
    made = AwayNode()
    made.disk.let_one_through()
    await made.commits.commit()
    yield made
    made.disk.stop_waiting()
    await made.commits.close()


async def test_new_packets_are_refused_until_it_is_over(node: AwayNode) -> None:
    node.send("p1")
    await node.begin()
    assert node.ledger.read_only
    assert node.told == [AWAY]
    await node.end()
    assert not node.ledger.read_only
    assert node.told == [AWAY, None]
    assert node.failures == []


async def test_prepares_are_cancelled_and_do_not_leave_later(node: AwayNode) -> None:
    hold = node.hold(NOW + 30_000)
    node.send("p1")
    await node.begin()
    node.hold(NOW + 30_000)
    node.send("p2")  # it was on its way through the node when the outage began
    await asyncio.sleep(0.01)
    assert node.effects == ["cancel p1", "cancel p2"]
    await node.end()
    assert node.effects == ["cancel p1", "cancel p2"]
    assert hold.id in node.ledger.holds


async def test_a_fulfillment_waits_for_its_record(node: AwayNode) -> None:
    first, second = node.hold(NOW + 30_000), node.hold(NOW + 30_000)
    node.relay("r1", first)
    await node.begin()
    node.relay("r2", second)
    await asyncio.sleep(0.01)
    assert node.effects == []
    await node.end()
    assert node.effects == ["reply r1", "reply r2"]
    assert sum(octets.count(PROOF) for octets in node.disk.written) == 2


async def test_it_waits_no_longer_than_its_packet_can(node: AwayNode, caplog: pytest.LogCaptureFixture) -> None:
    first, second = node.hold(NOW + 50), node.hold(NOW + 80)
    with caplog.at_level(logging.ERROR, logger="interledger.store"):
        node.relay("r1", first)
        await node.begin()
        node.relay("r2", second)
        await asyncio.sleep(0.15)
        assert node.effects == ["reply r1", "reply r2"]
    lines = [record.getMessage() for record in caplog.records]
    assert [f"unk_{hold.id} {PROOF.hex()}" in line for hold, line in zip((first, second), lines, strict=True)]
    await node.end()
    # Once, and in the books all the same.
    assert node.effects == ["reply r1", "reply r2"]
    assert sum(octets.count(PROOF) for octets in node.disk.written) == 2


async def test_fulfillments_of_our_own_receivers_wait_to_the_end(node: AwayNode) -> None:
    hold = node.hold(NOW + 20)
    node.ledger.execute(hold, PROOF)
    node.send("f1", Fulfill(PROOF, b""))
    await node.begin()
    await asyncio.sleep(0.05)
    assert node.effects == []
    await node.end()
    assert node.effects == ["prepare f1"]


async def test_an_outage_that_begins_while_nothing_is_written(node: AwayNode) -> None:
    await node.begin()
    assert node.ledger.read_only
    node.hold(NOW + 30_000)
    node.send("p1")
    await asyncio.sleep(0.02)
    assert node.effects == ["cancel p1"]
    await node.end()


async def test_who_waits_for_a_commit_goes_on_waiting(node: AwayNode) -> None:
    node.ledger.account("peer/carol", USD)
    await node.begin()
    waiting = asyncio.create_task(node.commits.commit())
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await node.end()
    await waiting


async def test_the_end_of_an_outage_does_not_undo_a_failure(node: AwayNode) -> None:
    node.disk.faults = [StoreError("broken")]
    node.hold(NOW + 30_000)
    await node.begin()
    node.disk.stop_waiting()
    await asyncio.sleep(0.05)
    await asyncio.to_thread(node.disk.on_outage, None)
    await asyncio.sleep(0.01)
    assert node.ledger.read_only
    assert [str(error) for error in node.failures] == ["broken"]
