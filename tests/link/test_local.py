"""A link within the process: handed over in the next turn, in order, never from inside `send`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.link.local import LocalLink, connect_local

NOW = Timestamp(1_700_000_000_000)
PREPARE = Prepare(5, Timestamp(NOW + 1_000), bytes(32), Address("test.bob"))
FULFILL = Fulfill(bytes(32))


class Clock:
    def now(self) -> Timestamp:
        return NOW


class Side:
    """Writes down what it gets, and answers Prepares with `answer`."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []
        self.answer: Reply | None = None

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self.got.append(("prepare", account, request_id, prepare, now))
        return self.answer

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.got.append(("reply", account, request_id, reply, now))

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        raise AssertionError("a local link knows what became of everything")

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        self.got.append(("lost", account, now))


class Pair:
    """Two sides; `turn` runs what was deferred."""

    def __init__(self) -> None:
        self.a, self.b = Side(), Side()
        self.deferred: list[Callable[[], None]] = []
        self.end_a: LocalLink
        self.end_b: LocalLink
        self.end_a, self.end_b = connect_local(
            (self.a, AccountId("to-b")), (self.b, AccountId("to-a")), clock=Clock(), defer=self.deferred.append
        )

    def turn(self) -> None:
        deferred, self.deferred[:] = list(self.deferred), []
        for call in deferred:
            call()


def test_what_one_end_sends_the_other_sides_handler_gets_in_the_next_turn() -> None:
    pair = Pair()
    pair.end_a.send_prepare(RequestId(1), PREPARE)
    pair.end_a.send_reply(RequestId(9), FULFILL)
    assert pair.b.got == []
    pair.turn()
    assert pair.b.got == [("prepare", "to-a", 1, PREPARE, NOW), ("reply", "to-a", 9, FULFILL, NOW)]
    pair.end_b.send_prepare(RequestId(2), PREPARE)
    pair.turn()
    assert pair.a.got == [("prepare", "to-b", 2, PREPARE, NOW)]


def test_an_answer_given_at_once_goes_back_with_the_same_id() -> None:
    pair = Pair()
    pair.b.answer = FULFILL
    for request_id in (1, 2):
        pair.end_a.send_prepare(RequestId(request_id), PREPARE)
    assert len(pair.deferred) == 1
    pair.turn()
    assert pair.a.got == []
    pair.turn()
    assert pair.a.got == [("reply", "to-b", 1, FULFILL, NOW), ("reply", "to-b", 2, FULFILL, NOW)]


def test_a_cut_link_drops_what_is_queued_and_tells_the_other_side_once() -> None:
    pair = Pair()
    assert (pair.end_a.ready(), pair.end_b.ready()) == (True, True)
    pair.end_a.send_prepare(RequestId(1), PREPARE)
    pair.end_b.send_prepare(RequestId(2), PREPARE)
    pair.end_a.close()
    pair.end_a.close()
    pair.end_b.close()
    pair.turn()
    assert (pair.a.got, pair.b.got) == ([], [("lost", "to-a", NOW)])
    assert (pair.end_a.ready(), pair.end_b.ready()) == (False, False)
    pair.end_a.send_prepare(RequestId(3), PREPARE)
    pair.turn()
    assert pair.b.got == [("lost", "to-a", NOW)]
