"""Children that make their own accounts, over the node's own port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from loopback import account, digest, net, pointer, running, settings, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from interledger.accounts.account import LinkSettings, Relation
from interledger.errors import ConflictError
from interledger.link.btp import admission
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import BtpResponse, decode_btp
from interledger.node import children
from interledger.node.children import name_of_token
from interledger.node.node import Node


@asynccontextmanager
async def hub(place: Path | None = None, **more: Any) -> AsyncIterator[Node]:
    """A node that lets children in, and has an account “bob” too."""
    async with running(settings("test.hub", place, btp_children="users", **more)) as node:
        if not node.accounts():
            template = account("users", "USD/9", "test.hub.users", Relation.CHILD, owes_us_max=500, we_owe_max=9)
            await node.create_account(template)
            link = LinkSettings(btp_incoming_token_digest=digest("token of bob"))
            await node.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))
        yield node


@asynccontextmanager
async def dialled(node: Node, path: str = "/", **more: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{node.port}{path}", compression=None, **more) as socket:
        yield socket


async def is_let_in(socket: ClientConnection, username: str, token: str) -> bool:
    await socket.send(auth_message(1, username, token).encode())
    answer = await socket.recv()
    assert isinstance(answer, bytes)
    return isinstance(decode_btp(answer), BtpResponse)


async def tries(node: Node, username: str, token: str, path: str = "/") -> bool:
    async with dialled(node, path) as socket:
        return await is_let_in(socket, username, token)


def found(node: Node) -> dict[str, str]:
    """Child's name -> account id."""
    return {a.link.btp_child_name: a.id for a in node.accounts() if a.link.btp_child_name is not None}


def test_the_name_of_a_token_is_that_of_mini_accounts() -> None:
    """TRAP BTP-4: base64url(sha256(token)), unpadded."""
    assert name_of_token("alice") == "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA"


async def test_it_is_off_by_default() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("users", "USD/9", "test.hub.users", Relation.CHILD))
        assert not await tries(node, "", "any token")
        assert found(node) == {}


@pytest.mark.parametrize("path", ["/", "/btp", "/ilp/btp", "/accounts/users/ilp/btp"])
async def test_a_child_gets_an_account_like_the_template(path: str) -> None:
    async with hub() as node:
        assert await tries(node, "", "a token of its own, long enough", path)
        name = name_of_token("a token of its own, long enough")
        assert found(node) == {name: "users_1"}
        child = node.account("users_1")
        assert child.ilp_address == f"test.hub.users.{name}"
        assert (child.relation, str(child.asset)) == (Relation.CHILD, "USD/9")
        assert (child.owes_us_max, child.we_owe_max) == (500, 9)
        assert child.link == LinkSettings(
            btp_incoming_token_digest=digest("a token of its own, long enough"), btp_child_name=name
        )
        assert (f"test.hub.users.{name}", "users_1") in {(r.prefix, r.account) for r in node.routes()}


LONG = "a-token-that-nobody-can-guess"

NAMES: dict[str, tuple[str, str, str, str | None]] = {
    # what happens: (mode, user name, token, the child's name or None)
    "a user name": ("either", "alice", "t", "alice"),
    "names keep their case": ("either", "Alice", "t", "Alice"),
    "the hash said aloud": ("token", name_of_token(LONG), LONG, name_of_token(LONG)),
    "hash mode refuses other names": ("token", "alice", "t", None),
    "hash mode without a name": ("token", "", LONG, name_of_token(LONG)),
    "JS12 a token that can be guessed from the name": ("token", "", LONG[:21], None),
    "user name mode wants one": ("username", "", "t", None),
    "user name mode": ("username", "alice", "t", "alice"),
    "no segment of an address": ("either", "a.b", "t", None),
    "too long for one": ("either", "a" * 65, "t", None),
    "an account's name: its token was wrong": ("either", "bob", "t", None),
    "in another form": ("either", "BOB", "t", None),
    "BT-03 no token": ("either", "alice", "", None),
}


@pytest.mark.parametrize("case", NAMES)
async def test_names(case: str) -> None:
    mode, username, token, name = NAMES[case]
    async with hub(btp_children_names=mode) as node:
        assert await tries(node, username, token) is (name is not None)
        assert found(node) == ({} if name is None else {name: "users_1"})


async def test_the_first_token_of_a_name_is_the_only_one() -> None:
    async with hub() as node:
        assert await tries(node, "alice", "hers, which nobody guesses")
        assert not await tries(node, "alice", "another")
        assert await tries(node, "alice", "hers, which nobody guesses")
        # Another child may choose the same token: its name tells them apart.
        assert await tries(node, "carol", "hers, which nobody guesses")
        assert await tries(node, "", "hers, which nobody guesses")
        assert sorted(found(node)) == sorted(["alice", "carol", name_of_token("hers, which nobody guesses")])
        # Accounts with tokens of their own are not touched by any of this.
        assert await tries(node, "", "token of bob")
        assert not await tries(node, "", "token of bob", "/accounts/users_1/ilp/btp")
        assert not await tries(node, "carol", "token of bob")


