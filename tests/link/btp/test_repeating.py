"""BTP/2.0-I: two nodes over one connection after the other, each cut somewhere; every packet has one outcome.

Everything is real but the sockets and the time: connectors, ledgers, journals, frames. What a cut takes is gone.
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.recovery import recover
from interledger.clock import Timestamp
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RememberingLink, RequestId
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import (
    BTP_ERRORS,
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    ProtocolData,
    decode_btp,
    encode_ilp,
)
from interledger.link.btp.protocol import BtpConnection, State
from interledger.link.btp.repeating import REQUEST_REPEATED_MS, RepeatingLink
from interledger.link.btp.subprotocols import Answer, Respond, SubprotocolRequest
from interledger.link.websocket import WebSocket
from interledger.routing.exchange import ExchangeTable
from interledger.routing.table import Origin, RoutingTable
from interledger.store.group_commit import GroupCommit
from interledger.store.memory import MemoryStore

START = 1_700_000_000_000
USD = Asset("USD", 9)
PEER, END = AccountId("peer"), AccountId("end")
CLAIM = ProtocolData("claim", 0, b"7")
DONE = ProtocolData("claim", 0, b"done")


class Time:
    """Of both nodes; moved by the test."""

    def __init__(self) -> None:
        self.ms = START

    def now(self) -> Timestamp:
        return Timestamp(self.ms)


class Zeros:
    def octets(self, count: int) -> bytes:
        return bytes(count)


class Nobody:
    def find(self, destination: str) -> Refused:
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody here")


def proof(tag: int) -> bytes:
    return hashlib.sha256(b"%d" % tag).digest()


class Holder:
    """The end behind a node: pays, and is paid."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, str]] = []
        """Of what it sent: (its tag, `fulfilled` or the code of a Reject)."""
        self.received: list[bytes] = []
        self.node: Node

    def ready(self) -> bool:
        return True

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self.replies.append((request_id, "fulfilled" if isinstance(reply, Fulfill) else str(reply.code)))

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.received.append(prepare.execution_condition)
        reply: Reply = Reject("F99", "test.end", "not that one")
        if prepare.data:
            reply = Fulfill(prepare.data, b"thanks")
        self.node.connector.receive_reply(END, request_id, reply, self.node.time.now())


class Node:
    """One life of a node; `restart` gives the next one, with what was written."""

    def __init__(
        self, name: str, other: str, time: Time, store: MemoryStore | None = None, repeats: bool = True
    ) -> None:
        self.name, self.other, self.time, self.repeats = name, other, time, repeats
        self.store = store or MemoryStore()
        self.turn: deque[Callable[[], object]] = deque()
        self.ledger = Ledger()
        self.store.load(self.ledger)
        self.commits = GroupCommit(self.ledger, self.store, time, inline=True, call_soon=self.turn.append)
        recover(self.ledger)
        routes = RoutingTable()
        self.connector = Connector(
            Address(f"test.{name}"),
            ledger=self.ledger,
            routes=routes,
            exchange=ExchangeTable(),
            receivers=Nobody(),
            spread=Fraction(0),
        )
        self.link = BtpLink(
            PEER, self.connector, clock=time, defer=self.turn.append, address=lambda: self.connector.address
        )
        self.holder = Holder()
        self.holder.node = self
        peer_link: Any = self.link
        if repeats:
            peer_link = self.repeating = RepeatingLink(self.link, self.ledger, "peer/peer", time)
        for account_id, link, local, address in (
            (PEER, peer_link, False, f"test.{other}"),
            (END, self.holder, True, f"test.{name}.end"),
        ):
            account = Account(id=account_id, asset=USD, ilp_address=Address(address), relation=Relation.PEER)
            self.connector.attach(account_id, account, link, is_local=local, first_request_id=1)
        routes.replace(Origin.STATIC, {f"test.{other}": PEER, f"test.{name}.end": END})
        self.connector.routes_changed()
        if repeats:
            self.repeating.resume(time.now())

    def restart(self) -> Node:
        """Killed: what no commit has written is lost."""
        return Node(self.name, self.other, self.time, self.store, self.repeats)

    def pay(self, tag: int, *, amount: int = 10, fulfilled: bool = True) -> None:
        """The holder pays the one behind the other node."""
        secret = proof(tag)
        prepare = Prepare(
            amount,
            Timestamp(self.time.ms + 20_000),
            hashlib.sha256(secret).digest(),
            Address(f"test.{self.other}.end"),
            secret if fulfilled else b"",
        )
        reply = self.connector.receive_prepare(END, RequestId(tag), prepare, self.time.now())
        if reply is not None:
            self.holder.send_reply(RequestId(tag), reply)

    def net(self) -> int:
        """What the other node owes this one."""
        account = self.ledger.find("peer/peer", USD)
        return 0 if account is None else account.net

    def run(self) -> bool:
        busy = bool(self.turn)
        while self.turn:
            self.turn.popleft()()
        return busy


