"""`/api/routes/explain`: the verdict as a document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest


async def test_where_a_packet_would_go(call: Any) -> None:
    answer = await call("GET", "/api/routes/explain?destination=test.far&account=alice&amount=500")
    assert answer.json == {
        "destination": "test.far",
        "account": "alice",
        "amount": {"amount": "500", "asset_code": "USD", "asset_scale": 9},
        "outcome": "forwarded",
        "next": {
            "account": "bob",
            "amount": {"amount": "250", "asset_code": "EUR", "asset_scale": 9},
            "less_ms": 1_000,
            "room": {"amount": "7", "asset_code": "EUR", "asset_scale": 9},
        },
        "refusal": None,
        "room": None,
        "candidates": [
            {
                "prefix": "test.far",
                "account": "bob",
                "origin": "static",
                "weight": 3,
                "priority": 0,
                "path": None,
                "speaker": None,
                "since": None,
                "up": True,
                "chosen": True,
                "why_not": None,
            }
        ],
        "nearest": [],
    }


async def test_the_reject_it_would_meet(call: Any) -> None:
    answer = await call("GET", "/api/routes/explain?destination=test.nowhere")
    assert answer.json["outcome"] == "refused"
    assert answer.json["refusal"] == {
        "step": "route",
        "code": "F02",
        "name": "Unreachable",
        "message": "no route to the destination",
        "triggered_by": "test.hub",
        "amount_max": None,
    }
    assert (answer.json["next"], answer.json["amount"], answer.json["nearest"]) == (None, None, ["test.far"])


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 400, "destination"),
        ("destination=nonsense", 400, "destination"),
        ("destination=test.far&amount=5", 400, "account"),
        ("destination=test.far&account=alice&amount=-5", 400, "amount"),
        ("destination=test.far&account=alice&amount=1.5", 400, "amount"),
        ("destination=test.far&account=nobody", 404, None),
        ("destination=test.far&acount=alice", 400, "acount"),
        (f"destination={quote('test.ä')}", 400, "destination"),
    ],
)
async def test_what_cannot_be_asked(call: Any, query: str, status: int, field: str | None) -> None:
    answer = await call("GET", f"/api/routes/explain?{query}")
    assert (answer.status, answer.json.get("field")) == (status, field)


async def test_only_the_operator_may_ask(call: Any) -> None:
    assert (await call("GET", "/api/routes/explain?destination=test.far", token="bob-token")).status == 403
