"""L1: every operation of the API by who calls: nobody, wrong and expired tokens, the account, another, the operator."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from interledger.accounts.account import token_digest
from interledger.accounts.credentials import IncomingToken, Scope, TokenUse, scopes_with
from interledger.api.app import all_operations
from interledger.api.auth import Access
from interledger.api.operations import Operation
from interledger.clock import Timestamp

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
        "GET /api/accounts/{account}/history": "ACCOUNT",
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
        "GET /api/incoming": "ANY",
        "GET /api/incoming/{incoming}": "ANY",
    }
    assert {o.path for o in OPERATIONS if o.access is Access.PUBLIC} == {
        "/", "/healthz", "/livez", "/readyz", "/api/openapi.json", "/routes", "/rates", "/accounts/{account}/spsp",
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


SCOPED = {scope: f"a-token-with-the-scope-{scope}-0123456789" for scope in Scope}
EXPECTED = {
    Scope.READ: {Scope.READ},
    Scope.OPERATE: {Scope.READ, Scope.OPERATE},
    Scope.MONEY: {Scope.READ, Scope.MONEY},
}
"""What a token with the one scope may."""

GUARDED = [operation for operation in OPERATIONS if operation.access is not Access.PUBLIC]


def test_what_is_not_money_and_changes_something_is_on_this_list() -> None:
    """A new operation that changes something needs the scope money, unless somebody has looked at it."""
    less = {f"{o.method} {o.path}": o.needs.value for o in GUARDED if o.method != "GET" and o.needs is not Scope.MONEY}
    assert less == {
        "POST /api/ping": "operate",
        "POST /api/drain": "operate",
        "POST /api/resume": "operate",
        "POST /api/stop": "operate",
        "POST /api/webhooks": "operate",
        "DELETE /api/webhooks/{webhook}": "operate",
        "POST /api/webhooks/{webhook}/deliveries/{delivery}/replay": "operate",
        "POST /api/webhooks/{webhook}/test": "operate",
        "POST /api/logins": "read",
        "POST /api/quotes": "read",
        "POST /api/peers/{account}/check": "operate",
        "POST /api/peers/echo": "read",
        "PUT /routes/static": "operate",
        "PUT /routes/static/{prefix}": "operate",
        "PUT /api/routes": "operate",
        "PUT /rates": "operate",
        "PUT /api/rates": "operate",
        "PUT /tracing-level": "operate",
        "POST /api/ledger/reconcile/{account}": "operate",
        "POST /api/settlements/{settlement}/retry": "operate",
    }


@pytest.mark.parametrize("whose", ["the operator's", "alice's"])
@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("operation", GUARDED, ids=lambda o: f"{o.method} {o.path}")
async def test_L1_what_a_token_may(call: Any, node: Any, operation: Operation, scope: Scope, whose: str) -> None:
    digest = token_digest(SCOPED[scope])
    if whose == "alice's":
        if operation.access is Access.ADMIN:
            return
        token = IncomingToken(
            id="t", use=TokenUse.API, label="grafana", digest=digest, created_at=Timestamp(0), may=scopes_with([scope])
        )
        alice = node.kept["alice"]
        node.kept["alice"] = replace(alice, link=replace(alice.link, incoming_tokens=(token,)))
    elif operation.access is Access.HOLDER:
        return
    else:
        await node.admin_tokens.create("grafana", scopes_with([scope]), digest)
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: "alice" if m[1] == "account" else "x", operation.path)
    answer = await call(operation.method, path, {} if operation.body is not None else None, token=SCOPED[scope])
    if operation.needs in EXPECTED[scope]:
        assert answer.status not in (401, 403) or (answer.status == 403 and "scope" not in answer.json)
    else:
        words = {Scope.READ: "read", Scope.OPERATE: "operate", Scope.MONEY: "move money"}
        may = " and ".join(words[one] for one in scopes_with([scope]))
        assert (answer.status, answer.problem) == (403, "forbidden")
        assert answer.json["detail"] == f"The token “grafana” may {may}, not {words[operation.needs]}."
        assert (answer.json["token"], answer.json["scope"]) == ("grafana", operation.needs.value)
