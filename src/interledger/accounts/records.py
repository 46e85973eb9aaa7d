"""The journal's records as octets: what the ledger writes before anything leaves, and reads after a crash.

A commit is one string of records without separators. Every number is big-endian; the first octet says the kind.
Records are values: never change a field of one. They are not frozen, because a start makes tens of thousands of them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final

from interledger.accounts.claim_records import CLAIM_KINDS, ClaimClosed, ClaimSetAside, read_claim
from interledger.accounts.request_records import REQUEST_KINDS, Answered, PacketAsked, Requested, read_request
from interledger.codec.oer import encode_octets, read_fixed, read_octets, read_uint32
from interledger.errors import DecodeError

__all__ = [
    "ENTRY_LEGS_MAX", "AccountOpened", "Counters", "EntryPosted", "Evidence", "Executed", "GaveUp", "Held",
    "LegRecord", "Record", "Released", "Resolved", "decode_records", "encode_account_opened",
    "encode_counters", "encode_entry", "encode_evidence", "encode_executed", "encode_gave_up",
    "encode_held", "encode_released", "encode_resolved", "pack_executed", "pack_held_one_leg",
]  # fmt: skip


class Kind(enum.IntEnum):
    """The first octet of a record; `claim_records.py` and `request_records.py` have more."""

    ACCOUNT_OPENED = 1
    HELD = 2
    EXECUTED = 3
    RELEASED = 4
    GAVE_UP = 5
    RESOLVED = 6
    EVIDENCE = 7
    ENTRY_POSTED = 8
    COUNTERS = 9
    INTERRUPTED = 12


ENTRY_LEGS_MAX: Final = 255
"""The count of legs is one octet. No settlement or correction comes near."""

LegRecord = tuple[int, int, int]
"""Index of the account debited, index of the account credited, amount."""


@dataclass(slots=True)
class AccountOpened:
    """A ledger account came into being. Its index is the count of those opened before."""

    index: int
    name: str
    asset_code: str
    asset_scale: int


@dataclass(slots=True)
class Held:
    """All legs of a packet are held. `remote`: the last leg is a Prepare that leaves this node."""

    hold_id: int
    remote: bool
    expires_at: int
    condition: bytes
    legs: tuple[LegRecord, ...]


@dataclass(slots=True)
class Executed:
    """All legs of a hold were posted, because the fulfillment is known."""

    hold_id: int
    fulfillment: bytes


@dataclass(slots=True)
class Released:
    """All legs of a hold were voided, because the next hop said so, or the packet never left."""

    hold_id: int


@dataclass(slots=True)
class GaveUp:
    """The next hop never said: the legs are voided and the last one's amount is set aside as unknown. `interrupted`:
    because this node was not there to listen."""

    hold_id: int
    interrupted: bool = False


@dataclass(slots=True)
class Resolved:
    """An unknown amount was found out: delivered (we owe it) or not. `memo`: by whom and why."""

    hold_id: int
    delivered: bool
    memo: str


@dataclass(slots=True)
class Evidence:
    """A fulfillment that came too late: proof that an unknown amount was delivered."""

    hold_id: int
    fulfillment: bytes


@dataclass(slots=True)
class EntryPosted:
    """A posting outside packets: a settlement, a deposit, a correction. Legs as in `Held`."""

    memo: str
    legs: tuple[LegRecord, ...]


@dataclass(slots=True)
class Counters:
    """The posted counters of an account after the records before this one: what a replay has to arrive at."""

    index: int
    debits_posted: int
    credits_posted: int


_OfPacket = Held | Executed | Released | GaveUp | Resolved | Evidence
_OfRequest = Requested | Answered | PacketAsked
Record = _OfPacket | AccountOpened | EntryPosted | ClaimSetAside | ClaimClosed | Counters | _OfRequest

_HELD = Struct(">BQ?Q32sB")
_LEG = Struct(">IIQ")
_ONE_LEG = Struct(">BQ?Q32sBIIQ")
pack_held_one_leg: Final = _ONE_LEG.pack
"""`encode_held` of one leg without a call in between: 2, hold id, remote, expires at, condition, 1, debited, credited,
amount. Raises `struct.error`. Nearly every packet is one."""

_TWO_LEGS = Struct(">BQ?Q32sBIIQIIQ")
_WITH_FULFILLMENT = Struct(">BQ32s")
pack_executed: Final = _WITH_FULFILLMENT.pack
"""`encode_executed` without a call in between: 3, hold id, fulfillment."""

_WITH_ID = Struct(">BQ")
_RESOLVED = Struct(">BQ?")
_COUNTERS = Struct(">BI16s16s")

# Plain integers: reading a journal asks for the kind of every record, and comparing with an enum member is slow.
_HELD_KIND: Final = int(Kind.HELD)
_COUNTERS_KIND: Final = int(Kind.COUNTERS)
_FULFILLED_KINDS: Final[dict[int, type[Executed | Evidence]]] = {3: Executed, 7: Evidence}
_BARE_KINDS: Final[dict[int, Callable[[int], Released | GaveUp]]] = {
    int(Kind.RELEASED): Released,
    int(Kind.GAVE_UP): GaveUp,
    int(Kind.INTERRUPTED): lambda hold_id: GaveUp(hold_id, interrupted=True),
}


def encode_account_opened(index: int, name: str, asset_code: str, asset_scale: int) -> bytes:
    """The account number `index` has this name and asset."""
    head = bytes((Kind.ACCOUNT_OPENED,)) + index.to_bytes(4, "big")
    return head + encode_octets(name.encode()) + encode_octets(asset_code.encode()) + bytes((asset_scale,))


def encode_held(hold_id: int, remote: bool, expires_at: int, condition: bytes, legs: tuple[LegRecord, ...]) -> bytes:
    """These legs are held for a packet. `remote`: it goes to another node. `expires_at`: ms UTC, of the onward one."""
    # A packet has one leg or two; both are written in one call, because this runs for every packet.
    if len(legs) == 1:
        return pack_held_one_leg(2, hold_id, remote, expires_at, condition, 1, *legs[0])
    if len(legs) == 2:
        return _TWO_LEGS.pack(2, hold_id, remote, expires_at, condition, 2, *legs[0], *legs[1])
    head = _HELD.pack(Kind.HELD, hold_id, remote, expires_at, condition, len(legs))
    return head + b"".join(_LEG.pack(*leg) for leg in legs)


def encode_executed(hold_id: int, fulfillment: bytes) -> bytes:
    """The hold was posted: its fulfillment is known."""
    return pack_executed(3, hold_id, fulfillment)


def encode_released(hold_id: int) -> bytes:
    """The hold was undone: nobody has its fulfillment."""
    return _WITH_ID.pack(4, hold_id)


def encode_gave_up(hold_id: int, interrupted: bool = False) -> bytes:
    """The hold ended without an answer: its onward amount is unknown. `interrupted`: nobody here could hear it."""
    return _WITH_ID.pack(Kind.INTERRUPTED if interrupted else Kind.GAVE_UP, hold_id)


def encode_resolved(hold_id: int, delivered: bool, memo: str) -> bytes:
    """An unknown amount was settled: delivered or not, by whom and why."""
    return _RESOLVED.pack(6, hold_id, delivered) + encode_octets(memo.encode())


def encode_evidence(hold_id: int, fulfillment: bytes) -> bytes:
    """A fulfillment came for an unknown amount."""
    return _WITH_FULFILLMENT.pack(7, hold_id, fulfillment)


def encode_entry(memo: str, legs: tuple[LegRecord, ...]) -> bytes:
    """A settlement or correction. Its legs may be larger than a packet: 16 octets an amount."""
    head = bytes((Kind.ENTRY_POSTED,)) + encode_octets(memo.encode()) + bytes((len(legs),))
    return head + b"".join(
        d.to_bytes(4, "big") + c.to_bytes(4, "big") + amount.to_bytes(16, "big") for d, c, amount in legs
    )


def encode_counters(index: int, debits_posted: int, credits_posted: int) -> bytes:
    """The account number `index` has these posted counters now."""
    return _COUNTERS.pack(9, index, debits_posted.to_bytes(16, "big"), credits_posted.to_bytes(16, "big"))


def decode_records(octets: bytes) -> Iterator[Record]:
    """The records of one commit, in order. Raises `DecodeError`: a journal that cannot be read stops the node."""
    offset = 0
    while offset < len(octets):
        try:
            record, offset = _read_record(octets, offset)
        except (StructError, UnicodeDecodeError) as error:
            raise DecodeError(f"the journal's record at octet {offset} cannot be read: {error}") from None
        yield record


def _read_record(octets: bytes, offset: int) -> tuple[Record, int]:
    kind = octets[offset]
    if kind == _HELD_KIND:
        _, hold_id, remote, expires_at, condition, count = _HELD.unpack_from(octets, offset)
        offset += _HELD.size
        legs = tuple([_LEG.unpack_from(octets, offset + i * _LEG.size) for i in range(count)])
        return Held(hold_id, remote, expires_at, condition, legs), offset + count * _LEG.size
    if kind in _FULFILLED_KINDS:
        _, hold_id, fulfillment = _WITH_FULFILLMENT.unpack_from(octets, offset)
        return _FULFILLED_KINDS[kind](hold_id, fulfillment), offset + _WITH_FULFILLMENT.size
    if kind in _BARE_KINDS:
        _, hold_id = _WITH_ID.unpack_from(octets, offset)
        return _BARE_KINDS[kind](hold_id), offset + _WITH_ID.size
    if kind == _COUNTERS_KIND:
        _, index, debits, credits_ = _COUNTERS.unpack_from(octets, offset)
        counters = Counters(index, int.from_bytes(debits, "big"), int.from_bytes(credits_, "big"))
        return counters, offset + _COUNTERS.size
    if kind == Kind.RESOLVED:
        _, hold_id, delivered = _RESOLVED.unpack_from(octets, offset)
        memo, offset = read_octets(octets, offset + _RESOLVED.size)
        return Resolved(hold_id, delivered, memo.decode()), offset
    if kind in _READERS:
        return _READERS[kind](octets, offset)
    raise DecodeError(f"the journal has a record of unknown kind {kind} at octet {offset}")


def _read_account_opened(octets: bytes, offset: int) -> tuple[AccountOpened, int]:
    index, offset = read_uint32(octets, offset + 1)
    name, offset = read_octets(octets, offset)
    code, offset = read_octets(octets, offset)
    scale, offset = read_fixed(octets, offset, 1)
    return AccountOpened(index, name.decode(), code.decode(), scale[0]), offset


def _read_entry(octets: bytes, offset: int) -> tuple[EntryPosted, int]:
    memo, offset = read_octets(octets, offset + 1)
    count, offset = read_fixed(octets, offset, 1)
    legs: list[LegRecord] = []
    for _ in range(count[0]):
        leg, offset = read_fixed(octets, offset, 24)
        legs.append((int.from_bytes(leg[:4], "big"), int.from_bytes(leg[4:8], "big"), int.from_bytes(leg[8:], "big")))
    return EntryPosted(memo.decode(), tuple(legs)), offset


_READERS: Final[dict[int, Callable[[bytes, int], tuple[Record, int]]]] = {
    Kind.ACCOUNT_OPENED: _read_account_opened,
    Kind.ENTRY_POSTED: _read_entry,
    **dict.fromkeys(CLAIM_KINDS, read_claim),
    **dict.fromkeys(REQUEST_KINDS, read_request),
}
