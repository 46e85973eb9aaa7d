"""Our node as the parent of two npm ilp-connectors, each with users of its own: a payment crosses all three.

    sender -> left (ilp-connector) -> our hub -> right (ilp-connector) -> receiver

Left and right ask our hub who they are (PC-01, CR-14). Every hop's books agree to the unit.
"""

from __future__ import annotations

from typing import Any

import pytest
from nodes import TOKEN, js_account, net, running_node, until_up
from peers import free_port, ilp_connector, js_peer

from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, decode_reply
from interledger.ilp.peer import PEER_CONDITION
from interledger.node.node import Node

AMOUNT = 250_000
BALANCE = {"maximum": "1000000000", "minimum": "-1000000000"}


def their_accounts(name: str, kind: str, node: Node, js_port: int, users_port: int) -> dict[str, Any]:
    """The connector's side: we are its parent; its users connect by BTP with any token (mini-accounts)."""
    token = TOKEN + name
    if kind == "btp":
        server = f"btp+ws://{name}:{token}@127.0.0.1:{node.port}/accounts/{name}/ilp/btp"
        plugin: dict[str, Any] = {"plugin": "ilp-plugin-btp", "options": {"server": server}}
    else:
        incoming = {"port": js_port, "staticToken": token}
        outgoing = {"url": f"http://127.0.0.1:{node.port}/accounts/{name}/ilp", "staticToken": token, "http2": False}
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


@pytest.mark.parametrize("kind", ["btp", "http"])
async def test_the_books_of_all_three_agree(kind: str) -> None:
    """One packet of AMOUNT from a user of left to a user of right, by ilp-plugin-btp alone: no probes, exact books."""
    ports = [free_port() for _ in range(4)]
    accounts = [
        js_account(name, "USD/9", kind, port, TOKEN + name)
        for name, port in zip(("left", "right"), ports, strict=False)
    ]
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
