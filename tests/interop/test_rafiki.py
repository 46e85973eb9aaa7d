"""Auto-peering and ILP over HTTP with a stand-in for Rafiki, which is made of the packages that Rafiki is made of.

Its token check takes exactly one space, its content type exactly one value, its errors are Rafiki's; it knows no echo.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import pytest
from nodes import account, net, until_settled
from peers import JsPeer, free_port, js_peer
from test_send import pay

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.api.app import create_app
from interledger.application.peering.records import AddTerms
from interledger.errors import LinkError
from interledger.node.node import Node
from interledger.node.settings import Settings
from interledger.transport.stream.payment import FixedSend

USD = Asset("USD", 2)
AMOUNT = 5_000


@asynccontextmanager
async def our_node() -> AsyncIterator[Node]:
    """It has its API, offers USD/2, and a holder each way."""
    node = Node(
        Settings(
            ilp_address="test.hub",
            secret_seed=bytes(range(32)),
            admin_auth_token="admin" * 8,
            http_bind_address="127.0.0.1:0",
            durability="memory",
            development=True,
            spread=Fraction(0),
            accounts=(account("alice", "USD/2", Relation.LOCAL), account("bob", "USD/2", Relation.LOCAL)),
            auto_peering_enabled=True,
            auto_peering_assets={USD: 100_000},
        )
    )
    await node.start(create_app(node))
    try:
        yield node
    finally:
        await node.stop()
        assert node.ledger.check() == []


@asynccontextmanager
async def rafiki() -> AsyncIterator[tuple[JsPeer, dict[str, Any], str]]:
    """The stand-in, what it said when it was ready, and its auto-peering URL."""
    ports = {"connectorPort": free_port(), "autoPeeringPort": free_port()}
    options = {"address": "test.rafiki", "assets": [{"code": "USD", "scale": 2}], **ports}
    async with js_peer("rafiki-stand-in.js", options) as js:
        yield js, await js.wait_for("ready"), f"http://127.0.0.1:{ports['autoPeeringPort']}/"


async def command(js: JsPeer, name: str, **fields: Any) -> None:
    await js.send(json.dumps({"command": name, **fields}))


async def test_we_ask_rafiki_pay_it_and_get_new_tokens() -> None:
    async with our_node() as node, rafiki() as (js, ready, url):
        terms = AddTerms(url=url, asset=USD, packet_amount_max=2_000)
        made = await node.peering.add(terms)
        peer = await js.wait_for("peer", updated=False)
        assert (made.id, made.ilp_address, made.relation) == ("rafiki_stand_in", "test.rafiki", Relation.PEER)
        assert peer["asked"] == {
            "staticIlpAddress": "test.hub",
            "ilpConnectorUrl": f"http://127.0.0.1:{node.port}/ilp",
            "asset": {"code": "USD", "scale": 2},
            "maxPacketAmount": 2_000,
            "name": "hub",
        }
        report = await node.peering.check(made.id)
        assert {item.name: item.verdict.value for item in report.items} == {
            "link": "ok", "echo": "warning", "its view": "skipped",
        }  # fmt: skip
        assert "F02 unknown destination account" in report.items[1].detail
        ended = await pay(node, ready, FixedSend(AMOUNT))
        assert (ended.failure, ended.progress.delivered) == (None, AMOUNT)
        await js.wait_for("money", total=str(AMOUNT))
        await node.peering.add(terms)
        await js.wait_for("peer", updated=True)
        ended = await pay(node, ready, FixedSend(AMOUNT))
        assert (ended.failure, ended.progress.delivered) == (None, AMOUNT)
        await until_settled(node)
        assert (net(node, made.id), net(node, "alice")) == (-2 * AMOUNT, 2 * AMOUNT)
        with pytest.raises(LinkError, match="does not offer EUR/2"):
            await node.peering.add(AddTerms(url=url, asset=Asset("EUR", 2)))


async def test_rafiki_asks_us_pays_us_and_changes_its_tokens() -> None:
    async with our_node() as node, rafiki() as (js, _, _):
        ours = f"http://127.0.0.1:{node.port}/auto-peering"
        await command(js, "initiate", peerUrl=ours, asset={"code": "EUR", "scale": 2})
        refused = await js.wait_for("refused", status=404)
        assert refused["error"]["type"] == "UnknownAsset"
        for _ in range(2):
            # The second time it shows no token: it is tried where its packets go, and takes the new one.
            await command(js, "initiate", peerUrl=ours, asset={"code": "USD", "scale": 2})
            await js.wait_for("peer")
            token = node.account("rafiki_stand_in").link.http_outgoing_token
        async with asyncio.timeout(15):
            while node.account("rafiki_stand_in").link.http_outgoing_token == token:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)
        to = node.spsp_details("bob")
        secret = base64.b64encode(to.shared_secret).decode()
        await command(
            js, "pay", address=to.destination_account, secret=secret, asset={"code": "USD", "scale": 2},
            amount=str(AMOUNT),
        )  # fmt: skip
        paid = await js.wait_for("paid")
        await until_settled(node)
        assert (paid["sent"], paid["delivered"], paid["error"]) == (str(AMOUNT), str(AMOUNT), None)
        assert (net(node, "rafiki_stand_in"), net(node, "bob")) == (AMOUNT, -AMOUNT)
