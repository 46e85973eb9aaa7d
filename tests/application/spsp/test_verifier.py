"""The verifier's place between payer and receiver: who is told what, and what a receipt is worth."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId
from interledger.application.spsp.receipts import NONCE_HEADER, SECRET_HEADER, parse_headers
from interledger.application.spsp.server import Credentials, answer_query
from interledger.application.spsp.verifier import ReceiptProxy
from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.transport.stream.receipts import Receipt, ReceiptKey, ReceiptVerifier

NOW = Timestamp(1_700_000_000_000)
NONCE = b"n" * 16
SHOP = "https://wallet.example/shop"
SPSP = "application/spsp4+json"


def proxy() -> ReceiptProxy:
    return ReceiptProxy(ReceiptVerifier(b"v" * 32), SHOP)


def text(total: int, secret: bytes) -> str:
    return base64.b64encode(Receipt(NONCE, 1, total).sign(secret)).decode()


def test_H16_the_query_goes_on_with_a_key_and_the_answer_comes_back() -> None:
    middle = proxy()
    query = middle.query(NONCE, NOW)
    assert query.url == SHOP
    keys: list[ReceiptKey | None] = []

    def issue(account_id: AccountId, receipts: ReceiptKey | None) -> Credentials:
        keys.append(receipts)
        return Credentials(Address("test.shop.x"), b"s" * 32)

    got = answer_query(
        "GET", AccountId("shop"), issue,
        receipt_nonce=query.headers[NONCE_HEADER], receipt_secret=query.headers[SECRET_HEADER],
    )  # fmt: skip
    reply = middle.answer(got.status, dict(got.headers)["Content-Type"], got.body)
    assert (reply.status, reply.body) == (200, got.body)
    (key,) = keys
    assert key is not None
    assert [middle.credit(text(total, key.secret), NOW) for total in (100, 250, 250, 100)] == [100, 150, 0, 0]


def test_H16_the_payer_is_not_told_the_secret() -> None:
    middle = proxy()
    query = middle.query(NONCE, NOW)
    key = parse_headers(query.headers[NONCE_HEADER], query.headers[SECRET_HEADER])
    assert key is not None
    assert query.headers[SECRET_HEADER] not in repr(query)
    body = json.dumps({"destination_account": "test.shop.x", "shared_secret": "A" * 43 + "=", "receipts_enabled": True})
    reply = middle.answer(200, SPSP, body.encode())
    assert key.secret not in reply.body
    assert query.headers[SECRET_HEADER] not in str(tuple(reply))


@pytest.mark.parametrize(
    ("status", "body", "told", "error"),
    [
        (200, {"destination_account": "test.shop", "shared_secret": "A" * 43 + "="}, 409, "NoReceiptsError"),
        (200, {"receipts_enabled": True}, 502, "InvalidReceiverAnswerError"),
        (404, {"id": "InvalidReceiverError"}, 404, "InvalidReceiverError"),
    ],
)
def test_H16_what_else_a_receiver_may_answer(status: int, body: dict[str, object], told: int, error: str) -> None:
    reply = proxy().answer(status, SPSP, json.dumps(body).encode())
    assert (reply.status, json.loads(reply.body)["id"]) == (told, error)
    assert ("Access-Control-Allow-Origin", "*") in reply.headers


def test_H16_a_nonce_is_asked_with_once() -> None:
    middle = proxy()
    middle.query(NONCE, NOW)
    with pytest.raises(ValueError, match="never used"):
        middle.query(NONCE, NOW)


@pytest.mark.parametrize("handed", ["", "½", "AAAA", "A" * 81, text(1, bytes(32))])
def test_H16_what_is_no_receipt_is_worth_nothing(handed: str) -> None:
    middle = proxy()
    middle.query(NONCE, NOW)
    with pytest.raises(DecodeError):
        middle.credit(handed, NOW)


@given(handed=st.text(max_size=100))
def test_strangers_words_never_surprise(handed: str) -> None:
    with pytest.raises(DecodeError):
        proxy().credit(handed, NOW)
