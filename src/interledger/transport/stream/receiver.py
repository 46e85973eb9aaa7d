"""The receiving end of STREAM payments: decides about each Prepare for one of this node's connections (RFC 29).

It keeps nothing that money depends on. What it answers is a function of the packet and of the token in the address; the
ledger credits what really arrived, and a reply is relayed only after that is committed. An intermediary that replays an
old Prepare therefore pays again (H1). The totals kept per connection are for the payer's information and for the limit
of the connection; they are bounded, and forgotten when the process ends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Unpack, final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Entropy, Timestamp
from interledger.codec.digest import sha256
from interledger.codec.oer import UINT64_MAX, encode_uint
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.transport.stream.crypto import PACKETS_MAX, StreamCrypto
from interledger.transport.stream.frames import (
    ConnectionAssetDetails,
    ConnectionClose,
    ConnectionMaxData,
    ConnectionMaxStreamId,
    ConnectionNewAddress,
    Frame,
    StreamData,
    StreamErrorCode,
    StreamMoney,
    StreamReceipt,
    encode_frame,
    encode_max_money,
)
from interledger.transport.stream.packet import TYPE_FULFILL, TYPE_PREPARE, TYPE_REJECT, StreamPacket, encode_head
from interledger.transport.stream.receipts import ReceiptKey
from interledger.transport.stream.shares import split_amount
from interledger.transport.stream.tokens import ReceiverTokens, TokenDetails, TokenTerms

__all__ = ["Accept", "ReceiverConnection", "StreamReceiver"]

CONNECTIONS_MAX: Final = 4_096
"""Connections whose keys and totals are remembered; then the longest unused goes (its token brings the keys back)."""

FIRST_STREAM: Final = 1
"""What is received without a stream counts for it (D-22)."""

STREAM_ID_MAX: Final = 20
"""RFC 29: "Implementations SHOULD use a default max stream ID of 20"."""


@final
class ReceiverConnection:
    """One connection: whom it pays, its keys, and what it has got since it was last remembered."""

    __slots__ = (
        "_received",
        "_told",
        "account_id",
        "asset",
        "closed",
        "crypto",
        "details_frames",
        "packets_left",
        "receipts",
        "receive_max",
        "sequence",
        "tag",
        "token",
    )

    def __init__(self, details: TokenDetails, crypto: StreamCrypto, token: str = "") -> None:
        self.token = token
        """The segment of its addresses: what names the connection."""
        self.sequence = 0
        """Of the payer's last packet that was fulfilled."""
        self.closed = False
        """The payer said that it sends no more."""
        self.account_id: AccountId = details.account_id
        self.asset: Asset = details.asset
        self.receive_max = UINT64_MAX if details.receive_max is None else details.receive_max
        self.tag = details.tag
        self.receipts = details.receipts
        self.crypto = crypto
        self.details_frames = (
            encode_frame(ConnectionAssetDetails(details.asset.code, details.asset.scale)),
            encode_frame(ConnectionMaxStreamId(STREAM_ID_MAX)),
            encode_frame(ConnectionMaxData(0)),
        )
        self.packets_left = PACKETS_MAX
        """How many replies may still be sealed with the keys of this connection."""
        self._received: dict[int, int] = {}
        self._told: dict[int, int] = {}

    @property
    def total_received(self) -> int:
        """What all streams together have got, in units of `asset`."""
        return sum(self._received.values())

    def has_room(self, amount: int) -> bool:
        """Whether `amount` more stays within the connection's limit."""
        return self.receive_max == UINT64_MAX or self.total_received + amount <= self.receive_max

    def credit(self, amount: int, money: Sequence[StreamMoney]) -> None:
        """Count what a fulfilled packet brought. Without streams it counts for the first one (D-22)."""
        received = self._received
        if len(money) == 1:
            stream_id = money[0].stream_id
            received[stream_id] = received.get(stream_id, 0) + amount
            return
        for stream_id, part in (split_amount(amount, money) or {FIRST_STREAM: amount}).items():
            received[stream_id] = received.get(stream_id, 0) + part

    def max_money(self, stream_id: int) -> bytes:
        """The encoded frame with this stream's limit and total."""
        total = self._received.get(stream_id, 0)
        limit = self.receive_max
        if limit != UINT64_MAX:
            # RFC 29: "they MUST NOT advertise a smaller value later." Streams share the connection's limit, so what one
            # got is not there for the others; what they were told stays, and a Reject says that it cannot be had.
            room = max(total, limit - self.total_received + total)
            limit = self._told[stream_id] = max(room, self._told.get(stream_id, 0))
        return encode_max_money(stream_id, limit, min(total, UINT64_MAX))

    def receipt_frames(self, key: ReceiptKey, money: Sequence[StreamMoney]) -> list[bytes]:
        """A receipt for each stream of a fulfilled packet, encoded. Totals count from when this was last remembered."""
        streams = dict.fromkeys(frame.stream_id for frame in money) or (FIRST_STREAM,)
        return [encode_frame(StreamReceipt(each, key.receipt(each, self._received.get(each, 0)))) for each in streams]


