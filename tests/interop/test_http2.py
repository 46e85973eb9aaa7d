"""HTTP/2 with Node's own: its client, as ilp-plugin-http uses it, pays us; its server is paid by us (HT-12)."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from nodes import TOKEN, account, js_account, net, running_node, until_settled
from peers import free_port, js_peer

from interledger.accounts.account import AccountId, Relation
from interledger.clock import SystemClock, Timestamp
from interledger.daemon.authority import DevAuthority
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reply
from interledger.ilp.peer import PEER_CONDITION
from interledger.link.base import RequestId
from interledger.node.node import Node

AMOUNT = 1_000_000
PACKETS = 300
ALICE = account("alice", "USD/9", Relation.LOCAL)
BOB = account("bob", "EUR/9", Relation.LOCAL)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Of a server on this machine: `cert`, `key`, and the `ca` that vouches for it."""
    ca = DevAuthority(tmp_path, SystemClock().now())
    issued = ca.issue("localhost", SystemClock().now())
    return {"cert": str(issued.certificate), "key": str(issued.key), "ca": str(ca.path)}


@pytest.mark.parametrize("tls", [True, False], ids=["ALPN", "prior knowledge"])
async def test_ilp_plugin_http_pays_us(files: dict[str, str], tls: bool) -> None:
    port = free_port()
    secure = {"tls_certificate": files["cert"], "tls_key": files["key"]} if tls else {}
    async with running_node(BOB, js_account("js", "USD/9", "http", port), **secure) as node:
        versions: set[str] = set()
        watch(node, versions)
        url = f"http{'s' if tls else ''}://localhost:{node.port}/accounts/js/ilp"
        details = node.spsp_details("bob")
        options = {
            "link": {"http": {"port": port, "url": url, "token": TOKEN, "http2": True}},
            "address": details.destination_account,
            "secret": base64.b64encode(details.shared_secret).decode(),
            "amount": str(AMOUNT),
        }
        async with js_peer("stream-client.js", options, trusted=files["ca"]) as js:
            paid = await js.wait_for("paid")
        await until_settled(node)
        assert (paid["sent"], paid["delivered"]) == (str(AMOUNT), str(AMOUNT // 2))
        assert (net(node, "js"), net(node, "bob")) == (AMOUNT, -AMOUNT // 2)
        assert versions == {"Http2Connection"}


def watch(node: Node, versions: set[str]) -> None:
    """Note what kind of connection brings what the port is asked."""

    class Heads(dict[Any, Any]):
        def get(self, head: Any, default: Any = None) -> Any:
            if isinstance(head, tuple):
                versions.add("Http2Connection")
            elif not head.startswith(b"PRI * HTTP/2.0"):
                versions.add("HTTP/1.1")
            return super().get(head, default)

    node.links.http_server.accepted_heads = Heads()


class Payer:
    """A holder of our node who sends many packets at once."""

    def __init__(self, node: Node) -> None:
        self.replies: list[Reply] = []
        self.all_here = asyncio.Event()
        self.link = node.wallets.attach_end(AccountId("alice/end"), node.account("alice"), self)

    def receive_reply(self, name: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.replies.append(reply)
        if len(self.replies) == PACKETS:
            self.all_here.set()

    def receive_prepare(self, *_: object) -> None: ...
    def receive_no_reply(self, *_: object) -> None: ...
    def link_lost(self, *_: object) -> None: ...


@pytest.mark.parametrize("streams_max", [100, 3])
async def test_we_pay_a_server_of_node(files: dict[str, str], streams_max: int) -> None:
    """All at once, over one connection, as many at a time as the server allows."""
    port = free_port()
    options = {**files, "port": port, "token": TOKEN, "streamsMax": streams_max, "delay": 1}
    js = account(
        "js", "USD/9", http_url=f"https://localhost:{port}/ilp", http_outgoing_token=TOKEN, http_incoming_token="unused"
    )
    async with (
        js_peer("http2-server.js", options) as server,
        running_node(ALICE, js, tls_ca=files["ca"]) as node,
    ):
        await server.wait_for("ready")
        payer = Payer(node)
        expires_at = Timestamp(node.clock.now() + 20_000)
        for number in range(1, PACKETS + 1):
            packet = Prepare(number, expires_at, PEER_CONDITION, Address("test.hub.js.x"), number.to_bytes(2))
            payer.link.send_prepare(RequestId(number), packet)
        async with asyncio.timeout(20):
            await payer.all_here.wait()
        await until_settled(node)
        total = PACKETS * (PACKETS + 1) // 2
        assert {reply.data for reply in payer.replies if isinstance(reply, Fulfill)} == {
            number.to_bytes(2) for number in range(1, PACKETS + 1)
        }
        assert (net(node, "alice"), net(node, "js")) == (total, -total)
        await server.send("")
        seen = await server.wait_for("seen")
        assert (seen["sessions"], seen["packets"], seen["amount"], seen["refused"]) == (1, PACKETS, str(total), 0)
        assert 1 < seen["openMost"] <= streams_max
