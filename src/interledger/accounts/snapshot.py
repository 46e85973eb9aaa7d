"""The whole ledger at one moment as octets, so that a start need not read the journal from its beginning.

`capture` is quick and runs where the ledger lives; `encode_snapshot` may run in another thread. Layout: version, next
hold id, accounts (name, asset, four counters), unknown items, then as journal records: open holds, peers' requests and
ours, claims that are not proven.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final, NamedTuple

from interledger.accounts.asset import Asset
from interledger.accounts.claim_records import ClaimSetAside, encode_claim_set_aside
from interledger.accounts.entries import Hold, Unknown
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import Held, decode_records, encode_held
from interledger.accounts.request_records import Answered, PacketAsked, Requested
from interledger.accounts.unproven import Unproven
from interledger.codec.oer import encode_octets, read_fixed, read_octets
from interledger.errors import DecodeError, LedgerError

__all__ = [
    "AccountState",
    "Snapshot",
    "StoredSnapshot",
    "StoredUnknown",
    "capture",
    "decode_snapshot",
    "encode_snapshot",
    "restore",
]

VERSION: Final = 5
VERSIONS_READ: Final = (1, 2, 3, 4, 5)
"""Version 1 had no requests, version 2 did not say what an interruption left, version 3 had no claims that are not
proven, version 4 did not say what peers had been asked; else they are the same."""

_HEAD = Struct(">BQII")  # version, next id, count of accounts, count of unknown items
_UNKNOWN = Struct(">QIQ32sQB32s")  # id, account, amount, condition, expires_at, flags, fulfillment
_PROVEN: Final = 1
_INTERRUPTED: Final = 2
_NO_FULFILLMENT: Final = bytes(32)


class AccountState(NamedTuple):
    """One ledger account and its counters, in units of its asset."""

    name: str
    asset: Asset
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int


class StoredUnknown(NamedTuple):
    """An unknown item; `account` is the index of the counterpart's ledger account."""

    id: int
    account: int
    amount: int
    condition: bytes
    expires_at: int
    fulfillment: bytes | None
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `capture` took. Nothing in it changes when the ledger goes on."""

    next_id: int
    accounts: list[AccountState]
    holds: list[Hold]
    unknown: list[Unknown]
    requests: list[bytes]
    """Peers' requests and ours, as journal records."""
    unproven: list[Unproven]


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """What `decode_snapshot` read: holds and unknown items name accounts by their index."""

    next_id: int
    accounts: list[AccountState]
    holds: list[Held]
    unknown: list[StoredUnknown]
    requests: list[Requested | Answered | PacketAsked]
    unproven: list[ClaimSetAside]


def capture(ledger: Ledger) -> Snapshot:
    """The state after everything that is recorded now. About 0.5 µs an account and 0.05 µs an open hold."""
    accounts = [
        AccountState(a.name, a.asset, a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending)
        for a in ledger.accounts
    ]
    unknown = [copy(u) for u in ledger.unknown.values()]
    holds, unproven = list(ledger.holds.values()), list(ledger.unproven.items.values())
    requests = ledger.requests.capture() + ledger.asked.capture()
    return Snapshot(ledger.next_id, accounts, holds, unknown, requests, unproven)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot's octets."""
    parts = [_HEAD.pack(VERSION, snapshot.next_id, len(snapshot.accounts), len(snapshot.unknown))]
    for account in snapshot.accounts:
        parts.append(encode_octets(account.name.encode()) + encode_octets(account.asset.code.encode()))
        parts.append(bytes((account.asset.scale,)))
        parts.extend(_encode_amount(counter) for counter in account[2:])
    for unknown in snapshot.unknown:
        parts.append(_encode_unknown(unknown))
    parts.extend(_encode_hold(hold) for hold in snapshot.holds)
    parts.extend(snapshot.requests)
    parts.extend(
        encode_claim_set_aside(one.id, one.account.index, one.amount, one.since, one.fulfillment)
        for one in snapshot.unproven
    )
    return b"".join(parts)


