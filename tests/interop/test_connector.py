"""Our node as the parent of two npm ilp-connectors, each with users of its own: a payment crosses all three.

    sender -> left (ilp-connector) -> our hub -> right (ilp-connector) -> receiver

Left and right ask our hub who they are (PC-01, CR-14). Every hop's books agree to the unit.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from nodes import TOKEN, account, js_account, net, running_node, until_settled, until_up
from peers import free_port, ilp_connector, js_peer
from test_btp import End

from interledger.accounts.account import Account, LinkSettings, Relation
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, decode_reply
from interledger.ilp.peer import PEER_CONDITION
from interledger.link.base import RequestId
from interledger.node.children import name_of_token
from interledger.node.node import Node

AMOUNT = 250_000
BALANCE = {"maximum": "1000000000", "minimum": "-1000000000"}


KINDS = ["btp", "btp, we dial", "http", "http, HS256"]
"""How each of our accounts is linked. In the last two both call each other."""


def our_account(name: str, kind: str, js_port: int) -> Account:
    token = TOKEN + name
    if kind == "btp, we dial":
        return account(name, "USD/9", btp_url=f"ws://127.0.0.1:{js_port}/", btp_outgoing_token=token)
    base = js_account(name, "USD/9", kind[:4].rstrip(","), js_port, token)
    if kind != "http, HS256":
        return base
    signed = LinkSettings(
        http_url=base.link.http_url,
        http_incoming_jwt_secret=token,
        http_outgoing_jwt_secret=token,
        http_jwt_require_subject=False,  # the plugin sends no sub
    )
    return replace(base, link=signed)


def their_accounts(name: str, kind: str, node: Node, js_port: int, users_port: int) -> dict[str, Any]:
    """The connector's side: we are its parent; its users connect by BTP with any token (mini-accounts)."""
    token = TOKEN + name
    if kind == "btp":
        server = f"btp+ws://{name}:{token}@127.0.0.1:{node.port}/accounts/{name}/ilp/btp"
        plugin: dict[str, Any] = {"plugin": "ilp-plugin-btp", "options": {"server": server}}
    elif kind == "btp, we dial":
        plugin = {"plugin": "ilp-plugin-btp", "options": {"listener": {"port": js_port, "secret": token}}}
    else:
        auth = {"jwtSecret" if kind == "http, HS256" else "staticToken": token}
        incoming = {"port": js_port, **auth}
        outgoing = {"url": f"http://127.0.0.1:{node.port}/accounts/{name}/ilp", **auth, "http2": False}
        plugin = {"plugin": "ilp-plugin-http", "options": {"incoming": incoming, "outgoing": outgoing}}
    usd = {"assetCode": "USD", "assetScale": 9, "sendRoutes": False, "receiveRoutes": False}
    users = {"wsOpts": {"host": "127.0.0.1", "port": users_port}, "allowedOrigins": [".*"]}
    return {
        "hub": {"relation": "parent", "balance": BALANCE, **usd, **plugin},
        "users": {"relation": "child", "plugin": "ilp-plugin-mini-accounts", "options": users, **usd},
    }


@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_between_two_ilp_connectors(kind: str) -> None:
    ports = [free_port() for _ in range(4)]
    accounts = [
        js_account(name, "USD/9", kind, port, TOKEN + name)
        for name, port in zip(("left", "right"), ports, strict=False)
    ]
    async with (
        running_node(*accounts) as node,
        ilp_connector(None, their_accounts("left", kind, node, ports[0], ports[2])),
        ilp_connector(None, their_accounts("right", kind, node, ports[1], ports[3])),
    ):
        await until_up(node, "left")
        await until_up(node, "right")
        receiver_link = {"btp": f"btp+ws://bob:bob@127.0.0.1:{ports[3]}"}
        async with js_peer("stream-server.js", {"link": receiver_link}) as server:
            ready = await server.wait_for("ready")
            assert ready["address"].startswith("test.hub.right.")
            options = {
                "link": {"btp": f"btp+ws://alice:alice@127.0.0.1:{ports[2]}"},
                "address": ready["address"],
                "secret": ready["secret"],
                "amount": str(AMOUNT),
            }
            async with js_peer("stream-client.js", options) as client:
                paid = await client.wait_for("paid")
                await server.wait_for("money", total=str(AMOUNT))
                assert (paid["sent"], paid["delivered"]) == (str(AMOUNT), str(AMOUNT))
                # Posted amounts only: the JS server probes the way back, and the connectors count what they hold.
                assert net(node, "left") == AMOUNT
                assert net(node, "right") == -AMOUNT


