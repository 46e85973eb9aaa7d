"""The types of the API's documents, made from the schemas of its OpenAPI document: `interledger/api/types/`.

    .venv/bin/python -m tools.docs

Each schema becomes a `TypedDict`, so that who uses the client is told by mypy what a document has. Objects within
others get a name of both: `limits` of `Account` is `AccountLimitsDocument`.
"""

from __future__ import annotations

import json
import keyword
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from interledger.api.schema_kinds import DECIMAL, DECIMAL_TEXT, NUMBER, UNITS
from interledger.api.schemas import SCHEMAS
from interledger.api.schemas_compatible import COMPATIBLE_SCHEMAS
from interledger.api.schemas_ledger import LEDGER_SCHEMAS
from interledger.api.schemas_live import LIVE_SCHEMAS
from interledger.api.schemas_peers import PEER_SCHEMAS
from interledger.api.schemas_routes import ROUTE_SCHEMAS
from interledger.api.schemas_settlements import SETTLEMENT_SCHEMAS
from interledger.api.schemas_webhooks import WEBHOOK_SCHEMAS
from tools.source import ROOT

__all__ = ["formatted", "type_modules"]

FOLDER: Final = ROOT / "src" / "interledger" / "api" / "types"
REF: Final = "#/components/schemas/"

PARTS: Final[dict[str, tuple[str, Iterable[str]]]] = {
    "accounts": (
        "accounts and tokens",
        [
            name
            for name in SCHEMAS
            if name.endswith(("Account", "AccountPatch", "Token", "TokenMade", "PeerBalance"))
            and name not in LEDGER_SCHEMAS
            and name not in COMPATIBLE_SCHEMAS
        ],
    ),
    "payments": ("payments", ["PaymentTerms", "Quote", "Payment"]),
    "books": ("the books", [name for name in LEDGER_SCHEMAS if name != "AtRisk"]),
    "compatible": ("what is shared with interledger-rs", COMPATIBLE_SCHEMAS),
    "packets": ("packets", [name for name in LIVE_SCHEMAS if "Packet" in name or name == "PaymentWhole"]),
    "live": (
        "what happens at a node",
        [name for name in LIVE_SCHEMAS if "Packet" not in name and name != "PaymentWhole"],
    ),
    "peers": ("becoming a peer", PEER_SCHEMAS),
    "routes": ("explained routes", ROUTE_SCHEMAS),
    "settlements": ("settlements", SETTLEMENT_SCHEMAS),
    "webhooks": ("webhooks", WEBHOOK_SCHEMAS),
}
"""Module -> (what it is about, its schemas). What is in none of them is in `core`, which needs no other."""

SAID_OFTEN: Final = {kind["description"] for kind in (UNITS, NUMBER, DECIMAL, DECIMAL_TEXT)}
"""Said once, on the page of the API."""

SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class _Module:
    """One module at work: its classes in the order in which they may stand."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self.names: list[str] = []
        self.refs: set[str] = set()

    def add(self, name: str, schema: Mapping[str, Any], meaning: str) -> str:
        """The class of an object. Returns its name."""
        base, own = "TypedDict", schema
        if "allOf" in schema:
            (base_schema, own) = schema["allOf"]
            base = self._ref(base_schema)
        class_name = f"{name}Document"
        required = set(own.get("required", ()))
        fields = {
            field: (self.type_of(value, f"{name}{_camel(field)}", f"`{field}` of `{name}`."), field in required, value)
            for field, value in own["properties"].items()
        }
        text = schema.get("description", meaning)
        if any(keyword.iskeyword(field) for field in fields):
            body = "".join(f"    {field!r}: {_wrapped(of, is_in)!r},\n" for field, (of, is_in, _) in fields.items())
            made = f'{class_name} = TypedDict("{class_name}", {{\n{body}}})\n"""{text}"""\n'
        else:
            made = f'class {class_name}({base}):\n    """{text}"""\n\n'
            for field, (of, is_in, value) in fields.items():
                made += f"    {field}: {_wrapped(of, is_in)}\n"
                if value.get("description") not in (None, *SAID_OFTEN):
                    made += f'    """{value["description"]}"""\n'
        self.classes.append(made)
        self.names.append(class_name)
        return class_name

    def type_of(self, schema: Mapping[str, Any], name: str, meaning: str) -> str:
        """The type of a value; objects within become classes before the one at work."""
        if "$ref" in schema:
            return self._ref(schema)
        if "oneOf" in schema:
            return " | ".join(dict.fromkeys(self.type_of(one, name, meaning) for one in schema["oneOf"]))
        if "enum" in schema and schema.get("format") != "uri":
            return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return " | ".join(self._kind(kind, schema, name, meaning) for kind in kinds)

    def _kind(self, kind: str, schema: Mapping[str, Any], name: str, meaning: str) -> str:
        if kind == "array":
            return f"list[{self.type_of(schema['items'], name.removesuffix('s'), meaning)}]"
        if kind != "object":
            return SCALARS[kind]
        if "properties" in schema:
            return self.add(name, schema, meaning)
        if "additionalProperties" in schema:
            return f"dict[str, {self.type_of(schema['additionalProperties'], name, meaning)}]"
        return "dict[str, Any]"

    def _ref(self, schema: Mapping[str, Any]) -> str:
        name = schema["$ref"].removeprefix(REF)
        if "additionalProperties" in SCHEMAS[name]:
            return self.type_of(SCHEMAS[name], name, "")
        self.refs.add(name)
        return f"{name}Document"


def type_modules() -> dict[Path, str]:
    """Every module and its text."""
    place = {name: module for module, (_, names) in PARTS.items() for name in names}
    wholes: dict[str, list[str]] = {module: [] for module in ("core", *PARTS)}
    for name in _by_need(SCHEMAS):
        wholes[place.get(name, "core")].append(name)
    texts: dict[Path, str] = {}
    public: dict[str, list[str]] = {}
    for module, names in wholes.items():
        made = _Module()
        for name in names:
            if "additionalProperties" not in SCHEMAS[name]:
                made.add(name, SCHEMAS[name], f"`{name}` of the OpenAPI document.")
        about = "money, rates, routes and the node itself" if module == "core" else PARTS[module][0]
        others: dict[str, list[str]] = {}
        for ref in sorted(made.refs):
            if place.get(ref, "core") != module:
                others.setdefault(place.get(ref, "core"), []).append(f"{ref}Document")
        texts[FOLDER / f"{module}.py"] = formatted(_module_text(about, made, others))
        public[module] = sorted(made.names)
    texts[FOLDER / "__init__.py"] = formatted(_package_text(public))
    return texts


def _module_text(about: str, made: _Module, others: Mapping[str, list[str]]) -> str:
    body = "\n\n".join(made.classes)
    used = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if name in body]
    imports = "".join(f"from interledger.api.types.{module} import {', '.join(n)}\n" for module, n in others.items())
    listed = ", ".join(f'"{name}"' for name in sorted(made.names))
    return (
        f'"""Documents about {about}. Made by `python -m tools.docs` from the schemas."""\n\n'
        f"from __future__ import annotations\n\nfrom typing import {', '.join(used)}\n\n{imports}\n"
        f"__all__ = [{listed}]\n\n\n{body}"
    )


def _package_text(public: Mapping[str, list[str]]) -> str:
    imports = "".join(f"from interledger.api.types.{m} import {', '.join(names)}\n" for m, names in public.items())
    listed = ", ".join(f'"{name}"' for name in sorted(name for names in public.values() for name in names))
    return (
        '"""The documents of the API, as its client takes them and gives them out.\n\n'
        'Made from the schemas of the OpenAPI document by `python -m tools.docs`.\n"""\n\n'
        f"from __future__ import annotations\n\n{imports}\n__all__ = [{listed}]\n"
    )


def _by_need(schemas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A base before what extends it; else in alphabetical order."""
    return sorted(schemas, key=lambda name: ("allOf" in schemas[name], name))


def _wrapped(of: str, is_required: bool) -> str:
    return of if is_required else f"NotRequired[{of}]"


def _camel(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))


def formatted(text: str) -> str:
    """As the linter and the formatter would have it, so that they do not fight."""
    for command in (["check", "--fix-only", "--select", "I"], ["format"]):
        asked = [sys.executable, "-m", "ruff", *command, "-q", "--stdin-filename", f"{FOLDER}/core.py", "-"]
        text = subprocess.run(asked, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text
