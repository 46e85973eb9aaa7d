"""interledger-rs: its known bugs, and that we do not have them. Each test says what would fail it."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import SECRET_FIELDS, Account, AccountId, LinkSettings, Relation, token_digest
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.recovery import recover
from interledger.codec.oer import UINT64_MAX, encode_uint, read_uint
from interledger.codec.timestamp import decode_interledger_time
from interledger.errors import DecodeError, LedgerError
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.link.http.messages import bearer_token, request_head
from interledger.link.http.urls import parse_url
from interledger.routing.ccp.messages import AnnouncedRoute, RouteUpdate
from interledger.routing.ccp.session import Objection
from interledger.routing.table import Origin, RoutingTable
from interledger.store.sqlite import SqliteStore
from interledger.transport.stream import receiver as stream_receiver
from interledger.transport.stream.payment import FixedSend, PaymentFailure
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.tokens import ReceiverTokens
from tests.connector.connector_kit import NOW, Hub, secret
from tests.link.btp.sockets import Side, dial, serve
from tests.support.ccp_kit import Net
from tests.transport.stream.conftest import EUR, SeededEntropy, World, at_most

ALICE, BOB = AccountId("alice"), AccountId("bob")
TO_BOB = "test.hub.bob"
USD = Asset("USD", 9)

BEYOND_DOUBLES = [2**53 + 1, 10**17 + 1, 10**18 + 1, 2**60 + 1, 2**63 - 1, 2**63, 2**64 - 1]
"""None of them is a double; the larger ones are no int64 either."""


def hub() -> Hub:
    made = Hub()
    made.attach("alice")
    made.attach("bob")
    return made


def pay(made: Hub, amount: int) -> int:
    """A packet from alice to bob, fulfilled. What bob was sent."""
    assert made.send("alice", amount, TO_BOB) is None
    made.commit()
    made.answer("bob", Fulfill(secret()))
    made.commit()
    return made.wires["bob"].prepares[-1][1].amount


# ---------------------------------------------------------------------- amounts beyond 2^53 (Lua numbers, f64)


@pytest.mark.parametrize("amount", BEYOND_DOUBLES)
def test_peer_bug_RS2_amounts_beyond_doubles_are_charged_to_the_unit(amount: int) -> None:
    """Fails where a balance is a double: 2^53+1 is charged as 2^53, 10^17 is no integer."""
    made = hub()
    assert pay(made, amount) == amount
    assert (made.net("alice"), made.net("bob")) == (amount, -amount)


@pytest.mark.parametrize("limit", [2**53, 2**53 + 1, 2**60, 2**63 - 1, 2**63])
def test_peer_bug_RS3_a_limit_is_exact_beyond_doubles(limit: int) -> None:
    """Fails where the check rounds: with a limit of 2^53, 2^53+1 passes."""
    for amount, code in ((limit - 1, None), (limit, None), (limit + 1, "T04")):
        made = hub()
        made.connector.peers[ALICE].ledger_account.debit_max = limit
        assert getattr(made.send("alice", amount, TO_BOB), "code", None) == code


@pytest.mark.parametrize("amount", BEYOND_DOUBLES)
def test_peer_bug_RS4_no_unit_vanishes_when_a_balance_is_paid_off(amount: int) -> None:
    """Fails where what is paid off is rounded and the balance set to zero: one unit is in no book."""
    made = hub()
    pay(made, amount)
    ledger = made.ledger
    bob, outside = made.connector.peers[BOB].ledger_account, ledger.account("external/engine", Asset("USD", 2))
    ledger.post(((bob, outside, bob.payable),), "settled")
    assert (bob.net, outside.net, made.net("alice")) == (0, -amount, amount)
    assert ledger.check() == []


def test_peer_bug_RS5_an_error_in_the_middle_leaves_nothing_behind() -> None:
    """Fails where the first write stays when a later one fails: the balance is changed, the caller sees a failure."""
    ledger = Ledger()
    alice, bob, eur = ledger.account("peer/alice", USD), ledger.account("peer/bob", USD), ledger.account("fx", EUR)
    ledger.take_batch()
    for wrong in ((alice, bob, 1 << 64), (alice, eur, 1), (alice, bob, -1)):
        with pytest.raises(LedgerError):
            ledger.hold(((alice, bob, 5), (alice, bob, 5), wrong), bytes(32), 1_000, True)
    for wrong in ((alice, eur, 1), (alice, bob, 0), (alice, alice, 1)):
        with pytest.raises(LedgerError):
            ledger.post(((alice, bob, 5), wrong), "posted")
    bob.credit_max = 7
    assert not isinstance(ledger.hold(((alice, bob, 5), (alice, bob, 5)), bytes(32), 1_000, True), Hold)
    assert [getattr(a, c) for a in (alice, bob) for c in ("debits_pending", "credits_pending", "net")] == [0] * 6
    assert ledger.take_batch() is None  # and nothing of it is in the journal


@given(st.integers(2**60, 2**64 - 1))
def test_peer_bug_RS6_at_rate_one_nothing_grows(amount: int) -> None:
    """Fails where a rate is a float: half of all amounts beyond 2^60 go out larger than they came in."""
    made = Hub()
    made.rate("EUR", "1")
    made.attach("alice")
    made.attach("bob", "EUR/2")
    assert made.send("alice", amount, TO_BOB) is None
    made.commit()
    assert [onward.amount for _, onward in made.wires["bob"].prepares] == [amount]


# ---------------------------------------------------------------------- what a crash leaves, what hangs


def test_peer_bug_RS9_a_crash_leaves_no_hold_and_no_fulfill_that_is_not_in_the_books(tmp_path: Path) -> None:
    """Fails where balances are saved after the relay, or holds of before a crash are for ever."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit()
    made.answer("bob", Fulfill(secret()))
    assert made.wires["alice"].replies == [], "not before it is written"
    made.commit()
    assert [type(reply) for _, reply in made.wires["alice"].replies] == [Fulfill]

    def life() -> tuple[SqliteStore, Ledger]:
        store, ledger = SqliteStore(tmp_path / "node", reserve_octets=4096), Ledger()
        store.open()
        store.load(ledger)
        return store, ledger

    store, ledger = life()
    alice, bob = ledger.account("peer/alice", USD), ledger.account("peer/bob", USD)
    ledger.hold(((alice, bob, 7),), bytes(32), 1_000, True)
    batch = ledger.take_batch()
    assert batch is not None
    store.write(b"".join(batch.records), NOW)
    store.close()  # without a word about the packet, as after kill -9
    store, ledger = life()
    _, unknown = recover(ledger)
    assert (ledger.holds, [item.amount for item in unknown]) == ({}, [7])
    for name in ("peer/alice", "peer/bob"):
        line = ledger.account(name, USD)
        assert (line.debits_pending, line.credits_pending) == (0, 0)
    store.close()


