"""Repetitions come later and later, and none after their time."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.link.repeat import FIRST_DELAY_MS, LAST_DELAY_MS, Repetitions


def test_the_delay_doubles_up_to_a_bound_and_ends_with_its_time() -> None:
    repetitions: Repetitions[int] = Repetitions()
    now, delays = 0, []
    while repetitions.schedule(7, Timestamp(now), 30_000):
        due = repetitions.timer()
        assert due is not None
        assert repetitions.take_due(Timestamp(due - 1)) == []
        assert repetitions.take_due(due) == [7]
        delays.append(due - now)
        now = due
    assert delays == [250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 5000]
    assert delays[0] == FIRST_DELAY_MS
    assert max(delays) == LAST_DELAY_MS
    assert len(repetitions) == 0
    assert repetitions.timer() is None


def test_what_is_answered_is_not_sent_again() -> None:
    repetitions: Repetitions[int] = Repetitions()
    for key in (1, 2, 3):
        assert repetitions.schedule(key, Timestamp(0), 10_000)
    repetitions.forget(2)
    repetitions.forget(9)
    assert repetitions.take_due(Timestamp(FIRST_DELAY_MS)) == [1, 3]
    assert repetitions.take_due(Timestamp(99_999)) == []


def test_a_forgotten_key_begins_anew() -> None:
    repetitions: Repetitions[bytes] = Repetitions()
    repetitions.schedule(b"a", Timestamp(0), 10_000)
    repetitions.forget(b"a")
    repetitions.schedule(b"a", Timestamp(5), 10_000)
    assert repetitions.timer() == 5 + FIRST_DELAY_MS
