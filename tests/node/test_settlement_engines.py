"""A node and its engines: accounts are told of, messages go both ways, deaths and absences cost nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import account, btp_dialler, btp_listener, running, settings

from interledger.accounts.account import Relation
from interledger.errors import ConflictError, InvalidRequestError, LinkError, NotFoundError
from interledger.ilp.packet import Prepare
from interledger.ilp.peer import EMPTY_CONDITION, SETTLE_DESTINATION
from interledger.link.http.fetch import fetch
from interledger.node.node import Node
from interledger.store.open import open_store
from tests.support.engines import (
    OPEN,
    DyingStore,
    Engine,
    net,
    node_at,
    owe,
    payable,
    quick,
    served,
    tell,
    until,
    with_bob,
)
from tests.support.postgres import Place


async def confirmed(node: Node, decision_id: str) -> None:
    await node.books.confirm(decision_id)


# ---------------------------------------------------------------------- deaths


@pytest.mark.parametrize("writes", range(12))
async def test_I6_a_node_that_dies_at_any_commit_settles_and_credits_once(
    writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    engine, store = Engine(), DyingStore()
    store.writes_left = writes
    async with served(engine) as url:
        for life in range(2):
            try:
                async with node_at(None, store) as node:
                    await with_bob(node, url, settle_threshold=500)
                    if net(node, "local/alice") == 0:
                        owe(node, 500)
                    told = await tell(node, "k", "700")
                    if life == 1:
                        assert told.status == 201
                        await until(lambda node=node: not node.settlements.book.open() and engine.total)
                    else:
                        await until(lambda node=node: node.read_only or not node.settlements.book.open())
            except Exception:
                assert life == 0
            store.writes_left = 10**9
        assert engine.total == 500
        assert len(engine.paid) == 1
        assert (payable(node), net(node, "external/bob"), net(node, "peer/bob/transit")) == (700, 200, 0)


async def test_in_postgresql_it_is_settled_and_credited_once_over_restarts(
    postgres_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    engine = Engine()
    async with served(engine) as url:
        for life in range(3):
            async with node_at(tmp_path, open_store(tmp_path, "process", postgres_place.url)) as node:
                if life == 0:
                    await with_bob(node, url, settle_threshold=500)
                    owe(node, 500)
                    await node.commit()
                assert (await tell(node, "k", "700")).status == 201
                await until(lambda node=node: not node.settlements.book.open() and engine.total)
                assert (payable(node), net(node, "external/bob"), net(node, "peer/bob/transit")) == (700, 200, 0)
                assert (await tell(node, "k", "701")).status == 409
    assert (engine.total, len(engine.paid)) == (500, 1)


async def test_I8_an_engine_that_is_away_for_long_is_asked_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    engine = Engine()
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1", settle_threshold=500, we_owe_max=900)
        owe(node, 500)
        await until(lambda: any("is not taken by its engine" in alarm for alarm in node.alarms))
        [settlement] = node.settlements.book.open()
        assert settlement.attempts >= 8
        assert "does not answer" in settlement.error
        owe(node, 800)
        await node.commit()
        assert node.settlements.book.open() == [settlement]  # one at a time
        port = int(node.settlements.get(settlement.id).engine.rpartition(":")[2])
        assert port == 1
        async with served(engine) as url:
            settlement.engine = url
            engine.accounts["bob"] = "open"
            node.settlements.retry(settlement.id)
            await until(lambda: engine.total == 500)


async def test_CR_28_settlement_of_one_account_waits_for_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bob's engine takes the request and never answers; carol's refuses it for ever; dave is settled with meanwhile."""
    quick(monkeypatch)
    silent, refusing, good = Engine(), Engine(), Engine()
    asked, never = asyncio.Event(), asyncio.Event()

    async def holds_back(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/settlements"):
            asked.set()
            await never.wait()
        await silent(scope, receive, send)

    refusing.status = 503
    async with served(holds_back) as bobs, served(refusing) as carols, served(good) as daves, node_at(tmp_path) as node:
        for name, url in (("bob", bobs), ("carol", carols), ("dave", daves)):
            terms: dict[str, Any] = {"settlement_engine_url": url, "settle_threshold": 500}
            await node.create_account(account(name, "USD/9", f"test.hub.{name}", Relation.PEER, **terms))
        owe(node, 500)
        owe(node, 500, to="peer/carol")
        await node.commit()
        await asked.wait()
        await until(lambda: len(refusing.asked) > 3)
        owe(node, 500, to="peer/dave")
        await node.commit()
        await until(lambda: good.total == 500)
        assert {s.account for s in node.settlements.book.open()} >= {"bob", "carol"}
        refusing.status = 201
        never.set()
        await until(lambda: not node.settlements.book.open())
        assert (silent.total, refusing.total, good.total) == (500, 500, 500)


# ---------------------------------------------------------------------- accounts


async def test_an_engine_is_told_of_accounts_until_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    first, second = Engine(), Engine()
    async with served(first) as url, served(second) as other:
        async with node_at(tmp_path) as node:
            await with_bob(node, url)
            await until(lambda: first.accounts == {"bob": "open"})
            await with_bob(node, other)
            await until(lambda: first.accounts == {} and second.accounts == {"bob": "open"})
            await until(lambda: node.settlements.engines.is_set_up(node.account("bob")))
        async with node_at(tmp_path) as node:
            assert node.settlements.engines.is_set_up(node.account("bob"))
            await node.delete_account("bob")
            await until(lambda: second.accounts == {})
            assert not node.alarms


async def test_an_engine_that_forgot_an_account_is_told_of_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    engine = Engine()
    async with served(engine) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_threshold=500)
        await until(lambda: node.settlements.engines.is_set_up(node.account("bob")))
        engine.accounts.clear()
        owe(node, 500)
        await until(lambda: engine.total == 500)