@pytest.mark.parametrize("later_ms", [60_000, 86_400_000, 365 * 86_400_000])
def test_peer_bug_RS13_money_is_held_for_half_a_minute_at_most(later_ms: int) -> None:
    """Fails where the sender's expiry is passed on as it is: money is locked for as long as he likes."""
    made = hub()
    made.send("alice", 5, TO_BOB, expires=later_ms)
    made.commit()
    assert made.wires["bob"].prepares[0][1].expires_at == NOW + 30_000


@pytest.mark.parametrize("kept", [Fraction(1, 2), Fraction(1, 100), Fraction(0)])
def test_peer_bug_RS14_connectors_cannot_steal_all_the_money(kept: Fraction) -> None:
    """Fails where packets carry no minimum: the receiver fulfills whatever little arrives."""
    world = World(at_most(1000), target=FixedSend(100_000)).quote()
    world.hops.append(lambda amount, now: int(amount * kept))
    world.sender.pay(world.now)
    world.run()
    assert (world.ended.failure, world.charged, world.ledger) == (PaymentFailure.RATE_TOO_LOW, 0, 0)


@pytest.mark.parametrize("credit_comes_back", [True, False])
def test_peer_bug_RS15_a_storm_of_T04_is_waited_out_or_ends_in_a_failure(credit_comes_back: bool) -> None:
    """Fails where the sender dies, or asks without end, while its peer waits for a settlement."""
    world = World(at_most(1000), target=FixedSend(10_000)).quote()
    began = world.now
    until = began + (2_000 if credit_comes_back else 10**9)
    world.hops.insert(0, lambda amount, now: Reject("T04", "test.hop") if now < until else amount)
    world.sender.pay(world.now)
    world.run()
    if credit_comes_back:
        assert (world.ended.failure, world.ledger) == (None, 10_000)
    else:
        assert (world.ended.failure, world.ended.code, world.charged) == (PaymentFailure.NO_LIQUIDITY, "T04", 0)
        assert world.now - began < 15_000
    assert len(world.prepares) < 300


