"""As many as are asked for, and no page behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from interledger.cli.pages import first


@pytest.mark.parametrize(("limit", "found", "asked"), [(1, [0], 1), (3, [0, 1, 2], 3), (9, [0, 1, 2, 3, 4], 5)])
async def test_the_first(limit: int, found: list[int], asked: int) -> None:
    seen = []

    async def items() -> AsyncIterator[int]:
        for number in range(5):
            seen.append(number)
            yield number

    assert [item async for item in first(items(), limit)] == found
    assert len(seen) == asked
