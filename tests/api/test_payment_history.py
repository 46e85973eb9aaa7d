"""`GET /api/payments`: which payments, in which order, page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interledger.api import payment_history
from interledger.clock import Timestamp
from tests.api.conftest import ALICE, NOON, FakePayment

DAY_MS = 86_400_000


@pytest.fixture
def history(node: Any) -> list[str]:
    """Seven payments, newest first: of alice and bob in turn, one a day, in each state."""
    states = ("delivered", "failed", "partial", "delivered", "unknown", "cancelled", "delivered")
    for number, state in enumerate(states):
        payment = FakePayment("alice" if number % 2 == 0 else "bob", "$x.test", 1, None, id=f"pay_{number}")
        node.started.append(replace(payment, state=state, started_at=Timestamp(NOON - number * DAY_MS), ended_at=NOON))
    return [payment.id for payment in node.started]


async def shown(call: Any, query: str = "", **more: Any) -> list[str]:
    answer = await call("GET", f"/api/payments{query}", **more)
    assert answer.status == 200, answer.body
    return [payment["id"].removeprefix("pay_") for payment in answer.json["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "0123456"),
        ("?account=bob", "135"),
        ("?state=delivered", "036"),
        ("?state=delivered&account=bob", "3"),
        ("?from=2026-11-20T12:00:00Z", "01"),
        ("?to=2026-11-20T12:00:00Z", "23456"),
        ("?from=2026-11-18&to=2026-11-20", "23"),
        ("?account=nobody", ""),
        ("?limit=2", "01"),
        ("?limit=2&cursor=pay_1", "23"),
        ("?limit=2&cursor=pay_1&state=delivered", "36"),
        ("?cursor=pay_6", ""),
    ],
)
async def test_which_are_shown(call: Any, history: list[str], query: str, expected: str) -> None:
    assert "".join(await shown(call, query)) == expected


async def test_pages_follow_one_another(call: Any, history: list[str]) -> None:
    """Whatever the limit, all pages together are the whole list, once; the last has no cursor."""
    for limit in range(1, 9):
        assert await every(call, limit) == history


async def test_a_cursor_stays_good_when_its_payment_changes(call: Any, node: Any, history: list[str]) -> None:
    """Between two pages a payment may end, and so fit no more."""
    assert await shown(call, "?state=delivered&limit=1") == ["0"]
    node.started[0].state = "failed"
    assert await shown(call, "?state=delivered&cursor=pay_0") == ["3", "6"]


async def test_an_account_sees_its_own(call: Any, history: list[str]) -> None:
    assert await shown(call, token=ALICE) == ["0", "2", "4", "6"]
    assert await shown(call, "?account=bob", token=ALICE) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?state=lost", "state"), ("?from=yesterday", "from"), ("?to=2026-13-01", "to"), ("?limit=0", "limit"),
        ("?limit=1001", "limit"), ("?cursor=pay_99", "cursor"),
    ],
)  # fmt: skip
async def test_what_is_no_query(call: Any, history: list[str], query: str, field: str) -> None:
    answer = await call("GET", f"/api/payments{query}")
    assert (answer.status, answer.problem, answer.json["field"]) == (400, "invalid-request", field)


# ---------------------------------------------------------------------- what only the store has


@pytest.fixture
def stored(node: Any, history: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nine more of alice and bob, older, in the store alone; it is read two by two."""
    monkeypatch.setattr(payment_history, "READ_AT_ONCE", 2)
    for number in range(7, 16):
        payment = FakePayment("alice" if number % 2 == 0 else "bob", "$x.test", 1, None, id=f"pay_{number}")
        moment = Timestamp(NOON - number * DAY_MS)
        node.stored.append(replace(payment, state="delivered", started_at=moment, ended_at=moment))
    return [*history, *(payment.id for payment in node.stored)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 9, 16, 100])
async def test_pages_go_on_in_the_store(call: Any, stored: list[str], limit: int) -> None:
    assert await every(call, limit) == stored
    assert await every(call, limit, "&account=bob") == [f"pay_{n}" for n in range(1, 16, 2)]


async def test_of_many_payments_few_are_read_for_one_page(
    call: Any, stored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be short, and have a cursor; all pages have all."""
    monkeypatch.setattr(payment_history, "READS_MAX", 1)
    assert await every(call, 5, "&account=bob") == [f"pay_{n}" for n in range(1, 16, 2)]
    assert await every(call, 5, "&state=failed") == ["pay_1"]


async def test_one_that_only_the_store_has_is_shown(call: Any, stored: list[str]) -> None:
    assert (await call("GET", "/api/payments/pay_12")).json["id"] == "pay_12"
    assert (await call("GET", "/api/payments/pay_12", token=ALICE)).status == 200
    assert (await call("GET", "/api/payments/pay_13", token=ALICE)).status == 404
    assert (await call("GET", "/api/payments/pay_99")).status == 404


async def every(call: Any, limit: int, more: str = "") -> list[str]:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = f"?limit={limit}{more}" + ("" if cursor is None else f"&cursor={cursor}")
        page = (await call("GET", f"/api/payments{query}")).json
        seen += [payment["id"] for payment in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return seen
