"""An account's table in the file: our names in spoken money, interledger-rs's in units."""

from __future__ import annotations

from hashlib import sha256

import pytest

from interledger.accounts.account import HttpForm, Relation, token_digest
from interledger.accounts.asset import NO_CURRENCY, Asset
from interledger.errors import InvalidRequestError
from interledger.node.settings_accounts import parse_account

S3 = sha256(b"s3").hexdigest()


def test_our_names() -> None:
    account = parse_account(
        "Bob",
        {
            "asset": "eur/9",
            "relation": "peer",
            "owes_us_max": "400 EUR",
            "we_owe_max": "600",
            "packet_amount_max": "50.5",
            "packets_per_minute": "12",
            "amount_per_minute": "1000",
            "round_trip_time_ms": "200",
            "settle_threshold": "450",
            "settle_to": "0",
            "settlement_engine_url": "http://localhost:3000",
            "http_url": "https://bob.example/accounts/hub/ilp",
            "http_incoming_token": "in",
            "http_outgoing_token": "out",
            "btp_url": "btp+wss://bob.example/btp",
            "btp_outgoing_token": "out2",
            "btp_version": "2.0-I",
            "http_form": "oer-async",
            "http_callback_url": "https://us.example/ilp",
            "token": "s3",
        },
        "test.hub",
    )
    assert account.id == "bob"
    assert account.asset == Asset("EUR", 9)
    assert account.ilp_address == "test.hub.bob"
    assert account.relation is Relation.PEER
    assert (account.owes_us_max, account.we_owe_max) == (400 * 10**9, 600 * 10**9)
    assert (account.packet_amount_max, account.amount_per_minute) == (505 * 10**8, 1000 * 10**9)
    assert (account.settle_threshold, account.settle_to, account.packets_per_minute) == (450 * 10**9, 0, 12)
    assert account.round_trip_time_ms == 200
    assert account.settlement_engine_url == "http://localhost:3000"
    assert account.link.http_url == "https://bob.example/accounts/hub/ilp"
    assert account.link.http_incoming_token_digest == sha256(b"in").hexdigest()
    assert account.link.http_outgoing_token == "out"
    assert account.link.btp_url == "wss://bob.example/btp"
    assert account.link.btp_outgoing_token == "out2"
    assert account.link.btp_version == "2.0-I"
    assert account.link.http_form is HttpForm.OER_ASYNC
    assert account.link.http_callback_url == "https://us.example/ilp"
    assert account.link.btp_incoming_token_digest == S3


def test_names_of_interledger_rs() -> None:
    account = parse_account(
        "alice",
        {
            "asset_code": "usd",
            "asset_scale": "2",
            "ilp_address": "example.alice",
            "routing_relation": "Child",
            "max_packet_amount": "1000",
            "min_balance": "-5000",
            "packets_per_minute_limit": "60",
            "amount_per_minute_limit": "7000",
            "round_trip_time": "300",
            "ilp_over_http_url": "http://localhost:7771",
            "ilp_over_http_incoming_token": "s3",
            "ilp_over_http_outgoing_token": "out",
            "ilp_over_btp_url": "btp+ws://localhost:7771",
            "ilp_over_btp_incoming_token": "s3",
            "ilp_over_btp_outgoing_token": "out",
        },
        "test.hub",
    )
    assert (account.asset, account.ilp_address, account.relation) == (Asset("USD", 2), "example.alice", Relation.CHILD)
    assert (account.packet_amount_max, account.owes_us_max, account.amount_per_minute) == (1000, 5000, 7000)
    assert account.link.http_incoming_token_digest == account.link.btp_incoming_token_digest == S3
    assert account.link.btp_url == "ws://localhost:7771"


def test_a_token_alone_is_for_both_links() -> None:
    account = parse_account("bob", {"asset": "EUR/2", "token": "s3"}, "test.hub")
    assert account.link.http_incoming_token_digest == account.link.btp_incoming_token_digest == token_digest("s3")
    assert account.owes_us_max is None


@pytest.mark.parametrize(
    ("name", "table", "field", "message"),
    [
        ("bob", {}, "asset", "has no asset"),
        ("bob", {"relation": "parent", "owes_us_max": "5"}, "owes_us_max", "has no asset"),
        ("bob", {"relation": "peer"}, "asset", "has no asset"),
        ("bob", {"owes_us_max": "5"}, "owes_us_max", "has no asset"),
        ("b", {"asset": "USD/2"}, "", "account name"),
        ("bob", {"asset": "USD"}, "asset", "code and scale"),
        ("bob", {"asset": "USD/2", "owes_us_max": "5 EUR"}, "owes_us_max", "is in EUR, the account is in USD"),
        ("bob", {"asset": "USD/2", "owes_us_max": "5.001"}, "owes_us_max", "decimal places"),
        ("bob", {"asset": "USD/2", "owes_us_max": "$5"}, "owes_us_max", "which dollar"),
        ("bob", {"asset": "USD/2", "min_balance": "5"}, "min_balance", "lower bound"),
        ("bob", {"asset": "USD/2", "relation": "friend"}, "relation", "not one of"),
        ("bob", {"asset": "USD/2", "btp_url": "http://x"}, "btp_url", "BTP URL"),
        ("bob", {"asset": "USD/2", "http_url": "x"}, "http_url", "not a URL"),
        ("bob", {"asset": "USD/2", "http_incoming_jwt_secret": "weak"}, "http_incoming_jwt_secret", "32 octets"),
        ("bob", {"asset": "USD/2", "http_outgoing_jwt_secret": "weak"}, "http_outgoing_jwt_secret", "32 octets"),
        ("bob", {"asset": "USD/2", "client_certificate": "md5:00"}, "client_certificate", "sha256"),
        ("bob", {"asset": "USD/2", "http_jwt_require_subject": "maybe"}, "http_jwt_require_subject", "true"),
        ("bob", {"asset": "USD/2", "http_form": "oer"}, "http_form", "not one of  sync  async  oer-sync  oer-async"),
        ("bob", {"asset": "USD/2", "token": "a b"}, "token", "printable ASCII"),
    ],
)
def test_faults_name_the_key(name: str, table: dict[str, str], field: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        parse_account(name, table, "test.hub")
    assert caught.value.field == field


def test_a_parent_need_not_have_an_asset_because_it_tells_its_own() -> None:
    assert parse_account("isp", {"relation": "parent"}, "test.me").asset == NO_CURRENCY


def test_credentials_of_a_file() -> None:
    secret = "0123456789abcdef" * 2
    table = {
        "asset": "USD/9",
        "http_incoming_jwt_secret": secret,
        "http_jwt_require_subject": "no",
        "client_certificate": "subject:CN=bob.example",
        "client_certificate_required": "yes",
        "tls_ca_file": "bobs-ca.pem",
    }
    link = parse_account("bob", table, "test.hub").link
    assert (link.http_incoming_jwt_secret, link.http_jwt_require_subject) == (secret, False)
    assert (link.client_certificates, link.client_certificate_required) == (("subject:CN=bob.example",), True)
    assert link.tls_ca_file == "bobs-ca.pem"
