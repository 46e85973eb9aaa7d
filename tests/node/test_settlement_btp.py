"""Engines that speak BTP: their accounts' sub-protocols and Transfers are theirs, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import parse_asset
from interledger.clock import Timestamp
from interledger.errors import RefusedError
from interledger.ilp.address import Address
from interledger.link.btp.messages import ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal
from interledger.link.http.fetch import Response, fetch
from interledger.node.node import Node
from interledger.settlement.btp import BtpRequest, decode_answer, decode_request, encode_answer, encode_request
from tests.support.engines import OPEN, quick, served, until
from tests.support.xrp import TOKEN, digest, node_at

NOW = Timestamp(1_795_262_400_000)
CLAIM = ProtocolData("claim", 2, b"{}")


class Speaker:
    """An engine that speaks `info` and `channel`, and answers as the test says."""

    def __init__(self) -> None:
        self.asked: list[BtpRequest] = []
        self.status = 201
        self.answer: Callable[[BtpRequest], Answer] = lambda request: (ProtocolData("re", 0, b"x"),)
        self.names: list[str] = ["info", "channel"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, octets = 201, b""
        if scope["path"] == "/accounts":
            octets = json.dumps({"id": json.loads(body)["id"], "btp": self.names}).encode()
        elif scope["path"].endswith("/btp"):
            request = decode_request(body, headers.get("ilp-address", ""))
            self.asked.append(request)
            status, octets = self.status, encode_answer(self.answer(request), NOW)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": octets})


@asynccontextmanager
async def two(engine: Speaker) -> AsyncIterator[tuple[Node, Node, str]]:
    """`hub`, whose account `alice` has the engine, and `alice`, who dials it."""

    def account(name: str, address: str, link: LinkSettings) -> Account:
        return Account(
            id=AccountId(name),
            asset=parse_asset("XRP/6"),
            ilp_address=Address(address),
            relation=Relation.PEER,
            link=link,
        )

    async with served(engine) as url, node_at("test.hub") as hub, node_at("test.alice") as alice:
        ours = account("alice", "test.alice", LinkSettings(btp_incoming_token_digest=digest(TOKEN)))
        await hub.create_account(replace(ours, settlement_engine_url=url))
        at = f"ws://127.0.0.1:{hub.port}/accounts/alice/ilp/btp"
        await alice.create_account(account("hub", "test.hub", LinkSettings(btp_url=at, btp_outgoing_token=TOKEN)))
        await until(lambda: alice.link_status("hub").up and hub.settlements.engines.is_set_up(hub.account("alice")))
        yield hub, alice, url


async def from_engine(node: Node, octets: bytes, path: str = "/accounts/alice/btp") -> Response:
    url = f"http://127.0.0.1:{node.settlements.port}{path}"
    return await fetch("POST", url, headers={"Content-Type": "application/octet-stream"}, body=octets, egress=OPEN)


async def test_the_engine_gets_what_it_named_with_the_accounts_address() -> None:
    engine = Speaker()
    async with two(engine) as (_, alice, _):
        entries = (ProtocolData("channel", 0, b"\x01"), ProtocolData("channel_signature", 0, b"\x02"))
        assert await alice.subprotocols.send_message("hub", entries) == (ProtocolData("re", 0, b"x"),)
        assert await alice.subprotocols.send_transfer("hub", 7, (CLAIM,)) == (ProtocolData("re", 0, b"x"),)
        assert engine.asked == [BtpRequest(entries, None, "test.alice"), BtpRequest((CLAIM,), 7, "test.alice")]
        with pytest.raises(RefusedError, match="does not speak the sub-protocol 'last_claim'"):
            await alice.subprotocols.send_message("hub", (ProtocolData("last_claim", 0, b""),))
        engine.answer = lambda request: Refusal("F01", "not that")
        with pytest.raises(RefusedError, match="F01 InvalidFieldsError: not that"):
            await alice.subprotocols.send_transfer("hub", 7, (CLAIM,))


async def test_info_is_the_nodes_with_what_the_engine_adds() -> None:
    engine = Speaker()
    engine.answer = lambda request: (ProtocolData("info", 2, b'{"address":"r1","currencyScale":9}'),)
    async with two(engine) as (_, alice, _):
        [entry] = await alice.subprotocols.send_message("hub", (ProtocolData("info", 0, b"\x02"),))
        info = json.loads(entry.data)
        assert (info["account"], info["address"], info["currencyScale"]) == ("test.alice", "r1", 9)
        assert info["connectors"] == ["test.hub"]
        [entry] = await alice.subprotocols.send_message("hub", (ProtocolData("info", 0, b"\x00"),))
        assert entry.data == b"test.hub"  # the name alone, as every node says it


async def test_a_transfer_that_an_engine_may_have_taken_has_no_answer() -> None:
    """What it refuses with 4xx it has not taken; of a failure nobody knows."""
    engine = Speaker()
    async with two(engine) as (_, alice, _):
        engine.status = 500
        with pytest.raises(TimeoutError):
            await alice.subprotocols.send_transfer("hub", 7, (CLAIM,), timeout_ms=200)
        with pytest.raises(RefusedError, match="T00"):
            await alice.subprotocols.send_message("hub", (ProtocolData("channel", 0, b""),))
        engine.status = 400
        with pytest.raises(RefusedError, match="F00"):
            await alice.subprotocols.send_transfer("hub", 7, (CLAIM,))


async def test_without_its_engine_an_account_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    engine = Speaker()
    async with two(engine) as (hub, alice, _):
        await hub.replace_account(replace(hub.account("alice"), settlement_engine_url=None))
        await until(lambda: hub.links.btp.subprotocols.find_hook(hub.account("alice").id) is None)
        with pytest.raises(RefusedError, match="takes no settlement by BTP"):
            await alice.subprotocols.send_transfer("hub", 7, (CLAIM,))
        [entry] = await alice.subprotocols.send_message("hub", (ProtocolData("info", 0, b"\x02"),))
        assert "currencyCode" in json.loads(entry.data)
        assert engine.asked == []


async def test_an_engine_sends_over_the_link_of_its_account() -> None:
    engine = Speaker()
    async with two(engine) as (hub, alice, _):

        async def answer(request: Any) -> Answer:
            if request.amount == 13:
                return Refusal("F00", "unlucky")
            return (ProtocolData("got", 1, str(request.amount).encode()),)

        alice.subprotocols.register("channel", answer)
        alice.subprotocols.set_settlement_hook(answer)
        for amount, expected in ((None, b"None"), (12, b"12")):
            entries = (ProtocolData("channel", 0, b""),)
            response = await from_engine(hub, encode_request(entries, amount))
            assert response.status == 201
            assert decode_answer(response.body) == (ProtocolData("got", 1, expected),)
        refused = decode_answer((await from_engine(hub, encode_request((CLAIM,), 13))).body)
        assert isinstance(refused, Refusal)
        assert (refused.code, "unlucky" in refused.message) == ("F00", True)


@pytest.mark.parametrize(
    ("octets", "path", "status"),
    [
        (b"", "/accounts/alice/btp", 400),
        (encode_answer((), NOW), "/accounts/alice/btp", 400),
        (encode_request((ProtocolData("ilp", 0, b""),), None), "/accounts/alice/btp", 400),
        (
            encode_request((ProtocolData("info", 0, b"\x02"),), None),
            "/accounts/alice/btp",
            400,
        ),  # asked of servers only
        (encode_request((CLAIM,), None), "/accounts/nobody/btp", 404),
    ],
)
async def test_what_an_engine_may_not_send(octets: bytes, path: str, status: int) -> None:
    async with two(Speaker()) as (hub, _, _):
        assert (await from_engine(hub, octets, path)).status == status
