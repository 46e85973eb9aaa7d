"""The part of the API's client that is about settlements."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote as encode_path
from urllib.parse import urlencode

from interledger.api.ledger_calls import LedgerCalls

__all__ = ["SettlementCalls"]

Document = dict[str, Any]


class SettlementCalls(LedgerCalls):
    """What may be asked of a node's settlements. The documents are described in the OpenAPI document."""

    async def settlements(self, account: str | None = None) -> list[Document]:
        """Newest first."""
        query = "" if account is None else "?" + urlencode({"account": account})
        return await self._items("/api/settlements" + query)

    async def settlement(self, settlement_id: str) -> Document:
        """One of them."""
        return cast("Document", await self._call("GET", _path(settlement_id)))

    async def create_settlement(self, account: str, amount: str | None = None, by: str | None = None) -> Document:
        """Settle now: units of the account, or all that is above its settle_to."""
        body = {"account": account, "amount": amount, "by": by}
        return cast("Document", await self._call("POST", "/api/settlements", body))

    async def retry_settlement(self, settlement_id: str) -> Document:
        """Ask its engine now."""
        return cast("Document", await self._call("POST", _path(settlement_id) + "/retry", {}))

    async def propose_void(self, settlement_id: str, reason: str, by: str | None = None) -> Document:
        """The first step of taking it back, or of refusing what is held."""
        return cast("Document", await self._call("POST", _path(settlement_id) + "/void", {"reason": reason, "by": by}))

    async def propose_approval(self, settlement_id: str, reason: str, by: str | None = None) -> Document:
        """The first step of crediting what is held."""
        body = {"reason": reason, "by": by}
        return cast("Document", await self._call("POST", _path(settlement_id) + "/approve", body))


def _path(settlement_id: str) -> str:
    return f"/api/settlements/{encode_path(settlement_id, safe='')}"
