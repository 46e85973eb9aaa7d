"""Two nodes' entries compared: exactly what differs is found, in few questions, whatever the peer answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.accounts.books.past import Opening
from interledger.accounts.ledger import Hold, Ledger, Unknown
from interledger.application.statement import protocol
from interledger.application.statement.answering import answer_request
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.findings import Findings, OurBooks
from interledger.application.statement.messages import (
    Answer,
    AskItems,
    AskRange,
    AskTimes,
    Direction,
    Entry,
    Item,
    Items,
    ItemState,
    Later,
    Listed,
    Parts,
    Request,
    Summary,
    Times,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    key_of,
)
from interledger.application.statement.protocol import compare
from interledger.clock import Timestamp
from interledger.errors import RemoteProtocolError

USD = Asset("USD", 9)
DAY = 86_400_000
NOW = Timestamp(100 * DAY)
DATA_MAX = 32_767


def proof(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def key(number: int, amount: int = 5) -> bytes:
    return key_of(sha256(proof(number)).digest(), amount)


class Pair:
    """Our entries and the peer's, each a list of (direction as we see it, number, amount, at)."""

    def __init__(self, ours: list[tuple[Direction, int, int, int]], theirs: list[tuple[Direction, int, int, int]]):
        self.ours, self.theirs = ClaimIndex(Opening(0, NOW, None)), ClaimIndex(Opening(0, NOW, None))
        self.ledger = Ledger()
        for direction, number, amount, at in ours:
            claims = self.ours.of("peer/bob", USD, incoming=direction is Direction.RECEIVED)
            claims.add(key(number, amount), at, proof(number))
        for direction, number, amount, at in theirs:
            claims = self.theirs.of("peer/us", USD, incoming=direction is Direction.SENT)
            claims.add(key(number, amount), at, proof(number))
        self.theirs.caught_at = NOW
        self.asked: list[Request] = []
        self.unknown: list[Unknown] = []
        self.agreed: protocol.Agreed = {}

    def books(self) -> OurBooks:
        return OurBooks(
            asset=USD,
            sent=self.ours.of("peer/bob", USD, incoming=False),
            received=self.ours.of("peer/bob", USD, incoming=True),
            known_since=self.ours.known_since,
            unknown=self.unknown,
            open_keys={direction: set() for direction in Direction},
            now=NOW,
            hold_ms=30_000,
            agreed=self.agreed,
        )

    def answer(self, request: Request) -> Answer:
        """Over the wire, in both directions; nothing is too large for a packet."""
        self.asked.append(request)
        octets = encode_request(request)
        answer, _ = answer_request(self.ledger, self.theirs, "peer/us", USD, decode_request(octets))
        reply = encode_answer(answer)
        assert max(len(octets), len(reply)) < DATA_MAX
        assert decode_answer(reply) == answer
        return decode_answer(reply)

    def run(self, answer: Callable[[Request], Answer] | None = None) -> Findings:
        exchange = compare(self.books())
        try:
            request = next(exchange)
            while True:
                request = exchange.send((answer or self.answer)(request))
        except StopIteration as end:
            findings = end.value
            assert isinstance(findings, Findings)
            return findings