async def test_what_cannot_be_settled_by_is_refused_before_anything_changes(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        for terms in ({"url": "ftp://engine"}, {"url": None, "settle_threshold": 5, "settle_to": 6}):
            with pytest.raises(InvalidRequestError):
                await with_bob(node, **terms)  # type: ignore[arg-type]  # a table
        assert node.accounts() == []
        await node.create_account(
            account("alice", "USD/9", "test.hub.alice", settlement_engine_url="http://localhost:1")
        )
        with pytest.raises(NotFoundError):
            node.settlements.engine_account(node.account("alice").id)  # a holder here has none
        assert (await tell(node, "k", "5", account="alice")).status == 404
        assert (await tell(node, "k", "5", account="nobody")).status == 404


async def test_an_account_with_a_settlement_on_its_way_stays(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1", settle_threshold=500)
        owe(node, 500)
        await node.commit()
        with pytest.raises(ConflictError, match="is sending"):
            await node.delete_account("bob")


# ---------------------------------------------------------------------- by hand


async def test_settling_by_hand_and_by_the_clock(tmp_path: Path) -> None:
    engine = Engine()
    async with served(engine) as url, node_at(tmp_path, settle_every_ms=1_000) as node:
        await with_bob(node, url)
        with pytest.raises(ConflictError, match="Nothing is owed"):
            await node.settlements.create("bob", by="me")
        settlement = await node.settlements.create("bob", 70, by="me")  # in advance
        with pytest.raises(ConflictError, match="on its way"):
            await node.settlements.create("bob", 70, by="me")
        await until(lambda: not node.settlements.book.open())
        assert (payable(node), engine.total, settlement.cause) == (-70, 70, "me")
        with pytest.raises(ConflictError, match="nothing to try again"):
            node.settlements.retry(settlement.id)
        await with_bob(node, url, settle_threshold=500)
        owe(node, 100)
        await until(lambda: engine.total == 100)
        assert node.settlements.latest(None, 9)[0].cause == "timer"
        with pytest.raises(NotFoundError):
            node.settlements.get("set_0")


async def test_I5_only_two_steps_of_an_operator_take_a_settlement_back(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1", settle_threshold=500)
        owe(node, 500)
        await node.commit()
        [settlement] = node.settlements.book.open()
        decision = node.settlements.by_hand.propose_void(settlement, reason="the engine never saw it", by="me")
        assert (payable(node), decision.effects[0].after) == (0, -500)
        assert "paid twice" in decision.text
        await confirmed(node, decision.id)
        await confirmed(node, decision.id)
        assert (payable(node), net(node, "peer/bob/transit")) == (500, 0)
        assert settlement.state.value == "void"
        with pytest.raises(ConflictError):
            node.settlements.by_hand.propose_void(settlement, reason="again", by="me")
        assert (await node.books.check()).faults == []
        with pytest.raises(ConflictError):
            node.settlements.by_hand.propose_approval(settlement, reason="why", by="me")
    async with node_at(tmp_path) as node:
        # It is owed again, so it is settled again, under another key.
        [later] = node.settlements.book.open()
        assert later.key != settlement.key


async def test_I9_an_engine_that_lies_is_believed_up_to_a_cap(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1", settle_in_max=1_000)
        for key, amount in (("a", "600"), ("b", "400"), ("c", "1"), ("d", "5")):
            assert (await tell(node, key, amount)).status == 201
        assert payable(node) == 1_000
        held = node.settlements.book.open()
        assert [(one.amount, one.state.value) for one in held] == [(1, "held"), (5, "held")]
        assert len([alarm for alarm in node.alarms if "settle_in_max" in alarm]) == 2
        decision = node.settlements.by_hand.propose_approval(held[0], reason="seen at the bank", by="me")
        await confirmed(node, decision.id)
        decision = node.settlements.by_hand.propose_void(held[1], reason="not there", by="me")
        await confirmed(node, decision.id)
        assert payable(node) == 1_001
        assert (await tell(node, "d", "5")).status == 201  # the answer stays what it was
    async with node_at(tmp_path) as node:
        assert payable(node) == 1_001
        assert (await tell(node, "e", "1")).status == 201  # the cap is kept over restarts
        assert payable(node) == 1_001
        assert (await node.books.check()).faults == []


async def test_I12_what_was_paid_in_advance_is_not_sent_back(tmp_path: Path) -> None:
    """Two nodes that pay each other in advance would send it to and fro for ever."""
    engine = Engine()
    async with served(engine) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_threshold=500)
        assert (await tell(node, "k", "10000")).status == 201
        await node.commit()
        assert (payable(node), node.settlements.book.open()) == (10_000, [])
        owe(node, 600)  # that is what packets made us owe
        await until(lambda: engine.total == 600)
        await until(lambda: not node.settlements.book.open())
        owe(node, 499)
        await node.commit()
        assert (engine.total, payable(node)) == (600, 10_499)


async def test_I10_more_than_the_debt_is_prepaid(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1", owes_us_max=0)
        assert (await tell(node, "k", "700")).status == 201
        assert node.position("bob").room == 700


# ---------------------------------------------------------------------- the port


async def test_the_port_of_engines(tmp_path: Path) -> None:
    async with node_at(tmp_path, settlement_token="a-secret") as node:
        await with_bob(node, "http://127.0.0.1:1")
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic a-secret"}):
            assert (await tell(node, "k", "5", **wrong)).status == 401
        assert (await tell(node, "k", "5", Authorization="Bearer a-secret")).status == 201
        assert payable(node) == 5
    async with node_at(None) as node:
        await with_bob(node, "http://127.0.0.1:1")
        for amount, scale in (("-5", 9), ("1e3", 9), (True, 9), (5.5, 9), ("5", 256), ("1" + "0" * 60, 0)):
            assert (await tell(node, "k", amount, scale)).status == 400
        assert (await tell(node, "k", "5", Content_Type="text/plain")).status == 415
        assert (await tell(node, "k", "5", Host="evil.example")).status == 421  # a web page under its own name
        assert (await tell(node, "k", "0")).status == 201
        assert (await tell(node, "k2", 5)).status == 201  # the Java engines' number
        assert payable(node) == 5


# ---------------------------------------------------------------------- messages


async def test_SE_07_SE_08_messages_of_two_engines_over_two_nodes() -> None:
    left, right = Engine(), Engine()
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(served(one)) for one in (left, right)]
        api = {"settlement_api_bind_address": "127.0.0.1:0"}
        alice = await stack.enter_async_context(running(settings("test.alice", **api)))
        bob = await stack.enter_async_context(running(settings("test.bob", **api)))
        terms: dict[str, Any] = {"settlement_engine_url": urls[1]}
        await bob.create_account(
            account("alice", "USD/9", "test.alice", Relation.PEER, btp_listener("bob", "alice"), **terms)
        )
        link = btp_dialler("alice", bob, "bob")
        terms = {"settlement_engine_url": urls[0]}
        await alice.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link, **terms))
        await until(lambda: alice.link_status("bob").up and right.accounts and left.accounts)

        async def say(node: Node, name: str, message: bytes) -> tuple[int, bytes]:
            url = f"http://127.0.0.1:{node.settlements.port}/accounts/{name}/messages"
            headers = {"Content-Type": "application/octet-stream"}
            answer = await fetch("POST", url, headers=headers, body=message, egress=OPEN, timeout_ms=10_000)
            return answer.status, answer.body

        assert await say(alice, "bob", b"\x00hello") == (201, b"re:\x00hello")
        assert await say(bob, "alice", b"x" * 30_000) == (201, b"re:" + b"x" * 30_000)
        assert (await say(alice, "bob", b"x" * 32_768))[0] == 413
        for status, code in ((400, "F00"), (404, "F00"), (500, "T00"), (503, "T00")):
            right.answer_message = lambda message, status=status: (status, b"no")
            answer = await say(alice, "bob", b"hello")
            assert answer[0] == 502
            assert code.encode() in answer[1]
        # D-18: the RFC's misprint is taken too.
        right.answer_message = lambda message: (201, b"yes")
        expires_at = alice.clock.now() + 10_000
        request = Prepare(0, expires_at, EMPTY_CONDITION, SETTLE_DESTINATION, b"m")  # type: ignore[arg-type]
        with pytest.raises(LinkError, match="F05"):  # zeros are no preimage of it, as everybody can see
            await alice.requests.ask(alice.account("bob").id, request)
        # Without an engine: F02.
        await bob.replace_account(account("alice", "USD/9", "test.alice", Relation.PEER, btp_listener("bob", "alice")))
        await until(lambda: bob.link_status("alice").up and alice.link_status("bob").up)
        assert b"F02" in (await say(alice, "bob", b"hello"))[1]


# ---------------------------------------------------------------------- by asset


async def test_an_account_without_an_engine_has_that_of_its_asset(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    engine, other, store = Engine(), Engine(), DyingStore()
    async with served(engine) as url, served(other) as other_url:
        async with node_at(None, store) as node:
            bob = await with_bob(node, None, settle_threshold=500)
            code = bob.asset.code
            assert node.settlements.engines.engine_of(bob) is None
            with pytest.raises(InvalidRequestError):
                await node.settlements.engines.set_defaults({code: "no url"})
            await node.settlements.engines.set_defaults({code: url, "XYZ": other_url})
            await until(lambda: node.settlements.engines.is_set_up(node.account("bob")))
            assert node.settlements.engines.engine_of(replace(bob, relation=Relation.LOCAL)) is None, "a holder"
            owe(node, 500)
            await until(lambda: engine.total)
        async with node_at(None, store) as node:
            assert node.settlements.engines.defaults == {code: url, "XYZ": other_url}
