"""The OpenAPI document of the API, made from its operations and schemas. `docs/reference/openapi.json` is its text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.openapi_examples import body_example, example_of
from interledger.api.operations import JSON_HEADERS, Call, Operation, json_response
from interledger.api.payment_history import PAYMENT_STATES
from interledger.api.problems import PROBLEM_TYPES, problem_type_url
from interledger.api.rate_limit import CALLS_PER_MINUTE
from interledger.api.schemas import SCHEMAS

__all__ = ["build_document", "document_text", "operation"]

_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")

_HEADERS: Final = {
    "Idempotency-Key": "The same key and body again give the same payment, for a day",
    "Last-Event-ID": "As `since`: browsers send it when they come back",
    "Prefer": "`respond-async`: do not wait for the end",
    "Receipt-Nonce": "Of receipts, from who verifies them (RFC 39): base64 of 16 octets, with Receipt-Secret",
    "Receipt-Secret": "What receipts are signed with: base64 of 32 octets",
}
_QUERY: Final = {
    "limit": ("How many, 100 unless said", {"type": "integer", "minimum": 1, "maximum": 1000}),
    "account": ("The full name of a ledger account, or the name of a peer or holder", {"type": "string"}),
    "asset": ("`USD/9`, where the name is used in several assets", {"type": "string"}),
    "from": ("Nothing before this moment: RFC 3339, or a date", {"type": "string"}),
    "to": ("Nothing from this moment on", {"type": "string"}),
    "by": ("How packets are put together", {"type": "string", "enum": ["packet", "minute", "hour", "day"]}),
    "format": ("Of the export", {"type": "string", "enum": ["hledger", "beancount", "csv"]}),
    "destination": ("An ILP address", {"type": "string"}),
    "amount": ("Units of the account's asset", {"type": "string", "pattern": "^[0-9]+$"}),
    "only": ("Kinds of events or their topics: `unknown,settlement,limit.near`", {"type": "string"}),
    "since": ("The id of the last event that you have", {"type": "string", "pattern": "^[0-9]+$"}),
    "code": ("An ILP error code, as `T04`", {"type": "string"}),
    "payment": ("Of this node, by its id", {"type": "string"}),
    "outcome": (
        "What became of it",
        {"type": "string", "enum": ["fulfilled", "rejected", "unknown", "in_flight", "not_seen"]},
    ),
    "topics": (
        "One or more of `overview`, `health`, `counts`, `seconds`, `links`, `positions`, `payments`, `incoming`,"
        " `payment:ID`, `packets`, `routes`, `rates`, `settlements`, `unknown`, with commas between them;"
        " `positions:bob` is one account",
        {"type": "string"},
    ),
    "state": ("Of a payment", {"type": "string", "enum": list(PAYMENT_STATES)}),
    "cursor": ("`next_cursor` of the page before", {"type": "string"}),
}
_PATH_EXAMPLES: Final = {
    "account": "alice", "prefix": "test.bob", "payment": "pay_7QX4MM2K", "token": "3f9a2c41", "settlement": "set_4H2",
    "item": "unk_19", "decision": "dec_1", "invite": "inv_1", "webhook": "whk_1", "delivery": "dlv_1",
    "incoming": "inc_1",
}  # fmt: skip
_MEDIA_TYPES: Final = {"Spsp": "application/spsp4+json", "text": "text/plain", "events": "text/event-stream"}
_STREAMED: Final = "application/x-ndjson"
_EVENTS: Final = "text/event-stream"
_EVENT_EXAMPLE: Final = 'id: 4711\ndata: {"id": 4711, "kind": "payment.finished"}\n\n'


def operation(operations: Sequence[Operation]) -> Operation:
    """The operation that shows the document of `operations` and of itself."""

    # Anybody may ask for it, and making it takes as long as a thousand packets: once is enough.
    @cache
    def octets() -> bytes:
        return bytes(json_response(build_document((own, *operations))).body)

    async def get_document(call: Call) -> Response:
        return Response(octets(), headers=JSON_HEADERS, media_type="application/json")

    own = Operation(
        method="GET",
        path="/api/openapi.json",
        access=Access.PUBLIC,
        handler=get_document,
        summary="This document",
        answer="object",
        tags=("status",),
    )
    return own


def document_text(operations: Sequence[Operation]) -> str:
    """The document as it is committed."""
    return json.dumps(build_document(operations), indent=2, ensure_ascii=False) + "\n"


def build_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """OpenAPI 3.1. The version is the API's, not the program's: it changes when the API does."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "interledger-py",
            "version": "1",
            "description": "The HTTP API of a node. Paths at the root are those of interledger-rs; the project's own"
            " are below /api. Every error is application/problem+json (RFC 7807). Each token may ask"
            f" {CALLS_PER_MINUTE:,} times a minute, {CALLS_PER_MINUTE // 60} times a second in the long run; beyond"
            " that the answer is 429, and Retry-After says for how many seconds.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The operator's admin_auth_token, or an account's incoming token of ILP over HTTP",
                }
            },
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _operation_id(one),
        "summary": one.summary,
        "tags": list(one.tags),
        "description": _who(one),
        "security": [] if one.access is Access.PUBLIC else [{"token": [one.needs.value]}],
    }
    parameters = [_path_parameter(name) for name in _PARAMETER.findall(one.path)]
    parameters += [_parameter(name) for name in one.parameters]
    if parameters:
        described["parameters"] = parameters
    if one.body is not None:
        content = _content(one.body)
        for media in content.values():
            media["example"] = body_example(one.body, one.path)
        described["requestBody"] = {"required": True, "content": content}
    described["responses"] = _responses(one)
    return described


