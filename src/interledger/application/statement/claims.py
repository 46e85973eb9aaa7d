"""What each peer and we count as owed for packets, told from the journal: the entries of the statement.

A packet counts once it is executed: what a peer sent is owed to us, what we sent on is owed to the peer. An unknown
amount counts from the moment it is resolved as delivered. Nothing here is on a packet's path: the journal is followed
when somebody asks, and each commit of it is read once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from struct import Struct
from typing import Final, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.past import Commit, Opening
from interledger.accounts.claim_records import ClaimClosed, ClaimSetAside
from interledger.accounts.entries import Hold
from interledger.accounts.records import (
    AccountOpened,
    Evidence,
    Executed,
    GaveUp,
    Held,
    Released,
    Resolved,
    decode_records,
)
from interledger.accounts.snapshot import decode_snapshot
from interledger.application.statement.messages import BUCKET_MS, KEY_OCTETS, Entry, Summary, key_of
from interledger.clock import Timestamp
from interledger.codec.digest import sha256

__all__ = ["CLAIMS_MAX", "LATE_CLAIM", "NOTHING", "ClaimIndex", "Claims", "summarize"]

CLAIMS_MAX: Final = 200_000
"""Entries that are kept of all accounts together, of some 250 octets each. The oldest are forgotten, and the statement
says since when it is complete."""

LATE_CLAIM: Final = "late claim"
"""The kind of memo by which an amount is resolved as delivered although its proof came too late."""

NOTHING: Final = Summary(0, 0, 0)

_MODULUS: Final = 1 << 128
_ONE = Struct(">Q32s")  # when it came to count, fulfillment
_NO_FULFILLMENT: Final = bytes(32)


class _Late(NamedTuple):
    at: int
    amount: int


def _digest(key: bytes) -> int:
    return int.from_bytes(sha256(key).digest()[:16], "big")


@final
class _Bucket:
    """The keys that came to count in one minute. Sorted when they are first asked for."""

    __slots__ = ("digest", "is_sorted", "keys", "total")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.is_sorted = True
        self.total = self.digest = 0

    def add(self, key: bytes) -> None:
        self.keys.append(key)
        self.is_sorted = False
        self.total += int.from_bytes(key[32:], "big")
        self.digest = (self.digest + _digest(key)) % _MODULUS

    def starting_with(self, prefix: bytes) -> list[bytes]:
        if not self.is_sorted:
            self.keys.sort()
            self.is_sorted = True
        start = bisect_left(self.keys, prefix)
        # Octets of 255 behind a prefix are above all that begin with it.
        return self.keys[start : bisect_left(self.keys, prefix + b"\xff" * (KEY_OCTETS + 1 - len(prefix)), lo=start)]


@final
class Claims:
    """The entries of one account in one direction."""

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}
        self._by_key: dict[bytes, bytes] = {}
        """Of each key, for every time that it counts: when, and the fulfillment."""

    def add(self, key: bytes, at: int, fulfillment: bytes | None) -> None:
        """One more."""
        start = at - at % BUCKET_MS
        bucket = self._buckets.get(start)
        if bucket is None:
            bucket = self._buckets[start] = _Bucket()
        bucket.add(key)
        self._by_key[key] = self._by_key.get(key, b"") + _ONE.pack(at, fulfillment or _NO_FULFILLMENT)

    @property
    def minutes(self) -> int:
        """In how many there are entries."""
        return len(self._buckets)

    def times(self, since: int, until: int, width_ms: int) -> dict[int, Summary]:
        """Summaries by the beginning of each time that has entries, ascending."""
        found: dict[int, Summary] = {}
        for start in sorted(self._buckets):
            if start + BUCKET_MS <= since or start >= until:
                continue
            if since <= start and start + BUCKET_MS <= until:
                bucket = self._buckets[start]
                one = Summary(len(bucket.keys), bucket.total, bucket.digest)
            else:
                one = summarize(entry.key for entry in self._in_bucket(start, since, until, b""))
            if one.number:
                time = start - start % width_ms
                found[time] = _plus(found.get(time, NOTHING), one)
        return found

    def entries(self, since: int, until: int, prefix: bytes) -> list[Entry]:
        """All of that time whose key begins like this, by key."""
        found: list[Entry] = []
        for start in self._buckets:
            if start < until and start + BUCKET_MS > since:
                found += self._in_bucket(start, since, until, prefix)
        return sorted(found)

    def count_of(self, key: bytes) -> tuple[int, bytes | None]:
        """How often, and the fulfillment if it is known."""
        ones = list(_ONE.iter_unpack(self._by_key.get(key, b"")))
        known = (proof for _, proof in ones if sha256(proof).digest() == key[:32])
        return len(ones), next(known, None)

    @property
    def oldest(self) -> int | None:
        """The beginning of the oldest minute with entries."""
        return min(self._buckets, default=None)

    def forget(self, start: int) -> int:
        """Drop what came to count in the minute from `start` on. How many they were."""
        bucket = self._buckets.pop(start, None)
        if bucket is None:
            return 0
        for key in set(bucket.keys):
            left = b"".join(
                _ONE.pack(at, proof) for at, proof in _ONE.iter_unpack(self._by_key.pop(key)) if not _is_of(at, start)
            )
            if left:
                self._by_key[key] = left
        return len(bucket.keys)

    def _in_bucket(self, start: int, since: int, until: int, prefix: bytes) -> Iterator[Entry]:
        last = b""
        for key in self._buckets[start].starting_with(prefix):
            if key == last:
                continue  # its other times were told with the first
            last = key
            for at, _ in _ONE.iter_unpack(self._by_key[key]):
                if since <= at < until and _is_of(at, start):
                    yield Entry(key, at)


def _is_of(at: int, start: int) -> bool:
    return start <= at < start + BUCKET_MS


@final
class ClaimIndex:
    """The entries of all accounts. Fed the commits after an opening; `caught_at` and `holds_then` are set by whoever
    feeds it: all that was decided before that moment is in, and these packets were in flight then."""

    def __init__(self, opening: Opening, *, claims_max: int = CLAIMS_MAX) -> None:
        """Raises `DecodeError` for a snapshot that cannot be."""
        self.seq = opening.seq
        self.caught_at = 0
        self.holds_then: Sequence[Hold] = ()
        self.known_since = opening.at if opening.state is not None else 0
        self._claims_max = claims_max
        self._kept = 0
        self._names: list[tuple[str, Asset]] = []
        self._holds: dict[int, Held] = {}
        self._unknown: dict[int, tuple[int, bytes, bytes | None]] = {}
        """Of each unknown item: index of the account, key, fulfillment."""
        self._claims: dict[tuple[str, Asset, bool], Claims] = {}
        self._late: dict[tuple[str, Asset], list[_Late]] = {}
        self._aside: dict[int, tuple[int, bytes]] = {}
        """Of each claim that is set aside: index of the account, key."""
        self._lost: dict[tuple[str, Asset], Counter[bytes]] = {}
        if opening.state is not None:
            snapshot = decode_snapshot(opening.state)
            self._names = [(account.name, account.asset) for account in snapshot.accounts]
            self._holds = {hold.hold_id: hold for hold in snapshot.holds}
            for item in snapshot.unknown:
                self._unknown[item.id] = (item.account, key_of(item.condition, item.amount), item.fulfillment)
            for claim in snapshot.unproven:
                self._set_aside(claim)

    def of(self, name: str, asset: Asset, *, incoming: bool) -> Claims:
        """What is counted with this ledger account; `incoming`: of what it sent us, else of what we sent there."""
        return self._claims.setdefault((name, asset, incoming), Claims())

    def late_since(self, name: str, asset: Asset, since: int) -> int:
        """How much was taken as delivered since then although its proof came too late."""
        return sum(late.amount for late in self._late.get((name, asset), ()) if late.at >= since)

    def lost(self, name: str, asset: Asset) -> Mapping[bytes, int]:
        """The keys of what this account's peer sent and does not count, and we have written off: how often each."""
        return self._lost.get((name, asset), {})

    def feed(self, commit: Commit) -> None:
        """Add a commit. Raises `DecodeError`."""
        for record in decode_records(commit.records):
            if isinstance(record, Held):
                self._holds[record.hold_id] = record
            elif isinstance(record, Executed):
                held = self._holds.pop(record.hold_id, None)
                if held is not None:
                    self._executed(held, record.fulfillment, commit.at)
            elif isinstance(record, Released):
                self._holds.pop(record.hold_id, None)
            elif isinstance(record, GaveUp):
                held = self._holds.pop(record.hold_id, None)
                if held is not None:
                    _, account, amount = held.legs[-1]
                    self._unknown[record.hold_id] = (account, key_of(held.condition, amount), None)
            elif isinstance(record, Evidence) and record.hold_id in self._unknown:
                self._unknown[record.hold_id] = (*self._unknown[record.hold_id][:2], record.fulfillment)
            elif isinstance(record, Resolved):
                self._resolved(record, commit.at)
            elif isinstance(record, ClaimSetAside):
                self._set_aside(record)
            elif isinstance(record, ClaimClosed):
                self._claim_closed(record)
            elif isinstance(record, AccountOpened):
                self._names.append((record.name, Asset(record.asset_code, record.asset_scale)))
        self.seq = commit.seq
        while self._kept > self._claims_max:
            self._forget_oldest()

    def _set_aside(self, record: ClaimSetAside) -> None:
        self._aside[record.item_id] = (record.account, key_of(sha256(record.fulfillment).digest(), record.amount))

    def _claim_closed(self, record: ClaimClosed) -> None:
        account, key = self._aside.pop(record.item_id, (0, b""))
        if key and not record.owed:
            self._lost.setdefault(self._names[account], Counter())[key] += 1

    def _executed(self, held: Held, fulfillment: bytes, at: Timestamp) -> None:
        source = held.legs[0][0]
        amount = sum(part for debited, _, part in held.legs if debited == source)
        self._add(source, key_of(held.condition, amount), at, fulfillment, incoming=True)
        _, target, amount = held.legs[-1]
        self._add(target, key_of(held.condition, amount), at, fulfillment, incoming=False)

    def _resolved(self, record: Resolved, at: Timestamp) -> None:
        account, key, fulfillment = self._unknown.pop(record.hold_id, (0, b"", None))
        if record.delivered and key:
            self._add(account, key, at, fulfillment, incoming=False)
            if Memo.decode(record.memo).kind == LATE_CLAIM:
                late = self._late.setdefault(self._names[account], [])
                late.append(_Late(at, int.from_bytes(key[32:], "big")))

    def _add(self, index: int, key: bytes, at: int, fulfillment: bytes | None, *, incoming: bool) -> None:
        name, asset = self._names[index]
        if name.startswith("peer/"):
            self.of(name, asset, incoming=incoming).add(key, at, fulfillment)
            self._kept += 1

    def _forget_oldest(self) -> None:
        oldest = min(start for one in self._claims.values() if (start := one.oldest) is not None)
        for one in self._claims.values():
            self._kept -= one.forget(oldest)
        self.known_since = Timestamp(max(self.known_since, oldest + BUCKET_MS))


def summarize(keys: Iterator[bytes]) -> Summary:
    """The summary of entries with these keys."""
    count = total = digest = 0
    for key in keys:
        count += 1
        total += int.from_bytes(key[32:], "big")
        digest += _digest(key)
    return Summary(count, total, digest % _MODULUS)


def _plus(one: Summary, other: Summary) -> Summary:
    return Summary(one.number + other.number, one.total + other.total, (one.digest + other.digest) % _MODULUS)
