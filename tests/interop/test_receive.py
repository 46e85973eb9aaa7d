"""Senders written by others pay our receiver through our connector; both ends agree to the unit.

One unit of EUR is worth two of USD, and the node keeps nothing: 1,000,000 USD units arrive as 500,000 EUR units.
"""

from __future__ import annotations

import base64

import pytest
from nodes import account, js_account, js_link, net, running_node, until_settled
from peers import free_port, js_peer

from interledger.accounts.account import Relation
from interledger.node.node import Node

AMOUNT = 1_000_000
BOB = account("bob", "EUR/9", Relation.LOCAL)


def destination(node: Node) -> dict[str, str]:
    details = node.spsp_details("bob")
    return {"address": details.destination_account, "secret": base64.b64encode(details.shared_secret).decode()}


@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_ilp_protocol_stream_pays_us(kind: str) -> None:
    """BT-12, BT-13 (its auth entries), HT-07 (its content type), PC-01 (it asks who it is), ST-15, ST-22."""
    port = free_port()
    async with running_node(BOB, js_account("js", "USD/9", kind, port)) as node:
        options = {"link": js_link("js", kind, node, port), **destination(node), "amount": str(AMOUNT)}
        async with js_peer("stream-client.js", options) as js:
            paid = await js.wait_for("paid")
        await until_settled(node)
        assert (paid["sent"], paid["delivered"]) == (str(AMOUNT), str(AMOUNT // 2))
        assert net(node, "js") == AMOUNT
        assert net(node, "bob") == -AMOUNT // 2


@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_interledger_pay_pays_us(kind: str) -> None:
    """@interledger/pay probes the rate first, and needs F99 for an unfulfillable packet (ST-19)."""
    port = free_port()
    async with running_node(BOB, js_account("js", "USD/9", kind, port)) as node:
        options = {
            "link": js_link("js", kind, node, port),
            **destination(node),
            "amount": str(AMOUNT),
            "asset": {"code": "USD", "scale": 9},
            "prices": {"USD": 1, "EUR": 2},
        }
        async with js_peer("pay.js", options) as js:
            paid = await js.wait_for("paid")
        await until_settled(node)
        assert paid["error"] is None
        assert (paid["sent"], paid["delivered"]) == (str(AMOUNT), str(AMOUNT // 2))
        assert paid["asset"] == {"code": "EUR", "scale": 9}
        assert net(node, "js") == AMOUNT
        assert net(node, "bob") == -AMOUNT // 2
