"""A node that settles, and an engine with bad habits: it acts and says nothing, says it twice, lies, is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.api.app import create_app
from interledger.api.engine_calls import create_settlement_app
from interledger.clock import SystemClock
from interledger.errors import StoreError
from interledger.ilp.address import Address
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.link.listener import Listener
from interledger.node import settlement_engines, settlements
from interledger.node.node import Node
from interledger.node.settings import Settings
from interledger.settlement.quantity import Quantity
from interledger.store.base import Store
from interledger.store.memory import MemoryStore

USD = Asset("USD", 9)
OPEN = EgressPolicy(development=True)


class Engine:
    """What it was asked is in `asked`, what it has paid, once per key, in `paid`."""

    def __init__(self) -> None:
        self.accounts: dict[str, str] = {}
        self.asked: list[tuple[str, str, Quantity]] = []
        self.paid: dict[str, Quantity] = {}
        self.headers: list[dict[str, str]] = []
        self.status = 201
        self.body: bytes | None = None
        self.before: Callable[[], Any] = lambda: None
        self.after: Callable[[], Any] = lambda: None
        self.answer_message: Callable[[bytes], tuple[int, bytes]] = lambda message: (201, b"re:" + message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.headers.append(headers)
        path, method = scope["path"].strip("/").split("/"), scope["method"]
        status, answer = 404, b""
        if method == "POST" and path == ["accounts"]:
            account = json.loads(body)["id"]
            self.accounts[account] = "open"
            status, answer = 201, json.dumps({"id": account}).encode()
        elif len(path) > 1 and path[1] in self.accounts:
            if method == "DELETE":
                del self.accounts[path[1]]
                status = 204
            elif path[2] == "messages":
                status, answer = self.answer_message(body)
            else:
                status, answer = self._settle(path[1], headers["idempotency-key"], Quantity.decode(body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    def _settle(self, account: str, key: str, quantity: Quantity) -> tuple[int, bytes]:
        self.asked.append((account, key, quantity))
        self.before()
        if self.status < 300:
            self.paid.setdefault(key, quantity)
        self.after()
        return self.status, quantity.encode() if self.body is None else self.body

    @property
    def total(self) -> int:
        return sum(quantity.amount for quantity in self.paid.values())

    def fails(self, times: int, *, after_paying: bool) -> None:
        """The next so many answers get lost."""
        left = times

        def fail() -> None:
            nonlocal left
            if left:
                left -= 1
                raise OSError("the connection is cut")

        if after_paying:
            self.after = fail
        else:
            self.before = fail


@asynccontextmanager
async def served(app: Any, port: int = 0) -> AsyncIterator[str]:
    listener = Listener("127.0.0.1", port, clock=SystemClock(), app=app)
    await listener.start()
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        await listener.stop(drain_ms=0)


@asynccontextmanager
async def node_at(place: Path | None, store: Store | None = None, **more: Any) -> AsyncIterator[Node]:
    """A node of one account, bob's, that owes nothing yet. Its books are sound when it stops."""
    values: dict[str, Any] = {
        "ilp_address": Address("test.hub"),
        "secret_seed": bytes(32),
        "admin_auth_token": "admin-token",
        "http_bind_address": "127.0.0.1:0",
        "settlement_api_bind_address": "127.0.0.1:0",
        "data_dir": str(place or "nowhere"),
        "durability": "memory" if place is None else "process",
        "route_broadcast": False,
    }
    node = Node(Settings(**(values | more)), store=store)
    await node.start(create_app(node), create_settlement_app(node))
    try:
        yield node
    finally:
        await node.stop()
        assert node.ledger.check() == []


async def with_bob(node: Node, url: str | None, **terms: Any) -> Account:
    """Its engine is told before this returns, when there is one that answers."""
    account = Account(
        id=AccountId("bob"), asset=terms.pop("asset", USD), ilp_address=Address("test.hub.bob"),
        relation=Relation.PEER, settlement_engine_url=url, **terms,
    )  # fmt: skip
    return await (node.replace_account if "bob" in {a.id for a in node.accounts()} else node.create_account)(account)


def owe(node: Node, amount: int, asset: Asset = USD, to: str = "peer/bob") -> None:
    """Bob, or whoever `to` is, fulfilled packets worth `amount`: posted, as packets are."""
    ledger = node.ledger
    ledger.post(((ledger.account("local/alice", asset), ledger.account(to, asset), amount),), "a packet")


def payable(node: Node, asset: Asset = USD) -> int:
    line = node.ledger.find("peer/bob", asset)
    return 0 if line is None else -line.net


def net(node: Node, name: str, asset: Asset = USD) -> int:
    line = node.ledger.find(name, asset)
    return 0 if line is None else line.net


def quick(monkeypatch: Any) -> None:
    """Retries at once."""
    for module in (settlements, settlement_engines):
        monkeypatch.setattr(module, "retry_delay_ms", lambda attempts, random: 1)


async def tell(
    node: Node, key: str | None, amount: Any, scale: Any = 9, account: str = "bob", **headers: str
) -> Response:
    """What an engine says that came in."""
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        given["Idempotency-Key"] = key
    body = json.dumps({"amount": amount, "scale": scale}).encode()
    url = f"http://127.0.0.1:{node.settlements.port}/accounts/{account}/settlements"
    return await fetch("POST", url, headers=given, body=body, egress=OPEN)


class DyingStore(MemoryStore):
    """Writes nothing any more from its `writes_left`-th write on, as if the process had been killed before it."""

    writes_left = 10**9

    def write(self, *args: Any, **more: Any) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise StoreError("killed")
        super().write(*args, **more)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for is not ours
            await asyncio.sleep(0.002)
