"""What a peer that repeats its requests has asked us already, and what we answered: the one core of idempotency.

A request is known by its account and the id that the peer gave it. Its first arrival is processed; a repetition while
that lasts waits; a repetition of an answered one gets the same answer again; other octets under the same id are a
conflict. BTP/2.0-I, HTTP-OER and asynchronous ILP over HTTP all ask here.

A request that moves money is durable: that it is in progress is written in the commit of its hold, its answer in the
commit of the execution, so that a restart charges nobody twice. All others are kept in memory only.

Bounded in time (a request is forgotten a minute after its packet has expired: a repetition is then refused as expired)
and in size: those that have expired go first, and no other is forgotten, or a repetition would be charged again. New
requests are refused instead. When answers are large, the oldest are dropped, never the fact that there was one.
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, final

from interledger.accounts.request_records import Answered, Requested, encode_answered, encode_requested
from interledger.clock import Timestamp
from interledger.codec.digest import sha256

__all__ = [
    "ANSWER_OCTETS_MAX",
    "KEPT_AFTER_EXPIRY_MS",
    "REQUESTS_MAX",
    "REQUEST_ID_OCTETS_MAX",
    "Received",
    "RequestJournal",
    "RequestJournals",
    "RequestState",
    "Verdict",
]

KEPT_AFTER_EXPIRY_MS: Final = 60_000
"""How long after its packet's expiry a request is still known: clocks differ, and a repetition may be on its way."""

REQUESTS_MAX: Final = 65_536
"""Requests of one account: 2,000 a second whose packets live for 30 s. The default limit of packets lets 167 in."""

ANSWER_OCTETS_MAX: Final = 16 * 1024 * 1024
"""Octets of one account's answers: 256 each when it has as many requests as it may. STREAM's have 100."""

REQUEST_ID_OCTETS_MAX: Final = 128
"""A UUID as text has 36, BTP's number 4. Their length bounds what one request takes."""

_HEAP_SLACK: Final = 1_024
"""Entries of forgotten requests that may lie in the heap of expiries before it is made anew."""


class Verdict(enum.Enum):
    """What a request is to us."""

    NEW = "new"
    """Process it; `answer` has to follow."""
    IN_PROGRESS = "in progress"
    """A repetition: do not process it, the answer is on its way (or was too large to be kept)."""
    ANSWERED = "answered"
    """A repetition: give the same answer again."""
    CONFLICT = "conflict"
    """Other octets under an id that is in use (BTP's F05 DuplicateIdError)."""
    FULL = "full"
    """As many requests may still be repeated as we remember: refuse it for now (T02), nothing was kept."""


class Received(NamedTuple):
    """The verdict on a request; `answer` only for `Verdict.ANSWERED`."""

    verdict: Verdict
    answer: bytes | None = None


_NEW: Final = Received(Verdict.NEW)
_IN_PROGRESS: Final = Received(Verdict.IN_PROGRESS)
_CONFLICT: Final = Received(Verdict.CONFLICT)
_FULL: Final = Received(Verdict.FULL)


@final
class RequestState:
    """One request. `hold_id`: the hold of its packet, None while it has none. `answer`: None while in progress.

    An empty answer: there was one, and it was dropped. `record`: what was last written of it.
    """

    __slots__ = ("answer", "digest", "durable", "expires_at", "hold_id", "record")

    def __init__(self, digest: bytes, expires_at: int, durable: bool) -> None:
        self.digest = digest
        self.expires_at = expires_at
        self.durable = durable
        self.hold_id: int | None = None
        self.answer: bytes | None = None
        self.record: bytes | None = None


