"""`/ui/live`: server-sent events for the pages. An event says that something changed; the page asks for itself again.

The browser cannot send the API's token, so its stream goes through here. No data is in the events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from interledger.dashboard.page import HEADERS, Page

__all__ = ["PAGES"]

BEAT_S: Final = 1.0
"""How often a page hears that it is live, and looks at itself again."""

FAST_S: Final = 0.1
"""How often it does at most, where one thing is watched while it moves: the packets of a payment."""

FAST_TOPICS: Final = ("payment:",)


async def stream(page: Page) -> Response:
    """Until the browser leaves, or the session ends."""
    topics = [topic for topic in page.query.get("topics", "").split(",") if topic]
    return StreamingResponse(_events(page, topics), headers=HEADERS, media_type="text/event-stream")


async def _events(page: Page, topics: Sequence[str]) -> AsyncIterator[bytes]:
    yield b"retry: 2000\nevent: beat\ndata: {}\n\n"
    changes = page.api.watch(*topics)
    changed = asyncio.Event()

    async def watch() -> None:
        async for _ in changes:
            changed.set()

    task = asyncio.create_task(watch())
    least_s = FAST_S if any(topic.startswith(FAST_TOPICS) for topic in topics) else BEAT_S
    try:
        while page.logins.caller(page.session) is not None and not task.done():
            await asyncio.sleep(least_s)
            word = b"change"
            if not changed.is_set():
                word = b"change" if await _comes(changed, BEAT_S - least_s) else b"beat"
            changed.clear()
            yield b"event: " + word + b"\ndata: {}\n\n"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _comes(changed: asyncio.Event, wait_s: float) -> bool:
    """Whether something changes within the time."""
    try:
        async with asyncio.timeout(wait_s):
            await changed.wait()
    except TimeoutError:
        return False
    return True


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (("/live", stream),)
"""Paths below `/ui`, and who answers."""
