"""STREAM in JavaScript, Java and Rust: known bugs, and that we do not have them. Each test says what would fail it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from interledger.accounts.account import AccountId
from interledger.api.payment_terms import DEFAULT_SLIPPAGE
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.errors import InvalidRequestError, LocalProtocolError
from interledger.ilp.address import Address
from interledger.ilp.packet import DATA_LENGTH_MAX, Fulfill, Prepare, Reject
from interledger.transport.stream import receiver as stream_receiver
from interledger.transport.stream.crypto import StreamCrypto
from interledger.transport.stream.frames import ConnectionClose, StreamMaxMoney, StreamMoney
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.payment import FixedDelivery, FixedSend
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.tokens import ReceiverTokens
from tests.node.loopback import line, net, pointer, until
from tests.transport.stream.conftest import EUR, START, SeededEntropy, World, at_most, at_rate

RATE = Fraction(9213, 10_000)
TARGETS = [FixedSend(100_000), FixedDelivery(100_000)]


class Receiving:
    """A receiver with one connection, and a payer who knows its secret."""

    def __init__(self) -> None:
        self.entropy = SeededEntropy()
        self.receiver = StreamReceiver(Address("test.bob"), ReceiverTokens(b"s" * 32, self.entropy), self.entropy)
        self.address, shared = self.receiver.new_connection(AccountId("bob"), EUR)
        self.crypto = StreamCrypto(shared, self.entropy)

    def send(self, amount: int, *frames: object, sequence: int = 1) -> Fulfill | Reject:
        data = self.crypto.seal(StreamPacket(12, sequence, 0, frames).encode())  # type: ignore[arg-type] # any frames
        packet = Prepare(amount, Timestamp(START + 1_000), self.crypto.condition(data), self.address, data)
        reply = self.receiver.receive_prepare(packet, START)
        assert isinstance(reply, Fulfill | Reject)
        return reply


# ---------------------------------------------------------------------- the sender


@pytest.mark.parametrize("target", TARGETS, ids=["send", "deliver"])
@pytest.mark.parametrize("latency_ms", [2, 50, 1_000])
def test_peer_bug_ST1_never_more_in_flight_than_may_be_spent(
    target: FixedSend | FixedDelivery, latency_ms: int
) -> None:
    """Fails where two loops send at the same time: together they send more than was asked for (159).

    The kit checks after every step that sent, in flight and unknown together are at most what was quoted.
    """
    world = World(at_most(700), at_rate(RATE), target=target, latency_ms=latency_ms).pay()
    assert world.ended.failure is None
    assert world.charged <= world.quoted.send_max
    with pytest.raises(LocalProtocolError):
        world.sender.pay(world.now)


@pytest.mark.parametrize("target", TARGETS, ids=["send", "deliver"])
@pytest.mark.parametrize("every", [2, 3, 7])
def test_peer_bug_ST6_nothing_falls_below_zero(target: FixedSend | FixedDelivery, every: int) -> None:
    """Fails where a late or doubled answer is taken off twice: what is left to send is negative (quilt 286).

    The kit checks after every step that no figure is below zero.
    """
    count = 0

    def doubled(request_id: object, reply: object) -> list[tuple[object, object]]:
        nonlocal count
        count += 1
        return [(request_id, reply)] * (2 if count % every == 0 else 1)

    world = World(at_most(1_000), target=target, reply_filter=doubled).pay()  # type: ignore[arg-type] # any packets
    assert world.ended.failure is None
    assert world.progress.sent == world.charged


def test_peer_bug_ST6_no_packet_is_larger_than_a_packet_may_be() -> None:
    """Fails where frames are put into a packet until 32 kB are passed (quilt 242)."""
    world = World(at_most(1_000), target=FixedSend(100_000)).pay()
    assert max(len(packet.data) for _, _, packet in world.prepares) <= DATA_LENGTH_MAX
    data = Receiving().crypto.seal(StreamPacket(12, 1, 0, (ConnectionClose(1, "x" * 40_000),)).encode())
    with pytest.raises(InvalidRequestError):
        Prepare(1, START, bytes(32), Address("test.bob"), data).encode()


@pytest.mark.parametrize(("packet_max", "precise"), [(1, False), (50, False), (100_000, True)])
def test_peer_bug_ST4_a_rate_of_one_unit_is_not_believed(packet_max: int, precise: bool) -> None:
    """Fails where the rate is learned from a packet of one unit: 1 -> 0 or 1 -> 1, whatever the rate is (48)."""
    world = World(at_most(packet_max), at_rate(Fraction(3, 2)), target=FixedSend(min(packet_max, 10_000))).quote()
    assert world.quoted.precise is precise
    assert world.quoted.minimum_rate <= Fraction(3, 2)
    if precise:
        assert world.quoted.minimum_rate >= Fraction(3, 2) * Fraction(98, 100)


@pytest.mark.parametrize("slippage", [Fraction(0), DEFAULT_SLIPPAGE])
def test_peer_bug_ST5_the_slippage_that_is_allowed_is_not_given_away(slippage: Fraction) -> None:
    """Fails where 0 never works, because each packet rounds; or where one percent is lost on a way that is honest."""
    world = World(at_most(1_000), target=FixedSend(100_000), slippage=slippage).pay()
    assert (world.ended.failure, world.ledger) == (None, 100_000)
    world = World(at_most(10_000), at_rate(RATE), target=FixedSend(1_000_000), slippage=DEFAULT_SLIPPAGE).pay()
    assert world.ended.failure is None
    assert world.ledger >= 1_000_000 * RATE - len(world.prepares)


# ---------------------------------------------------------------------- the receiver


def test_peer_bug_ST2_closed_connections_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where a connection that was closed is kept for ever (153)."""
    monkeypatch.setattr(stream_receiver, "CONNECTIONS_MAX", 5)
    at = Receiving()
    for _ in range(50):
        at.address, shared = at.receiver.new_connection(AccountId("bob"), EUR)
        at.crypto = StreamCrypto(shared, at.entropy)
        at.send(1, StreamMoney(1, 1))
        at.send(0, ConnectionClose(1, "done"), sequence=2)
    assert len(at.receiver._connections) == 5


def test_peer_bug_ST3_a_total_beyond_64_bits_is_counted_and_told_as_the_largest() -> None:
    """Fails where the sum of what was received overflows: an exception, after which packets are lost (136)."""
    at = Receiving()
    for sequence in (1, 2, 3):
        reply = at.send(UINT64_MAX, StreamMoney(1, 1), sequence=sequence)
        assert isinstance(reply, Fulfill)
        said = StreamPacket.decode(at.crypto.open(reply.data) or b"")
        assert said.frames == (StreamMaxMoney(1, UINT64_MAX, UINT64_MAX),)
    connection = at.receiver.resolve(at.address)
    assert connection is not None
    assert connection.total_received == 3 * UINT64_MAX


async def test_peer_bug_ST3_a_receiver_that_stops_loses_no_packet_it_fulfilled() -> None:
    """Fails where a server is closed while packets are being fulfilled: the payer paid, nobody was credited (136)."""
    async with line() as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=10**10)
        await until(lambda: payment.snapshot.fulfilled >= 3)
        await bob.stop()
        payment.cancel()
        received = -sum(a.net for a in bob.ledger.accounts if a.name == "local/bob")
        at_hub = -net(hub, "bob")
        unknown = sum(item.amount for item in hub.ledger.unknown.values())
        in_flight = hub.position("bob").pending_out + hub.position("bob").pending_in
        assert payment.snapshot.delivered <= received
        assert at_hub <= received <= at_hub + unknown + in_flight
