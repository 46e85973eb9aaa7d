"""L1: every operation of the API, by who calls: nobody, a wrong token, the account itself, another, the operator."""

from __future__ import annotations

import re
from typing import Any

import pytest

from interledger.api.app import all_operations
from interledger.api.auth import Access
from interledger.api.operations import Operation

ADMIN, OWN, OTHER, WRONG = "admin-token", "alice-token", "bob-token", "nobody's-token"
LET_IN = None
"""Whatever the operation answers then, it is neither 401 nor 403."""

MATRIX: dict[Access, dict[str, int | None]] = {
    Access.PUBLIC: {"": LET_IN, WRONG: LET_IN, OWN: LET_IN, OTHER: LET_IN, ADMIN: LET_IN},
    Access.ANY: {"": 401, WRONG: 401, OWN: LET_IN, OTHER: LET_IN, ADMIN: LET_IN},
    Access.ACCOUNT: {"": 401, WRONG: 401, OWN: LET_IN, OTHER: 403, ADMIN: LET_IN},
    Access.HOLDER: {"": 401, WRONG: 401, OWN: LET_IN, OTHER: 403, ADMIN: 401},
    Access.ADMIN: {"": 401, WRONG: 401, OWN: 403, OTHER: 403, ADMIN: LET_IN},
}

OPERATIONS = all_operations()


def test_every_kind_of_access_is_in_the_matrix() -> None:
    assert set(MATRIX) == set(Access)
    assert {operation.access for operation in OPERATIONS} <= set(MATRIX)


def test_what_changes_something_and_is_open_to_all_proves_itself_in_its_body() -> None:
    """A new one has to be looked at before it stands in this list."""
    public = {o.path for o in OPERATIONS if o.access is Access.PUBLIC and o.method not in ("GET", "HEAD", "OPTIONS")}
    assert public == {"/api/peers/redeem", "/auto-peering"}


@pytest.mark.parametrize("token", MATRIX[Access.PUBLIC], ids=["no token", "wrong", "own", "another's", "operator"])
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
