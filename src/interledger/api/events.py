"""`/api/events`: what happened at the node, as pages or as a stream of server-sent events."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.live_facade import EventsFacade, EventView
from interledger.api.operations import Call, Operation, json_response
from interledger.api.paging import read_limit
from interledger.api.sse import KEEP_ALIVE, KEEP_ALIVE_S, EventStream, sse_event, wants_events
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import InvalidRequestError
from interledger.node.live.kinds import parse_only

__all__ = ["OPERATIONS", "event_document"]

REPLAYED: Final = 4_096
"""At most so many events are sent at once to a reader who comes back: all that are kept."""

_ID: Final = re.compile(r"[0-9]{1,18}")


def event_document(event: EventView) -> dict[str, Any]:
    """One event. `data` is different for each kind: see the reference page of events."""
    return {
        "id": event.id,
        "at": format_rfc3339(event.at),
        "kind": event.kind,
        "level": event.level,
        "subject": event.subject,
        "text": event.text,
        "data": dict(event.data),
    }


async def list_events(call: Call) -> Response:
    """Newest first; with `since`, what came after it, oldest first. As a stream: what came after it, and goes on."""
    query = call.request.query_params
    kinds, since = parse_only(query.get("only")), _id(query.get("since"), "since")
    feed = call.node.live.events
    if wants_events(call.request.headers.get("accept", "")):
        last = _last_event_id(call.request)
        return EventStream(lambda: _stream(feed, since if last is None else last, kinds))
    limit = read_limit(call.request)
    if since is not None:
        page = feed.after(since, kinds, limit)
        cursor = str(page.events[-1].id) if page.more else None
    else:
        page = feed.before(_id(query.get("cursor"), "cursor"), kinds, limit)
        cursor = str(page.events[-1].id) if page.more else None
    return json_response(
        {
            "items": [event_document(event) for event in page.events],
            "next_cursor": cursor,
            "gap": page.gap,
            "latest": feed.latest_id,
        }
    )


async def _stream(feed: EventsFacade, since: int | None, kinds: frozenset[str] | None) -> AsyncIterator[bytes]:
    """First what the reader missed, then what happens. `event: gap` says that something in between is lost."""
    channel = feed.subscribe(kinds)
    try:
        sent = feed.latest_id
        yield b"retry: 1000\n\n"
        if since is not None:
            page = feed.after(since, kinds, REPLAYED)
            if page.gap:
                yield sse_event({"since": since}, event="gap")
            for event in page.events:
                yield sse_event(event_document(event), event_id=event.id)
        while True:
            try:
                event = await channel.get(KEEP_ALIVE_S)
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            if event is None:
                return
            if event.id > sent or since is None:
                yield sse_event(event_document(event), event_id=event.id)
    finally:
        channel.close()


def _last_event_id(request: Request) -> int | None:
    """A header that is no id is no reason to refuse: the browser would never come back."""
    text = request.headers.get("last-event-id", "")
    return int(text) if _ID.fullmatch(text) else None


def _id(text: str | None, field: str) -> int | None:
    if text is None:
        return None
    if _ID.fullmatch(text) is None:
        raise InvalidRequestError(f"{field} is the id of an event: a whole number", field)
    return int(text)


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/events", access=Access.ADMIN, handler=list_events,
        summary="What happened. With  Accept: text/event-stream  it goes on as it happens", answer="EventPage",
        problems=(400, 429), parameters=("only", "since", "limit", "cursor", "Last-Event-ID"), tags=("events",),
    ),
)  # fmt: skip
"""The operations of this module."""
