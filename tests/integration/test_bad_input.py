"""Bad input over real sockets, beside honest traffic that has to notice nothing of it.

alice pays bob through hub all the time. mallory is a peer of hub that sends what she should not; eve is one that does
not do what she should. After each test the honest payments have arrived whole, and all books are sound and agree.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest
from loopback import account, agree, digest, line, net, pointer, until
from raw_peers import RawBtp, exchange, ilp, post, prepare, raw_btp, read_answer, reply_of, secret

from interledger.accounts.account import LinkSettings, Relation
from interledger.ilp.packet import Fulfill, Reject
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import BtpError, BtpMessage, BtpResponse, ContentType, ProtocolData
from interledger.link.http.port import Limits
from interledger.node.node import Node

HOLD_MS, WINDOW_MS = 1_200, 100
ALL_PEERS = ("mallory", "eve", "coarse", "fine")


class Arena:
    """The hub, and the honest payments that go on through it."""

    def __init__(self, alice: Node, hub: Node, bob: Node) -> None:
        self.alice, self.hub, self.bob = alice, hub, bob
        self.done = False
        self.paid = 0

    async def pay_honestly(self) -> None:
        while not self.done:
            payment = await self.alice.pay("alice", pointer(self.bob, "bob"), send=10**9).done()
            assert (payment.state, payment.sent, payment.delivered) == ("delivered", 10**9, 798_400_000), payment
            self.paid += 1

    async def one_more(self) -> None:
        """Until another honest payment has begun and arrived since now."""
        seen = self.paid
        await until(lambda: self.paid >= seen + 2)

    def refused(self) -> list[str]:
        """The codes of the Rejects that the hub made, but for the probes of honest payments."""
        return [str(refused.code) for refused in self.hub.connector.refusals.latest if refused.account != "alice"]


@pytest.fixture
async def arena(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Arena]:
    monkeypatch.setattr("interledger.link.btp.protocol.AUTH_TIMEOUT_MS", 300)
    monkeypatch.setattr(
        "interledger.link.listener.Limits", partial(Limits, request_timeout_ms=300, sweep_ms=50, linger_ms=100)
    )
    async with line(max_hold_ms=HOLD_MS, min_message_window_ms=WINDOW_MS) as (alice, hub, bob):
        for name, asset in zip(ALL_PEERS, ("USD/9", "USD/9", "EUR/0", "EUR/18"), strict=True):
            link = LinkSettings(
                btp_incoming_token_digest=digest(f"btp-{name}"), http_incoming_token_digest=digest(f"http-{name}")
            )
            await hub.create_account(
                account(name, asset, f"test.{name}", Relation.PEER, link, owes_us_max=None if name != "eve" else 0)
            )
        arena = Arena(alice, hub, bob)
        honest = asyncio.create_task(arena.pay_honestly())
        try:
            yield arena
            await arena.one_more()
        finally:
            arena.done = True
            await honest
        await until(lambda: not any(node.ledger.holds for node in (alice, hub, bob)))
        assert agree(alice, "hub", hub, "alice")
        assert agree(hub, "bob", bob, "hub")
        assert -net(bob, "bob") == arena.paid * 798_400_000
        assert not any(node.alarms for node in (alice, hub, bob))


# ---------------------------------------------------------------------- who are you


@pytest.mark.parametrize("token", [None, "wrong", "http-eve", "btp-mallory", "alice-token-of-nobody"])
async def test_HTTP_wrong_tokens_are_answered_401_and_reach_nobody(arena: Arena, token: str | None) -> None:
    before = arena.hub.status().packets
    answer = await exchange(arena.hub, post("mallory", prepare("x", 5, "test.eve").encode(), token))
    assert answer is not None
    assert answer.status == 401
    assert b"mallory" not in answer.body
    assert arena.hub.ledger.find("peer/mallory", arena.hub.account("mallory").asset).debits_pending == 0  # type: ignore[union-attr]
    assert arena.hub.connector.peers["mallory/http"].prepares == 0  # type: ignore[index]
    assert arena.hub.status().packets["prepares"] >= before["prepares"]


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/accounts/mallory/ilp/btp", "wrong"),
        ("/accounts/mallory/ilp/btp", ""),
        ("/accounts/mallory/ilp/btp", "btp-eve"),
        ("/accounts/nobody/ilp/btp", "btp-mallory"),
        ("/", "wrong"),
    ],
)
async def test_BT_04_wrong_tokens_get_F00_and_the_connection_ends(arena: Arena, path: str, token: str) -> None:
    async with raw_btp(arena.hub, "mallory", None, path) as peer:
        await peer.send(auth_message(7, "", token))
        answer = await peer.receive()
        assert isinstance(answer, BtpError)
        assert (answer.request_id, answer.code) == (7, "F00")
        assert await peer.closed() == 1008
    assert not arena.hub.link_status("mallory").up


async def test_BT_04_a_packet_before_the_authentication_gets_F00(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", None) as peer:
        answer = await peer.ask(prepare("x", 5, "test.eve"))
        assert isinstance(answer, BtpError)
        assert answer.code == "F00"
        await peer.closed()


# ---------------------------------------------------------------------- slow and silent


async def test_silent_and_slow_sockets_are_closed_and_hold_nobody_up(arena: Arena) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", arena.hub.port) for _ in range(20)]
    slow_reader, slow = await asyncio.open_connection("127.0.0.1", arena.hub.port)
    request = post("mallory", prepare("x", 5, "test.eve").encode(), "http-mallory")
    async with raw_btp(arena.hub, "mallory", None) as mute:
        for at in range(8):
            slow.write(request[at : at + 1])
            await asyncio.sleep(0.01)
        await arena.one_more()
        answer = await read_answer(slow_reader)
        assert answer is not None
        assert answer.status == 408
        assert await mute.closed() == 1008
    for _, writer in (*silent, (None, slow)):
        writer.close()
    await arena.one_more()


# ---------------------------------------------------------------------- too large


async def test_oversize_bodies_are_answered_413_whether_announced_or_not(arena: Arena) -> None:
    for request in (
        post("mallory", b"", "http-mallory", length=10**12),
        post("mallory", bytes(65_537), "http-mallory"),
        post("mallory", bytes(40_000), "http-mallory"),
    ):
        answer = await exchange(arena.hub, request)
        assert answer is not None
        assert answer.status == 413


async def test_an_oversize_BTP_message_ends_the_connection(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        await peer.send(bytes(65_537))
        assert await peer.closed() == 1009


async def test_a_packet_with_more_data_than_the_protocol_has_is_refused(arena: Arena) -> None:
    packet = prepare("x", 5, "test.eve")
    big = packet.encode()[:-5] + b"\x82\x80\x01" + bytes(32_769)
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        answer = await peer.ask(big)
        assert isinstance(answer, Reject)
        assert answer.code == "F01"


# ---------------------------------------------------------------------- what cannot be read


async def test_an_answer_nobody_asked_for_is_dropped(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        for request_id in (0, 1, 2**32 - 1):
            await peer.reply(request_id, Fulfill(bytes(32)))
            await peer.send(BtpError(request_id, "F00", "NotAcceptedError", prepare("x", 0, "test.x").expires_at))
        answer = await peer.ask(prepare("x", 5, "test.nowhere"))
        assert isinstance(answer, Reject)
        assert answer.code == "F02"


async def test_BT_08_duplicate_names_are_refused_and_the_link_goes_on(arena: Arena) -> None:
    two = (ilp(prepare("a", 5, "test.bob")), ilp(prepare("b", 6, "test.bob")))
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        await peer.send(BtpMessage(9, two))
        answer = await peer.receive()
        assert isinstance(answer, BtpError)
        assert (answer.request_id, answer.code) == (9, "F01")
        assert isinstance(await peer.ask(prepare("c", 5, "test.nowhere")), Reject)
    assert net(arena.hub, "mallory") == 0


async def test_garbage_in_BTP_is_answered_F01_and_then_ends_the_connection(arena: Arena) -> None:
    dice = random.Random(7)
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        for _ in range(3):
            await peer.send(b"\x06" + dice.randbytes(4) + b"\xff" + dice.randbytes(40))
            answer = await peer.receive()
            assert isinstance(answer, BtpError)
            assert answer.code == "F01"
        assert await peer.closed() == 1008


async def test_garbage_on_the_port_and_in_bodies_is_refused(arena: Arena) -> None:
    dice = random.Random(11)
    for size in (1, 7, 100, 1_000):
        answer = await exchange(arena.hub, dice.randbytes(size) + b"\r\n\r\n")
        assert answer is None or answer.status in (400, 408, 501, 505)
    for size in (0, 1, 12, 50, 400):
        answer = await exchange(arena.hub, post("mallory", dice.randbytes(size), "http-mallory"))
        assert answer is not None
        assert answer.status == 400


async def test_every_truncation_of_a_Prepare_is_refused(arena: Arena) -> None:
    whole = prepare("x", 5, "test.nowhere").encode()
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        for length in range(1, len(whole)):
            answer = await peer.ask(whole[:length])
            assert isinstance(answer, Reject)
            assert answer.code == "F01", length
        answer = await peer.ask(whole)
        assert isinstance(answer, Reject)
        assert answer.code == "F02"
    for length in range(0, len(whole), 9):
        refused = await exchange(arena.hub, post("mallory", whole[:length], "http-mallory"))
        assert refused is not None
        assert refused.status == 400
    assert net(arena.hub, "mallory") == 0


async def test_a_transfer_and_an_unknown_protocol_move_nothing(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as peer:
        await peer.send(b"\x07\x00\x00\x00\x05\x0a" + (10**6).to_bytes(8, "big") + b"\x01\x00")
        answer = await peer.receive()
        assert isinstance(answer, BtpError)
        assert answer.code == "F00"
        await peer.send(BtpMessage(6, (ProtocolData("vouch", ContentType.OCTETS, b"me"),)))
        assert (await peer.receive()).request_id == 6
    assert net(arena.hub, "mallory") == 0


# ---------------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("amount", "destination", "code"),
    [
        (2**63, "test.coarse", "delivered"),
        (2**64 - 1, "test.eve", "delivered"),
        (1, "test.coarse", "R01"),
        (1_252_505_010, "test.coarse", "R01"),
        (2**63, "test.fine", "F08"),
        (2**64 - 1, "test.fine", "F08"),
        (0, "test.eve", "delivered"),
        (0, "test.fine", "delivered"),
    ],
)
async def test_amounts_at_the_edge(arena: Arena, amount: int, destination: str, code: str) -> None:
    """USD/9 to EUR/0: one unit of ours is worth 0.7984e-9 of theirs. USD/9 to EUR/18: 798,400,000 of theirs."""
    name = destination.removeprefix("test.")
    async with (
        raw_btp(arena.hub, "mallory", "btp-mallory") as sender,
        raw_btp(arena.hub, name, f"btp-{name}") as receiver,
    ):
        packet = prepare(f"{amount}{name}", amount, destination)
        if code != "delivered":
            answer = await sender.ask(packet)
            assert isinstance(answer, Reject)
            assert answer.code == code
            if code == "F08":
                received, most = int.from_bytes(answer.data[:8], "big"), int.from_bytes(answer.data[8:], "big")
                assert (received, most) == (amount, (2**64 - 1) // 798_400_000)
            assert net(arena.hub, "mallory") == 0
            return
        await sender.send_prepare(packet)
        request_id, onward = await receiver.receive_prepare()
        expected = amount if name == "eve" else amount * 7_984 // 10**13 if name == "coarse" else 0
        assert onward.amount == expected
        assert onward.expires_at <= packet.expires_at - WINDOW_MS
        await receiver.reply(request_id, Fulfill(secret(f"{amount}{name}")))
        assert isinstance(reply_of(await sender.receive()), Fulfill)
        assert (net(arena.hub, "mallory"), net(arena.hub, name)) == (amount, -expected)


# ---------------------------------------------------------------------- answers that are none


async def deliver(arena: Arena, sender: RawBtp, receiver: RawBtp, tag: str) -> int:
    """A Prepare of 1,000 from mallory to eve. Returns eve's request id."""
    await sender.send_prepare(prepare(tag, 1_000, "test.eve"))
    request_id, onward = await receiver.receive_prepare()
    assert onward.amount == 1_000
    return request_id


