"""Settlement between real nodes with real engines: what is owed is paid once, what came in is credited once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from loopback import account, btp_dialler, btp_listener, net, pointer, running, settings, until

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.errors import ConflictError
from interledger.node.node import Node
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState
from interledger.settlement.engines.folder import FolderEngine
from interledger.store.restoring import RESTORED

USD = Asset("USD", 9)
CENT = 10**7


class Pair(NamedTuple):
    """alice pays bob; each has an engine on the same ledger."""

    alice: Node
    bob: Node
    engines: tuple[EngineProcess, EngineProcess]


@asynccontextmanager
async def engine(place: Path, node: Node, ledger: Path, name: str) -> AsyncIterator[EngineProcess]:
    state = EngineState(place)
    kind = FolderEngine({"directory": str(ledger), "address": name, "scale": "2"})
    url = f"http://127.0.0.1:{node.settlements.port}"
    process = EngineProcess(kind, state, EngineSettings(url, ("127.0.0.1", 0)))
    try:
        await process.start()
        yield process
    finally:
        await process.stop()
        state.close()


@asynccontextmanager
async def pair(place: Path, **of_alice: object) -> AsyncIterator[Pair]:
    api = {"settlement_api_bind_address": "127.0.0.1:0"}
    async with AsyncExitStack() as stack:
        alice = await stack.enter_async_context(running(settings("test.alice", place / "a", **api)))
        bob = await stack.enter_async_context(running(settings("test.bob", place / "b", **api)))
        left = await stack.enter_async_context(engine(place / "ea", alice, place / "ledger", "alice"))
        right = await stack.enter_async_context(engine(place / "eb", bob, place / "ledger", "bob"))
        link = btp_listener("bob", "alice")
        await bob.create_account(
            account("alice", "USD/9", "test.alice", Relation.PEER, link, settlement_engine_url=right.url)
        )
        await bob.create_account(account("bob", "USD/9", "test.bob.bob"))
        await alice.create_account(account("alice", "USD/9", "test.alice.alice"))
        link = btp_dialler("alice", bob, "bob")
        terms = {"settle_threshold": 100 * CENT, "settlement_engine_url": left.url} | of_alice
        await alice.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link, **terms))
        await until(lambda: alice.link_status("bob").up)
        yield Pair(alice, bob, (left, right))


def held(node: Node, name: str) -> int:
    line = node.ledger.find(name, USD)
    return 0 if line is None else line.net


async def test_a_threshold_is_reached_and_real_money_settles_it(tmp_path: Path) -> None:
    async with pair(tmp_path) as (alice, bob, engines):
        payment = alice.pay("alice", pointer(bob, "bob"), send=123_456_789 * 10)
        await payment.done()
        assert payment.delivered == 1_234_567_890
        await until(lambda: not alice.settlements.book.open() and not engines[1].state.open_incoming())
        await until(lambda: held(bob, "external/alice") == -held(alice, "external/bob") // CENT * CENT)
        settled = -held(alice, "external/bob")
        assert settled >= 100 * CENT
        assert net(alice, "bob") == settled - 1_234_567_890
        # Less than a cent is at alice's engine: it waits for more.
        leftover = engines[0].state.owed("bob")
        assert leftover.amount * 10 ** (9 - leftover.scale) == settled - held(bob, "external/alice")
        assert net(bob, "alice") == 1_234_567_890 - held(bob, "external/alice")
        for node in (alice, bob):
            assert (await node.books.check()).faults == []
            assert held(node, "peer/bob/transit") == 0
        await asyncio.sleep(0)


async def test_J9_nothing_is_settled_from_restored_books_until_an_operator_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / RESTORED).touch()
    async with pair(tmp_path) as (alice, bob, _):
        payment = alice.pay("alice", pointer(bob, "bob"), send=300 * CENT)
        await payment.done()
        with pytest.raises(ConflictError, match="ilp settlement resume"):
            await alice.settlements.create("bob", by="me")
        assert (alice.settlements.book.open(), held(alice, "external/bob")) == ([], 0)

        decision = alice.settlements.by_hand.propose_resume(reason="nothing was settled since", by="me")
        alice.books.decisions.confirm(decision.id)
        await until(lambda: held(alice, "external/bob") == -300 * CENT and not alice.settlements.book.open())
        assert not (tmp_path / "a" / RESTORED).exists()
        with pytest.raises(ConflictError, match="not off"):
            alice.settlements.by_hand.propose_resume(reason="again", by="me")
