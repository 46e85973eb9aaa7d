"""Records packets while somebody wants to see them; costs nothing while nobody does.

While it is on there is an ear at every peer: one more guard, which refuses nothing and hears a Prepare come in, and a
link around the real one, which hears what leaves. The journey itself (`connector/forward.py`) is the same either way.

What neighbours say to each other (`peer.*`: routes, configuration, settlement) is no payment and is not recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp, stopwatch_us
from interledger.connector.events import REFUSED_DATA_MAX, PacketRefused, Step
from interledger.connector.forward import Connector
from interledger.connector.guards import Guard, Refused
from interledger.connector.peer import Peer
from interledger.connector.services import answer_own_address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.ilp.peer import PEER_PREFIX
from interledger.link.base import Link, RequestId
from interledger.node.live.packet_record import PacketRecord

if TYPE_CHECKING:
    from interledger.connector.in_flight import InFlight

K = TypeVar("K")
V = TypeVar("V")

__all__ = ["RECORDED_PER_SECOND", "RECORDS_KEPT", "TRACED_PER_SECOND", "Recorder"]

RECORDS_KEPT: Final = 2_000
"""Packets that have come latest; some 1 kB each."""

RECORDED_PER_SECOND: Final = 200
"""More of them in a second are only counted: nobody reads so fast."""

TRACED_PER_SECOND: Final = 1_000
"""So many more in a second at most for OpenTelemetry: a peer chooses conditions, and could have all of its packets
sampled."""

WAITING_MAX: Final = 5_000
"""Packets that came in and have not left, or have left and have no answer: the oldest is forgotten first."""

ANSWER_SLACK_MS: Final = 5_000
"""Every packet has had its answer so long after its time was up."""


@final
class Recorder:
    """`on_change(record)` is called when a record has its outcome."""

    def __init__(self, connector: Connector, clock: Clock, on_change: Callable[[PacketRecord], None]) -> None:
        self.records: deque[PacketRecord] = deque(maxlen=RECORDS_KEPT)
        self.missed = 0
        """Packets since the start that came when `RECORDED_PER_SECOND` were recorded already."""
        self.untraced = 0
        """Packets since the start that came when `TRACED_PER_SECOND` were recorded for OpenTelemetry already."""
        self._connector = connector
        self._clock = clock
        self._on_change = on_change
        self._is_on = False
        self._watched = False
        self._samples: Callable[[bytes], bool] | None = None
        self._arrived: dict[tuple[AccountId, bytes], PacketRecord] = {}
        self._left: dict[tuple[AccountId, RequestId], tuple[PacketRecord, Peer, RequestId]] = {}
        self._why: dict[tuple[AccountId, bytes], PacketRefused] = {}
        self._second = 0
        self._count = 0
        self._traced = 0

    def record(self, *, watched: bool, samples: Callable[[bytes], bool] | None) -> None:
        """What to record from now on: all that come if somebody watches, and those whose condition is sampled."""
        self._watched, self._samples = watched, samples
        wanted = watched or samples is not None
        if wanted and not self._is_on:
            self._start()
        elif self._is_on and not wanted:
            self._stop()

    def _start(self) -> None:
        """Listen to every peer, and to those that come."""
        self._is_on = True
        for peer in self._connector.peers.values():
            self._listen(peer)
        self._connector.on_attach = self._listen
        self._connector.refusals.on_add = self._refused

    def _stop(self) -> None:
        """Listen to nobody. What is on its way is never heard of again."""
        self._is_on = False
        self._connector.on_attach = lambda peer: None
        self._connector.refusals.on_add = lambda refused: None
        for peer in self._connector.peers.values():
            if isinstance(peer.link, _HeardLink):
                peer.link = peer.link.real
            peer.guards = tuple(guard for guard in peer.guards if not isinstance(guard, _Ear))
        for record in (*self._arrived.values(), *(record for record, _, _ in self._left.values())):
            record.outcome = "not_seen"
        self._arrived.clear()
        self._left.clear()
        self._why.clear()

    def forget_lost(self, now: Timestamp) -> None:
        """What was not heard of again though its time is long over: its answer went another way (the books could not be
        written, or its peer was attached anew)."""
        for record in _take(self._arrived, lambda record: self._is_over(record, now)):
            record.outcome = "not_seen"
        for record, _, _ in _take(self._left, lambda found: self._is_over(found[0], now)):
            record.outcome = "not_seen"

    def _is_over(self, record: PacketRecord, now: Timestamp) -> bool:
        until = min(record.expires_in, record.at + self._connector.limits.max_hold_ms)
        return until + ANSWER_SLACK_MS < now

    def _listen(self, peer: Peer) -> None:
        ear: Guard = _Ear(self, peer)
        peer.guards = (*peer.guards, ear)
        peer.link = _HeardLink(peer.link, peer, self)

    # ------------------------------------------------------------------ what is heard

    def arrived(self, peer: Peer, prepare: Prepare, now: Timestamp) -> None:
        """A Prepare came in, and no guard has refused it."""
        record = self._new_record(peer, prepare, now)
        if record is None:
            return
        if prepare.destination == self._connector.address:
            answer = answer_own_address(self._connector.services.echo, prepare)
            if isinstance(answer, Fulfill):  # goes back at once, not by way of the link
                record.answered_us, record.outcome = stopwatch_us(), "fulfilled"
                self._on_change(record)
                return
        _put(self._arrived, (peer.id, prepare.execution_condition), record)

    def _new_record(self, peer: Peer, prepare: Prepare, now: Timestamp) -> PacketRecord | None:
        """None: nobody wants it, or too many come."""
        samples = self._samples
        is_traced = samples is not None and samples(prepare.execution_condition)
        if not is_traced and not self._watched:
            return None
        if prepare.destination.startswith(PEER_PREFIX):
            return None
        second = now // 1_000
        if second != self._second:
            self._second, self._count, self._traced = second, 0, 0
        if is_traced:
            self._traced += 1
            if self._traced > TRACED_PER_SECOND:
                self.untraced += 1
                is_traced = False
        if not is_traced:
            if not self._watched:
                return None
            self._count += 1
            if self._count > RECORDED_PER_SECOND:
                self.missed += 1
                return None
        record = PacketRecord(peer, prepare, now, is_traced=is_traced)
        self.records.append(record)
        return record

    def left(self, peer: Peer, flight: InFlight, prepare: Prepare) -> None:
        """It goes on to `peer`."""
        record = self._arrived.pop((flight.incoming.id, flight.condition), None)
        if record is None:
            return
        record.sent_us = stopwatch_us()
        record.outgoing_peer, record.outgoing, record.asset_out = peer.id, peer.account.id, peer.account.asset
        record.amount_out, record.expires_out = prepare.amount, prepare.expires_at
        _put(self._left, (flight.incoming.id, flight.request_id), (record, peer, flight.onward_id))

    def replied(self, peer: Peer, request_id: RequestId, reply: Reply) -> None:
        """`peer` is told what became of its packet."""
        found = self._left.pop((peer.id, request_id), None)
        if found is None:
            return
        record, outgoing, onward_id = found
        record.answered_us = stopwatch_us()
        record.reply = reply.data if len(reply.data) <= REFUSED_DATA_MAX else None
        if isinstance(reply, Fulfill):
            record.outcome = "fulfilled"
        else:
            record.reject(reply)
            why = self._why.pop((peer.id, record.condition), None)
            if why is not None:
                record.step, record.compared = why.step, why.compared
            if onward_id in outgoing.gave_up:
                record.outcome = "unknown"
        self._on_change(record)

    def _refused(self, refused: PacketRefused) -> None:
        """By us. One that had left already gets its Reject a moment later."""
        if refused.step in (Step.VERIFY, Step.EXPIRE):
            if self._left:
                _put(self._why, (refused.account, refused.condition), refused)
            return
        record = self._arrived.pop((refused.account, refused.condition), None)
        if record is None:  # by a guard before the ear, or nobody wants it
            peer = self._connector.peers.get(refused.account)
            if peer is None or refused.prepare is None:
                return
            record = self._new_record(peer, refused.prepare, refused.at)
            if record is None:
                return
        record.answered_us = stopwatch_us()
        record.step, record.compared = refused.step, refused.compared
        record.reject(Reject(refused.code, self._connector.address, refused.why))
        self._on_change(record)


@final
class _Ear:
    """A guard that hears and says nothing."""

    __slots__ = ("_peer", "_recorder")

    def __init__(self, recorder: Recorder, peer: Peer) -> None:
        self._recorder = recorder
        self._peer = peer

    def __call__(self, prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None:
        if not dry:
            self._recorder.arrived(self._peer, prepare, now)
        return None


@final
class _HeardLink:
    """The real link, and an ear at it."""

    __slots__ = ("_peer", "_recorder", "real")

    def __init__(self, real: Link, peer: Peer, recorder: Recorder) -> None:
        self.real = real
        self._peer = peer
        self._recorder = recorder

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        flight = self._peer.in_flight.get(request_id)
        if flight is not None:
            self._recorder.left(self._peer, flight, prepare)
        self.real.send_prepare(request_id, prepare)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._recorder.replied(self._peer, request_id, reply)
        self.real.send_reply(request_id, reply)

    def ready(self) -> bool:
        return self.real.ready()


def _put(found: dict[K, V], key: K, value: V) -> None:
    found[key] = value
    if len(found) > WAITING_MAX:
        del found[next(iter(found))]


def _take(found: dict[K, V], wanted: Callable[[V], bool]) -> list[V]:
    return [found.pop(key) for key, value in list(found.items()) if wanted(value)]