@final
class RequestJournal:
    """The requests of one account. `record`: where durable facts go; they belong to the commit that is being filled."""

    def __init__(
        self,
        account: str,
        record: Callable[[bytes], None] = lambda record: None,
        *,
        requests_max: int = REQUESTS_MAX,
        answer_octets_max: int = ANSWER_OCTETS_MAX,
    ) -> None:
        self.account = account
        self.on_answer: Callable[[bytes, bytes], None] = lambda request_id, answer: None
        """`on_answer(request_id, answer)` hands an answer to the peer: set by the link that the account has now."""
        self._record = record
        self._requests_max = requests_max
        self._answer_octets_max = answer_octets_max
        self._requests: dict[bytes, RequestState] = {}
        self._answered: dict[bytes, None] = {}
        """The ids of those whose answers are kept, oldest answer first."""
        self._answer_octets = 0
        self._due: list[tuple[int, bytes]] = []
        """A heap of (when to forget, request id); those forgotten earlier are skipped."""

    def __len__(self) -> int:
        return len(self._requests)

    # ------------------------------------------------------------------ live

    def receive(self, request_id: bytes, octets: bytes, expires_at: int, *, durable: bool, now: int = 0) -> Received:
        """A request of the peer: what to do with it. When NEW, it is in progress from now on.

        `octets`: all that must be the same in a repetition. `expires_at`: of its packet, ms UTC. `durable`: it moves
        money. `now`: what expired before may make room; by default nothing does. An id of more than
        `REQUEST_ID_OCTETS_MAX` octets is the caller's to refuse.
        """
        digest = sha256(octets).digest()
        known = self._requests.get(request_id)
        if known is not None:
            if known.digest != digest:
                return _CONFLICT
            return Received(Verdict.ANSWERED, known.answer) if known.answer else _IN_PROGRESS
        if len(self._requests) >= self._requests_max and not self._forget_expired(now):
            return _FULL
        self._add(request_id, RequestState(digest, expires_at, durable))
        return _NEW

    def hold(self, request_id: bytes, hold_id: int) -> None:
        """The request's packet is held under this id, in the commit that is being filled."""
        state = self._requests[request_id]
        state.hold_id = hold_id
        if state.durable and state.answer is None:
            state.record = encode_requested(self.account, request_id, state.digest, state.expires_at, hold_id)
            self._record(state.record)

    def answer(self, request_id: bytes, answer: bytes) -> bool:
        """Keep the answer. The first one wins: False, and nothing changes, when there is one or nobody asked."""
        state = self._requests.get(request_id)
        if state is None or state.answer is not None:
            return False
        if state.durable:
            state.record = encode_answered(self.account, request_id, state.digest, state.expires_at, answer)
            self._record(state.record)
        self._set_answer(request_id, state, answer)
        return True

    def drop(self, request_id: bytes) -> None:
        """The request was not processed after all, and nothing of it is recorded: a repetition is new."""
        self._forget(request_id)

    def silence(self, request_id: bytes) -> None:
        """Keep that there was an answer, and not the answer: a repetition gets none."""
        state = self._requests.get(request_id)
        if state is not None and state.answer:
            del self._answered[request_id]
            self._answer_octets -= len(state.answer)
            state.answer = b""

    def find(self, request_id: bytes) -> RequestState | None:
        """What is known of a request."""
        return self._requests.get(request_id)

    def entries(self) -> Iterator[tuple[bytes, RequestState]]:
        """All requests, oldest first. Not to be changed meanwhile."""
        return iter(self._requests.items())

    # ------------------------------------------------------------------ time and size

    def timer(self) -> Timestamp | None:
        """When `handle_timer` next has something to forget."""
        return Timestamp(self._due[0][0]) if self._due else None

    def handle_timer(self, now: Timestamp) -> None:
        """Forget what expired more than `KEPT_AFTER_EXPIRY_MS` ago, in progress or not: nobody may fulfill it now."""
        due = self._due
        while due and due[0][0] <= now:
            entry = heapq.heappop(due)
            if self._is_due(*entry):
                self._forget(entry[1])

    def _add(self, request_id: bytes, state: RequestState) -> None:
        self._requests[request_id] = state
        if len(self._due) > 2 * len(self._requests) + _HEAP_SLACK:
            self._due = [(_forget_at(state), request_id) for request_id, state in self._requests.items()]
            heapq.heapify(self._due)
        else:
            heapq.heappush(self._due, (_forget_at(state), request_id))

    def _set_answer(self, request_id: bytes, state: RequestState, answer: bytes) -> None:
        state.answer = answer
        if not answer:
            return  # it was dropped before a restart
        self._answered[request_id] = None
        self._answer_octets += len(answer)
        while self._answer_octets > self._answer_octets_max and len(self._answered) > 1:
            oldest = next(iter(self._answered))
            self.silence(oldest)
            dropped = self._requests[oldest]
            if dropped.durable:
                dropped.record = encode_answered(self.account, oldest, dropped.digest, dropped.expires_at, b"")

    def _forget_expired(self, now: int) -> bool:
        """Make room: forget the request that expired first, if it has expired and is not in progress."""
        due = self._due
        while due and not self._is_due(*due[0]):
            heapq.heappop(due)
        if not due or due[0][0] - KEPT_AFTER_EXPIRY_MS > now or self._requests[due[0][1]].answer is None:
            return False
        self._forget(heapq.heappop(due)[1])
        return True

    def _is_due(self, forget_at: int, request_id: bytes) -> bool:
        """Whether an entry of the heap is of a request that is still known."""
        state = self._requests.get(request_id)
        return state is not None and _forget_at(state) == forget_at

    def _forget(self, request_id: bytes) -> None:
        self.silence(request_id)
        del self._requests[request_id]

    # ------------------------------------------------------------------ replay

    def restore(self, record: Requested | Answered) -> None:
        """Do again what a record says."""
        state = self._requests.get(record.request_id)
        if state is None or isinstance(record, Requested):
            if state is not None:
                self._forget(record.request_id)
            state = RequestState(record.digest, record.expires_at, durable=True)
            self._add(record.request_id, state)
        key = (self.account, record.request_id, record.digest, record.expires_at)
        if isinstance(record, Requested):
            state.hold_id = record.hold_id
            state.record = encode_requested(*key, record.hold_id)
        elif state.answer is None:
            state.record = encode_answered(*key, record.answer)
            self._set_answer(record.request_id, state, record.answer)

    def capture(self) -> list[bytes]:
        """Records that restore what is durable here: in progress, answers that were dropped, answers, oldest first."""
        requests = self._requests
        found = [state.record for state in requests.values() if not state.answer and state.record is not None]
        answered = [requests[request_id].record for request_id in self._answered]
        return found + [record for record in answered if record is not None]


