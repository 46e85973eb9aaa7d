"""The API of interledger-rs, line by line: what its users send, and what they get, against a real node over a socket.

Each row is (method, path, whose token, body, status, answer). An answer is text, or what its JSON has at least. The
rows run in their order against one node: docs/howto/move-from-interledger-rs.md says what differs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from interledger.api.app import all_operations
from interledger.ilp.packet import Fulfill, Prepare, Reject, decode_packet
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.node.node import Node
from tests.node.loopback import running, settings

ADMIN, ALICE, BOB = "admin-token", "alice-in", "bob-in"
ALICE_DETAILS = {
    "username": "alice",
    "asset_code": "ABC",
    "asset_scale": 9,
    "min_balance": -1_000_000_000,
    "ilp_over_http_incoming_token": ALICE,
}
BOB_DETAILS = {"username": "bob", "asset_code": "ABC", "asset_scale": "9", "ilp_over_http_incoming_token": BOB}
CAROL_DETAILS = {
    "username": "carol",
    "asset_code": "XYZ",
    "asset_scale": 3,
    "ilp_address": "test.carol",
    "max_packet_amount": "100",
    "min_balance": "-5",
    "ilp_over_http_url": "http://127.0.0.1:1/accounts/node/ilp",
    "ilp_over_http_outgoing_token": "carol-out",
    "ilp_over_http_incoming_token": "carol-in",
    "routing_relation": "Peer",
    "round_trip_time": 600,
    "amount_per_minute_limit": 1_000,
    "packets_per_minute_limit": 10,
    "settle_threshold": 100,
    "settle_to": 0,
}
PAID = {"receiver": "$127.0.0.1:{port}/accounts/bob/spsp", "source_amount": 1_000}
JSON = {"Content-Type": "application/json"}

ROWS: list[tuple[str, str, str | None, Any, int, Any]] = [
    ("GET", "/", None, None, 200, {"status": "Ready", "ilp_address": "test.node"}),
    ("POST", "/accounts", ADMIN, ALICE_DETAILS, 200, {"username": "alice", "ilp_address": "test.node.alice",
        "routing_relation": "NonRoutingAccount", "ilp_over_http_incoming_token": "SECRET", "asset_scale": 9}),
    ("POST", "/accounts", ADMIN, BOB_DETAILS, 200, {"username": "bob", "round_trip_time": 500}),
    ("POST", "/accounts", ADMIN, CAROL_DETAILS, 200, {"username": "carol", "ilp_address": "test.carol",
        "max_packet_amount": 100, "min_balance": -5, "routing_relation": "Peer", "packets_per_minute_limit": 10,
        "amount_per_minute_limit": 1_000, "settle_threshold": 100, "settle_to": 0, "round_trip_time": 600}),
    ("POST", "/accounts", ADMIN, BOB_DETAILS, 409, {"status": 409}),
    ("POST", "/accounts", ALICE, CAROL_DETAILS, 403, {"status": 403}),
    ("POST", "/accounts", None, CAROL_DETAILS, 401, {"status": 401}),
    ("GET", "/accounts", ADMIN, None, 200, ["alice", "bob", "carol"]),
    ("GET", "/accounts", ALICE, None, 403, {"status": 403}),
    ("GET", "/accounts/alice", ALICE, None, 200, {"username": "alice"}),
    ("GET", "/accounts/alice", ADMIN, None, 200, {"username": "alice"}),
    ("GET", "/accounts/ALICE", ADMIN, None, 200, {"username": "alice"}),
    ("GET", "/accounts/alice", BOB, None, 403, {}),
    ("GET", "/accounts/nobody", ADMIN, None, 404, {"status": 404}),
    ("PUT", "/accounts/carol", ADMIN, {**CAROL_DETAILS, "settle_threshold": 200}, 200, {"settle_threshold": 200}),
    ("PUT", "/accounts/alice/settings", ALICE, {"ilp_over_btp_incoming_token": "btp-in"}, 200,
        {"username": "alice", "ilp_over_btp_incoming_token": "SECRET"}),
    ("PUT", "/accounts/bob/settings", ALICE, {}, 403, {}),
    ("GET", "/accounts/alice/balance", ALICE, None, 200, {"balance": 0, "asset_code": "ABC"}),
    ("PUT", "/rates", ADMIN, {"ABC": 1.5, "XYZ": "2"}, 200, {"ABC": 1.5, "XYZ": 2}),
    ("GET", "/rates", None, None, 200, {"ABC": 1.5, "XYZ": 2}),
    ("PUT", "/rates", ALICE, {}, 403, {}),
    ("PUT", "/routes/static", ADMIN, {"test.far": "carol"}, 200, {"test.far": "carol"}),
    ("PUT", "/routes/static/test.near", ADMIN, b"carol", 200, "carol"),
    ("GET", "/routes", None, None, 200, {"test.far": "carol", "test.near": "carol", "test.carol": "carol"}),
    ("PUT", "/routes/static", BOB, {}, 403, {}),
    ("PUT", "/settlement/engines", ADMIN, {"QRS": "http://127.0.0.1:3000"}, 200, {"QRS": "http://127.0.0.1:3000"}),
    ("PUT", "/settlement/engines", ADMIN, {"QRS": "not a url"}, 400, {"field": "QRS"}),
    ("GET", "/settlement/engines", ADMIN, None, 200, {"QRS": "http://127.0.0.1:3000"}),
    ("PUT", "/tracing-level", ADMIN, b"interledger_btp=debug,warn", 200,
        "Logging level changed to: interledger_btp=debug,warn"),
    ("PUT", "/tracing-level", ADMIN, b"loud", 400, {"status": 400}),
    ("PUT", "/tracing-level", ALICE, b"debug", 403, {}),
    ("POST", "/accounts/alice/payments", ALICE, PAID, 200, {"from": "test.node.alice", "source_amount": 1_000,
        "to": "$127.0.0.1:{port}/accounts/bob/spsp", "source_asset_code": "ABC", "source_asset_scale": 9,
        "sent_amount": 1_000, "delivered_amount": 1_000, "in_flight_amount": 0, "destination_asset_code": "ABC",
        "destination_asset_scale": 9}),
    ("POST", "/accounts/alice/payments", ADMIN, PAID, 401, {"status": 401}),
    ("POST", "/accounts/alice/payments", ALICE, {**PAID, "slippage": 0.02, "source_amount": "7"}, 200,
        {"delivered_amount": 7}),
    ("GET", "/accounts/alice/balance", ALICE, None, 200, {"balance": -0.000001007, "asset_code": "ABC"}),
    ("GET", "/accounts/bob/balance", BOB, None, 200, {"balance": 0.000001007}),
    ("GET", "/accounts/alice/payments/incoming", ALICE, None, 426, {"status": 426}),
    ("GET", "/accounts/bob/payments/incoming", ALICE, None, 403, {}),
    ("GET", "/payments/incoming", ALICE, None, 403, {}),
    ("DELETE", "/accounts/carol", ADMIN, None, 200, {"username": "carol"}),
    ("DELETE", "/accounts/alice", ALICE, None, 403, {}),
    ("GET", "/routes", None, None, 200, {}),
]  # fmt: skip


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with running(settings("test.node", default_spsp_account="bob")) as node:
        yield node


async def ask(node: Node, method: str, path: str, token: str | None, body: Any = None, **headers: str) -> Response:
    """A JSON body, or text as it is."""
    fields = dict(headers)
    if isinstance(body, dict):
        body = json.dumps(body).replace("{port}", str(node.port)).encode()
        fields = JSON | fields
    if token is not None:
        fields["Authorization"] = f"Bearer {token}"
    url = f"http://127.0.0.1:{node.port}{path}"
    egress = EgressPolicy(development=True)
    return await fetch(method, url, headers=fields, body=body or b"", egress=egress)


async def test_every_line(node: Node) -> None:
    for method, path, token, body, status, expected in ROWS:
        answer = await ask(node, method, path, token, body)
        said = answer.body.decode()
        assert answer.status == status, (method, path, said)
        if isinstance(expected, str):
            assert said == expected
            continue
        document = json.loads(said)
        if isinstance(expected, list):
            assert [account["username"] for account in document] == expected
            continue
        kind = "application/problem+json" if status >= 400 else "application/json"
        assert answer.headers["content-type"] == kind, (method, path)
        wanted = json.loads(json.dumps(expected).replace("{port}", str(node.port)))
        assert {name: document.get(name) for name in wanted} == wanted, (method, path)
    assert logging.getLogger("interledger.btp").level == logging.DEBUG
    assert logging.getLogger("interledger").level == logging.WARNING


async def opened(node: Node) -> None:
    for details in (ALICE_DETAILS, BOB_DETAILS):
        assert (await ask(node, "POST", "/accounts", ADMIN, details)).status == 200


async def test_spsp_at_both_places(node: Node) -> None:
    await opened(node)
    for path in ("/accounts/bob/spsp", "/.well-known/pay"):
        answer = await ask(node, "GET", path, None)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/spsp4+json")
        assert answer.headers["cache-control"] == "no-cache, no-store"  # interledger-rs: max-age=60, of a secret
        document = json.loads(answer.body)
        assert document["destination_account"].startswith("test.node.")
        assert len(document["shared_secret"]) == 44


async def test_packets_with_the_token_of_the_api(node: Node) -> None:
    await opened(node)
    prepare = Prepare(0, node.clock.now() + 10_000, bytes(32), "test.nowhere", b"")
    octets = {"Content-Type": "application/octet-stream"}
    answer = await ask(node, "POST", "/accounts/alice/ilp", ALICE, prepare.encode(), **octets)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    reply = decode_packet(answer.body)
    assert isinstance(reply, Reject)
    assert not isinstance(reply, Fulfill)
    assert (await ask(node, "POST", "/accounts/alice/ilp", ALICE, b"no packet", **octets)).status == 400
    assert (await ask(node, "POST", "/accounts/alice/ilp", BOB, prepare.encode(), **octets)).status in (401, 403)


FRAME = {"to_username", "from_username", "destination", "amount", "timestamp", "sequence", "connection_closed"}


async def until_closed(socket: Any, unwrap: str | None = None) -> list[dict[str, Any]]:
    """The frames of one payment."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        while not frames or not frames[-1]["connection_closed"]:
            text = await socket.recv()
            assert isinstance(text, str)
            document = json.loads(text)
            frames.append(document if unwrap is None else document[unwrap])
    return frames


