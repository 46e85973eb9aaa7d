"""Tables, JSON, TSV and fields: what each form of an answer looks like."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.cli.console import Console
from interledger.cli.output import (
    Column,
    cut_middle,
    pick_fields,
    render_table,
    to_json,
    to_ndjson,
    to_tsv,
)

COLUMNS = (
    Column("NAME", lambda row: row[0], keep=3),
    Column("AMOUNT", lambda row: row[1], right=True, keep=2),
    Column("NOTE", lambda row: row[2], keep=1),
)


def test_a_table_is_aligned(pipe: Console) -> None:
    rows = [("alice", "10.00", "x"), ("bob", "1,000.00", "")]
    assert render_table(rows, COLUMNS, pipe) == ["NAME     AMOUNT  NOTE", "alice     10.00  x", "bob    1,000.00"]


def test_a_column_without_content_is_left_out(pipe: Console) -> None:
    assert render_table([("alice", "10.00", "")], COLUMNS, pipe) == ["NAME   AMOUNT", "alice   10.00"]
    assert render_table([], COLUMNS, pipe) == ["NAME  AMOUNT  NOTE"]


def test_a_narrow_terminal_drops_what_is_least_worth_keeping(terminal: Console) -> None:
    rows = [("alice", "10.00", "a long note")]
    terminal.width = 20
    assert render_table(rows, COLUMNS, terminal) == ["NAME   AMOUNT", "alice   10.00"]
    terminal.width = 1
    assert render_table(rows, COLUMNS, terminal) == ["NAME", "alice"]


def test_colours_take_no_room(terminal: Console) -> None:
    terminal.colour = True
    rows = [(terminal.mark("✓", "up"), "1", "x"), ("down", "2", "y")]
    assert render_table(rows, COLUMNS, terminal) == [
        "NAME  AMOUNT  NOTE",
        "\x1b[32m✓\x1b[0m up       1  x",
        "down       2  y",
    ]


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("short", 10, "short"), ("9c1f22aa77e2", 8, "9c1f2…e2"), ("9c1f22aa77e2", 12, "9c1f22aa77e2")],
)
def test_identifiers_are_cut_in_the_middle(text: str, width: int, cut: str) -> None:
    assert cut_middle(text, width) == cut


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"a": 1, "b": None}, '{"a":1,"b":null}'),
        ({"a": {"b": "€"}, "c": 1}, '{"a":{"b":"€"},\n "c":1}'),
        ({"a": 1, "items": []}, '{"a":1,"items":[]}'),
        ({"items": [1, 2]}, '{"items":[1,2]}'),
        (
            {"items": [{"a": 1}, {"a": 2}], "next_cursor": None},
            '{"items":[\n  {"a":1},\n  {"a":2}],\n "next_cursor":null}',
        ),
    ],
)
def test_json(document: Any, text: str) -> None:
    assert to_json(document) == text


def test_ndjson_and_tsv() -> None:
    items = [{"id": "a", "link": {"up": True}, "n": 5}, {"id": "b\tc", "link": {"up": False}, "n": None}]
    assert to_ndjson(items) == ['{"id":"a","link":{"up":true},"n":5}', '{"id":"b\\tc","link":{"up":false},"n":null}']
    assert to_tsv(items) == ["id\tlink.up\tn", "a\ttrue\t5", "b\\tc\tfalse\t"]
    assert to_tsv([]) == []


def test_fields_are_picked_in_order() -> None:
    document = {"id": "bob", "limits": {"a": "1", "b": "2"}, "x": 1}
    assert pick_fields(document, ["limits.b", "id", "limits.a"]) == {"limits": {"b": "2", "a": "1"}, "id": "bob"}
    assert pick_fields(document, ["no.such", "x.y"]) == {"no": {"such": None}, "x": {"y": None}}
