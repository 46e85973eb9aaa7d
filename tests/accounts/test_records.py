"""The journal's records: what is written is read, and damage is a `DecodeError`, never another record's exception."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.records import (
    AccountOpened,
    Counters,
    EntryPosted,
    Evidence,
    Executed,
    GaveUp,
    Held,
    Record,
    Released,
    Resolved,
    decode_records,
    encode_account_opened,
    encode_counters,
    encode_entry,
    encode_evidence,
    encode_executed,
    encode_gave_up,
    encode_held,
    encode_released,
    encode_resolved,
)
from interledger.accounts.request_records import (
    Answered,
    PacketAsked,
    Requested,
    encode_answered,
    encode_asked,
    encode_requested,
)
from interledger.errors import DecodeError

U64 = 2**64 - 1
HASH = bytes(range(32))

EXAMPLES: list[tuple[Record, bytes, str]] = [
    (AccountOpened(3, "peer/bob", "USD", 9), encode_account_opened(3, "peer/bob", "USD", 9),
     "01 00000003 08 706565722f626f62 03 555344 09"),
    (Held(7, True, 1000, HASH, ((1, 2, 99),)), encode_held(7, True, 1000, HASH, ((1, 2, 99),)),
     f"02 0000000000000007 01 00000000000003e8 {HASH.hex()} 01 00000001 00000002 0000000000000063"),
    (Executed(7, HASH), encode_executed(7, HASH), f"03 0000000000000007 {HASH.hex()}"),
    (Released(7), encode_released(7), "04 0000000000000007"),
    (GaveUp(7), encode_gave_up(7), "05 0000000000000007"),
    (GaveUp(7, True), encode_gave_up(7, True), "0c 0000000000000007"),
    (Resolved(7, True, "é"), encode_resolved(7, True, "é"), "06 0000000000000007 01 02 c3a9"),
    (Evidence(7, HASH), encode_evidence(7, HASH), f"07 0000000000000007 {HASH.hex()}"),
    (EntryPosted("é", ((1, 2, 2**100),)), encode_entry("é", ((1, 2, 2**100),)),
     "08 02 c3a9 01 00000001 00000002 00000010000000000000000000000000"),
    (EntryPosted("", ((0, 0, 2**127),)), encode_entry("", ((0, 0, 2**127),)),
     "08 00 01 00000000 00000000 80000000000000000000000000000000"),
    (Counters(3, 5, 2**100), encode_counters(3, 5, 2**100),
     "09 00000003 00000000000000000000000000000005 00000010000000000000000000000000"),
    (Requested("bob", b"id", HASH, 1000, 7), encode_requested("bob", b"id", HASH, 1000, 7),
     f"0a 03 626f62 02 6964 {HASH.hex()} 00000000000003e8 0000000000000007"),
    (PacketAsked(7, "bob", b"id", b"prepare"), encode_asked(7, "bob", b"id", b"prepare"),
     "10 0000000000000007 03 626f62 02 6964 07 70726570617265"),
    (Answered("bob", b"id", HASH, 1000, b"yes"), encode_answered("bob", b"id", HASH, 1000, b"yes"),
     f"0b 03 626f62 02 6964 {HASH.hex()} 00000000000003e8 03 796573"),
]  # fmt: skip

ids = st.integers(0, U64)
hashes = st.binary(min_size=32, max_size=32)
indexes = st.integers(0, 2**32 - 1)


def legs(amount_max: int, most: int) -> st.SearchStrategy[tuple[tuple[int, int, int], ...]]:
    return st.lists(st.tuples(indexes, indexes, st.integers(0, amount_max)), max_size=most).map(tuple)


records = st.one_of(
    st.builds(AccountOpened, indexes, st.text(max_size=300), st.text(max_size=10), st.integers(0, 255)),
    st.builds(Held, ids, st.booleans(), ids, hashes, legs(U64, 4)),
    st.builds(Executed, ids, hashes),
    st.builds(Released, ids),
    st.builds(GaveUp, ids, st.booleans()),
    st.builds(Resolved, ids, st.booleans(), st.text(max_size=200)),
    st.builds(Evidence, ids, hashes),
    st.builds(EntryPosted, st.text(max_size=200), legs(2**127, 4)),
    st.builds(Counters, indexes, st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1)),
    st.builds(Requested, st.text(max_size=40), st.binary(max_size=40), hashes, ids, ids),
    st.builds(Answered, st.text(max_size=40), st.binary(max_size=40), hashes, ids, st.binary(max_size=300)),
    st.builds(PacketAsked, ids, st.text(max_size=40), st.binary(max_size=40), st.binary(max_size=300)),
)


def encode(record: Record) -> bytes:
    match record:
        case AccountOpened(index, name, code, scale):
            return encode_account_opened(index, name, code, scale)
        case Held(hold_id, remote, expires_at, condition, its_legs):
            return encode_held(hold_id, remote, expires_at, condition, its_legs)
        case Executed(hold_id, fulfillment):
            return encode_executed(hold_id, fulfillment)
        case Released(hold_id):
            return encode_released(hold_id)
        case GaveUp(hold_id, interrupted):
            return encode_gave_up(hold_id, interrupted)
        case Resolved(hold_id, delivered, memo):
            return encode_resolved(hold_id, delivered, memo)
        case Evidence(hold_id, fulfillment):
            return encode_evidence(hold_id, fulfillment)
        case EntryPosted(memo, its_legs):
            return encode_entry(memo, its_legs)
        case Counters(index, debits, credits_):
            return encode_counters(index, debits, credits_)
        case Requested(account, request_id, digest, expires_at, hold_id):
            return encode_requested(account, request_id, digest, expires_at, hold_id)
        case Answered(account, request_id, digest, expires_at, answer):
            return encode_answered(account, request_id, digest, expires_at, answer)
        case PacketAsked(hold_id, account, request_id, octets):
            return encode_asked(hold_id, account, request_id, octets)


@pytest.mark.parametrize(("record", "octets", "expected"), EXAMPLES)
def test_the_octets_of_each_kind(record: Record, octets: bytes, expected: str) -> None:
    """A journal outlives the program that wrote it: these octets never change."""
    assert octets == bytes.fromhex(expected)
    assert list(decode_records(octets)) == [record]


@given(st.lists(records, max_size=8))
def test_a_commit_is_read_as_it_was_written(written: list[Record]) -> None:
    assert list(decode_records(b"".join(encode(record) for record in written))) == written


@pytest.mark.parametrize(("record", "octets", "expected"), EXAMPLES)
def test_a_record_cut_anywhere_is_refused(record: Record, octets: bytes, expected: str) -> None:
    for end in range(1, len(octets)):
        with pytest.raises(DecodeError):
            list(decode_records(octets[:end]))


def test_a_packet_is_given_up_by_time_unless_an_interruption_is_said() -> None:
    assert list(decode_records(encode_gave_up(7))) == [GaveUp(7, False)]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(DecodeError, match="unknown kind 99 at octet 9"):
        list(decode_records(encode_released(1) + b"\x63"))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(DecodeError, match="record at octet 0 cannot be read"):
        list(decode_records(b"\x01\x00\x00\x00\x00\x01\xff\x03USD\x09"))


@given(st.binary(max_size=200))
def test_any_octets_are_records_or_a_decode_error(octets: bytes) -> None:
    with contextlib.suppress(DecodeError):
        list(decode_records(octets))


def test_J5_a_flipped_bit_is_an_error_or_another_record_never_a_crash() -> None:
    octets = b"".join(example for _, example, _ in EXAMPLES)
    for bit in range(len(octets) * 8):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(DecodeError):
            list(decode_records(bytes(changed)))