Accept = Callable[[ReceiverConnection, int], bool]
"""The application's word about `amount` units for a connection: False refuses this packet."""


@final
class StreamReceiver:
    """All STREAM connections below one address of this node. `receive_prepare` is the whole of it.

    `strict_codes` (D-23): refuse with F04 and F05 where older senders understand only F99.
    """

    def __init__(
        self,
        address: Address,
        tokens: ReceiverTokens,
        entropy: Entropy,
        *,
        strict_codes: bool = False,
        accept_tag_last: bool = True,
        accept: Accept | None = None,
    ) -> None:
        self.address = address
        self.tokens = tokens
        self._entropy = entropy
        self._prefix = address + "."
        self._too_low = ErrorCode.F04_INSUFFICIENT_DESTINATION_AMOUNT if strict_codes else _DECLINED
        self._unfulfillable = ErrorCode.F05_WRONG_CONDITION if strict_codes else _DECLINED
        self._accept_tag_last = accept_tag_last
        self._accept = accept
        self._connections: OrderedDict[str, ReceiverConnection] = OrderedDict()

    def new_connection(self, account_id: AccountId, asset: Asset, **more: Unpack[TokenTerms]) -> tuple[Address, bytes]:
        """An address and a shared secret to give to one payer (what SPSP answers). `more`: as `ReceiverTokens.new`."""
        token, shared_secret = self.tokens.new(account_id, asset, **more)
        return Address(self._prefix + token), shared_secret

    def resolve(self, destination: str) -> ReceiverConnection | None:
        """The connection behind an address: its first segment below ours is the token, further ones are the payer's."""
        if not destination.startswith(self._prefix):
            return None
        token = destination[len(self._prefix) :].partition(".")[0]
        connection = self._connections.get(token)
        if connection is not None:
            self._connections.move_to_end(token)
            return connection
        opened = self.tokens.open(token)
        if opened is None:
            return None
        crypto = StreamCrypto(opened[1], self._entropy, accept_tag_last=self._accept_tag_last)
        connection = self._connections[token] = ReceiverConnection(opened[0], crypto, token)
        if len(self._connections) > CONNECTIONS_MAX:
            self._connections.popitem(last=False)
        return connection

    def receive_prepare(self, prepare: Prepare, now: Timestamp) -> Reply:
        """The answer. Fulfill means: credit all of `prepare.amount` to the connection's account (D-22)."""
        connection = self.resolve(prepare.destination)
        if connection is None:
            below = prepare.destination.startswith(self._prefix)
            return self._plain_reject(_UNEXPECTED if below else ErrorCode.F02_UNREACHABLE)
        packet = _open_packet(connection.crypto, prepare.data)
        if packet is None:
            # RFC 29: "MUST be rejected with `F06: Unexpected Payment` errors"
            return self._plain_reject(_UNEXPECTED)
        if now >= prepare.expires_at:
            return self._plain_reject(ErrorCode.R00_TRANSFER_TIMED_OUT)
        fulfillment = connection.crypto.fulfillment(prepare.data)
        connection.packets_left -= 1
        refusal = self._refusal(connection, prepare, packet, fulfillment)
        money = [frame for frame in packet.frames if isinstance(frame, StreamMoney)]
        if refusal is None and prepare.amount:
            connection.credit(prepare.amount, money)
            connection.sequence = packet.sequence
        frames = _reply_frames(connection, packet.frames, money)
        if refusal is None:
            # RFC 39: "the Receiver MUST add an additional frame containing a Receipt to each ILP Fulfill packet"
            if connection.receipts is not None:
                frames += connection.receipt_frames(connection.receipts, money)
            data = _seal_reply(connection, TYPE_FULFILL, packet.sequence, prepare.amount, frames)
            return Fulfill(fulfillment, data)
        code, closing = refusal
        if closing is not None:
            frames.append(encode_frame(closing))
        data = _seal_reply(connection, TYPE_REJECT, packet.sequence, prepare.amount, frames)
        return Reject(code, self.address, "", data)

    def _refusal(
        self, connection: ReceiverConnection, prepare: Prepare, packet: StreamPacket, fulfillment: bytes
    ) -> tuple[str, Frame | None] | None:
        """Why the packet is refused: the code, and a frame that tells the payer more. None: it is fulfilled."""
        closing = _closing_frame(packet.frames)
        if closing is not None:
            connection.closed = connection.closed or any(isinstance(f, ConnectionClose) for f in packet.frames)
            return _DECLINED, closing
        # RFC 29: "Implementations MUST close the connection once either endpoint has sent 2^31 packets."
        if connection.packets_left < 0:
            return _DECLINED, ConnectionClose(StreamErrorCode.INTERNAL_ERROR, "too many packets on one connection")
        if sha256(fulfillment).digest() != prepare.execution_condition:
            return self._unfulfillable, None
        # RFC 29: "Implementations SHOULD NOT fulfill incoming Prepare packets with amounts less than is specified"
        if prepare.amount < packet.prepare_amount:
            return self._too_low, None
        if not connection.has_room(prepare.amount):
            return _DECLINED, None
        if self._accept is not None and prepare.amount and not self._accept(connection, prepare.amount):
            return _DECLINED, None
        return None

    def _plain_reject(self, code: str) -> Reject:
        """Without message and data, so that nobody learns from it which program this is."""
        return Reject(code, self.address)


