"""`/api/accounts`: our own account resource."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from interledger.accounts.account import HttpForm, Relation

CAROL = {"id": "carol", "asset_code": "EUR", "asset_scale": 9, "relation": "peer"}


async def test_the_document(call: Any, node: Any) -> None:
    node.positions["bob"] = node.position("bob")._replace(payable=412, net=-412, pending_out=9, room=178)
    node.links["bob"] = SimpleNamespace(kind="HTTP", up=True, since=1_795_262_400_000)
    assert (await call("GET", "/api/accounts/bob", token="bob-token")).json == {
        "id": "bob",
        "relation": "peer",
        "payment_pointer": None,
        "asset_code": "EUR",
        "asset_scale": 9,
        "ilp_address": "test.hub.bob",
        "position": {"receivable": "0", "payable": "412", "net": "-412"},
        "pending": {"in": "0", "out": "9"},
        "limits": {
            "owes_us_max": "0",
            "we_owe_max": None,
            "late_claims_max": "0",
            "settle_in_max": None,
            "packet_amount_max": None,
            "packets_per_minute": None,
            "amount_per_minute": None,
        },
        "room": "178",
        "link": {
            "kind": "HTTP",
            "up": True,
            "since": "2026-11-21T12:00:00.000Z",
            "http_url": None,
            "http_form": "sync",
            "http_callback_url": None,
            "http_incoming_token": True,
            "http_outgoing_token": False,
            "btp_url": None,
            "btp_version": "2.0",
            "btp_incoming_token": False,
            "btp_outgoing_token": False,
            "http_incoming_jwt_secret": False,
            "http_outgoing_jwt_secret": False,
            "http_outgoing_jwt_subject": None,
            "http_jwks_url": None,
            "http_jwt_issuer": None,
            "http_jwt_audience": None,
            "http_jwt_subject": None,
            "http_jwt_require_subject": True,
            "client_certificates": [],
            "client_certificate_required": False,
            "tls_ca_file": None,
            "tls_certificate_file": None,
            "tls_key_file": None,
        },
        "settle_threshold": None,
        "settle_to": None,
        "settlement_engine_url": None,
        "send_routes": None,
        "receive_routes": None,
        "ccp_full_updates": False,
        "peer_balance": False,
        "paused": False,
        "round_trip_time_ms": 500,
    }


async def test_post_makes_an_account_that_may_owe_nothing_unless_said(call: Any, node: Any) -> None:
    answer = await call("POST", "/api/accounts", CAROL)
    assert (answer.status, answer.headers["location"]) == (201, "/api/accounts/carol")
    assert answer.json["limits"]["owes_us_max"] == "0"
    assert (node.kept["carol"].relation, node.kept["carol"].ilp_address) == (Relation.PEER, "test.hub.carol")


async def test_every_field_goes_in(call: Any, node: Any) -> None:
    body = CAROL | {
        "ilp_address": "test.carol",
        "limits": {"owes_us_max": "400", "we_owe_max": 600, "packet_amount_max": "50", "packets_per_minute": 9},
        "link": {
            "http_url": "https://c.test/ilp",
            "http_incoming_token": "in",
            "http_outgoing_token": "out",
            "btp_incoming_token": "b",
            "btp_version": "2.0-I",
            "http_form": "async",
            "http_callback_url": "https://us.test/ilp",
        },
        "settle_threshold": "450",
        "settle_to": "-1",
        "settlement_engine_url": "http://localhost:3000",
        "round_trip_time_ms": 20,
    }
    answer = await call("POST", "/api/accounts", body)
    kept = node.kept["carol"]
    assert answer.status == 201
    assert (kept.owes_us_max, kept.we_owe_max, kept.packet_amount_max) == (400, 600, 50)
    assert kept.link.http_incoming_token_digest == sha256(b"in").hexdigest()
    assert kept.link.btp_incoming_token_digest == sha256(b"b").hexdigest()
    assert kept.link.btp_version == "2.0-I"
    assert (kept.link.http_form, kept.link.http_callback_url) == (HttpForm.ASYNC, "https://us.test/ilp")
    assert (kept.link.http_outgoing_token, kept.settle_to, kept.round_trip_time_ms) == ("out", -1, 20)
    assert b'"in"' not in answer.body.replace(b'"pending":{"in"', b"")


@pytest.mark.parametrize(
    ("changes", "field", "suggestion"),
    [
        ({"realtion": "peer"}, "realtion", "relation"),
        ({"limits": {"owe_us_max": "1"}}, "limits.owe_us_max", "owes_us_max"),
        ({"link": {"token": "x"}}, "link.token", None),
        ({"relation": "per"}, "relation", "peer"),
        ({"relation": "xyz"}, "relation", None),
        ({"link": {"http_form": "oer-asinc"}}, "link.http_form", "oer-async"),
        ({"limits": {"owes_us_max": 1.5}}, "limits.owes_us_max", None),
        ({"limits": {"owes_us_max": "-1"}}, "limits.owes_us_max", None),
        ({"limits": []}, "limits", None),
        ({"id": "x y"}, "id", None),
        ({"asset_code": "U/2"}, "asset_code", None),
        ({"link": {"http_incoming_token": "a b"}}, "link.http_incoming_token", None),
        ({"ilp_address": "x"}, "ilp_address", None),
        ({"\n" * 50: 1}, "\n" * 40, None),
    ],
)
async def test_post_refuses(call: Any, changes: dict[str, Any], field: str, suggestion: str | None) -> None:
    answer = await call("POST", "/api/accounts", CAROL | changes)
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert (answer.json["field"], answer.json.get("suggestion")) == (field, suggestion)
    assert "\n" not in answer.json["detail"]


async def test_patch_changes_what_is_named_and_clears_what_is_null(call: Any, node: Any) -> None:
    await call("POST", "/api/accounts", CAROL | {"limits": {"owes_us_max": "400", "packet_amount_max": "50"}})
    body = {
        "limits": {"owes_us_max": None, "packet_amount_max": None, "we_owe_max": "5"},
        "link": {"http_incoming_token": "new", "btp_url": "wss://c.test"},
        "relation": "child",
    }
    answer = await call("PATCH", "/api/accounts/carol", body)
    assert answer.json["limits"] == {
        "owes_us_max": None,
        "we_owe_max": "5",
        "late_claims_max": "0",
        "settle_in_max": None,
        "packet_amount_max": None,
        "packets_per_minute": None,
        "amount_per_minute": None,
    }
    assert (answer.json["relation"], answer.json["link"]["btp_url"]) == ("child", "wss://c.test")
    assert node.authenticate("new") == "carol"
    body = {"link": {"http_incoming_token": None}, "settlement_engine_url": None, "relation": None}
    answer = await call("PATCH", "/api/accounts/carol", body, content_type="application/merge-patch+json")
    assert (answer.json["link"]["http_incoming_token"], answer.json["relation"]) == (False, "local")


@pytest.mark.parametrize("body", [{"id": "dave"}, {"asset_code": "USD"}, {"asset_scale": 2}])
async def test_patch_keeps_name_and_asset(call: Any, body: dict[str, Any]) -> None:
    assert (await call("PATCH", "/api/accounts/bob", body)).status == 400
    same = {"id": "bob", "asset_code": "eur", "asset_scale": "9"}
    assert (await call("PATCH", "/api/accounts/bob", same)).status == 200


async def test_list_and_delete(call: Any, node: Any) -> None:
    assert [item["id"] for item in (await call("GET", "/api/accounts")).json["items"]] == ["alice", "bob"]
    node.positions["bob"] = node.position("bob")._replace(net=1)
    assert (await call("DELETE", "/api/accounts/bob")).problem == "conflict"
    assert (await call("DELETE", "/api/accounts/alice")).json["id"] == "alice"
    assert (await call("DELETE", "/api/accounts/alice")).status == 404


@pytest.mark.parametrize(
    ("public_url", "bound", "pointer"),
    [
        ("https://hub.example", "127.0.0.1:7770", "$hub.example/alice"),
        ("https://hub.example/pay/", "127.0.0.1:7770", "$hub.example/pay/alice"),
        (None, "127.0.0.1:0", "$localhost:7770/alice"),
        (None, "203.0.113.7:443", "$203.0.113.7:7770/alice"),
    ],
)
async def test_where_a_holder_is_paid(call: Any, node: Any, public_url: str | None, bound: str, pointer: str) -> None:
    node.settings.public_url, node.settings.http_bind_address = public_url, bound
    assert (await call("GET", "/api/accounts/alice")).json["payment_pointer"] == pointer
    assert (await call("GET", "/api/accounts/bob")).json["payment_pointer"] is None