async def test_CR_09_a_wrong_preimage_is_F05_and_moves_nothing(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender, raw_btp(arena.hub, "eve", "btp-eve") as eve:
        request_id = await deliver(arena, sender, eve, "wrong")
        await eve.reply(request_id, Fulfill(secret("another")))
        answer = reply_of(await sender.receive())
        assert isinstance(answer, Reject)
        assert (answer.code, answer.triggered_by) == ("F05", "test.hub")
        # The right one comes too late: the packet has its outcome.
        await eve.reply(request_id, Fulfill(secret("wrong")))
        await arena.one_more()
        assert (net(arena.hub, "mallory"), net(arena.hub, "eve")) == (0, 0)
        assert arena.hub.ledger.unknown == {}


async def test_a_late_fulfill_is_kept_as_evidence(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender, raw_btp(arena.hub, "eve", "btp-eve") as eve:
        request_id = await deliver(arena, sender, eve, "late")
        answer = reply_of(await sender.receive())
        assert isinstance(answer, Reject)
        assert answer.code == "R00"
        (unknown,) = arena.hub.ledger.unknown.values()
        assert (unknown.amount, unknown.account.name, unknown.fulfillment) == (1_000, "peer/eve", None)
        await eve.reply(request_id, Fulfill(secret("late")))
        await until(lambda: unknown.fulfillment is not None)
        assert unknown.fulfillment == secret("late")
        assert (net(arena.hub, "mallory"), net(arena.hub, "eve")) == (0, 0)
        assert arena.hub.status().packets["late"] == 1


@pytest.mark.parametrize("answer", [b"", b"\x0d\x00", b"garbage", b"\x0e\x03abc"])
async def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(arena: Arena, answer: bytes) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender, raw_btp(arena.hub, "eve", "btp-eve") as eve:
        request_id = await deliver(arena, sender, eve, "unreadable")
        await eve.send(BtpResponse(request_id, (ilp(answer),) if answer else ()))
        reply = reply_of(await sender.receive())
        assert isinstance(reply, Reject)
        assert reply.code in ("T00", "T01", "R00", "F01")
        assert (net(arena.hub, "mallory"), net(arena.hub, "eve")) == (0, 0)


async def test_a_peer_that_goes_with_packets_in_flight_leaves_them_unknown(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender:
        async with raw_btp(arena.hub, "eve", "btp-eve") as eve:
            for tag in ("one", "two", "three"):
                await deliver(arena, sender, eve, tag)
            eve.socket.transport.abort()
        await until(lambda: not arena.hub.link_status("eve").up)
        assert arena.hub.connector.peers["eve"].in_flight  # type: ignore[index]  # a lost peer may still come back
        answer = await sender.ask(prepare("four", 5, "test.eve"))
        assert isinstance(answer, Reject)
        assert answer.code == "T01"
        codes = [reply_of(await sender.receive()) for _ in range(3)]
        assert [code.code for code in codes if isinstance(code, Reject)] == ["R00"] * 3
        assert sorted(item.amount for item in arena.hub.ledger.unknown.values()) == [1_000] * 3
        assert (net(arena.hub, "mallory"), net(arena.hub, "eve")) == (0, 0)


async def test_a_peer_that_comes_back_in_time_may_still_answer(arena: Arena) -> None:
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender:
        async with raw_btp(arena.hub, "eve", "btp-eve") as eve:
            request_id = await deliver(arena, sender, eve, "again")
            eve.socket.transport.abort()
        async with raw_btp(arena.hub, "eve", "btp-eve") as eve:
            await eve.reply(request_id, Fulfill(secret("again")))
            answer = reply_of(await sender.receive())
            # Either the link takes the answer from the new socket, or nobody lost anything that is not on record.
            if isinstance(answer, Fulfill):
                assert (net(arena.hub, "mallory"), net(arena.hub, "eve")) == (1_000, -1_000)
            else:
                assert [item.amount for item in arena.hub.ledger.unknown.values()] == [1_000]


async def test_a_sender_that_goes_owes_what_was_delivered(arena: Arena) -> None:
    async with raw_btp(arena.hub, "eve", "btp-eve") as eve:
        async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender:
            request_id = await deliver(arena, sender, eve, "gone")
            sender.socket.transport.abort()
        await until(lambda: not arena.hub.link_status("mallory").up)
        await eve.reply(request_id, Fulfill(secret("gone")))
        await until(lambda: net(arena.hub, "eve") == -1_000)
        assert net(arena.hub, "mallory") == 1_000


async def test_a_flood_of_one_peer_is_limited_and_holds_nobody_up(arena: Arena) -> None:
    mallory = arena.hub.account("mallory")
    await arena.hub.replace_account(
        account("mallory", "USD/9", "test.mallory", Relation.PEER, mallory.link, packets_per_minute=100)
    )
    async with raw_btp(arena.hub, "mallory", "btp-mallory") as sender:
        answers = [await sender.ask(prepare("x", 1, "test.nowhere")) for _ in range(150)]
        codes = [str(answer.code) for answer in answers if isinstance(answer, Reject)]
        assert codes[:100] == ["F02"] * 100
        assert codes[105:] == ["T05"] * 45
