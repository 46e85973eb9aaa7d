"""K1: a caller of the API may hang up at any await of the operation. What it began is whole, or has not begun."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from interledger.api.app import create_app
from interledger.api.client import ApiClient
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from tests.node.loopback import pointer
from tests.support.cancel_sweep import One, one_node, sweep

pytestmark = pytest.mark.slow

BILLION = 10**9


async def call(one: One, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    """One request, in the task of the caller: a server may cancel it."""
    octets = b"" if body is None else json.dumps(body).encode()
    host = f"127.0.0.1:{one.node.port}"
    fields = {"host": host, "authorization": "Bearer admin-token", "content-type": "application/json", **headers}
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(k.encode(), v.encode()) for k, v in fields.items()], "http_version": "1.1",
        "scheme": "http", "server": ("127.0.0.1", one.node.port), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    status, answer, sent = 0, b"", False
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": octets, "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, answer
        await asyncio.sleep(0)  # as a socket may: another await to be cancelled at
        status = message.get("status", status)
        answer += message.get("body", b"")

    try:
        await create_app(one.node)(scope, receive, send)  # type: ignore[arg-type]
    finally:
        gone.set()
    assert status < 400 or status in (404, 409), answer  # asked a second time, it may be there, or gone
    return status, answer


NEW = {
    "id": "new",
    "asset_code": "USD",
    "asset_scale": 9,
    "link": {"http_incoming_token": "a-token-of-the-new-one-0123456789"},
}


async def pay(one: One) -> None:
    body = {"account": "alice", "receiver": pointer(one.node, "bob"), "send": "1"}
    await call(one, "POST", "/api/payments", body, **{"idempotency-key": "once"})


async def invite_and_revoke(one: One) -> None:
    body = {"asset_code": "USD", "asset_scale": 9, "relation": "child"}
    status, answer = await call(one, "POST", "/api/peers/invites", body)
    assert status == 201, answer
    invites = one.node.peering.invites()
    await call(one, "DELETE", f"/api/peers/invites/{invites[0].id}")


async def correct(one: One) -> None:
    body = {
        "debit": "peer/peer",
        "credit": "correction/EUR",
        "asset_code": "EUR",
        "asset_scale": 9,
        "amount": 5,
        "by": "a test",
        "reason": "a test",
    }
    _, answer = await call(one, "POST", "/api/ledger/corrections", body)
    decision = json.loads(answer).get("id", "none")
    await call(one, "POST", f"/api/ledger/decisions/{decision}/confirm", {})


ACTS: dict[str, Callable[[One], Awaitable[object]]] = {
    "accounts: create": lambda one: call(one, "POST", "/api/accounts", NEW),
    "accounts: change": lambda one: call(one, "PATCH", "/api/accounts/peer", {"limits": {"owes_us_max": "7"}}),
    "accounts: delete": lambda one: call(one, "DELETE", "/api/accounts/peer"),
    "tokens": lambda one: call(one, "POST", "/api/accounts/alice/tokens", {}),
    "routes": lambda one: call(one, "PUT", "/api/routes", {"items": [{"prefix": "test.other", "account": "alice"}]}),
    "rates": lambda one: call(one, "PUT", "/api/rates", {"items": [{"code": "USD", "value": "3"}]}),
    "quotes": lambda one: call(
        one, "POST", "/api/quotes", {"account": "alice", "receiver": pointer(one.node, "bob"), "send": "1"}
    ),
    "payments": pay,
    "invites": invite_and_revoke,
    "corrections": correct,
    "ledger check": lambda one: call(one, "GET", "/api/ledger/check"),
    "ledger export": lambda one: call(one, "GET", "/api/ledger/export"),
    "ping": lambda one: call(one, "POST", "/api/ping", {"destination": "test.hub"}),
    "spsp": lambda one: call(one, "GET", "/accounts/bob/spsp", accept="application/spsp4+json"),
    "client: status": lambda one: ApiClient(f"http://127.0.0.1:{one.node.port}", "admin-token").status(),
    "client: pay": lambda one: ApiClient(f"http://127.0.0.1:{one.node.port}", "admin-token").pay(
        pointer(one.node, "bob"), account="alice", send="1"
    ),
    "client: fetch": lambda one: fetch(
        "GET", f"http://127.0.0.1:{one.node.port}/.well-known/pay", egress=EgressPolicy(development=True)
    ),
}


@pytest.mark.parametrize("name", ACTS)
async def test_K1_a_caller_may_be_gone_at_any_await(name: str) -> None:
    act = ACTS[name]

    async def check(one: One) -> None:
        await one.check()
        if name == "payments":
            # Asked again under the same key: one payment, whenever the first caller hung up.
            await act(one)
            await one.check()
            assert len(one.node.payments()) == 1
            assert one.node.position("bob").net == -BILLION
        elif not name.startswith("accounts"):
            async with asyncio.timeout(10):
                await act(one)

    assert await sweep(one_node, act, check) > 0
