"""A request is processed once, whatever a peer repeats; within its bounds nothing in progress is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.ledger import Ledger
from interledger.accounts.records import decode_records
from interledger.accounts.request_journal import KEPT_AFTER_EXPIRY_MS, RequestJournal, RequestJournals, Verdict
from interledger.accounts.request_records import Answered, Requested
from interledger.clock import Timestamp

EXPIRES = 1_000_000


def receive(
    journal: RequestJournal, request_id: bytes, octets: bytes = b"prepare", expires_at: int = EXPIRES
) -> Verdict:
    return journal.receive(request_id, octets, expires_at, durable=True).verdict


# What a repetition is told


def test_BT_18_a_request_is_new_once_waits_then_has_its_answer() -> None:
    journal = RequestJournal("bob")
    assert receive(journal, b"1") is Verdict.NEW
    assert receive(journal, b"1") is Verdict.IN_PROGRESS
    assert journal.answer(b"1", b"fulfill")
    assert journal.receive(b"1", b"prepare", EXPIRES, durable=True) == (Verdict.ANSWERED, b"fulfill")


def test_BT_18_other_octets_under_the_same_id_are_a_conflict_before_and_after_the_answer() -> None:
    journal = RequestJournal("bob")
    receive(journal, b"1")
    assert receive(journal, b"1", b"another") is Verdict.CONFLICT
    journal.answer(b"1", b"fulfill")
    assert receive(journal, b"1", b"another") is Verdict.CONFLICT
    assert receive(journal, b"1") is Verdict.ANSWERED


def test_the_first_answer_wins() -> None:
    journal = RequestJournal("bob")
    receive(journal, b"1")
    assert journal.answer(b"1", b"first")
    assert not journal.answer(b"1", b"second")
    assert not journal.answer(b"2", b"nobody asked")
    assert journal.receive(b"1", b"prepare", EXPIRES, durable=True).answer == b"first"


def test_a_dropped_request_is_new_again() -> None:
    journal = RequestJournal("bob")
    receive(journal, b"1")
    journal.drop(b"1")
    assert receive(journal, b"1") is Verdict.NEW


# Time


def test_a_request_is_forgotten_a_minute_after_its_expiry_and_not_before() -> None:
    journal = RequestJournal("bob")
    receive(journal, b"1")
    receive(journal, b"2", expires_at=EXPIRES + 5)
    journal.answer(b"1", b"fulfill")
    due = EXPIRES + KEPT_AFTER_EXPIRY_MS
    assert journal.timer() == due
    journal.handle_timer(Timestamp(due - 1))
    assert receive(journal, b"1") is Verdict.ANSWERED
    journal.handle_timer(Timestamp(due))
    assert [request_id for request_id, _ in journal.entries()] == [b"2"]
    journal.handle_timer(Timestamp(due + 5))
    assert len(journal) == 0
    assert journal.timer() is None


def test_an_id_used_again_lives_as_long_as_its_new_packet() -> None:
    journal = RequestJournal("bob")
    receive(journal, b"1", expires_at=EXPIRES)
    journal.drop(b"1")
    receive(journal, b"1", expires_at=EXPIRES + 10)
    journal.handle_timer(Timestamp(EXPIRES + KEPT_AFTER_EXPIRY_MS))
    assert len(journal) == 1


# Size


def ask(journal: RequestJournal, request_id: bytes, now: int, expires_at: int = EXPIRES) -> Verdict:
    return journal.receive(request_id, b"prepare", expires_at, durable=True, now=now).verdict


def test_what_expired_first_makes_room_and_nothing_that_could_be_charged_again() -> None:
    journal = RequestJournal("bob", requests_max=2)
    ask(journal, b"1", 0, EXPIRES + 5)
    ask(journal, b"2", 0, EXPIRES)
    journal.answer(b"1", b"x")
    journal.answer(b"2", b"x")
    assert ask(journal, b"3", EXPIRES - 1) is Verdict.FULL
    assert receive(journal, b"3") is Verdict.FULL
    assert ask(journal, b"3", EXPIRES) is Verdict.NEW
    assert [request_id for request_id, _ in journal.entries()] == [b"1", b"3"]


def test_what_is_in_progress_makes_no_room_and_a_refused_one_is_not_kept() -> None:
    journal = RequestJournal("bob", requests_max=1)
    ask(journal, b"1", 0)
    assert ask(journal, b"2", EXPIRES) is Verdict.FULL
    assert ask(journal, b"1", EXPIRES) is Verdict.IN_PROGRESS
    journal.answer(b"1", b"x")
    assert ask(journal, b"2", EXPIRES) is Verdict.NEW


def test_of_large_answers_the_oldest_are_dropped_and_the_requests_stay_known() -> None:
    journal = RequestJournal("bob", answer_octets_max=10)
    for number in range(4):
        receive(journal, bytes([number]))
        journal.answer(bytes([number]), b"12345")
    told = [receive(journal, bytes([number])) for number in range(4)]
    assert told == [Verdict.IN_PROGRESS, Verdict.IN_PROGRESS, Verdict.ANSWERED, Verdict.ANSWERED]
    assert not journal.answer(b"\x00", b"another")
    receive(journal, b"large")
    journal.answer(b"large", bytes(100))  # more than all: it alone is kept
    assert receive(journal, b"large") is Verdict.ANSWERED
    assert receive(journal, b"\x03") is Verdict.IN_PROGRESS


def test_the_heap_of_expiries_does_not_grow_with_what_was_forgotten() -> None:
    journal = RequestJournal("bob", requests_max=4)
    for number in range(5_000):
        ask(journal, number.to_bytes(4, "big"), number, number + (1 << 50 if number % 2 else 0))
        journal.drop(number.to_bytes(4, "big"))
    assert len(journal._due) < 1_100
    journal.handle_timer(Timestamp((1 << 51) + KEPT_AFTER_EXPIRY_MS))
    assert len(journal) == 0
    assert journal.timer() is None


# What is written


def test_what_moves_money_is_written_with_its_hold_and_its_answer() -> None:
    written: list[bytes] = []
    journal = RequestJournal("bob", written.append)
    receive(journal, b"1")
    assert written == []
    journal.hold(b"1", 7)
    journal.answer(b"1", b"fulfill")
    requested, answered = decode_records(b"".join(written))
    assert isinstance(requested, Requested)
    assert requested == Requested("bob", b"1", requested.digest, EXPIRES, 7)
    assert answered == Answered("bob", b"1", requested.digest, EXPIRES, b"fulfill")


def test_what_moves_no_money_is_not_written() -> None:
    written: list[bytes] = []
    journal = RequestJournal("bob", written.append)
    journal.receive(b"1", b"zero", EXPIRES, durable=False)
    journal.answer(b"1", b"reject")
    assert written == []
    assert journal.capture() == []


def test_a_refused_request_has_one_record() -> None:
    written: list[bytes] = []
    journal = RequestJournal("bob", written.append)
    receive(journal, b"1")
    journal.answer(b"1", b"reject")
    assert [type(record) for record in decode_records(b"".join(written))] == [Answered]


def test_the_books_know_requests_again_after_a_replay() -> None:
    ledger = Ledger()
    journal = ledger.requests.of("bob")
    assert ledger.requests.of("bob") is journal
    receive(journal, b"1")
    journal.hold(b"1", 7)
    receive(journal, b"2")
    journal.hold(b"2", 8)
    journal.answer(b"2", b"fulfill")
    batch = ledger.take_batch()
    assert batch is not None
    again = Ledger()
    for record in decode_records(b"".join(batch.records)):
        again.apply(record)
    again.end_replay()
    replayed = again.requests.of("bob")
    assert receive(replayed, b"1") is Verdict.IN_PROGRESS
    assert replayed.receive(b"2", b"prepare", EXPIRES, durable=True) == (Verdict.ANSWERED, b"fulfill")
    assert receive(replayed, b"2", b"another") is Verdict.CONFLICT
    state = replayed.find(b"1")
    assert state is not None
    assert state.hold_id == 7
    assert replayed.find(b"2").hold_id == 8  # type: ignore[union-attr]  # it is there
    again.requests.handle_timer(Timestamp(EXPIRES + KEPT_AFTER_EXPIRY_MS))
    assert len(replayed) == 0


def test_an_id_requested_again_after_it_was_forgotten_is_another_request() -> None:
    """The forgetting itself is not written: a later record says it."""
    journals = RequestJournals(lambda record: None)
    journals.restore(Answered("bob", b"1", bytes(32), EXPIRES, b"old"))
    journals.restore(Requested("bob", b"1", bytes(range(32)), EXPIRES, 9))
    state = journals.of("bob").find(b"1")
    assert state is not None
    assert (state.answer, state.hold_id, state.digest) == (None, 9, bytes(range(32)))
    assert len(journals.of("bob")) == 1


def test_the_request_of_a_hold_is_found_after_a_restart_while_it_is_in_progress() -> None:
    journals = RequestJournals(lambda record: None)
    alice, bob = journals.of("alice"), journals.of("bob")
    receive(alice, b"a")
    alice.hold(b"a", 1)
    receive(alice, b"b")
    receive(bob, b"a")
    bob.hold(b"a", 2)
    receive(bob, b"c")
    bob.hold(b"c", 3)
    bob.answer(b"c", b"fulfill")
    assert journals.of_hold(1) == (alice, b"a", alice.find(b"a"))
    assert journals.of_hold(2) == (bob, b"a", bob.find(b"a"))
    assert [journals.of_hold(hold_id) for hold_id in (0, 3, 4)] == [None] * 3


def test_the_request_of_a_hold_is_not_found_once_it_is_over() -> None:
    journals = RequestJournals(lambda record: None)
    bob = journals.of("bob")
    for hold_id, request_id in enumerate((b"answered", b"forgotten", b"another")):
        receive(bob, request_id)
        bob.hold(request_id, hold_id)
    assert journals.of_hold(0) is not None
    bob.answer(b"answered", b"fulfill")
    bob.drop(b"forgotten")
    bob.drop(b"another")
    receive(bob, b"another")
    bob.hold(b"another", 7)
    assert [journals.of_hold(hold_id) for hold_id in (0, 1, 2)] == [None] * 3


def test_what_is_known_of_a_new_request() -> None:
    journal = RequestJournal("bob")
    receive(journal, b"1")
    state = journal.find(b"1")
    assert state is not None
    assert (state.hold_id, state.answer, state.record, state.durable) == (None, None, None, True)
    assert journal.capture() == []


def test_an_answer_that_was_dropped_is_written_as_an_empty_one() -> None:
    journal = RequestJournal("bob", answer_octets_max=1)
    for request_id in (b"1", b"2"):
        receive(journal, request_id)
        journal.answer(request_id, b"fulfill")
    first, second = decode_records(b"".join(journal.capture()))
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert (first.request_id, first.answer) == (b"1", b"")
    assert (second.request_id, second.answer) == (b"2", b"fulfill")


def test_what_was_forgotten_makes_no_room_twice() -> None:
    """Its entry in the heap of expiries is passed over."""
    journal = RequestJournal("bob", requests_max=2)
    ask(journal, b"1", 0, EXPIRES)
    journal.drop(b"1")
    ask(journal, b"2", 0, EXPIRES + 1)
    ask(journal, b"3", 0, EXPIRES + 2)
    journal.answer(b"2", b"x")
    assert ask(journal, b"4", EXPIRES) is Verdict.FULL
    assert ask(journal, b"4", EXPIRES + 1) is Verdict.NEW
    assert [request_id for request_id, _ in journal.entries()] == [b"3", b"4"]


# Against a model: a list that is searched from end to end.


@dataclass
class Model:
    requests_max: int
    octets_max: int
    entries: list[list[Any]] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def find(self, request_id: bytes) -> list[Any] | None:
        return next((entry for entry in self.entries if entry[0] == request_id), None)

    def forget(self, request_id: bytes) -> None:
        self.entries = [entry for entry in self.entries if entry[0] != request_id]
        self.answers = [answered for answered in self.answers if answered != request_id]

    def receive(self, request_id: bytes, octets: bytes, expires_at: int, now: int) -> tuple[Verdict, object]:
        entry = self.find(request_id)
        if entry is not None:
            if entry[1] != octets:
                return Verdict.CONFLICT, None
            return (Verdict.ANSWERED, entry[3]) if entry[3] else (Verdict.IN_PROGRESS, None)
        if len(self.entries) >= self.requests_max:
            first = min(self.entries, key=lambda entry: (entry[2], entry[0]))
            if first[2] > now or first[3] is None:
                return Verdict.FULL, None
            self.forget(first[0])
        self.entries.append([request_id, octets, expires_at, None])
        return Verdict.NEW, None

    def answer(self, request_id: bytes, answer: bytes) -> bool:
        entry = self.find(request_id)
        if entry is None or entry[3] is not None:
            return False
        entry[3] = answer
        self.answers.append(request_id)
        while sum(len(entry[3] or b"") for entry in self.entries) > self.octets_max and len(self.answers) > 1:
            oldest = self.find(self.answers.pop(0))
            assert oldest is not None
            oldest[3] = b""
        return True

    def pass_time(self, now: int) -> None:
        for request_id, _, expires_at, _ in list(self.entries):
            if expires_at + KEPT_AFTER_EXPIRY_MS <= now:
                self.forget(request_id)


ids = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), ids, st.sampled_from([b"x", b"y"]), st.integers(0, 5)),
        st.tuples(st.just("answer"), ids, st.sampled_from([b"k", b"llll"]), st.just(0)),
        st.tuples(st.just("time"), st.just(b""), st.just(b""), st.integers(0, 2)),
    ),
    max_size=60,
)


@pytest.mark.parametrize("replayed", [False, True], ids=["live", "restarted between any two steps"])
@given(steps=steps)
def test_it_does_what_a_simple_model_does(replayed: bool, steps: list[tuple[str, bytes, bytes, int]]) -> None:
    written: list[bytes] = []
    bounds = {"requests_max": 3, "answer_octets_max": 9}
    journal, model, now = RequestJournal("bob", written.append, **bounds), Model(3, 9), 0
    for what, request_id, octets, number in steps:
        if replayed:
            records = b"".join(journal.capture())
            journal = RequestJournal("bob", written.append, **bounds)
            for record in decode_records(records):
                journal.restore(record)  # type: ignore[arg-type]  # a request's
            model.entries.sort(key=lambda entry: entry[3] is not None)  # as it is captured; only the search sees it
        if what == "receive":
            expires_at = now + number
            expected = model.receive(request_id, octets, expires_at, now)
            assert journal.receive(request_id, octets, expires_at, durable=True, now=now) == expected
            if expected[0] is Verdict.NEW:
                journal.hold(request_id, 1)
        elif what == "answer":
            assert journal.answer(request_id, octets) == model.answer(request_id, octets)
        else:
            now += number * KEPT_AFTER_EXPIRY_MS // 2
            journal.handle_timer(Timestamp(now))
            model.pass_time(now)
        assert {request_id: state.answer for request_id, state in journal.entries()} == {
            entry[0]: entry[3] for entry in model.entries
        }
