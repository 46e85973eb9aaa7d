"""Octets of statements: what is written is read again, and everything fits into a packet. Vectors hold the form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.application.statement import messages
from interledger.application.statement.messages import (
    BUCKET_MS,
    BUCKETS_MAX,
    ENTRIES_MAX,
    ITEMS_MAX,
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
    Wanted,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    statement_request,
)
from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.packet import DATA_LENGTH_MAX, Prepare
from interledger.ilp.peer import PEER_CONDITION

U64 = 2**64 - 1
moments = st.integers(0, U64)
keys = st.binary(min_size=40, max_size=40)
proofs = st.binary(min_size=32, max_size=32)
directions = st.sampled_from(Direction)
summaries = st.builds(Summary, st.integers(0, 2**32 - 1), st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
spans = st.tuples(moments, moments).filter(lambda pair: pair[0] != pair[1]).map(sorted)


@given(
    st.one_of(
        st.builds(
            lambda direction, span, prefix: AskRange(direction, *span, prefix),
            directions,
            spans,
            st.binary(max_size=39),
        ),
        st.builds(
            lambda direction, since, many, width: AskTimes(direction, since, since + many * width, width),
            directions,
            st.integers(0, 2**62),
            st.integers(1, BUCKETS_MAX - 1),
            st.integers(1, 10_000).map(lambda minutes: minutes * BUCKET_MS),
        ),
        st.builds(AskItems, directions, st.lists(st.builds(Wanted, keys, moments), max_size=9).map(tuple)),
    )
)
def test_questions_come_back(request: Request) -> None:
    assert decode_request(encode_request(request)) == request
    assert decode_request(encode_request(request) + b"later versions") == request


def ordered(firsts: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[tuple[int, Summary], ...]]:
    pairs = st.lists(st.tuples(firsts, summaries), max_size=9, unique_by=lambda pair: pair[0])
    return pairs.map(lambda rows: tuple(sorted(rows)))


@given(
    st.one_of(
        st.builds(Later, st.integers(0, 2**32 - 1)),
        st.builds(Times, moments, st.integers(0, 255), st.text(max_size=9), ordered(moments)),
        st.builds(Parts, ordered(st.integers(0, 255))),
        st.builds(Listed, st.lists(st.builds(Entry, keys, moments), max_size=9).map(lambda rows: tuple(sorted(rows)))),
        st.builds(
            Items,
            moments,
            st.lists(
                st.builds(Item, st.integers(0, 2**32 - 1), st.builds(ItemState, st.integers(0, 7)), st.none() | proofs),
                max_size=9,
            ).map(tuple),
        ),
    )
)
def test_answers_come_back(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer)) == answer
    assert decode_answer(encode_answer(answer) + b"later versions") == answer


def test_the_largest_of_each_fits_into_a_packet() -> None:
    much = Summary(2**32 - 1, 2**128 - 1, 2**128 - 1)
    for answer in (
        Times(U64, 255, "x" * 255, tuple((number, much) for number in range(BUCKETS_MAX))),
        Parts(tuple((octet, much) for octet in range(256))),
        Listed((Entry(bytes(40), U64),) * ENTRIES_MAX),
        Items(U64, (Item(2**32 - 1, ItemState(7), bytes(32)),) * ITEMS_MAX),
    ):
        assert len(encode_answer(answer)) < DATA_LENGTH_MAX * 2 // 3
        assert decode_answer(encode_answer(answer)) == answer
    request = AskItems(Direction.SENT, (Wanted(bytes(40), U64),) * ITEMS_MAX)
    assert decode_request(encode_request(request)) == request


def test_a_question_is_a_packet_without_money() -> None:
    prepare = statement_request(AskRange(Direction.SENT, 1, 2, b""), Timestamp(1_000))
    assert (prepare.amount, prepare.destination, prepare.execution_condition) == (0, "peer.statement", PEER_CONDITION)
    assert prepare.expires_at == 1_000 + messages.LIFETIME_MS
    assert isinstance(prepare, Prepare)


@pytest.mark.parametrize("octets", [b"", b"\x01", b"\x01\x04", b"\x01\x03\x00\x01", b"\xff" * 100])
def test_anything_else_is_refused(octets: bytes) -> None:
    for decode in (decode_request, decode_answer):
        with pytest.raises(DecodeError):
            decode(octets)  # type: ignore[operator]  # either
