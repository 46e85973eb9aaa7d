"""Codes that open the dashboard once, and the sessions they become."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.api.auth import NOBODY, Caller
from interledger.api.logins import CODE_MS, KEPT_MAX, SESSION_MS, Logins
from interledger.clock import Timestamp

OPERATOR = Caller(True, None)


class SetClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = Timestamp(1_000)

    def now(self) -> Timestamp:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def logins(clock: SetClock) -> Logins:
    return Logins(clock)  # type: ignore[arg-type]  # the part of a clock that is used


def test_a_code_becomes_a_session_once(logins: Logins) -> None:
    code = logins.issue(OPERATOR).code
    session = logins.redeem(code)
    assert session is not None
    assert logins.caller(session) == OPERATOR
    assert logins.redeem(code) is None
    logins.end(session)
    assert logins.caller(session) is None


def test_both_end_with_time(logins: Logins, clock: SetClock) -> None:
    early, late = logins.issue(OPERATOR), logins.issue(OPERATOR)
    clock.time = Timestamp(early.expires_at - 1)
    session = logins.redeem(early.code)
    assert session is not None
    clock.time = Timestamp(1_000 + CODE_MS)
    assert logins.redeem(late.code) is None
    clock.time = Timestamp(early.expires_at - 1 + SESSION_MS)
    assert logins.caller(session) is None


def test_as_many_are_kept_as_a_node_needs(logins: Logins) -> None:
    first = logins.begin(OPERATOR)
    others = [logins.begin(NOBODY) for _ in range(KEPT_MAX)]
    assert logins.caller(first) is None
    assert logins.caller(others[0]) == NOBODY


@pytest.mark.parametrize("text", ["", "x", "é", "\udc80", "0" * 5_000])
def test_what_is_no_code_is_none(logins: Logins, text: str) -> None:
    assert logins.redeem(text) is None
    assert logins.caller(text) is None


async def test_only_the_operator_gets_one(call: Any) -> None:
    answer = await call("POST", "/api/logins")
    assert answer.status == 201
    assert answer.json["path"] == f"/ui/?code={answer.json['code']}"
    assert (await call("POST", "/api/logins", token="alice-token")).status == 403
    assert (await call("POST", "/api/logins", token=None)).status == 401
