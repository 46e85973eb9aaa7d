"""The building blocks of the API's JSON Schemas: texts, counts, units, moments, objects, references."""

from __future__ import annotations

from typing import Any, Final

from interledger.accounts.credentials import Scope

__all__ = [
    "COUNT",
    "DECIMAL",
    "DECIMAL_TEXT",
    "FLAG",
    "LIMIT_NAMES",
    "MOMENT",
    "NUMBER",
    "POSITION",
    "RELATION",
    "SCOPES",
    "TEXT",
    "UNITS",
    "Schema",
    "map_of",
    "object_of",
    "or_null",
    "ref",
    "ref_or_null",
]

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
UNITS: Final[Schema] = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Integer units of the asset"}
NUMBER: Final[Schema] = {"type": ["integer", "string"], "description": "An integer, in quotes or not"}
DECIMAL: Final[Schema] = {"type": ["number", "string"], "description": "A decimal number, in quotes or not; exact"}
DECIMAL_TEXT: Final[Schema] = {"type": "string", "description": "A decimal number; exact"}
RELATION: Final[Schema] = {"type": "string", "enum": ["parent", "peer", "child", "local"]}

LIMIT_NAMES: Final = (
    "owes_us_max", "we_owe_max", "late_claims_max", "settle_in_max", "packet_amount_max", "packets_per_minute",
    "amount_per_minute",
)  # fmt: skip
"""The limits of an account; null: there is none."""

SCOPES: Final[Schema] = {
    "type": "array",
    "items": {"type": "string", "enum": [scope.value for scope in Scope]},
    "minItems": 1,
    "description": "What the token may; reading is always among it",
}


def or_null(schema: Schema) -> Schema:
    """Or null."""
    types = schema["type"]
    return schema | {"type": [*types, "null"] if isinstance(types, list) else [types, "null"]}


def ref(name: str) -> Schema:
    """Another schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def ref_or_null(name: str) -> Schema:
    """Another schema, or null."""
    return {"oneOf": [ref(name), {"type": "null"}]}


def object_of(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object whose `required` fields are always there."""
    schema: Schema = {"type": "object", "properties": required | (optional or {})}
    return schema | {"required": list(required)} if required else schema


def map_of(values: Schema) -> Schema:
    """An object with names of the caller's."""
    return {"type": "object", "additionalProperties": values}


POSITION: Final = object_of({"receivable": UNITS, "payable": UNITS, "net": UNITS})
"""Where an account stands, in its units."""
