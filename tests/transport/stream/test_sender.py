"""The sender against networks in virtual time: a row per situation, and the promises that hold in all of them."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.errors import InvalidRequestError, LocalProtocolError
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.packet import Fulfill, Reject
from interledger.transport.stream import sender as module
from interledger.transport.stream.frames import (
    ConnectionAssetDetails,
    ConnectionClose,
    StreamClose,
    StreamData,
    StreamMaxMoney,
    StreamMoneyBlocked,
    StreamReceipt,
)
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.payment import (
    FixedDelivery,
    FixedSend,
    PaymentEnded,
    PaymentFailure,
    Progress,
    QuoteFailed,
    QuoteReady,
    SenderSettings,
)
from interledger.transport.stream.receipts import Receipt
from interledger.transport.stream.sender import Phase, StreamSender

RATE = Fraction(9213, 10000)


def refuse(code, *, after=0, until=10**9, data=b""):
    """A node that refuses everything from `after` to `until` ms after the start."""

    def hop(amount, now):
        return Reject(code, "test.hop", "", data) if after < now - 1_700_000_000_000 <= until else amount

    return hop


def lose(share, seed=5):
    """A way that loses packets with money, for good."""
    dice = random.Random(seed)
    return lambda amount, now: None if amount and dice.random() < share else amount


def credit(limit, ms=50):
    """A node with `limit` of credit, each unit of which is taken for `ms`."""
    used = []

    def hop(amount, now):
        while used and used[0][0] <= now:
            used.pop(0)
        if sum(taken for _, taken in used) + amount > limit:
            return Reject("T04", "test.hop")
        used.append((now + ms, amount))
        return amount

    return hop


def packets_per_second(rate, burst):
    """A node with a token bucket."""
    state = [burst, 1_700_000_000_000]

    def hop(amount, now):
        state[0] = min(burst, state[0] + (now - state[1]) * rate / 1000)
        state[1] = now
        if state[0] < 1:
            return Reject("T05", "test.hop")
        state[0] -= 1
        return amount

    return hop


# Payments that succeed


@pytest.mark.parametrize(
    ("hops", "target", "how"),
    [
        ([], FixedSend(1_000_000), {}),
        ([], FixedSend(1), {}),
        ([], FixedSend(1_000_000), {"slippage": Fraction(0)}),
        ([], FixedSend(1_000_000), {"minimum_rate": Fraction(1)}),
        ([], FixedSend(1_000_000), {"known_asset": False}),
        (["rate"], FixedSend(5), {}),
        (["max 1000", "rate"], FixedSend(1_000_003), {}),
        (["max 1000 no data", "rate"], FixedSend(1_000_003), {}),
        (["max 100", "rate"], FixedSend(501), {}),
        (["max 1000", "rate"], FixedDelivery(1_000_003), {}),
        (["rate"], FixedDelivery(1_000_003), {}),
        (["rate"], FixedDelivery(1), {}),
        (["tiny", "rate"], FixedDelivery(1003), {}),
        (["max 1000", "credit"], FixedSend(1_000_000), {}),
        (["credit"], FixedSend(100_000), {}),
        (["max 1000", "T05"], FixedSend(1_000_000), {}),
        (["max 1000", "T05"], FixedSend(300_000), {"latency_ms": 2}),
        (["max 1000", "pause T01"], FixedSend(300_000), {}),
        (["max 1000", "pause R00"], FixedDelivery(300_000), {}),
        (["limit falls"], FixedSend(300_000), {}),
    ],
    ids=str,
)
def test_payments_that_succeed(stream, hops, target, how):
    nodes = {
        "rate": stream.at_rate(RATE),
        "tiny": stream.at_rate(Fraction(1, 1000)),
        "max 1000": stream.at_most(1000),
        "max 100": stream.at_most(100),
        "max 1000 no data": stream.at_most(1000, with_data=False),
        "credit": credit(20_000),
        "T05": packets_per_second(166, 200),
        "pause T01": refuse("T01", after=200, until=3000),
        "pause R00": refuse("R00", after=200, until=3000),
        "limit falls": lambda a, now: stream.at_most(5000 if now < stream.START + 150 else 700)(a, now),
    }
    world = stream.World(*[nodes[hop] for hop in hops], target=target, **how).pay()
    ended, quote = world.ended, world.quoted
    assert (ended.failure, ended.code) == (None, "")
    assert ended.progress == world.progress
    assert world.progress.delivered == world.ledger
    assert world.progress.sent == world.charged <= quote.send_max
    assert world.progress.unknown == world.progress.in_flight == 0
    if isinstance(target, FixedSend):
        assert world.progress.sent == target.amount
        assert quote.deliver_min <= world.ledger
    else:
        rate = Fraction(world.ledger, world.charged)
        assert target.amount <= world.ledger < target.amount + max(1, 2 * rate) + 1
    sequences = [request_id for _, request_id, _ in world.prepares]
    assert sequences == list(range(1, len(sequences) + 1)), "from 1, one more for each Prepare"


def test_many_packets_in_flight_1000_packets_a_second_at_50_ms(stream):
    world = stream.World(stream.at_most(1000), target=FixedSend(3_000_000), latency_ms=50).quote()
    began = world.now
    world.sender.pay(world.now)
    world.run()
    assert world.ended.failure is None
    assert world.progress.packets_sent == 3000
    assert world.now - began <= 1000
    assert world.in_flight_max == 1000
    first = [at for at, _, prepare in world.prepares if prepare.amount == 1000 and at >= began][:5]
    assert first[3] - began == 0 < first[4] - began, "four at first"


def test_a_quote_says_what_it_costs(stream):
    world = stream.World(stream.at_most(1000), stream.at_rate(RATE), known_asset=False).quote()
    quote = world.quoted
    assert (quote.source_asset, quote.destination_asset) == (stream.USD, stream.EUR)
    assert (quote.send_max, quote.packet_max, quote.precise) == (1_000_000, 1000, True)
    assert quote.rate_low <= RATE < quote.rate_high
    assert quote.minimum_rate == quote.rate_low * 99 / 100
    assert quote.deliver_min == int(1_000_000 * quote.minimum_rate)
    assert world.sender.destination_asset == stream.EUR
    assert world.sender.timer() is None
    assert world.ledger == world.charged == 0


def test_H5_a_rate_of_few_digits_is_called_imprecise(stream):
    world = stream.World(stream.at_most(50), stream.at_rate(RATE), target=FixedSend(50)).quote()
    assert not world.quoted.precise


def test_ST_16_every_money_packet_has_a_minimum(stream):
    """Read with the receiver's key: at least `ceil(amount x minimum rate)` in each packet."""
    world = stream.World(stream.at_most(1000), stream.at_rate(RATE), target=FixedSend(10_000))
    world.pay()
    crypto = world.receiver.resolve(world.prepares[0][2].destination).crypto
    money = [p for _, _, p in world.prepares if crypto.condition(p.data) == p.execution_condition]
    assert len(money) == 10
    for prepare in money:
        packet = StreamPacket.decode(crypto.open(prepare.data))
        assert packet.prepare_amount >= prepare.amount * world.quoted.minimum_rate
        assert packet.packet_type == 12
        assert prepare.expires_at - world.now <= 20_000


