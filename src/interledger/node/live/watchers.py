"""Who looks at something now, so that it is made while somebody does."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

__all__ = ["Watchers"]


def _nothing() -> None:
    return None


@final
class Watchers:
    """True while there are some."""

    def __init__(self, on_change: Callable[[], None] = _nothing) -> None:
        """`on_change`: called after one came or left."""
        self._count = 0
        self._on_change = on_change

    def __bool__(self) -> bool:
        return self._count > 0

    def enter(self) -> Callable[[], None]:
        """One more, until what is returned is called; it may be called again."""
        self._count += 1
        self._on_change()
        is_over = False

        def leave() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._count -= 1
                self._on_change()

        return leave
