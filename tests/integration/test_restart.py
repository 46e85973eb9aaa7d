"""What we had asked before we died, over the links whose peers say their answers again: each is heard, and relayed.

alice -> hub -> bob. The hub dies when all packets are with bob, and comes back on its books of that moment.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.account import AccountId, BtpVersion, HttpForm, LinkSettings, Relation
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.node.node import Node
from tests.node.loopback import account, btp_dialler, btp_listener, http_link, net, running, settings, until
from tools.torture.network import free_ports

PACKETS = 30
REJECT_EVERY = 5
KINDS = ["http-async", "http-oer-async", "http-oer-sync", "btp-2.0-i"]


def preimage(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


class End:
    """A holder on a node: sends packets, and keeps those that come until it is told to answer."""

    def __init__(self, node: Node, name: str) -> None:
        self.node = node
        self.asked: dict[RequestId, Prepare] = {}
        self.replies: dict[int, list[Reply]] = {}
        peer = AccountId(f"{name}/end")
        self.link = node.wallets.attach_end(peer, node.account(name), self)
        node.wallets.find = lambda destination: peer  # type: ignore[method-assign]  # one end, whatever the address

    def send(self, number: int, destination: str) -> None:
        expires_at = Timestamp(self.node.clock.now() + 25_000)
        condition = hashlib.sha256(preimage(number)).digest()
        self.link.send_prepare(RequestId(number), Prepare(number, expires_at, condition, Address(destination)))

    def receive_prepare(self, name: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp) -> None:
        self.asked[request_id] = prepare

    def answer_all(self) -> None:
        for request_id, prepare in self.asked.items():
            refused = prepare.amount % REJECT_EVERY == 0
            reply = Reject("F99", "test.bob", "no") if refused else Fulfill(preimage(prepare.amount))
            self.link.send_reply(request_id, reply)

    def receive_reply(self, name: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.replies.setdefault(request_id, []).append(reply)

    def receive_no_reply(self, *_: object) -> None: ...
    def link_lost(self, *_: object) -> None: ...


def links(kind: str, left: str, right: str, nodes: dict[str, Node]) -> tuple[LinkSettings, LinkSettings]:
    """Of `left` to `right`, who is dialled, and back."""
    if kind == "btp-2.0-i":
        version: dict[str, Any] = {"btp_version": BtpVersion.REPEATING}
        dials, listens = btp_dialler(left, nodes[right], right), btp_listener(right, left)
        return LinkSettings(**{**vars_of(dials), **version}), LinkSettings(**{**vars_of(listens), **version})
    there, back = http_link(left, nodes[right], right), http_link(right, nodes[left], left)
    form: dict[str, Any] = {"http_form": HttpForm(kind.removeprefix("http-"))}
    if kind == "http-async":
        return (
            LinkSettings(**{**vars_of(there), **form, "http_callback_url": back.http_url}),
            LinkSettings(**{**vars_of(back), **form, "http_callback_url": there.http_url}),
        )
    return LinkSettings(**{**vars_of(there), **form}), LinkSettings(**{**vars_of(back), **form})


def vars_of(link: LinkSettings) -> dict[str, Any]:
    return {name: getattr(link, name) for name in link.__dataclass_fields__}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
async def test_answers_to_what_was_asked_before_we_died_are_heard_and_relayed(kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    at = {"http_bind_address": f"127.0.0.1:{port}", "min_message_window_ms": 500}
    async with running(settings("test.alice")) as alice, running(settings("test.bob")) as bob:
        async with running(settings("test.hub", tmp_path / "hub", **at)) as hub:
            nodes = {"alice": alice, "hub": hub, "bob": bob}
            await alice.create_account(account("end", "USD/9", "test.alice.end"))
            await bob.create_account(account("end", "USD/9", "test.bob.end"))
            for left, right in (("alice", "hub"), ("hub", "bob")):
                there, back = links(kind, left, right, nodes)
                await nodes[right].create_account(account(left, "USD/9", f"test.{left}", Relation.PEER, back))
                await nodes[left].create_account(account(right, "USD/9", f"test.{right}", Relation.PEER, there))
            await alice.set_static_routes({"test": AccountId("hub")})
            sender, receiver = End(alice, "end"), End(bob, "end")
            await until(lambda: alice.link_status("hub").up and hub.link_status("bob").up)
            for number in range(1, PACKETS + 1):
                sender.send(number, "test.bob.end.x")
            await until(lambda: len(receiver.asked) == PACKETS)
            shutil.copytree(tmp_path / "hub", tmp_path / "dead")
        receiver.answer_all()
        await asyncio.sleep(0.3)  # so that they find nobody
        async with running(settings("test.hub", tmp_path / "dead", **at)) as hub:
            await until(lambda: sum(isinstance(r[0], Fulfill) for r in sender.replies.values()) == PACKETS * 4 // 5, 20)
            fulfilled = [number for number, (reply,) in sender.replies.items() if isinstance(reply, Fulfill)]
            assert sorted(fulfilled) == [number for number in range(1, PACKETS + 1) if number % REJECT_EVERY]
            total = sum(fulfilled)
            assert (net(alice, "hub"), net(hub, "alice")) == (-total, total)
            assert (net(hub, "bob"), net(bob, "hub")) == (-total, total)
            if kind == "http-async":  # RFC 35 does not let the hub ask again, so it does not know what bob refused
                unknown = {unknown.amount for unknown in hub.ledger.unknown.values()}
                assert unknown == {number for number in range(1, PACKETS + 1) if not number % REJECT_EVERY}
            else:
                await until(lambda: len(sender.replies) == PACKETS)
                assert not hub.ledger.unknown
                assert net(hub, "bob") == -total
