"""Payments that are not in memory any more: the store keeps a hundred times as many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

from interledger.errors import NotFoundError
from interledger.node.payment import Payment, Snapshot
from interledger.store.documents import Kind

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["PaymentHistory"]

PREFIX: Final = "pay_"


@final
class PaymentHistory:
    """`node.payment_history`. The store is read in another thread. `StoreError` when it cannot be."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def get(self, payment_id: str) -> Payment:
        """Of those in memory. Raises `NotFoundError`."""
        return self._node.paying.get(payment_id)

    async def find(self, payment_id: str) -> Payment:
        """By its id, with or without `pay_`, whenever it was. Raises `NotFoundError`."""
        try:
            return self.get(payment_id)
        except NotFoundError:
            key = PREFIX + payment_id.removeprefix(PREFIX)
            document = await asyncio.to_thread(self._node.store.history.read_document, Kind.PAYMENT, key)
            if document is None:
                raise
            return Payment(Snapshot.from_document(document))

    async def older(self, before: str | None, limit: int) -> list[Snapshot]:
        """Up to `limit` payments that the store has, newest first: those before the one with the id `before`.

        Raises `NotFoundError` when the store has not that one.
        """
        found = await asyncio.to_thread(self._node.store.history.read_documents, Kind.PAYMENT, before, limit)
        return [Snapshot.from_document(document) for _, document in found]
