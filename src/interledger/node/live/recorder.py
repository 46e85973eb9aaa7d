"""Records packets while somebody wants to see them; costs nothing while nobody does.

While it is on there is an ear at every peer: one more guard, which refuses nothing and hears a Prepare come in, and a
link around the real one, which hears what leaves. The journey itself (`connector/forward.py`) is the same either way.

What neighbours say to each other (`peer.*`: routes, configuration, settlement) is no payment and is not recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar, final
from weakref import WeakSet

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp, stopwatch_us
from interledger.connector.events import REFUSED_DATA_MAX, PacketRefused, Step
from interledger.connector.forward import Connector
from interledger.connector.guards import Guard, Refused
from interledger.connector.in_flight import NEVER
from interledger.connector.peer import Peer
from interledger.connector.services import answer_own_address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.ilp.peer import PEER_PREFIX
from interledger.link.base import Link, RequestId
from interledger.node.live.packet_record import PacketRecord
from interledger.node.live.sampling import Sampling

_Onward = tuple[PacketRecord, Peer, RequestId]
"""A packet that left: where to, and by which number."""

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
"""Packets that came in and have not left, of which the oldest is forgotten first; and as many that have left and have
no answer: what comes then is not followed any further."""

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
        self._samples: Sampling | None = None
        self._ears: WeakSet[Guard] = WeakSet()
        self.deaf_until: int = NEVER
        """Until then only packets are recorded whose condition is sampled: as many as anybody reads were, or nobody
        looks."""
        self.bound = b""
        """Octets 8 to 15 of a condition that is sampled are below it."""
        self.waiting_here: dict[bytes, PacketRecord] = {}
        """Packets that came and have not left, by condition. Of two that have the same one, only the later is heard."""
        self._there = 0
        """How many of them left, and have no answer."""
        self._why: dict[tuple[AccountId, bytes], PacketRefused] = {}
        self._second = 0
        self._count = 0
        self._traced = 0

    def record(self, *, watched: bool, samples: Sampling | None) -> None:
        """What to record from now on: all that come if somebody watches, and those whose condition is sampled."""
        self._watched, self._samples = watched, samples
        self.deaf_until = 0 if watched else NEVER
        self.bound = b"" if samples is None else samples.bound
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
        lost = list(self.waiting_here.values())
        for peer in self._connector.peers.values():
            if isinstance(peer.link, _HeardLink):
                lost += (record for record, _, _ in peer.link.waiting.values())
                peer.link = peer.link.real
            peer.guards = tuple(guard for guard in peer.guards if guard not in self._ears)
        for record in lost:
            record.outcome = "not_seen"
        self.waiting_here.clear()
        self._why.clear()
        self._there = 0

    def forget_lost(self, now: Timestamp) -> None:
        """What was not heard of again though its time is long over: its answer went another way (the books could not be
        written, or its peer was attached anew)."""
        if self._watched and self.deaf_until > now + 1_000:  # the clock was set back
            self.deaf_until = 0
        for record in _take(self.waiting_here, lambda record: self._is_over(record, now)):
            record.outcome = "not_seen"
        links = [peer.link for peer in self._connector.peers.values() if isinstance(peer.link, _HeardLink)]
        for link in links:
            for record, _, _ in _take(link.waiting, lambda found: self._is_over(found[0], now)):
                record.outcome = "not_seen"
        self._there = sum(len(link.waiting) for link in links)

    def _is_over(self, record: PacketRecord, now: Timestamp) -> bool:
        until = min(record.expires_in, record.at + self._connector.limits.max_hold_ms)
        return until + ANSWER_SLACK_MS < now

    def _listen(self, peer: Peer) -> None:
        def ear(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None:
            # Nearly every packet ends here.
            if now < self.deaf_until and prepare.execution_condition[8:16] >= self.bound:
                self.missed += 1
            elif not dry:
                self.arrived(peer, prepare, now)
            return None

        self._ears.add(ear)
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
        same = self.waiting_here.get(record.condition)
        if same is not None:
            same.outcome = "not_seen"
        _put(self.waiting_here, record.condition, record)

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
                self.deaf_until = (second + 1) * 1_000
                self.missed += 1
                return None
        record = PacketRecord(peer, prepare, now, is_traced=is_traced)
        self.records.append(record)
        return record

    def _take(self, account: AccountId, condition: bytes) -> PacketRecord | None:
        record = self.waiting_here.get(condition)
        if record is None or record.incoming_peer != account:
            return None
        return self.waiting_here.pop(condition)

    def left(self, peer: Peer, onward_id: RequestId, prepare: Prepare) -> None:
        """A packet goes on to `peer`."""
        flight = peer.in_flight.get(onward_id)
        if flight is None:
            return
        record = self._take(flight.incoming.id, flight.condition)
        if record is None:
            return
        record.sent_us, record.goes_to_us = stopwatch_us(), peer.is_local
        record.outgoing_peer, record.outgoing, record.asset_out = peer.id, peer.account.id, peer.account.asset
        record.amount_out, record.expires_out = prepare.amount, prepare.expires_at
        incoming = flight.incoming.link
        if isinstance(incoming, _HeardLink) and self._there < WAITING_MAX:
            incoming.waiting[flight.request_id] = (record, peer, onward_id)
            self._there += 1
        else:
            record.outcome = "not_seen"

    def replied(self, record: PacketRecord, outgoing: Peer, onward_id: RequestId, reply: Reply) -> None:
        """The peer that a packet came from is told what became of it."""
        self._there = max(self._there - 1, 0)
        record.answered_us = stopwatch_us()
        record.reply = reply.data if len(reply.data) <= REFUSED_DATA_MAX else None
        if isinstance(reply, Fulfill):
            record.outcome = "fulfilled"
        else:
            record.reject(reply)
            why = self._why.pop((record.incoming_peer, record.condition), None)
            if why is not None:
                record.step, record.compared = why.step, why.compared
            if onward_id in outgoing.gave_up:
                record.outcome = "unknown"
        self._on_change(record)

    def _refused(self, refused: PacketRefused) -> None:
        """By us. One that had left already gets its Reject a moment later."""
        if refused.step in (Step.VERIFY, Step.EXPIRE):
            if self._there:
                _put(self._why, (refused.account, refused.condition), refused)
            return
        record = self._take(refused.account, refused.condition)
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
class _HeardLink:
    """The real link, and an ear at it. Functions in place of methods, which see nearly all packets in vain: cheaper."""

    __slots__ = ("ready", "real", "send_prepare", "send_reply", "waiting")

    def __init__(self, real: Link, peer: Peer, recorder: Recorder) -> None:
        self.real = real
        self.ready = real.ready
        self.waiting: dict[RequestId, _Onward] = {}
        """Recorded packets from here that left, by the peer's numbers."""
        arrived, left, left_us, replied = recorder.waiting_here, self.waiting, recorder.left, recorder.replied
        real_prepare, real_reply = real.send_prepare, real.send_reply

        def send_prepare(request_id: RequestId, prepare: Prepare) -> None:
            if arrived and prepare.execution_condition in arrived:
                left_us(peer, request_id, prepare)
            real_prepare(request_id, prepare)

        def send_reply(request_id: RequestId, reply: Reply) -> None:
            if left:
                found = left.pop(request_id, None)
                if found is not None:
                    replied(*found, reply)
            real_reply(request_id, reply)

        self.send_prepare = send_prepare
        self.send_reply = send_reply


def _put(found: dict[K, V], key: K, value: V) -> None:
    found[key] = value
    if len(found) > WAITING_MAX:
        del found[next(iter(found))]


def _take(found: dict[K, V], wanted: Callable[[V], bool]) -> list[V]:
    return [found.pop(key) for key, value in list(found.items()) if wanted(value)]
