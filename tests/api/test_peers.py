"""`/api/peers` and `/auto-peering` in front of real nodes: who may ask what, and in which words the answer comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interledger.accounts.asset import parse_asset
from interledger.api.app import create_app
from interledger.api.client import ApiClient, ApiError
from interledger.api.peers import AUTO_PEERINGS_PER_MINUTE, REDEEMS_PER_MINUTE
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.node.node import Node
from interledger.node.settings import Settings

INVITE = {"asset_code": "USD", "asset_scale": 9, "name": "carol", "limits": {"owes_us_max": "500", "we_owe_max": None}}
RAFIKI = {
    "staticIlpAddress": "test.rafiki",
    "ilpConnectorUrl": "https://rafiki.example:3002",
    "asset": {"code": "USD", "scale": 2},
    "httpToken": "their-token",
    "maxPacketAmount": None,
    "name": "Rafiki",
}


async def started(address: str, **more: Any) -> Node:
    values: dict[str, Any] = {
        "ilp_address": address,
        "admin_auth_token": "admin",
        "secret_seed": bytes(32),
        "http_bind_address": "127.0.0.1:0",
        "durability": "memory",
        "development": True,
    }
    node = Node(Settings(**values, **more))
    await node.start(create_app(node))
    return node


def url_of(node: Node) -> str:
    return f"http://127.0.0.1:{node.port}"


@pytest.fixture
async def hub() -> AsyncIterator[Node]:
    node = await started("test.hub", auto_peering_enabled=True, auto_peering_assets={parse_asset("USD/2"): 100})
    yield node
    await node.stop()


@pytest.fixture
async def carol() -> AsyncIterator[Node]:
    node = await started("local.host")
    yield node
    await node.stop()


async def post(node: Node, path: str, body: Any, token: str | None = None, **headers: str) -> Response:
    authorization = {} if token is None else {"Authorization": f"Bearer {token}"}
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await fetch(
        "POST",
        url_of(node) + path,
        headers={"Content-Type": "application/json", **authorization, **headers},
        body=octets,
        egress=EgressPolicy(development=True),
    )


async def test_an_invitation_from_its_making_to_its_end(hub: Node, carol: Node) -> None:
    operator, invited = ApiClient(url_of(hub), "admin"), ApiClient(url_of(carol), "admin")
    made = await operator.create_invite(INVITE)
    assert (made["state"], made["name"], made["url"]) == ("open", "carol", url_of(hub))
    assert made["limits"] == {"owes_us_max": "500", "we_owe_max": None, "packet_amount_max": None}
    listed = await operator.invites()
    assert [(i["id"], "invite" in i) for i in listed] == [(made["id"], False)]
    joined = await invited.accept_invite({"invite": made["invite"], "owes_us_max": 7})
    assert (joined["id"], joined["check"]["good"]) == ("hub", True)
    limits = joined["account"]["limits"]
    assert (limits["owes_us_max"], limits["we_owe_max"]) == ("7", "500")
    assert (await invited.accept_invite({"invite": made["invite"]}))["id"] == "hub"
    assert [(i["state"], i["account"]) for i in await operator.invites()] == [("spent", "carol")]
    assert (await operator.check_peer("carol"))["good"]
    with pytest.raises(ApiError, match="used already; what came of it is the account “carol”"):
        await operator.revoke_invite(made["id"])
    other = await operator.create_invite(INVITE | {"name": "dave", "relation": "peer", "link": "http"})
    assert (await operator.revoke_invite(other["id"]))["state"] == "revoked"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"asset_code": None}, "asset_code"),
        ({"relation": "parent"}, "relation"),
        ({"link": "pigeon"}, "link"),
        ({"name": "not a name"}, "name"),
        ({"limits": {"owes_us_max": "-1"}}, "limits.owes_us_max"),
        ({"expires_in_ms": 10**12}, "expires_in_ms"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_an_invitation_is_asked_for_strictly(hub: Node, changes: dict[str, Any], field: str) -> None:
    answer = await post(hub, "/api/peers/invites", INVITE | changes, "admin")
    assert (answer.status, json.loads(answer.body)["field"]) == (400, field)


@pytest.mark.parametrize(
    "path", ["/api/peers/invites", "/api/peers/accept", "/api/peers", "/api/peers/x/check", "/api/peers/echo"]
)
async def test_nobody_may_without_a_token(hub: Node, path: str) -> None:
    assert (await post(hub, path, {})).status == 401


async def test_an_account_may_ask_for_an_echo_and_for_nothing_else(hub: Node, carol: Node) -> None:
    made = await ApiClient(url_of(hub), "admin").create_invite(INVITE)
    await ApiClient(url_of(carol), "admin").accept_invite({"invite": made["invite"]})
    token = carol.account("hub").link.btp_outgoing_token
    echo = json.loads((await post(hub, "/api/peers/echo", {}, token)).body)
    assert (echo["code"], echo["asset"], echo["owes_us_max"]) == (None, "USD/9", "500")
    assert (await post(hub, "/api/peers/invites", INVITE, token)).status == 403
    assert (await post(hub, "/api/peers/echo", {}, "admin")).status == 400


async def test_F5_who_redeems_is_counted(hub: Node) -> None:
    body = {"version": 1, "secret": "x" * 32, "nonce": "n" * 32, "name": "eve", "address": "test.eve", "token": "t"}
    statuses = [(await post(hub, "/api/peers/redeem", body)).status for _ in range(REDEEMS_PER_MINUTE + 1)]
    assert (set(statuses[:-1]), statuses[-1]) == ({404}, 429)
    elsewhere = await post(hub, "/api/peers/redeem", b"{", None, **{"X-Forwarded-For": "198.51.100.1"})
    assert elsewhere.status == 400


async def test_what_is_too_large_or_no_json_is_not_read(hub: Node) -> None:
    assert (await post(hub, "/api/peers/redeem", b" " * 9_000)).status == 413
    plain = await post(hub, "/api/peers/redeem", b"{}", None, **{"Content-Type": "text/plain"})
    assert plain.status == 415


async def test_a_rafiki_asks_in_its_own_words(hub: Node) -> None:
    answer = await post(hub, "/auto-peering", RAFIKI)
    assert (answer.status, set(json.loads(answer.body))) == (
        200,
        {"staticIlpAddress", "ilpConnectorUrl", "httpToken", "name", "tenantId"},
    )
    unknown = await post(hub, "/auto-peering", RAFIKI | {"asset": {"code": "EUR", "scale": 2}})
    error = json.loads(unknown.body)["error"]
    assert (unknown.status, error["code"], error["type"], error["message"]) == (
        404,
        404,
        "UnknownAsset",
        "Unknown asset",
    )
    for octets, headers in ((b"{", {}), (b" " * 9_000, {}), (b"{}", {"Content-Type": "text/plain"})):
        refused = await post(hub, "/auto-peering", octets, None, **headers)
        assert (refused.status, json.loads(refused.body)["error"]["type"]) == (400, "InvalidPeeringRequest")
    statuses = [(await post(hub, "/auto-peering", b"{")).status for _ in range(AUTO_PEERINGS_PER_MINUTE)]
    assert statuses[-1] == 429


async def test_auto_peering_is_off_unless_it_is_set(carol: Node) -> None:
    assert (await post(carol, "/auto-peering", RAFIKI)).status == 404


async def test_we_add_a_peer_by_its_url(hub: Node, carol: Node) -> None:
    operator = ApiClient(url_of(carol), "admin")
    await carol.set_address(carol.address.replace("local.host", "test.carol"))  # type: ignore[arg-type]  # one is one
    body = {"url": url_of(hub) + "/auto-peering", "asset_code": "USD", "asset_scale": 2, "name": "uncle"}
    added = await operator.add_peer(body | {"token": "t" * 32, "limits": {"owes_us_max": "9"}})
    assert (added["id"], added["account"]["ilp_address"], added["check"]["good"]) == ("uncle", "test.hub", True)
    assert carol.account("uncle").link.http_outgoing_token == "t" * 32
    with pytest.raises(ApiError, match="does not offer EUR/9"):
        await operator.add_peer(body | {"asset_code": "EUR", "asset_scale": 9})