@dataclass
class Wire:
    """Connections between two nodes. `cuts`: after how many octets either way each is cut; then there is a new one."""

    dialler: Node
    server: Node
    cuts: list[tuple[int | None, int | None]] = field(default_factory=list)
    connections: int = 0
    sent: list[int] = field(default_factory=lambda: [0, 0])
    ends: tuple[BtpConnection, BtpConnection] | None = None

    def connect(self) -> None:
        time = self.dialler.time

        def websocket(client: bool) -> WebSocket:
            return WebSocket(client=client, entropy=Zeros(), wake=lambda: None, now=time.now())

        client = BtpConnection.client(websocket(True), self.dialler.link, "", "secret", 7, time.now())
        server = BtpConnection.server(websocket(False), lambda name, token: self.server.link, time.now())
        self.ends = client, server
        self.sent = [0, 0]
        self.connections += 1

    def cut(self) -> None:
        if self.ends is not None:
            for end in self.ends:
                end.lost(self.dialler.time.now())
        self.ends = None

    def settle(self) -> None:
        """Until nothing moves: turns of both nodes, octets both ways, a new connection for one that was cut."""
        while True:
            if self.ends is None:
                self.connect()
            busy = self.dialler.run() | self.server.run()
            if self._carry(0) or self._carry(1):
                continue
            if not busy and self.ends is not None:
                return

    def _carry(self, way: int) -> bool:
        """Octets from one end to the other; whether there were any."""
        if self.ends is None:
            return True
        source, target = self.ends[way], self.ends[1 - way]
        octets = source.websocket.octets_to_send()
        limit = self.cuts[self.connections - 1][way] if self.connections <= len(self.cuts) else None
        if limit is not None and self.sent[way] + len(octets) > limit:
            target.receive(octets[: limit - self.sent[way]], target_now(self))
            self.cut()
            return True
        self.sent[way] += len(octets)
        if octets:
            target.receive(octets, target_now(self))
        return bool(octets)

    def later(self, ms: int) -> None:
        """Time passes, step by step, as the timers of both nodes want it."""
        end = self.dialler.time.ms + ms
        while self.dialler.time.ms < end:
            self.settle()
            for node in (self.dialler, self.server):
                node.connector.handle_timer(node.time.now())
                if node.repeats:
                    node.repeating.handle_timer(node.time.now())
            self.settle()
            self.dialler.time.ms += 50


def target_now(wire: Wire) -> Timestamp:
    return wire.dialler.time.now()


def made(cuts: list[tuple[int | None, int | None]] | None = None, *, repeats: bool = True) -> Wire:
    time = Time()
    left, right = Node("left", "right", time, repeats=repeats), Node("right", "left", time, repeats=repeats)
    wire = Wire(left, right, cuts or [])
    wire.connect()
    return wire


