"""Two nodes of ours that settle by XRP payment channels over BTP, on a simulated ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from interledger.node.node import Node
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engines.xrp.sim import XrpSimulator
from tests.support.engines import until
from tests.support.xrp import XRP, claimed, engine_at, has_channels, net, node_at, owe, peer, quick


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


class Pair:
    """alice dials hub."""

    def __init__(self, place: Path, simulator: XrpSimulator, **options: Any) -> None:
        self.place, self.simulator, self.options = place, simulator, options
        self.terms: dict[str, Any] = {}
        self.alice: Node
        self.hub: Node
        self.alice_engine: EngineProcess
        self.hub_engine: EngineProcess

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Pair]:
        """Both nodes and both engines; again with the same place: after a restart of all."""
        async with AsyncExitStack() as stack:
            enter, place = stack.enter_async_context, self.place
            self.hub = await enter(node_at("test.hub", place / "hub"))
            self.alice = await enter(node_at("test.alice", place / "alice"))
            self.hub_engine = await enter(engine_at(place / "hub-engine", self.hub, self.simulator, **self.options))
            self.alice_engine = await enter(
                engine_at(place / "alice-engine", self.alice, self.simulator, **self.options)
            )
            await self._accounts()
            yield self

    async def _accounts(self) -> None:
        for node, account in (
            (self.hub, peer("alice", "test.alice", self.hub_engine)),
            (
                self.alice,
                peer(
                    "hub", "test.hub", self.alice_engine,
                    url=f"ws://127.0.0.1:{self.hub.port}/accounts/alice/ilp/btp", **self.terms,
                ),
            ),
        ):  # fmt: skip
            known = {one.id for one in node.accounts()}
            await (node.replace_account if account.id in known else node.create_account)(account)

    async def met(self) -> None:
        await until(lambda: has_channels(self.alice_engine, "hub") and has_channels(self.hub_engine, "alice"))

    async def settled(self, total: int) -> None:
        """All that alice owed came to the hub: in its engine's claims, and in its books."""
        await until(lambda: not self.alice.settlements.book.open() and net(self.hub, "alice") == -total)
        assert claimed(self.hub_engine, "alice") == total
        assert net(self.alice, "hub") == 0


@asynccontextmanager
async def simulated(**more: Any) -> AsyncIterator[XrpSimulator]:
    async with XrpSimulator(close_ms=30, **more) as simulator:
        yield simulator


async def test_a_threshold_is_reached_a_claim_is_sent_and_credited_once_over_restarts(tmp_path: Path) -> None:
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator)
        pair.terms = {"settle_threshold": 500}
        async with pair.up():
            await pair.met()
            owe(pair.alice, "hub", 700)
            await pair.settled(700)
            owe(pair.alice, "hub", 499)
        async with pair.up():
            await until(lambda: net(pair.alice, "hub") == -499)
            assert net(pair.hub, "alice") == -700
            owe(pair.alice, "hub", 1)
            await pair.settled(1_200)
            [channel] = [
                c
                for c in simulator.ledger.validated.channels.values()
                if c["Destination"] == pair.hub_engine.engine.address
            ]
            assert (channel["Amount"], channel["Balance"]) == (str(10 * XRP), "0")
