"""Documents come back as they were written, or are refused with their name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import Account, AccountId, HttpForm, LinkSettings, Relation
from interledger.accounts.asset import Asset
from interledger.errors import InvalidRequestError, StoreError
from interledger.ilp.address import Address
from interledger.store.documents import Kind, decode_account, decode_document, encode_account, encode_document

PLAIN = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"))
FULL = Account(
    id=AccountId("李明"),
    asset=Asset("XRP", 6),
    ilp_address=Address("g.bank.li"),
    relation=Relation.CHILD,
    packet_amount_max=2**64 - 1,
    owes_us_max=2**63,
    we_owe_max=0,
    packets_per_minute=1,
    amount_per_minute=2**64,
    round_trip_time_ms=250,
    settle_threshold=10,
    settle_to=-5,
    settlement_engine_url="http://engine",
    link=LinkSettings(
        http_url="https://li", http_outgoing_token="t", btp_incoming_token_digest="ab", http_form=HttpForm.OER_SYNC
    ),
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**100), 2**100) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("account", [PLAIN, FULL])
def test_an_account_comes_back(account: Account) -> None:
    text = encode_document(encode_account(account))
    assert decode_document(Kind.ACCOUNT, account.id, text) == account


def test_an_account_of_before_there_were_forms_of_http_is_read() -> None:
    document = json.loads(encode_document(encode_account(FULL)))
    del document["body"]["link"]["http_form"]
    account = decode_document(Kind.ACCOUNT, FULL.id, json.dumps(document))
    assert account.link.http_form is HttpForm.SYNC


def test_amounts_are_text_and_the_version_is_there() -> None:
    document = json.loads(encode_document(encode_account(FULL)))
    assert document["version"] == 1
    assert document["body"]["packet_amount_max"] == "18446744073709551615"
    assert document["body"]["settle_to"] == "-5"
    assert encode_account(PLAIN)["owes_us_max"] is None


@given(json_values)
def test_any_document_comes_back(value: Any) -> None:
    assert decode_document(Kind.FACT, "x", encode_document(value)) == value


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), b"octets", {1: "key"}, "\ud800", (1,), object()])
def test_K5_K6_what_would_come_back_otherwise_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="not a document"):
        encode_document(value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"version":2,"body":1}', "of version 2, this program reads version 1"),
        ('{"body":1}', "no version"),
        ("[]", "no version"),
        ('{"version":1,"body":1,"body":2}', "same key twice"),
        ('{"version":1,"body":1.5}', "1.5 is not an integer"),
        ('{"version":1,"body":NaN}', "NaN"),
        ("{", "not JSON"),
    ],
)
def test_K5_a_document_that_cannot_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as caught:
        decode_document(Kind.FACT, "secret-name", text)
    assert "fact “secret-name”" in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("relation", "stranger"), ("owes_us_max", "1e9"), ("link", {"color": "red"}), ("packet_amount_max", None)],
)
def test_an_account_with_a_wrong_field_is_refused(field: str, value: Any) -> None:
    fields = {**encode_account(PLAIN), field: value}
    if value is None:
        del fields[field]
    with pytest.raises(StoreError, match="the stored document account “bob” cannot be read"):
        decode_document(Kind.ACCOUNT, "bob", encode_document(fields))


def test_an_account_of_a_later_program_is_refused() -> None:
    with pytest.raises(TypeError):
        decode_account({**encode_account(PLAIN), "colour": "blue"})
