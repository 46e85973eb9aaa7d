"""`/api/incoming`: payments that came in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from interledger.clock import Timestamp
from tests.api.conftest import ALICE, BOB, NOON, USD

DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def received(node: Any) -> None:
    """Five, newest first, a day apart; of alice and bob in turn. The first is still coming in."""
    for number in range(5):
        at = Timestamp(NOON - number * DAY_MS)
        node.received.append(
            SimpleNamespace(
                id=f"inc_{number}",
                account="alice" if number % 2 == 0 else "bob",
                source="hub",
                asset=USD,
                received=number,
                packets=number + 1,
                started_at=at,
                last_at=at,
                is_over=lambda now, n=number: n > 0,
            )
        )


@pytest.mark.parametrize(
    ("query", "token", "expected"),
    [
        ("", None, "01234"),
        ("?account=bob", None, "13"),
        ("?from=2026-11-20T12:00:00Z", None, "01"),
        ("?to=2026-11-20T12:00:00Z", None, "234"),
        ("?limit=2", None, "01"),
        ("?limit=2&cursor=inc_1", None, "23"),
        ("?limit=2&cursor=inc_4", None, ""),
        ("", ALICE, "024"),
        ("?limit=1&cursor=inc_0", ALICE, "2"),
        ("?account=alice", BOB, ""),
    ],
)
async def test_which_are_shown(call: Any, query: str, token: str | None, expected: str) -> None:
    more = {} if token is None else {"token": token}
    answer = await call("GET", f"/api/incoming{query}", **more)
    assert "".join(one["id"].removeprefix("inc_") for one in answer.json["items"]) == expected
    has_more = "limit" in query and "cursor=inc_4" not in query
    assert (answer.json["next_cursor"] is not None) is has_more


async def test_one_and_whether_it_is_complete(call: Any) -> None:
    states = [(await call("GET", f"/api/incoming/inc_{n}")).json["state"] for n in (0, 1)]
    assert states == ["receiving", "received"]
    one = (await call("GET", "/api/incoming/inc_3")).json
    assert (one["received"], one["packets"]) == ({"amount": "3", "asset_code": "USD", "asset_scale": 9}, 4)


async def test_anothers_is_not_even_told_of(call: Any) -> None:
    assert (await call("GET", "/api/incoming/inc_1", token=ALICE)).problem == "not-found"
    assert (await call("GET", "/api/incoming/nothing")).problem == "not-found"
    assert (await call("GET", "/api/incoming?cursor=inc_9")).problem == "invalid-request"
