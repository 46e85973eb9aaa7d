"""Amounts of one ledger that may have been delivered: by id, and by the condition that a late fulfillment fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import final

from interledger.accounts.entries import Unknown

__all__ = ["UnknownItems"]


@final
class UnknownItems(Mapping[int, Unknown]):
    """Those that are open. The ledger alone adds and removes."""

    def __init__(self) -> None:
        self._by_id: dict[int, Unknown] = {}
        self._by_condition: dict[tuple[str, bytes], dict[int, Unknown]] = {}

    def __getitem__(self, item_id: int) -> Unknown:
        return self._by_id[item_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def fitting(self, account_name: str, condition: bytes) -> Unknown | None:
        """The oldest of the ledger account with that name whose packet had this condition."""
        return next(iter(self._by_condition.get((account_name, condition), {}).values()), None)

    def add(self, item: Unknown) -> None:
        """It became unknown."""
        self._by_id[item.id] = item
        self._by_condition.setdefault((item.account.name, item.condition), {})[item.id] = item

    def remove(self, item: Unknown) -> None:
        """It is resolved. Raises `KeyError` when it is not open."""
        del self._by_id[item.id]
        key = item.account.name, item.condition
        same = self._by_condition[key]
        del same[item.id]
        if not same:
            del self._by_condition[key]
