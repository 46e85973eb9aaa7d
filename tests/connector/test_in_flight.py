"""The wheel: what is due is found in order, what was answered is not, and nothing is left behind."""

from __future__ import annotations

from connector_kit import Hub
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.connector.in_flight import ExpiryWheel, InFlight
from interledger.link.base import RequestId


def flight(wheel: ExpiryWheel, number: int, deadline: int) -> InFlight:
    hub = Hub()
    peer = hub.attach("alice")
    bucket = wheel.bucket(deadline)
    made = InFlight(peer, RequestId(7), peer, RequestId(number), None, bytes(32), deadline, bucket)
    bucket.add(made)
    assert made.incoming.id == AccountId("alice")
    return made


def test_an_empty_wheel_is_never_due() -> None:
    wheel = ExpiryWheel()
    assert (wheel.next_due(), wheel.take_due(Timestamp(10**15))) == (None, [])


def test_deadlines_are_met_to_the_tenth_of_a_second() -> None:
    wheel = ExpiryWheel()
    first, second = flight(wheel, 1, 1_050), flight(wheel, 2, 1_099)
    later = flight(wheel, 3, 1_100)
    assert wheel.next_due() == 1_100
    assert wheel.take_due(Timestamp(1_099)) == []
    assert wheel.take_due(Timestamp(1_100)) == [first, second]
    assert wheel.next_due() == 1_200
    assert wheel.take_due(Timestamp(5_000)) == [later]


def test_an_answered_packet_is_not_looked_at_again() -> None:
    wheel = ExpiryWheel()
    answered, waiting = flight(wheel, 1, 500), flight(wheel, 2, 500)
    answered.bucket.discard(answered)
    assert wheel.take_due(Timestamp(600)) == [waiting]


def test_whoever_waits_is_told_of_new_buckets_and_answered_ones_are_forgotten() -> None:
    wheel = ExpiryWheel()
    told: list[int] = []
    wheel.on_bucket = told.append
    first, second = flight(wheel, 1, 1_050), flight(wheel, 2, 510)
    flight(wheel, 3, 1_099)
    assert told == [1_100, 600]
    second.bucket.discard(second)
    assert wheel.next_due() == 1_100
    assert wheel.take_due(Timestamp(1_100))[0] is first
    assert wheel.next_due() is None


@given(st.lists(st.integers(0, 3_000), max_size=30), st.lists(st.integers(0, 4_000), max_size=10))
def test_each_is_taken_once_in_order_and_not_before_its_time(deadlines: list[int], looks: list[int]) -> None:
    wheel = ExpiryWheel()
    for number, deadline in enumerate(deadlines):
        flight(wheel, number, deadline)
    taken = []
    for now in [*sorted(looks), 10_000]:
        due = wheel.take_due(Timestamp(now))
        assert all(one.deadline < now for one in due)
        taken += due
    assert len({one.onward_id for one in taken}) == len(deadlines) == len(taken)
    order = [(one.deadline, one.onward_id) for one in taken]
    assert order == sorted(order)
