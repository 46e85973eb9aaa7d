"""`/`, `/livez`, `/readyz`, `/api/status` and pings."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.node.views import NotReady


async def test_root_is_that_of_interledger_rs(call: Any, node: Any) -> None:
    answer = await call("GET", "/", token=None)
    assert answer.json == {"status": "Ready", "ilp_address": "test.hub", "version": "0.1.0"}
    node.ready = False
    assert (await call("GET", "/", token=None)).json == {"status": "Starting"}


async def test_readiness_says_why_not(call: Any, node: Any) -> None:
    assert (await call("GET", "/readyz", token=None)).status == 200
    node.why_not_ready = NotReady("books", "no disk")
    answer = await call("GET", "/readyz", token=None)
    assert (answer.status, answer.json["reason"], answer.json["detail"]) == (503, "books", "no disk")
    assert answer.json["type"].endswith("/problems/not-ready")
    for path in ("/livez", "/healthz"):
        assert (await call("GET", path, token=None)).json == {"status": "ok"}


async def test_status(call: Any) -> None:
    assert (await call("GET", "/api/status")).json == {
        "ilp_address": "test.hub",
        "version": "0.1.0",
        "ready": True,
        "read_only": False,
        "taking_packets": True,
        "started_at": "2026-11-21T12:00:00.000Z",
        "accounts": 2,
        "links_up": 1,
        "in_flight": 2,
        "packets": {"prepares": 5},
        "unknown": 0,
        "at_risk": [],
        "alarms": ["a word to the operator"],
    }


ANSWERED = {"round_trip_us": 3100, "code": None, "triggered_by": None, "hops": []}


@pytest.mark.parametrize(
    ("body", "status", "document"),
    [
        ({"destination": "test.far"}, 200, ANSWERED | {"destination": "test.far"}),
        (
            {"destination": "test.nowhere", "timeout_ms": "50"},
            200,
            ANSWERED | {"destination": "test.nowhere", "code": "F02", "triggered_by": "test.hub"},
        ),
        ({"destination": "test.silent"}, 504, None),
        (
            {"destination": "test.far", "kind": "java", "hops": True},
            200,
            ANSWERED
            | {"destination": "test.far", "hops": [{"address": "test.isp", "round_trip_us": 1500, "code": "R02"}]},
        ),
        ({"destination": "test.far", "kind": "loud"}, 400, None),
        ({"destination": "test.far", "hops": 1}, 400, None),
        ({"destination": "far"}, 400, None),
        ({}, 400, None),
        ({"destination": "test.far", "timeout_ms": 30_001}, 400, None),
        ({"destination": "test.far", "timeout": 1}, 400, None),
    ],
)
async def test_ping(call: Any, body: dict[str, Any], status: int, document: Any) -> None:
    answer = await call("POST", "/api/ping", body)
    assert answer.status == status
    assert document is None or answer.json == document
