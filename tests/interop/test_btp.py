"""BTP beyond ILP packets with ilp-plugin-btp, and children that make their own accounts, as with mini-accounts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nodes import TOKEN, account, net, running_node, until_settled, until_up
from peers import JsPeer, free_port, js_peer

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.errors import RefusedError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reply, decode_reply
from interledger.ilp.peer import PEER_CONDITION
from interledger.link.base import RequestId
from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest
from interledger.node.children import name_of_token
from interledger.node.node import Node

AMOUNT = 250_000


def as_json(name: str, document: object) -> ProtocolData:
    """As JavaScript writes it."""
    return ProtocolData(name, ContentType.JSON, json.dumps(document, separators=(",", ":")).encode())


@asynccontextmanager
async def linked(dials: str) -> AsyncIterator[tuple[Node, JsPeer]]:
    """Our node and a settlement plugin; `dials`: which of them dials."""
    if dials == "plugin":
        async with running_node(account("js", "USD/9", btp_incoming_token=TOKEN)) as node:
            link = {"btp": f"btp+ws://js:{TOKEN}@127.0.0.1:{node.port}/"}
            async with js_peer("btp-custom.js", {"link": link}) as js:
                await js.wait_for("ready")
                yield node, js
        return
    port = free_port()
    async with js_peer("btp-custom.js", {"link": {"btpListen": {"port": port, "secret": TOKEN}}}) as js:
        await js.wait_for("listening")
        url = f"ws://127.0.0.1:{port}/"
        async with running_node(account("js", "USD/9", btp_url=url, btp_outgoing_token=TOKEN)) as node:
            await js.wait_for("ready")
            await until_up(node, "js")
            yield node, js


def entries(answer: dict[str, Any]) -> list[ProtocolData]:
    return [ProtocolData(e["name"], e["contentType"], bytes.fromhex(e["hex"])) for e in answer["entries"]]


@pytest.mark.parametrize("dials", ["plugin", "we"])
async def test_sub_protocols_both_ways(dials: str) -> None:
    async with linked(dials) as (node, js):
        asked: list[SubprotocolRequest] = []

        async def answer_claim(request: SubprotocolRequest) -> Answer:
            asked.append(request)
            return (as_json("claim", {"seen": len(asked)}), ProtocolData("raw", ContentType.OCTETS, b"\x00\xff"))

        node.subprotocols.register("claim", answer_claim)
        await js.send(json.dumps({"message": {"claim": {"channel": "ä"}, "raw": {"hex": "00ff"}}}))
        answer = await js.wait_for("answer")
        assert entries(answer) == [as_json("claim", {"seen": 1}), ProtocolData("raw", ContentType.OCTETS, b"\x00\xff")]
        (request,) = asked
        assert (request.account, request.name, request.amount) == ("js", "claim", None)
        assert json.loads(request.entries[0].data) == {"channel": "ä"}
        assert request.entries[1] == ProtocolData("raw", ContentType.OCTETS, b"\x00\xff")

        await js.send(json.dumps({"message": {"unheard": "of"}}))
        refused = await js.wait_for("refused")
        assert (refused["code"], refused["name"]) == ("F00", "NotAcceptedError")

        ours = (as_json("claim", {"amount": "7"}), ProtocolData("note", ContentType.TEXT, "für dich".encode()))
        back = await node.subprotocols.send_message("js", ours)
        assert back == (as_json("claim", {"accepted": True}), ProtocolData("note", ContentType.TEXT, b"thanks"))
        message = await js.wait_for("message")
        assert message["protocolMap"] == {"claim": {"amount": "7"}, "note": "für dich"}

        for name, code in (("DuplicateIdError", "F05"), ("UnreachableError", "T00"), ("AlreadyFulfilledError", "F07")):
            with pytest.raises(RefusedError) as refusal:
                await node.subprotocols.send_message("js", (ProtocolData("refuse", ContentType.TEXT, name.encode()),))
            assert refusal.value.code == code


@pytest.mark.parametrize("dials", ["plugin", "we"])
async def test_sendMoney_by_Transfer_both_ways(dials: str) -> None:
    """BT-09: a Response only when the amount is applied; the totals of both sides agree to the unit."""
    async with linked(dials) as (node, js):
        await js.send(json.dumps({"money": "5"}))
        assert (await js.wait_for("refused"))["code"] == "F00"

        applied: list[int] = []

        async def take(request: SubprotocolRequest) -> Answer:
            if request.amount is None or json.loads(request.entries[0].data)["worth"] != str(request.amount):
                return Refusal("F01", "no claim")
            if request.amount > 2**63:
                return Refusal("F08", "too much")
            applied.append(request.amount)
            return (as_json("claim", {"total": str(sum(applied))}),)

        node.subprotocols.set_settlement_hook(take, "js")
        for amount in ("1000000", str(2**53 + 1), "3"):
            await js.send(json.dumps({"money": amount}))
            await js.wait_for("answer")
        await js.send(json.dumps({"money": str(2**64 - 1)}))
        assert (await js.wait_for("refused"))["name"] == "InsufficientBalanceError"
        assert applied == [1_000_000, 2**53 + 1, 3]

        sent = 0
        for amount_sent in (10, 2**63 + 7, 1):
            claim = as_json("claim", {"worth": str(amount_sent)})
            (answer,) = await node.subprotocols.send_transfer("js", amount_sent, (claim,))
            sent += amount_sent
            assert answer == as_json("claim", {"total": str(sent)})
            assert (await js.wait_for("money"))["total"] == str(sent)
        with pytest.raises(RefusedError) as refusal:
            await node.subprotocols.send_transfer("js", 4, (as_json("claim", {"worth": "5"}),))
        assert refusal.value.code == "F01"


async def test_info_and_balance_as_a_plugin_asks_for_them() -> None:
    async with linked("plugin") as (_, js):
        await js.send(json.dumps({"message": {"info": {"hex": "02"}}}))
        (info,) = entries(await js.wait_for("answer"))
        assert (info.name, info.content_type) == ("info", ContentType.JSON)
        assert json.loads(info.data)["currencyScale"] == 9
        await js.send(json.dumps({"message": {"balance": {"hex": "00"}}}))
        assert entries(await js.wait_for("answer")) == [ProtocolData("balance", ContentType.OCTETS, bytes(8))]


# ---------------------------------------------------------------------- children that make their own accounts


def child_of(node: Node, name: str) -> AccountId:
    return next(a.id for a in node.accounts() if a.link.btp_child_name == name)


async def test_children_with_tokens_of_their_own_pay_each_other() -> None:
    """One is called by its user name, one by its token, as mini-accounts does; a third knows the wrong token."""
    async with running_node(account("users", "USD/9"), btp_children="users") as node:
        at = f"127.0.0.1:{node.port}/"
        async with js_peer(
            "stream-server.js", {"link": {"btp": f"btp+ws://:bobs-token-nobody-guesses@{at}"}}
        ) as server:
            ready = await server.wait_for("ready")
            bob = name_of_token("bobs-token-nobody-guesses")
            assert ready["address"].startswith(f"test.hub.users.{bob}.")
            assert ready["asset"] == {"code": "USD", "scale": 9}
            options = {
                "link": {"btp": f"btp+ws://alice:alices-token@{at}"},
                "address": ready["address"],
                "secret": ready["secret"],
                "amount": str(AMOUNT),
            }
            async with js_peer("stream-client.js", options) as client:
                paid = await client.wait_for("paid")
            await server.wait_for("money", total=str(AMOUNT))
            assert (paid["sent"], paid["delivered"]) == (str(AMOUNT), str(AMOUNT))
            # Posted amounts only: the JavaScript server probes the way back to a client that is gone by now.
            assert net(node, child_of(node, "alice")) == AMOUNT
            assert net(node, child_of(node, bob)) == -AMOUNT
            # A name belongs to whoever came with it first; a restart of the client changes nothing.
            again = options | {"amount": "1000"}
            async with js_peer("stream-client.js", again) as client:
                await client.wait_for("paid")
            assert net(node, child_of(node, "alice")) == AMOUNT + 1000
            assert len(node.accounts()) == 3


async def test_a_child_that_comes_with_another_token_is_not_let_in() -> None:
    async with running_node(account("users", "USD/9"), btp_children="users") as node:
        url = f"btp+ws://alice:{{}}@127.0.0.1:{node.port}/"
        async with js_peer("btp-endpoint.js", {"link": {"btp": url.format("hers")}}) as js:
            await js.wait_for("ready")
        async with js_peer("btp-endpoint.js", {"link": {"btp": url.format("stolen")}}) as js:
            with pytest.raises(AssertionError, match="connection aborted"):
                await js.wait_for("ready")
        assert len(node.accounts()) == 2


class End:
    """A holder of our node: pays, and fulfills what comes."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.replies: asyncio.Queue[Reply] = asyncio.Queue()
        self.received: list[int] = []
        name = AccountId("alice/end")
        self.link = node.wallets.attach_end(name, node.account("alice"), self)
        node.wallets.find = lambda destination: name  # type: ignore[method-assign]  # one end, whatever the address

    def receive_prepare(self, name: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp) -> Reply:
        self.received.append(prepare.amount)
        return Fulfill(bytes(32), prepare.data)

    def receive_reply(self, name: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.replies.put_nowait(reply)

    def receive_no_reply(self, *_: object) -> None: ...
    def link_lost(self, *_: object) -> None: ...


async def test_our_client_is_a_child_of_mini_accounts() -> None:
    """It gives us our address (ILDCP), called by our token; packets go both ways, and our books count every unit."""
    port, token = free_port(), "a-token-of-ours"
    async with js_peer("mini-accounts.js", {"port": port, "address": "test.mini"}) as js:
        await js.wait_for("ready")
        url = f"ws://127.0.0.1:{port}/"
        parent = account("mini", "USD/9", Relation.PARENT, address="test.mini", btp_url=url, btp_outgoing_token=token)
        async with running_node(parent, account("alice", "USD/9", Relation.LOCAL)) as node:
            mine = f"test.mini.{name_of_token(token)}"
            async with asyncio.timeout(15):
                while node.address != mine:  # noqa: ASYNC110 - the node has no event for it
                    await asyncio.sleep(0.01)
            end = End(node)
            expires_at = Timestamp(node.clock.now() + 20_000)
            out = Prepare(AMOUNT, expires_at, PEER_CONDITION, Address("test.mini.somebody"), b"out")
            end.link.send_prepare(RequestId(1), out)
            await js.wait_for("prepare", destination="test.mini.somebody", amount=str(AMOUNT))
            assert await end.replies.get() == Fulfill(bytes(32), b"out")
            await until_settled(node)
            assert (net(node, "alice"), net(node, "mini")) == (AMOUNT, -AMOUNT)

            back = Prepare(1_234, expires_at, PEER_CONDITION, Address(f"{mine}.alice.x"), b"in")
            await js.send(back.encode().hex())
            reply = decode_reply(bytes.fromhex((await js.wait_for("reply"))["octets"]))
            assert reply == Fulfill(bytes(32), b"in")
            await until_settled(node)
            assert end.received == [1_234]
            assert (net(node, "alice"), net(node, "mini")) == (AMOUNT - 1_234, 1_234 - AMOUNT)
            # Whatever is no ILP packet mini-accounts refuses.
            with pytest.raises(RefusedError, match="no ilp protocol data"):
                await node.subprotocols.send_message("mini", (as_json("claim", {}),))
            with pytest.raises(RefusedError, match="sendMoney"):
                await node.subprotocols.send_transfer("mini", 5)
