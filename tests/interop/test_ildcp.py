"""ILDCP with npm ilp-connector 23, both ways: it is our parent, by BTP and by HTTP; and it is our child, which we ping.

Its address is given to us at once, what lies below ours moves along, and packets find the way there and back.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nodes import TOKEN, account, js_account, running_node, until_up
from peers import free_port, ilp_connector
from test_connector import their_accounts

from interledger.accounts.account import Account, Relation
from interledger.errors import LinkError
from interledger.ilp.address import Address
from interledger.ilp.echo import PingKind
from interledger.ilp.ildcp import changed_notice
from interledger.node.node import Node

USD: dict[str, Any] = {"assetCode": "USD", "assetScale": 6, "sendRoutes": False, "receiveRoutes": False}


def as_their_child(kind: str, node: Node, their_port: int) -> dict[str, Any]:
    """The parent's side: we are `ours` there."""
    if kind == "btp":
        return {"plugin": "ilp-plugin-btp", "options": {"listener": {"port": their_port, "secret": TOKEN}}}
    incoming = {"port": their_port, "staticToken": TOKEN}
    outgoing = {"url": f"http://127.0.0.1:{node.port}/accounts/isp/ilp", "staticToken": TOKEN, "http2": False}
    return {"plugin": "ilp-plugin-http", "options": {"incoming": incoming, "outgoing": outgoing}}


def our_parent(kind: str, their_port: int, asset: str) -> Account:
    if kind == "btp":
        link = {"btp_url": f"ws://127.0.0.1:{their_port}/", "btp_outgoing_token": TOKEN}
    else:
        link = {
            "http_url": f"http://127.0.0.1:{their_port}/",
            "http_outgoing_token": TOKEN,
            "http_incoming_token": TOKEN,
        }
    return account("isp", asset, Relation.PARENT, address="test.isp", **link)


async def until_at(node: Node, address: str) -> None:
    async with asyncio.timeout(15):
        while node.address != address:  # noqa: ASYNC110 - the node has no event for it
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["btp", "http"])
@pytest.mark.parametrize("asset", ["USD/6", "XXX/0"])
async def test_PC_01_PC_03_theirs_is_our_parent(kind: str, asset: str) -> None:
    """The address, and the asset where we do not say one; then echoes both ways over the link."""
    port = free_port()
    async with running_node(account("kid", "USD/6", address="test.nowhere.kid"), address="test.nowhere") as node:
        ours = {"relation": "child", **USD, **as_their_child(kind, node, port)}
        async with ilp_connector("test.isp", {"ours": ours}):
            await node.create_account(our_parent(kind, port, asset))
            await until_at(node, "test.isp.ours")
            assert str(node.account("isp").asset) == "USD/6"
            assert node.account("kid").ilp_address == "test.isp.ours.kid"
            await until_up(node, "isp")
            # There by our default route, and back by theirs to their child.
            assert (await node.requests.ping("test.isp")).code is None
            hops = await node.requests.trace("test.isp")
            assert [(hop.address, hop.code) for hop in hops] == [("test.isp", None)]
            assert list(node.alarms) == []


@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_PC_01_CR_14_theirs_is_our_child(kind: str) -> None:
    """It asks us at its start; our echo finds it at the address we gave. It knows no notice, and is none the worse."""
    ports = [free_port() for _ in range(2)]
    async with (
        running_node(js_account("left", "USD/9", kind, ports[0], TOKEN + "left")) as node,
        ilp_connector(None, their_accounts("left", kind, node, ports[0], ports[1])),
    ):
        await until_up(node, "left")
        assert (await node.requests.ping("test.hub.left")).code is None
        # The Java connector's ping asks for an echo too, so whoever knows only echoes answers it.
        assert (await node.requests.ping("test.hub.left", kind=PingKind.JAVA)).code is None
        with pytest.raises(LinkError, match=r"peer\.config\.changed: F01"):
            await node.requests.ask(node.account("left").id, changed_notice(node.clock.now()))
        with pytest.raises(LinkError, match=r"peer\.balance: F01"):
            await node.requests.peer_position(node.account("left"))
        assert (await node.requests.ping("test.hub.left")).code is None
        await node.set_address(Address("test.moved"))
        assert (await node.requests.ping("test.hub.left")).code == "F02"
