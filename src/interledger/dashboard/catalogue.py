"""The words of the pages in other languages: `locale/es.po`, in gettext's format, read without tools.

English is written in the templates and is the key. A text that is missing is shown in English; a test sees to it that
none is.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib import resources
from typing import Final, final

from markupsafe import Markup

__all__ = ["SOURCE_LANGUAGE", "Texts", "read_catalogue"]

SOURCE_LANGUAGE: Final = "en"


@cache
def read_catalogue(language: str) -> dict[str, str]:
    """English -> `language`. Raises `ValueError` for a line that is not gettext's."""
    if language == SOURCE_LANGUAGE:
        return {}
    text = resources.files(__package__).joinpath("locale", f"{language}.po").read_text(encoding="utf-8")
    return parse_po(text)


def parse_po(text: str) -> dict[str, str]:
    """The entries of a .po file without plural forms and contexts; its header is left out."""
    found: dict[str, str] = {}
    parts: dict[str, str] = {}
    key = ""
    for line in [*text.splitlines(), 'msgid ""']:
        if not line.strip() or line.startswith("#"):
            continue
        word, _, quoted = line.partition(" ") if not line.startswith('"') else (key, "", line)
        if word not in ("msgid", "msgstr"):
            raise ValueError(f"not a line of a catalogue: {line}")
        if word == "msgid" and key == "msgstr":
            found[parts["msgid"]] = parts["msgstr"]
            parts = {}
        key = word
        parts[key] = parts.get(key, "") + str(ast.literal_eval(quoted))
    found.pop("", None)
    return found


@final
class Texts:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = read_catalogue(language)

    def get(self, text: str) -> str:
        """The text as this language has it, with its `%(name)s` still in it."""
        return self._catalogue.get(text, text)

    def plural(self, one: str, many: str, count: int) -> str:
        """`one` for 1, else `many`, in this language."""
        return self.get(one if count == 1 else many)

    def __call__(self, text: str, **values: object) -> Markup:
        """The text with its values, each escaped unless it is markup."""
        return Markup(self.get(text)) % values  # noqa: S704 - the text is the catalogue's, the values are escaped
