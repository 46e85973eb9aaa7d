"""A node's own address: given by its parent, checked, kept, passed on to its children, asked for again (PC-, CR-13)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from loopback import account, btp_dialler, btp_listener, http_link, running, settings, until

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import NO_CURRENCY, Asset
from interledger.clock import Timestamp
from interledger.errors import ConflictError
from interledger.ilp.address import Address
from interledger.ilp.ildcp import ChildConfig, changed_notice
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.link.base import RequestId
from interledger.node.node import Node
from interledger.node.parent import address_at_start, refuse_config

KINDS = ["BTP", "HTTP"]


async def become_child(child: Node, name: str, parent: Node, parent_name: str, kind: str, **more: object) -> None:
    """`child` is `name` at `parent`, which it knows as `parent_name`."""
    here, there = (
        (btp_dialler(name, parent, parent_name), btp_listener(parent_name, name))
        if kind == "BTP"
        else (http_link(name, parent, parent_name), http_link(parent_name, child, name))
    )
    below = f"{parent.address}.{name}"
    await parent.create_account(account(name, "USD/9", below, Relation.CHILD, there))
    address = "test.parent.of.ours"
    await child.create_account(account(parent_name, "USD/9", address, Relation.PARENT, here, **more))
    await until(lambda: child.address == below)


@pytest.mark.parametrize("kind", KINDS)
async def test_PC_03_children_of_children_move_along_at_once_and_packets_in_flight_stay(kind: str) -> None:
    """The top's address changes: all below have the new one within moments, on links that were never cut."""
    async with (
        running(settings("test.top")) as top,
        running(settings("test.middle")) as middle,
        running(settings("test.leaf")) as leaf,
    ):
        await become_child(middle, "middle", top, "top", kind)
        await become_child(leaf, "leaf", middle, "middle", kind)
        since = middle.link_status("leaf").since, top.link_status("middle").since
        await top.set_address(Address("test.summit"))
        await until(lambda: leaf.address == "test.summit.middle.leaf")
        assert middle.address == "test.summit.middle"
        assert (middle.link_status("leaf").since, top.link_status("middle").since) == since
        assert (await top.requests.ping("test.summit.middle.leaf")).code is None


async def test_a_parent_that_says_nothing_is_asked_again_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.node.parent.ASK_AGAIN_MS", 20)
    monkeypatch.setattr("interledger.node.parent.ASK_GAP_MS", 10)
    async with running(settings("test.top")) as top, running(settings("test.leaf")) as leaf:
        await become_child(leaf, "leaf", top, "top", "HTTP")
        await top.rename_account(replace(top.account("leaf"), ilp_address=Address("test.top.renamed")))
        await until(lambda: leaf.address == "test.top.renamed")


async def test_only_the_parent_is_heard_and_only_asked() -> None:
    async with running(settings("test.top")) as top, running(settings("test.leaf")) as leaf:
        await become_child(leaf, "leaf", top, "top", "HTTP")
        await leaf.create_account(
            account("other", "USD/9", "test.other", Relation.PEER, LinkSettings(http_url="http://localhost:1/"))
        )
        now = leaf.clock.now()

        def receive(name: str, notice: Prepare) -> object:
            return leaf.connector.receive_prepare(AccountId(name), RequestId(1), notice, now)

        refused = receive("other", changed_notice(now))
        assert isinstance(refused, Reject)
        assert refused.code == "F00"
        assert isinstance(receive("top", changed_notice(now)), Fulfill)
        await asyncio.sleep(0.02)
        assert (leaf.address, list(leaf.alarms)) == ("test.top.leaf", [])


async def test_CR_13_a_second_parent_is_refused() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("one", "USD/9", "test.one", Relation.PARENT))
        with pytest.raises(ConflictError, match="“one” is the parent of this node; there is one at most"):
            await node.create_account(account("two", "USD/9", "test.two", Relation.PARENT))


@pytest.mark.parametrize("kind", KINDS)
async def test_the_asset_is_inherited_where_it_is_not_said(kind: str) -> None:
    async with running(settings("test.top")) as top, running(settings("test.leaf")) as leaf:
        here, there = (
            (btp_dialler("leaf", top, "top"), btp_listener("top", "leaf"))
            if kind == "BTP"
            else (http_link("leaf", top, "top"), http_link("top", leaf, "leaf"))
        )
        await top.create_account(account("leaf", "EUR/6", "test.top.leaf", Relation.CHILD, there))
        await leaf.create_account(account("top", "XXX/0", "test.top", Relation.PARENT, here))
        await until(lambda: leaf.address == "test.top.leaf")
        assert leaf.account("top").asset == Asset("EUR", 6)
        await until(lambda: leaf.link_status("top").up)
        assert list(leaf.alarms) == []


PARENT = account("isp", "USD/9", "test.isp", Relation.PARENT)


def config(address: str = "test.isp.me", code: str = "USD", scale: int = 9) -> ChildConfig:
    return ChildConfig(Address(address), code, scale)


@pytest.mark.parametrize(
    ("given", "configured", "trouble"),
    [
        (config(), "test.me", None),
        (config("test1.isp.me"), "test.me", None),
        (config("g.isp.me"), "local.host", None),
        (config("g.isp.me"), "test.me", "of another network"),
        (config("test.isp.me"), "g.me", "of another network"),
        (config("peer.me"), "local.host", "of another network"),
        (config("self.me"), "local.host", "of another network"),
        (config("test.isp"), "test.me", "its own address"),
        (config("test." + "a" * 508), "test.me", "an address of 513 characters, at most 512"),
        (config(code="EUR"), "test.me", "accounts in EUR/9, we in USD/9"),
        (config(scale=6), "test.me", "accounts in USD/6, we in USD/9"),
        (config(code=""), "test.me", "no asset"),
    ],
)
def test_what_a_parent_may_not_give(given: ChildConfig, configured: str, trouble: str | None) -> None:
    found = refuse_config(given, PARENT, configured)
    assert found is None if trouble is None else trouble in (found or "")


def test_an_account_without_a_currency_takes_the_parents() -> None:
    parent: Account = replace(PARENT, asset=NO_CURRENCY)
    assert refuse_config(config(code="EUR", scale=2), parent, "test.me") is None


@pytest.mark.parametrize(
    ("fact", "address"),
    [
        (None, "test.me"),
        ({"configured": "test.me", "given": "test.isp.me"}, "test.isp.me"),
        ({"configured": "test.old", "given": "test.isp.me"}, "test.me"),
        ({"configured": "test.me", "given": "no address"}, "test.me"),
        ("nonsense", "test.me"),
    ],
)
def test_what_was_given_is_kept_until_the_settings_change(fact: object, address: str) -> None:
    assert address_at_start(Address("test.me"), {} if fact is None else {"own_address": fact}) == address


def test_the_notice_carries_nothing() -> None:
    notice = changed_notice(Timestamp(1_000))
    assert (notice.destination, notice.amount, notice.data) == ("peer.config.changed", 0, b"")
