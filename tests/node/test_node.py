"""Node: life, accounts, routes, rates, payments within one node and between several, and what survives a restart."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from loopback import (
    account,
    agree,
    btp_dialler,
    btp_listener,
    digest,
    http_link,
    line,
    net,
    pointer,
    running,
    settings,
    until,
)

from interledger.accounts.account import LinkSettings, Relation
from interledger.clock import SystemClock, Timestamp
from interledger.errors import (
    ConflictError,
    DecodeError,
    InvalidRequestError,
    LinkError,
    NotFoundError,
    StoreError,
)
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.node.payment import RateTooLowError

BILLION = 10**9


def peer(name: str, asset: str = "USD/9", relation: Relation = Relation.PEER, **link: str) -> Any:
    return account(name, asset, f"test.{name}", relation, LinkSettings(**link))


# ---------------------------------------------------------------------- life


async def test_it_starts_and_stops_on_a_free_port(tmp_path: Path) -> None:
    node = Node(settings("test.hub", tmp_path))
    assert (node.ready, node.port) == (False, 0)
    with pytest.raises(RuntimeError):
        _ = node.store
    async with running(node.settings) as node:
        assert node.ready
        assert node.port > 0
        assert node.started_at <= SystemClock().now()
        assert (node.read_only, node.alarms) == (False, [])
        status = node.status()
        assert (status.address, status.accounts, status.in_flight, status.unknown) == ("test.hub", 0, 0, 0)
    assert not node.ready
    await node.stop()


async def test_a_second_node_cannot_have_the_same_books(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)):
        with pytest.raises(StoreError, match="in use by another node"):
            await Node(settings("test.hub", tmp_path)).start()


async def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running(settings("test.other")) as other:
        taken = settings("test.hub", tmp_path, http_bind_address=f"127.0.0.1:{other.port}")
        with pytest.raises(LinkError, match="cannot be listened on"):
            await Node(taken).start()
    async with running(settings("test.hub", tmp_path)):
        pass


async def test_alarms_are_kept_up_to_a_number() -> None:
    async with running(settings("test.hub")) as node:
        for number in range(150):
            node.alarm(f"alarm {number}")
        assert (len(node.alarms), node.alarms[-1]) == (100, "alarm 149")


async def test_no_ledger_account_is_opened_for_own_questions() -> None:
    async with running(settings("test.hub")) as node:
        await node.requests.ping("test.hub")
        assert [a.name for a in node.ledger.accounts] == []


# ---------------------------------------------------------------------- accounts


async def test_accounts_survive_a_restart(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path)
    alice, bob, carol = peer("alice"), peer("bob", "EUR/6"), account("carol", "USD/2", "test.hub.carol")
    async with running(of) as node:
        for each in (carol, alice, bob):
            assert await node.create_account(each) == each
        changed = replace(alice, owes_us_max=500, link=LinkSettings(btp_incoming_token_digest=digest("t1")))
        await node.replace_account(changed)
        await node.delete_account("bob")
        assert node.accounts() == [changed, carol]
    async with running(of) as node:
        assert node.accounts() == [changed, carol]
        assert node.position("alice").room == 500
        with pytest.raises(NotFoundError):
            node.account("bob")


async def test_an_account_of_the_settings_yields_to_the_stored_one(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path, accounts=(peer("alice"),))
    async with running(of) as node:
        stored = await node.replace_account(replace(peer("alice"), owes_us_max=7))
    async with running(of) as node:
        assert node.accounts() == [stored]


async def test_names_and_tokens_are_unique() -> None:
    btp, http = digest("btp token"), digest("http token")
    async with running(settings("test.hub")) as node:
        await node.create_account(peer("alice", btp_incoming_token_digest=btp))
        await node.create_account(peer("bob", http_incoming_token_digest=http))
        assert node.authenticate("http token") == "bob"
        assert node.authenticate("btp token") is None
        before = node.accounts()
        with pytest.raises(ConflictError, match="already"):
            await node.create_account(peer("alice"))
        with pytest.raises(ConflictError, match="token"):
            await node.create_account(peer("carol", btp_incoming_token_digest=btp))
        with pytest.raises(ConflictError, match="token"):
            await node.replace_account(peer("alice", http_incoming_token_digest=http))
        assert node.accounts() == before
        await node.replace_account(peer("alice", btp_incoming_token_digest=btp))
        await node.delete_account("bob")
        assert node.authenticate("http token") is None
        await node.create_account(peer("carol", http_incoming_token_digest=http))


async def test_a_url_that_no_link_can_use_changes_nothing() -> None:
    async with running(settings("test.hub")) as node:
        with pytest.raises(InvalidRequestError):
            await node.create_account(peer("alice", btp_url="gopher://there"))
        assert node.accounts() == []
        alice = await node.create_account(peer("alice", btp_incoming_token_digest=digest("t")))
        with pytest.raises(InvalidRequestError):
            await node.replace_account(peer("alice", btp_url="gopher://there"))
        assert node.accounts() == [alice]
        assert node.link_status("alice").kind == "BTP"


async def test_there_is_one_parent() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(peer("isp", relation=Relation.PARENT))
        with pytest.raises(ConflictError, match="at most"):
            await node.create_account(peer("other", relation=Relation.PARENT))
        assert [tuple(route)[:3] for route in node.routes() if route.prefix == ""] == [("", "isp", "default")]


async def test_what_has_a_balance_cannot_be_deleted_nor_counted_otherwise() -> None:
    async with running(settings("test.hub")) as node:
        alice = await node.create_account(account("alice", "USD/9", "test.hub.alice", owes_us_max=10 * BILLION))
        await node.create_account(account("bob", "USD/9", "test.hub.bob"))
        assert (await node.pay("alice", pointer(node, "bob"), send=BILLION).done()).state == "delivered"
        with pytest.raises(ConflictError, match="cannot be deleted"):
            await node.delete_account("alice")
        for other in (account("alice", "EUR/9", "test.hub.alice"), replace(alice, relation=Relation.PEER)):
            with pytest.raises(ConflictError, match="position"):
                await node.replace_account(other)
        assert node.position("alice").room == 9 * BILLION
        await node.pay("bob", pointer(node, "alice"), send=BILLION).done()
        await node.replace_account(account("alice", "EUR/9", "test.hub.alice"))
        await node.delete_account("alice")


# ---------------------------------------------------------------------- routes


async def test_routes_follow_from_accounts_and_the_operator(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path)
    async with running(of) as node:
        await node.create_account(peer("alice"))
        await node.create_account(account("kid", "USD/9", "test.hub.kid", Relation.CHILD))
        await node.create_account(account("holder", "USD/9", "test.hub.holder"))
        await node.create_account(peer("isp", relation=Relation.PARENT))
        await node.set_static_routes({"test.far": "alice", "g": "kid"})
        await node.set_static_route("test.farther", "kid")
        routes = [(route.prefix, route.account, str(route.origin)) for route in node.routes()]
    assert routes == [
        ("", "isp", "default"),
        ("g", "kid", "static"),
        ("test.alice", "alice", "account"),
        ("test.far", "alice", "static"),
        ("test.farther", "kid", "static"),
        ("test.hub", "/own", "own"),
        ("test.hub.kid", "kid", "account"),
    ]
    async with running(of) as node:
        assert [(route.prefix, route.account, str(route.origin)) for route in node.routes()] == routes
        with pytest.raises(NotFoundError):
            await node.set_static_route("test.x", "nobody")
        with pytest.raises(InvalidRequestError):
            await node.set_static_route("test..x", "kid")
        assert len(node.routes()) == len(routes)
        await node.delete_account("kid")
        assert [route.prefix for route in node.routes()] == ["", "test.alice", "test.far", "test.hub"]


# ---------------------------------------------------------------------- rates


async def test_static_rates_survive_a_restart(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path)
    async with running(of) as node:
        assert node.exchange_rates.as_text() == {"USD": "1", "EUR": "1.25"}
        await node.set_rates({"EUR": "1.1", "JPY": "0.0065"})
        with pytest.raises(DecodeError):
            await node.set_rates({"EUR": "-1"})
    async with running(of) as node:
        assert node.exchange_rates.as_text() == {"EUR": "1.1", "JPY": "0.0065", "USD": "1"}


async def test_rates_of_a_file_are_read_before_the_node_is_ready_and_again_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    path.write_text('{"base": "USD", "rates": {"EUR": 0.8}}')
    of = settings("test.hub", rates_provider="file", rates_path=str(path), rates_poll_ms=100)
    of = replace(of, rates={"USD": "2", "EUR": "99", "GOLD": "120"})
    async with running(of) as node:
        # GOLD is worth 120 where USD is worth 2. The file's word on EUR counts, not the operator's.
        written = path.stat().st_mtime_ns // 1_000_000
        said = {rate.code: (rate.source, rate.as_of) for rate in node.exchange_rates.quoted()}
        assert said == {"USD": ("file", written), "EUR": ("file", written), "GOLD": ("static", None)}
        assert node.exchange_rates.as_text() == {"USD": "1", "EUR": "1.25", "GOLD": "60"}
        path.write_text('{"base": "USD", "rates": {"EUR": 0.5, "GOLD": 0.01}}')
        os.utime(path, ns=(1, 1))
        await until(lambda: node.exchange_rates.as_text() == {"USD": "1", "EUR": "2", "GOLD": "100"})
        await node.set_rates({"OIL": "3"})
        assert node.exchange_rates.as_text() == {"USD": "1", "EUR": "2", "GOLD": "100"}
        path.write_text("{}")
        await until(lambda: node.alarms)
        assert "rates" in node.alarms[0]
        path.write_text('{"base": "USD", "rates": {"EUR": 0.5}}')
        await until(lambda: "is well again" in node.alarms[-1])
        assert node.exchange_rates.as_text() == {"USD": "1", "EUR": "2"}


async def test_rates_that_grow_old_stop_their_pairs_with_an_alarm(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    path.write_text('{"base": "USD", "rates": {"EUR": 0.8}}')
    of = settings(
        "test.hub", rates_provider="file", rates_path=str(path), rates_poll_ms=100, rates_max_age_ms=1_000, rates={}
    )
    async with running(of) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/9", "test.hub.bob"))
        await until(lambda: any("too old" in text for text in node.alarms))
        payment = node.pay("alice", pointer(node, "bob"), send=BILLION)
        await until(lambda: any(refused.code == "T00" for refused in node.connector.refusals.latest))
        payment.cancel()
        assert (await payment.done()).sent == 0


async def test_rates_over_http_move_what_is_paid() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps({"base": "USD", "rates": {"EUR": 0.5}}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    source = Node(settings("test.source"))
    await source.start(app)
    try:
        url = f"http://127.0.0.1:{source.port}/rates"
        async with running(settings("test.hub", rates_provider="http", rates_url=url, rates={})) as node:
            assert node.exchange_rates.as_text() == {"USD": "1", "EUR": "2"}
            await node.create_account(account("alice", "USD/9", "test.hub.alice"))
            await node.create_account(account("bob", "EUR/9", "test.hub.bob"))
            payment = await node.pay("alice", pointer(node, "bob"), send=BILLION).done()
            assert (payment.state, payment.sent, payment.delivered) == ("delivered", BILLION, BILLION // 2)
    finally:
        await source.stop()


async def test_a_provider_that_cannot_be_reached_is_an_alarm_and_no_reason_not_to_start() -> None:
    of = settings("test.hub", rates_provider="http", rates_url="http://127.0.0.1:1/rates")
    async with running(of) as node:
        assert len(node.alarms) == 1
        assert node.exchange_rates.as_text() == {"USD": "1", "EUR": "1.25"}


# ---------------------------------------------------------------------- own address


@pytest.mark.parametrize("by", ["BTP", "HTTP"])
async def test_PC_01_a_parent_gives_the_address_and_it_is_kept(tmp_path: Path, by: str) -> None:
    async with running(settings("test.isp")) as isp:
        of = settings("test.unknown", tmp_path)
        async with running(of) as node:
            holder = await node.create_account(account("holder", "USD/9", "test.unknown.holder"))
            grandchild = account("kid", "USD/9", "test.unknown.kid", Relation.CHILD)
            await node.create_account(grandchild)
            before = node.spsp_details("holder").destination_account
            here, there = (
                (btp_dialler("node", isp, "isp"), btp_listener("isp", "node"))
                if by == "BTP"
                else (http_link("node", isp, "isp"), http_link("isp", node, "node"))
            )
            await isp.create_account(account("node", "USD/9", "test.isp.node", Relation.CHILD, there))
            await node.create_account(account("isp", "USD/9", "test.isp", Relation.PARENT, here))
            await until(lambda: node.address == "test.isp.node")
            assert before.startswith("test.unknown.")
            assert node.spsp_details("holder").destination_account.startswith("test.isp.node.")
            await until(lambda: node.account("kid").ilp_address == "test.isp.node.kid")
            assert node.account("holder") == replace(holder, ilp_address=Address("test.isp.node.holder"))
            assert node.account("isp").ilp_address == "test.isp"
            assert (await node.requests.ping("test.isp")).code is None
        async with running(of) as node:
            assert node.address == "test.isp.node"
            assert node.account("holder").ilp_address == "test.isp.node.holder"
        async with running(replace(of, ilp_address=Address("test.elsewhere"), accounts=())) as node:
            assert node.address in ("test.elsewhere", "test.isp.node")


async def test_PC_02_a_parent_that_does_not_configure_us_is_an_alarm() -> None:
    async with running(settings("test.isp")) as isp, running(settings("test.node")) as node:
        await isp.create_account(account("node", "USD/9", "test.x", Relation.PEER, btp_listener("isp", "node")))
        await node.create_account(account("isp", "USD/9", "test.isp", Relation.PARENT, btp_dialler("node", isp, "isp")))
        await until(lambda: node.alarms)
        assert "does not answer peer.config: F00" in node.alarms[0]
        assert node.address == "test.node"
        await node.delete_account("isp")


async def test_PC_03_a_parent_that_counts_in_another_asset_is_an_alarm() -> None:
    async with running(settings("test.isp")) as isp, running(settings("test.node")) as node:
        await isp.create_account(account("node", "USD/6", "test.isp.n", Relation.CHILD, btp_listener("isp", "node")))
        await node.create_account(account("isp", "USD/9", "test.isp", Relation.PARENT, btp_dialler("node", isp, "isp")))
        await until(lambda: node.alarms)
        assert node.alarms == ["isp accounts in USD/6, we in USD/9"]
        assert node.address == "test.node"


async def test_a_parent_that_starts_later_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.node.parent.RETRY_MS", (20,))
    async with running(settings("test.isp")) as isp, running(settings("test.node")) as node:
        await node.create_account(account("isp", "USD/9", "test.isp", Relation.PARENT, http_link("node", isp, "isp")))
        await until(lambda: node.alarms)
        await isp.create_account(
            account("node", "USD/9", "test.isp.node", Relation.CHILD, http_link("isp", node, "node"))
        )
        await until(lambda: node.address == "test.isp.node")
        assert len(node.alarms) == 1


async def test_set_address_moves_receivers() -> None:
    async with running(settings("test.old")) as node:
        await node.create_account(account("alice", "USD/9", "test.old.alice"))
        await node.create_account(account("bob", "USD/9", "test.old.bob"))
        await node.create_account(peer("far"))
        old = node.spsp_details("bob")
        await node.set_address(Address("test.new"))
        await node.set_address(Address("test.new"))
        assert [a.ilp_address for a in node.accounts()] == ["test.new.alice", "test.new.bob", "test.far"]
        assert (await node.pay("alice", pointer(node, "bob"), send=5).done()).state == "delivered"
        assert node.spsp_details("bob").destination_account.startswith("test.new.")
        assert old.destination_account.startswith("test.old.")
        assert {route.prefix for route in node.routes()} == {"test.new", "test.far"}


# ---------------------------------------------------------------------- ping


async def test_ping_between_nodes() -> None:
    async with line() as (alice, hub, bob):
        for of, destination in ((alice, "test.hub"), (hub, "test.bob"), (hub, "test.hub")):
            result = await of.requests.ping(destination)
            assert (result.code, result.round_trip_ms > 0) == (None, True), destination
        # Nobody told bob where alice is: the echo cannot come back, and alice hears why.
        assert (await alice.requests.ping("test.bob")).code == "F02"
        await bob.set_static_route("test", "hub")
        assert (await alice.requests.ping("test.bob")).code is None
        assert (await alice.requests.ping("test.nowhere")).code == "F02"
        with pytest.raises(InvalidRequestError):
            await alice.requests.ping("nonsense")
        assert all(node.ledger.holds == {} for node in (alice, hub, bob))
        assert {net(hub, "alice"), net(hub, "bob")} == {0}


async def test_a_ping_nobody_answers_ends_in_time() -> None:
    async with line() as (alice, hub, _):
        hub.connector.link_lost = lambda account, now: None  # type: ignore[method-assign]  # nothing else happens
        hub.connector.receive_prepare = lambda *_: None  # type: ignore[method-assign]  # a node that is silent
        with pytest.raises(TimeoutError):
            await alice.requests.ping("test.hub", timeout_ms=100)


# ---------------------------------------------------------------------- paying within a node


async def test_pay_from_one_account_to_another_with_exchange() -> None:
    """100 USD at 0.8 EUR less 0.2 %: 79.84 EUR, to the unit; the books tell where the rest is."""
    async with running(settings("test.hub", spread=Fraction("0.002"))) as node:
        await node.create_account(account("alice", "USD/2", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/6", "test.hub.bob"))
        payment = await node.pay("alice", pointer(node, "bob"), send=10_000).done()
        assert (payment.state, payment.sent, payment.delivered) == ("delivered", 10_000, 79_840_000)
        assert (net(node, "alice"), net(node, "bob")) == (10_000, -79_840_000)
        positions = {a.name: a.net for a in node.ledger.accounts}
        assert positions == {
            "local/alice": 10_000, "fx/USD/2": -10_000, "fx/EUR/6": 79_840_000, "local/bob": -79_840_000,
        }  # fmt: skip
        counted = node.status().packets
        assert counted["fulfilled"] >= payment.fulfilled > 0
        assert counted["prepares"] == counted["fulfilled"] + counted["rejected"] + counted["refused"]


async def test_pay_a_fixed_delivery() -> None:
    async with running(settings("test.hub", spread=Fraction("0.002"))) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/9", "test.hub.bob"))
        payment = await node.pay("alice", pointer(node, "bob"), deliver=BILLION).done()
        assert (payment.state, payment.delivered) == ("delivered", BILLION)
        assert (net(node, "alice"), net(node, "bob")) == (payment.sent, -BILLION)
        assert 0 <= payment.sent - BILLION / Fraction("0.7984") < 2


async def test_a_quote_moves_nothing_and_a_payment_holds_to_it() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/9", "test.hub.bob"))
        quote = await node.quote("alice", pointer(node, "bob"), send=BILLION, slippage=Fraction(1, 100))
        assert (quote.send_max, Fraction(*quote.rate)) == (BILLION, Fraction(4, 5))
        assert quote.deliver_min == 792_000_000
        assert (str(quote.source_asset), str(quote.destination_asset)) == ("USD/9", "EUR/9")
        assert net(node, "alice") == 0
        await node.set_rates({"USD": "1", "EUR": "1.3"})
        payment = await node.pay("alice", pointer(node, "bob"), quote=quote).done()
        assert (payment.state, payment.sent, payment.deliver_min) == ("failed", 0, 792_000_000)
        assert "rate" in payment.error
        await node.set_rates({"USD": "1", "EUR": "1.25"})
        payment = await node.pay("alice", pointer(node, "bob"), quote=quote).done()
        assert (payment.state, payment.delivered) == ("delivered", 800_000_000)


async def test_a_minimum_rate_is_refused_before_anything_is_sent() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/2", "test.hub.bob"))
        with pytest.raises(RateTooLowError) as caught:
            await node.quote("alice", pointer(node, "bob"), send=100 * BILLION, min_rate=Fraction(9, 10))
        assert caught.value.min_rate == Fraction(9, 10)
        assert caught.value.rate <= Fraction(8, 10)
        payment = await node.pay("alice", pointer(node, "bob"), send=BILLION, min_rate=Fraction(9, 10)).done()
        assert (payment.state, payment.sent) == ("failed", 0)
        assert net(node, "alice") == 0
        good = await node.pay("alice", pointer(node, "bob"), send=BILLION, min_rate=Fraction(3, 4)).done()
        assert (good.state, good.delivered) == ("delivered", 80)


@pytest.mark.parametrize(
    ("receiver", "error"),
    [
        (lambda node: pointer(node, "nobody"), "no receiver"),
        (lambda node: "$127.0.0.1:1/bob", "nobody answers"),
        (lambda node: "not a pointer", ""),
    ],
)
async def test_a_wrong_receiver(receiver: Callable[[Node], str], error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.application.spsp.shell.RETRY_DELAYS_MS", (1,))
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        payment = await node.pay("alice", receiver(node), send=1).done()
        assert (payment.state, payment.sent, net(node, "alice")) == ("failed", 0, 0)
        assert payment.error
        assert error in payment.error


async def test_what_cannot_be_asked_for() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        with pytest.raises(NotFoundError):
            node.pay("nobody", "$example.com", send=1)
        for amounts in ({}, {"send": 1, "deliver": 1}):
            with pytest.raises(InvalidRequestError):
                node.pay("alice", "$example.com", **amounts)
        with pytest.raises(NotFoundError):
            node.payment_history.get("pay_none")
        assert node.payments() == []


async def test_a_credit_limit_stops_a_payment_and_is_not_passed() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice", owes_us_max=BILLION))
        await node.create_account(account("bob", "USD/9", "test.hub.bob"))
        first = await node.pay("alice", pointer(node, "bob"), send=BILLION).done()
        assert (first.state, node.position("alice").room) == ("delivered", 0)
        second = await node.pay("alice", pointer(node, "bob"), send=1).done()
        assert (second.state, second.sent, second.code) == ("failed", 0, "T04")


# ---------------------------------------------------------------------- paying over links


async def test_pay_over_BTP_and_HTTP_arrives_to_the_unit_on_both_ends() -> None:
    """10 USD at 0.8 EUR less 0.2 % = 7.984 EUR; floors of 100 packets lose nothing here."""
    async with line() as (alice, hub, bob):
        payment = await alice.pay("alice", pointer(bob, "bob"), send=10 * BILLION).done()
        assert (payment.state, payment.sent, payment.delivered) == ("delivered", 10 * BILLION, 7_984_000_000)
        assert payment.fulfilled >= 100
        assert net(alice, "alice") == 10 * BILLION
        assert net(alice, "hub") == -10 * BILLION
        assert net(hub, "alice") == 10 * BILLION
        assert net(hub, "bob") == -7_984_000_000
        assert net(bob, "hub") == 7_984_000_000
        assert net(bob, "bob") == -7_984_000_000
        assert agree(alice, "hub", hub, "alice")
        assert agree(hub, "bob", bob, "hub")
        assert not any(node.ledger.unknown or node.ledger.holds for node in (alice, hub, bob))


async def test_progress_tells_every_step_and_ends() -> None:
    async with line() as (alice, _, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), deliver=BILLION)
        seen = [step async for step in payment.progress]
        assert [seen[0].state, seen[-1].state] == ["quoting", "delivered"]
        assert "sending" in [step.state for step in seen]
        sent = [step.sent for step in seen]
        assert sent == sorted(sent)
        assert seen[-1] is payment.snapshot
        assert alice.paying.get(payment.id) is payment is alice.paying.get(payment.id.removeprefix("pay_"))
        assert alice.payments() == [payment]


async def test_cancel_waits_for_what_is_in_flight() -> None:
    async with line(packet_amount_max=1_000_000) as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=10 * BILLION)
        async for step in payment.progress:
            if step.sent:
                payment.cancel()
                break
        ended = await payment.done()
        assert ended.state == "cancelled"
        assert 0 < ended.sent < 10 * BILLION
        assert ended.in_flight == 0
        await until(lambda: not (alice.ledger.holds or hub.ledger.holds or bob.ledger.holds))
        assert net(alice, "alice") == ended.sent
        assert net(bob, "bob") == -ended.delivered
        assert agree(alice, "hub", hub, "alice")
        assert agree(hub, "bob", bob, "hub")


async def test_cancel_before_anything_is_sent() -> None:
    async with running(settings("test.hub", rates={})) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/9", "test.hub.bob"))
        payment = node.pay("alice", pointer(node, "bob"), send=BILLION)
        await until(lambda: any(refused.code == "T00" for refused in node.connector.refusals.latest))
        payment.cancel()
        ended = await payment.done()
        assert (ended.state, ended.sent) == ("cancelled", 0)


async def test_payments_are_remembered_after_a_restart(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path)
    async with running(of) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        await node.create_account(account("bob", "EUR/9", "test.hub.bob"))
        good = await node.pay("alice", pointer(node, "bob"), send=BILLION).done()
        bad = await node.pay("alice", pointer(node, "nobody"), send=BILLION).done()
    async with running(of) as node:
        assert [payment.snapshot for payment in node.payments()] == [bad, good]
        assert net(node, "bob") == -800_000_000


async def test_a_payment_that_the_stop_interrupts_is_told_as_it_is(tmp_path: Path) -> None:
    async with line(place=tmp_path, packet_amount_max=100_000) as (alice, _, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=10 * BILLION)
        await until(lambda: payment.sent > 0)
        await alice.stop()
        assert payment.state == "unknown"
        assert payment.ended_at is not None
    async with running(settings("test.alice", tmp_path / "alice")) as alice:
        kept = alice.paying.get(payment.id).snapshot
        assert (kept.state, kept.error) == ("unknown", "The node stopped while the payment was under way.")
        assert kept.ended_at is not None
        assert kept.sent <= net(alice, "alice")


async def test_totals_of_packets_outlive_the_payment() -> None:
    async with line() as (alice, hub, bob):
        await alice.pay("alice", pointer(bob, "bob"), send=BILLION).done()
        ends = ("answered", "fulfilled", "rejected", "refused")
        # The farewell to the receiver is not waited for.
        await until(lambda: alice.status().packets["prepares"] == sum(alice.status().packets[name] for name in ends))
        counted = alice.status().packets
        assert counted["fulfilled"] >= 10
        await alice.pay("alice", pointer(bob, "bob"), send=BILLION).done()
        assert alice.status().packets["fulfilled"] >= counted["fulfilled"] + 10
        assert hub.status().links_up == 2


async def test_a_node_may_be_given_its_clock() -> None:
    class Stopped:
        def now(self) -> Timestamp:
            return Timestamp(1_700_000_000_000)

    async with running(settings("test.hub"), clock=Stopped()) as node:
        assert node.started_at == 1_700_000_000_000
        await asyncio.sleep(0)