# ---------------------------------------------------------------------- decoders (found by fuzzing)

PREPARE = Prepare(107, NOW, bytes(32), Address("test.bob"), b"data").encode()
UPDATE = RouteUpdate(bytes(16), 0, 0, 0, 1_000, "test.s", (AnnouncedRoute("test.x", ("test.s",), bytes(32)),)).encode()


def with_count(count: int) -> bytes:
    """An update that says to have so many routes, and has none."""
    empty = RouteUpdate(bytes(16), 0, 0, 0, 1_000, "test.s").encode()
    assert empty.endswith(b"\x01\x00\x01\x00")
    return empty[:-4] + encode_uint(count) + b"\x01\x00"


@pytest.mark.parametrize("count", [1, 1_001, 2**32 - 1, UINT64_MAX], ids=hex)
def test_peer_bug_RS17_a_count_reserves_no_memory(count: int) -> None:
    """Fails where a vector of `count` routes is reserved before the first is read (PR 693)."""
    with pytest.raises(DecodeError):
        RouteUpdate.decode(with_count(count))


@pytest.mark.parametrize(
    "octets",
    [
        PREPARE + b"\0",  # behind the envelope
        PREPARE[:1] + bytes((PREPARE[1] + 1,)) + PREPARE[2:] + b"\0",  # inside of it, behind the fields
        PREPARE[:1] + b"\x81" + PREPARE[1:],  # a length in another form than the shortest
        PREPARE[:1] + b"\x82\0" + PREPARE[1:],
        b"\x0c\x80" + PREPARE[2:],
        b"\x0c\x88" + bytes(7) + PREPARE[1:],
        PREPARE.replace(b"20231114", b"20231314"),  # no month
        PREPARE.replace(b"20231114", b"2023 114"),
        PREPARE.replace(b"20231114", b"00001114"),
    ],
)
def test_peer_bug_RS17_what_is_read_is_written_the_same(octets: bytes) -> None:
    """Fails where a packet that is read and written again is another one (715, 716, 720). Refusing it is right too."""
    try:
        packet = Prepare.decode(octets)
    except DecodeError:
        return
    again = Prepare.decode(packet.forwarded(amount=packet.amount, expires_at=packet.expires_at).encode())
    assert again == packet
    assert again.encode() == PREPARE


@pytest.mark.parametrize("octets", [b"\x01\x00", b"\x02\x00\x01", b"\x08" + b"\xff" * 8, b"\x09\x01" + bytes(8)])
def test_peer_bug_RS17_integers_come_back_as_they_are(octets: bytes) -> None:
    try:
        value, _ = read_uint(octets, 0)
    except DecodeError:
        return
    assert read_uint(encode_uint(value), 0) == (value, len(encode_uint(value)))


