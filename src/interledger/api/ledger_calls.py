"""The part of the API's client that is about the books: checks, statements, exports, decisions, unknown amounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import quote as encode_path
from urllib.parse import urlencode

from interledger.api.operator_calls import OperatorCalls

__all__ = ["LedgerCalls"]

READING_MS: Final = 300_000
"""A node reads its journal slowly, beside its work: 100,000 records in some seconds."""

RECONCILING_MS: Final = 660_000
"""A run of a node ends after ten minutes."""

Document = dict[str, Any]


class LedgerCalls(OperatorCalls):
    """What may be asked of a node's books. The documents are described in the OpenAPI document."""

    async def ledger_accounts(self) -> list[Document]:
        """The chart of accounts, as it stands."""
        return await self._items("/api/ledger/accounts")

    async def ledger_check(self) -> Document:
        """Compute all balances again; look at `sound` of the answer."""
        return cast("Document", await self._call("GET", "/api/ledger/check", timeout_ms=READING_MS))

    async def make_backup(self) -> Document:
        """Copy the books into a file on the node's machine; `file` of the answer names it."""
        return cast("Document", await self._call("POST", "/api/backups", timeout_ms=READING_MS))

    async def ledger_compare(self) -> list[Document]:
        """Our books beside those of every peer."""
        return cast("list[Document]", (await self._call("GET", "/api/ledger/compare", timeout_ms=READING_MS))["items"])

    async def reconcile(self, account: str) -> Document:
        """Compare packet by packet with a peer's books, and resolve what is unknown."""
        path = f"/api/ledger/reconcile/{encode_path(account, safe='')}"
        return cast("Document", await self._call("POST", path, timeout_ms=RECONCILING_MS))

    async def ledger_statement(self, account: str, **query: str | None) -> Document:
        """Of one account. `asset`, `from`, `to`, `by`."""
        path = "/api/ledger/statement?" + _query({"account": account, **query})
        return cast("Document", await self._call("GET", path, timeout_ms=READING_MS))

    async def ledger_profit(self, **query: str | None) -> Document:
        """Fees, losses, exchange positions. `from`, `to`."""
        return cast("Document", await self._call("GET", "/api/ledger/profit?" + _query(query), timeout_ms=READING_MS))

    async def ledger_export(self, **query: str | None) -> str:
        """The books as text. `format`, `from`, `to`, `by`."""
        return await self._text("/api/ledger/export?" + _query(query), timeout_ms=READING_MS)

    async def propose_correction(self, correction: Mapping[str, Any]) -> Document:
        """The first step; nothing has happened yet."""
        return cast("Document", await self._call("POST", "/api/ledger/corrections", correction))

    async def confirm_decision(self, decision_id: str) -> Document:
        """The second step. May be sent again."""
        path = f"/api/ledger/decisions/{encode_path(decision_id, safe='')}/confirm"
        return cast("Document", await self._call("POST", path))

    async def unknown(self) -> list[Document]:
        """Amounts whose delivery nobody has proved."""
        return await self._items("/api/unknown")

    async def unknown_item(self, item_id: str) -> Document:
        """One of them, and where it came from."""
        return cast("Document", await self._call("GET", _item(item_id), timeout_ms=READING_MS))

    async def prove_unknown(self, item_id: str, fulfillment: str) -> Document:
        """Keep its fulfillment (64 hex digits) as proof that it was delivered."""
        return cast("Document", await self._call("POST", _item(item_id) + "/proof", {"fulfillment": fulfillment}))

    async def propose_resolution(self, item_id: str, outcome: str, reason: str, by: str | None = None) -> Document:
        """The first step of calling it `delivered` or `not-delivered`."""
        body = {"outcome": outcome, "reason": reason, "by": by}
        return cast("Document", await self._call("POST", _item(item_id) + "/resolve", body))

    async def unproven(self) -> list[Document]:
        """What was fulfilled for peers that do not count it."""
        return await self._items("/api/unproven")

    async def propose_claim_end(self, item_id: str, outcome: str, reason: str, by: str | None = None) -> Document:
        """The first step of calling it `owed` or `lost`."""
        body = {"outcome": outcome, "reason": reason, "by": by}
        path = f"/api/unproven/{encode_path(item_id, safe='')}/resolve"
        return cast("Document", await self._call("POST", path, body))


def _item(item_id: str) -> str:
    return f"/api/unknown/{encode_path(item_id, safe='')}"


def _query(values: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in values.items() if value is not None})
