"""Sub-protocols over HTTP: the same handlers as over BTP, each a path."""

from __future__ import annotations

import pytest

from interledger.accounts.account import LinkSettings, Relation
from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.link.http.messages import problem_body
from interledger.node.node import Node
from tests.node.loopback import account, digest, running, settings

ALLOWED = EgressPolicy(development=True)


async def post(node: Node, name: str, body: bytes = b"claim", shows: str = "in", kind: str = "") -> Response:
    headers = {"authorization": f"Bearer {shows}", **({"content-type": kind} if kind else {})}
    return await fetch("POST", f"http://127.0.0.1:{node.port}/{name}", headers=headers, body=body, egress=ALLOWED)


async def with_bob(node: Node) -> None:
    link = LinkSettings(http_incoming_token_digest=digest("in"))
    await node.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ((ProtocolData("paychan", ContentType.OCTETS, b"done"),), 200, b"done"),
        ((ProtocolData("other", 0, b"x"), ProtocolData("paychan", 0, b"done")), 200, b"done"),
        ((), 200, b""),
        (Refusal("F00", "no"), 400, problem_body(400, "F00 no")),
        (Refusal("T00", "later"), 503, problem_body(503, "T00 later")),
    ],
)
async def test_a_sub_protocol_is_asked_over_http_too(answer: Answer, status: int, body: bytes) -> None:
    async with running(settings("test.hub")) as node:
        await with_bob(node)
        asked: list[SubprotocolRequest] = []

        async def handle(request: SubprotocolRequest) -> Answer:
            asked.append(request)
            return answer

        node.subprotocols.register("paychan", handle)
        response = await post(node, "paychan", kind="application/json; charset=utf-8")
        assert (response.status, response.body) == (status, body)
        assert asked == [
            SubprotocolRequest(node.account("bob").id, (ProtocolData("paychan", ContentType.JSON, b"claim"),))
        ]


async def test_who_may_ask_and_for_what() -> None:
    async with running(settings("test.hub")) as node:
        await with_bob(node)

        async def handle(request: SubprotocolRequest) -> Answer:
            return ()

        assert (await post(node, "paychan")).status == 405  # not registered: the application says so
        await node.create_account(account("eve", "USD/9", "test.eve"))
        node.subprotocols.register("paychan", handle, "eve")
        assert (await post(node, "paychan")).status == 404  # not for bob
        assert (await post(node, "paychan", shows="wrong")).status == 401
        assert (await post(node, "info", b"")).body == b"test.hub"
