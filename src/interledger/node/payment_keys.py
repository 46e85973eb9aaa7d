"""Which payment was begun under which `Idempotency-Key`: who asks again, after a restart too, pays no second time.

A key is durable with the payment's document, in one step, and no packet of the payment leaves before that step: a crash
leaves both, or nothing that was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from interledger.clock import Timestamp

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["KEYS_MAX", "KEY_LIFETIME_MS", "KeptKey", "PaymentKeys"]

FACT: Final = "payment_key/"

KEYS_MAX: Final = 10_000
"""Keys remembered; the oldest is forgotten first. Some 200 octets each, read at every start."""

KEY_LIFETIME_MS: Final = 24 * 3_600_000
"""As long as a client may still try again."""


class KeptKey(NamedTuple):
    """A key: the SHA-256 of the request's body, in hex, and the payment that came of it."""

    body: str
    payment: str
    at: Timestamp


@final
class PaymentKeys:
    """All keys that are remembered, oldest first. Of a key only its digest is kept."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        found = [
            (name.removeprefix(FACT), KeptKey(value["body"], value["payment"], Timestamp(value["at"])))
            for name, value in facts.items()
            if name.startswith(FACT)
        ]
        self._keys = dict(sorted(found, key=lambda item: item[1].at))

    def find(self, caller: str, key: str) -> KeptKey | None:
        """What came of `key`, as this caller used it."""
        kept = self._keys.get(_name(caller, key))
        return None if kept is None or kept.at <= self._oldest() else kept

    def keep(self, caller: str, key: str, body: str, payment_id: str) -> None:
        """Remember. Call it in the same turn as the payment is begun, so that one step makes both durable."""
        self._forget_old()
        name = _name(caller, key)
        kept = self._keys[name] = KeptKey(body, payment_id, self._node.clock.now())
        self._node.store.put_fact(FACT + name, kept._asdict())

    def _oldest(self) -> int:
        return self._node.clock.now() - KEY_LIFETIME_MS

    def _forget_old(self) -> None:
        oldest = self._oldest()
        while self._keys:
            name, kept = next(iter(self._keys.items()))
            if kept.at > oldest and len(self._keys) < KEYS_MAX:
                break
            del self._keys[name]
            self._node.store.put_fact(FACT + name, None)


def _name(caller: str, key: str) -> str:
    return sha256(f"{caller}\0{key}".encode()).hexdigest()