def test_the_connection_is_closed_at_the_end(stream):
    world = stream.World().pay()
    last = world.prepares[-1][2]
    crypto = world.receiver.resolve(last.destination).crypto
    assert StreamPacket.decode(crypto.open(last.data)).frames == (ConnectionClose(1, ""),)
    assert last.amount == 0
    assert crypto.condition(last.data) != last.execution_condition


# Payments that fail, in bounded time and packets


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("F02", PaymentFailure.NO_ROUTE),
        ("F06", PaymentFailure.NOT_EXPECTED),
        ("F99", PaymentFailure.NOT_EXPECTED),
        ("F08", PaymentFailure.PACKETS_TOO_SMALL),
        ("F00", PaymentFailure.REFUSED),
        ("X77", PaymentFailure.REFUSED),
        ("T00", PaymentFailure.BUSY),
        ("T01", PaymentFailure.NODE_UNREACHABLE),
        ("T02", PaymentFailure.BUSY),
        ("T04", PaymentFailure.NO_LIQUIDITY),
        ("T05", PaymentFailure.BUSY),
        ("R00", PaymentFailure.TIMED_OUT),
        ("R01", PaymentFailure.AMOUNT_TOO_SMALL),
        ("R02", PaymentFailure.TIMED_OUT),
    ],
)
@pytest.mark.parametrize("target", [FixedSend(1_000_000), FixedDelivery(1_000_000)], ids=["send", "deliver"])
@pytest.mark.parametrize("latency_ms", [0, 50])
def test_H15_rejects_for_ever_end_the_payment(stream, code, failure, target, latency_ms):
    world = stream.World(stream.at_most(1000), target=target, latency_ms=latency_ms).quote()
    world.hops.insert(0, refuse(code, after=world.now - stream.START + latency_ms))
    began = world.now
    world.sender.pay(world.now)
    world.run()
    assert (world.ended.failure, world.ended.code) == (failure, code) or not latency_ms
    if latency_ms:
        assert world.now - began <= 10_500
        assert len(world.prepares) < 300
        assert world.progress.sent == world.charged
        assert world.progress.delivered == world.ledger


