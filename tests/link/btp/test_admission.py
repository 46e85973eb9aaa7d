"""Who may wait before it has said who it is."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.link.attempts import FREE_PER_MINUTE
from interledger.link.btp.admission import (
    FAILURE_DELAY_MS,
    UNAUTHENTICATED_MAX,
    UNAUTHENTICATED_PER_SOURCE,
    WaitingRoom,
)

NOW = Timestamp(1_700_000_000_000)


def test_a_source_that_is_at_its_bound_loses_its_oldest_socket() -> None:
    room = WaitingRoom[int]()
    assert [room.enter(i, "a") for i in range(UNAUTHENTICATED_PER_SOURCE)] == [None] * UNAUTHENTICATED_PER_SOURCE
    assert room.enter(99, "b") is None
    assert room.enter(100, "a") == 0
    assert room.enter(101, "a") == 1
    room.leave(2)
    room.leave(2)
    assert room.enter(102, "a") is None
    assert len(room) == UNAUTHENTICATED_PER_SOURCE + 1


def test_a_full_room_loses_the_oldest_of_the_source_that_has_most() -> None:
    room = WaitingRoom[int]()
    for i in range(4):
        room.enter(i, "greedy")
    for i in range(4, UNAUTHENTICATED_MAX):
        room.enter(i, f"source {i}")
    assert room.enter(1000, "new") == 0
    assert len(room) == UNAUTHENTICATED_MAX


def test_a_source_of_wrong_tokens_waits_for_a_minute() -> None:
    room = WaitingRoom[int]()
    for _ in range(FREE_PER_MINUTE):
        assert room.delay_ms("a", NOW) == 0
        room.failed("a", NOW)
    assert room.delay_ms("a", NOW) == FAILURE_DELAY_MS
    assert room.delay_ms("b", NOW) == 0
    assert room.delay_ms("a", Timestamp(NOW + 59_999)) == FAILURE_DELAY_MS
    assert room.delay_ms("a", Timestamp(NOW + 60_000)) == 0


def test_it_is_turned_away_only_with_as_many_sockets_as_it_may_have() -> None:
    room = WaitingRoom[int]()
    for i in range(UNAUTHENTICATED_PER_SOURCE):
        room.enter(i, "a")
    assert not room.is_closed_to("a", NOW)
    for _ in range(FREE_PER_MINUTE):
        room.failed("a", NOW)
    assert room.is_closed_to("a", NOW)
    room.leave(0)
    assert not room.is_closed_to("a", NOW)
