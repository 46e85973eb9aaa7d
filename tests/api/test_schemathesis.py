"""What a fuzzer of OpenAPI documents finds: no fault of the node's, and no answer that is not described.

`schemathesis` makes requests from the document, good ones and wrong ones, the same at every run. They go to a real
node over a socket: with the operator's token, and some with none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from interledger.accounts.account import Account, LinkSettings
from interledger.api.app import all_operations
from interledger.api.openapi import build_document
from interledger.node.node import Node
from tests.node import loopback

schemathesis = pytest.importorskip("schemathesis", reason="of the extra dev")
openapi_checks = pytest.importorskip("schemathesis.specs.openapi.checks")

EXAMPLES = 12
"""For each operation."""

CHECKS = [
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]
"""Not that everything is refused that is against a schema: as in interledger-rs, unknown fields are ignored."""

NUMBERS = itertools.count()
HOLDER = {"Authorization": "Bearer alice-in"}
ADMIN = {"Authorization": "Bearer admin-token"}

# What the port itself knows no method for is 501, as RFC 9110 has it: TRACE.
config = schemathesis.Config.from_dict({"phases": {"coverage": {"unexpected-methods": ["PUT", "PATCH", "DELETE"]}}})
schema = schemathesis.openapi.from_dict(build_document(all_operations()), config=config)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node with two accounts."""

    def held(name: str) -> Account:
        link = LinkSettings(http_incoming_token_digest=loopback.digest(f"{name}-in"))
        return loopback.account(name, "USD/9", f"test.hub.{name}", link=link, owes_us_max=10**9)

    with loopback.in_thread(loopback.settings("test.hub", development=True), held("alice"), held("bob")) as node:
        yield node


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: Any, node: Node) -> None:
    # Half of the accounts are there; alice keeps her token.
    if case.operation.label.endswith("/check"):
        case.path_parameters["account"] = "nobody"  # a link that answers nothing is waited for
    elif "account" in case.path_parameters and (next(NUMBERS) % 2 or case.path_parameters["account"] == "alice"):
        case.path_parameters["account"] = "alice" if case.method in ("GET", "POST") else "bob"
    # The operator does not spend an account's money, and 401 again and again is answered late.
    is_holders = case.operation.label == "POST /accounts/{account}/payments"
    if is_holders:
        case.path_parameters["account"] = "alice"
    headers = HOLDER if is_holders else ADMIN
    answer = case.call(base_url=f"http://127.0.0.1:{node.port}", headers=headers)
    assert answer.status_code != 500  # 502 to 504, about others, are in the document where they may come
    case.validate_response(answer, checks=CHECKS)