@pytest.mark.parametrize(
    ("code", "failure"),
    [("F02", PaymentFailure.NO_ROUTE), ("T01", PaymentFailure.NODE_UNREACHABLE), ("F06", PaymentFailure.NOT_EXPECTED)],
)
@pytest.mark.parametrize("known_asset", [True, False])
def test_no_quote_no_money(stream, code, failure, known_asset):
    world = stream.World(refuse(code, after=-1), known_asset=known_asset).quote()
    assert world.events == [QuoteFailed(failure, code)]
    assert world.now - stream.START <= 10_500
    assert world.sender.phase is Phase.DONE
    assert world.sender.packets_to_send(world.now) == []
    with pytest.raises(LocalProtocolError):
        world.sender.pay(world.now)


@pytest.mark.parametrize("known_asset", [True, False])
def test_nobody_answers(stream, known_asset):
    world = stream.World(lambda amount, now: None, known_asset=known_asset).quote()
    assert world.events == [QuoteFailed(PaymentFailure.NO_ANSWER, "")]
    assert world.now - stream.START <= 10_000


def test_H4_a_stealing_connector_gets_at_most_the_slippage(stream):
    for taken, failure in ((Fraction(995, 1000), None), (Fraction(9, 10), PaymentFailure.RATE_TOO_LOW)):

        def steal(amount, now, taken=taken):
            return amount if now < stream.START + 200 else int(amount * taken)

        world = stream.World(stream.at_most(1000), steal, target=FixedSend(100_000)).pay()
        assert world.ended.failure is failure
        assert world.ledger >= world.charged * Fraction(99, 100)
        assert world.progress.delivered == world.ledger


def test_a_rate_that_falls_and_comes_back_is_waited_for(stream):
    def dip(amount, now):
        return amount if not 200 < now - stream.START < 3000 else amount // 2

    world = stream.World(stream.at_most(1000), dip, target=FixedDelivery(100_000)).pay()
    assert world.ended.failure is None
    assert 100_000 <= world.ledger <= 100_002


@pytest.mark.parametrize(
    ("target", "how", "failure"),
    [
        (FixedSend(1000), {"minimum_rate": Fraction(1)}, PaymentFailure.RATE_TOO_LOW),
        (FixedDelivery(1000, send_max=1050), {}, PaymentFailure.TOO_EXPENSIVE),
        (FixedDelivery(1000, send_max=1090), {}, None),
        (FixedDelivery(1000, send_max=2000), {}, None),
        (FixedSend(1), {}, PaymentFailure.AMOUNT_TOO_SMALL),
    ],
)
def test_offers_that_cannot_be_made(stream, target, how, failure):
    world = stream.World(stream.at_rate(RATE), target=target, **how).pay()
    if failure is None:
        assert world.ended.failure is None
        assert world.charged <= target.send_max
    else:
        assert world.events == [QuoteFailed(failure, "")] or world.events[0].failure is failure