_DECLINED: Final[str] = ErrorCode.F99_APPLICATION_ERROR
_UNEXPECTED: Final[str] = ErrorCode.F06_UNEXPECTED_PAYMENT


def _open_packet(crypto: StreamCrypto, data: bytes) -> StreamPacket | None:
    """The packet that the payer sealed for a Prepare, or None."""
    plaintext = crypto.open(data)
    if plaintext is None:
        return None
    try:
        packet = StreamPacket.decode(plaintext)
    except DecodeError:
        return None
    # RFC 29: "Endpoints MUST discard STREAM packets that comes in on the wrong ILP Packet Type."
    return packet if packet.packet_type == TYPE_PREPARE else None


def _closing_frame(frames: tuple[Frame, ...]) -> Frame | None:
    """The close to answer with: the payer closes, uses stream ids that are not its own, or sends data."""
    for frame in frames:
        if isinstance(frame, ConnectionClose):
            return ConnectionClose(StreamErrorCode.NO_ERROR)
        if isinstance(frame, StreamMoney):
            # RFC 29: "Client streams MUST be odd-numbered starting with 1"
            if not frame.stream_id & 1:
                return ConnectionClose(StreamErrorCode.PROTOCOL_VIOLATION)
            if frame.stream_id > STREAM_ID_MAX:
                return ConnectionClose(StreamErrorCode.STREAM_ID_ERROR)
        if isinstance(frame, StreamData) and frame.data:
            # RFC 29: "The receiving endpoint MUST close the connection with a `FlowControlError` if the sender violates
            # the advertised limit." It is 0: nobody here reads data, and a Fulfill would say that somebody did.
            return ConnectionClose(StreamErrorCode.FLOW_CONTROL_ERROR)
    return None


def _reply_frames(connection: ReceiverConnection, frames: tuple[Frame, ...], money: list[StreamMoney]) -> list[bytes]:
    """What the payer is told in every reply, encoded."""
    encoded: list[bytes] = []
    for frame in frames:
        # Every time, and for an empty address too: senders ask so for the asset (ST-15).
        if isinstance(frame, ConnectionNewAddress):
            encoded.extend(connection.details_frames)
            break
    encoded.extend([connection.max_money(frame.stream_id) for frame in money])
    return encoded


def _seal_reply(
    connection: ReceiverConnection, packet_type: int, sequence: int, arrived: int, frames: list[bytes]
) -> bytes:
    # RFC 29: "The Receiver MUST respond with a STREAM packet that includes the same `Sequence`"
    head = encode_head(packet_type, sequence, arrived) + encode_uint(len(frames))
    return connection.crypto.seal(head + b"".join(frames))
