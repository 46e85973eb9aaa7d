"""The first reply to a Prepare counts, its repetitions are known again, and late ones for a minute."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.link.base import RequestId
from interledger.link.outstanding import KEPT_AFTER_EXPIRY_MS, Arrival, Outstanding

EXPIRES = 1_000_000


def test_HT_04_the_first_reply_wins_and_its_repetition_is_recognised() -> None:
    outstanding = Outstanding()
    outstanding.add(b"a", RequestId(7), EXPIRES)
    assert outstanding.is_open(b"a")
    assert outstanding.receive(b"a", b"fulfill") == (Arrival.FIRST, 7)
    assert not outstanding.is_open(b"a")
    assert outstanding.receive(b"a", b"fulfill") == (Arrival.REPEATED, 0)
    assert outstanding.receive(b"a", b"reject") == (Arrival.OTHER, 0)


def test_HT_04_a_reply_to_nothing_is_unknown() -> None:
    assert Outstanding().receive(b"a", b"fulfill") == (Arrival.UNKNOWN, 0)
    assert not Outstanding().is_open(b"a")


def test_a_prepare_is_known_for_a_minute_after_its_expiry() -> None:
    outstanding = Outstanding()
    outstanding.add(b"a", RequestId(7), EXPIRES)
    outstanding.handle_timer(Timestamp(EXPIRES + KEPT_AFTER_EXPIRY_MS - 1))
    assert len(outstanding) == 1
    outstanding.handle_timer(Timestamp(EXPIRES + KEPT_AFTER_EXPIRY_MS))
    assert len(outstanding) == 0
