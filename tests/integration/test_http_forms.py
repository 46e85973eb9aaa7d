"""Two nodes over each form of ILP over HTTP: payments deliver exact amounts, and the books agree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from interledger.accounts.account import HttpForm, LinkSettings, Relation
from interledger.node.http_links import KINDS
from interledger.node.node import Node
from tests.node.loopback import account, agree, http_link, net, pointer, running, settings

FORMS = pytest.mark.parametrize("form", list(HttpForm))


def link_of(form: HttpForm, me: str, other: Node, name: str, own: Node) -> LinkSettings:
    """As `http_link`, in a form. `own`: the node that has the link."""
    back = f"http://127.0.0.1:{own.port}/accounts/{name}/ilp" if form is HttpForm.ASYNC else None
    return replace(http_link(me, other, name), http_form=form, http_callback_url=back)


@asynccontextmanager
async def pair(left: HttpForm, right: HttpForm) -> AsyncIterator[tuple[Node, Node]]:
    """alice and bob, each with a holder of the same name."""
    async with running(settings("test.alice")) as alice, running(settings("test.bob")) as bob:
        for node, name in ((alice, "alice"), (bob, "bob")):
            await node.create_account(account(name, "USD/9", f"test.{name}.{name}"))
        link = link_of(left, "alice", bob, "bob", alice)
        await alice.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))
        link = link_of(right, "bob", alice, "alice", bob)
        await bob.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, link))
        yield alice, bob


def name_of(node: Node) -> str:
    return node.address.removeprefix("test.")


async def send(source: Node, target: Node, amount: int) -> None:
    done = await source.pay(name_of(source), pointer(target, name_of(target)), send=amount).done()
    assert (done.state, done.delivered) == ("delivered", amount)


@FORMS
async def test_payments_deliver_exact_amounts_both_ways(form: HttpForm) -> None:
    async with pair(form, form) as (alice, bob):
        await send(alice, bob, 1_000_000_007)
        await send(bob, alice, 3)
        assert net(bob, "alice") == 1_000_000_004
        assert agree(alice, "bob", bob, "alice")
        assert alice.link_status("bob").kind == KINDS[form]
        assert not alice.ledger.unknown
        assert not bob.ledger.unknown


@pytest.mark.parametrize(("left", "right"), [(HttpForm.ASYNC, HttpForm.SYNC), (HttpForm.SYNC, HttpForm.ASYNC)])
async def test_HT_03_a_peer_that_knows_only_the_synchronous_form_is_served(left: HttpForm, right: HttpForm) -> None:
    async with pair(left, right) as (alice, bob):
        await send(alice, bob, 1_000_000_007)
        await send(bob, alice, 3)
        assert agree(alice, "bob", bob, "alice")


async def test_HT_11_a_poisoned_callback_is_never_called() -> None:
    """What the request says is compared with the configured address, and is not an address to us."""
    called = []
    async with pair(HttpForm.ASYNC, HttpForm.ASYNC) as (alice, bob):
        server = await asyncio.start_server(lambda _, writer: called.append(writer), "127.0.0.1", 0)
        async with server:
            place = server.sockets[0].getsockname()[1]
            poisoned = replace(alice.account("bob").link, http_callback_url=f"http://127.0.0.1:{place}/ilp")
            await alice.replace_account(replace(alice.account("bob"), link=poisoned))
            await send(alice, bob, 1_000_000_007)
        assert called == []
        assert agree(alice, "bob", bob, "alice")
