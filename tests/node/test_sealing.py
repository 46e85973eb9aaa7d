"""J6: a copy of the database shows no secret, also of one that an older program wrote. The seed opens it."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import account, running, settings

from interledger.accounts.account import SECRET_FIELDS, LinkSettings, Relation
from interledger.errors import DiskFullError, StoreError
from interledger.node.node import Node
from interledger.node.sealing import FACT
from interledger.store.sqlite import DATABASE, SqliteStore

CANARIES = {name: f"canary-of-{name}-0123456789abcdef" for name in SECRET_FIELDS if "outgoing" not in name}
CANARIES |= {"http_outgoing_token": "canary-of-http", "btp_outgoing_token": "canary-of-btp"}
LINK = LinkSettings(http_url="http://localhost:9/x", **CANARIES)
JOIN = {
    "key": "k",
    "account": "eve",
    "nonce": "canary-nonce",
    "token": "canary-token",
    "expires_at": 9_000_000_000_000,
    "done": True,
}
BOB = account("bob", "USD/9", "test.bob", Relation.PEER, LINK)


def octets(place: Path) -> bytes:
    """All files of the data directory but the seed's own."""
    return b"".join(path.read_bytes() for path in sorted(place.iterdir()) if path.is_file())


async def test_J6_a_database_has_no_secret_and_gives_it_back_to_the_seed(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await node.create_account(BOB)
        assert b"canary" not in octets(tmp_path)
    assert b"canary" not in octets(tmp_path)
    async with running(settings("test.hub", tmp_path)) as node:
        assert node.account("bob") == BOB


async def make_old(place: Path) -> None:
    """As a program wrote it that sealed nothing: bob was changed once, so that his first form is on a free page."""
    async with running(settings("test.hub", place)) as node:
        node.store.sealer = None
        await node.create_account(replace(BOB, link=replace(LINK, http_outgoing_token="canary-of-long-ago" * 100)))
        await node.replace_account(BOB)
        node.store.put_fact("peering.join/k", JOIN)
        node.store.put_fact(FACT, None)
        await node.commit()
    assert octets(place).count(b"canary") >= 5


async def test_J6_what_was_in_the_clear_is_sealed_at_the_next_start(tmp_path: Path) -> None:
    await make_old(tmp_path)
    async with running(settings("test.hub", tmp_path)) as node:
        assert node.account("bob") == BOB
        assert b"canary" not in octets(tmp_path)
    async with running(settings("test.hub", tmp_path)) as node:
        assert node.account("bob") == BOB
        assert node.peering._joining._joins["k"].nonce == "canary-nonce"


async def test_traces_that_cannot_be_removed_are_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await make_old(tmp_path)

    def full(store: SqliteStore) -> None:
        raise DiskFullError("the disk is full")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(SqliteStore, "scrub", full)
        async with running(settings("test.hub", tmp_path)):
            assert "traces of them are left: the disk is full" in caplog.text
    async with running(settings("test.hub", tmp_path)):
        assert b"canary" not in octets(tmp_path)


async def test_another_seed_is_refused_or_told_to_forget(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await node.create_account(BOB)
    other = {"secret_seed": b"x" * 32}
    with pytest.raises(StoreError, match="account “bob” were sealed with another secret_seed"):
        await Node(settings("test.hub", tmp_path, **other)).start()
    async with running(settings("test.hub", tmp_path, **other, forget_lost_secrets=True)) as node:
        assert node.account("bob").link == LinkSettings(http_url=LINK.http_url)
        assert "the secrets of the account bob are lost" in caplog.text
    async with running(settings("test.hub", tmp_path, **other)) as node:  # asked once, not for ever
        assert node.account("bob").link == LinkSettings(http_url=LINK.http_url)


async def test_the_books_can_be_looked_at_without_the_seed(tmp_path: Path) -> None:
    """Limits, addresses and names are no secrets: only tokens need the seed."""
    async with running(settings("test.hub", tmp_path)) as node:
        await node.create_account(BOB)
    db = sqlite3.connect(tmp_path / DATABASE)
    (body,) = db.execute("SELECT body FROM document WHERE kind = 'account'").fetchone()
    db.close()
    assert '"id":"bob"' in body
    assert '"http_url":"http://localhost:9/x"' in body


@pytest.mark.parametrize("with_old", [False, True], ids=["new", "changed"])
async def test_J6_a_token_within_a_url_is_neither_shown_nor_kept_there(tmp_path: Path, with_old: bool) -> None:
    link = LinkSettings(btp_url="btp+ws://hub:canary-in-url@127.0.0.1:9/")
    async with running(settings("test.hub", tmp_path)) as node:
        if with_old:
            first = replace(link, btp_url="btp+ws://hub:canary-of-before@127.0.0.1:8/")
            old = await node.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, first))
            bob = replace(old, link=replace(old.link, btp_url=link.btp_url))
            made = await node.replace_account(bob)
        else:
            made = await node.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))
        assert made.link.btp_url == "btp+ws://hub@127.0.0.1:9/"
        assert made.link.btp_outgoing_token == "canary-in-url"
        assert "canary" not in repr(made)
        assert b"canary" not in octets(tmp_path)
    async with running(settings("test.hub", tmp_path)) as node:
        assert node.account("bob") == made


async def test_J6_a_token_within_a_url_that_an_older_program_kept_is_taken_out(tmp_path: Path) -> None:
    link = LinkSettings(btp_url="btp+ws://hub:canary-in-url@127.0.0.1:9/")
    async with running(settings("test.hub", tmp_path)) as node:
        node.store.put_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))
        node.store.put_fact(FACT, None)
        await node.commit()
    assert b"canary" in octets(tmp_path)
    async with running(settings("test.hub", tmp_path)) as node:
        assert node.account("bob").link.btp_outgoing_token == "canary-in-url"
    assert b"canary" not in octets(tmp_path)
