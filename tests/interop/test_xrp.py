"""npm's XRP plugins beside our node and its engine, on a simulated ledger (which is none: `ilp engine xrp-sim`)."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from peers import FOLDER, JsPeer, free_port, js_peer

from interledger.accounts.account import Relation
from interledger.node.children import name_of_token
from interledger.node.node import Node
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engines.xrp.engine import XrpEngine
from interledger.settlement.engines.xrp.sim import XrpSimulator
from tests.support.engines import until
from tests.support.xrp import TOKEN, XRP, claimed, engine_at, has_channels, net, node_at, owe, peer, quick

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "ilp-plugin-xrp-paychan").is_dir() and "ILP_REQUIRE_INTEROP" not in os.environ,
        reason="the plugins are not installed (cd tests/interop && npm ci)",
    ),
]


CLOSE_MS = 400
"""ripple-lib gives a transaction three ledgers, so they must not be too short."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


@asynccontextmanager
async def beside(
    place: Path, kind: str, *, scale: int = 6, dialect: str = "asym", **terms: Any
) -> AsyncIterator[tuple[Node, EngineProcess, JsPeer, XrpSimulator]]:
    """Our node, where the peer has the account `js`, and the plugin, connected to each other."""
    port = free_port()
    options: dict[str, object] = {"kind": kind, "scale": scale, "port": port, "address": "test.js"}
    async with (
        XrpSimulator(close_ms=CLOSE_MS) as simulator,
        node_at("test.hub") as node,
        engine_at(place / "engine", node, simulator, scale=scale, dialect=dialect) as engine,
    ):
        url = f"ws://127.0.0.1:{port}/" if kind == "server" else None
        relation = Relation.PEER if kind == "server" else Relation.CHILD
        ours = peer("js", "test.hub.js", engine, asset=f"XRP/{scale}", url=url, relation=relation, **terms)
        options |= {"xrpServer": simulator.url, "btp": f"btp+ws://js:{TOKEN}@127.0.0.1:{node.port}/accounts/js/ilp/btp"}
        if kind != "server":
            await node.create_account(ours)
        async with js_peer("xrp.js", options) as js:
            told = await js.wait_for("address")
            simulator.ledger.fund(told["address"], 100 * XRP)
            await js.send("{}")
            if kind == "server":
                await js.wait_for("ready")
                await node.create_account(ours)
            yield node, engine, js, simulator


@pytest.mark.parametrize("scale", [6, 9])
async def test_asym_client_pays_us_and_we_pay_it(tmp_path: Path, scale: int) -> None:
    async with beside(tmp_path, "client", scale=scale, settle_threshold=1_000) as (node, engine, js, _):
        await js.wait_for("ready")
        await until(lambda: has_channels(engine, "js"))
        for amount in (700, 1, 299):
            await js.send(json.dumps({"send": str(amount)}))
            await js.wait_for("done")
        await until(lambda: net(node, "js") == -1_000)
        assert claimed(engine, "js") == 1_000
        owe(node, "js", 1_234)
        assert (await js.wait_for("money"))["amount"] == "1234"
        await until(lambda: not node.settlements.book.open())
        owe(node, "js", 1_000)
        assert (await js.wait_for("money"))["amount"] == "1000"


async def test_asym_client_tops_up_sends_bad_claims_and_redeems(tmp_path: Path) -> None:
    async with beside(tmp_path, "client", settle_threshold=1) as (node, engine, js, simulator):
        await js.wait_for("ready")
        await until(lambda: has_channels(engine, "js"))
        for claim in (
            '{"amount":"5","signature":"' + "00" * 64 + '"}',
            '{"amount":"5"}',
            '{"amount":"-5","signature":"' + "00" * 64 + '"}',
            "{}",
        ):
            await js.send(json.dumps({"raw": claim}))
            await js.wait_for("refused")
        assert (net(node, "js"), claimed(engine, "js")) == (0, 0)
        # More than half of its channel: it puts more in, and says so.
        await js.send(json.dumps({"send": str(6 * XRP)}))
        await js.wait_for("done")
        [theirs] = channels_to(simulator, engine)
        await until(lambda: channels_to(simulator, engine)[0]["Amount"] == str(20 * XRP))
        await js.send(json.dumps({"send": str(12 * XRP)}))
        await js.wait_for("done")
        await until(lambda: net(node, "js") == -18 * XRP)
        # Our own channel of 1 XRP to it does not hold 3: it is topped up, and the plugin takes the claim.
        owe(node, "js", 3 * XRP)
        assert (await js.wait_for("money"))["amount"] == str(3 * XRP)
        await js.send(json.dumps({"disconnect": True}))
        await js.wait_for("done")
        [ours] = [c for c in channels_from(simulator, engine) if c["Destination"] == theirs["Account"]]
        await until(lambda: channels_from(simulator, engine)[0]["Balance"] == str(3 * XRP))
        assert int(ours["Amount"]) > 3 * XRP


@pytest.mark.parametrize("scale", [6, 9])
async def test_we_pay_asym_server_and_it_pays_us(tmp_path: Path, scale: int) -> None:
    async with beside(tmp_path, "server", scale=scale, settle_threshold=1_000) as (node, engine, js, _):
        await until(lambda: has_channels(engine, "js"))
        owe(node, "js", 1_234)
        assert (await js.wait_for("claim"))["amount"] == "1234"
        await until(lambda: not node.settlements.book.open())
        # More than our channel has: it is topped up first.
        owe(node, "js", 25 * 10**scale)
        assert (await js.wait_for("claim"))["amount"] == str(25 * 10**scale + 1_234)
        await until(lambda: not node.settlements.book.open())
        assert net(node, "js") == 0
        for _ in range(2):
            await js.send(json.dumps({"settle": "0.25", "account": name_of_token(TOKEN)}))
            await js.wait_for("done")
        await until(lambda: net(node, "js") == -(5 * 10 ** (scale - 1)))


@pytest.mark.parametrize("scale", [6, 9])
async def test_paychan_pays_us_and_we_pay_it(tmp_path: Path, scale: int) -> None:
    settings = {"scale": scale, "dialect": "paychan", "settle_threshold": 1_000}
    async with beside(tmp_path, "paychan", **settings) as (node, engine, js, _):
        await js.wait_for("ready")
        await until(lambda: has_channels(engine, "js"))
        for amount in (700, 1, 299):
            await js.send(json.dumps({"send": str(amount)}))
            await js.wait_for("done")
        await until(lambda: net(node, "js") == -1_000)
        owe(node, "js", 1_234)
        assert (await js.wait_for("money"))["amount"] == "1234"
        owe(node, "js", 12 * 10**scale)
        assert (await js.wait_for("money"))["amount"] == str(12 * 10**scale)
        await until(lambda: not node.settlements.book.open())
        assert net(node, "js") == -1_000


def channels_to(simulator: XrpSimulator, engine: EngineProcess) -> list[dict[str, Any]]:
    return [c for c in simulator.ledger.validated.channels.values() if c["Destination"] == address_of(engine)]


def channels_from(simulator: XrpSimulator, engine: EngineProcess) -> list[dict[str, Any]]:
    return [c for c in simulator.ledger.validated.channels.values() if c["Account"] == address_of(engine)]


def address_of(engine: EngineProcess) -> str:
    assert isinstance(engine.engine, XrpEngine)
    return engine.engine.address
