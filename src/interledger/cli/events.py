"""`ilp events`: what happened at a node, and what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, final

import click

from interledger.cli.console import Console
from interledger.cli.money import parse_moment
from interledger.cli.output import printable
from interledger.cli.state import State
from interledger.cli.stream import Stream
from interledger.cli.tree import command
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["Tail", "event_line", "list_events", "tail"]

Document = Mapping[str, Any]

MARKS: Final = {"ok": "✓", "info": "·", "warn": "!", "unknown": "?", "bad": "✗"}

TOPIC_WIDTH: Final = 10
SUBJECT_WIDTH: Final = 7
"""Of ids, as `set_4H2`: what follows them stands in one column."""

PAGE: Final = 500
"""Events that are fetched at once after a connection was lost."""

WAITS_S: Final = (0.2, 1.0, 2.0, 5.0)
"""Before the node is tried again; the last one for ever."""

_ONLY = click.option("--only", metavar="KIND,KIND", help="Of these topics or kinds: unknown,limit.near")


@command("list")
@_ONLY
@click.option("--since", type=click.IntRange(0), metavar="ID", help="What came after this event, oldest first.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, metavar="COUNT", help="How many.")
@click.pass_obj
def list_events(state: State, only: str | None, since: int | None, limit: int) -> None:
    """What happened, newest first.

    \b
      ilp events list --only unknown,settlement
    """
    page = state.call(lambda api: api.events(only=only, since=since, limit=limit))
    none = ["Nothing happened yet."]
    state.emit_list(page["items"], lambda: [event_line(event, state.console) for event in page["items"]] or none)


@command("tail")
@_ONLY
@click.option("--since", type=click.IntRange(0), metavar="ID", help="Begin with what came after this event.")
@click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="Stop after so many events.")
@click.pass_obj
def tail(state: State, only: str | None, since: int | None, limit: int | None) -> None:
    """What happens, as it happens, until Ctrl-C. When the connection is lost, what was missed is fetched.

    \b
      ilp events tail --only unknown,settlement,limit
      ilp events tail -o ndjson --since 4711
    """
    stream = Stream(state)

    def put(event: Document) -> None:
        stream.put(event, lambda: event_line(event, state.console))

    state.call(lambda api: Tail(api, put, state.console, only=only, since=since, limit=limit).run())


def event_line(event: Document, console: Console) -> str:
    """`12:00:27.212  ? unknown     unk_19  780.00 KES to kivu, no answer before expiry`"""
    topic = str(event["kind"]).partition(".")[0]
    subject = "" if event["subject"] is None else printable(str(event["subject"]))
    if subject.startswith(("unk_", "set_", "pay_")):
        subject = f"{subject:<{SUBJECT_WIDTH}}"
    mark = console.mark(MARKS.get(event["level"], "·"))
    what = f"{subject} {printable(event['text'])}".strip()
    return f"{_moment(event['at'])}  {mark} {topic:<{TOPIC_WIDTH}}  {what}"


def _moment(text: str) -> str:
    moment = parse_moment(text).astimezone()
    is_today = moment.date() == datetime.now(moment.tzinfo).date()
    return moment.strftime("%H:%M:%S." if is_today else "%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03}"


class _EnoughError(Exception):
    """As many as were asked for."""


@final
class Tail:
    """Events in order, each once, over as many connections as it takes. What `put` returns is waited for."""

    def __init__(
        self,
        api: ApiClient,
        put: Callable[[Document], Awaitable[None] | None],
        console: Console,
        *,
        only: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._api, self._put, self._console = api, put, console
        self._only, self._last, self._left = only, since, limit
        self._sleep = sleep

    async def run(self) -> None:
        """Until enough has come. Raises `LinkError` when the node cannot be reached at the start, `ApiError`."""
        if self._last is None:
            self._last = int((await self._api.events(limit=1))["latest"])
        try:
            await self._follow()
            while True:
                await self._fetch_missed()
                await self._follow()
        except _EnoughError:
            return

    async def _follow(self) -> None:
        """One connection, until it ends."""
        try:
            async for event in self._api.tail_events(only=self._only, since=self._last):
                if event.event == "gap":
                    self._console.note("— some events are gone for good —")
                else:
                    await self._take(event.data)
        except LinkError:
            return

    async def _fetch_missed(self) -> None:
        """Try until the node answers, then say how much was missed."""
        missed: Sequence[Document] = []
        tried = 0
        while True:
            await self._sleep(WAITS_S[min(tried, len(WAITS_S) - 1)])
            tried += 1
            try:
                page = await self._api.events(only=self._only, since=self._last, limit=PAGE)
                missed = page["items"]
                break
            except LinkError:
                if tried == 1:
                    self._console.note("— the connection was lost; trying again —")
        count = len(missed)
        more = " or more" if page["next_cursor"] is not None else ""
        were = f"{count}{more} event{'' if count == 1 else 's'} missed {'was' if count == 1 else 'were'} fetched"
        self._console.note(f"— the connection was lost; {were if count else 'nothing was missed'} —")
        for event in missed:
            await self._take(event)

    async def _take(self, event: Document) -> None:
        self._last = int(event["id"])
        waiting = self._put(event)
        if waiting is not None:
            await waiting
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise _EnoughError