async def test_incoming_payments_by_websocket(node: Node) -> None:
    await opened(node)
    base = f"ws://127.0.0.1:{node.port}"

    def socket(path: str, token: str) -> Any:
        return connect(base + path, additional_headers={"Authorization": f"Bearer {token}"}, open_timeout=5)

    async with (
        socket("/accounts/bob/payments/incoming", BOB) as own,
        socket("/accounts/bob/payments/incoming", ADMIN) as seen,
        socket("/accounts/alice/payments/incoming", ALICE) as other,
        socket("/payments/incoming", ADMIN) as everything,
    ):
        await own.send("what a client says is ignored")
        assert (await ask(node, "POST", "/accounts/alice/payments", ALICE, PAID)).status == 200
        frames = await until_closed(own)
        assert all(set(frame) == FRAME for frame in frames)
        assert sum(frame["amount"] for frame in frames) == 1_000
        assert {(frame["to_username"], frame["from_username"]) for frame in frames} == {("bob", "alice")}
        assert frames[-1]["amount"] == 0
        assert [frame["sequence"] for frame in frames] == sorted(frame["sequence"] for frame in frames)
        assert await until_closed(seen) == frames
        assert await until_closed(everything, "Ok") == frames
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await other.recv()


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/payments/incoming", ALICE, 403),
        ("/payments/incoming", "", 401),
        ("/accounts/bob/payments/incoming", ALICE, 403),
        ("/accounts/bob/payments/incoming", "wrong", 401),
        ("/accounts/nobody/payments/incoming", ADMIN, 404),
        ("/accounts/bob/payments", ADMIN, 404),
    ],
)
async def test_who_may_watch(node: Node, path: str, token: str, status: int) -> None:
    await opened(node)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://127.0.0.1:{node.port}{path}", additional_headers=headers):
            pass
    assert refused.value.response.status_code == status