def test_packets_so_small_that_rounding_eats_them(stream):
    world = stream.World(
        stream.at_most(3), stream.at_rate(RATE), target=FixedSend(1000), minimum_rate=Fraction(9, 10)
    ).quote()
    assert world.events == [QuoteFailed(PaymentFailure.PACKETS_TOO_SMALL, "F08")]


# Unknown outcomes


@pytest.mark.parametrize("target", [FixedSend(500_000), FixedDelivery(500_000)], ids=["send", "deliver"])
def test_H14_lost_packets_are_unknown_and_never_sent_again(stream, target):
    world = stream.World(stream.at_most(1000), lose(0.01), target=target).pay()
    progress = world.progress
    assert world.ended.failure is PaymentFailure.OUTCOME_UNKNOWN
    assert progress.unknown >= 1000
    assert 499_900 <= progress.sent + progress.unknown <= 500_000
    assert progress.delivered == world.ledger


@pytest.mark.parametrize("target", [FixedSend(500_000), FixedDelivery(500_000)], ids=["send", "deliver"])
def test_lost_packets_that_our_connector_answers_with_R00_are_sent_again(stream, target):
    """The clock of the payment stands still while all that is left is under way."""
    world = stream.World(stream.at_most(1000), lose(0.01), target=target, lost_is_told=True).pay()
    assert world.ended.failure is None
    assert world.progress.packets_rejected >= 3
    assert world.ledger == world.progress.delivered == 500_000


@pytest.mark.parametrize("target", [FixedSend(3_000), FixedDelivery(3_000)], ids=["send", "deliver"])
def test_H15_packets_that_expire_for_ever_end_the_payment(stream, target):
    world = stream.World(stream.at_most(1000), target=target, lost_is_told=True).quote()
    world.hops.insert(0, lambda amount, now: None)
    world.sender.pay(world.now)
    world.run()
    assert world.ended[:2] == (PaymentFailure.TIMED_OUT, "R00")
    assert world.now - stream.START < 61_000
    assert len(world.prepares) < 20


def test_a_late_fulfill_and_a_late_reject_settle_what_was_unknown(stream):
    world = stream.World(stream.at_most(1000), target=FixedSend(10_000)).quote()
    sender = world.sender
    sender.pay(world.now)
    packets = sender.packets_to_send(world.now)
    assert len(packets) == 4
    for request_id, _ in packets:
        sender.receive_no_reply(request_id, Reject("R00", ""), world.now)
    assert sender.progress() == Progress(0, 0, 0, 4000, 4, 0, 0)
    (first, prepare), (second, _), (third, other), _ = packets
    reply = world.receiver.receive_prepare(prepare, world.now)
    sender.receive_reply(first, Fulfill(b"x" * 32), world.now)
    assert sender.progress().unknown == 4000, "a wrong proof is none"
    sender.receive_reply(first, reply, world.now)
    sender.receive_reply(first, reply, world.now)
    sender.receive_reply(second, Reject("R00", "test.hop"), world.now)
    world.receiver.receive_prepare(other, world.now)
    fulfillment = world.receiver.resolve(other.destination).crypto.fulfillment(other.data)
    sender.receive_reply(third, Fulfill(fulfillment), world.now)
    assert sender.progress()[:4] == (2000, 1000 + 990, 0, 1000)
    world.run()
    assert world.ended.failure is PaymentFailure.OUTCOME_UNKNOWN
    assert (world.progress.sent, world.progress.unknown) == (9000, 1000)