entries = st.lists(
    st.tuples(
        st.sampled_from(Direction), st.integers(0, 40), st.integers(1, 3), st.integers(NOW - 3 * DAY, NOW - 60_000)
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(common=entries, ours=entries, theirs=entries)
def test_exactly_what_differs_is_found(
    common: list[tuple[Direction, int, int, int]],
    ours: list[tuple[Direction, int, int, int]],
    theirs: list[tuple[Direction, int, int, int]],
) -> None:
    pair = Pair(common + ours, common + theirs)
    findings = pair.run()
    count_ours = Counter((direction, key(number, amount)) for direction, number, amount, _ in common + ours)
    count_theirs = Counter((direction, key(number, amount)) for direction, number, amount, _ in common + theirs)
    expected = {
        (*one, count_ours[one], count_theirs[one])
        for one in count_ours | count_theirs
        if count_ours[one] != count_theirs[one]
    }
    assert {(d.direction, d.key, d.ours, d.theirs) for d in findings.differences} == expected
    assert len(findings.differences) == len(expected)
    assert findings.is_complete
    # What is known to agree is not looked at again.
    before = len(pair.asked)
    again = pair.run()
    assert {(d.direction, d.key) for d in again.differences} == {(d.direction, d.key) for d in findings.differences}
    assert len(pair.asked) - before <= before


@pytest.mark.parametrize("shift", [0, 1, 40_000, -40_000])
def test_clocks_and_latency_make_no_difference(shift: int) -> None:
    rows = [(Direction.SENT, number, 7, NOW - DAY + number * 10_000) for number in range(500)]
    pair = Pair(rows, [(direction, number, amount, at + shift) for direction, number, amount, at in rows])
    findings = pair.run()
    assert findings.differences == []
    assert (findings.compared, findings.agreed_until) == (500, NOW - protocol.SETTLED_AFTER_MS)
    first = len(pair.asked)
    pair.run()
    assert len(pair.asked) - first == 4  # complete since when, and the summaries: twice


def test_one_among_many_is_found_in_few_questions() -> None:
    rows = [(Direction.RECEIVED, number, 7, NOW - DAY + number) for number in range(6_000)]
    pair = Pair(rows, [*rows[:4_321], *rows[4_322:]])
    findings = pair.run()
    assert [(d.key, d.ours, d.theirs) for d in findings.differences] == [(key(4_321, 7), 1, 0)]
    assert len(pair.asked) <= 9
    assert findings.differences[0].total == 7


def test_the_same_packet_many_times() -> None:
    rows = [(Direction.SENT, 1, amount, NOW - DAY) for amount in range(1, 800)]
    pair = Pair(rows + rows[:400], rows)
    assert {d.amount for d in pair.run().differences} == set(range(1, 401))
    pair = Pair([(Direction.SENT, 1, 5, NOW - DAY)] * 700, [(Direction.SENT, 1, 5, NOW - DAY)] * 699)
    assert [(d.ours, d.theirs, d.total) for d in pair.run().differences] == [(700, 699, -5)]


def test_what_is_still_moving_is_left_out() -> None:
    pair = Pair([(Direction.SENT, 1, 5, NOW - 1_000)], [])
    assert pair.run().differences == []


def test_only_the_time_that_both_know_is_compared() -> None:
    rows = [(Direction.SENT, number, 5, NOW - 4 * DAY + number * DAY) for number in range(4)]
    pair = Pair(rows, rows[2:])
    pair.theirs.known_since = NOW - 2 * DAY - 60_000
    findings = pair.run()
    assert findings.differences == []
    assert findings.since == NOW - 2 * DAY
    pair.theirs.known_since = NOW
    assert pair.run().compared == 0


# ---------------------------------------------------------------------- unknown amounts


def unknown(pair: Pair, number: int, amount: int = 5, age_ms: int = 60_000) -> Unknown:
    account = pair.ledger.account("peer/bob", USD)
    item = Unknown(len(pair.unknown) + 1, account, amount, sha256(proof(number)).digest(), NOW - age_ms)
    pair.unknown.append(item)
    return item


def test_unknown_amounts_are_asked_for_first() -> None:
    pair = Pair([(Direction.SENT, 3, 5, NOW - DAY)], [(Direction.SENT, number, 5, NOW - DAY) for number in (1, 3)])
    for number in (1, 2, 3):
        unknown(pair, number)
    pair.theirs.caught_at = NOW
    findings = pair.run()
    assert isinstance(pair.asked[0], AskItems)
    found = {one.item.id: (one.claimed, one.conclusive) for one in findings.unknown}
    assert found == {1: (True, True), 2: (False, True), 3: (False, True)}  # we count the one that they count
    assert findings.unknown[0].answer.fulfillment == proof(1)
    assert findings.differences == []  # what is unknown is no difference


def test_two_of_one_kind_and_one_is_claimed() -> None:
    pair = Pair([], [(Direction.SENT, 1, 5, NOW - DAY)])
    first, second = unknown(pair, 1, age_ms=90_000), unknown(pair, 1, age_ms=60_000)
    found = {one.item.id: one.claimed for one in pair.run().unknown}
    assert found == {first.id: True, second.id: False}


@pytest.mark.parametrize(
    ("age_ms", "known_since", "conclusive"),
    [
        (60_000, 0, True),
        (500, 0, False),  # not expired long enough
        (60_000, NOW - 151_000, True),
        (60_000, NOW - 100_000, False),  # it may have been executed before what they know
    ],
)
def test_silence_is_conclusive_only_when_nothing_can_follow(age_ms: int, known_since: int, conclusive: bool) -> None:
    pair = Pair([], [])
    pair.theirs.known_since = known_since
    unknown(pair, 1, age_ms=age_ms)
    [found] = pair.run().unknown
    assert (found.claimed, found.conclusive) == (False, conclusive)


def test_a_packet_in_flight_at_the_peer_is_open() -> None:
    pair = Pair([], [])
    legs = ((pair.ledger.account("peer/us", USD), pair.ledger.account("peer/carol", USD), 5),)
    pair.ledger.hold(legs, sha256(proof(1)).digest(), NOW, True)
    unknown(pair, 1)
    [found] = pair.run().unknown
    assert (found.conclusive, found.answer.state) == (False, ItemState.OPEN)


# ---------------------------------------------------------------------- peers that answer anything


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (AskTimes, Listed(())),
        (AskTimes, Times(0, 2, "EUR", ())),
        (AskTimes, Times(0, 9, "USD", ((7, Summary(1, 1, 1)),))),
        (AskTimes, Later(1)),
        (AskRange, Items(0, ())),
        (AskRange, Listed((Entry(key(1), 7),))),
        (AskItems, Items(0, ())),
        (AskItems, Parts(())),
    ],
)
def test_an_answer_to_another_question_ends_the_run(kind: type[Request], answer: Answer) -> None:
    pair = Pair([(Direction.SENT, 1, 5, NOW - DAY)], [])
    with pytest.raises(RemoteProtocolError):
        pair.run(lambda request: answer if isinstance(request, kind) else pair.answer(request))