def pay_three(wire: Wire) -> None:
    left, right = wire.dialler, wire.server
    for _ in range(4):  # authenticated, over as many connections as the cuts allow
        wire.settle()
    left.pay(1)
    left.pay(2, amount=20)
    left.pay(3, fulfilled=False)
    right.pay(4, amount=5)


def check_three(wire: Wire) -> None:
    left, right = wire.dialler, wire.server
    assert sorted(left.holder.replies) == [(1, "fulfilled"), (2, "fulfilled"), (3, "F99")]
    assert right.holder.replies == [(4, "fulfilled")]
    # Each was delivered once, and charged once, in both books.
    assert len(right.holder.received) == 3 == len(set(right.holder.received))
    assert len(left.holder.received) == 1
    assert (left.net(), right.net()) == (-25, 25)
    for node in (left, right):
        assert node.ledger.check() == []
        assert not node.ledger.holds
        assert not node.ledger.unknown


def octets_of_a_whole_run() -> tuple[int, int]:
    wire = made()
    pay_three(wire)
    wire.later(100)
    check_three(wire)
    return wire.sent[0], wire.sent[1]


OUT, BACK = octets_of_a_whole_run()


@pytest.mark.parametrize("way", [0, 1], ids=["to the server", "to the client"])
@pytest.mark.parametrize("tenth", range(10))
def test_BT_18_cut_at_every_octet_every_packet_has_one_outcome_and_is_charged_once(way: int, tenth: int) -> None:
    total = (OUT, BACK)[way]
    for k in range(total * tenth // 10, total * (tenth + 1) // 10):
        wire = made([(k, None) if way == 0 else (None, k)])
        pay_three(wire)
        wire.later(1_500)
        check_three(wire)
        assert wire.connections == 2


@pytest.mark.parametrize("seed", range(60))
def test_BT_18_cut_again_and_again(seed: int) -> None:
    dice = random.Random(seed)
    cuts: list[tuple[int | None, int | None]] = [
        (dice.randrange(2 * OUT), None) if dice.random() < 0.5 else (None, dice.randrange(2 * BACK)) for _ in range(6)
    ]
    wire = made(cuts)
    pay_three(wire)
    wire.later(8_000)
    # What could not even leave was refused (T01), and nobody was charged for it.
    outcome = dict(wire.dialler.holder.replies + wire.server.holder.replies)
    assert set(outcome) == {1, 2, 3, 4}
    assert len(wire.dialler.holder.replies) == 3
    assert set(outcome.values()) <= {"fulfilled", "F99", "T01"}
    amounts = {1: 10, 2: 20, 4: -5}
    owed = sum(amount for tag, amount in amounts.items() if outcome[tag] == "fulfilled")
    assert (wire.dialler.net(), wire.server.net()) == (-owed, owed)


def test_without_repetition_the_same_cuts_leave_packets_without_an_outcome() -> None:
    """The control: plain BTP/2.0 cannot say what became of a packet whose answer was cut off."""
    unknown = 0
    for k in range(0, BACK, 10):
        wire = made([(None, k)], repeats=False)
        pay_three(wire)
        wire.later(25_000)
        unknown += len(wire.dialler.ledger.unknown)
    assert unknown > 10


# ---------------------------------------------------------------------- killed


@pytest.mark.parametrize("moment", range(8))
def test_BT_18_the_server_is_killed_and_the_packet_is_charged_once(moment: int) -> None:
    """After each step of the way; then it starts again with what was written, and the client repeats."""
    wire = made()
    wire.settle()
    left, right = wire.dialler, wire.server
    left.pay(1)
    for _ in range(moment):
        left.run()
        wire._carry(0)
        if right.turn:
            right.turn.popleft()()
        if moment > 4:
            wire._carry(1)
    wire.cut()
    wire.server = right = right.restart()
    wire.later(25_000)
    ((_, outcome),) = left.holder.replies
    assert outcome == ("T01" if moment == 0 else "fulfilled")  # T01: it could not leave any more
    owed = 0 if moment == 0 else 10
    assert (left.net(), right.net()) == (-owed, owed)
    assert not left.ledger.unknown


def test_an_answer_that_found_no_connection_leaves_on_the_next_one() -> None:
    wire = made()
    wire.settle()
    left, right = wire.dialler, wire.server
    left.pay(1)
    left.run()
    wire._carry(0)  # the server has the packet, and is cut off before it has written its answer
    wire.cut()
    right.run()
    left.repeating.forget(1)  # the client will not ask again
    wire.settle()
    assert left.holder.replies == [(1, "fulfilled")]
    assert (left.net(), right.net()) == (-10, 10)


def test_a_fulfill_of_before_a_restart_is_proof_of_what_became_of_the_amount() -> None:
    wire = made()
    wire.settle()
    left, right = wire.dialler, wire.server
    left.pay(1)
    left.run()
    wire._carry(0)
    wire.cut()
    wire.dialler = left = left.restart()
    left.repeating.resume(left.time.now())
    ((unknown),) = left.ledger.unknown.values()
    right.run()
    wire.settle()
    # Its holder is gone with the process, so there is nobody to relay it to; it is kept as evidence.
    assert unknown.fulfillment == proof(1)
    assert right.net() == 10


@pytest.mark.parametrize("fulfilled", [True, False])
@pytest.mark.parametrize("arrived", [True, False])
def test_what_was_asked_before_a_restart_is_asked_again(fulfilled: bool, arrived: bool) -> None:
    wire = made()
    wire.settle()
    left, right = wire.dialler, wire.server
    left.pay(1, fulfilled=fulfilled)
    left.run()
    if arrived:
        wire._carry(0)
        right.run()
    wire.cut()
    wire.dialler = left = left.restart()
    assert [unknown.amount for unknown in left.ledger.unknown.values()] == [10]
    wire.settle()
    (unknown,) = left.ledger.unknown.values() if fulfilled else (None,)
    # The holder is gone with the process: a Fulfill is kept as evidence. A Reject leaves nothing open.
    assert fulfilled == (unknown is not None and unknown.fulfillment == proof(1))
    assert not left.ledger.asked.of(PEER)
    assert right.net() == (10 if fulfilled else 0)


def test_what_has_expired_before_a_restart_is_not_asked_again() -> None:
    wire = made()
    wire.settle()
    wire.dialler.pay(1)
    wire.dialler.run()
    wire.cut()
    wire.dialler.time.ms += 20_001
    wire.dialler = left = wire.dialler.restart()
    wire.settle()
    assert len(left.ledger.unknown) == 1
    assert wire.server.net() == 0


# ---------------------------------------------------------------------- one connection, packet by packet


class Peer:
    """A peer of one node that says exactly what the test wants, over a connection that is authenticated."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.wire = Wire(Node("right", "left", node.time), node)
        self.wire.connect()
        self.wire.settle()
        assert self.wire.ends is not None
        self.end = self.wire.ends[1]
        assert self.end.state is State.REPEATING

    def send(self, *packets: BtpPacket | bytes) -> list[BtpPacket]:
        octets = [packet if isinstance(packet, bytes) else packet.encode() for packet in packets]
        self.end.receive_packets(octets, self.node.time.now())
        return self.heard()

    def heard(self) -> list[BtpPacket]:
        self.node.run()
        reader = WebSocket(client=True, entropy=Zeros(), wake=lambda: None, now=self.node.time.now())
        octets = self.end.websocket.octets_to_send()
        return [decode_btp(message) for message in reader.receive(octets, self.node.time.now())]


def message(request_id: int, tag: int = 1, amount: int = 10) -> bytes:
    secret = proof(tag)
    condition = hashlib.sha256(secret).digest()
    prepare = Prepare(amount, Timestamp(START + 20_000), condition, Address("test.left.end"), secret)
    return encode_ilp(6, request_id, prepare.encode())


def duplicate(request_id: int, node: Node) -> BtpError:
    return BtpError(request_id, "F05", BTP_ERRORS["F05"], node.time.now(), b"another request had this id")


@pytest.fixture
def node() -> Node:
    return Node("left", "right", Time())


@pytest.fixture
def peer(node: Node) -> Peer:
    return Peer(node)


def test_it_is_a_link_that_remembers(node: Node) -> None:
    assert isinstance(node.repeating, RememberingLink)


def test_same_id_and_same_octets_same_answer(node: Node, peer: Peer) -> None:
    first = peer.send(message(5))
    assert first == peer.send(message(5)) == peer.send(message(5))
    assert len(first) == 1
    assert node.holder.received == [hashlib.sha256(proof(1)).digest()]
    assert node.net() == 10


def test_J1_a_repetition_gets_no_answer_before_it_is_written(node: Node, peer: Peer) -> None:
    """The answer is known as soon as the receiver has said so; its commit may take seconds."""
    now = node.time.now()
    for _ in range(3):
        peer.end.receive_packets([message(5)], now)
        assert peer.end.websocket.queued_octets == 0
    assert len(peer.heard()) == 3
    assert node.net() == 10


def test_other_octets_under_the_same_id_are_F05(node: Node, peer: Peer) -> None:
    peer.send(message(5))
    for other in (message(5, amount=11), message(5, tag=2), BtpMessage(5, (CLAIM,)), BtpTransfer(5, 1)):
        assert peer.send(other) == [duplicate(5, node)]
    assert node.net() == 10


def test_another_connection_makes_no_difference(node: Node, peer: Peer) -> None:
    answer = peer.send(message(5))
    again = Peer(node)
    assert again.send(message(5)) == answer
    assert again.send(message(5, tag=2)) == [duplicate(5, node)]


class Desk:
    def __init__(self, answer: Answer | None = (DONE,)) -> None:
        self.answer = answer
        self.asked: list[SubprotocolRequest] = []

    def __call__(self, request: SubprotocolRequest, respond: Respond) -> None:
        self.asked.append(request)
        respond(self.answer)


@pytest.mark.parametrize(
    "request_", [BtpMessage(5, (CLAIM,)), BtpTransfer(5, 7, (CLAIM,))], ids=["Message", "Transfer"]
)
def test_other_requests_are_handled_once_too(node: Node, peer: Peer, request_: BtpMessage | BtpTransfer) -> None:
    desk = Desk()
    node.link.subprotocols.register("claim", desk)
    node.link.subprotocols.set_settlement_hook(desk)
    for _ in range(3):
        assert peer.send(request_) == [BtpResponse(5, (DONE,))]
    assert len(desk.asked) == 1
    for other in (BtpMessage(5, (DONE,)), BtpTransfer(5, 8), message(5)):
        assert peer.send(other) == [duplicate(5, node)]


def test_BT_09_a_transfer_is_applied_once_over_a_restart(node: Node, peer: Peer) -> None:
    hook = Desk()
    node.link.subprotocols.set_settlement_hook(hook)
    assert peer.send(BtpTransfer(5, 7)) == [BtpResponse(5, (DONE,))]
    again = node.restart()
    again.link.subprotocols.set_settlement_hook(hook)
    assert Peer(again).send(BtpTransfer(5, 7)) == [BtpResponse(5, (DONE,))]
    assert len(hook.asked) == 1


def test_a_transfer_that_nobody_knows_of_after_a_restart_is_given_to_no_hook_again(node: Node, peer: Peer) -> None:
    hook = Desk(None)  # killed before it could answer: applied or not
    node.link.subprotocols.set_settlement_hook(hook)
    assert peer.send(BtpTransfer(5, 7)) == []
    again = node.restart()
    again.link.subprotocols.set_settlement_hook(hook)
    assert Peer(again).send(BtpTransfer(5, 7)) == []
    assert len(hook.asked) == 1


def test_a_refusal_is_remembered_like_an_answer(node: Node, peer: Peer) -> None:
    first = peer.send(BtpTransfer(5, 7))
    node.link.subprotocols.set_settlement_hook(Desk())
    assert peer.send(BtpTransfer(5, 7)) == first
    assert isinstance(first[0], BtpError)


def test_our_request_is_repeated_until_it_is_answered(node: Node, peer: Peer) -> None:
    heard: list[BtpPacket] = []
    request_id = node.link.requests.send_message((CLAIM,), heard.append)
    sent = peer.heard()
    assert node.repeating.is_asking(node.time.now())
    for wait_ms in (250, 500, 1_000):
        node.time.ms += wait_ms - 1
        node.repeating.handle_timer(node.time.now())
        assert peer.heard() == []
        node.time.ms += 1
        assert node.repeating.timer() == node.time.now()
        node.repeating.handle_timer(node.time.now())
        assert peer.heard() == sent == [BtpMessage(request_id, (CLAIM,))]
    peer.send(BtpResponse(request_id, (DONE,)))
    assert heard == [BtpResponse(request_id, (DONE,))]
    assert not node.repeating.is_asking(node.time.now())
    node.time.ms += REQUEST_REPEATED_MS
    node.repeating.handle_timer(node.time.now())
    assert peer.heard() == []


def test_nobody_waits_so_nothing_is_repeated(node: Node, peer: Peer) -> None:
    request_id = node.link.requests.send_message((CLAIM,), lambda packet: None)
    peer.heard()
    node.link.requests.forget(request_id)
    assert node.repeating.timer() is None


def test_an_F05_for_what_was_sent_twice_is_no_refusal(node: Node, peer: Peer) -> None:
    """A peer that does not remember after all has the first one in flight: it may still fulfill it."""
    node.pay(1)
    (prepare,) = peer.heard()
    refused = BtpError(prepare.request_id, "F05", "DuplicateIdError", node.time.now())
    node.time.ms += 250
    node.repeating.handle_timer(node.time.now())
    assert peer.heard() == [prepare]
    peer.send(refused)
    assert node.holder.replies == []
    peer.send(encode_ilp(1, prepare.request_id, Fulfill(proof(1)).encode()))
    assert node.holder.replies == [(1, "fulfilled")]


def test_an_F05_for_what_was_sent_once_is_one(node: Node, peer: Peer) -> None:
    node.pay(1)
    (prepare,) = peer.heard()
    peer.send(BtpError(prepare.request_id, "F05", "DuplicateIdError", node.time.now()))
    assert node.holder.replies == [(1, "T00")]


def test_a_prepare_is_not_repeated_beyond_its_expiry(node: Node, peer: Peer) -> None:
    node.pay(1)
    (prepare,) = peer.heard()
    times = 0
    while node.time.ms < START + 40_000:
        node.time.ms += 50
        node.repeating.handle_timer(node.time.now())
        for again in peer.heard():
            assert again == prepare
            assert node.time.ms < START + 20_000
            times += 1
    assert 3 <= times <= 9
    # Not even on a new connection.
    assert Peer(node).heard() == []


def test_the_inverted_types_of_D_07_have_no_place_here(node: Node, peer: Peer) -> None:
    """A Prepare in a Response would be processed without being remembered."""
    inverted = b"\x01" + message(5)[1:]
    assert peer.send(inverted) == []
    assert node.holder.received == []


@pytest.mark.parametrize(
    "packet",
    [BtpMessage(5, (CLAIM, CLAIM)), BtpMessage(5, (ProtocolData("ilp", 0, b"\x0c\x01\x00"),)), BtpMessage(5)],
    ids=["two of a name", "no Prepare", "nothing"],
)
def test_what_cannot_be_processed_is_answered_alike_every_time(node: Node, peer: Peer, packet: BtpPacket) -> None:
    first = peer.send(packet)
    assert len(first) == 1
    assert peer.send(packet) == first
