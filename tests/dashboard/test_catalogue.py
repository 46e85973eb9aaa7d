"""The catalogue of words: read strictly, and complete."""

from __future__ import annotations

import ast
import re
from importlib import resources
from pathlib import Path

import pytest
from markupsafe import Markup

from interledger.dashboard.catalogue import Texts, parse_po, read_catalogue
from interledger.dashboard.numbers import LANGUAGES
from interledger.dashboard.page import environment
from interledger.dashboard.pages.accounts import LIMITS
from interledger.dashboard.pages.node import TOPICS
from interledger.dashboard.pages.packets import ADVICE
from interledger.dashboard.pages.payments import STATES as PAYMENT_STATES
from interledger.dashboard.pages.routes import STEPS
from interledger.dashboard.pages.settlements import STEPS as SETTLEMENT_STEPS
from interledger.dashboard.pages.tokens import SCOPES
from interledger.dashboard.pages.webhooks import STATES as DELIVERY_STATES


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


DASHBOARD = Path(str(resources.files("interledger.dashboard")))

CODE = [file for file in DASHBOARD.rglob("*.py") if file.name != "catalogue.py"]


def said_by_templates() -> dict[str, str]:
    """Every text in `_(…)`, and every word that is written out before `|word`; where it is."""
    found = {}
    made = environment("en")
    for file in sorted((DASHBOARD / "templates").glob("*.html")):
        source = file.read_text(encoding="utf-8")
        for line, function, text in made.extract_translations(source):
            for one in (text,) if isinstance(text, str) else text:
                if one is not None:  # `_(value)`: a word of the API
                    found[one] = f"{file.name}:{line} {function}"
    return found


def said_by_code() -> dict[str, str]:
    """Texts that are written out in a call of `texts`, `texts.get` or `say`, and whatever has `%(name)s` in it."""
    found = {}
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"%\(\w+\)s", node.value):
                found[node.value] = f"{file.name}:{node.lineno}"
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = ast.unparse(node.func)
                if name.endswith(("texts", "texts.get", "say", "say.get")) and isinstance(node.args[0].value, str):
                    found[node.args[0].value] = f"{file.name}:{node.lineno}"
    return found


def names_in(text: str) -> list[str]:
    return sorted(re.findall(r"%\((\w+)\)s|(%%)", text))


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_text_of_the_pages_is_untranslated(language: str) -> None:
    catalogue = read_catalogue(language)
    texts = said_by_templates() | said_by_code()
    assert len(texts) > 300
    assert {text: where for text, where in texts.items() if text not in catalogue} == {}


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_says_the_same_values(language: str) -> None:
    wrong = [text for text, said in read_catalogue(language).items() if not said or names_in(text) != names_in(said)]
    assert wrong == []


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_words_of_the_api_are_translated(language: str) -> None:
    """What reaches a page through `|word`: states, kinds and steps that the API writes in English."""
    catalogue = read_catalogue(language)
    words = [*STEPS, *(word for _, word in LIMITS), *ADVICE.values(), *TOPICS, *(word for _, word in PAYMENT_STATES)]
    words += [word for rows in (SCOPES, DELIVERY_STATES) for _, word in rows] + [scope for scope, _ in SCOPES]
    words += [word for steps in SETTLEMENT_STEPS.values() for word in steps]
    words += ["peer", "child", "parent", "local", "static", "set by hand"]
    assert [word for word in words if word not in catalogue] == []
