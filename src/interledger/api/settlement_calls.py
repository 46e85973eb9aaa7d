"""The part of the API's client that is about settlements."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from interledger.api.calls import PAGE, place, query_text
from interledger.api.ledger_calls import LedgerCalls

if TYPE_CHECKING:
    from interledger.api.types import DecisionDocument, SettlementDocument, SettlementTotalsDocument

__all__ = ["SettlementCalls"]


class SettlementCalls(LedgerCalls):
    """What may be asked of a node's settlements."""

    async def settlements(self, account: str | None = None, limit: int = 200) -> list[SettlementDocument]:
        """The latest, newest first."""
        return (await self.settlements_page(account, limit=limit))[0]

    async def settlements_page(
        self, account: str | None = None, *, limit: int = 100, cursor: str | None = None
    ) -> tuple[list[SettlementDocument], str | None]:
        """One page, newest first, and the cursor of the next one."""
        query = query_text(account=account, limit=limit, cursor=cursor)
        page = await self._call("GET", "/api/settlements" + query)
        return page["items"], page["next_cursor"]

    async def all_settlements(self, account: str | None = None) -> AsyncIterator[SettlementDocument]:
        """Every settlement that the node has had, newest first, page after page as they are read."""
        cursor: str | None = None
        while True:
            page, cursor = await self.settlements_page(account, limit=PAGE, cursor=cursor)
            for settlement in page:
                yield settlement
            if cursor is None:
                return

    async def settlement_totals(self) -> SettlementTotalsDocument:
        """What is on its way, what was settled within a day, and which engines have trouble."""
        return cast("SettlementTotalsDocument", await self._call("GET", "/api/settlements/totals"))

    async def settlement(self, settlement_id: str) -> SettlementDocument:
        """One of them."""
        return cast("SettlementDocument", await self._call("GET", place("/api/settlements", settlement_id)))

    async def create_settlement(
        self, account: str, amount: str | None = None, by: str | None = None
    ) -> SettlementDocument:
        """Settle now: units of the account, or all that is above its settle_to."""
        body = {"account": account, "amount": amount, "by": by}
        return cast("SettlementDocument", await self._call("POST", "/api/settlements", body))

    async def retry_settlement(self, settlement_id: str) -> SettlementDocument:
        """Ask its engine now."""
        path = place("/api/settlements", settlement_id) + "/retry"
        return cast("SettlementDocument", await self._call("POST", path, {}))

    async def propose_void(self, settlement_id: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of taking it back, or of refusing what is held."""
        path = place("/api/settlements", settlement_id) + "/void"
        return cast("DecisionDocument", await self._call("POST", path, {"reason": reason, "by": by}))

    async def propose_approval(self, settlement_id: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of crediting what is held."""
        path = place("/api/settlements", settlement_id) + "/approve"
        return cast("DecisionDocument", await self._call("POST", path, {"reason": reason, "by": by}))

    async def propose_resume(self, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of settling again from books that were restored from a backup."""
        body = {"reason": reason, "by": by}
        return cast("DecisionDocument", await self._call("POST", "/api/settlements/resume", body))
