"""How often a source may ask, and what its address is."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from interledger.api import auth, rate_limit
from interledger.api.app import create_app
from interledger.api.problems import Problem
from interledger.api.rate_limit import RateLimit, source_of


class Time:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def admitted(limit: RateLimit, source: str, count: int) -> int:
    done = 0
    for _ in range(count):
        try:
            limit.admit(source)
        except Problem:
            continue
        done += 1
    return done


def test_F5_a_minutes_worth_at_once_then_one_by_one() -> None:
    time = Time()
    limit = RateLimit(60, time)
    assert admitted(limit, "a", 100) == 60
    assert admitted(limit, "b", 1) == 1
    with pytest.raises(Problem) as refused:
        limit.admit("a")
    assert (refused.value.kind, refused.value.headers["Retry-After"]) == ("too-many-requests", "1")
    time.now += 5
    assert admitted(limit, "a", 100) == 5
    time.now += 3_600
    assert admitted(limit, "a", 100) == 60


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "SOURCES_MAX", 3)
    limit = RateLimit(1, Time())
    for source in "abcd":
        limit.admit(source)
    assert len(limit._due) == 3
    limit.admit("a")


PROXIES = frozenset({"127.0.0.1", "10.0.0.7"})


@pytest.mark.parametrize(
    ("client", "forwarded", "source"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1, 10.0.0.7"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1", "10.0.0.7"], "198.51.100.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.0.0.7"], "10.0.0.7"),
        ("127.0.0.1", ["what"], "what"),
        ("2001:db8:1:2:3::4", [], "2001:db8:1:2::/64"),
    ],
)
def test_where_a_request_comes_from(client: str, forwarded: list[str], source: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    request = Request({"type": "http", "headers": headers, "client": (client, 5)})
    assert source_of(request, PROXIES) == source


async def test_F5_calls_of_one_token_are_counted_and_another_token_is_not_held_up(
    node: Any, make_caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "CALLS_PER_MINUTE", 3)
    caller = make_caller(create_app(node))
    statuses = [(await caller("GET", "/accounts", token="admin-token")).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = await caller("GET", "/accounts", token="admin-token")
    assert (answer.problem, int(answer.headers["retry-after"])) == ("too-many-requests", 20)
    assert (await caller("GET", "/accounts/alice", token="alice-token")).status == 200
    # Who has no token is neither counted nor let through, and what is for anybody goes on.
    assert [(await caller("GET", "/accounts", token="nonsense")).status for _ in range(5)] == [401] * 5
    assert (await caller("GET", "/")).status == 200