@pytest.mark.parametrize(
    "text", [b"20180229000000000", b"20171324161432279", b"20171224161460279", b"2017122416143227+", b""]
)
def test_peer_bug_RS17_moments_that_are_none_are_refused(text: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_interledger_time(text)


# ---------------------------------------------------------------------- routes


def test_peer_bug_RS18_nobody_takes_our_own_prefix() -> None:
    """Fails where an announced prefix is only compared with others' announcements (155)."""
    net = Net()
    we, thief = net.node("test.we"), net.node("test.thief")
    net.connect(we, thief)
    thief.originate("test.we", "test.we.alice", "test.honest")
    net.run(2_000)
    assert set(we.best) == {"test.thief", "test.honest"}
    assert we.alarms


def test_peer_bug_RS18_no_change_is_lost_between_epochs() -> None:
    """Fails where the next update starts at another epoch than the last one ended at (PR 483)."""
    net = Net(3, loss=0.3, duplicate=0.3, delay_ms=(1, 400))
    left, right = net.node("test.left"), net.node("test.right")
    net.connect(left, right)
    for step in range(6):
        left.originate(*(f"test.x{number}" for number in range(step, step + 60)))
        net.run(300)
    net.loss = net.duplicate = 0.0
    net.run(120_000)
    assert set(right.best) == set(left.local)


def test_peer_bug_RS18_the_best_route_stays_when_a_worse_one_comes() -> None:
    """Fails where the latest announcement wins (PR 207)."""
    net = Net()
    we, near, far, target = (net.node(f"test.{name}") for name in ("we", "near", "far", "target"))
    net.connect(we, near)
    net.connect(near, target)
    net.run(2_000)
    assert we.next_hop("test.target") == "test.near"
    net.connect(we, far)
    beyond = net.node("test.beyond")
    net.connect(far, beyond)
    net.connect(beyond, target)
    net.run(5_000)
    assert we.next_hop("test.target") == "test.near"


def test_peer_bug_RS18_who_cannot_be_told_does_not_stop_the_others() -> None:
    """Fails where one error ends the loop that tells all peers (464)."""
    net = Net()
    we, deaf, other = (net.node(f"test.{name}") for name in ("we", "deaf", "other"))
    net.connect(we, deaf)
    net.connect(we, other)
    refuses = lambda *_: Objection(ErrorCode.F00_BAD_REQUEST, "no")  # noqa: E731
    deaf.speaker.receive_update = deaf.speaker.receive_control = refuses  # type: ignore[method-assign] # all, for ever
    we.originate("test.new")
    net.run(60_000)
    assert set(other.best) == {"test.we", "test.new"}


@pytest.mark.parametrize(
    ("destination", "found"),
    [("test.al", True), ("test.al.x", True), ("test.alice", False), ("test.al-x", False), ("test.a", False)],
)
def test_peer_bug_RS19_prefixes_are_whole_segments(destination: str, found: bool) -> None:
    """Fails where `test.alice` starts with `test.al` and goes to al."""
    table = RoutingTable()
    table.replace(Origin.STATIC, {"test.al": AccountId("al")})
    assert (table.find(destination) is not None) is found


# ---------------------------------------------------------------------- secrets, leaks, links


def test_peer_bug_RS20_secrets_are_in_no_text() -> None:
    """Fails where tokens are plain strings in what is logged, or the token says whose it is (550)."""
    secrets = {name: f"canary-{name}" for name in SECRET_FIELDS}
    link = LinkSettings(**secrets, http_incoming_token_digest=token_digest("canary"))
    account = Account(id=BOB, asset=USD, ilp_address=Address("test.bob"), relation=Relation.PEER, link=link)
    assert "canary" not in f"{account}{account!r}{link!r}"
    head = request_head(parse_url("https://bob.example/ilp"), "canary-token")
    (line,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization")]
    assert line.split(b": ")[1] == b"Bearer canary-token"
    assert bearer_token(b"Bearer bob:token") == "bob:token", "one opaque text: no name is split off"


def test_peer_bug_RS21_connections_of_STREAM_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where each connection is kept for ever (13)."""
    monkeypatch.setattr(stream_receiver, "CONNECTIONS_MAX", 10)
    entropy = SeededEntropy()
    receiver = StreamReceiver(Address("test.bob"), ReceiverTokens(b"s" * 32, entropy), entropy)
    for _ in range(100):
        address, _ = receiver.new_connection(BOB, EUR)
        assert receiver.resolve(address) is not None
    assert len(receiver._connections) == 10


async def test_peer_bug_RS21_a_lost_BTP_connection_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    """Fails where the first connection is the only one (94)."""
    caplog.set_level(logging.ERROR)
    here, there = Side(), Side()
    async with serve(there) as url, dial(here, url) as client:
        await here.until(lambda: here.ups == 1)
        assert client._socket is not None
        assert client._socket._transport is not None
        client._socket._transport.abort()
        await here.until(lambda: here.ups == 2)
        here.send(1, 5)
        await here.until(lambda: 5 in here.replies)
