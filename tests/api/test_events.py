"""`/api/events` of a real node, over a socket: pages, streams, coming back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from interledger.api.app import create_app
from interledger.api.client import ApiClient, ApiError
from interledger.api.live_calls import StreamedEvent
from interledger.node.node import Node
from interledger.node.settings import Settings


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    of = Settings(
        ilp_address="test.hub",
        admin_auth_token="admin",
        secret_seed=bytes(32),
        http_bind_address="127.0.0.1:0",
        durability="memory",
        data_dir="nowhere",
    )
    node = Node(of)
    await node.start(create_app(node))
    yield node
    await node.stop()


@pytest.fixture
def client(node: Node) -> ApiClient:
    return ApiClient(f"http://127.0.0.1:{node.port}", "admin")


async def test_pages(node: Node, client: ApiClient) -> None:
    for number in range(4):
        node.alarm(f"alarm {number}")
    page = await client.events(limit=2, only="alarm")
    assert [event["text"] for event in page["items"]] == ["alarm 3", "alarm 2"]
    assert (page["next_cursor"], page["gap"], page["latest"]) == ("4", False, 5)
    older = await client.events(limit=9, cursor=page["next_cursor"])
    assert [event["kind"] for event in older["items"]] == ["alarm", "alarm", "node.started"]
    assert older["next_cursor"] is None
    newer = await client.events(since=2, limit=2)
    assert ([event["id"] for event in newer["items"]], newer["next_cursor"]) == ([3, 4], "4")
    assert (await client.events(since=99))["gap"]


@pytest.mark.parametrize(
    ("query", "field"), [({"only": "weather"}, "only"), ({"cursor": "x"}, "cursor"), ({"since": -1}, "since")]
)
async def test_what_cannot_be_asked(client: ApiClient, query: dict[str, object], field: str) -> None:
    with pytest.raises(ApiError) as error:
        await client.events(**query)  # type: ignore[arg-type]  # wrong on purpose
    assert (error.value.status, error.value.kind) == (400, "invalid-request")


async def test_a_stream_goes_on_where_its_reader_stopped(node: Node, client: ApiClient) -> None:
    node.alarm("missed")
    stream = client.tail_events(since=1, only="alarm")
    missed = await anext(stream)
    assert (missed.event, missed.id, missed.data["text"]) == ("message", "2", "missed")
    node.live.events.tell("link.up", "not asked for", subject="bob", account="bob", link="BTP")
    node.alarm("live")
    assert (await anext(stream)).data["text"] == "live"
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_a_stream_says_that_there_is_a_gap(node: Node, client: ApiClient) -> None:
    stream = client.tail_events(since=1_000)
    assert await anext(stream) == StreamedEvent("gap", None, {"since": 1000})
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_a_stream_ends_with_the_node(node: Node, client: ApiClient) -> None:
    stream = client.tail_events(since=0)
    assert (await anext(stream)).data["kind"] == "node.started"
    await node.stop()
    assert [event.data["kind"] async for event in stream] == ["node.stopping"]


async def test_it_is_the_operators(node: Node) -> None:
    with pytest.raises(ApiError) as error:
        await anext(ApiClient(f"http://127.0.0.1:{node.port}").tail_events())
    assert error.value.status == 401


# ---------------------------------------------------------------------- a connection that is cut


async def until_cut(node: Node, last_id: int | None, octets: int) -> list[dict[str, Any]]:
    """What a browser has of the stream when the network fails after so many octets: whole events only.

    The connection is reset, not closed. `last_id`: what it gives as Last-Event-ID.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    come_back = "" if last_id is None else f"Last-Event-ID: {last_id}\r\n"
    writer.write(
        f"GET /api/events?since=0 HTTP/1.1\r\nHost: 127.0.0.1:{node.port}\r\nAuthorization: Bearer admin\r\n"
        f"Accept: text/event-stream\r\n{come_back}\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    body = b""
    while len(body) < octets:  # in chunks, each behind its length
        size = int(await reader.readuntil(b"\r\n"), 16)
        body += (await reader.readexactly(size + 2))[:-2]
    writer.transport.abort()
    *blocks, _ = body[:octets].split(b"\n\n")
    lines = [dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line) for block in blocks]
    return [json.loads(line["data"]) | {"sse_id": int(line["id"])} for line in lines if "id" in line]


async def test_over_any_number_of_cut_connections_every_event_comes_once(node: Node) -> None:
    """The reader gives the id of the last whole event. Events go on to happen between connections, and during them."""
    random, seen, told = Random(7), list[int](), 61  # node.started, and
    for number in range(60):
        node.alarm(f"before {number}")
    for _ in range(15):  # the feed takes a hundred events a second
        node.alarm("alarm " + "x" * random.randrange(40))
        asyncio.get_running_loop().call_soon(node.alarm, "in between")
        told += 2
        came = await until_cut(node, seen[-1] if seen else None, random.randrange(100, 900))
        assert all(event["id"] == event["sse_id"] for event in came)
        seen += [event["id"] for event in came]
    assert len(seen) > 25
    rest = [event.id for event in node.live.events.after(seen[-1], None, 1_000).events]
    assert seen + rest == list(range(1, told + 1))
