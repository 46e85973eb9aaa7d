"""One packet at this node, as its recorder saw it: how it came, how it left, what became of it."""

from __future__ import annotations

from typing import final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp, stopwatch_us
from interledger.connector.events import REFUSED_DATA_MAX, PacketRefused, Step
from interledger.connector.guards import Compared
from interledger.connector.peer import Peer
from interledger.ilp.packet import Prepare, Reject

__all__ = ["PacketRecord"]


@final
class PacketRecord:
    """One packet at this node: how it came, how it left, what became of it. Times in us are of one stopwatch.

    `outcome`: in_flight, fulfilled, rejected; unknown: its time was up, and the next node may have been paid; not_seen:
    nobody looked any more when it came. `is_traced`: it is told to OpenTelemetry too.
    """

    __slots__ = (
        "amount_in", "amount_out", "answered_us", "arrived_us", "asset_in", "asset_out", "at", "code", "comes_from_us",
        "compared", "condition", "destination", "expires_in", "expires_out", "goes_to_us", "incoming", "incoming_peer",
        "is_traced", "message", "outcome", "outgoing", "outgoing_peer", "prepare", "reply", "sent_us", "step",
        "triggered_by",
    )  # fmt: skip

    def __init__(self, peer: Peer, prepare: Prepare, at: Timestamp, *, is_traced: bool = False) -> None:
        self.at = at
        self.arrived_us = stopwatch_us()
        self.is_traced = is_traced
        self.comes_from_us = peer.is_local
        """A payment or a question of this node."""
        self.goes_to_us = False
        """Somebody whose account is here is paid, or asked."""
        self.incoming_peer = peer.id
        self.incoming = peer.account.id
        self.asset_in = peer.account.asset
        self.condition = prepare.execution_condition
        self.destination = str(prepare.destination)
        self.amount_in = prepare.amount
        self.expires_in = prepare.expires_at
        self.prepare: Prepare | None = prepare if len(prepare.data) <= REFUSED_DATA_MAX else None
        self.outgoing_peer: AccountId | None = None
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
        record.at, record.incoming_peer, record.is_traced = refused.at, refused.account, False
        record.comes_from_us, record.goes_to_us = "/" in refused.account, False
        record.incoming, record.asset_in = account_id, asset
        record.condition, record.destination, record.amount_in = refused.condition, refused.destination, refused.amount
        record.arrived_us = record.answered_us = 0
        record.expires_in = Timestamp(0) if prepare is None else prepare.expires_at
        record.prepare = prepare
        record.code, record.message, record.triggered_by = refused.code, refused.why, own_address
        record.step, record.compared = refused.step, refused.compared
        record.outcome = "unknown" if refused.step is Step.EXPIRE and refused.amount else "rejected"
        return record

    @property
    def octets(self) -> bytes | None:
        """The Prepare as it came; None where it is too long to be kept for people."""
        return None if self.prepare is None else self.prepare.encode()

    @property
    def data(self) -> bytes | None:
        """What its Prepare carried for the receiver."""
        return None if self.prepare is None else self.prepare.data

    @property
    def payment(self) -> str | None:
        """The payment of this node whose packet it is, by its id."""
        name = self.incoming_peer.partition("/")[2].partition("/")[0]
        return name if name.startswith("pay_") else None

    def reject(self, reject: Reject) -> None:
        """It ends with this Reject."""
        self.outcome, self.code = "rejected", reject.code
        self.message, self.triggered_by = reject.message, str(reject.triggered_by) or None
