"""The part of the API's client that is about the node as a whole: whether it takes packets, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from interledger.api.calls import ApiCalls, place, query_text

if TYPE_CHECKING:
    from interledger.api.types import IncomingPaymentDocument, IntakeDocument, RouteSessionDocument

__all__ = ["NodeCalls"]


class NodeCalls(ApiCalls):
    """What may be asked of a node as a whole."""

    async def drain(self) -> IntakeDocument:
        """Take no new packets. Ask again until `in_flight` is 0."""
        return cast("IntakeDocument", await self._call("POST", "/api/drain"))

    async def resume(self) -> IntakeDocument:
        """Take packets again."""
        return cast("IntakeDocument", await self._call("POST", "/api/resume"))

    async def stop(self) -> IntakeDocument:
        """Wait for what is in flight, and end the node's program."""
        return cast("IntakeDocument", await self._call("POST", "/api/stop"))

    async def incoming(
        self,
        *,
        account: str | None = None,
        start: str | None = None,
        end: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[list[IncomingPaymentDocument], str | None]:
        """Payments that came in: one page, newest first, and the cursor of the next one. Moments are RFC 3339."""
        query = query_text(account=account, from_=start, to=end, limit=limit, cursor=cursor)
        page = await self._call("GET", "/api/incoming" + query)
        return page["items"], page["next_cursor"]

    async def incoming_payment(self, payment_id: str) -> IncomingPaymentDocument:
        """One of them."""
        return cast("IncomingPaymentDocument", await self._call("GET", place("/api/incoming", payment_id)))

    async def route_sessions(self) -> list[RouteSessionDocument]:
        """What neighbours are told, and what is heard from them."""
        return cast("list[RouteSessionDocument]", await self._items("/api/routes/exchange"))
