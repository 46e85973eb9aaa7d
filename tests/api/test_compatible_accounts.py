"""`/accounts` as interledger-rs has it. The request bodies are the shapes its documents and its CLI send."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from interledger.accounts.account import Relation

ADMIN, ALICE, BOB = "admin-token", "alice-token", "bob-token"
U64_MAX = 2**64 - 1

CAROL = {
    "username": "Carol",
    "asset_code": "abc",
    "asset_scale": 9,
    "ilp_over_http_incoming_token": "carol-in",
    "ilp_over_http_outgoing_token": "carol-out",
    "ilp_over_http_url": "https://carol.test/accounts/us/ilp",
    "ilp_over_btp_url": "wss://carol.test/accounts/us/ilp/btp",
    "ilp_over_btp_incoming_token": "carol-btp-in",
    "ilp_over_btp_outgoing_token": "carol-btp-out",
    "routing_relation": "Peer",
    "round_trip_time": "600",
    "min_balance": "-1000000000",
    "max_packet_amount": 100,
    "settle_threshold": 150_000_000_000,
    "settle_to": "-5",
    "amount_per_minute_limit": 7,
    "packets_per_minute_limit": "8",
    "settlement_engine_url": "http://localhost:3000",
    "a field of a later version": {"is": "ignored"},
}


async def test_post_accounts_takes_every_field_and_shows_no_token(call: Any, node: Any) -> None:
    answer = await call("POST", "/accounts", CAROL)
    assert answer.status == 200
    shown = answer.json
    assert len(shown.pop("id")) == 36
    assert shown == {
        "username": "carol",
        "ilp_address": "test.hub.carol",
        "asset_code": "ABC",
        "asset_scale": 9,
        "max_packet_amount": 100,
        "min_balance": -1_000_000_000,
        "routing_relation": "Peer",
        "round_trip_time": 600,
        "amount_per_minute_limit": 7,
        "packets_per_minute_limit": 8,
        "settle_threshold": 150_000_000_000,
        "settle_to": -5,
        "settlement_engine_url": "http://localhost:3000",
        "ilp_over_http_url": "https://carol.test/accounts/us/ilp",
        "ilp_over_http_incoming_token": "SECRET",
        "ilp_over_http_outgoing_token": "SECRET",
        "ilp_over_btp_url": "wss://carol.test/accounts/us/ilp/btp",
        "ilp_over_btp_incoming_token": "SECRET",
        "ilp_over_btp_outgoing_token": "SECRET",
    }
    kept = node.kept["carol"]
    assert (kept.relation, kept.owes_us_max) == (Relation.PEER, 1_000_000_000)
    assert kept.link.http_incoming_token_digest == sha256(b"carol-in").hexdigest()
    assert kept.link.btp_outgoing_token == "carol-btp-out"


async def test_defaults_are_those_of_interledger_rs(call: Any, node: Any) -> None:
    answer = await call("POST", "/accounts", {"username": "carol", "asset_code": "USD", "asset_scale": 2})
    shown = answer.json
    assert shown["routing_relation"] == "NonRoutingAccount"
    assert shown["max_packet_amount"] == U64_MAX
    assert shown["round_trip_time"] == 500
    assert shown["min_balance"] is None
    assert shown["ilp_over_http_incoming_token"] is None
    assert str(U64_MAX).encode() in answer.body, "large integers leave exactly"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": None}, "username"),
        ({"username": "a"}, "username"),
        ({"username": 12}, "username"),
        ({"asset_code": None}, "asset_code"),
        ({"asset_code": "€"}, "asset_code"),
        ({"asset_scale": 256}, "asset_scale"),
        ({"asset_scale": True}, "asset_scale"),
        ({"asset_scale": 2.0}, "asset_scale"),
        ({"asset_scale": "2e0"}, "asset_scale"),
        ({"asset_scale": "٣"}, "asset_scale"),
        ({"asset_scale": None}, "asset_scale"),
        ({"max_packet_amount": 2**64}, "max_packet_amount"),
        ({"max_packet_amount": -1}, "max_packet_amount"),
        ({"min_balance": -(2**63) - 1}, "min_balance"),
        ({"min_balance": 1}, "min_balance"),
        ({"min_balance": "1_0"}, "min_balance"),
        ({"routing_relation": "peer"}, "routing_relation"),
        ({"ilp_address": "nowhere"}, "ilp_address"),
        ({"ilp_over_http_incoming_token": "two words"}, "ilp_over_http_incoming_token"),
        ({"ilp_over_http_incoming_token": "SECRET"}, "ilp_over_http_incoming_token"),
        ({"ilp_over_btp_outgoing_token": ""}, "ilp_over_btp_outgoing_token"),
        ({"ilp_over_http_url": 5}, "ilp_over_http_url"),
    ],
)
async def test_post_accounts_refuses(call: Any, changes: dict[str, Any], field: str) -> None:
    answer = await call("POST", "/accounts", CAROL | changes)
    assert (answer.status, answer.problem, answer.json["field"]) == (400, "invalid-request", field)


async def test_a_name_is_taken_once(call: Any) -> None:
    answer = await call("POST", "/accounts", {"username": "ALICE", "asset_code": "USD", "asset_scale": 9})
    assert (answer.status, answer.problem) == (409, "conflict")


async def test_get_lists_without_paging(call: Any) -> None:
    answer = await call("GET", "/accounts")
    assert [account["username"] for account in answer.json] == ["alice", "bob"]


async def test_put_writes_anew_and_secret_keeps_a_token(call: Any, node: Any) -> None:
    await call("POST", "/accounts", CAROL)
    before = node.kept["carol"].link
    answer = await call(
        "PUT",
        "/accounts/carol",
        {
            "username": "carol",
            "asset_code": "ABC",
            "asset_scale": 9,
            "ilp_over_http_incoming_token": "SECRET",
            "ilp_over_http_outgoing_token": "new",
        },
    )
    link = node.kept["carol"].link
    assert answer.status == 200
    assert link.http_incoming_token_digest == before.http_incoming_token_digest
    assert link.http_outgoing_token == "new"
    assert (link.btp_url, link.btp_outgoing_token) == (None, None)
    assert answer.json["settle_to"] is None


@pytest.mark.parametrize("changes", [{"username": "dave"}, {"asset_code": "EUR"}, {"asset_scale": 6}])
async def test_put_keeps_name_and_asset(call: Any, changes: dict[str, Any]) -> None:
    body = {"username": "alice", "asset_code": "USD", "asset_scale": 9} | changes
    assert (await call("PUT", "/accounts/alice", body)).status == 400


async def test_an_account_changes_its_settings(call: Any, node: Any) -> None:
    body = {"ilp_over_http_url": "https://a.test/ilp", "ilp_over_http_incoming_token": "new", "settle_to": "7"}
    answer = await call("PUT", "/accounts/alice/settings", body, token=ALICE)
    assert answer.status == 200
    assert answer.json["settle_to"] == 7
    assert answer.json["ilp_over_http_incoming_token"] == "SECRET"
    assert node.authenticate("new") == "alice"
    answer = await call("PUT", "/accounts/alice/settings", {"settle_to": None, "settle_threshold": -1})
    assert (answer.json["settle_to"], answer.json["settle_threshold"]) == (7, -1)
    assert answer.json["ilp_over_http_url"] == "https://a.test/ilp"
    assert (await call("PUT", "/accounts/alice/settings", {"settle_to": -1})).status == 400
    assert (await call("PUT", "/accounts/bob/settings", {}, token="new")).status == 403


async def test_F1_a_url_that_an_account_names_itself_is_called_at_public_addresses_only(call: Any, node: Any) -> None:
    def public_only() -> tuple[bool, bool]:
        link = node.kept["alice"].link
        return link.http_public_only, link.btp_public_only

    http, btp = {"ilp_over_http_url": "https://a.test/ilp"}, {"ilp_over_btp_url": "wss://a.test/btp"}
    await call("PUT", "/accounts/alice/settings", http, token=ALICE)
    assert public_only() == (True, False)
    await call("PUT", "/accounts/alice/settings", btp, token=ALICE)
    assert public_only() == (True, True)
    # The same again is nothing new, and the operator's word makes it the operator's.
    await call("PUT", "/accounts/alice/settings", http)
    assert public_only() == (True, True)
    await call("PATCH", "/api/accounts/alice", {"link": {"http_url": "https://10.0.0.5/ilp"}})
    assert public_only() == (False, True)
    await call("PATCH", "/api/accounts/alice", {"link": {"btp_url": "wss://10.0.0.5/btp"}})
    assert public_only() == (False, False)


async def test_delete_answers_with_what_was(call: Any, node: Any) -> None:
    assert (await call("DELETE", "/accounts/alice")).json["username"] == "alice"
    assert (await call("DELETE", "/accounts/alice")).status == 404
    assert "alice" not in node.kept


@pytest.mark.parametrize(
    ("net", "balance"),
    [
        (0, b'"balance":0,'),
        (-1_500_000_000, b'"balance":1.5,'),
        (2**63, b'"balance":-9223372036.854775808,'),
        (1, b'"balance":-0.000000001,'),
    ],
)
async def test_balance_counts_from_the_accounts_side_and_is_exact(
    call: Any, node: Any, net: int, balance: bytes
) -> None:
    position = node.position("alice")._replace(receivable=max(net, 0), payable=max(-net, 0), net=net)
    node.positions["alice"] = position
    answer = await call("GET", "/accounts/alice/balance", token=ALICE)
    assert balance in answer.body
    assert answer.json["asset_code"] == "USD"
    assert answer.json["position"]["net"] == str(net)
    assert answer.json["balance_exact"].encode() == balance[10:-1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/accounts/alice/settings", {"settlement_engine_url": "http://10.0.0.1:3000"}),
        ("PATCH", "/api/accounts/alice", {"settlement_engine_url": "http://10.0.0.1:3000"}),
        ("PUT", "/accounts/alice", {"settlement_engine_url": "http://10.0.0.1:3000"}),
    ],
)
async def test_F6_no_holder_names_a_settlement_engine(
    call: Any, node: Any, method: str, path: str, body: dict[str, Any]
) -> None:
    """An engine is called wherever it is, private addresses too: only the operator says where."""
    answer = await call(method, path, body, token="alice-token")
    assert answer.status in (200, 403)
    assert node.kept["alice"].settlement_engine_url is None
