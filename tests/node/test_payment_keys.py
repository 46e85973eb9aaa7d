"""An `Idempotency-Key` means one payment, whatever happens to the node in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from loopback import account, net, pointer, running, settings

from interledger.clock import Timestamp
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.node import payment_keys
from interledger.node.node import Node
from interledger.node.payment_keys import KEY_LIFETIME_MS


async def post(node: Node, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
    answer = await fetch(
        "POST",
        f"http://127.0.0.1:{node.port}/api/payments",
        headers={
            "Authorization": "Bearer admin-token",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        },
        body=json.dumps(body).encode(),
        egress=EgressPolicy(development=True),
    )
    return answer.status, json.loads(answer.body)


async def test_the_same_request_after_a_restart_is_the_same_payment(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path)
    async with running(of) as node:
        for name in ("alice", "bob"):
            await node.create_account(account(name, "USD/9", f"test.hub.{name}", owes_us_max=10**12))
        body = {"account": "alice", "receiver": pointer(node, "bob"), "send": "10 USD"}
        status, first = await post(node, body, "k1")
        assert (status, first["state"], net(node, "alice")) == (201, "delivered", 10**10)
    async with running(of) as node:
        status, again = await post(node, body, "k1")
        assert (status, again["id"], again["state"]) == (201, first["id"], "delivered")
        status, problem = await post(node, body | {"send": "11 USD"}, "k1")
        assert (status, problem["type"].rpartition("/")[2]) == (409, "conflict")
        assert net(node, "alice") == 10**10
        assert "k1" not in str(node.payment_keys._keys)


class LateClock:
    """A day and a bit ahead, when it is told to be."""

    now_ms = 1_795_262_400_000

    def now(self) -> Timestamp:
        return Timestamp(self.now_ms)


async def test_keys_are_kept_for_a_day_and_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_keys, "KEYS_MAX", 3)
    clock = LateClock()
    async with running(settings("test.hub", tmp_path), clock=clock) as node:
        for key in "abcd":
            clock.now_ms += 1
            node.payment_keys.keep("alice", key, "digest", f"pay_{key}")
        found = {key: node.payment_keys.find("alice", key) for key in "abcd"}
        assert [key for key, kept in found.items() if kept] == ["b", "c", "d"]
        assert node.payment_keys.find("bob", "d") is None
    async with running(settings("test.hub", tmp_path), clock=clock) as node:
        assert node.payment_keys.find("alice", "d") == found["d"]
        clock.now_ms += KEY_LIFETIME_MS
        assert node.payment_keys.find("alice", "d") is None
        node.payment_keys.keep("alice", "e", "digest", "pay_e")
        await node.commit()
        assert len(node.payment_keys._keys) == 1
