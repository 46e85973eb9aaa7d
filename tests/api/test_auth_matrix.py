"""L1: every operation of the API by who calls: nobody, wrong and expired tokens, the account, another, the operator."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from interledger.api.app import all_operations
from interledger.api.auth import Access
from interledger.api.operations import Operation

ADMIN, OWN, OTHER, WRONG = "admin-token", "alice-token", "bob-token", "nobody's-token"


def _signed(claims: dict[str, object]) -> str:
    """What looks like a signed token: no such token opens the API, whoever signed it."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims, "signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


EXPIRED, SIGNED = _signed({"sub": "alice", "exp": 1}), _signed({"sub": "alice", "exp": 2**40})
LET_IN = None
"""Whatever the operation answers then, it is neither 401 nor 403."""

MATRIX: dict[Access, dict[str, int | None]] = {
    Access.PUBLIC: dict.fromkeys(("", WRONG, EXPIRED, SIGNED, OWN, OTHER, ADMIN), LET_IN),
    Access.ANY: {"": 401, WRONG: 401, EXPIRED: 401, SIGNED: 401, OWN: LET_IN, OTHER: LET_IN, ADMIN: LET_IN},
    Access.ACCOUNT: {"": 401, WRONG: 401, EXPIRED: 401, SIGNED: 401, OWN: LET_IN, OTHER: 403, ADMIN: LET_IN},
    Access.HOLDER: {"": 401, WRONG: 401, EXPIRED: 401, SIGNED: 401, OWN: LET_IN, OTHER: 403, ADMIN: 401},
    Access.ADMIN: {"": 401, WRONG: 401, EXPIRED: 401, SIGNED: 401, OWN: 403, OTHER: 403, ADMIN: LET_IN},
}

OPERATIONS = all_operations()


def test_every_kind_of_access_is_in_the_matrix() -> None:
    assert set(MATRIX) == set(Access)
    assert {operation.access for operation in OPERATIONS} <= set(MATRIX)


def test_what_others_than_the_operator_may_is_on_this_list() -> None:
    """A new operation, or one that is opened, has to be looked at before it stands here."""
    open_to = {
        f"{o.method} {o.path}": o.access.name for o in OPERATIONS if o.access not in (Access.ADMIN, Access.PUBLIC)
    }
    assert open_to == {
        "GET /api/whoami": "ANY",
        "GET /api/accounts/{account}": "ACCOUNT",
        "GET /api/accounts/{account}/tokens": "ACCOUNT",
        "GET /accounts/{account}": "ACCOUNT",
        "PUT /accounts/{account}/settings": "ACCOUNT",
        "GET /accounts/{account}/balance": "ACCOUNT",
        "GET /accounts/{account}/payments/incoming": "ACCOUNT",
        "POST /accounts/{account}/payments": "HOLDER",
        "POST /api/quotes": "ANY",
        "POST /api/payments": "ANY",
        "GET /api/payments": "ANY",
        "GET /api/payments/{payment}": "ANY",
        "POST /api/payments/{payment}/cancel": "ANY",
        "POST /api/peers/echo": "ANY",
        "GET /api/routes": "ANY",
        "GET /api/rates": "ANY",
    }
    assert {o.path for o in OPERATIONS if o.access is Access.PUBLIC} == {
        "/", "/livez", "/readyz", "/api/openapi.json", "/routes", "/rates", "/accounts/{account}/spsp",
        "/.well-known/pay", "/{account}", "/api/peers/redeem", "/auto-peering",
    }  # fmt: skip


def test_what_changes_something_and_is_open_to_all_proves_itself_in_its_body() -> None:
    """A new one has to be looked at before it stands in this list."""
    public = {o.path for o in OPERATIONS if o.access is Access.PUBLIC and o.method not in ("GET", "HEAD", "OPTIONS")}
    assert public == {"/api/peers/redeem", "/auto-peering"}


CALLERS = ["no token", "wrong", "expired", "signed", "own", "another's", "operator"]


@pytest.mark.parametrize("token", MATRIX[Access.PUBLIC], ids=CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
async def test_L1_who_may_call(call: Any, operation: Operation, token: str) -> None:
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: "alice" if m[1] == "account" else "x", operation.path)
    body = {} if operation.body is not None else None
    answer = await call(operation.method, path, body, token=token or None)
    expected = MATRIX[operation.access][token]
    if expected is LET_IN:
        # A caller who was let in may still be told that his own credentials do not fit what he asked for.
        assert answer.status not in (401, 403) or operation.access in (Access.PUBLIC, Access.ANY)
    else:
        assert answer.status == expected


async def test_D1_a_refusal_does_not_say_what_was_wrong_with_a_token(call: Any) -> None:
    """The same for a token that nobody has, one that nearly is somebody's, one that expired, of an account or none."""
    tokens = (WRONG, EXPIRED, SIGNED, ADMIN[:-1], ADMIN + "x", ADMIN.upper(), OWN[:-1], "\xe9", "x" * 5_000)
    said = set()
    for path in ("/api/accounts/alice", "/api/accounts/nobody", "/api/status"):
        for token in tokens:
            answer = await call("GET", path, token=token)
            said.add((answer.status, answer.body, answer.headers["www-authenticate"]))
    assert len(said) == 1
