"""Tables for other programs: comma-separated values as RFC 4180 has them, and settings as a TOML file.

Nothing here is written as a language has it: amounts are whole units with their scale beside them, moments RFC 3339.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

__all__ = ["csv_text", "toml_text"]

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula, and run: a peer may have written it."""

_PLAIN: Final = re.compile(r"true|false|0|-?[1-9][0-9]{0,17}")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A line for each document. A column is a path in it: `amount.asset_code`; a list is joined with blanks."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(column.replace(".", "_") for column in columns)
    for row in rows:
        writer.writerow(_cell(_at(row, column)) for column in columns)
    return written.getvalue()


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if text.startswith(_FORMULA) and _NUMBER.fullmatch(text) is None:
        return "'" + text
    return text


def toml_text(settings: Iterable[Mapping[str, Any]]) -> str:
    """Settings that are not at their defaults, as `ilp.toml` has them. What is secret is named and left out."""
    lines: list[str] = []
    tables: dict[str, list[str]] = {}
    for one in settings:
        if one["set_by"] == "default" and (one["secret"] or one["value"] in (None, one["default"])):
            continue
        table, _, name = one["key"].rpartition(".")
        if one["secret"]:
            line = f"# {name} is set, and secret"
        elif one["value"] is None:
            continue
        else:
            line = f"{name} = {_toml(str(one['value']))}"
        (tables.setdefault(table, []) if table else lines).append(line)
    for table, rows in tables.items():
        lines += ["", f"[{table}]", *rows]
    return "\n".join(lines).strip() + "\n"


def _toml(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = "".join(_ESCAPES.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return f'"{escaped}"'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
