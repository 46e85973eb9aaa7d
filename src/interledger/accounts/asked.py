"""What this node asked peers that know a repetition, so that it can ask again after a restart.

The server-roles document has requests of BTP/2.0-I and HTTP-OER repeated until they are answered. A restart is no
answer: a Prepare stands, with the id that it has on the wire, in the commit of its hold (`PacketAsked`). A start
makes the hold an unknown amount (`recovery.py`), and the account's link asks once more (`of`) while the packet lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from interledger.accounts.entries import Hold, Unknown
from interledger.accounts.request_records import PacketAsked, encode_asked

__all__ = ["AskedJournal"]

_ENDED_KEPT: Final = 1_024
"""Packets that have their answer may stay in memory: so many more than are open, before they are looked for."""


@final
class AskedJournal:
    """All accounts' packets that are without an answer. `record`: where facts go; they belong to the commit that is
    being filled. `holds`, `unknown`: the ledger's, by their ids."""

    def __init__(
        self, record: Callable[[bytes], None], holds: Mapping[int, Hold], unknown: Mapping[int, Unknown]
    ) -> None:
        self._record = record
        self._holds = holds
        self._unknown = unknown
        self._items: dict[tuple[str, bytes], PacketAsked] = {}
        self._look_at = _ENDED_KEPT

    def add(self, hold_id: int, account: str, request_id: bytes, octets: bytes) -> None:
        """This Prepare leaves when the commit of its hold is written."""
        self._record(encode_asked(hold_id, account, request_id, octets))
        self.restore(PacketAsked(hold_id, account, request_id, octets))

    def of(self, account: str) -> list[PacketAsked]:
        """What the account's peer was asked and has not answered, oldest first."""
        return [item for item in self._open() if item.account == account]

    def find(self, account: str, request_id: bytes) -> PacketAsked | None:
        """One of them, by its id on the wire."""
        item = self._items.get((account, request_id))
        return item if item is not None and self._is_open(item.hold_id) else None

    def restore(self, record: PacketAsked) -> None:
        """Do again what a record says."""
        self._items[record.account, record.request_id] = record
        if len(self._items) > self._look_at:
            self._items = {(item.account, item.request_id): item for item in self._open()}
            self._look_at = 2 * len(self._items) + _ENDED_KEPT

    def capture(self) -> list[bytes]:
        """Records that restore it."""
        return [encode_asked(item.hold_id, item.account, item.request_id, item.octets) for item in self._open()]

    def _is_open(self, hold_id: int) -> bool:
        """Whether an answer is of use: it is awaited, or would say what an interruption left unknown."""
        unknown = self._unknown.get(hold_id)
        return hold_id in self._holds or (unknown is not None and unknown.interrupted and unknown.fulfillment is None)

    def _open(self) -> list[PacketAsked]:
        return [item for item in self._items.values() if self._is_open(item.hold_id)]
