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


async def stream(page: Page) -> Response:
    """Until the browser leaves, or the session ends."""
    return StreamingResponse(_events(page), headers=HEADERS, media_type="text/event-stream")


async def _events(page: Page) -> AsyncIterator[bytes]:
    yield b"retry: 2000\nevent: beat\ndata: {}\n\n"
    while page.logins.caller(page.session) is not None:
        await asyncio.sleep(BEAT_S)
        yield b"event: change\ndata: {}\n\n"


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (("/live", stream),)
"""Paths below `/ui`, and who answers."""