async def test_children_are_remembered_and_can_be_removed(tmp_path: Path) -> None:
    async with hub(tmp_path) as node:
        assert await tries(node, "alice", "hers, which nobody guesses")
        assert await tries(node, "carol", "hers, which nobody guesses")
    async with hub(tmp_path) as node:
        assert found(node) == {"alice": "users_1", "carol": "users_2"}
        assert not await tries(node, "alice", "another")
        await node.delete_account("users_1")
        assert await tries(node, "alice", "another")
    async with hub(tmp_path) as node:
        assert found(node) == {"alice": "users_1", "carol": "users_2"}
        assert await tries(node, "alice", "another")


async def test_when_all_are_taken_one_that_only_passed_by_makes_room() -> None:
    async with hub(btp_children_max=3) as node:
        usd = node.account("users").asset
        for name in ("paid", "idle", "busy"):
            assert await tries(node, name, "t")
        node.ledger.post(((node.ledger.account("peer/users_1", usd), node.ledger.account("fee/x", usd), 5),), "test")
        async with dialled(node) as busy:
            assert await is_let_in(busy, "busy", "t")
            assert await tries(node, "new", "t")
            assert found(node) == {"paid": "users_1", "busy": "users_3", "new": "users_2"}
            async with dialled(node) as new:
                assert await is_let_in(new, "new", "t")
                assert not await tries(node, "one more", "t")
                assert not await tries(node, "onemore", "t")


async def test_the_number_of_one_who_paid_is_nobody_elses(tmp_path: Path) -> None:
    """What the books say of users_1 is about alice, for ever."""
    async with hub() as node:
        usd = node.account("users").asset
        assert await tries(node, "alice", "t")
        hers, other = node.ledger.account("peer/users_1", usd), node.ledger.account("fee/x", usd)
        node.ledger.post(((hers, other, 5),), "test")
        with pytest.raises(ConflictError):
            await node.delete_account("users_1")
        node.ledger.post(((other, hers, 5),), "test")
        await node.delete_account("users_1")
        assert await tries(node, "carol", "t")
        assert found(node) == {"carol": "users_2"}


async def test_D1_accounts_that_one_source_may_make_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "NEW_PER_MINUTE", 3)
    monkeypatch.setattr(admission, "FAILURE_DELAY_MS", 0)
    async with hub() as node:
        results = [await tries(node, "", f"a token that is long enough {i}") for i in range(5)]
        assert results == [True, True, True, False, False]
        assert await tries(node, "", "a token that is long enough 0")
        assert len(found(node)) == 3


async def test_without_the_template_nobody_gets_in(caplog: pytest.LogCaptureFixture) -> None:
    async with running(settings("test.hub", btp_children="users")) as node:
        assert not await tries(node, "alice", "t")
        assert "make that account" in caplog.text


@pytest.mark.parametrize(("origin", "allowed"), [("https://wallet.example", True), ("https://evil.example", False)])
async def test_browsers_of_allowed_origins_only(origin: str, allowed: bool) -> None:
    async with hub(btp_origins=("https://wallet.example",)) as node:
        if allowed:
            async with dialled(node, origin=origin) as socket:
                assert await is_let_in(socket, "alice", "t")
        else:
            with pytest.raises(InvalidStatus, match="403"):
                await asyncio.wait_for(dialled(node, origin=origin).__aenter__(), 5)


async def test_no_browser_by_default() -> None:
    async with hub() as node:
        with pytest.raises(InvalidStatus, match="403"):
            await asyncio.wait_for(dialled(node, origin="https://wallet.example").__aenter__(), 5)


async def test_two_children_pay_each_other() -> None:
    """Two nodes of ours dial in with tokens of their own, get their addresses from the hub, and one pays the other."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(hub(btp_children_max=10))
        await node.replace_account(account("users", "USD/9", "test.hub.users", Relation.CHILD, owes_us_max=10**9))
        ends = []
        for name in ("ann", "bill"):
            end = await stack.enter_async_context(running(settings(f"test.{name}")))
            url = f"ws://{name if name == 'ann' else ''}:{name}-secret-nobody-guesses@127.0.0.1:{node.port}/"
            up = account("up", "USD/9", "test.hub", Relation.PARENT, LinkSettings(btp_url=url))
            await end.create_account(account(name, "USD/9", f"test.{name}.{name}"))
            await end.create_account(up)
            ends.append(end)
        ann, bill = ends
        await until(lambda: ann.address == "test.hub.users.ann")
        await until(lambda: bill.address == f"test.hub.users.{name_of_token('bill-secret-nobody-guesses')}")
        payment = await ann.pay("ann", pointer(bill, "bill"), send=5_000).done()
        assert payment.state == "delivered"
        assert (net(node, found(node)["ann"]), net(node, found(node)[name_of_token("bill-secret-nobody-guesses")])) == (
            5_000,
            -5_000,
        )
        assert (net(ann, "up"), net(bill, "up")) == (-5_000, 5_000)
