"""These tests need Node.js and the packages of `package.json`. Where they must run, their absence is a failure."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from peers import missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = missing()
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.interop)
        if why is not None and not os.environ.get("ILP_REQUIRE_INTEROP"):
            item.add_marker(pytest.mark.skip(reason=why))
