"""The sender over a real link on asyncio: a local link, our receiver as a node, quote, pay, progress, cancel."""

from __future__ import annotations

import asyncio
import logging

import pytest

from interledger.clock import SystemClock, SystemEntropy
from interledger.errors import LocalProtocolError
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.packet import Prepare, Reject
from interledger.link.local import connect_local
from interledger.transport.stream.payment import FixedSend, PaymentEnded, PaymentFailure, QuoteError, SenderSettings
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.shell import StreamPayer, pay_over_link
from interledger.transport.stream.tokens import ReceiverTokens

CLOCK = SystemClock()


class Node:
    """A connector in one class: a packet limit, and our receiver behind it. Can hold replies back."""

    def __init__(self, packet_max: int = 1000) -> None:
        entropy = SystemEntropy()
        self.receiver = StreamReceiver("test.bob", ReceiverTokens(b"s" * 32, entropy), entropy)
        self.packet_max = packet_max
        self.fulfilled = 0
        self.held: list[tuple] | None = None
        self.refuse: str | None = None
        self.four_held = asyncio.Event()
        self.one_held = asyncio.Event()

    def receive_prepare(self, account, request_id, prepare, now):
        if self.refuse:
            return Reject(self.refuse, "test.node")
        if prepare.amount > self.packet_max:
            return Reject("F08", "test.node", "", AmountTooLarge(prepare.amount, self.packet_max).encode())
        reply = self.receiver.receive_prepare(prepare, now)
        if not isinstance(reply, Reject):
            self.fulfilled += prepare.amount
        if self.held is not None:
            self.held.append((request_id, reply))
            self.one_held.set()
            if len(self.held) == 4:
                self.four_held.set()
            return None
        return reply

    def receive_reply(self, *_): ...
    def receive_no_reply(self, *_): ...
    def link_lost(self, *_): ...


@pytest.fixture
def make(stream):
    """Node, payer (linked), and the node's end of the link."""

    async def build(target=None, *, attach=True, settings=None, **how):
        node = Node(**how)
        address, secret = node.receiver.new_connection("bob", stream.EUR)
        sender = StreamSender(
            address, secret, stream.USD, target or FixedSend(100_000), SystemEntropy(), CLOCK.now(), settings=settings
        )
        payer = StreamPayer(sender)
        loop = asyncio.get_running_loop()
        ours, theirs = connect_local((payer, "node"), (node, "payer"), clock=CLOCK, defer=loop.call_soon)
        if attach:
            payer.attach(ours)
        return node, payer, theirs

    return build


async def test_quote_then_pay_with_progress(make, stream):
    node, payer, _ = await make()
    quote = await payer.quote()
    assert (quote.send_max, quote.packet_max, quote.destination_asset) == (100_000, 1000, stream.EUR)
    assert node.fulfilled == 0
    seen = []
    ended = await payer.pay(seen.append)
    assert ended.failure is None
    assert ended.progress.sent == ended.progress.delivered == node.fulfilled == 100_000
    assert seen[-1] == ended.progress
    assert [p.sent for p in seen] == sorted(p.sent for p in seen)
    assert payer._timer is None


async def test_pay_asks_for_a_quote_itself(make):
    _, payer, _ = await make()
    assert (await payer.pay()).failure is None


async def test_a_failed_quote(make, stream):
    node, payer, _ = await make()
    node.refuse = "F02"
    with pytest.raises(QuoteError, match="No node on the way knows a route") as error:
        await payer.quote()
    assert (error.value.failure, error.value.code) == (PaymentFailure.NO_ROUTE, "F02")


async def test_pay_over_link(stream):
    loop = asyncio.get_running_loop()
    for refuse, failure in ((None, None), ("F02", PaymentFailure.NO_ROUTE)):
        node = Node()
        node.refuse = refuse
        address, secret = node.receiver.new_connection("bob", stream.EUR)
        sender = StreamSender(address, secret, stream.USD, FixedSend(5_000), SystemEntropy(), CLOCK.now())

        def connect(handler, node=node):
            return connect_local((handler, "node"), (node, "payer"), clock=CLOCK, defer=loop.call_soon)[0]

        ended = await pay_over_link(sender, connect)
        assert isinstance(ended, PaymentEnded)
        assert ended.failure is failure
        assert node.fulfilled == ended.progress.sent == (0 if refuse else 5_000)


async def test_without_a_link_there_is_no_quote(make):
    _, payer, _ = await make(attach=False)
    with pytest.raises(LocalProtocolError):
        await payer.quote()
    await asyncio.sleep(0)


async def test_cancelled_while_paying_waits_for_what_is_in_flight(make):
    node, payer, link = await make()
    await payer.quote()
    node.held = []
    task = asyncio.create_task(payer.pay())
    await node.four_held.wait()
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    for request_id, reply in node.held:
        link.send_reply(request_id, reply)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert payer.sender.progress().sent == node.fulfilled == 4000
    assert payer._timer is None


async def test_cancelled_while_quoting(make):
    node, payer, _ = await make()
    node.held = []
    task = asyncio.create_task(payer.quote())
    await node.one_held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert payer._timer is None


async def test_time_passes_when_nobody_answers(make):
    node, payer, _ = await make(settings=SenderSettings(quote_timeout_ms=30, probe_timeout_ms=10))
    node.held = []
    with pytest.raises(QuoteError, match="No answer"):
        await payer.quote()


async def test_a_broken_progress_callback_does_not_stop_the_money(make, caplog):
    _, payer, _ = await make()

    def broken(progress):
        raise ValueError("oops")

    with caplog.at_level(logging.ERROR, "interledger.stream"):
        ended = await payer.pay(broken)
    assert ended.failure is None
    assert [record.exc_info[0] for record in caplog.records] == [ValueError]


async def test_what_a_payer_answers_to_its_link(make, stream):
    node, payer, _ = await make()
    await payer.quote()
    node.held = []
    prepare = Prepare(1, stream.START, b"c" * 32, "test.me", b"")
    assert payer.receive_prepare("node", 1, prepare, stream.START).code == "F02"
    payer.link_lost("node", stream.START)
    paying = asyncio.create_task(payer.pay())
    await node.four_held.wait()
    for request_id, _ in node.held:
        payer.receive_no_reply("node", request_id, Reject("R00", ""), CLOCK.now())
    payer.cancel()
    ended = await paying
    assert (ended.failure, ended.progress.unknown) == (PaymentFailure.CANCELLED, 4000)
