"""Two nodes' books side by side: an old backup is found out by its peer."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from loopback import account, btp_dialler, btp_listener, running, settings, until

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.node import comparison
from interledger.node.comparison import Comparison
from interledger.node.node import Node

USD = Asset("USD", 9)


@asynccontextmanager
async def pair(place: Path) -> AsyncIterator[tuple[Node, Node]]:
    """hub, and alice who dials it. Their accounts are made once; a restart finds them."""
    async with (
        running(settings("test.hub", place / "hub")) as hub,
        running(settings("test.alice", place / "alice")) as alice,
    ):
        if not hub.accounts():
            await hub.create_account(
                account("alice", "USD/9", "test.alice", Relation.PEER, btp_listener("hub", "alice"), peer_balance=True)
            )
        link = btp_dialler("alice", hub, "hub")
        made = account("hub", "USD/9", "test.hub", Relation.PEER, link, peer_balance=True)
        await (alice.replace_account(made) if alice.accounts() else alice.create_account(made))
        await until(lambda: hub.link_status("alice").up)
        yield hub, alice


async def owe(hub: Node, alice: Node, amount: int) -> None:
    """Both write down that alice owes the hub more."""
    for node, name, sign in ((hub, "peer/alice", 1), (alice, "peer/hub", -1)):
        line, other = node.ledger.account(name, USD), node.ledger.account("external/bank", USD)
        node.ledger.post(((line, other, amount) if sign > 0 else (other, line, amount),), "settled")
        await node.commit()


async def test_books_that_agree_and_books_that_do_not(tmp_path: Path) -> None:
    async with pair(tmp_path) as (hub, alice):
        await owe(hub, alice, 500)
        [found] = await hub.books.compare()
        assert found == Comparison(hub.account("alice").id, USD, 500, 500, 0, 0)
        assert (found.difference, found.unexplained) == (0, 0)
        line, bank = hub.ledger.account("peer/alice", USD), hub.ledger.account("external/bank", USD)
        hub.ledger.post(((line, bank, 70),), "x")
        await hub.commit()
        [found] = await hub.books.compare()
        assert (found.difference, found.unexplained) == (70, 70)


@pytest.mark.parametrize(("in_flight", "unknown", "unexplained"), [(0, 0, 70), (30, 30, 10), (70, 0, 0), (0, 80, 0)])
def test_what_is_in_flight_or_unknown_explains(in_flight: int, unknown: int, unexplained: int) -> None:
    for theirs in (30, 170):
        found = Comparison("alice", USD, 100, theirs, in_flight, unknown)  # type: ignore[arg-type]  # a name
        assert found.unexplained == unexplained
    assert Comparison("alice", USD, 100, None, 0, 0, "silent").unexplained == 0  # type: ignore[arg-type]  # a name


async def test_J9_an_old_backup_of_a_whole_directory_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "SETTLE_S", 0.01)
    async with pair(tmp_path) as (hub, alice):
        await owe(hub, alice, 500)
    shutil.copytree(tmp_path / "hub", tmp_path / "backup")
    async with pair(tmp_path) as (hub, alice):
        await owe(hub, alice, 70)
        assert hub.alarms == []
    shutil.rmtree(tmp_path / "hub")
    shutil.copytree(tmp_path / "backup", tmp_path / "hub")
    async with pair(tmp_path) as (hub, alice):
        await until(lambda: hub.alarms)
        assert "our books and those of alice differ by 0.00000007 USD" in hub.alarms[-1]
        assert "old backup" in hub.alarms[-1]


async def test_a_peer_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(settings("test.hub", tmp_path)) as hub:
        await hub.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, btp_listener("hub", "alice")))
        await hub.create_account(account("bob", "USD/9", "test.hub.bob"))
        monkeypatch.setattr(comparison, "ASK_S", 0.2)
        [found] = await hub.books.compare()
        assert (found.account, found.theirs, found.difference) == ("alice", None, None)
        assert found.problem
