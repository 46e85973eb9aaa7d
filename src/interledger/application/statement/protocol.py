"""Compares what we count with what a peer counts: which questions to ask, and what the answers come to.

First every unknown amount is asked for. Then both directions are compared: summaries by time, each time that differs
divided by the beginning of the keys until what differs is listed, and what is listed is looked up at all times, because
the two nodes write a packet down at different moments. What then differs, differs.

Answers are findings, nothing more: `resolving` says what follows. Questions and candidates are bounded in any case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from typing import Final, TypeVar, cast

from interledger.accounts.ledger import Unknown
from interledger.accounts.unproven import Unproven
from interledger.application.statement.claims import NOTHING, summarize
from interledger.application.statement.findings import Agreed, Difference, Findings, OurBooks, UnknownAnswer
from interledger.application.statement.messages import (
    BUCKET_MS,
    BUCKETS_MAX,
    ITEMS_MAX,
    KEY_OCTETS,
    Answer,
    AskItems,
    AskRange,
    AskTimes,
    Direction,
    Item,
    Items,
    Listed,
    Parts,
    Request,
    Summary,
    Times,
    Wanted,
    key_of,
)
from interledger.errors import RemoteProtocolError

__all__ = [
    "CANDIDATES_MAX", "REQUESTS_MAX", "SETTLED_AFTER_MS", "SKEW_MS", "Agreed", "Difference", "Exchange", "Findings",
    "OurBooks", "UnknownAnswer", "compare",
]  # fmt: skip

REQUESTS_MAX: Final = 600
"""Questions of one run. Two thousand packets that differ need about a hundred."""

CANDIDATES_MAX: Final = 3_000
"""Keys that one run looks up. What is beyond is left for the next run, and the report says that there is more."""

SETTLED_AFTER_MS: Final = 45_000
"""What came to count so long ago is final at the other end too: longer than a packet lives, and clocks that differ."""

SKEW_MS: Final = 60_000
"""Clocks of two nodes differ by less, and so do the moments at which they write a packet down."""

SPAN_MS: Final = 90 * 86_400_000
"""How far back the two are compared at most."""

SMALL: Final = 5_000
"""Entries of one time that are divided by their keys; a larger one is divided in time first."""

Exchange = Generator[Request, Answer, "Findings"]
"""Asks; is sent the answers, but for `Later`: then whoever drives it asks the same again; returns the findings."""

_A = TypeVar("_A", bound=Answer)


class _OutOfRequestsError(Exception):
    """As many questions were asked as one run may."""


def compare(books: OurBooks) -> Exchange:
    """One run. Raises `RemoteProtocolError` when the peer answers something else than what was asked."""
    findings = Findings()
    run = _Run(books, findings)
    try:
        yield from run.ask_unknown()
        yield from run.ask_unproven()
        yield from run.compare_all()
    except _OutOfRequestsError:
        findings.is_complete = False
    return findings


class _Run:
    def __init__(self, books: OurBooks, findings: Findings) -> None:
        self._books = books
        self._findings = findings
        self._candidates: dict[tuple[Direction, bytes], int] = {}
        """(direction, key) -> when it came to count, here or there."""
        self._unproven: dict[bytes, int] = {}
        self._suspects: list[tuple[Direction, int, int, Summary, Summary]] = []

    def _ask(self, request: Request, *kinds: type[_A]) -> Generator[Request, Answer, _A]:
        if self._findings.requests >= REQUESTS_MAX:
            raise _OutOfRequestsError
        self._findings.requests += 1
        answer = yield request
        if not isinstance(answer, kinds):
            raise RemoteProtocolError(f"a statement's question was answered by {type(answer).__name__}")
        return answer

    def _look_up(
        self, direction: Direction, wanted: Sequence[Wanted]
    ) -> Generator[Request, Answer, list[tuple[Wanted, Item, int]]]:
        found: list[tuple[Wanted, Item, int]] = []
        for start in range(0, len(wanted), ITEMS_MAX):
            some = tuple(wanted[start : start + ITEMS_MAX])
            answer = yield from self._ask(AskItems(direction, some), Items)
            if len(answer.items) != len(some):
                raise RemoteProtocolError(f"{len(some)} keys were asked for, {len(answer.items)} answered")
            found += [(one, item, answer.known_since) for one, item in zip(some, answer.items, strict=True)]
        return found

    # ------------------------------------------------------------------ unknown amounts

    def ask_unknown(self) -> Generator[Request, Answer, None]:
        """What became of them, by the peer's books."""
        by_key: dict[bytes, list[Unknown]] = {}
        # Of several of one kind, that of which we have proof is the one that is counted.
        for item in sorted(self._books.unknown, key=lambda item: (item.fulfillment is None, item.expires_at, item.id)):
            by_key.setdefault(key_of(item.condition, item.amount), []).append(item)
        wanted = [Wanted(key, max(item.expires_at for item in items)) for key, items in by_key.items()]
        for one, answer, known_since in (yield from self._look_up(Direction.SENT, wanted)):
            claimed = answer.number - self._books.sent.count_of(one.key)[0]
            for number, item in enumerate(by_key[one.key]):
                # Before that it had not been sent, by either clock.
                sent_at = item.expires_at - self._books.hold_ms - SKEW_MS
                conclusive = not answer.state and (known_since == 0 or known_since <= sent_at)
                self._findings.unknown.append(UnknownAnswer(item, number < claimed, conclusive, answer))

    def ask_unproven(self) -> Generator[Request, Answer, None]:
        """Whether the peer counts by now what it did not."""
        by_key: dict[bytes, list[Unproven]] = {}
        for item in self._books.unproven:
            by_key.setdefault(key_of(item.condition, item.amount), []).append(item)
        wanted = [Wanted(key, 0) for key in by_key]
        for one, answer, _ in (yield from self._look_up(Direction.RECEIVED, wanted)):
            items = by_key[one.key]
            owed = answer.number - (self._books.count_received(one.key) - len(items))
            self._findings.owed += items[: max(owed, 0)]
            self._unproven[one.key] = len(items)

    # ------------------------------------------------------------------ everything that counts

    def compare_all(self) -> Generator[Request, Answer, None]:
        """Both directions, from where both are complete until a moment ago."""
        findings, now = self._findings, self._books.now
        until = now - SETTLED_AFTER_MS
        since = max(self._books.known_since, until - SPAN_MS, 0)
        for direction in Direction:
            since = max(since, (yield from self._known_since(direction, since, until)))
        findings.since, findings.until = since, until
        if since >= until:
            return
        for direction in Direction:
            yield from self._compare_time(direction, since, until)
        yield from self._look_up_candidates()

    def _known_since(self, direction: Direction, since: int, until: int) -> Generator[Request, Answer, int]:
        """The peer may be complete for less long than we are; then also what is near that moment is left out."""
        if since >= until:
            return since
        answer = yield from self._ask(AskTimes(direction, until - 1, until, BUCKET_MS), Times)
        if (answer.asset_code, answer.asset_scale) != self._books.asset:
            asset = f"{answer.asset_code}/{answer.asset_scale}"
            raise RemoteProtocolError(f"it keeps the account in {asset}, we keep it in {self._books.asset}")
        edge = max(answer.known_since, self._books.known_since)
        return edge + SKEW_MS if edge else since

    def _compare_time(self, direction: Direction, since: int, until: int) -> Generator[Request, Answer, None]:
        width = _width_of(since, until)
        answer = yield from self._ask(AskTimes(direction, since, until, width), Times)
        theirs = dict(answer.times)
        if any(start % width or not since - width < start < until for start in theirs):
            raise RemoteProtocolError("a statement's times are not those that were asked for")
        ours = self._books.claims(direction).times(since, until, width)
        for start in sorted(ours.keys() | theirs.keys()):
            one, other = ours.get(start, NOTHING), theirs.get(start, NOTHING)
            self._findings.compared += one.number
            if one == other or self._books.agreed.get((direction, start, width)) == (one, other):
                continue
            if max(one.number, other.number) > SMALL and width > BUCKET_MS:
                self._findings.compared -= one.number
                begin, end = max(start, since), min(start + width, until)
                yield from self._compare_time(direction, begin, end)
                continue
            if start >= since and start + width <= until:
                self._suspects.append((direction, start, width, one, other))
            yield from self._divide(direction, max(start, since), min(start + width, until), b"")

    def _divide(self, direction: Direction, since: int, until: int, prefix: bytes) -> Generator[Request, Answer, None]:
        """What differs among the keys of a time that begin like this becomes a candidate."""
        if len(self._candidates) >= CANDIDATES_MAX:
            self._findings.is_complete = False
            return
        question = AskRange(direction, since, until, prefix)
        answer = cast("Listed | Parts", (yield from self._ask(question, Listed, Parts)))
        ours = self._books.claims(direction).entries(since, until, prefix)
        if isinstance(answer, Listed):
            if any(not (entry.key.startswith(prefix) and since <= entry.at < until) for entry in answer.entries):
                raise RemoteProtocolError("a statement's entries are not those that were asked for")
            counts = Counter(entry.key for entry in ours)
            counts.subtract(Counter(entry.key for entry in answer.entries))
            for entry in (*ours, *answer.entries):
                if counts[entry.key]:
                    self._add_candidate(direction, entry.key, entry.at)
            return
        theirs = dict(answer.parts)
        keys: dict[int, list[bytes]] = {}
        for entry in ours:
            keys.setdefault(entry.key[len(prefix)], []).append(entry.key)
        for octet in sorted(keys.keys() | theirs.keys()):
            if summarize(iter(keys.get(octet, ()))) == theirs.get(octet, NOTHING):
                continue
            longer = prefix + bytes((octet,))
            if len(longer) == KEY_OCTETS:
                self._add_candidate(direction, longer, since)
            else:
                yield from self._divide(direction, since, until, longer)

    def _add_candidate(self, direction: Direction, key: bytes, at: int) -> None:
        if len(self._candidates) >= CANDIDATES_MAX:
            self._findings.is_complete = False
            return
        known = self._candidates.get((direction, key), at)
        self._candidates[direction, key] = min(known, at)

    def _look_up_candidates(self) -> Generator[Request, Answer, None]:
        """At all times: most candidates were only written down at another moment."""
        unknown = Counter(key_of(item.condition, item.amount) for item in self._books.unknown)
        for direction in Direction:
            wanted = [Wanted(key, 0) for one, key in self._candidates if one is direction]
            for one, answer, _ in (yield from self._look_up(direction, wanted)):
                # What of ours is unknown or unproven is told apart: it is no difference that they count it, or do not.
                if direction is Direction.SENT:
                    ours = low = self._books.sent.count_of(one.key)[0]
                    high = ours + unknown[one.key]
                else:
                    ours = high = self._books.count_received(one.key)
                    low = ours - self._unproven.get(one.key, 0)
                if low <= answer.number <= high or one.key in self._books.open_keys[direction]:
                    continue
                at = self._candidates[direction, one.key]
                if answer.number < low:
                    ours = low
                self._findings.differences.append(Difference(direction, one.key, at, ours, answer.number, answer))
        if self._findings.is_complete:
            self._remember_agreed()

    def _remember_agreed(self) -> None:
        """Times in which nothing really differs need not be looked at again while they stay as they are."""
        differ = [(one.direction, one.at) for one in self._findings.differences]
        for direction, start, width, ours, theirs in self._suspects:
            if not any(one is direction and start <= at < start + width for one, at in differ):
                self._books.agreed[direction, start, width] = (ours, theirs)


def _width_of(since: int, until: int) -> int:
    """The smallest length of times, whole minutes, of which few enough cover it: a multiple that stays the same."""
    width = BUCKET_MS
    while (until - 1) // width - since // width >= BUCKETS_MAX:
        width *= 2
    return width
