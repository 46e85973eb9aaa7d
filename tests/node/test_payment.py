"""A payment's figures: kept as a document, and told to whoever watches."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from loopback import account, pointer, running, settings

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.node import payments
from interledger.node.node import Node
from interledger.node.payment import Payment, Snapshot
from interledger.store.documents import decode_document, encode_document

UNDER_WAY = Snapshot(
    id="pay_7QX4",
    account=AccountId("alice"),
    receiver="$example.com",
    state="sending",
    source_asset=Asset("USD", 9),
    started_at=Timestamp(1_700_000_000_000),
    destination_asset=Asset("EUR", 2),
    sent=2**64,
    delivered=5,
    in_flight=7,
)
ENDED = replace(UNDER_WAY, state="delivered", in_flight=0, ended_at=Timestamp(1_700_000_001_000), error=None)


def stored(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_document(decode_document("payment", "x", encode_document(snapshot.as_document())))


@pytest.mark.parametrize("snapshot", [ENDED, replace(ENDED, destination_asset=None, code="F02", error="no")])
def test_what_ended_is_read_back_as_it_was(snapshot: Snapshot) -> None:
    assert stored(snapshot) == snapshot


def test_what_had_not_ended_is_unknown_and_keeps_its_figures() -> None:
    found = stored(UNDER_WAY)
    assert (found.state, found.sent, found.delivered) == ("unknown", 2**64, 5)
    assert (found.error, found.ended_at) == ("The node stopped while the payment was under way.", found.started_at)


async def test_whoever_watches_sees_the_end_however_late_they_come() -> None:
    payment = Payment(UNDER_WAY)
    watching = asyncio.create_task(_all(payment))
    await asyncio.sleep(0)
    payment.update(sent=1)
    await asyncio.sleep(0)
    payment.update(sent=2)
    payment.update(state="delivered", ended_at=Timestamp(1))
    assert [step.sent for step in await watching][-1] == 2
    assert [step.state for step in await _all(payment)] == ["delivered"]
    assert (await payment.done()).state == payment.state == "delivered"


async def _all(payment: Payment) -> list[Snapshot]:
    return [step async for step in payment.progress]


async def test_a_fault_of_our_own_ends_a_payment_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(payments, "resolve", broken)
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        ended = await node.pay("alice", pointer(node, "bob"), send=1).done()
        assert ended.state == "unknown"
        assert "fault of its own" in str(ended.error)


async def test_the_oldest_payments_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "PAYMENTS_KEPT", 2)
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        made = [node.pay("alice", "not a pointer", send=1) for _ in range(3)]
        for payment in made:
            await payment.done()
        assert node.payments() == [made[2], made[1]]


async def test_who_answers_for_another_is_told_and_kept() -> None:
    async with running(settings("test.hub")) as hub:
        await hub.create_account(account("alice", "USD/9", "test.hub.alice", owes_us_max=10**12))
        await hub.create_account(account("bob", "USD/9", "test.hub.bob"))
        there = f"127.0.0.1:{hub.port}"

        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"location", f"http://{there}/bob".encode())]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

        elsewhere = Node(settings("test.source"))
        await elsewhere.start(app)
        try:
            vanity = f"$127.0.0.1:{elsewhere.port}/bob"
            assert (await hub.quote("alice", vanity, send=10**9)).redirected_to == there
            ended = await hub.pay("alice", vanity, send=10**9).done()
            assert (ended.state, ended.redirected_to) == ("delivered", there)
            assert stored(ended) == ended
            assert (await hub.pay("alice", pointer(hub, "bob"), send=10**9).done()).redirected_to is None
        finally:
            await elsewhere.stop()
