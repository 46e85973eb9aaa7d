"""The part of the API's client that looks at what happens: events, and whatever else a node streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

from interledger.api.calls import TIMEOUT_MS, place, query_text, read_answer
from interledger.api.settlement_calls import SettlementCalls
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.types import (
        AccountsLookDocument,
        EventPageDocument,
        HealthLookDocument,
        MovesLookDocument,
        OverviewDocument,
        PacketPageDocument,
        PacketWholeDocument,
        PositionPointDocument,
        ProfitHistoryDocument,
        RateHistoryDocument,
        RiskLookDocument,
        SettingDocument,
        TopologyDocument,
    )

__all__ = ["LiveCalls", "StreamedEvent"]

Outcome = Literal["fulfilled", "rejected", "unknown", "in_flight", "not_seen"]

EVENT_OCTETS_MAX: Final = 4_194_304
"""Of one event of a stream. A page of packets has some 500 kB."""


class StreamedEvent(NamedTuple):
    """One of a stream. `event`: `message` where nothing is said; `id`: for `since`, None where it has none."""

    event: str
    id: str | None
    data: Any


class LiveCalls(SettlementCalls):
    """What happens at a node."""

    async def events(
        self, *, only: str | None = None, since: int | None = None, cursor: str | None = None, limit: int = 100
    ) -> EventPageDocument:
        """A page: newest first, or with `since` what came after it. See `gap`, `next_cursor` and `latest`."""
        path = "/api/events" + query_text(only=only, since=since, cursor=cursor, limit=limit)
        return cast("EventPageDocument", await self._call("GET", path))

    def tail_events(self, *, only: str | None = None, since: int | None = None) -> AsyncIterator[StreamedEvent]:
        """Events as they happen, until the connection ends; with `since`, first those that came after it.

        One whose `event` is `gap` says that some are lost. Whoever comes back gives the last id. Raises `LinkError`.
        """
        return self._stream("/api/events" + query_text(only=only, since=since))

    async def overview(self) -> OverviewDocument:
        """Is anything wrong, how much could be lost, what is moving."""
        return cast("OverviewDocument", await self._call("GET", "/api/overview"))

    async def overview_health(self) -> HealthLookDocument:
        """Of the overview: what is well, and what is not."""
        return cast("HealthLookDocument", await self._call("GET", "/api/overview/health"))

    async def overview_risk(self) -> RiskLookDocument:
        """Of the overview: how much could be lost."""
        return cast("RiskLookDocument", await self._call("GET", "/api/overview/risk"))

    async def overview_moves(self) -> MovesLookDocument:
        """Of the overview: what is moving, and what was earned."""
        return cast("MovesLookDocument", await self._call("GET", "/api/overview/moves"))

    async def overview_accounts(self) -> AccountsLookDocument:
        """Of the overview: the accounts with most at stake."""
        return cast("AccountsLookDocument", await self._call("GET", "/api/overview/accounts"))

    async def rate_history(self) -> list[RateHistoryDocument]:
        """Rates since the node started."""
        return cast("list[RateHistoryDocument]", await self._items("/api/rates/history"))

    async def profit_history(self) -> ProfitHistoryDocument:
        """What was earned since the node started."""
        return cast("ProfitHistoryDocument", await self._call("GET", "/api/profit/history"))

    async def topology(self) -> TopologyDocument:
        """Who is connected, and what moves between us."""
        return cast("TopologyDocument", await self._call("GET", "/api/topology"))

    async def packets(
        self,
        *,
        account: str | None = None,
        outcome: Outcome | None = None,
        code: str | None = None,
        payment: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> PacketPageDocument:
        """A page, newest first. `code`: of the error, as `T04`; `payment`: the id of one of this node."""
        query = query_text(account=account, outcome=outcome, code=code, payment=payment, limit=limit, cursor=cursor)
        return cast("PacketPageDocument", await self._call("GET", "/api/packets" + query))

    async def packet(self, condition: str) -> PacketWholeDocument:
        """By the first digits of its condition: its journey, its octets, what is inside."""
        return cast("PacketWholeDocument", await self._call("GET", place("/api/packets", condition)))

    def tail_packets(
        self,
        *,
        account: str | None = None,
        outcome: Outcome | None = None,
        code: str | None = None,
        payment: str | None = None,
    ) -> AsyncIterator[StreamedEvent]:
        """Each packet as it has its outcome (`packet`); above 200 a second, how many more there were (`missed`)."""
        return self._stream("/api/packets" + query_text(account=account, outcome=outcome, code=code, payment=payment))

    async def account_history(self, account_id: str) -> list[PositionPointDocument]:
        """Where an account stood since the node started, oldest first."""
        items = await self._items(place("/api/accounts", account_id) + "/history")
        return cast("list[PositionPointDocument]", items)

    async def settings(self) -> list[SettingDocument]:
        """What the node runs with, and who said so."""
        return cast("list[SettingDocument]", await self._items("/api/settings"))

    def watch(self, *topics: str) -> AsyncIterator[StreamedEvent]:
        """What changes, while you listen: each topic's document whenever it is another one, `event` is the topic."""
        return self._stream("/api/live" + query_text(topics=",".join(topics)))

    async def _stream(self, path: str) -> AsyncIterator[StreamedEvent]:
        """What a stream of server-sent events says, without its comments."""
        headers, octets = self._request(None)
        headers["Accept"] = "text/event-stream"
        fetch_stream = self._fetch_stream or self._default_fetch_stream()
        async with fetch_stream(
            "GET", self.base_url + path, headers=headers, body=octets, timeout_ms=TIMEOUT_MS
        ) as answer:
            rest = b""
            async for part in answer:
                rest += part
                if answer.status < HTTPStatus.BAD_REQUEST:
                    *events, rest = rest.split(b"\n\n")
                    for event in filter(None, map(_read_event, events)):
                        yield event
                if len(rest) > EVENT_OCTETS_MAX:
                    raise LinkError(f"{self.base_url} sends events that have no end")
            if answer.status >= HTTPStatus.BAD_REQUEST:
                read_answer(answer.status, rest)


def _read_event(octets: bytes) -> StreamedEvent | None:
    """One block of lines; None for a comment. Raises `LinkError` for what our node does not send."""
    name, event_id, data = "message", None, None
    for line in octets.decode("utf-8", "replace").split("\n"):
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data = value
    if data is None:
        return None
    try:
        return StreamedEvent(name, event_id, json.loads(data))
    except ValueError:
        raise LinkError("what answers there is not the API of a node") from None