def test_the_memory_of_unanswered_packets_is_bounded(stream, monkeypatch):
    monkeypatch.setattr(module, "UNKNOWN_MAX", 2)
    world = stream.World(stream.at_most(1000), target=FixedSend(10_000)).quote()
    world.sender.pay(world.now)
    packets = world.sender.packets_to_send(world.now)
    for request_id, _ in packets:
        world.sender.receive_no_reply(request_id, Reject("R00", ""), world.now)
    for request_id, _ in packets:
        world.sender.receive_reply(request_id, Reject("R00", "test.hop"), world.now)
    assert world.sender.progress().unknown == 2000


def test_no_reply_to_probes_and_to_nothing(stream):
    world = stream.World(known_asset=False)
    for request_id, _ in world.sender.packets_to_send(world.now):
        world.sender.receive_no_reply(request_id, Reject("T00", ""), world.now)
    world.sender.receive_no_reply(99, Reject("T00", ""), world.now)
    world.sender.receive_reply(99, Reject("T00", ""), world.now)
    assert world.pay().ended.failure is None


def test_a_wrong_fulfillment_stops_the_payment(stream):
    """RFC 27's proof must fit. Its money is neither ours again nor paid."""

    def forge(request_id, reply):
        return [(request_id, Fulfill(b"x" * 32, reply.data) if isinstance(reply, Fulfill) else reply)]

    world = stream.World(stream.at_most(1000), target=FixedSend(10_000), reply_filter=forge).pay()
    assert world.ended[:2] == (PaymentFailure.WRONG_FULFILLMENT, "F05")
    assert world.progress[:4] == (0, 0, 0, 4000)


# What is told while it waits


def test_what_holds_a_payment_up_is_told_until_packets_pass_again(stream):
    seen = []

    def no_room_at_first(request_id, reply):
        seen.append(world.progress.waiting if world.sender.quote else None)
        return [(request_id, Reject("T04", "test.hub") if 12 < len(seen) < 18 else reply)]

    world = stream.World(stream.at_most(1000), target=FixedSend(60_000), reply_filter=no_room_at_first)
    world.quote()
    world.sender.pay(world.now)
    world.run()
    assert world.ended.failure is None
    waiting = [one for one in seen if one is not None]
    assert {one[:2] for one in waiting} == {("T04", "test.hub")}
    assert all(0 <= one.retry_ms <= 2_000 for one in waiting)
    assert (seen[0], world.progress.waiting) == (None, None)


# Replies that are not what they should be


def test_ST_04_replies_with_swapped_data_are_not_the_receiver_s(stream):
    """H2: the proof counts, the words of another packet do not; the minimum is what arrived."""
    held = []

    def swap(request_id, reply):
        if not isinstance(reply, Fulfill):
            return [(request_id, reply)]
        held.append((request_id, reply))
        if len(held) < 2:
            return []
        (a, first), (b, second) = held
        held.clear()
        return [(a, Fulfill(first.fulfillment, second.data)), (b, Fulfill(second.fulfillment, first.data))]

    world = stream.World(stream.at_most(1000), target=FixedSend(10_000), reply_filter=swap).pay()
    assert world.ended.failure is None
    assert world.progress[:2] == (10_000, 9_900)
    assert world.ledger == 10_000


def test_ST_04_a_fulfill_s_words_in_a_reject_are_not_the_receiver_s(stream):
    def turn(request_id, reply):
        return [(request_id, Reject("F99", "test.hop", "", reply.data) if isinstance(reply, Fulfill) else reply)]

    world = stream.World(target=FixedSend(10_000), reply_filter=turn).pay()
    assert world.ended[:2] == (PaymentFailure.NOT_EXPECTED, "F99")
    assert world.progress[:4] == (0, 0, 0, 0)


def test_duplicate_and_contradicting_replies_count_once(stream):
    def twice(request_id, reply):
        return [(request_id, reply), (request_id, reply), (request_id, Reject("F02", "test.evil"))]

    world = stream.World(stream.at_most(1000), target=FixedSend(50_000), reply_filter=twice)
    world.quote()
    world.sender.pay(world.now)
    world.run()
    assert world.ended.failure is None
    assert world.progress[:4] == (50_000, 50_000, 0, 0)


