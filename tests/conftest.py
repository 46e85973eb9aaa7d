"""What every test gets: property tests without a deadline, replayable by the seed they print."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# What helpers assert is checked under `python -O` too, where `assert` is left out of all that pytest does not rewrite.
HELPERS = {path.stem for path in Path(__file__).parent.rglob("*.py") if not path.stem.startswith(("test_", "conftest"))}
pytest.register_assert_rewrite("tests.support", "tests.node", "tools", *HELPERS)

# ruff: noqa: E402  # the helpers among these come behind the line above
from hypothesis import HealthCheck, settings

from interledger.ilp import packet
from tests.support.postgres import postgres, postgres_place

__all__ = ["postgres", "postgres_place"]

# No deadline: a noisy machine is not a wrong program. In CI the inputs are the same in every run of the same code.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the packet path is compiled, leave out the tests that replace parts of it."""
    if str(packet.__file__).endswith(".py"):
        return
    skip = pytest.mark.skip(reason="needs the packet path as Python")
    for item in items:
        if item.get_closest_marker("pure") is not None:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def log_levels() -> Iterator[None]:
    """What was logged before a test is logged after it: an operator may change that, and so may a test that is one."""
    ours = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("interledger")]
    levels = [logger.level for logger in ours]
    yield
    for logger, level in zip(ours, levels, strict=True):
        if logger.level != level:
            logger.setLevel(level)
