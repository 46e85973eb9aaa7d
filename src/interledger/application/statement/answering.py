"""Answers a peer's questions about what we count with it: about its own account and nothing else.

The work is bounded: what a question makes us look through is counted, and beyond some of that in a minute the answer is
"later". The journal is followed at most every few seconds, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, final

from interledger.accounts.account import Account, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.application.statement.claims import ClaimIndex, Claims, summarize
from interledger.application.statement.messages import (
    ENTRIES_MAX,
    Answer,
    AskItems,
    AskRange,
    AskTimes,
    Direction,
    Entry,
    Item,
    Items,
    ItemState,
    Later,
    Listed,
    Parts,
    Times,
    Wanted,
    decode_request,
    encode_answer,
    key_of,
)
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.connector.services import UNKNOWN_PROTOCOL
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_FULFILLMENT

__all__ = ["FINAL_AFTER_MS", "FRESH_MS", "WORK_PER_MINUTE", "Answerer", "answer_request", "open_keys"]

FRESH_MS: Final = 2_000
"""How old what we read of the journal may be when we answer, and so how often a peer can have us read it."""

FINAL_AFTER_MS: Final = 1_000
"""So long after a packet's expiry nothing can make it count any more: a Fulfill is relayed before the expiry or not."""

WORK_PER_MINUTE: Final = 1_000_000
"""Entries that one peer may have us look through in a minute: about a second's work."""

_ITEM_WORK: Final = 10
"""What a look-up costs beside an entry that is passed by."""

BUSY = Later(1_000)


@final
class Answerer:
    """Implements `peer.statement`. `index`: what was read of the journal last; `refresh()` has it read on."""

    def __init__(self, ledger: Ledger, index: Callable[[], ClaimIndex | None], refresh: Callable[[], None]) -> None:
        self._ledger = ledger
        self._index = index
        self._refresh = refresh
        self._work: dict[str, tuple[int, int]] = {}
        """Of each account: the minute, and what it has cost in it."""

    def answer(self, account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
        """One question. Form, amount and expiry of the packet have been looked at."""
        if account.relation is Relation.LOCAL:
            return UNKNOWN_PROTOCOL
        try:
            request = decode_request(prepare.data)
        except DecodeError as error:
            return Refused(ErrorCode.F00_BAD_REQUEST, str(error))
        index = self._index()
        # What is asked of is over: it has to be in what we read. Clocks differ, so "now" is as good.
        needed = now - FRESH_MS if isinstance(request, AskItems) else min(request.until, now - FRESH_MS)
        if index is None or index.caught_at < needed:
            self._refresh()
            return _fulfill(Later(250))
        if not self._may_work(account.id, now):
            return _fulfill(BUSY)
        answer, work = answer_request(self._ledger, index, account.ledger_name, account.asset, request)
        minute, done = self._work[account.id]
        self._work[account.id] = (minute, done + work)
        return _fulfill(answer)

    def _may_work(self, account_id: str, now: Timestamp) -> bool:
        minute = now // 60_000
        if self._work.get(account_id, (0, 0))[0] != minute:
            self._work[account_id] = (minute, 0)
        return self._work[account_id][1] < WORK_PER_MINUTE


def _fulfill(answer: Answer) -> Fulfill:
    return Fulfill(PEER_FULFILLMENT, encode_answer(answer))


def answer_request(
    ledger: Ledger, index: ClaimIndex, name: str, asset: Asset, request: AskTimes | AskRange | AskItems
) -> tuple[Answer, int]:
    """The answer, and how many entries were looked through for it. `name`: the ledger account of whoever asks."""
    # What they sent is what came in here.
    incoming = request.direction is Direction.SENT
    claims = index.of(name, asset, incoming=incoming)
    if isinstance(request, AskTimes):
        times = claims.times(request.since, request.until, request.width_ms)
        answer = Times(index.known_since, asset.scale, asset.code, tuple(times.items()))
        return answer, claims.minutes
    if isinstance(request, AskRange):
        entries = claims.entries(request.since, request.until, request.prefix)
        return _tell(entries, len(request.prefix)), len(entries) + 1
    # What was executed since we read is in neither: it was in flight then.
    still_open = open_keys(ledger, (*index.holds_then, *ledger.holds.values()), name, asset, incoming=incoming)
    states = {} if incoming else _unknown_states(ledger, name, asset)
    items = tuple(_item(claims, wanted, still_open, states, index.caught_at) for wanted in request.items)
    return Items(index.known_since, items), _ITEM_WORK * len(items) + 2 * len(ledger.holds) + len(ledger.unknown)


def _tell(entries: list[Entry], depth: int) -> Listed | Parts:
    """All of them, or summaries by the octet at `depth`: never too much for a packet."""
    if len(entries) <= ENTRIES_MAX:
        return Listed(tuple(entries))
    keys: dict[int, list[bytes]] = {}
    for entry in entries:
        keys.setdefault(entry.key[depth], []).append(entry.key)
    return Parts(tuple((octet, summarize(iter(some))) for octet, some in sorted(keys.items())))


def _item(
    claims: Claims, wanted: Wanted, still_open: set[bytes], states: dict[bytes, ItemState], caught_at: int
) -> Item:
    count, fulfillment = claims.count_of(wanted.key)
    state = states.get(wanted.key, ItemState(0))
    if wanted.key in still_open or caught_at < wanted.expires_at + FINAL_AFTER_MS:
        state |= ItemState.OPEN
    return Item(count, state, fulfillment)


def open_keys(ledger: Ledger, holds: Iterable[Hold], name: str, asset: Asset, *, incoming: bool) -> set[bytes]:
    """The keys of those packets that came from this account or went to it."""
    found = set()
    account = ledger.find(name, asset)
    for hold in holds:
        if incoming and hold.legs[0][0] is account:
            amount = sum(part for debited, _, part in hold.legs if debited is account)
            found.add(key_of(hold.condition, amount))
        elif not incoming and hold.legs[-1][1] is account:
            found.add(key_of(hold.condition, hold.legs[-1][2]))
    return found


def _unknown_states(ledger: Ledger, name: str, asset: Asset) -> dict[bytes, ItemState]:
    account = ledger.find(name, asset)
    found: dict[bytes, ItemState] = {}
    for item in ledger.unknown.values():
        if item.account is account:
            state = ItemState.UNKNOWN if item.fulfillment is None else ItemState.LATE
            key = key_of(item.condition, item.amount)
            found[key] = found.get(key, ItemState(0)) | state
    return found