class Says:
    """Our receiver with one more frame, another amount or another code in its replies to money."""

    def __init__(self, *frames, claim=None, code=None, garbage=None, refuse_when=lambda n: False):
        self.frames, self.claim, self.code, self.garbage, self.refuse_when = frames, claim, code, garbage, refuse_when
        self.world = None
        self.money = 0

    def __call__(self, prepare, now):
        receiver = self.world.receiver
        crypto = receiver.resolve(prepare.destination).crypto if receiver.resolve(prepare.destination) else None
        plaintext = crypto and crypto.open(prepare.data)
        if plaintext is None or crypto.condition(prepare.data) != prepare.execution_condition:
            return receiver.receive_prepare(prepare, now)
        self.money += 1
        packet = StreamPacket.decode(plaintext)
        claim = prepare.amount if self.claim is None else self.claim(prepare.amount)
        refused = self.code is not None and self.refuse_when(self.money)
        said = StreamPacket(14 if refused else 13, packet.sequence, claim, self.frames)
        data = crypto.seal(said.encode()) if self.garbage is None else crypto.seal(self.garbage)
        return Reject(self.code, "test.bob", "", data) if refused else Fulfill(crypto.fulfillment(prepare.data), data)


def said(stream, says, **how):
    how.setdefault("target", FixedSend(10_000))
    world = stream.World(stream.at_most(1000), receiver=says, **how)
    says.world = world
    return world.pay()


@pytest.mark.parametrize("code", ["F99", "F04", "F05", "T00", "F00"])
def test_ST_18_any_reject_of_the_receiver_is_its_word(stream, code):
    """D-23: a receiver that declines for a while is asked again, whatever code it uses."""
    world = said(stream, Says(code=code, refuse_when=lambda n: n <= 6))
    assert world.ended.failure is None
    assert world.progress.packets_rejected == 6


def test_a_receiver_that_declines_for_ever(stream):
    world = said(stream, Says(code="F99", refuse_when=lambda n: True))
    assert world.ended[:2] == (PaymentFailure.RECEIVER_DECLINED, "F99")
    assert len(world.prepares) < 30


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize(
    ("frame", "failure"),
    [
        (ConnectionClose(1, ""), PaymentFailure.CLOSED_BY_RECEIVER),
        (StreamClose(1, 1, ""), PaymentFailure.CLOSED_BY_RECEIVER),
        (ConnectionAssetDetails("JPY", 0), PaymentFailure.ASSET_CHANGED),
    ],
)
def test_ST_14_frames_that_stop_the_payment(stream, frame, failure, refused):
    world = said(stream, Says(frame, code="F99", refuse_when=lambda n: refused))
    assert world.ended.failure is failure
    assert world.progress.packets_sent == 4


def test_frames_of_no_importance(stream):
    receipt = Receipt(bytes(16), 1, 7).sign(bytes(32))
    frames = (
        StreamClose(3, 1, ""),
        ConnectionAssetDetails("EUR", 6),
        StreamMaxMoney(3, 0, 0),
        StreamReceipt(3, b""),
        StreamReceipt(1, receipt),
        StreamReceipt(1, Receipt(bytes(16), 1, 5).sign(bytes(32))),
        StreamReceipt(1, b"r" * 58),
    )
    world = said(stream, Says(*frames))
    assert world.ended.failure is None
    assert world.sender.receipt == receipt


@pytest.mark.parametrize(
    ("says", "delivered"),
    [
        (Says(garbage=b"\x01\x0d"), 9_900),
        (Says(claim=lambda amount: 1), 9_900),
        (Says(claim=lambda amount: amount), 10_000),
        (Says(claim=lambda amount: 2**60), 20_020),
    ],
    ids=["no words", "less than the minimum", "the truth", "more than the rate allows"],
)
def test_claims_are_judged(stream, says, delivered):
    world = said(stream, says)
    assert world.ended.failure is None
    assert world.progress[:2] == (10_000, delivered)