def _who(one: Operation) -> str:
    needs = "" if one.access is Access.PUBLIC else f" The token needs the scope `{one.needs.value}`."
    return f"For {one.access.value}.{needs}"


def _operation_id(one: Operation) -> str:
    words = re.sub(r"[^a-z]+", "_", one.path.lower()).strip("_") or "root"
    return f"{one.method.lower()}_{words}"


def _path_parameter(name: str) -> dict[str, Any]:
    example = {"example": _PATH_EXAMPLES[name]} if name in _PATH_EXAMPLES else {}
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, **example}


def _parameter(name: str) -> dict[str, Any]:
    if name in _HEADERS:
        return {"name": name, "in": "header", "description": _HEADERS[name], "schema": {"type": "string"}}
    description, schema = _QUERY[name]
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _responses(one: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": one.summary}
    if one.answer is not None:
        good["content"] = _content(one.answer)
        for media in good["content"].values():
            media["example"] = _answer_example(one.answer, media["schema"])
        if "Prefer" in one.parameters:
            good["content"][_STREAMED] = dict(good["content"]["application/json"])
        if "Last-Event-ID" in one.parameters:
            good["content"][_EVENTS] = {"schema": {"type": "string"}, "example": _EVENT_EXAMPLE}
    responses = {str(one.status): good}
    statuses = {*one.problems, 421, 500, *(() if one.access is Access.PUBLIC else (401, 403, 429))}
    if one.body is not None:
        statuses |= {400, 413} if one.body in _MEDIA_TYPES else {400, 413, 415}
    for status in sorted(statuses):
        schema = {"$ref": "#/components/schemas/Problem"}
        responses[str(status)] = {
            "description": "A problem",
            "content": {"application/problem+json": {"schema": schema, "example": _problem_example(status)}},
        }
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            responses[str(status)]["headers"] = {
                "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}
            }
    if one.answer == "Spsp":  # RFC 9 has errors of its own
        for status in ("400", "404"):
            responses[status]["content"][_MEDIA_TYPES["Spsp"]] = {"schema": {"type": "object"}}
    return responses


def _problem_example(status: int) -> dict[str, Any]:
    kind, problem = next((kind, one) for kind, one in PROBLEM_TYPES.items() if one.status == status)
    return {"type": problem_type_url(kind), "title": problem.title, "status": status, "detail": f"{problem.title}: why"}


def _answer_example(name: str, schema: dict[str, Any]) -> Any:
    texts = {
        "text": "Logging level changed to: info",
        "export": "2026-11-21 * packets",
        "events": _EVENT_EXAMPLE,
        "object": {"openapi": "3.1.0"},
    }
    return texts[name] if name in texts else example_of(schema)


def _content(name: str) -> dict[str, Any]:
    if name == "export":
        return {kind: {"schema": {"type": "string"}} for kind in ("text/plain", "text/csv")}
    return {_MEDIA_TYPES.get(name, "application/json"): {"schema": _schema(name)}}


def _schema(name: str) -> dict[str, Any]:
    if name in ("text", "events"):
        return {"type": "string"}
    if name == "object":
        return {"type": "object"}
    if name.endswith("[]") and name.startswith("Compatible"):
        return {"type": "array", "items": _schema(name.removesuffix("[]"))}
    if name.endswith("[]"):
        items = {"type": "array", "items": _schema(name.removesuffix("[]"))}
        return {
            "type": "object",
            "properties": {"items": items, "next_cursor": {"type": ["string", "null"]}},
            "required": ["items"],
        }
    return {"$ref": f"#/components/schemas/{name}"}
