"""Deadlines: what is due is found in order, what was answered is not, and nothing is left behind."""

from __future__ import annotations

import pytest
from connector_kit import Hub, secret
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.connector.in_flight import Deadlines, InFlight
from interledger.connector.peer import Peer
from interledger.ilp.packet import Fulfill, Reject
from interledger.link.base import RequestId


def flight(deadlines: Deadlines, peer: Peer, number: int, deadline: int) -> InFlight:
    made = InFlight()
    made.incoming = made.outgoing = peer
    made.request_id, made.onward_id = RequestId(7), RequestId(number)
    made.hold, made.condition, made.deadline = None, bytes(32), deadline
    peer.in_flight[made.onward_id] = made
    if deadline < peer.next_deadline:
        deadlines.watch(peer, deadline)
    return made


def a_peer(name: str = "alice") -> Peer:
    return Hub().attach(name)


def test_nothing_in_flight_is_never_due() -> None:
    deadlines = Deadlines()
    assert (deadlines.next_due(), deadlines.take_due(Timestamp(10**15))) == (None, [])


def test_deadlines_are_told_to_the_tenth_of_a_second() -> None:
    deadlines, peer = Deadlines(), a_peer()
    first, second = flight(deadlines, peer, 1, 1_050), flight(deadlines, peer, 2, 1_100)
    later = flight(deadlines, peer, 3, 1_101)
    assert deadlines.next_due() == 1_100
    assert deadlines.take_due(Timestamp(1_049)) == []
    assert deadlines.take_due(Timestamp(1_100)) == [first, second]
    assert deadlines.next_due() == 1_200
    assert deadlines.take_due(Timestamp(5_000)) == [later]
    assert deadlines.next_due() is None


def test_a_peer_without_packets_has_no_deadline_until_the_next_one() -> None:
    deadlines, peer = Deadlines(), a_peer()
    flight(deadlines, peer, 1, 500)
    deadlines.take_due(Timestamp(500))
    flight(deadlines, peer, 2, 10**15)
    assert deadlines.next_due() == 10**15


def test_an_answered_packet_is_not_looked_at_again() -> None:
    deadlines, peer = Deadlines(), a_peer()
    answered, waiting = flight(deadlines, peer, 1, 500), flight(deadlines, peer, 2, 900)
    del peer.in_flight[answered.onward_id]
    assert deadlines.take_due(Timestamp(500)) == []
    assert deadlines.next_due() == 900
    assert deadlines.take_due(Timestamp(900)) == [waiting]


def test_who_waits_is_told_of_what_is_due_sooner() -> None:
    deadlines, alice, bob = Deadlines(), a_peer(), a_peer("bob")
    told: list[int] = []
    deadlines.on_sooner = told.append
    flight(deadlines, alice, 1, 1_050)
    flight(deadlines, alice, 2, 510)
    flight(deadlines, alice, 3, 600)
    flight(deadlines, bob, 4, 700)
    assert told == [1_100, 600, 700]


def test_packets_of_several_peers_come_in_the_order_of_their_deadlines() -> None:
    deadlines, alice, bob = Deadlines(), a_peer(), a_peer("bob")
    late, early = flight(deadlines, bob, 1, 300), flight(deadlines, alice, 2, 100)
    same = flight(deadlines, alice, 3, 300)
    assert deadlines.take_due(Timestamp(400)) == [early, same, late]


@given(st.lists(st.integers(0, 3_000), max_size=30), st.lists(st.integers(0, 4_000), max_size=10))
def test_each_is_taken_once_in_order_and_not_before_its_time(times: list[int], looks: list[int]) -> None:
    deadlines, peer = Deadlines(), a_peer()
    for number, deadline in enumerate(times):
        flight(deadlines, peer, number, deadline)
    taken = []
    for now in [*sorted(looks), 10_000]:
        due = deadlines.take_due(Timestamp(now))
        assert all(one.deadline <= now for one in due)
        assert all(one.deadline > now for one in peer.in_flight.values())
        taken += due
    assert len({one.onward_id for one in taken}) == len(times) == len(taken)
    order = [(one.deadline, one.onward_id) for one in taken]
    assert order == sorted(order)


@pytest.mark.parametrize("reply", [Fulfill(secret()), Reject("F99", "test.far", "no")], ids=["Fulfill", "Reject"])
def test_CR_22_a_reply_goes_to_whoever_asked_and_to_nobody_else(reply: Fulfill | Reject) -> None:
    """All ask under the same number, and are answered in another order."""
    made = Hub()
    for name in ("alice", "bob", "carol"):
        made.attach(name)
    for name, amount in (("alice", 5), ("carol", 6)):
        made.send(name, amount, "test.hub.bob")
    made.commit()
    made.answer("bob", reply, at=1)
    made.commit()
    assert (made.wires["alice"].replies, made.wires["carol"].replies) == ([], [(7, reply)])
    made.answer("bob", reply, at=0)
    made.commit()
    assert (made.wires["alice"].replies, made.wires["carol"].replies) == ([(7, reply)], [(7, reply)])
    assert made.wires["bob"].replies == []