def test_ST_20_a_receiver_that_opens_its_limit_late(stream):
    """receiveMax = 0 at first, as JS receivers do until the application has seen the stream."""
    limit = [0]

    def opens(prepare, now):
        if now > stream.START + 1_000:
            says.frames, says.refuse_when = (StreamMaxMoney(1, 10**9, 0),), lambda n: False
        return says(prepare, now)

    says = Says(StreamMaxMoney(1, limit[0], 0), code="F99", refuse_when=lambda n: True)
    world = stream.World(stream.at_most(1000), receiver=opens, target=FixedSend(10_000))
    says.world = world
    world.pay()
    assert world.ended.failure is None
    assert world.progress.packets_rejected < 12
    # RFC 29: "Senders SHOULD send `StreamMoneyBlocked`": packets that only ask for a higher limit say what is wanted.
    crypto = world.receiver.resolve(world.prepares[0][2].destination).crypto
    packets = [StreamPacket.decode(crypto.open(prepare.data)) for _, _, prepare in world.prepares]
    blocked = [frame for packet in packets for frame in packet.frames if isinstance(frame, StreamMoneyBlocked)]
    assert not any(isinstance(frame, StreamData) for packet in packets for frame in packet.frames)
    assert set(blocked) == {StreamMoneyBlocked(1, 10_000, 0)}
    assert len(blocked) <= world.progress.packets_rejected + 1


@pytest.mark.parametrize("target", [FixedSend(5_000), FixedDelivery(5_000)], ids=["send", "deliver"])
def test_a_receiver_that_takes_no_more_ends_the_payment(stream, target):
    world = stream.World(stream.at_most(100), target=target, receive_max=3_000).pay()
    assert world.ended[:2] == (PaymentFailure.RECEIVER_LIMIT, "F99")
    assert world.progress.delivered == world.ledger == 3_000
    assert len(world.prepares) < 60


def test_ST_10_a_limit_that_shrinks_is_ignored(stream):
    world = said(stream, Says(StreamMaxMoney(1, 10**6, 0), StreamMaxMoney(1, 5, 0)))
    assert world.ended.failure is None


# Limits of the connection


def test_ST_12_H7_the_packets_of_a_connection_are_counted(stream):
    world = stream.World(stream.at_most(1000), target=FixedSend(50_000), settings=SenderSettings(packets_max=20)).pay()
    assert world.ended.failure is PaymentFailure.TOO_MANY_PACKETS
    assert len(world.prepares) == 20
    assert world.progress.sent == world.charged == 17_000


def test_a_payment_may_have_a_time(stream):
    world = stream.World(
        stream.at_most(10), target=FixedSend(10**6), settings=SenderSettings(payment_timeout_ms=1000, in_flight_max=5)
    ).pay()
    assert world.ended.failure is PaymentFailure.TOO_LONG
    assert world.now - stream.START < 1_500
    assert world.progress.in_flight == 0


def test_cancelled_while_paying(stream):
    world = stream.World(stream.at_most(1000), target=FixedSend(10**6)).quote()
    world.sender.pay(world.now)
    world.run(until=120)
    world.sender.close()
    assert world.sender.phase is Phase.STOPPING
    world.run()
    assert world.ended.failure is PaymentFailure.CANCELLED
    assert 0 < world.progress.sent == world.charged < 10**6
    world.sender.close()
    assert world.sender.events() == []


