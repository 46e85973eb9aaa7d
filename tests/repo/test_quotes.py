"""RFC sentences in comments have one shape, so that a tool can compare them with the texts."""

from __future__ import annotations

import ast
import re

import pytest

from tools.rfc_quotes import is_in, quotes, quotes_in
from tools.source import ROOT, Source, package_sources


def test_every_quote_is_closed() -> None:
    assert [f"{quote.module}:{quote.line}" for quote in quotes() if quote.text is None] == []


def test_a_quote_is_a_comment_of_its_own() -> None:
    """Behind code it would have to be short, and nobody would see it."""
    found = [
        f"{source.name}:{number}"
        for source in package_sources()
        for number, line in enumerate(source.text.splitlines(), 1)
        if re.search(r'\S.*# RFC [0-9]+: "', line)
    ]
    assert found == []


def test_quotes_are_read_over_several_lines() -> None:
    text = 'a = 1\n# RFC 27: "Connectors ... MUST\n# be kind." And they are.\n# RFC 15: "open\nb = 2\n'
    found = list(quotes_in(Source(ROOT / "src" / "interledger" / "x.py", text, ast.parse(text))))
    assert [(quote.rfc, quote.text, quote.line) for quote in found] == [
        (27, "Connectors ... MUST be kind.", 2),
        (15, None, 4),
    ]


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ("connectors MUST be kind", True),
        ("Connectors ... kind", True),
        ("kind ... Connectors", False),
        ("connectors may be kind", False),
    ],
)
def test_a_quote_is_compared_by_its_words(quote: str, there: bool) -> None:
    assert is_in(quote, "The [Connectors](#c)\n> **MUST** be `kind`.") is there
