"""Who asks again under the same `Idempotency-Key` while the first request is at work joins it.

What came of a key is remembered by the node, over restarts too: `node/payment_keys.py`.

The work runs in a task of its own, so that a caller who hangs up stops nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar, final

from interledger.api.problems import Problem

__all__ = ["Idempotency", "check_key", "key_conflict"]

T = TypeVar("T")

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class _Entry(NamedTuple, Generic[T]):
    body: str
    task: asyncio.Task[T]


@final
class Idempotency(Generic[T]):
    """What is at work under which key."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry[T]] = {}
        self._tasks: set[asyncio.Task[T]] = set()

    async def once(self, caller: str, key: str | None, body: str, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `work`, which runs once at a time per caller and key. `body`: a digest of the request's.

        Raises a `conflict` problem where the key came with another body (SE-02's rule, for payments).
        """
        if key is None:
            return await asyncio.shield(self._start(work))
        name = (caller, key)
        entry = self._entries.get(name)
        if entry is None:
            entry = self._entries[name] = _Entry(body, self._start(work))
            entry.task.add_done_callback(lambda _: self._entries.pop(name, None))
        elif entry.body != body:
            raise key_conflict()
        return await asyncio.shield(entry.task)

    def _start(self, work: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        async def run() -> T:
            return await work()

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        # Read, so that a failure nobody waits for any more is not reported as forgotten.
        if not task.cancelled():
            task.exception()


def check_key(key: str | None) -> str | None:
    """A key as it may be. Raises an `invalid-request` problem."""
    if key is not None and _KEY.fullmatch(key) is None:
        raise Problem("invalid-request", "an Idempotency-Key is 1 to 255 visible characters")
    return key


def key_conflict() -> Problem:
    """To be raised where a key comes with another body."""
    return Problem("conflict", "This Idempotency-Key was used with another body")
