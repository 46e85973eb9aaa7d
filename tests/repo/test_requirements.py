"""Each sentence of the RFCs that requires something has a proof or a reason, and what it names exists."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tools.requirements import Document, Row, matches, read_documents, read_outside, sentences_in
from tools.rules import PACKAGE
from tools.source import ROOT

WORDS_MAX = 15
"""A quote names a sentence; whoever wants to read it reads the RFC."""

COUNTS = {
    "0001-interledger-architecture": 1,
    "0009-simple-payment-setup-protocol": 15,
    "0015-ilp-addresses": 6,
    "0018-connector-risk-mitigations": 0,
    "0022-hashed-timelock-agreements": 0,
    "0023-bilateral-transfer-protocol": 5,
    "0026-payment-pointers": 6,
    "0027-interledger-protocol-4": 14,
    "0029-stream": 43,
    "0030-notes-on-oer-encoding": 39,
    "0031-dynamic-configuration-protocol": 0,
    "0032-peering-clearing-settlement": 1,
    "0033-relationship-between-protocols": 1,
    "0034-connector-requirements": 13,
    "0035-ilp-over-http": 12,
    "0038-settlement-engines": 27,
    "deprecated/0039-stream-receipts": 18,
    "proposals/0000-http-auth-profiles.md": 16,
}
"""How many sentences of each RFC have a word of RFC 2119 in capitals, in the RFCs of March 2026."""

ROWS = [(document.name, row) for document in read_documents() for row in document.rows]


@cache
def functions_of(path: str) -> set[str]:
    """The functions of a test file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_are_as_many_as_the_rfcs_have() -> None:
    """`python -m tools.requirements FOLDER` compares the sentences themselves."""
    assert {d.folder: sum(row.in_capitals for row in d.rows) for d in read_documents()} == COUNTS
    assert all(one.sentences and one.why for one in read_outside())


def test_every_sentence_has_a_proof_or_a_reason() -> None:
    assert [(name, row.quote) for name, row in ROWS if not row.tests and not row.why] == []
    assert [(name, row.quote) for name, row in ROWS if row.tests and not row.modules] == []
    assert [(name, row.quote) for name, row in ROWS if row.deviates and not (row.tests and row.why)] == []


def test_quotes_are_short_and_have_the_word_they_are_about() -> None:
    assert [row.quote for _, row in ROWS if len(row.quote.replace("...", " ").split()) > WORDS_MAX] == []
    assert [row.quote for _, row in ROWS if row.word not in row.quote] == []
    assert len({(name, row.section, row.quote) for name, row in ROWS}) == len(ROWS)


def test_the_modules_that_are_named_exist() -> None:
    assert [(n, m) for n, row in ROWS for m in row.modules if not (PACKAGE / m).is_file()] == []


def test_the_tests_that_are_named_exist() -> None:
    for name, row in ROWS:
        for test in row.tests:
            path, _, function = test.partition("::")
            assert path.endswith(".scn") or function, (name, test)
            assert (ROOT / path).is_file(), (name, test)
            assert not function or function in functions_of(path), (name, test)


TEXT = """# RFC

The key words “MUST” and “SHOULD” in this document are to be interpreted as described in RFC 2119.

A node MUST speak. It MAY be silent
at night, but then it SHOULD say so.

- An item MUST NOT be
  forgotten

| cell | it is RECOMMENDED |
"""


def row(quote: str, word: str = "MUST") -> Row:
    return Row("x", word, quote, "", "node", (), (), "")


def test_the_sentences_of_a_text() -> None:
    assert list(sentences_in(TEXT)) == [
        "A node MUST speak.",
        "It MAY be silent at night, but then it SHOULD say so.",
        "- An item MUST NOT be forgotten",
        "| cell | it is RECOMMENDED |",
    ]


@pytest.mark.parametrize(
    ("quotes", "wrong"),
    [
        (["MUST speak", "SHOULD say so", "MUST NOT be forgotten", "RECOMMENDED"], ""),
        (["MUST speak", "MUST NOT be forgotten", "RECOMMENDED"], "no row in its place for: It MAY be silent"),
        (["MUST speak", "SHOULD say so", "MUST NOT be forgotten"], "no row in its place for: | cell"),
        (["MUST speak", "SHOULD say so", "MUST NOT be forgotten", "RECOMMENDED", "MUST"], "no sentence left for: MUST"),
        (["MUST sing", "SHOULD say so", "MUST NOT be forgotten", "RECOMMENDED"], "does not say: MUST sing"),
    ],
)
def test_what_the_comparison_finds(quotes: list[str], wrong: str) -> None:
    document = Document(99, "x", "0099-x", "", tuple(row(quote) for quote in quotes))
    found = list(matches(document, TEXT))
    assert wrong in found[0] if wrong else found == []
