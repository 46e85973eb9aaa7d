"""A ledger that does not wait for its commits: what must break the books, and be found."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.accounts import ledger
from interledger.accounts.ledger import Batch

__all__ = ["send_at_once"]


class _AtOnce(list[Any]):
    """Effects of a batch that leave when they are added."""

    def append(self, effect: Any) -> None:
        send, *_, request_id, packet = effect
        send(request_id, packet)


def send_at_once(patch: pytest.MonkeyPatch, effects: str) -> None:
    """`effects`: `replies` or `prepares`."""
    patch.setattr(ledger, "Batch", lambda: Batch(**{effects: _AtOnce()}))