async def test_a_page_of_a_browser_cannot_watch(node: Node) -> None:
    """A browser says where a page is from; no such page is let in, whatever it knows."""
    await opened(node)
    headers = {"Authorization": f"Bearer {BOB}", "Origin": "https://evil.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://127.0.0.1:{node.port}/accounts/bob/payments/incoming", additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403


async def test_a_watcher_ends_with_the_node(node: Node) -> None:
    await opened(node)
    headers = {"Authorization": f"Bearer {BOB}"}
    async with connect(
        f"ws://127.0.0.1:{node.port}/accounts/bob/payments/incoming", additional_headers=headers
    ) as socket:
        await node.stop()
        async with asyncio.timeout(5):
            await socket.wait_closed()
    assert socket.close_code == 1001


# ---------------------------------------------------------------------- nothing is missing

THEIRS = (
    "GET /",
    "GET /accounts",
    "POST /accounts",
    "GET /accounts/{account}",
    "PUT /accounts/{account}",
    "DELETE /accounts/{account}",
    "PUT /accounts/{account}/settings",
    "GET /accounts/{account}/balance",
    "POST /accounts/{account}/payments",
    "GET /accounts/{account}/payments/incoming",
    "GET /payments/incoming",
    "GET /accounts/{account}/spsp",
    "GET /.well-known/pay",
    "GET /routes",
    "PUT /routes/static",
    "PUT /routes/static/{prefix}",
    "GET /rates",
    "PUT /rates",
    "PUT /settlement/engines",
    "PUT /tracing-level",
)
"""All that interledger-rs answers at its port, but packets: `POST .../ilp` and `.../ilp/btp` are the links' own."""

TRIED_BELOW = {"GET /accounts/{account}/spsp", "GET /.well-known/pay"}


def test_all_of_theirs_is_here_and_has_a_row() -> None:
    ours = {
        f"{one.method} {one.path}": re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(one.path)) for one in all_operations()
    }
    assert set(THEIRS) <= set(ours)
    for theirs in set(THEIRS) - TRIED_BELOW:
        method, _, _ = theirs.partition(" ")
        good = [row for row in ROWS if row[0] == method and re.fullmatch(ours[theirs], row[1]) and row[4] in (200, 426)]
        assert good or theirs == "GET /payments/incoming", f"{theirs} has no row that is answered"
