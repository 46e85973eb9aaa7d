"""The auditor's own reader of a node's journal: written from the format alone, it shares no code with the ledger.

Every record begins with an octet for its kind; numbers are big-endian; texts and other octets of a free length are
preceded by their length (one octet, or 0x80 + n and n octets).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Entry", "read_journal"]

OPENED, HELD, EXECUTED, RELEASED, GAVE_UP, RESOLVED, EVIDENCE, POSTED, COUNTERS = range(1, 10)
REQUESTED, ANSWERED, INTERRUPTED, SET_ASIDE, CLOSED = range(10, 15)
ASKED: Final = 16

NAMES: Final = {
    OPENED: "opened",
    HELD: "held",
    EXECUTED: "executed",
    RELEASED: "released",
    GAVE_UP: "gave up",
    RESOLVED: "resolved",
    EVIDENCE: "evidence",
    POSTED: "posted",
    COUNTERS: "counters",
    REQUESTED: "requested",
    ANSWERED: "answered",
    INTERRUPTED: "gave up",
    SET_ASIDE: "set aside",
    CLOSED: "closed",
    ASKED: "asked",
}


class Entry(NamedTuple):
    """One record; what its kind does not have is empty. `legs`: (index debited, index credited, amount)."""

    kind: str
    number: int = 0
    """Of the packet, or the index of an account."""
    name: str = ""
    scale: int = 0
    code: str = ""
    remote: bool = False
    expires_at: int = 0
    octets: bytes = b""
    """The condition of a hold, the fulfillment of an execution, evidence or a claim, or the id of a request."""
    legs: tuple[tuple[int, int, int], ...] = ()
    delivered: bool = False
    debits: int = 0
    credits: int = 0


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    def take(self, count: int) -> bytes:
        begin, self.at = self.at, self.at + count
        if self.at > len(self.octets):
            raise ValueError(f"the journal ends within a record, at octet {begin}")
        return self.octets[begin : self.at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def free(self) -> bytes:
        length = self.number(1)
        return self.take(self.number(length - 0x80) if length > 0x80 else length)


def read_journal(octets: bytes) -> Iterator[Entry]:
    """The records of one commit, in their order. Raises `ValueError` for what is none."""
    reader = _Reader(octets)
    while reader.at < len(octets):
        yield _read(reader)


def _read(reader: _Reader) -> Entry:
    kind = reader.number(1)
    name = NAMES.get(kind)
    if name is None:
        raise ValueError(f"no record is of kind {kind}, at octet {reader.at - 1}")
    if kind == OPENED:
        index = reader.number(4)
        return Entry(name, index, name=reader.free().decode(), code=reader.free().decode(), scale=reader.number(1))
    if kind == HELD:
        number, remote, expires_at, condition = reader.number(8), reader.number(1), reader.number(8), reader.take(32)
        legs = _legs(reader, 8)
        return Entry(name, number, remote=bool(remote), expires_at=expires_at, octets=condition, legs=legs)
    if kind in (EXECUTED, EVIDENCE):
        return Entry(name, reader.number(8), octets=reader.take(32))
    if kind in (RELEASED, GAVE_UP, INTERRUPTED):
        return Entry(name, reader.number(8))
    if kind == SET_ASIDE:
        number, index, amount = reader.number(8), reader.number(4), reader.number(8)
        reader.take(8)  # since when
        return Entry(name, number, octets=reader.take(32), legs=((index, index, amount),))
    if kind in (RESOLVED, CLOSED):
        number, delivered = reader.number(8), bool(reader.number(1))
        return Entry(name, number, delivered=delivered, name=reader.free().decode())
    if kind == POSTED:
        memo = reader.free().decode()
        return Entry(name, name=memo, legs=_legs(reader, 16))
    if kind == COUNTERS:
        return Entry(name, reader.number(4), debits=reader.number(16), credits=reader.number(16))
    if kind == ASKED:
        number, account, request_id = reader.number(8), reader.free().decode(), reader.free()
        reader.free()  # the Prepare
        return Entry(name, number, name=account, octets=request_id)
    account, request_id = reader.free().decode(), reader.free()
    reader.take(40)  # a digest, and when it expires
    number = reader.number(8) if kind == REQUESTED else 0
    if kind == ANSWERED:
        reader.free()
    return Entry(name, number, name=account, octets=request_id)


def _legs(reader: _Reader, width: int) -> tuple[tuple[int, int, int], ...]:
    count = reader.number(1)
    return tuple((reader.number(4), reader.number(4), reader.number(width)) for _ in range(count))
