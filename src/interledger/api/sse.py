"""Server-sent events: an answer that goes on until the reader leaves, falls behind, or the node stops.

Every reader has a bounded queue at the node (`Channel`); one that does not take what is sent to it for `STALLED_S` is
cut off, so that no reader costs more than its queue. It comes back with the last id it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from interledger.api.json_text import encode_json
from interledger.api.operations import JSON_HEADERS
from interledger.api.problems import Problem

__all__ = ["KEEP_ALIVE_S", "STREAMS_MAX", "EventStream", "sse_event", "wants_events"]

MEDIA_TYPE: Final = "text/event-stream"

KEEP_ALIVE_S: Final = 15.0
"""A comment is sent when nothing else was: proxies close what is silent for a minute."""

STALLED_S: Final = 20.0
"""How long a reader may take nothing of what is sent to it."""

STREAMS_MAX: Final = 200
"""Streams of one node at a time: a browser has one per open page."""

KEEP_ALIVE: Final = b": alive\n\n"

_open: set[object] = set()


def wants_events(accept: str) -> bool:
    """Whether the caller asks for a stream."""
    return MEDIA_TYPE in accept.lower()


def sse_event(data: Any, *, event: str | None = None, event_id: int | str | None = None) -> bytes:
    """One event. JSON has no line breaks of its own, so its data is one line."""
    head = b"" if event_id is None else b"id: %b\n" % str(event_id).encode("ascii")
    if event is not None:
        head += b"event: %b\n" % event.encode("ascii")
    return head + b"data: " + encode_json(data) + b"\n\n"


@final
class EventStream(Response):
    """`parts()` makes the stream; what it yields is sent as it comes. It is closed when the reader leaves."""

    def __init__(self, parts: Callable[[], AsyncIterator[bytes]]) -> None:
        """Raises `Problem` when too many streams are open."""
        if len(_open) >= STREAMS_MAX:
            raise Problem(
                "too-many-requests", f"{STREAMS_MAX} streams are open; close one", headers={"Retry-After": "15"}
            )
        super().__init__(headers=dict(JSON_HEADERS) | {"X-Accel-Buffering": "no"}, media_type=MEDIA_TYPE)
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Never raises because of the reader. A stream that is cut ends without its last chunk, as it should."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        _open.add(self)
        sending, leaving = asyncio.ensure_future(self._send_all(send)), asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.result():
                await send({"type": "http.response.body", "body": b""})
        finally:
            _open.discard(self)
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, send: Send) -> bool:
        """Whether the stream came to its own end."""
        async with aclosing(_closable(self._parts())) as parts:
            async for part in parts:
                try:
                    async with asyncio.timeout(STALLED_S):
                        await send({"type": "http.response.body", "body": part, "more_body": True})
                except TimeoutError:
                    return False
        return True


async def _closable(parts: AsyncIterator[bytes]) -> Any:
    async for part in parts:
        yield part


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