def decode_snapshot(octets: bytes) -> StoredSnapshot:
    """The snapshot of these octets. Raises `DecodeError`."""
    try:
        return _decode(octets)
    except (StructError, UnicodeDecodeError, IndexError) as error:
        raise DecodeError(f"the snapshot cannot be read: {error}") from None


def restore(ledger: Ledger, snapshot: StoredSnapshot) -> None:
    """Fill an empty ledger. Raises `LedgerError` when the pending counters are not those of the open items."""
    ledger.restore(
        snapshot.next_id,
        ((a.name, a.asset, a.debits_posted, a.credits_posted) for a in snapshot.accounts),
        (*snapshot.holds, *snapshot.requests),
        snapshot.unknown,
        snapshot.unproven,
    )
    for account, stored in zip(ledger.accounts, snapshot.accounts, strict=False):
        pending = (account.debits_pending, account.credits_pending)
        if pending != stored[4:]:
            raise LedgerError(
                f"{account.name} ({account.asset}) has {stored.debits_pending} debits and {stored.credits_pending} "
                f"credits pending in the snapshot, its open holds say {pending[0]} and {pending[1]}"
            )


def _encode_amount(amount: int) -> bytes:
    return encode_octets(amount.to_bytes((amount.bit_length() + 7) >> 3, "big"))


def _encode_unknown(unknown: Unknown) -> bytes:
    return _UNKNOWN.pack(
        unknown.id,
        unknown.account.index,
        unknown.amount,
        unknown.condition,
        unknown.expires_at,
        (_PROVEN if unknown.fulfillment is not None else 0) | (_INTERRUPTED if unknown.interrupted else 0),
        unknown.fulfillment or _NO_FULFILLMENT,
    )


def _encode_hold(hold: Hold) -> bytes:
    legs = tuple((debited.index, credited.index, amount) for debited, credited, amount in hold.legs)
    return encode_held(hold.id, hold.remote, hold.expires_at, hold.condition, legs)


def _decode(octets: bytes) -> StoredSnapshot:
    version, next_id, account_count, unknown_count = _HEAD.unpack_from(octets, 0)
    if version not in VERSIONS_READ:
        raise DecodeError(f"the snapshot is of version {version}, this program reads versions up to {VERSION}")
    offset = _HEAD.size
    accounts = []
    for _ in range(account_count):
        account, offset = _read_account(octets, offset)
        accounts.append(account)
    unknown = []
    for _ in range(unknown_count):
        item_id, index, amount, condition, expires_at, flags, fulfillment = _UNKNOWN.unpack_from(octets, offset)
        proof, interrupted = fulfillment if flags & _PROVEN else None, bool(flags & _INTERRUPTED)
        unknown.append(StoredUnknown(item_id, index, amount, condition, expires_at, proof, interrupted))
        offset += _UNKNOWN.size
    holds: list[Held] = []
    requests: list[Requested | Answered | PacketAsked] = []
    unproven: list[ClaimSetAside] = []
    for record in decode_records(octets[offset:]):
        if isinstance(record, Held):
            holds.append(record)
        elif isinstance(record, Requested | Answered | PacketAsked):
            requests.append(record)
        elif isinstance(record, ClaimSetAside):
            unproven.append(record)
        else:
            raise DecodeError("the snapshot has a record that is neither a hold nor a request")
    return StoredSnapshot(next_id, accounts, holds, unknown, requests, unproven)


def _read_account(octets: bytes, offset: int) -> tuple[AccountState, int]:
    name, offset = read_octets(octets, offset)
    code, offset = read_octets(octets, offset)
    scale, offset = read_fixed(octets, offset, 1)
    counters = []
    for _ in range(4):
        value, offset = read_octets(octets, offset)
        counters.append(int.from_bytes(value, "big"))
    return AccountState(name.decode(), Asset(code.decode(), scale[0]), *counters), offset
