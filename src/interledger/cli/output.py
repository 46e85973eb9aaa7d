"""The forms an answer can have: table, JSON, NDJSON, TSV; which fields of it; and tables that never wrap."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from interledger.cli.console import Console

__all__ = [
    "FORMATS",
    "Column",
    "cut_middle",
    "pick_fields",
    "printable",
    "render_table",
    "to_json",
    "to_ndjson",
    "to_tsv",
]

FORMATS: Final = ("table", "json", "ndjson", "tsv")

GAP: Final = "  "

_TSV_ESCAPES: Final = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


class Column(NamedTuple):
    """A column of a table. `width`: at least so wide; a heading may be longer than that at the end of a line.

    `keep`: the larger, the later it is dropped where the terminal is too narrow.
    """

    heading: str
    cell: Callable[[Any], str]
    right: bool = False
    width: int = 0
    gap: str = GAP
    keep: int = 0


def render_table(rows: Sequence[Any], columns: Sequence[Column], console: Console) -> list[str]:
    """Heading and rows. Columns without any content are left out; where it is too narrow, those least worth keeping."""
    cells = [[column.cell(row) for row in rows] for column in columns]
    shown = [i for i in range(len(columns)) if any(cells[i]) or not rows]
    widths = {i: _width(columns[i], cells[i], is_last=i == shown[-1]) for i in shown}
    if console.is_terminal:
        # From the right, the least worth keeping first.
        while len(shown) > 1 and sum(widths[i] + len(columns[i].gap) for i in shown) > console.width + len(GAP):
            least = min(columns[i].keep for i in shown)
            shown.remove(max(i for i in shown if columns[i].keep == least))
    lines = [[columns[i].heading for i in shown], *([cells[i][r] for i in shown] for r in range(len(rows)))]
    return [_line(line, [columns[i] for i in shown], [widths[i] for i in shown]) for line in lines]


def _width(column: Column, cells: Sequence[str], *, is_last: bool) -> int:
    widest = max((len(_plain(cell)) for cell in cells), default=0)
    return max(column.width, widest, 0 if is_last and column.width else len(column.heading))


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    text = ""
    for i, (cell, column, width) in enumerate(zip(cells, columns, widths, strict=True)):
        padding = " " * max(width - len(_plain(cell)), 0)
        text += (column.gap if i else "") + (padding + cell if column.right else cell + padding)
    return text.rstrip()


def _plain(text: str) -> str:
    """Without colours."""
    if "\x1b" not in text:
        return text
    parts = text.split("\x1b[")
    return parts[0] + "".join(part.partition("m")[2] for part in parts[1:])


def cut_middle(text: str, width: int) -> str:
    """`9c1f…e2`: identifiers may be cut, amounts never."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]


def printable(text: str) -> str:
    """What came from strangers: whatever could move a terminal's cursor is shown as an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# ---------------------------------------------------------------------- documents


def to_json(document: Any) -> str:
    """Compact; what holds more than one value begins a line of its own, so that it can be read, cut and compared."""
    if not isinstance(document, dict) or not document:
        return _compact(document)
    text = "{"
    was_container = False
    for number, (key, value) in enumerate(document.items()):
        is_container = isinstance(value, (dict, list)) and bool(value)
        if number:
            text += ",\n " if is_container or was_container else ","
        text += f"{_compact(key)}:{_items(value) if isinstance(value, list) else _compact(value)}"
        was_container = is_container
    return text + "}"


def _items(values: list[Any]) -> str:
    if not values or not isinstance(values[0], dict):
        return _compact(values)
    return "[\n  " + ",\n  ".join(_compact(value) for value in values) + "]"


def to_ndjson(documents: Iterable[Any]) -> list[str]:
    """One object a line."""
    return [_compact(document) for document in documents]


def to_tsv(documents: Iterable[Any]) -> list[str]:
    """A line of paths, then a line of values for each document; no thousands separators, no quotes."""
    flat = [dict(_leaves(document, "")) for document in documents]
    paths = list(dict.fromkeys(path for row in flat for path in row))
    lines = ["\t".join(paths)] if paths else []
    return lines + ["\t".join(_tsv(row.get(path)) for path in paths) for row in flat]


def pick_fields(document: Any, paths: Sequence[str]) -> dict[str, Any]:
    """Only these fields (`id`, `limits.owes_us_max`), in this order; what is not there is null."""
    picked: dict[str, Any] = {}
    for path in paths:
        value: Any = document
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        place = picked
        *parents, last = path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return picked


def _leaves(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value


def _tsv(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else _compact(value)
    return text.translate(_TSV_ESCAPES)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
