"""The part of the API's client that is about the books: checks, statements, exports, decisions, unknown amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from interledger.api.calls import place, query_text
from interledger.api.operator_calls import OperatorCalls

if TYPE_CHECKING:
    from interledger.api.types import (
        BackupDocument,
        ComparisonDocument,
        CorrectionDocument,
        DecisionDocument,
        LedgerAccountDocument,
        LedgerCheckDocument,
        ProfitDocument,
        ReconciliationDocument,
        StatementDocument,
        UnknownDocument,
        UnprovenDocument,
    )

__all__ = ["LedgerCalls"]

READING_MS: Final = 300_000
"""A node reads its journal slowly, beside its work: 100,000 records in some seconds."""

RECONCILING_MS: Final = 660_000
"""A run of a node ends after ten minutes."""

By = Literal["packet", "minute", "hour", "day"]


class LedgerCalls(OperatorCalls):
    """What may be asked of a node's books. Moments are RFC 3339, or dates; `end` is no part of the time."""

    async def ledger_accounts(self) -> list[LedgerAccountDocument]:
        """The chart of accounts, as it stands."""
        return cast("list[LedgerAccountDocument]", await self._items("/api/ledger/accounts"))

    async def ledger_check(self) -> LedgerCheckDocument:
        """Compute all balances again; look at `sound` of the answer."""
        return cast("LedgerCheckDocument", await self._call("GET", "/api/ledger/check", timeout_ms=READING_MS))

    async def make_backup(self) -> BackupDocument:
        """Copy the books into a file on the node's machine; `file` of the answer names it."""
        return cast("BackupDocument", await self._call("POST", "/api/backups", timeout_ms=READING_MS))

    async def ledger_compare(self) -> list[ComparisonDocument]:
        """Our books beside those of every peer."""
        answer = await self._call("GET", "/api/ledger/compare", timeout_ms=READING_MS)
        return cast("list[ComparisonDocument]", answer["items"])

    async def reconcile(self, account: str) -> ReconciliationDocument:
        """Compare packet by packet with a peer's books, and resolve what is unknown."""
        path = place("/api/ledger/reconcile", account)
        return cast("ReconciliationDocument", await self._call("POST", path, timeout_ms=RECONCILING_MS))

    async def ledger_statement(
        self,
        account: str,
        *,
        asset: str | None = None,
        start: str | None = None,
        end: str | None = None,
        by: By | None = None,
    ) -> StatementDocument:
        """What was posted to one account. `asset`: `USD/9`, where the name is used in several."""
        path = "/api/ledger/statement" + query_text(account=account, asset=asset, from_=start, to=end, by=by)
        return cast("StatementDocument", await self._call("GET", path, timeout_ms=READING_MS))

    async def ledger_profit(self, *, start: str | None = None, end: str | None = None) -> ProfitDocument:
        """Fees, losses, exchange positions."""
        path = "/api/ledger/profit" + query_text(from_=start, to=end)
        return cast("ProfitDocument", await self._call("GET", path, timeout_ms=READING_MS))

    async def ledger_export(
        self,
        form: Literal["hledger", "beancount", "csv"] | None = None,
        *,
        start: str | None = None,
        end: str | None = None,
        by: By | None = None,
    ) -> str:
        """The books as text, for other programs."""
        path = "/api/ledger/export" + query_text(format=form, from_=start, to=end, by=by)
        return await self._text(path, timeout_ms=READING_MS)

    async def propose_correction(self, correction: CorrectionDocument) -> DecisionDocument:
        """The first step; nothing has happened yet."""
        return cast("DecisionDocument", await self._call("POST", "/api/ledger/corrections", correction))

    async def confirm_decision(self, decision_id: str) -> DecisionDocument:
        """The second step. May be sent again."""
        path = place("/api/ledger/decisions", decision_id) + "/confirm"
        return cast("DecisionDocument", await self._call("POST", path))

    async def unknown(self) -> list[UnknownDocument]:
        """Amounts whose delivery nobody has proved."""
        return cast("list[UnknownDocument]", await self._items("/api/unknown"))

    async def unknown_item(self, item_id: str) -> UnknownDocument:
        """One of them, and where it came from."""
        path = place("/api/unknown", item_id)
        return cast("UnknownDocument", await self._call("GET", path, timeout_ms=READING_MS))

    async def prove_unknown(self, item_id: str, fulfillment: str) -> UnknownDocument:
        """Keep its fulfillment (64 hex digits) as proof that it was delivered."""
        path = place("/api/unknown", item_id) + "/proof"
        return cast("UnknownDocument", await self._call("POST", path, {"fulfillment": fulfillment}))

    async def propose_resolution(
        self, item_id: str, outcome: str, reason: str, by: str | None = None
    ) -> DecisionDocument:
        """The first step of calling it `delivered` or `not-delivered`."""
        body = {"outcome": outcome, "reason": reason, "by": by}
        path = place("/api/unknown", item_id) + "/resolve"
        return cast("DecisionDocument", await self._call("POST", path, body))

    async def unproven(self) -> list[UnprovenDocument]:
        """What was fulfilled for peers that do not count it."""
        return cast("list[UnprovenDocument]", await self._items("/api/unproven"))

    async def propose_claim(self, account: str, condition: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of setting a packet aside that the peer does not count, by its condition (64 hex digits)."""
        body = {"account": account, "condition": condition, "reason": reason, "by": by}
        return cast("DecisionDocument", await self._call("POST", "/api/unproven", body, timeout_ms=READING_MS))

    async def propose_claim_end(
        self, item_id: str, outcome: str, reason: str, by: str | None = None
    ) -> DecisionDocument:
        """The first step of calling it `owed` or `lost`."""
        body = {"outcome": outcome, "reason": reason, "by": by}
        path = place("/api/unproven", item_id) + "/resolve"
        return cast("DecisionDocument", await self._call("POST", path, body))
