"""Which link an account's settings describe, and what the port is told of it."""

from __future__ import annotations

import pytest

from interledger.accounts.account import HttpForm, LinkSettings, Relation
from interledger.errors import InvalidRequestError
from interledger.link.http.courier import CourierLink
from interledger.link.http.shell import HttpLink
from interledger.node.http_links import KINDS, make_http_link
from interledger.node.node import Node
from tests.link.http.test_repeatable import PREPARE, Answer
from tests.node.loopback import account, digest, running, settings

FORMS = pytest.mark.parametrize("form", list(HttpForm))


def link_settings(form: HttpForm, callback: str | None = "http://127.0.0.1:2/ilp") -> LinkSettings:
    return LinkSettings(
        http_url="http://127.0.0.1:1/ilp",
        http_form=form,
        http_callback_url=callback,
        http_incoming_token_digest=digest("in"),
    )


async def add_bob(node: Node, form: HttpForm) -> None:
    await node.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link_settings(form)))


@FORMS
async def test_each_form_has_its_link(form: HttpForm) -> None:
    async with running(settings("test.hub")) as node:
        bob = account("bob", "USD/9", "test.bob", Relation.PEER, link_settings(form))
        link = make_http_link(
            node.connector, bob, bob.id, clock=node.clock, entropy=node.entropy, tls=None, egress=None
        )
        assert isinstance(link, HttpLink if form is HttpForm.SYNC else CourierLink)
        await link.close()
        await add_bob(node, form)
        assert node.link_status("bob").kind == KINDS[form]


def post(node: Node, path: bytes, fields: dict[bytes, bytes] | None = None, token: bytes = b"in") -> int | None:
    answer = Answer()
    assert node.links.http_server.takes(path)
    given = {b"authorization": b"Bearer " + token, **(fields or {})}
    node.links.http_server.handle(
        path, given[b"authorization"], None, PREPARE.encode(), node.clock.now(), answer, b"head", given
    )
    return answer.status


@pytest.mark.parametrize(
    ("form", "path", "status"),
    [
        (HttpForm.SYNC, b"/ilp/x", 404),
        (HttpForm.ASYNC, b"/ilp/x", 404),
        (HttpForm.OER_SYNC, b"/ilp", 404),
        (HttpForm.OER_ASYNC, b"/ilp", 404),
        (HttpForm.SYNC, b"/ilp", 200),
        (HttpForm.ASYNC, b"/ilp", 200),
        (HttpForm.OER_SYNC, b"/ilp/x", 200),
        (HttpForm.OER_SYNC, b"/accounts/bob/ilp/x", 200),
        (HttpForm.OER_SYNC, b"/accounts/eve/ilp/x", 401),
    ],
)
async def test_an_account_is_served_in_its_own_form(form: HttpForm, path: bytes, status: int) -> None:
    async with running(settings("test.hub")) as node:
        await add_bob(node, form)
        assert post(node, path) == status
        assert post(node, path, token=b"wrong") == 401


async def test_HT_03_the_asynchronous_form_is_only_for_those_who_ask_for_it() -> None:
    async with running(settings("test.hub")) as node:
        await add_bob(node, HttpForm.ASYNC)
        asked = {b"request-id": b"x", b"callback-url": b"http://127.0.0.1:1/ilp"}
        assert post(node, b"/ilp", asked) is None  # it will be 202, once it is written
        assert post(node, b"/ilp", {**asked, b"callback-url": b"http://127.0.0.1:9/ilp"}) == 200
        assert not node.links.http_server.accepted_heads


async def test_an_account_in_the_asynchronous_form_says_where_answers_go() -> None:
    async with running(settings("test.hub")) as node:
        link = link_settings(HttpForm.ASYNC, None)
        with pytest.raises(InvalidRequestError, match="needs  http_callback_url"):
            await node.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))
        assert "bob" not in [one.id for one in node.accounts()]
