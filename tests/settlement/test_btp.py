"""How a node and its engine hand each other requests of a BTP link, octet by octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DecodeError, InvalidRequestError
from interledger.link.btp.messages import ProtocolData
from interledger.link.btp.subprotocols import Refusal
from interledger.settlement.btp import (
    SUBPROTOCOLS_MAX,
    BtpRequest,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    parse_subprotocols,
)
from interledger.settlement.messages import EngineTerms, decode_engine_terms, encode_new_account

NOW = Timestamp(1_795_262_400_000)
ENTRIES = st.lists(
    st.builds(
        ProtocolData,
        st.text("abc_", min_size=1, max_size=9),
        st.integers(0, 255),
        st.binary(max_size=60),
    ),
    max_size=5,
).map(tuple)


@given(ENTRIES, st.none() | st.integers(0, 2**64 - 1))
def test_a_request_comes_back_as_it_was(entries: tuple[ProtocolData, ...], amount: int | None) -> None:
    assert decode_request(encode_request(entries, amount), "test.a") == BtpRequest(entries, amount, "test.a")


@given(ENTRIES)
def test_an_answer_comes_back_as_it_was(entries: tuple[ProtocolData, ...]) -> None:
    assert decode_answer(encode_answer(entries, NOW)) == entries
    refusal = Refusal("F01", "not that", entries)
    assert decode_answer(encode_answer(refusal, NOW)) == refusal


def test_a_request_is_no_answer_and_an_answer_no_request() -> None:
    for octets in (encode_request((), None), encode_request((), 5), b"", b"\x07\x00"):
        with pytest.raises(DecodeError):
            decode_answer(octets)
    for octets in (encode_answer((), NOW), encode_answer(Refusal("F00", ""), NOW), b"\x06"):
        with pytest.raises(DecodeError):
            decode_request(octets)


def test_an_amount_has_64_bits_and_a_code_of_no_meaning_is_F00() -> None:
    with pytest.raises(InvalidRequestError):
        encode_request((), 1 << 64)
    answer = decode_answer(encode_answer(Refusal("XYZ", "why"), NOW))
    assert answer == Refusal("F00", "why")


def test_an_engine_names_what_it_speaks_when_it_is_told_of_an_account() -> None:
    assert decode_engine_terms(encode_new_account("a", ("info", "claim"))) == EngineTerms("a", ("info", "claim"))
    assert decode_engine_terms(b'{"id":"a"}') == EngineTerms("a")
    assert decode_engine_terms(b"") == EngineTerms(None)
    assert b"btp" not in encode_new_account("a")


@pytest.mark.parametrize(
    "names", ["info", 5, [5], [""], ["ilp"], ["auth"], ["é"], ["a" * 65], ["a\n"], ["a"] * (SUBPROTOCOLS_MAX + 1)]
)
def test_names_that_cannot_be(names: object) -> None:
    with pytest.raises(InvalidRequestError):
        parse_subprotocols(names)
