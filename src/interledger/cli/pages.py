"""Lists that are longer than a page of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

__all__ = ["first"]

T = TypeVar("T")


async def first(items: AsyncIterator[T], limit: int) -> AsyncIterator[T]:
    """The first `limit` of them; no page is asked for behind those."""
    left = limit
    async for item in items:
        yield item
        left -= 1
        if left <= 0:
            return
