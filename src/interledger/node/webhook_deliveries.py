"""Deliveries of webhooks: what is to be sent, what was sent, and how much of both is remembered.

What waits and what is done have bounds of their own, so that history costs no delivery that still waits. A receiver
that takes nothing for long loses the oldest; that is counted and logged.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, final

from interledger.clock import Timestamp
from interledger.errors import NotFoundError
from interledger.store.base import Store

__all__ = ["DONE_KEPT", "WAITING_MAX", "Deliveries", "Delivery"]

logger = logging.getLogger("interledger.node")

DONE_KEPT: Final = 500
"""Of one webhook, taken or given up; of more, the oldest is forgotten. Some 1 kB each, read at every start."""

WAITING_MAX: Final = 2_000
"""Of one webhook: two payments a minute to a receiver that is away for a night. Of more, the oldest is lost."""

FACT: Final = "webhook_delivery/"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`state`: waiting, delivered or failed. `body`: JSON text, the same at every try. `status`: of the last answer."""

    id: str
    webhook: str
    type: str
    body: str
    state: str
    tries: int
    made_at: Timestamp
    next_at: Timestamp | None
    done_at: Timestamp | None = None
    status: int | None = None
    error: str | None = None


@final
class Deliveries:
    """Those of all webhooks, in the order in which they were made; every change is given to the store."""

    def __init__(self, store: Store, facts: Mapping[str, Any]) -> None:
        self._store = store
        self._all: dict[str, dict[str, Delivery]] = {}
        self._waiting: dict[str, dict[str, Delivery]] = {}
        self._is_full: set[str] = set()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """(webhook, `delivered`, `failed` or `dropped`) -> how many, since the node started."""
        self.tries: Counter[str] = Counter()
        kept = [Delivery(**value) for name, value in facts.items() if name.startswith(FACT)]
        for one in sorted(kept, key=lambda one: (one.made_at, one.id)):
            self._note(one)

    def of(self, webhook_id: str) -> list[Delivery]:
        """Newest first."""
        return list(reversed(self._all.get(webhook_id, {}).values()))

    def get(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Raises `NotFoundError`."""
        try:
            return self._all[webhook_id][delivery_id]
        except KeyError:
            raise NotFoundError(f"There is no delivery “{delivery_id[:40]}”.") from None

    def is_current(self, one: Delivery) -> bool:
        """Whether nothing has become of it meanwhile: deleted, or asked for again."""
        return self._all.get(one.webhook, {}).get(one.id) is one

    def waiting(self, webhook_id: str) -> list[Delivery]:
        """Oldest first."""
        return list(self._waiting.get(webhook_id, {}).values())

    def next_of(self, webhook_id: str) -> Delivery | None:
        """What is to be tried first."""
        return min(self._waiting.get(webhook_id, {}).values(), key=lambda one: one.next_at or 0, default=None)

    def put(self, one: Delivery) -> None:
        """Add one, or say what became of one."""
        self._note(one)
        self._store.put_fact(FACT + one.id, asdict(one))
        if one.state != "waiting":
            self.outcomes[one.webhook, one.state] += 1
        self._forget_old(one.webhook)

    def forget_all(self, webhook_id: str) -> None:
        """Of a webhook that is no more."""
        for one in self.of(webhook_id):
            self._forget(one)
        self._is_full.discard(webhook_id)

    def _note(self, one: Delivery) -> None:
        self._all.setdefault(one.webhook, {})[one.id] = one
        waiting = self._waiting.setdefault(one.webhook, {})
        if one.state == "waiting":
            waiting[one.id] = one
        else:
            waiting.pop(one.id, None)

    def _forget_old(self, webhook_id: str) -> None:
        everything, waiting = self._all[webhook_id], self._waiting[webhook_id]
        if len(everything) - len(waiting) > DONE_KEPT:
            self._forget(next(one for one in everything.values() if one.id not in waiting))
        if len(waiting) > WAITING_MAX:
            self._forget(next(iter(waiting.values())))
            self.outcomes[webhook_id, "dropped"] += 1
            if webhook_id not in self._is_full:
                logger.warning(
                    "webhook %s: %d deliveries wait; from now on the oldest are lost", webhook_id, WAITING_MAX
                )
            self._is_full.add(webhook_id)
        elif len(waiting) < WAITING_MAX // 2:
            self._is_full.discard(webhook_id)

    def _forget(self, one: Delivery) -> None:
        del self._all[one.webhook][one.id]
        self._waiting[one.webhook].pop(one.id, None)
        self._store.put_fact(FACT + one.id, None)
