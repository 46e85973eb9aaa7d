"""The committed OpenAPI document is the one that the operations make. After a change:

.venv/bin/python -m interledger.api.openapi_text > docs/reference/openapi.json
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator

from interledger.accounts.credentials import Scope
from interledger.api import openapi_text
from interledger.api.app import all_operations
from interledger.api.openapi import build_document, document_text
from interledger.api.problems import PROBLEM_TYPES

DOCUMENT = build_document(all_operations())

OF_ANOTHER_NODE = {"POST /api/peers/redeem", "POST /api/peers/accept", "POST /auto-peering"}
"""What they need, only another node can make."""

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def test_the_committed_document_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == document_text(all_operations()), __doc__


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    openapi_text.main()
    assert capsys.readouterr().out == COMMITTED.read_text(encoding="utf-8")


async def test_the_api_shows_it(call: Any) -> None:
    answer = await call("GET", "/api/openapi.json", token=None)
    assert answer.json == json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_every_reference_leads_somewhere() -> None:
    document = build_document(all_operations())
    text = json.dumps(document)
    names = set(re.findall(r"#/components/schemas/([A-Za-z]+)", text))
    assert names <= set(document["components"]["schemas"])
    assert set(document["components"]["schemas"]) - names == set(), "a schema nobody uses"


def test_operations_are_named_once_and_their_statuses_are_known() -> None:
    operations = all_operations()
    ids = [o["operationId"] for path in build_document(operations)["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids)) == len(operations)
    known = {problem.status for problem in PROBLEM_TYPES.values()}
    assert {status for operation in operations for status in operation.problems} <= known


def test_an_independent_validator_accepts_it() -> None:
    openapi_spec_validator.validate(build_document(all_operations()))


def described() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", one)
        for path, methods in DOCUMENT["paths"].items()
        for method, one in methods.items()
    ]


@pytest.mark.parametrize(("name", "one"), described(), ids=[name for name, _ in described()])
def test_every_operation_says_what_it_is_who_may_and_what_may_go_wrong(name: str, one: dict[str, Any]) -> None:
    assert one["summary"]
    assert one["tags"]
    (status, _), *wrong = sorted(one["responses"].items())
    assert status < "300"
    assert {"421", "500"} <= set(one["responses"])
    if one["security"]:
        assert {"401", "403"} <= set(one["responses"])
        (scopes,) = one["security"][0].values()
        assert scopes[0] in {scope.value for scope in Scope}
        assert f"the scope `{scopes[0]}`" in one["description"]
    if "requestBody" in one:
        assert {"400", "413"} <= set(one["responses"])
    for _, answer in wrong:
        assert "application/problem+json" in answer["content"]


@pytest.mark.parametrize(("name", "one"), described(), ids=[name for name, _ in described()])
def test_every_example_fits_its_schema(name: str, one: dict[str, Any]) -> None:
    """Of bodies and answers, good and bad: there is one, and it is what the schema says."""
    contents = [part.get("content", {}) for part in (one.get("requestBody", {}), *one["responses"].values())]
    for content in contents:
        for kind, media in content.items():
            if kind == "application/spsp4+json" and "example" not in media:
                continue  # RFC 9's own errors
            schema = {**media["schema"], "components": DOCUMENT["components"]}
            Draft202012Validator(schema).validate(media["example"])


async def test_every_example_of_a_body_can_be_read(call: Any) -> None:
    """No example is refused for its form: what is not there may be missing, and that is all."""
    for name, one in described():
        if "requestBody" not in one or name in OF_ANOTHER_NODE:
            continue
        method, path = name.split(" ")
        for parameter in one.get("parameters", ()):
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", parameter["example"])
        kind, media = next(iter(one["requestBody"]["content"].items()))
        example = media["example"]
        body = example.encode() if isinstance(example, str) else example
        answer = await call(method, path, body, **({"content_type": kind} if isinstance(example, str) else {}))
        is_own_token = answer.status == 401 and path == "/accounts/alice/payments"
        assert is_own_token or answer.status not in (400, 401, 403, 405, 413, 415), (name, answer.body)


async def test_documents_have_the_fields_their_schemas_say(call: Any) -> None:
    schemas = build_document(all_operations())["components"]["schemas"]
    shown = {
        "Account": (await call("GET", "/api/accounts/alice")).json,
        "CompatibleAccount": (await call("GET", "/accounts/alice")).json,
        "CompatibleBalance": (await call("GET", "/accounts/alice/balance")).json,
        "Status": (await call("GET", "/api/status")).json,
        "Root": (await call("GET", "/", token=None)).json,
        "Payment": (await call("POST", "/api/payments", {"account": "alice", "receiver": "$x.test", "send": "1"})).json,
        "Quote": (await call("POST", "/api/quotes", {"account": "alice", "receiver": "$x.test", "send": "1"})).json,
        "Problem": (await call("GET", "/none/such")).json,
        "Route": (await call("GET", "/api/routes")).json["items"][0],
        "Spsp": (await call("GET", "/accounts/alice/spsp")).json,
    }
    for name, document in shown.items():
        schema = schemas[name]
        assert set(schema["required"]) <= set(document) <= set(schema["properties"]), name
