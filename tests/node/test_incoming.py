"""Payments that came in: one a connection, over restarts, bounded, and told of once they are in the books."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from loopback import account, pointer, running, settings, until

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.errors import NotFoundError
from interledger.node import incoming
from interledger.node.incoming import IDLE_MS, IncomingPackets, IncomingPayment, PacketReceived
from interledger.node.node import Node


async def paid(node: Node, amount: int = 1_000) -> None:
    for name in ("alice", "bob"):
        if name not in {a.id for a in node.accounts()}:
            await node.create_account(account(name, "USD/9", f"test.hub.{name}", owes_us_max=10**12))
    ended = await node.pay("alice", pointer(node, "bob"), send=amount).done()
    assert ended.delivered == amount


async def test_a_payment_is_one_and_survives_a_restart(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path)
    async with running(of) as node:
        await paid(node)
        await paid(node, 5)
        last, first = node.incoming.all()
        assert [p.received for p in (first, last)] == [1_000, 5]
        assert (first.account, first.source, first.asset) == ("bob", "alice", node.account("bob").asset)
        assert first.is_over(node.clock.now()), "our sender closes its connection"
    async with running(of) as node:
        assert node.incoming.all() == [last, first]
        assert node.incoming.get(first.id) == first
        with pytest.raises(NotFoundError):
            node.incoming.get("inc_none")


async def test_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "INCOMING_KEPT", 2)
    async with running(settings("test.hub")) as node:
        for amount in (1, 2, 3):
            await paid(node, amount)
        assert [p.received for p in node.incoming.all()] == [3, 2]


async def test_a_watcher_hears_of_it_after_the_commit() -> None:
    async with running(settings("test.hub")) as node:
        with node.incoming.watch(AccountId("bob")) as packets, node.incoming.watch(AccountId("alice")) as others:
            await paid(node)
            heard = [packet async for packet in _until_closed(packets)]
            assert sum(packet.amount for packet in heard) == 1_000
            assert {packet.account for packet in heard} == {"bob"}
            others.end()
            assert [packet async for packet in others] == []


async def _until_closed(packets: IncomingPackets):  # type: ignore[no-untyped-def]
    async with asyncio.timeout(5):
        async for packet in packets:
            yield packet
            if packet.closed:
                return


async def test_a_watcher_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "PACKETS_WAIT_MAX", 2)
    packet = PacketReceived(AccountId("bob"), AccountId("alice"), "test.hub.x", 1, Timestamp(0), 1, False)
    watcher = IncomingPackets(None)
    watcher.add([packet, packet])
    watcher.add([packet])
    assert [seen async for seen in watcher] == []


async def test_what_is_idle_is_over() -> None:
    async with running(settings("test.hub")) as node:
        await paid(node)
        await until(lambda: node.incoming.all()[0].closed)
        payment = node.incoming.all()[0]._replace(closed=False)
        assert not payment.is_over(Timestamp(payment.last_at + IDLE_MS - 1))
        assert payment.is_over(Timestamp(payment.last_at + IDLE_MS))
        assert IncomingPayment.from_document(payment.as_document()) == payment


async def test_what_comes_while_the_node_stops_begins_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(settings("test.hub")) as node:
        await paid(node, 1)
        node.incoming.stop()
        begun: list[str] = []

        async def tell(self: incoming.IncomingPayments) -> None:
            begun.append("told")

        monkeypatch.setattr(incoming.IncomingPayments, "_tell", tell)
        monkeypatch.setattr(incoming, "FLUSH_S", 0.0)
        await paid(node, 2)
        assert begun == []
        assert [p.received for p in node.incoming.all()] == [2, 1]