def test_cancelled_before_paying(stream):
    world = stream.World().quote()
    world.sender.close()
    world.run()
    assert world.ended == PaymentEnded(PaymentFailure.CANCELLED, "", Progress(0, 0, 0, 0, 0, 0, 0))
    world = stream.World()
    world.sender.close()
    world.run()
    assert world.events == [QuoteFailed(PaymentFailure.CANCELLED, "")]
    assert world.progress == Progress(0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("how", [{"require_asset": True}, {"require_asset": False}])
def test_a_receiver_that_hides_its_asset(stream, how):
    def hides(prepare, now):
        connection = world.receiver.resolve(prepare.destination)
        if connection is not None:
            connection.details_frames = ()
        return world.receiver.receive_prepare(prepare, now)

    world = stream.World(receiver=hides, known_asset=False, settings=SenderSettings(**how))
    world.pay()
    if how["require_asset"]:
        assert world.events == [QuoteFailed(PaymentFailure.ASSET_UNKNOWN, "F06")]
    else:
        assert world.ended.failure is None
        assert world.quoted.destination_asset is None


def test_ST_14_an_asset_that_contradicts_what_was_expected(stream):
    world = stream.World(known_asset=False)
    world.sender._quoting.destination_asset = Asset("JPY", 0)
    world.quote()
    assert world.events == [QuoteFailed(PaymentFailure.ASSET_CHANGED, "")]


def test_a_late_quote_is_made_of_what_is_known(stream):
    slow = SenderSettings(quote_timeout_ms=60)
    world = stream.World(stream.at_rate(RATE), target=FixedSend(20), settings=slow).quote()
    assert not world.quoted.precise
    assert world.events == [QuoteReady(world.quoted)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": FixedSend(0)},
        {"target": FixedSend(2**64)},
        {"target": FixedDelivery(-1)},
        {"target": FixedDelivery(1, send_max=0)},
        {"slippage": Fraction(1)},
        {"slippage": Fraction(-1)},
        {"minimum_rate": Fraction(0)},
    ],
    ids=str,
)
def test_what_cannot_be_asked(stream, wrong):
    with pytest.raises(InvalidRequestError):
        stream.World(**wrong)


def test_secrets_are_not_shown(stream):
    sender = StreamSender(
        "test.bob.x", b"very secret" * 3, stream.USD, FixedSend(1), stream.SeededEntropy(), stream.START
    )
    assert "very secret" not in repr(vars(sender))


# Any network


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    deliver=st.booleans(),
    amount=st.integers(1, 200_000),
    rate=st.fractions(Fraction(1, 50), Fraction(50)),
    packet_max=st.integers(40, 20_000),
    trouble=st.dictionaries(
        st.sampled_from(("T00", "T04", "T05", "R00", "R02", "F08", "lost", "late", "swap")), st.floats(0, 0.2)
    ),
    latency_ms=st.integers(0, 300),
)
def test_invariants_20_and_21_hold_on_any_network(seed, deliver, amount, rate, packet_max, trouble, latency_ms, stream):
    """Sent, in flight and unknown within the limit after every step; the books of both ends agree where known."""
    dice = random.Random(seed)
    kinds = [kind for kind in trouble if kind not in ("late", "swap")]

    def hostile(amount, now):
        for kind in kinds:
            if dice.random() < trouble[kind]:
                if kind == "lost":
                    return None
                data = (
                    AmountTooLarge(amount, amount * 3 // 4).encode() if kind == "F08" and dice.random() < 0.5 else b""
                )
                return Reject(kind, "test.hop", "", data)
        return amount

    def mangle(request_id, reply):
        if dice.random() < trouble.get("swap", 0) and isinstance(reply, Fulfill):
            return [(request_id, Fulfill(reply.fulfillment, b"\0" * 60))]
        return [(request_id, reply)] * dice.choice((1, 1, 2))

    target = FixedDelivery(amount) if deliver else FixedSend(amount)
    world = stream.World(
        stream.at_most(packet_max),
        hostile,
        stream.at_rate(rate),
        target=target,
        seed=seed,
        latency_ms=latency_ms,
        reply_filter=mangle,
    )
    world.pay()
    assert world.sender.phase is Phase.DONE
    progress = world.progress
    assert progress.in_flight == 0
    if not any(isinstance(event, QuoteReady) for event in world.events):
        assert world.charged == 0
        return
    quote, ended = world.quoted, world.ended
    assert progress.sent == world.charged
    assert progress.sent + progress.unknown <= quote.send_max
    assert progress.delivered <= world.ledger
    assert world.ledger >= int(world.charged * quote.minimum_rate), "no more than the slippage is lost"
    if ended.failure is None and deliver:
        assert world.ledger >= amount
    if ended.failure is None and not deliver:
        assert world.charged == amount
        assert world.ledger >= quote.deliver_min
