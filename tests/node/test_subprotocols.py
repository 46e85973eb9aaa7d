"""What two nodes say to each other over BTP besides ILP packets, over the node's own port."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from loopback import account, btp_dialler, btp_listener, http_link, running, settings, until

from interledger.accounts.account import Relation
from interledger.errors import ConflictError, InvalidRequestError, LinkError, NotFoundError, RefusedError
from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest
from interledger.node import subprotocols
from interledger.node.node import Node

CLAIM = ProtocolData("claim", ContentType.JSON, b'{"amount":"7"}')
DONE = ProtocolData("claim", ContentType.TEXT, b"done")


@asynccontextmanager
async def server_and_client() -> AsyncIterator[tuple[Node, Node]]:
    """`server` has the account “child”, which `client` dials in as; there it is called “up”."""
    async with running(settings("test.server")) as server, running(settings("test.client")) as client:
        listener = btp_listener("server", "client")
        await server.create_account(account("child", "USD/9", "test.server.child", Relation.CHILD, listener))
        await server.create_account(account("holder", "USD/9", "test.server.holder"))
        dialler = replace(btp_dialler("client", server, "server"), btp_url=f"ws://127.0.0.1:{server.port}/")
        await client.create_account(account("up", "USD/9", "test.server", Relation.PEER, dialler))
        await until(lambda: server.link_status("child").up and client.link_status("up").up)
        yield server, client


class Desk:
    """A handler that keeps what it was asked."""

    def __init__(self, answer: Answer | Exception = (DONE,)) -> None:
        self.answer = answer
        self.asked: list[SubprotocolRequest] = []

    async def __call__(self, request: SubprotocolRequest) -> Answer:
        self.asked.append(request)
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_message_and_its_answer_both_ways() -> None:
    async with server_and_client() as (server, client):
        here, there = Desk(), Desk()
        server.subprotocols.register("claim", there)
        client.subprotocols.register("claim", here, "up")
        assert await client.subprotocols.send_message("up", (CLAIM,)) == (DONE,)
        assert await server.subprotocols.send_message("child", (CLAIM,)) == (DONE,)
        assert [request.account for request in there.asked + here.asked] == ["child", "up"]
        assert there.asked[0].entries == (CLAIM,)
        server.subprotocols.unregister("claim")
        with pytest.raises(RefusedError, match="F00 NotAcceptedError") as error:
            await client.subprotocols.send_message("up", (CLAIM,))
        assert error.value.code == "F00"


async def test_BT_09_a_transfer_is_applied_or_refused_by_the_hook() -> None:
    async with server_and_client() as (server, client):
        with pytest.raises(RefusedError, match="takes no settlement by BTP"):
            await client.subprotocols.send_transfer("up", 7, (CLAIM,))
        hook = Desk()
        server.subprotocols.set_settlement_hook(hook, "child")
        assert await client.subprotocols.send_transfer("up", 7, (CLAIM,)) == (DONE,)
        assert hook.asked == [SubprotocolRequest(server.account("child").id, (CLAIM,), 7)]
        hook.answer = Refusal("F08", "too much")
        with pytest.raises(RefusedError, match="F08 InsufficientBalanceError: too much"):
            await client.subprotocols.send_transfer("up", 8)
        server.subprotocols.set_settlement_hook(None, "child")
        with pytest.raises(RefusedError, match="F00"):
            await client.subprotocols.send_transfer("up", 9)


async def test_of_a_hook_that_fails_nobody_knows_so_nothing_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    async with server_and_client() as (server, client):
        server.subprotocols.set_settlement_hook(Desk(RuntimeError("no idea")))
        server.subprotocols.register("claim", Desk(RuntimeError("no idea")))
        with pytest.raises(TimeoutError):
            await client.subprotocols.send_transfer("up", 7, timeout_ms=50)
        with pytest.raises(RefusedError, match="T00"):
            await client.subprotocols.send_message("up", (CLAIM,))
        assert "a transfer of 7 of child" in caplog.text


async def test_a_handler_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(subprotocols, "HANDLER_TIMEOUT_MS", 20)
    caplog.set_level(logging.CRITICAL)

    async def hang(request: SubprotocolRequest) -> Answer:
        await asyncio.Event().wait()
        return ()

    async with server_and_client() as (server, client):
        server.subprotocols.register("claim", hang)
        with pytest.raises(RefusedError, match="T00"):
            await client.subprotocols.send_message("up", (CLAIM,))


async def test_info_and_balance_are_answered_as_the_JavaScript_plugins_do() -> None:
    async with server_and_client() as (server, client):
        (full,) = await client.subprotocols.send_message("up", (ProtocolData("info", 0, b"\x02"),))
        assert (full.name, full.content_type) == ("info", ContentType.JSON)
        assert json.loads(full.data) == {
            "account": "test.server.child",
            "prefix": "test.server.child.",
            "connectors": ["test.server"],
            "currencyCode": "USD",
            "currencyScale": 9,
        }
        (name,) = await client.subprotocols.send_message("up", (ProtocolData("info", 0, b"\x00"),))
        assert name == ProtocolData("info", ContentType.TEXT, b"test.server")
        (balance,) = await client.subprotocols.send_message("up", (ProtocolData("balance", 0, b"\x00"),))
        assert balance == ProtocolData("balance", ContentType.OCTETS, bytes(8))
        ledger = server.ledger.account("peer/child", server.account("child").asset)
        for owed, octets in ((5, b"\x00" * 7 + b"\x05"), (-1, b"\xff" * 8)):
            ledger.debits_posted, ledger.credits_posted = max(owed, 0), max(-owed, 0)
            (balance,) = await client.subprotocols.send_message("up", (ProtocolData("balance", 0, b"\x00"),))
            assert balance.data == octets
        ledger.debits_posted = 2**63 + 1
        with pytest.raises(RefusedError, match="64 bits"):
            await client.subprotocols.send_message("up", (ProtocolData("balance", 0, b"\x00"),))
        ledger.debits_posted = ledger.credits_posted = 0


@pytest.mark.parametrize(
    "entries",
    [
        (ProtocolData("ilp", 0, b"\x0c"),),
        (CLAIM, ProtocolData("ilp", 0, b"\x0c")),
        (ProtocolData("auth", 0, b""),),
        (CLAIM, CLAIM),
        (ProtocolData("info", 0, b"\x02"),),
        (ProtocolData("balance", 0, b"\x00"),),
    ],
    ids=lambda entries: " ".join(entry.name for entry in entries),
)
async def test_what_a_server_does_not_ask(entries: tuple[ProtocolData, ...]) -> None:
    """The server-roles document: it may send `paychan` and the like, but not info, balance or auth."""
    async with server_and_client() as (server, _):
        with pytest.raises(InvalidRequestError):
            await server.subprotocols.send_message("child", entries)


async def test_accounts_that_cannot_be_asked() -> None:
    async with server_and_client() as (server, client):
        with pytest.raises(NotFoundError):
            await server.subprotocols.send_message("nobody", (CLAIM,))
        with pytest.raises(NotFoundError):
            server.subprotocols.register("claim", Desk(), "nobody")
        with pytest.raises(LinkError, match="has no BTP link"):
            await server.subprotocols.send_message("holder", (CLAIM,))
        with pytest.raises(ConflictError):
            server.subprotocols.register("info", Desk())
        await client.delete_account("up")
        await until(lambda: not server.link_status("child").up)
        with pytest.raises(LinkError, match="not connected"):
            await server.subprotocols.send_transfer("child", 1)


async def test_an_account_with_links_of_both_kinds_is_one_account() -> None:
    async with server_and_client() as (server, client):
        both = replace(server.account("child").link, http_url=http_link("x", client, "y").http_url)
        await server.replace_account(replace(server.account("child"), link=both))
        desk = Desk()
        server.subprotocols.register("claim", desk, "child")
        link = server.links.btp.find(server.account("child").id)
        await until(lambda: link is not None and link.ready() and client.link_status("up").up)
        assert await client.subprotocols.send_message("up", (CLAIM,)) == (DONE,)
        assert desk.asked[0].account == "child"
