"""The catalogue of words: read strictly, complete, and nothing dead in it."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from interledger.dashboard.catalogue import Texts, parse_po, read_catalogue


def test_a_catalogue_is_read() -> None:
    head = 'msgid ""\nmsgstr "Language: es\\n"\n\n'
    text = head + '# where\nmsgid "one"\nmsgstr "uno"\n\nmsgid ""\n"long "\n"text"\nmsgstr "texto"\n'
    assert parse_po(text) == {"one": "uno", "long text": "texto"}


def test_what_is_no_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="not a line"):
        parse_po("msgctxt 'x'\n")


def test_values_are_escaped_and_markup_stays() -> None:
    said = Texts("en")("%(peer)s owes us %(amount)s", peer="<script>", amount=Markup("<b>1</b>"))
    assert said == "&lt;script&gt; owes us <b>1</b>"


def test_english_needs_no_catalogue() -> None:
    assert read_catalogue("en") == {}
    assert Texts("en").plural("%(n)s item", "%(n)s items", 2) == "%(n)s items"
