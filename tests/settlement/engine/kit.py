"""A toy ledger, an engine that pays on it, a node that is told, and deaths at chosen moments."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from interledger.clock import SystemClock
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.link.listener import Listener
from interledger.settlement.engine import EngineAccount, MessageRefusedError, Payment, SettlementEngine
from interledger.settlement.engine import shell as engine_shell
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState
from interledger.settlement.quantity import Quantity
from interledger.settlement.shell import SettlementCalls

OPEN = EgressPolicy(development=True)


class Ledger:
    """Where money is. A transfer has a name, and happens once however often it is sent, as a signed one does."""

    def __init__(self) -> None:
        self.transfers: dict[str, int] = {}
        self.sent = 0

    def send(self, name: str, amount: int) -> None:
        self.sent += 1
        self.transfers.setdefault(name, amount)

    @property
    def total(self) -> int:
        return sum(self.transfers.values())


class ToyEngine(SettlementEngine):
    name = "toy"
    scale = 2

    def __init__(self, ledger: Ledger, steps: Callable[[str], None] = lambda step: None) -> None:
        super().__init__({})
        self.ledger = ledger
        self.step = steps
        self.closed: list[str] = []

    async def setup_account(self, account: EngineAccount) -> None:
        self.step("setup")
        account.remember(address=f"addr-{account.id}")

    async def close_account(self, account: EngineAccount) -> None:
        self.closed.append(account.id)

    async def pay(self, payment: Payment) -> int | None:
        self.step("asked")
        if payment.note is None:
            payment.remember({"tx": f"{payment.account.details['address']}-{payment.id}"})
        self.step("signed")
        self.ledger.send(str((payment.note or {})["tx"]), payment.amount)
        self.step("sent")
        return None

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        if message == b"refuse":
            raise MessageRefusedError("not that")
        return b"re:" + message


class Connector:
    """A node that credits each key once, and does what the test says before and after."""

    def __init__(self) -> None:
        self.credited: dict[tuple[str, str], Quantity] = {}
        self.asked: list[tuple[str, str]] = []
        self.status = 201
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    @property
    def total(self) -> Fraction:
        return sum((Fraction(q.amount, 10**q.scale) for q in self.credited.values()), Fraction(0))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        _, _, account, what = scope["path"].split("/")
        status, answer = self.status, b"{}"
        if what == "messages":
            answer = b"peer:" + body
        else:
            key = headers["idempotency-key"]
            self.asked.append((account, key))
            self.before()
            if status < 300:
                self.credited.setdefault((account, key), Quantity.decode(body))
            self.after()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})


class Carrier(Connector):
    """A node that carries messages to the engine of the peer."""

    def __init__(self) -> None:
        super().__init__()
        self.peer: Callable[[], str] = lambda: ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].endswith("/messages"):
            await super().__call__(scope, receive, send)
            return
        body = (await receive()).get("body", b"")
        answer = await SettlementCalls(self.peer()).send_message("peer", body)
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": answer})


@asynccontextmanager
async def connector_of(connector: Connector) -> AsyncIterator[str]:
    listener = Listener("127.0.0.1", 0, clock=SystemClock(), app=connector)
    await listener.start()
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        await listener.stop(drain_ms=0)


@asynccontextmanager
async def running(
    place: Path, engine: SettlementEngine, connector_url: str = "http://127.0.0.1:1", token: str | None = None
) -> AsyncIterator[EngineProcess]:
    """An engine from start to stop; again with the same place: after a restart."""
    state = EngineState(place)
    process = EngineProcess(engine, state, EngineSettings(connector_url, ("127.0.0.1", 0), token))
    try:
        await process.start()
        yield process
    finally:
        await process.stop()
        state.close()


def quick(monkeypatch: Any) -> None:
    """Retries at once."""
    monkeypatch.setattr(engine_shell, "retry_delay_ms", lambda attempts, random: 1)
    monkeypatch.setattr(engine_shell, "CANNOT_PAY_MS", 1)


async def call(
    process: EngineProcess, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
) -> Response:
    given = {"Content-Type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
    if key is not None:
        given["Idempotency-Key"] = key
    octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return await fetch(method, process.url + path, headers=given, body=octets, egress=OPEN)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for is not ours
            await asyncio.sleep(0.002)


@asynccontextmanager
async def two(
    place: Path, engine_of: Callable[[Path, str], SettlementEngine]
) -> AsyncIterator[tuple[EngineProcess, EngineProcess, Carrier, Carrier]]:
    """The engines `left` and `right` of two nodes that are peers. Each calls the other's account `peer`."""
    async with AsyncExitStack() as stack:
        nodes = (Carrier(), Carrier())
        urls = [await stack.enter_async_context(connector_of(node)) for node in nodes]
        left = await stack.enter_async_context(running(place / "left", engine_of(place, "left"), urls[0]))
        right = await stack.enter_async_context(running(place / "right", engine_of(place, "right"), urls[1]))
        nodes[0].peer, nodes[1].peer = lambda: right.url, lambda: left.url
        right.state.open_account("peer", right.now())
        assert (await call(left, "POST", "/accounts", {"id": "peer"})).status == 201
        yield left, right, *nodes
