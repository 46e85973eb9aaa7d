"""Our sender pays receivers written by others, through our connector; both ends agree to the unit.

One unit of EUR is worth two of USD, and the node keeps nothing: 1,000,000 USD units arrive as 500,000 EUR units.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from nodes import account, js_account, js_link, net, running_node, until_settled, until_up
from peers import free_port, js_peer

from interledger.accounts.account import AccountId, Relation
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.transport.stream.payment import FixedDelivery, FixedSend, PaymentEnded, Target
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.shell import StreamPayer

AMOUNT = 1_000_000
ALICE = account("alice", "USD/9", Relation.LOCAL)
STATELESS = ["@interledger/stream-receiver", "stream-receiver-alpha"]


async def pay(node: Node, receiver: dict[str, Any], target: Target) -> PaymentEnded:
    """Pay from alice's account on `node` to the address and secret that a peer gave out."""
    alice = node.account("alice")
    sender = StreamSender(
        Address(receiver["address"]),
        base64.b64decode(receiver["secret"]),
        alice.asset,
        target,
        node.entropy,
        node.clock.now(),
    )
    payer = StreamPayer(sender, node.clock)
    peer_id = AccountId("alice/test")
    payer.attach(node.wallets.attach_end(peer_id, alice, payer))
    try:
        return await payer.pay()
    finally:
        node.wallets.detach_end(peer_id)


@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_we_pay_ilp_protocol_stream(kind: str) -> None:
    """ST-20: its receiveMax starts at 0. ST-04, ST-05: its replies are matched."""
    port = free_port()
    async with running_node(ALICE, js_account("js", "EUR/9", kind, port)) as node:
        async with js_peer("stream-server.js", {"link": js_link("js", kind, node, port)}) as js:
            ready = await js.wait_for("ready")
            assert ready["asset"] == {"code": "EUR", "scale": 9}
            await until_up(node, "js")
            ended = await pay(node, ready, FixedSend(AMOUNT))
            await js.wait_for("money", total=str(AMOUNT // 2))
        await until_settled(node)
        assert ended.failure is None
        assert (ended.progress.sent, ended.progress.delivered) == (AMOUNT, AMOUNT // 2)
        assert (net(node, "alice"), net(node, "js")) == (AMOUNT, -AMOUNT // 2)


@pytest.mark.parametrize("package", STATELESS)
@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_we_pay_stream_receiver(package: str, kind: str) -> None:
    """Both generations: 0.2.2 answers probes with F99, 0.3.3-alpha with F05 (ST-18, D-23)."""
    port = free_port()
    async with running_node(ALICE, js_account("js", "EUR/9", kind, port)) as node:
        options = {
            "link": js_link("js", kind, node, port),
            "package": package,
            "address": "test.hub.js",
            "asset": {"code": "EUR", "scale": 9},
        }
        async with js_peer("stream-receiver.js", options) as js:
            ready = await js.wait_for("ready")
            await until_up(node, "js")
            ended = await pay(node, ready, FixedSend(AMOUNT))
            await js.wait_for("money", total=str(AMOUNT // 2))
        assert ended.failure is None
        assert (ended.progress.sent, ended.progress.delivered) == (AMOUNT, AMOUNT // 2)
        assert (net(node, "alice"), net(node, "js")) == (AMOUNT, -AMOUNT // 2)


async def test_fixed_delivery_brings_what_was_asked() -> None:
    """Exactly 123,457 EUR units for the 246,914 USD units they cost."""
    async with running_node(ALICE, js_account("js", "EUR/9", "btp", 0)) as node:
        async with js_peer("stream-server.js", {"link": js_link("js", "btp", node, 0)}) as js:
            ready = await js.wait_for("ready")
            ended = await pay(node, ready, FixedDelivery(123_457))
            await js.wait_for("money", total="123457")
        assert ended.failure is None
        assert (ended.progress.sent, ended.progress.delivered) == (246_914, 123_457)
        assert (net(node, "alice"), net(node, "js")) == (246_914, -123_457)
