"""The page of limits says what the code does: every name is there, with that value."""

from __future__ import annotations

import importlib
import re
from functools import reduce
from typing import Any

import pytest

from interledger.connector.limits import Limits as ConnectorLimits
from interledger.link.http.port import Limits
from tools.source import ROOT

PAGE = (ROOT / "docs" / "explanation" / "limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([\w.]+)` \| ([\d,]+) \|", PAGE, flags=re.MULTILINE)


def value_of(name: str) -> Any:
    """The constant, or the default of a field, that a dotted name below `interledger` means."""
    parts = name.split(".")
    depth = next(i for i, part in enumerate(parts) if not part.islower() or part.isupper())
    module = importlib.import_module(".".join(["interledger", *parts[:depth]]))
    owner = reduce(getattr, parts[depth:-1], module)
    if owner is module:
        return getattr(module, parts[-1])
    has_defaults = owner in (Limits, ConnectorLimits) or hasattr(owner, "_fields")
    return getattr(owner() if has_defaults else owner, parts[-1])


@pytest.mark.parametrize(("name", "said"), ROWS, ids=[row[0] for row in ROWS])
def test_a_limit_has_the_value_that_the_page_says(name: str, said: str) -> None:
    assert value_of(name) == int(said.replace(",", ""))


def test_every_row_of_the_page_was_read() -> None:
    assert len(ROWS) == sum(line.startswith("| `") for line in PAGE.splitlines())
    assert len(ROWS) > 30
