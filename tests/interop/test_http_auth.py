"""ilp-plugin-http 1.6.1 with each of its ways to show who it is, both ways: it pays us, and we pay it."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from nodes import TOKEN, account, digest, js_account, net, running_node, until_settled
from peers import free_port, js_peer
from test_send import pay

from interledger.accounts.account import Account, LinkSettings, Relation
from interledger.accounts.credentials import IncomingToken, TokenUse
from interledger.clock import Timestamp
from interledger.node.node import Node
from interledger.transport.stream.payment import FixedSend

AMOUNT = 1_000_000
SECRET = "a secret that both sides know 0123456789"
BOB = account("bob", "EUR/9", Relation.LOCAL)
ALICE = account("alice", "USD/9", Relation.LOCAL)

SIGNED = {
    "http_incoming_jwt_secret": SECRET,
    "http_outgoing_jwt_secret": SECRET,
    "http_jwt_require_subject": False,  # it sends no sub
}
SECOND = IncomingToken(id="2", use=TokenUse.HTTP, label="", digest=digest(TOKEN), created_at=Timestamp(0))
FIRST_IS_ANOTHER = {"http_incoming_token_digest": digest("the-one-before"), "incoming_tokens": (SECOND,)}

WAYS = {
    "opaque": ({"staticToken": TOKEN}, {"http_outgoing_token": TOKEN, "http_incoming_token_digest": digest(TOKEN)}),
    "opaque, second of two": ({"staticToken": TOKEN}, {"http_outgoing_token": TOKEN, **FIRST_IS_ANOTHER}),
    "HS256": ({"jwtSecret": SECRET}, SIGNED),
    "HS256, without the word Bearer": ({"secret": SECRET}, SIGNED),
}


def js(asset: str, port: int, link: dict[str, Any]) -> Account:
    base = js_account("js", asset, "http", port)
    return replace(base, link=replace(LinkSettings(http_url=base.link.http_url), **link))


def js_side(node: Node, port: int, auth: dict[str, str]) -> dict[str, Any]:
    return {"http": {"port": port, "url": f"http://127.0.0.1:{node.port}/accounts/js/ilp", "auth": auth}}


@pytest.mark.parametrize("way", WAYS)
async def test_it_pays_us(way: str) -> None:
    """HT-05, HT-06, HT-07. Its packets go one way; what it asks (ILDCP) comes back on the same requests."""
    auth, link = WAYS[way]
    port = free_port()
    async with running_node(BOB, js("USD/9", port, link)) as node:
        details = node.spsp_details("bob")
        secret = base64.b64encode(details.shared_secret).decode()
        options = {
            "link": js_side(node, port, auth),
            "address": details.destination_account,
            "secret": secret,
            "amount": str(AMOUNT),
        }
        async with js_peer("stream-client.js", options) as peer:
            paid = await peer.wait_for("paid")
        await until_settled(node)
        assert (paid["sent"], paid["delivered"]) == (str(AMOUNT), str(AMOUNT // 2))
        assert net(node, "js") == AMOUNT


@pytest.mark.parametrize("way", WAYS)
async def test_we_pay_it(way: str) -> None:
    auth, link = WAYS[way]
    port = free_port()
    async with running_node(ALICE, js("EUR/9", port, link)) as node:
        async with js_peer("stream-server.js", {"link": js_side(node, port, auth)}) as peer:
            ready = await peer.wait_for("ready")
            ended = await pay(node, ready, FixedSend(AMOUNT))
            await peer.wait_for("money", total=str(AMOUNT // 2))
        await until_settled(node)
        assert ended.failure is None
        assert ended.progress.delivered == AMOUNT // 2


async def test_E8_another_secret_gets_nowhere() -> None:
    """It is refused for good, and says so; nothing moves."""
    port = free_port()
    async with running_node(BOB, js("USD/9", port, SIGNED)) as node:
        details = node.spsp_details("bob")
        options = {
            "link": js_side(node, port, {"jwtSecret": SECRET[::-1]}),
            "address": details.destination_account,
            "secret": base64.b64encode(details.shared_secret).decode(),
            "amount": str(AMOUNT),
        }
        async with js_peer("stream-client.js", options) as peer:
            with pytest.raises(AssertionError, match="the peer failed"):
                await peer.wait_for("paid")
        assert net(node, "js") == 0
        assert node.links.attempts.wrong_count > 0
