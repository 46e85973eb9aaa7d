"""K1: settlement may be cancelled at any await. Money is sent once and credited once, whoever asked and was gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from interledger.accounts.ledger import Ledger
from interledger.api.engine_calls import create_settlement_app
from interledger.node.node import Node
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Settlement
from interledger.store.memory import MemoryStore
from tests.support.cancel_sweep import sweep
from tests.support.engines import Engine, net, node_at, owe, payable, quick, served, tell, until, with_bob

pytestmark = pytest.mark.slow

OWED, CAME = 500, 700


@dataclass
class World:
    """A node that owes bob 500, and bob's engine."""

    node: Node
    engine: Engine
    store: MemoryStore
    held_back: list[Settlement]
    """What would be sent, had it not been kept from that."""

    def book(self) -> tuple[int, int, int]:
        return payable(self.node), net(self.node, "external/bob"), net(self.node, "peer/bob/transit")

    async def check(self) -> None:
        """What a start would find is what is in memory."""
        await self.node.commit()
        ledger = Ledger()
        self.store.load(ledger)
        found = {account.name: account.net for account in ledger.accounts if account.net}
        assert found == {account.name: account.net for account in self.node.ledger.accounts if account.net}
        assert self.node.ledger.check() == []


@asynccontextmanager
async def world(*, hold_back: bool = False) -> AsyncIterator[World]:
    engine, store = Engine(), MemoryStore()
    async with served(engine) as url, node_at(None, store) as node:
        made = World(node, engine, store, [])
        if hold_back:
            setattr(node.settlements, "_send", made.held_back.append)  # noqa: B010  # in the place of a method
        await with_bob(node, url)
        await until(lambda: engine.accounts)
        owe(node, OWED)
        await node.commit()
        yield made


async def credit(world: World) -> None:
    await world.node.settlements.credit(world.node.account("bob"), "k", Quantity(CAME, 9))


async def credit_by_http(world: World) -> None:
    """What the engine says, in the task of the caller: a server may cancel it."""
    body = json.dumps({"amount": str(CAME), "scale": 9}).encode()
    host = f"127.0.0.1:{world.node.settlements.port}"
    fields = {"host": host, "content-type": "application/json", "idempotency-key": "k"}
    path = "/accounts/bob/settlements"
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
    }  # fmt: skip
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await create_settlement_app(world.node)(scope, receive, send)
    assert status == 201


@pytest.mark.parametrize("act", [credit, credit_by_http])
async def test_K1_I1_what_came_in_is_credited_once(act: Callable[[World], Awaitable[None]]) -> None:
    async def check(world: World) -> None:
        await world.check()
        assert world.book() in ((OWED, 0, 0), (OWED + CAME, CAME, 0))
        assert (await tell(world.node, "k", str(CAME))).status == 201
        assert world.book() == (OWED + CAME, CAME, 0)

    assert await sweep(world, act, check) > 0


async def test_K1_I4_a_settlement_that_was_asked_for_is_sent_once_or_never(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def settle(world: World) -> None:
        await world.node.settlements.create("bob", by="ann")

    async def check(world: World) -> None:
        node = world.node
        await world.check()
        await until(lambda: not node.settlements.book.open())
        await world.check()
        assert world.book() in ((OWED, 0, 0), (0, -OWED, 0))
        assert world.engine.total == OWED - payable(node)
        assert len(world.engine.paid) <= 1

    assert await sweep(world, settle, check) > 0


@pytest.mark.parametrize("fails", ["never", "before it paid", "after it paid"])
async def test_K1_I6_a_node_that_stops_at_any_await_of_sending_pays_once(
    fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)

    @asynccontextmanager
    async def due() -> AsyncIterator[World]:
        async with world(hold_back=True) as made:
            await made.node.settlements.create("bob", by="ann")
            if fails != "never":
                made.engine.fails(2, after_paying=fails == "after it paid")
            yield made

    async def send(world: World) -> None:
        settlements = world.node.settlements
        settlements._sending[world.held_back[0].id] = asyncio.Event()
        await settlements._send_until_taken(world.held_back[0])

    async def check(world: World) -> None:
        await world.check()
        assert world.book() in ((0, 0, -OWED), (0, -OWED, 0))
        assert not world.node.settlements._sending
        await send(world)  # as the next start does
        await world.check()
        assert world.book() == (0, -OWED, 0)
        assert (world.engine.total, len(world.engine.paid)) == (OWED, 1)
        assert len({key for _, key, _ in world.engine.asked}) == 1

    assert await sweep(due, send, check) > 1


async def test_K1_an_engine_may_be_left_at_any_await_while_it_is_told_of_an_account() -> None:
    async def tell_once(world: World) -> None:
        await world.node.settlements.engines._tell_once("bob")  # that the account, of which it knows, goes

    async def check(world: World) -> None:
        engines = world.node.settlements.engines
        if "bob" in engines._known:
            await tell_once(world)
        assert world.engine.accounts == {}
        await engines._tell("bob")
        assert len(world.engine.accounts) == 1
        assert "bob" in engines._known
        await world.check()

    assert await sweep(world, tell_once, check) > 1
