"""Settlements page by page: those in memory, then those that only the store has. The store has all, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.errors import InvalidRequestError, NotFoundError
from interledger.settlement.records import ARCHIVE, Settlement
from interledger.store.documents import Kind

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["SettlementHistory", "SettlementPage"]

READ_AT_ONCE: Final = 500
"""Documents of the store: some 5 ms of a thread."""

READ_MAX: Final = 10_000
"""Documents that are read for one page: where few of them are wanted, the page is shorter, and the next one goes on."""


class SettlementPage(NamedTuple):
    """`cursor`: of the next page; None: there is none."""

    items: list[Settlement]
    cursor: str | None


@final
class SettlementHistory:
    """`node.settlements.history`. A cursor is the id of a settlement; of one that is done, its document's key."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def page(self, account: AccountId | None, limit: int, cursor: str | None) -> SettlementPage:
        """Newest first; of one account, or of all. Raises `InvalidRequestError` for a cursor of nothing."""
        book = self._node.settlements.book
        found: list[Settlement] = []
        remembered = book.latest()
        at = next((i for i, one in enumerate(remembered) if cursor in (one.id, one.document_key)), None)
        if cursor is None or at is not None:
            cursor = None
            for one in remembered[0 if at is None else at + 1 :]:
                if account in (None, one.account):
                    if len(found) == limit:
                        return SettlementPage(found, _cursor(found[-1]))
                    found.append(one)
        elif not cursor.startswith(ARCHIVE):
            raise _no_cursor()
        count = 0
        async for one in self._stored(cursor):
            count += 1
            if book.knows(one.id):  # it was among those above
                continue
            if account in (None, one.account):
                if len(found) == limit:
                    return SettlementPage(found, _cursor(found[-1]))
                found.append(one)
            if count >= READ_MAX:
                return SettlementPage(found, _cursor(one))
        return SettlementPage(found, None)

    async def find(self, settlement_id: str) -> Settlement:
        """By its id, whenever it was. Raises `NotFoundError`."""
        try:
            return self._node.settlements.get(settlement_id)
        except NotFoundError:
            # One of ours has its id in its key. Of one that came in only the engine's key is there: all are looked at.
            key = f"{ARCHIVE}out/{settlement_id}"
            document = await asyncio.to_thread(self._node.store.history.read_document, Kind.SETTLED, key)
            if document is not None:
                return Settlement.decode(document)
            async for one in self._stored(None):
                if one.id == settlement_id:
                    return one
            raise

    async def _stored(self, before: str | None) -> AsyncIterator[Settlement]:
        """Those that are done, the latest that was done first."""
        read = self._node.store.history.read_documents
        while True:
            try:
                found = await asyncio.to_thread(read, Kind.SETTLED, before, READ_AT_ONCE)
            except NotFoundError:
                raise _no_cursor() from None
            for key, document in found:
                yield Settlement.decode(document)
                before = key
            if len(found) < READ_AT_ONCE:
                return


def _cursor(settlement: Settlement) -> str:
    return settlement.id if settlement.state.is_open else settlement.document_key


def _no_cursor() -> InvalidRequestError:
    return InvalidRequestError("this cursor is of no settlement", "cursor")
