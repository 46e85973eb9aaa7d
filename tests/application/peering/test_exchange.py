"""The documents that redeem an invitation, and the token that follows from them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.application.peering.exchange import (
    PeerEcho,
    RedeemAnswer,
    RedeemRequest,
    issued_token,
    secret_digest,
)
from interledger.clock import Timestamp
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp.address import Address

REQUEST = RedeemRequest(
    secret="s" * 32, nonce="n" * 43, name=AccountId("carol"), address=Address("local.host"), token="t" * 43,
    http_url=None,
)  # fmt: skip
ANSWER = RedeemAnswer(
    account=AccountId("carol"),
    address=Address("test.hub"),
    child_address=Address("test.hub.carol"),
    asset=Asset("USD", 9),
    token="u" * 43,
    http_url="https://hub.example/accounts/carol/ilp",
    btp_url="wss://hub.example/accounts/carol/ilp/btp",
)
ECHO = PeerEcho(
    now=Timestamp(1_795_331_976_447), address=Address("test.hub"), asset=Asset("USD", 9), packet_amount_max=None,
    owes_us_max=5, we_owe_max=None, round_trip_us=850, code=None,
)  # fmt: skip


def test_there_and_back() -> None:
    assert RedeemRequest.decode(REQUEST.encode()) == REQUEST
    assert RedeemAnswer.decode(ANSWER.encode()) == ANSWER
    assert PeerEcho.decode(json.dumps(ECHO.as_document()).encode()) == ECHO


def test_J6_no_secret_is_shown() -> None:
    shown = repr(REQUEST) + repr(ANSWER)
    assert not [text for text in ("s" * 32, "n" * 43, "t" * 43, "u" * 43) if text in shown]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": None},
        {"secret": ""},
        {"nonce": "short"},
        {"nonce": "n" * 42 + "\n"},
        {"name": "not a name"},
        {"address": "nowhere"},
        {"token": "two words"},
        {"token": "é" * 40},
        {"http_url": "ftp://carol.example"},
        {"http_url": 7},
    ],
)
def test_a_request_is_read_strictly(changes: dict[str, Any]) -> None:
    with pytest.raises((DecodeError, InvalidRequestError)):
        RedeemRequest.decode(json.dumps({**json.loads(REQUEST.encode()), **changes}).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"account": "?"}, {"address": ""}, {"child_address": "x"}, {"asset": "USD"}, {"token": ""},
        {"http_url": "nowhere"}, {"btp_url": "https://hub.example"}, {"btp_url": "wss://user:pw@hub.example"},
    ],
)  # fmt: skip
def test_an_answer_is_read_strictly(changes: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        RedeemAnswer.decode(json.dumps({**json.loads(ANSWER.encode()), **changes}).encode())


@pytest.mark.parametrize("changes", [{"now": None}, {"now": True}, {"asset": "?"}, {"round_trip_us": -1}])
def test_an_echo_is_read_strictly(changes: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        PeerEcho.decode(json.dumps({**ECHO.as_document(), **changes}).encode())


@given(st.binary(max_size=200))
def test_no_octets_are_a_surprise(octets: bytes) -> None:
    for kind in (RedeemRequest, RedeemAnswer, PeerEcho):
        with pytest.raises((DecodeError, InvalidRequestError)):
            kind.decode(octets)


def test_the_issued_token_follows_from_secret_and_both_nonces_and_from_nothing_less() -> None:
    token = issued_token("s" * 32, "n" * 43, "o" * 43)
    assert token == issued_token("s" * 32, "n" * 43, "o" * 43)
    others = {issued_token("x" * 32, "n" * 43, "o" * 43), issued_token("s" * 32, "m" * 43, "o" * 43)}
    others |= {issued_token("s" * 32, "n" * 43, "p" * 43), issued_token("s" * 32, "n" * 42, "no" * 22)}
    assert len(others | {token}) == 5
    assert len(token) == 43
    assert secret_digest("s" * 32) != secret_digest("x" * 32)
