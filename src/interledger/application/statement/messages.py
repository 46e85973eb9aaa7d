"""peer.statement: questions about what a peer counts, and the answers. Octets only; `docs/explanation/statement.md`.

Both ride in the data of a Prepare and its Fulfill, amount 0. A packet between the two nodes is known by its key: the
condition and the amount, as they were on the link. Every answer fits into one packet, however much there is to tell.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from itertools import pairwise
from struct import Struct
from typing import Final, NamedTuple, TypeVar

from interledger.clock import Timestamp
from interledger.codec.oer import (
    encode_octets,
    read_fixed,
    read_octets,
    read_uint8,
    read_uint16,
    read_uint32,
    read_uint64,
)
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare
from interledger.ilp.peer import PEER_CONDITION

__all__ = [
    "BUCKETS_MAX", "BUCKET_MS", "ENTRIES_MAX", "ITEMS_MAX", "KEY_OCTETS", "STATEMENT_DESTINATION", "Answer", "AskItems",
    "AskRange", "AskTimes", "Direction", "Entry", "Item", "ItemState", "Items", "Later", "Listed", "Parts", "Request",
    "Summary", "Times", "Wanted", "decode_answer", "decode_request", "encode_answer", "encode_request", "key_of",
    "statement_request",
]  # fmt: skip

STATEMENT_DESTINATION: Final = Address("peer.statement")

VERSION: Final = 1

LIFETIME_MS: Final = 20_000
"""Of a question: the answer is ready, or the peer says when to ask again."""

KEY_OCTETS: Final = 40

BUCKET_MS: Final = 60_000
"""The times that are told apart: minutes. A question puts as many together as it likes."""

BUCKETS_MAX: Final = 400
"""Times in one answer, of 44 octets each."""

ENTRIES_MAX: Final = 300
"""Entries in one answer, of 48 octets each: as many at most are listed rather than divided once more."""

ITEMS_MAX: Final = 300
"""Keys in one question, of 48 octets each."""

_KINDS: Final = 256
_T = TypeVar("_T")


class Direction(enum.IntEnum):
    """Whose packets a question is about, seen from the node that asks."""

    SENT = 0
    """What the asking node sent to the answering one."""
    RECEIVED = 1


class ItemState(enum.IntFlag):
    """What the answering node says of a key beside the count."""

    OPEN = 1
    """It may still come to count more of them: a packet is in flight, or has not expired."""
    UNKNOWN = 2
    """It sent such a packet and nobody has told it yet what became of it."""
    LATE = 4
    """It sent such a packet, has the fulfillment, and holds that it came too late to be owed."""


class Summary(NamedTuple):
    """A set of entries: how many, the sum of their amounts, the sum of their digests modulo 2^128.

    An entry's digest is the first 16 octets of the SHA-256 of its key. A sum, so that equal entries do not cancel out.
    """

    number: int
    total: int
    digest: int


class Wanted(NamedTuple):
    """A key that is asked for, and when its packet expires or expired; 0 when the asking node does not know."""

    key: bytes
    expires_at: int


class AskTimes(NamedTuple):
    """What do you count, by time? Of `since` to `until` (ms UTC, not included) of your clock, each `width_ms` long."""

    direction: Direction
    since: int
    until: int
    width_ms: int


class AskRange(NamedTuple):
    """What do you count in that time, of the keys that begin like this?"""

    direction: Direction
    since: int
    until: int
    prefix: bytes


class AskItems(NamedTuple):
    """How often do you count each of these, at any time?"""

    direction: Direction
    items: tuple[Wanted, ...]


Request = AskTimes | AskRange | AskItems


class Later(NamedTuple):
    """Not now: ask again after so long."""

    after_ms: int


class Times(NamedTuple):
    """Answers `AskTimes`: the beginning of each time with entries, ascending. `known_since`: the answering node has all
    that it ever counted since then; 0: since ever."""

    known_since: int
    asset_scale: int
    asset_code: str
    times: tuple[tuple[int, Summary], ...]


class Parts(NamedTuple):
    """Answers `AskRange`: too many to list; here by the octet that follows the prefix, ascending."""

    parts: tuple[tuple[int, Summary], ...]


class Entry(NamedTuple):
    """One packet that is counted, and when it came to count."""

    key: bytes
    at: int


class Listed(NamedTuple):
    """Answers `AskRange`: all there are, by key."""

    entries: tuple[Entry, ...]


class Item(NamedTuple):
    """How often a key is counted; with the fulfillment if it is, or if it is known."""

    number: int
    state: ItemState
    fulfillment: bytes | None


class Items(NamedTuple):
    """Answers `AskItems`, in its order."""

    known_since: int
    items: tuple[Item, ...]


Answer = Later | Times | Parts | Listed | Items

_ASK_TIMES: Final = 0
_ASK_RANGE: Final = 1
_ASK_ITEMS: Final = 2
_LATER: Final = 0
_TIMES: Final = 1
_PARTS: Final = 2
_LISTED: Final = 3
_ITEMS: Final = 4

_RANGE = Struct(">QQ")
_SUMMARY = Struct(">I16s16s")
_FULFILLED: Final = 128
"""Beside the states: 32 octets of fulfillment follow."""


def key_of(condition: bytes, amount: int) -> bytes:
    """The key of a packet. `amount` in units, as on the link. Raises `OverflowError` beyond UInt64."""
    return condition + amount.to_bytes(8, "big")


def statement_request(request: Request, now: Timestamp) -> Prepare:
    """The question as a packet."""
    data = encode_request(request)
    return Prepare(0, Timestamp(now + LIFETIME_MS), PEER_CONDITION, STATEMENT_DESTINATION, data)


# ---------------------------------------------------------------------- questions


def encode_request(request: Request) -> bytes:
    """The data of the Prepare."""
    if isinstance(request, AskItems):
        head = bytes((VERSION, _ASK_ITEMS, request.direction)) + len(request.items).to_bytes(2, "big")
        return head + b"".join(item.key + item.expires_at.to_bytes(8, "big") for item in request.items)
    times = _RANGE.pack(request.since, request.until)
    if isinstance(request, AskTimes):
        return bytes((VERSION, _ASK_TIMES, request.direction)) + times + request.width_ms.to_bytes(8, "big")
    return bytes((VERSION, _ASK_RANGE, request.direction)) + times + encode_octets(request.prefix)


def decode_request(data: bytes) -> Request:
    """Raises `DecodeError`. Octets behind are ignored: a later version may add to it."""
    _read_version(data)
    kind, _ = read_uint8(data, 1)
    number, offset = read_uint8(data, 2)
    if number > Direction.RECEIVED:
        raise DecodeError(f"a statement of direction {number}; 0 and 1 are known")
    direction = Direction(number)
    if kind == _ASK_ITEMS:
        items, _ = _read_list(data, offset, ITEMS_MAX, _read_wanted)
        return AskItems(direction, items)
    if kind not in (_ASK_TIMES, _ASK_RANGE):
        raise DecodeError(f"a statement's question of kind {kind}; 0 to 2 are known")
    since, offset = read_uint64(data, offset)
    until, offset = read_uint64(data, offset)
    if since >= until:
        raise DecodeError("a statement's time ends before it begins")
    if kind == _ASK_RANGE:
        prefix, _ = read_octets(data, offset)
        if len(prefix) >= KEY_OCTETS:
            raise DecodeError(f"a key's beginning has less than {KEY_OCTETS} octets")
        return AskRange(direction, since, until, prefix)
    width, _ = read_uint64(data, offset)
    if width == 0 or width % BUCKET_MS:
        raise DecodeError(f"a statement's times are multiples of {BUCKET_MS} ms")
    if (until - 1) // width - since // width >= BUCKETS_MAX:
        raise DecodeError(f"a statement has at most {BUCKETS_MAX} times")
    return AskTimes(direction, since, until, width)


# ---------------------------------------------------------------------- answers


def encode_answer(answer: Answer) -> bytes:
    """The data of the Fulfill."""
    if isinstance(answer, Later):
        return bytes((VERSION, _LATER)) + answer.after_ms.to_bytes(4, "big")
    if isinstance(answer, Times):
        head = bytes((VERSION, _TIMES)) + answer.known_since.to_bytes(8, "big") + bytes((answer.asset_scale,))
        head += encode_octets(answer.asset_code.encode()) + len(answer.times).to_bytes(2, "big")
        return head + b"".join(start.to_bytes(8, "big") + _encode_summary(one) for start, one in answer.times)
    if isinstance(answer, Parts):
        head = bytes((VERSION, _PARTS)) + len(answer.parts).to_bytes(2, "big")
        return head + b"".join(bytes((octet,)) + _encode_summary(one) for octet, one in answer.parts)
    if isinstance(answer, Listed):
        head = bytes((VERSION, _LISTED)) + len(answer.entries).to_bytes(2, "big")
        return head + b"".join(entry.key + entry.at.to_bytes(8, "big") for entry in answer.entries)
    head = bytes((VERSION, _ITEMS)) + answer.known_since.to_bytes(8, "big") + len(answer.items).to_bytes(2, "big")
    return head + b"".join(_encode_item(item) for item in answer.items)


def decode_answer(data: bytes) -> Answer:
    """Raises `DecodeError`. Octets behind are ignored: a later version may add to it."""
    _read_version(data)
    kind, offset = read_uint8(data, 1)
    if kind == _LATER:
        return Later(read_uint32(data, offset)[0])
    if kind == _PARTS:
        return Parts(_ascending(_read_list(data, offset, _KINDS, _read_part)[0]))
    if kind == _LISTED:
        entries, _ = _read_list(data, offset, ENTRIES_MAX, _read_entry)
        if any(one.key > other.key for one, other in pairwise(entries)):
            raise DecodeError("a statement's entries are not in order")
        return Listed(entries)
    if kind not in (_TIMES, _ITEMS):
        raise DecodeError(f"a statement's answer of kind {kind}; 0 to 4 are known")
    known_since, offset = read_uint64(data, offset)
    if kind == _ITEMS:
        return Items(known_since, _read_list(data, offset, ITEMS_MAX, _read_item)[0])
    scale, offset = read_uint8(data, offset)
    code, offset = read_octets(data, offset)
    times, _ = _read_list(data, offset, BUCKETS_MAX, _read_time)
    try:
        return Times(known_since, scale, code.decode(), _ascending(times))
    except UnicodeDecodeError:
        raise DecodeError("a statement has an asset code that is not UTF-8") from None


def _read_version(data: bytes) -> None:
    version, _ = read_uint8(data, 0)
    if version != VERSION:
        raise DecodeError(f"a statement of version {version}; version {VERSION} can be read")


def _read_list(
    data: bytes, offset: int, most: int, read: Callable[[bytes, int], tuple[_T, int]]
) -> tuple[tuple[_T, ...], int]:
    count, offset = read_uint16(data, offset)
    if count > most:
        raise DecodeError(f"a statement with {count} items; it may have {most}")
    found = []
    for _ in range(count):
        one, offset = read(data, offset)
        found.append(one)
    return tuple(found), offset


def _ascending(pairs: Sequence[tuple[int, Summary]]) -> tuple[tuple[int, Summary], ...]:
    if any(one[0] >= other[0] for one, other in pairwise(pairs)):
        raise DecodeError("a statement's summaries are not in order")
    return tuple(pairs)


def _read_wanted(data: bytes, offset: int) -> tuple[Wanted, int]:
    key, offset = read_fixed(data, offset, KEY_OCTETS)
    expires_at, offset = read_uint64(data, offset)
    return Wanted(key, expires_at), offset


def _read_entry(data: bytes, offset: int) -> tuple[Entry, int]:
    key, offset = read_fixed(data, offset, KEY_OCTETS)
    at, offset = read_uint64(data, offset)
    return Entry(key, at), offset


def _encode_summary(summary: Summary) -> bytes:
    return _SUMMARY.pack(summary.number, summary.total.to_bytes(16, "big"), summary.digest.to_bytes(16, "big"))


def _read_summary(data: bytes, offset: int) -> tuple[Summary, int]:
    count, offset = read_uint32(data, offset)
    total, offset = read_fixed(data, offset, 16)
    digest, offset = read_fixed(data, offset, 16)
    return Summary(count, int.from_bytes(total, "big"), int.from_bytes(digest, "big")), offset


def _read_time(data: bytes, offset: int) -> tuple[tuple[int, Summary], int]:
    start, offset = read_uint64(data, offset)
    summary, offset = _read_summary(data, offset)
    return (start, summary), offset


def _read_part(data: bytes, offset: int) -> tuple[tuple[int, Summary], int]:
    octet, offset = read_uint8(data, offset)
    summary, offset = _read_summary(data, offset)
    return (octet, summary), offset


def _encode_item(item: Item) -> bytes:
    proof = item.fulfillment
    flags = item.state | (0 if proof is None else _FULFILLED)
    return item.number.to_bytes(4, "big") + bytes((flags,)) + (proof or b"")


def _read_item(data: bytes, offset: int) -> tuple[Item, int]:
    count, offset = read_uint32(data, offset)
    flags, offset = read_uint8(data, offset)
    proof = None
    if flags & _FULFILLED:
        proof, offset = read_fixed(data, offset, 32)
    return Item(count, ItemState(flags & 7), proof), offset
