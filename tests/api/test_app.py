"""What every request gets: admission, problems, limits; and that no fault of ours shows its inside."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

ADMIN, ALICE, BOB = "admin-token", "alice-token", "bob-token"


@pytest.mark.parametrize(
    ("method", "path", "token", "status", "problem"),
    [
        ("GET", "/nothing/here", None, 404, "not-found"),
        ("GET", "/api", None, 404, "not-found"),
        ("GET", "/accounts/", ADMIN, 404, "not-found"),
        ("DELETE", "/accounts", ADMIN, 405, "method-not-allowed"),
        ("POST", "/api/status", ADMIN, 405, "method-not-allowed"),
        ("GET", "/accounts", None, 401, "unauthorized"),
        ("GET", "/accounts", "wrong", 401, "unauthorized"),
        ("GET", "/accounts", "admin-tokem", 401, "unauthorized"),
        ("GET", "/accounts", "x" * 5000, 401, "unauthorized"),
        ("GET", "/accounts", "two words", 401, "unauthorized"),
        ("GET", "/accounts", ALICE, 403, "forbidden"),
        ("GET", "/accounts/bob", ALICE, 403, "forbidden"),
        ("GET", "/accounts/nobody", ALICE, 403, "forbidden"),
        ("GET", "/accounts/a", ALICE, 403, "forbidden"),
        ("GET", "/accounts/nobody", ADMIN, 404, "not-found"),
        ("GET", "/accounts/a", ADMIN, 404, "not-found"),
        ("GET", "/api/accounts", ALICE, 403, "forbidden"),
        ("PATCH", "/api/accounts/alice", ALICE, 403, "forbidden"),
        ("GET", "/api/status", ALICE, 403, "forbidden"),
        ("PUT", "/rates", ALICE, 403, "forbidden"),
    ],
)
async def test_refusals_are_problems(
    call: Any, method: str, path: str, token: str | None, status: int, problem: str
) -> None:
    answer = await call(method, path, token=token)
    assert (answer.status, answer.problem) == (status, problem)
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_405_lists_every_method_of_the_path(call: Any) -> None:
    answer = await call("DELETE", "/accounts")
    assert sorted(answer.headers["allow"].split(", ")) == ["GET", "HEAD", "POST"]


async def test_an_empty_admin_token_admits_nobody(call: Any, node: Any) -> None:
    from interledger.api.app import create_app

    for nothing in ("", None):
        node.settings.admin_auth_token = nothing
        call.app = create_app(node)
        assert (await call("GET", "/accounts", token="")).status == 401


@pytest.mark.parametrize(
    "path", ["/accounts/alice", "/accounts/ALICE", "/api/accounts/alice", "/accounts/alice/balance"]
)
async def test_an_account_sees_itself(call: Any, path: str) -> None:
    assert (await call("GET", path, token=ALICE)).status == 200


async def test_a_fault_of_ours_is_logged_under_an_id_and_shows_nothing(
    call: Any, node: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the secret inside")

    node.status = fail
    with caplog.at_level(logging.ERROR, "interledger.api"):
        answer = await call("GET", "/api/status")
    assert (answer.status, answer.problem) == (500, "internal-error")
    assert b"secret inside" not in answer.body
    assert answer.json["error_id"] in caplog.text
    assert "the secret inside" in caplog.text


@pytest.mark.parametrize(
    ("content_type", "body", "status", "problem"),
    [
        ("text/plain", b"{}", 415, "unsupported-media-type"),
        ("application/x-www-form-urlencoded", b"a=1", 415, "unsupported-media-type"),
        ("application/json", b"x" * 70_000, 413, "body-too-large"),
        ("application/json", b"", 400, "malformed-body"),
        ("application/json", b"[]", 400, "malformed-body"),
        ("application/json", b'{"USD": NaN}', 400, "malformed-body"),
        ("application/json", b'{"USD": 1, "USD": 2}', 400, "malformed-body"),
        ("application/json", b"\xff", 400, "malformed-body"),
        ("application/json; charset=utf-8", b'{"USD": 1}', 200, ""),
    ],
)
async def test_bodies(call: Any, content_type: str, body: bytes, status: int, problem: str) -> None:
    answer = await call("PUT", "/rates", body, content_type=content_type)
    assert answer.status == status
    assert not problem or answer.problem == problem


async def test_who_hangs_up_while_sending_is_not_a_fault(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "PUT", "path": "/rates", "query_string": b"", "root_path": "", "http_version": "1.1",
        "headers": [
            (b"host", b"localhost"), (b"authorization", b"Bearer admin-token"), (b"content-type", b"application/json"),
        ],
    }  # fmt: skip
    await asyncio.wait_for(call.app(scope, receive, send), 1)
    assert sent[0]["status"] == 499
    assert caplog.text == ""


async def test_head_is_get(call: Any) -> None:
    assert (await call("HEAD", "/livez")).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "../bob",
        "%2e%2e%2fbob",
        "alice%00",
        "alice%0a",
        "accounts:a",
        "alice/../bob",
        "alice;x",
        "a" * 5_000,
        "%ff",
        "..",
        "'--",
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/accounts/{}", "/accounts/{}", "/accounts/{}/balance", "/api/accounts/{}/tokens"]
)
async def test_L6_no_odd_name_is_an_account(call: Any, path: str, name: str) -> None:
    answer = await call("GET", path.format(name))
    assert answer.status in (400, 404)
    assert answer.problem in ("not-found", "invalid-request")
