"""A packet on its way over HTTP in a form with ids, and the id that a new one gets. No I/O."""

from __future__ import annotations

from typing import Final, final

from interledger.clock import Entropy
from interledger.link.base import RequestId

__all__ = ["BEFORE", "Job", "fresh_id"]

BEFORE: Final = RequestId(-1)
"""In place of the onward id, of a Prepare that was sent before a restart."""


@final
class Job:
    """One packet on its way. `onward_id`: of a Prepare, None for an answer."""

    __slots__ = ("body", "expires_at", "head", "onward_id", "request_id", "since", "uncertain")

    def __init__(
        self, request_id: bytes, head: bytes, body: bytes, since: int, expires_at: int, onward_id: RequestId | None
    ) -> None:
        self.request_id = request_id
        self.head = head
        self.body = body
        self.since = since
        self.expires_at = expires_at
        self.onward_id = onward_id
        self.uncertain = onward_id == BEFORE
        """The peer may have got it by an attempt that failed, or before a restart."""


def fresh_id(entropy: Entropy) -> bytes:
    """An id for a packet: the text of a version 4 UUID (RFC 9562 5.4)."""
    text = bytearray(entropy.octets(16))
    text[6] = (text[6] & 0x0F) | 0x40
    text[8] = (text[8] & 0x3F) | 0x80
    digits = text.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode("ascii")
