"""The link of one account, above connections that come and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from interledger.clock import Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Reject
from interledger.link.base import Link, RequestId
from interledger.link.btp.link import CONNECTIONS_MAX, FORGET_AFTER_MS, IN_FLIGHT_MAX, OUTPUT_OCTETS_MAX, BtpLink
from interledger.link.btp.messages import encode_ilp

if TYPE_CHECKING:
    from .conftest import World

FULFILL = Fulfill(bytes(32))
REJECT = Reject("F02", "test.far", "no")


@dataclass(eq=False)
class FakeConnection:
    """Writes down what it is to send."""

    number: int = -1
    unanswered: set[int] = field(default_factory=set)
    blocked: bool = False
    queued_octets: int = 0
    out: list[bytes] = field(default_factory=list)
    closed: bool = False

    @property
    def output(self) -> FakeConnection:
        return self

    def send(self, packet: bytes) -> None:
        self.out.append(packet)

    def close(self, code: int, reason: str, now: Timestamp) -> None:
        self.closed = True


def attach(world: World) -> FakeConnection:
    connection = FakeConnection()
    world.link.attach(connection, world.clock.now())
    return connection


def test_it_is_a_link(world: World) -> None:
    link: Link = world.link
    assert repr(link) == "<BtpLink alice connections=0 in_flight=0>"


def test_BT_06_a_prepare_leaves_and_its_reply_comes_back_with_the_same_id(world: World) -> None:
    connection, prepare = attach(world), world.prepare()
    world.link.send_prepare(RequestId(0xFFFF_FFFF), prepare)
    assert connection.out == [encode_ilp(6, 0xFFFF_FFFF, prepare.encode())]
    world.link.receive_reply(0xFFFF_FFFF, FULFILL, world.now)
    assert world.handler.calls == [("reply", 0xFFFF_FFFF, FULFILL)]


def test_BT_06_our_reply_leaves_on_the_connection_of_its_prepare(world: World) -> None:
    first, second = attach(world), attach(world)
    first.unanswered.add(5)
    second.unanswered.add(5)
    world.link.send_reply(RequestId(5), FULFILL)
    world.link.send_reply(RequestId(1 << 32 | 5), REJECT)
    assert first.out == [encode_ilp(1, 5, FULFILL.encode())]
    assert second.out == [encode_ilp(1, 5, REJECT.encode())]
    assert first.unanswered == second.unanswered == set()


def test_a_reply_whose_connection_is_gone_or_that_was_sent_before_is_dropped_and_counted(world: World) -> None:
    connection = attach(world)
    connection.unanswered.add(5)
    world.link.send_reply(RequestId(5), FULFILL)
    world.link.send_reply(RequestId(5), FULFILL)
    connection.unanswered.add(6)
    world.link.detach(connection, world.now)
    world.link.send_reply(RequestId(6), FULFILL)
    assert len(connection.out) == 1
    assert world.link.counters.replies_dropped == 2


def test_BT_17_without_a_connection_the_answer_is_T01_in_the_next_turn(world: World) -> None:
    assert not world.link.ready()
    world.link.send_prepare(RequestId(1), world.prepare())
    world.link.send_prepare(RequestId(2), world.prepare())
    assert world.handler.calls == []
    (deliver,) = world.deferred
    deliver()
    assert world.handler.calls == [("reply", 1, "T01"), ("reply", 2, "T01")]


def test_BT_17_what_was_in_flight_when_the_socket_was_lost_may_still_be_answered(world: World) -> None:
    first = attach(world)
    world.link.send_prepare(RequestId(1), world.prepare())
    world.link.detach(first, world.now)
    world.link.detach(first, world.now)
    assert world.handler.calls == [("lost", "alice")]
    attach(world)
    world.link.receive_reply(1, FULFILL, world.now)
    assert world.handler.calls[1:] == [("reply", 1, FULFILL)]
    assert world.ups == ["alice", "alice"]


def test_the_newest_connection_sends_and_the_link_is_lost_with_the_last(world: World) -> None:
    first, second, third = attach(world), attach(world), attach(world)
    world.link.send_prepare(RequestId(1), world.prepare())
    world.link.detach(first, world.now)
    world.link.detach(third, world.now)
    world.link.send_prepare(RequestId(2), world.prepare())
    assert [len(c.out) for c in (first, second, third)] == [0, 1, 1]
    assert world.handler.calls == []
    world.link.detach(second, world.now)
    assert world.handler.calls == [("lost", "alice")]
    assert not world.link.ready()
    assert world.ups == ["alice"]
    assert world.link.counters.connections == 3


def test_connections_of_one_account_are_bounded(world: World) -> None:
    connections = [attach(world) for _ in range(CONNECTIONS_MAX + 1)]
    assert [c.closed for c in connections] == [True] + [False] * CONNECTIONS_MAX
    world.link.detach(connections[0], world.now)
    assert world.link.ready()


def test_ready_says_whether_there_is_room(world: World) -> None:
    connection = attach(world)
    assert world.link.ready()
    connection.blocked = True
    assert not world.link.ready()
    connection.blocked = False
    connection.queued_octets = OUTPUT_OCTETS_MAX + 1
    assert not world.link.ready()


def test_far_behind_on_a_connection_prepares_are_refused_too(world: World) -> None:
    connection = attach(world)
    connection.queued_octets = OUTPUT_OCTETS_MAX + 1
    world.link.send_prepare(RequestId(1), world.prepare())
    world.deferred[0]()
    assert world.handler.calls == [("reply", 1, "T01")]
    assert connection.out == []


def test_packets_in_flight_are_bounded_and_forgotten_some_time_after_their_expiry(world: World) -> None:
    attach(world)
    for i in range(IN_FLIGHT_MAX):
        assert world.link.ready()
        world.link.send_prepare(RequestId(i), world.prepare())
    assert not world.link.ready()
    world.clock.time = Timestamp(world.prepare().expires_at + FORGET_AFTER_MS - 1)
    assert not world.link.ready()
    world.clock.time = Timestamp(world.clock.time + 1)
    assert not world.link.ready()  # it has looked less than a second ago
    world.clock.time = Timestamp(world.clock.time + 1000)
    assert world.link.ready()


def test_BT_07_an_unexpected_reject_is_counted_and_a_fulfill_shown_to_the_handler(world: World) -> None:
    """Money may depend on a late Fulfill; whether it does only the books can say."""
    attach(world)
    world.link.receive_reply(9, REJECT, world.now)
    world.link.receive_reply(9, FULFILL, world.now)
    world.link.receive_refusal(9, ErrorCode.T00_INTERNAL_ERROR, "no", world.now)
    world.link.receive_unreadable_reply(9, world.now)
    assert world.handler.calls == [("reply", 9, FULFILL)]
    assert world.link.counters.unknown_responses == 4


@pytest.mark.parametrize("unreadable", [True, False])
def test_a_refusal_is_a_reject_and_an_answer_nobody_can_read_is_none(world: World, unreadable: bool) -> None:
    attach(world)
    world.link.send_prepare(RequestId(1), world.prepare())
    if unreadable:
        world.link.receive_unreadable_reply(1, world.now)
        assert world.handler.calls == [("no reply", 1, "T00")]
    else:
        world.link.receive_refusal(1, ErrorCode.T01_PEER_UNREACHABLE, "no", world.now)
        assert world.handler.calls == [("reply", 1, "T01")]


def test_defaults_do_nothing(world: World) -> None:
    link = BtpLink(
        world.link.account,
        world.handler,
        clock=world.clock,
        defer=world.deferred.append,
        address=lambda: "test.node",
    )
    link.attach(FakeConnection(), world.now)
    assert link.subprotocols.find(link.account, "info") is None
