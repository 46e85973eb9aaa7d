"""What an SPSP endpoint answers: methods, receivers, Accept headers."""

from __future__ import annotations

import itertools
import json

import pytest

from interledger.accounts.account import AccountId
from interledger.application.spsp.messages import parse_response
from interledger.application.spsp.receipts import NONCE_HEADER, SECRET_HEADER, build_headers
from interledger.application.spsp.server import Credentials, SpspReply, accepts_spsp, answer_query
from interledger.ilp.address import Address
from interledger.transport.stream.receipts import ReceiptKey

BOB = AccountId("bob")


def issuer() -> object:
    """Knows bob; a new secret for each query."""
    count = itertools.count()

    def issue(account_id: AccountId, receipts: ReceiptKey | None) -> Credentials | None:
        if account_id != BOB:
            return None
        if receipts is not None:
            return Credentials(Address("test.hub.bob.receipts"), receipts.secret)
        number = next(count)
        return Credentials(Address(f"test.hub.bob.{number}"), bytes([number]) * 32)

    return issue


def ask(method: str = "GET", account_id: str = "bob", **options: str) -> SpspReply:
    return answer_query(method, AccountId(account_id), issuer(), **options)  # type: ignore[arg-type]


def test_SP_02_answer() -> None:
    reply = ask()
    headers = dict(reply.headers)
    assert reply.status == 200
    assert headers["Content-Type"] == "application/spsp4+json"
    assert "no-cache" in headers["Cache-Control"]
    response = parse_response(headers["Content-Type"], reply.body)
    assert response.destination_account == "test.hub.bob.0"
    assert not response.receipts_enabled


def test_SP_03_fresh_secret_for_each_query() -> None:
    issue = issuer()
    bodies = {answer_query("GET", BOB, issue).body for _ in range(20)}  # type: ignore[arg-type]
    assert len({json.loads(body)["shared_secret"] for body in bodies}) == 20


def test_H16_who_brings_a_key_gets_a_receiver_that_gives_out_receipts() -> None:
    headers = build_headers(ReceiptKey(b"n" * 16, b"r" * 32))
    reply = ask(receipt_nonce=headers[NONCE_HEADER], receipt_secret=headers[SECRET_HEADER])
    document = json.loads(reply.body)
    assert (reply.status, document["receipts_enabled"]) == (200, True)
    assert document["destination_account"] == "test.hub.bob.receipts"
    assert "receipts_enabled" not in json.loads(ask().body)


@pytest.mark.parametrize(
    ("nonce", "secret", "says"),
    [
        ("AAAA", None, "Receipt-Secret is missing"),
        (None, "AAAA", "Receipt-Nonce is missing"),
        ("AAAA", "AAAA", "Receipt-Nonce is not the base64 of 16 octets"),
    ],
)
def test_H16_half_a_key_is_400(nonce: str | None, secret: str | None, says: str) -> None:
    reply = answer_query("GET", BOB, issuer(), receipt_nonce=nonce, receipt_secret=secret)  # type: ignore[arg-type]
    document = json.loads(reply.body)
    assert (reply.status, document["id"]) == (400, "InvalidReceiptHeadersError")
    assert says in document["message"]


def test_SP_05_unknown_receiver() -> None:
    reply = ask(account_id="nobody")
    assert reply.status == 404
    assert json.loads(reply.body) == {"id": "InvalidReceiverError", "message": "Invalid receiver ID"}
    assert dict(reply.headers)["Content-Type"] == "application/spsp4+json"


@pytest.mark.parametrize(
    ("method", "account_id", "status", "has_body"),
    [
        ("GET", "bob", 200, True),
        ("GET", "nobody", 404, True),
        ("HEAD", "bob", 200, False),
        ("HEAD", "nobody", 404, False),
        ("OPTIONS", "bob", 204, False),
        ("OPTIONS", "nobody", 204, False),
        ("POST", "bob", 405, True),
        ("DELETE", "bob", 405, True),
        ("get", "bob", 405, True),
    ],
)
def test_SP_06_every_answer_has_cors_headers(method: str, account_id: str, status: int, has_body: bool) -> None:
    reply = ask(method, account_id)
    headers = dict(reply.headers)
    assert (reply.status, bool(reply.body)) == (status, has_body)
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Headers"] == "web-monetization-id"
    assert ("Allow" in headers) == (status in (204, 405))


ACCEPT = [
    (None, False),
    ("", False),
    ("*/*", False),
    ("application/json", False),
    ("text/html,application/xhtml+xml,*/*;q=0.8", False),
    ("application/spsp4+json", True),
    ("application/json, application/spsp4+json", True),
    ("application/spsp4+json, application/spsp+json;q=0.5, application/json;q=0.3", True),
    ("application/spsp+json, application/otherprotocolformat", True),
    ("Application/SPSP4+json ; Q=0.2", True),
    ("application/spsp4+json;q=0", False),
    ("application/spsp4+json;q=0.000", False),
    ("application/spsp4+json;q=0.1;x=1", True),
    ("application/spsp4+jsonp", False),
]


@pytest.mark.parametrize(("accept", "wants"), ACCEPT)
def test_SPSP_2_accept(accept: str | None, wants: bool) -> None:
    assert accepts_spsp(accept) is wants


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(Credentials(Address("test.bob"), b"s" * 32))
    assert repr(ask()) == "SpspReply(status=200)"
