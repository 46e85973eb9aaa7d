"""Records packets while somebody wants to see them; costs nothing while nobody does.

`start` puts an ear on every peer: one more guard, which refuses nothing and hears a Prepare come in, and a link around
the real one, which hears what leaves. `stop` takes them away. The journey itself (`connector/forward.py`) is the same
either way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar, final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Clock, Timestamp, stopwatch_us
from interledger.connector.events import REFUSED_DATA_MAX, PacketRefused, Step
from interledger.connector.forward import Connector
from interledger.connector.guards import Compared, Guard, Refused
from interledger.connector.peer import Peer
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import Link, RequestId

if TYPE_CHECKING:
    from interledger.connector.in_flight import InFlight

K = TypeVar("K")
V = TypeVar("V")

__all__ = ["RECORDED_PER_SECOND", "RECORDS_KEPT", "PacketRecord", "Recorder"]

RECORDS_KEPT: Final = 2_000
"""Packets that went on; some 1 kB each."""

RECORDED_PER_SECOND: Final = 200
"""More of them in a second are only counted: nobody reads so fast."""

WAITING_MAX: Final = 5_000
"""Packets that came in and have not left, or have left and have no answer: the oldest is forgotten first."""


@final
class PacketRecord:
    """One packet at this node: how it came, how it left, what became of it. Times in us are of one stopwatch."""

    __slots__ = (
        "amount_in", "amount_out", "answered_us", "arrived_us", "asset_in", "asset_out", "at", "code", "compared",
        "condition", "data", "destination", "expires_in", "expires_out", "incoming", "incoming_peer", "message",
        "octets", "outcome", "outgoing", "reply", "sent_us", "step", "triggered_by",
    )  # fmt: skip

    def __init__(self, peer: Peer, prepare: Prepare, at: Timestamp) -> None:
        self.at = at
        self.arrived_us = stopwatch_us()
        self.incoming_peer = peer.id
        self.incoming = peer.account.id
        self.asset_in = peer.account.asset
        self.condition = prepare.execution_condition
        self.destination = str(prepare.destination)
        self.amount_in = prepare.amount
        self.expires_in = prepare.expires_at
        kept = len(prepare.data) <= REFUSED_DATA_MAX
        self.octets: bytes | None = prepare.encode() if kept else None
        self.data: bytes | None = prepare.data if kept else None
        self.outgoing: AccountId | None = None
        self.asset_out: Asset | None = None
        self.amount_out: int | None = None
        self.expires_out: Timestamp | None = None
        self.sent_us: int | None = None
        self.answered_us: int | None = None
        self.outcome = "in_flight"
        self.code: str | None = None
        self.message = ""
        self.triggered_by: str | None = None
        self.step: Step | None = None
        self.compared: Compared | None = None
        self.reply: bytes | None = None

    @classmethod
    def of_refused(cls, refused: PacketRefused, asset: Asset, account_id: AccountId, own_address: str) -> PacketRecord:
        """Of a packet that was refused while nobody listened; times and the way on are not known."""
        record = cls.__new__(cls)
        prepare = refused.prepare
        for name in cls.__slots__:
            setattr(record, name, None)
        record.at, record.incoming_peer, record.incoming, record.asset_in = (
            refused.at,
            refused.account,
            account_id,
            asset,
        )
        record.condition, record.destination, record.amount_in = refused.condition, refused.destination, refused.amount
        record.arrived_us = record.answered_us = 0
        record.expires_in = Timestamp(0) if prepare is None else prepare.expires_at
        record.octets = None if prepare is None else prepare.encode()
        record.data = None if prepare is None else prepare.data
        record.outcome, record.code, record.message = "rejected", refused.code, refused.why
        record.triggered_by, record.step, record.compared = own_address, refused.step, refused.compared
        return record


@final
class Recorder:
    """`on_change(record)` is called when a record has its outcome."""

    def __init__(self, connector: Connector, clock: Clock, on_change: Callable[[PacketRecord], None]) -> None:
        self.records: deque[PacketRecord] = deque(maxlen=RECORDS_KEPT)
        self.missed = 0
        """Packets since `start` that came when `RECORDED_PER_SECOND` were recorded already."""
        self._connector = connector
        self._clock = clock
        self._on_change = on_change
        self._is_on = False
        self._arrived: dict[tuple[AccountId, bytes], PacketRecord] = {}
        self._left: dict[tuple[AccountId, RequestId], PacketRecord] = {}
        self._why: dict[tuple[AccountId, bytes], PacketRefused] = {}
        self._second = 0
        self._count = 0

    def start(self) -> None:
        """Listen to every peer, and to those that come."""
        self._is_on = True
        for peer in self._connector.peers.values():
            self._listen(peer)
        self._connector.on_attach = self._listen
        self._connector.refusals.on_add = self._refused

    def stop(self) -> None:
        """Listen to nobody. What is on its way is never heard of again."""
        self._is_on = False
        self._connector.on_attach = lambda peer: None
        self._connector.refusals.on_add = lambda refused: None
        for peer in self._connector.peers.values():
            if isinstance(peer.link, _HeardLink):
                peer.link = peer.link.real
            peer.guards = tuple(guard for guard in peer.guards if not isinstance(guard, _Ear))
        for record in (*self._arrived.values(), *self._left.values()):
            record.outcome = "not_seen"
        self._arrived.clear()
        self._left.clear()
        self._why.clear()

    def _listen(self, peer: Peer) -> None:
        ear: Guard = _Ear(self, peer)
        peer.guards = (*peer.guards, ear)
        peer.link = _HeardLink(peer.link, peer, self)

    # ------------------------------------------------------------------ what is heard

    def arrived(self, peer: Peer, prepare: Prepare, now: Timestamp) -> None:
        """A Prepare came in, and no guard has refused it."""
        second = now // 1_000
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        if self._count > RECORDED_PER_SECOND:
            self.missed += 1
            return
        record = PacketRecord(peer, prepare, now)
        self.records.append(record)
        _put(self._arrived, (peer.id, prepare.execution_condition), record)

    def left(self, peer: Peer, flight: InFlight, prepare: Prepare) -> None:
        """It goes on to `peer`."""
        record = self._arrived.pop((flight.incoming.id, flight.condition), None)
        if record is None:
            return
        record.sent_us = stopwatch_us()
        record.outgoing, record.asset_out = peer.account.id, peer.account.asset
        record.amount_out, record.expires_out = prepare.amount, prepare.expires_at
        _put(self._left, (flight.incoming.id, flight.request_id), record)

    def replied(self, peer: Peer, request_id: RequestId, reply: Reply) -> None:
        """`peer` is told what became of its packet."""
        record = self._left.pop((peer.id, request_id), None)
        if record is None:
            return
        record.answered_us = stopwatch_us()
        record.reply = reply.data if len(reply.data) <= REFUSED_DATA_MAX else None
        if isinstance(reply, Fulfill):
            record.outcome = "fulfilled"
        else:
            _note(record, reply)
            why = self._why.pop((peer.id, record.condition), None)
            if why is not None:
                record.step, record.compared = why.step, why.compared
                if why.step is Step.EXPIRE:
                    record.outcome = "unknown"
        self._on_change(record)

    def _refused(self, refused: PacketRefused) -> None:
        """By us. One that had left already gets its Reject a moment later."""
        if refused.step in (Step.VERIFY, Step.EXPIRE):
            _put(self._why, (refused.account, refused.condition), refused)
            return
        record = self._arrived.pop((refused.account, refused.condition), None)
        if record is None:
            peer = self._connector.peers.get(refused.account)
            if peer is None or refused.prepare is None:
                return
            record = PacketRecord(peer, refused.prepare, refused.at)
            self.records.append(record)
        record.answered_us = stopwatch_us()
        record.step, record.compared = refused.step, refused.compared
        _note(record, Reject(refused.code, self._connector.address, refused.why))
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


def _note(record: PacketRecord, reject: Reject) -> None:
    record.outcome, record.code = "rejected", reject.code
    record.message, record.triggered_by = reject.message, str(reject.triggered_by) or None


def _put(found: dict[K, V], key: K, value: V) -> None:
    found[key] = value
    if len(found) > WAITING_MAX:
        del found[next(iter(found))]
