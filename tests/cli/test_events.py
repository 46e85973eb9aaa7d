"""`ilp events`: the transcript byte for byte, and every event once over lost connections."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from interledger.api.live_calls import StreamedEvent
from interledger.cli.console import Console
from interledger.cli.events import Tail, event_line
from interledger.errors import LinkError

Ilp = Callable[..., Any]

TODAY = datetime.now(UTC).strftime("%Y-%m-%dT")

# What an engine said is told in its own words, and of a settlement that ended its state.
TAIL = """\
12:00:27.212  ? unknown     unk_19  780.00 KES to kivu, no answer before expiry
12:02:10.004  ! settlement  set_4H2 450.00 EUR to bob, sepa-sim says 503, again in 41 s
12:04:31.100  ! limit       lago has used 82 % of what it may owe us
— the connection was lost; 3 events missed were fetched —
12:05:02.450  ✓ settlement  set_4H2 450.00 EUR to bob confirmed
"""


def event(number: int, at: str, kind: str, level: str, subject: str | None, text: str) -> dict[str, Any]:
    return {
        "id": number, "at": f"{TODAY}{at}Z", "kind": kind, "level": level, "subject": subject, "text": text, "data": {},
    }  # fmt: skip


FIRST = [
    event(1, "12:00:27.212", "unknown.opened", "unknown", "unk_19", "780.00 KES to kivu, no answer before expiry"),
    event(2, "12:02:10.004", "settlement.retrying", "warn", "set_4H2",
          "450.00 EUR to bob, sepa-sim says 503, again in 41 s"),
    event(3, "12:04:31.100", "limit.near", "warn", "lago", "has used 82 % of what it may owe us"),
]  # fmt: skip
LAST = event(7, "12:05:02.450", "settlement.changed", "ok", "set_4H2", "450.00 EUR to bob confirmed")


class Api:
    """Connections that end, each after its events; pages in between, which may fail."""

    def __init__(self, connections: list[list[dict[str, Any]]], pages: list[Any]) -> None:
        self.connections, self.pages = connections, pages
        self.asked: list[int | None] = []

    async def events(self, *, since: int | None = None, **_: Any) -> dict[str, Any]:
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return {"items": page, "next_cursor": None, "latest": 0}

    async def tail_events(self, *, only: str | None, since: int | None) -> AsyncIterator[StreamedEvent]:
        self.asked.append(since)
        for item in self.connections.pop(0):
            yield StreamedEvent(item.get("event", "message"), None, item)
        raise LinkError("lost")


async def follow(api: Api, limit: int, since: int | None = 0) -> str:
    out = io.StringIO()
    console = Console(out, out)

    async def sleep(seconds: float) -> None:
        return None

    tail = Tail(
        api, lambda one: console.print(event_line(one, console)), console, since=since, limit=limit, sleep=sleep
    )  # type: ignore[arg-type]  # all that is asked of it
    await tail.run()
    return out.getvalue()


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


async def test_the_transcript() -> None:
    missed = [event(number, "12:05:00.000", "alarm", "bad", None, "x") for number in (4, 5, 6)]
    api = Api([FIRST, [LAST]], [missed])
    lines = (await follow(api, 7)).splitlines(keepends=True)
    assert "".join(line for line in lines if "alarm" not in line) == TAIL
    assert api.asked == [0, 6]


async def test_a_node_that_is_away_is_waited_for() -> None:
    api = Api([[], [], [FIRST[0]]], [[], LinkError("away"), LinkError("away"), [], []])
    text = await follow(api, 1, since=None)
    assert text.splitlines()[0] == "— the connection was lost; trying again —"
    assert text.count("nothing was missed") == 2
    assert api.asked == [0, 0, 0]


async def test_what_is_gone_for_good_is_said() -> None:
    text = await follow(Api([[{"event": "gap"}, FIRST[0]]], []), 1)
    assert text.splitlines()[0] == "— some events are gone for good —"


def test_what_strangers_wrote_moves_no_cursor() -> None:
    console = Console(io.StringIO(), io.StringIO())
    assert "\x1b" not in event_line(FIRST[0] | {"text": "a\x1b[2Jb", "subject": "x\r"}, console)


def test_events_of_a_node(ilp: Ilp) -> None:
    assert ilp("account", "create", "evan", "--asset", "USD/9", "-q").code == 0
    listed = ilp("events", "list", "--only", "account")
    assert "· account     evan there is a new account" in listed.out
    number = ilp("events", "list", "--only", "account", "-q").out.split()[0]
    assert ilp("account", "delete", "evan", "--yes", "-q").code == 0
    told = ilp("events", "tail", "--since", number, "--limit", "1", "-o", "ndjson")
    assert json.loads(told.out)["kind"] == "account.deleted"
    assert int(json.loads(told.out)["id"]) > int(number)
    assert ilp("events", "tail", "--only", "weather").code == 2
    assert ilp("events", "tail", "--node", "http://127.0.0.1:9").code == 3
