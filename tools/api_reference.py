"""The page about the HTTP API, made from its operations and schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interledger.api.openapi import build_document
from interledger.api.operations import Operation

__all__ = ["api_page"]

INTRO = """\
*Made from the code by `python -m tools.docs`.* The same for programs: [openapi.json](openapi.json), or
`GET /api/openapi.json` of a node. The typed [client](client.md) has a method for each.

Say who you are with `Authorization: Bearer TOKEN`. Bodies are JSON. Amounts are text of integer units, lists are
`{"items": [...], "next_cursor": ...}`, errors are `application/problem+json` with a `type`, a `title` and a `detail`; a
wrong field is named in `field`. Every operation may also answer 500 (a fault of the node's, with an `error_id` that its
log has), those with a body 400, 413 and 415, and those that ask for a token 401 and 403.\
"""


def api_page(operations: Sequence[Operation]) -> str:
    """All of it, by tag."""
    document = build_document(operations)
    by_tag: dict[str, list[tuple[Operation, dict[str, Any]]]] = {}
    for one in operations:
        described = document["paths"][one.path][one.method.lower()]
        by_tag.setdefault(one.tags[0] if one.tags else "other", []).append((one, described))
    parts = ["# The HTTP API", INTRO]
    for tag, found in by_tag.items():
        parts.append(f"## {tag.capitalize()}")
        parts += [_operation(one, described) for one, described in found]
    parts.append("## Documents")
    parts += [_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    return "\n\n".join(parts) + "\n"


def _operation(one: Operation, described: dict[str, Any]) -> str:
    lines = [f"### `{one.method} {one.path}`", "", f"{one.summary}. {described['description']}", ""]
    for parameter in described.get("parameters", ()):
        if parameter["in"] != "path":
            lines.append(f"* `{parameter['name']}` ({parameter['in']}): {parameter['description']}")
    if one.body is not None:
        lines.append(f"* body: {_link(one.body)}")
    answer = "" if one.answer is None else f", {_link(one.answer)}"
    lines.append(f"* answer: {one.status}{answer}")
    if one.problems:
        lines.append(f"* or: {', '.join(map(str, sorted(one.problems)))}")
    return "\n".join(lines)


def _link(name: str) -> str:
    bare = name.removesuffix("[]")
    if bare in ("text", "object", "export"):
        return {"text": "text", "object": "a JSON object", "export": "text"}[bare]
    return f"{'a list of ' if name.endswith('[]') else ''}[{bare}](#{bare.lower()})"


def _schema(name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}", ""]
    if "description" in schema:
        lines += [f"{schema['description']}.", ""]
    required = set(schema.get("required", ()))
    for field, kind in schema.get("properties", {}).items():
        said = f": {kind['description']}" if "description" in kind else ""
        lines.append(f"* `{field}` {_kind(kind)}{'' if field in required else ', may be absent'}{said}")
    return "\n".join(lines).rstrip()


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "oneOf" in schema:
        return " or ".join(_kind(one) for one in schema["oneOf"])
    if "enum" in schema and len(schema["enum"]) <= 12:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
