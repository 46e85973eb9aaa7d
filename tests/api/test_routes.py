"""`/routes` and `/api/routes`."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.routing.table import Origin, Route


async def test_compatible_routes_are_replaced_and_echoed(call: Any, node: Any) -> None:
    body = {"test.far": "alice", "": "bob"}
    answer = await call("PUT", "/routes/static", body)
    assert (answer.status, answer.json, node.static) == (200, body, body)
    assert (await call("GET", "/routes", token=None)).json == body
    assert (await call("PUT", "/routes/static", {})).json == {}


async def test_one_compatible_route_is_text(call: Any, node: Any) -> None:
    answer = await call("PUT", "/routes/static/test.far", b" Alice\n")
    assert (answer.status, answer.body) == (200, b"alice")
    assert answer.headers["content-type"].startswith("text/plain")
    assert node.static == {"test.far": "alice"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/routes/static", {"nowhere": "alice"}, 400),
        ("/routes/static", {"test.far": 5}, 400),
        ("/routes/static", {"test.far": "x"}, 400),
        ("/routes/static", {"test.far": "nobody"}, 404),
        ("/routes/static/nowhere", b"alice", 400),
        ("/routes/static/test.far", b"", 400),
        ("/routes/static/test.far", b"\xff", 400),
        ("/routes/static/test.far", b"nobody", 404),
    ],
)
async def test_compatible_routes_refuse(call: Any, node: Any, path: str, body: Any, status: int) -> None:
    assert (await call("PUT", path, body)).status == status
    assert node.static == {}


PLAIN = {"weight": 1, "priority": 0, "path": None, "speaker": None, "since": None}


async def test_a_learned_route_tells_its_path_speaker_and_age(call: Any, node: Any) -> None:
    node.heard.append(
        Route("test.far", AccountId("bob"), Origin.LEARNED, 1, 0, ("test.bob", "test.far"), "test.bob", Timestamp(0))
    )
    answer = await call("GET", "/api/routes")
    assert answer.json["items"][1] == {
        "prefix": "test.far",
        "account": "bob",
        "origin": "learned",
        "weight": 1,
        "priority": 0,
        "path": ["test.bob", "test.far"],
        "speaker": "test.bob",
        "since": "1970-01-01T00:00:00.000Z",
    }


async def test_routes_say_who_said_so_and_can_be_sent_back(call: Any, node: Any) -> None:
    items = [{"prefix": "test.far", "account": "alice"}]
    answer = await call("PUT", "/api/routes", {"items": items})
    own = {"prefix": "test.hub", "account": None, "origin": "own", **PLAIN}
    static = {"prefix": "test.far", "account": "alice", "origin": "static", **PLAIN}
    assert answer.json == {"items": [own, static], "next_cursor": None}
    assert (await call("GET", "/api/routes", token="alice-token")).json == answer.json
    again = await call("PUT", "/api/routes", {"items": [static], "next_cursor": None})
    assert again.json == answer.json


async def test_several_accounts_share_a_prefix_and_one_stands_in(call: Any, node: Any) -> None:
    items = [
        {"prefix": "test.far", "account": "alice", "weight": 3},
        {"prefix": "test.far", "account": "bob", "priority": 1},
    ]
    answer = await call("PUT", "/api/routes", {"items": items})
    assert node.static == {"test.far": "alice:3/bob"}
    shares = [(item["account"], item["weight"], item["priority"]) for item in answer.json["items"][1:]]
    assert shares == [("alice", 3, 0), ("bob", 1, 1)]
    assert (await call("PUT", "/api/routes", answer.json | {"items": answer.json["items"][1:]})).json == answer.json
    assert (await call("GET", "/routes", token=None)).json == {"test.far": "alice"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": [5]}, "items"),
        ({"items": [{"prefix": "test.x"}]}, "items[0].account"),
        ({"items": [{"prefix": "x", "account": "alice"}]}, "items[0].prefix"),
        ({"items": [{"prefix": "test.x", "account": "alice"}] * 2}, "items[1].prefix"),
        ({"items": [{"prefix": "test.x", "account": "alice", "origin": "own"}]}, "items[0].origin"),
        ({"items": [{"prefix": "test.x", "account": "alice", "weight": 0}]}, "items[0].weight"),
        ({"items": [{"prefix": "test.x", "account": "alice", "priority": 99}]}, "items[0].priority"),
        ({"items": [{"prefix": "test.x", "account": f"a{n}"} for n in range(17)]}, "items[16].prefix"),
        ({"items": [{"prefix": "test.x", "acount": "alice"}]}, "items[0].account"),
        ({"items": [], "more": 1}, "more"),
    ],
)
async def test_routes_refuse(call: Any, body: dict[str, Any], field: str) -> None:
    answer = await call("PUT", "/api/routes", body)
    assert (answer.status, answer.json["field"]) == (400, field)
