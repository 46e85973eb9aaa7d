"""The committed OpenAPI document is the one that the operations make. After a change:

.venv/bin/python -m interledger.api.openapi_text > docs/reference/openapi.json
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from interledger.api import openapi_text
from interledger.api.app import all_operations
from interledger.api.openapi import build_document, document_text
from interledger.api.problems import PROBLEM_TYPES

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
