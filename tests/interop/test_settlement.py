"""A live engine on ilp-settlement-core (npm) beside our node, and our own engine beside what such a node would ask."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from peers import JsPeer, free_port, js_peer

from interledger.node.node import Node
from interledger.settlement.quantity import Quantity
from tests.support.engines import USD, net, node_at, owe, payable, until, with_bob


@asynccontextmanager
async def node_and_engine(place: Path, **terms: int) -> AsyncIterator[tuple[Node, JsPeer]]:
    port = free_port()
    async with node_at(place) as node:
        connector = f"http://127.0.0.1:{node.settlements.port}"
        async with js_peer("settlement-engine.js", {"connectorUrl": connector, "port": port}) as engine:
            await engine.wait_for("ready")
            await with_bob(node, f"http://127.0.0.1:{port}", **terms)
            await engine.wait_for("account", account="bob")
            await until(lambda: node.settlements.engines.is_set_up(node.account("bob")))
            yield node, engine


async def test_our_node_settles_by_a_live_engine(tmp_path: Path) -> None:
    async with node_and_engine(tmp_path, settle_threshold=10**9) as (node, engine):
        owe(node, 1_234_567_891)
        paid = await engine.wait_for("paid")
        assert paid["amount"] == "1.23"
        await until(lambda: not node.settlements.book.open())
        assert (payable(node), net(node, "external/bob")) == (0, -1_234_567_891)
        # The library keeps the parts of a cent and adds them to the next one.
        owe(node, 1_005_432_109)
        paid = await engine.wait_for("paid")
        assert paid["amount"] == "1.01"


async def test_a_live_engine_credits_our_node_to_the_last_part_of_a_unit(tmp_path: Path) -> None:
    async with node_and_engine(tmp_path) as (node, engine):
        for credit in ("1.5", "0.0000000004", "0.0000000007", "12"):
            await engine.send(json.dumps({"account": "bob", "credit": credit}))
            await engine.wait_for("credited", credit=credit)
        assert payable(node) == 13_500_000_001
        # Ours has the tenth of a unit; the library was answered with all that it told, so it keeps nothing.
        assert node.settlements.book.leftover(node.account("bob").id, USD) == Quantity(1, 10)
        # The same settlement again counts once.
        for _ in range(2):
            await engine.send(json.dumps({"account": "bob", "credit": "2", "id": "tx-1"}))
            await engine.wait_for("credited", credit="2")
        assert payable(node) == 15_500_000_001


async def test_an_account_that_goes_is_closed_there(tmp_path: Path) -> None:
    async with node_and_engine(tmp_path) as (node, engine):
        await node.delete_account("bob")
        await engine.wait_for("closed", account="bob")
