"""One answer per `Idempotency-Key`: who asks again with the same key and body gets the same payment, not a second one.

The work runs in a task of its own, so that a caller who hangs up stops nothing, and one who asks again joins it.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar, final

from interledger.api.problems import Problem

__all__ = ["KEYS_MAX", "KEY_LIFETIME_S", "Idempotency"]

KEYS_MAX: Final = 10_000
"""Keys remembered; the oldest is forgotten first. Some megabytes at most."""

KEY_LIFETIME_S: Final = 24 * 3600
"""As long as a client may still try again."""

T = TypeVar("T")

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class _Entry(NamedTuple, Generic[T]):
    body: bytes
    since: float
    task: asyncio.Task[T]


@final
class Idempotency(Generic[T]):
    """What was begun under which key. `monotonic` tells the age of a key, in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[tuple[str, str], _Entry[T]] = OrderedDict()
        self._tasks: set[asyncio.Task[T]] = set()

    async def once(self, caller: str, key: str | None, body: bytes, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `work`, which runs once per caller and key. Work that failed may be tried again.

        Raises a `conflict` problem where the key came with another body (SE-02's rule, for payments).
        """
        if key is None:
            return await self._run(work)
        if _KEY.fullmatch(key) is None:
            raise Problem("invalid-request", "an Idempotency-Key is 1 to 255 visible characters")
        self._forget_old()
        entry = self._entries.get((caller, key))
        if entry is None:
            if len(self._entries) >= KEYS_MAX:
                self._entries.popitem(last=False)
            entry = _Entry(body, self._monotonic(), self._start(work))
            self._entries[caller, key] = entry
            entry.task.add_done_callback(lambda task: self._drop_failed((caller, key), task))
        elif entry.body != body:
            raise Problem("conflict", "This Idempotency-Key was used with another body")
        return await asyncio.shield(entry.task)

    async def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        return await asyncio.shield(self._start(work))

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

    def _drop_failed(self, name: tuple[str, str], task: asyncio.Task[T]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._entries.pop(name, None)

    def _forget_old(self) -> None:
        oldest = self._monotonic() - KEY_LIFETIME_S
        while self._entries:
            name, entry = next(iter(self._entries.items()))
            if entry.since > oldest:
                break
            del self._entries[name]
