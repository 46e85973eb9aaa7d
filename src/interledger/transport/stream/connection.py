"""One STREAM connection as its payer sees it: keys, sequence numbers, Prepares made, and which are not answered yet."""

from __future__ import annotations

import enum
from typing import Final, final

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reply
from interledger.link.base import RequestId
from interledger.transport.stream.crypto import StreamCrypto
from interledger.transport.stream.frames import (
    ConnectionClose,
    ConnectionMaxData,
    ConnectionMaxStreamId,
    Frame,
    StreamErrorCode,
    StreamMoney,
    StreamMoneyBlocked,
    encode_frames,
)
from interledger.transport.stream.packet import TYPE_FULFILL, TYPE_PREPARE, TYPE_REJECT, StreamPacket, encode_head
from interledger.transport.stream.paying import Part
from interledger.transport.stream.payment import SenderSettings

__all__ = ["MONEY_STREAM", "Flight", "Kind", "SenderConnection"]

MONEY_STREAM: Final = 1
"""RFC 29: "Client streams MUST be odd-numbered starting with 1"; all the money goes on one."""

_MONEY_FRAMES: Final = encode_frames((StreamMoney(MONEY_STREAM, 1),))
_CLOSE_FRAMES: Final = (ConnectionClose(StreamErrorCode.NO_ERROR),)
_FIRST_FRAMES: Final = (ConnectionMaxStreamId(MONEY_STREAM), ConnectionMaxData(0))
"""Until the receiver has spoken it is told what we accept: one stream, no data."""


class Kind(enum.Enum):
    """What a Prepare of ours was sent for."""

    ASSET_PROBE = "asset probe"
    RATE_PROBE = "rate probe"
    MONEY = "money"


@final
class Flight:
    """One Prepare of ours that is not answered yet. `part`: of the payment; the empty one for probes."""

    __slots__ = ("condition", "deadline", "destination", "kind", "part", "sequence")

    def __init__(
        self, kind: Kind, sequence: int, part: Part, condition: bytes, destination: Address, deadline: Timestamp
    ) -> None:
        self.kind = kind
        self.sequence = sequence
        self.part = part
        self.condition = condition
        self.destination = destination
        self.deadline = deadline


@final
class SenderConnection:
    """Makes the Prepares and opens the replies. Request ids are sequence numbers: the link is this connection's own."""

    def __init__(self, destination: Address, crypto: StreamCrypto, settings: SenderSettings) -> None:
        self.destination = destination
        self._crypto = crypto
        self._settings = settings
        self.sequence = 0
        """Of the last Prepare; the first is 1."""
        self.heard = False
        """Whether the receiver ever answered: somebody with the secret is there."""
        self.flights: dict[RequestId, Flight] = {}

    @property
    def used_up(self) -> bool:
        """Whether only the closing packet is left to send."""
        # RFC 29: "Implementations MUST close the connection once either endpoint has sent 2^31 packets."
        return self.sequence >= self._settings.packets_max - 1

    @property
    def first_deadline(self) -> Timestamp | None:
        """When the oldest packet is given up."""
        # Packets of one kind live equally long, and probes come before money: the first is the first to expire.
        return next(iter(self.flights.values())).deadline if self.flights else None

    def take_expired(self, now: Timestamp) -> tuple[RequestId, Flight] | None:
        """The oldest packet whose time is up; it is not waited for any more."""
        for request_id, flight in self.flights.items():
            if flight.deadline > now:
                return None
            del self.flights[request_id]
            return request_id, flight
        return None

    def money(self, part: Part, now: Timestamp) -> tuple[RequestId, Prepare]:
        """A Prepare that pays."""
        self.sequence = sequence = self.sequence + 1
        frames = _MONEY_FRAMES
        if part.blocked is not None:
            # RFC 29: "Senders SHOULD send `StreamMoneyBlocked` ... frames when they have more money or data to send"
            wanted, sent = part.blocked
            frames = encode_frames((StreamMoney(MONEY_STREAM, 1), StreamMoneyBlocked(MONEY_STREAM, wanted, sent)))
        data = self._crypto.seal(encode_head(TYPE_PREPARE, sequence, part.minimum) + frames)
        condition = self._crypto.condition(data)
        destination = self.destination
        expires_at = Timestamp(now + self._settings.packet_lifetime_ms)
        deadline = Timestamp(expires_at + self._settings.reply_grace_ms)
        request_id = RequestId(sequence)
        self.flights[request_id] = Flight(Kind.MONEY, sequence, part, condition, destination, deadline)
        return request_id, Prepare(part.amount, expires_at, condition, destination, data)

    def probe(
        self, kind: Kind, amount: int, frames: tuple[Frame, ...], destination: Address, now: Timestamp
    ) -> tuple[RequestId, Prepare]:
        """A Prepare that nobody can fulfill."""
        if not self.heard:
            frames += _FIRST_FRAMES
        packet = self._unfulfillable(amount, frames, destination, now)
        deadline = Timestamp(now + self._settings.probe_timeout_ms)
        condition = packet[1].execution_condition
        self.flights[packet[0]] = Flight(kind, self.sequence, Part(amount), condition, destination, deadline)
        return packet

    def closing(self, now: Timestamp) -> tuple[RequestId, Prepare]:
        """A Prepare that says good-bye. Nobody waits for the answer."""
        return self._unfulfillable(0, _CLOSE_FRAMES, self.destination, now)

    def open_reply(self, reply: Reply, sequence: int) -> StreamPacket | None:
        """What the receiver itself says in a reply, or None when it did not speak."""
        plaintext = self._crypto.open(reply.data)
        if plaintext is None:
            return None
        try:
            packet = StreamPacket.decode(plaintext)
        except DecodeError:
            return None
        # RFC 29: "A sender MUST discard a STREAM packet in which the `Sequence` does not match"
        expected = TYPE_FULFILL if isinstance(reply, Fulfill) else TYPE_REJECT
        if packet.sequence != sequence or packet.packet_type != expected:
            return None
        self.heard = True
        return packet

    def _unfulfillable(
        self, amount: int, frames: tuple[Frame, ...], destination: Address, now: Timestamp
    ) -> tuple[RequestId, Prepare]:
        self.sequence = sequence = self.sequence + 1
        data = self._crypto.seal(encode_head(TYPE_PREPARE, sequence, 0) + encode_frames(frames))
        expires_at = Timestamp(now + self._settings.packet_lifetime_ms)
        return RequestId(sequence), Prepare(amount, expires_at, self._crypto.random_condition(), destination, data)
