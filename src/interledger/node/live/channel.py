"""From the node to one reader, in order: a bounded queue whose reader is cut off when it does not keep up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar, final

__all__ = ["CHANNEL_SIZE", "Channel"]

CHANNEL_SIZE: Final = 1_000
"""What waits for one reader at most. A reader that is further behind comes back with the last id it has."""

T = TypeVar("T")


@final
class Channel(Generic[T]):
    """`put` by the node, never waits; `get` by the reader. `on_close` runs once, when either side has ended it."""

    def __init__(self, size: int = CHANNEL_SIZE, on_close: Callable[[], object] = lambda: None) -> None:
        self.is_cut = False
        """The reader was too slow: what it did not get is lost to it."""
        self.is_closed = False
        self._size = size
        self._items: deque[T] = deque()
        self._changed = asyncio.Event()
        self._on_close = on_close

    def put(self, item: T) -> None:
        """One more for the reader. A full queue cuts it off."""
        if self.is_closed:
            return
        if len(self._items) >= self._size:
            self.is_cut = True
            self._items.clear()
            self.close()
            return
        self._items.append(item)
        self._changed.set()

    def close(self) -> None:
        """No more comes; what waits can still be had."""
        if not self.is_closed:
            self.is_closed = True
            self._changed.set()
            self._on_close()

    async def get(self, timeout_s: float | None = None) -> T | None:
        """The next one, or None when the channel is closed and empty. Raises `TimeoutError`."""
        while not self._items:
            if self.is_closed:
                return None
            self._changed.clear()
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        return self._items.popleft()