@final
class RequestJournals:
    """The journals of all accounts of a node. `record`: as for `RequestJournal`."""

    def __init__(self, record: Callable[[bytes], None]) -> None:
        self._record = record
        self._journals: dict[str, RequestJournal] = {}
        self._of_holds: dict[int, tuple[RequestJournal, bytes]] | None = None
        """What was in progress when somebody first asked for a hold: after a restart, all that may be asked for."""

    def of(self, account: str) -> RequestJournal:
        """The account's journal, made when there is none yet."""
        found = self._journals.get(account)
        if found is None:
            found = self._journals[account] = RequestJournal(account, self._record)
        return found

    def of_hold(self, hold_id: int) -> tuple[RequestJournal, bytes, RequestState] | None:
        """(journal, request id, state) of the request, in progress since before a restart, whose packet this was."""
        if self._of_holds is None:
            self._of_holds = {
                state.hold_id: (journal, request_id)
                for journal in self._journals.values()
                for request_id, state in journal.entries()
                if state.hold_id is not None and state.answer is None
            }
        journal, request_id = self._of_holds.get(hold_id, (None, b""))
        state = None if journal is None else journal.find(request_id)
        if journal is None or state is None or state.hold_id != hold_id or state.answer is not None:
            return None
        return journal, request_id, state

    def restore(self, record: Requested | Answered) -> None:
        """Do again what a record says."""
        self.of(record.account).restore(record)

    def capture(self) -> list[bytes]:
        """Records that restore all that is durable."""
        return [record for journal in self._journals.values() for record in journal.capture()]

    def handle_timer(self, now: Timestamp) -> None:
        """Forget what is too old, in every journal."""
        for journal in self._journals.values():
            journal.handle_timer(now)


def _forget_at(state: RequestState) -> int:
    return state.expires_at + KEPT_AFTER_EXPIRY_MS