@pytest.mark.parametrize("kind", KINDS)
async def test_the_books_of_all_three_agree(kind: str) -> None:
    """One packet of AMOUNT from a user of left to a user of right, by ilp-plugin-btp alone: no probes, exact books."""
    ports = [free_port() for _ in range(4)]
    accounts = [our_account(name, kind, port) for name, port in zip(("left", "right"), ports, strict=False)]
    async with (
        running_node(*accounts) as node,
        ilp_connector(None, their_accounts("left", kind, node, ports[0], ports[2])) as left,
        ilp_connector(None, their_accounts("right", kind, node, ports[1], ports[3])) as right,
    ):
        await until_up(node, "left")
        await until_up(node, "right")
        async with (
            js_peer("btp-endpoint.js", {"link": {"btp": f"btp+ws://bob:bob@127.0.0.1:{ports[3]}"}}) as bob,
            js_peer("btp-endpoint.js", {"link": {"btp": f"btp+ws://alice:alice@127.0.0.1:{ports[2]}"}}) as alice,
        ):
            await bob.wait_for("ready")
            await alice.wait_for("ready")
            expires_at = Timestamp(node.clock.now() + 20_000)
            prepare = Prepare(AMOUNT, expires_at, PEER_CONDITION, Address("test.hub.right.users.bob.x"), b"hello")
            await alice.send(prepare.encode().hex())
            reply = await alice.wait_for("reply")
            assert decode_reply(bytes.fromhex(reply["octets"])) == Fulfill(bytes(32), b"hello")
            received = await bob.wait_for("prepare")
            assert (received["amount"], received["received"]) == (str(AMOUNT), 1)
        assert (net(node, "left"), net(node, "right")) == (AMOUNT, -AMOUNT)
        # What the connectors say of us: left owes us, we owe right.
        assert await left.balance("hub") == -AMOUNT
        assert await right.balance("hub") == AMOUNT


async def test_our_node_is_a_user_of_an_ilp_connector() -> None:
    """By the connector's mini-accounts, with a token of our own; packets to and from another user of it."""
    port, token = free_port(), "a-token-of-ours-that-nobody-guesses"
    options = {"wsOpts": {"host": "127.0.0.1", "port": port}, "allowedOrigins": [".*"]}
    users = {
        "relation": "child",
        "plugin": "ilp-plugin-mini-accounts",
        "options": options,
        "assetCode": "USD",
        "assetScale": 9,
        "balance": BALANCE,
    }
    parent = account(
        "conn",
        "USD/9",
        Relation.PARENT,
        address="test.conn",
        btp_url=f"ws://127.0.0.1:{port}/",
        btp_outgoing_token=token,
    )
    async with (
        ilp_connector("test.conn", {"users": users}) as connector,
        running_node(parent, account("alice", "USD/9", Relation.LOCAL)) as node,
        js_peer("btp-endpoint.js", {"link": {"btp": f"btp+ws://bob:bob@127.0.0.1:{port}"}}) as bob,
    ):
        await bob.wait_for("ready")
        mine = f"test.conn.users.{name_of_token(token)}"
        async with asyncio.timeout(15):
            while node.address != mine:  # noqa: ASYNC110 - the node has no event for it
                await asyncio.sleep(0.01)
        end = End(node)
        expires_at = Timestamp(node.clock.now() + 20_000)
        out = Prepare(AMOUNT, expires_at, PEER_CONDITION, Address("test.conn.users.bob.x"), b"out")
        end.link.send_prepare(RequestId(1), out)
        received = await bob.wait_for("prepare")
        assert (received["amount"], received["received"]) == (str(AMOUNT), 1)
        assert await end.replies.get() == Fulfill(bytes(32), b"out")
        await until_settled(node)
        assert (net(node, "alice"), net(node, "conn")) == (AMOUNT, -AMOUNT)

        back = Prepare(1_234, expires_at, PEER_CONDITION, Address(f"{mine}.alice.x"), b"in")
        await bob.send(back.encode().hex())
        reply = decode_reply(bytes.fromhex((await bob.wait_for("reply"))["octets"]))
        assert reply == Fulfill(bytes(32), b"in")
        await until_settled(node)
        assert end.received == [1_234]
        assert (net(node, "alice"), net(node, "conn")) == (AMOUNT - 1_234, 1_234 - AMOUNT)
        # All its users are one account to the connector: what one of them owes, another is owed.
        assert await connector.balance("users") == 0