def test_a_peer_that_always_differs_costs_a_bounded_run() -> None:
    pair = Pair([(Direction.SENT, number, 5, NOW - DAY) for number in range(50)], [])
    asked: list[Request] = []

    def lie(request: Request) -> Answer:
        asked.append(request)
        lie_of = Summary(2**32 - 1, 2**100, len(asked))
        if isinstance(request, AskTimes):
            first = request.since - request.since % request.width_ms
            return Times(0, 9, "USD", tuple((first + n * request.width_ms, lie_of) for n in range(1, 300)))
        if isinstance(request, AskItems):
            return Items(0, tuple(Item(9, ItemState(0), None) for _ in request.items))
        return Parts(tuple((octet, lie_of) for octet in range(256)))

    try:
        findings = pair.run(lie)
    except RemoteProtocolError:
        return
    assert len(asked) <= protocol.REQUESTS_MAX
    assert not findings.is_complete
    assert len(findings.differences) <= protocol.CANDIDATES_MAX


def test_more_candidates_than_one_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "CANDIDATES_MAX", 100)
    pair = Pair([(Direction.SENT, number, 5, NOW - DAY) for number in range(1_000)], [])
    findings = pair.run()
    assert not findings.is_complete
    assert len(findings.differences) == 100


def test_what_was_in_flight_when_the_peer_read_its_journal_is_open() -> None:
    """Executed since, it is neither counted nor in flight."""
    pair = Pair([], [])
    legs = ((pair.ledger.account("peer/us", USD), pair.ledger.account("peer/carol", USD), 5),)
    hold = pair.ledger.hold(legs, sha256(proof(1)).digest(), NOW - 60_000, True)
    assert isinstance(hold, Hold)
    pair.theirs.holds_then = (hold,)
    pair.ledger.execute(hold, proof(1))
    unknown(pair, 1)
    [found] = pair.run().unknown
    assert (found.conclusive, found.answer.state) == (False, ItemState.OPEN)
