"""Documents about packets. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, TypedDict

from interledger.api.types.core import MoneyDocument, RatioDocument
from interledger.api.types.payments import PaymentDocument

__all__ = [
    "PacketDocument",
    "PacketJourneyComparedDocument",
    "PacketJourneyDocument",
    "PacketPageDocument",
    "PacketWholeDocument",
    "PacketWholeStreamDocument",
    "PacketWholeStreamFrameDocument",
    "PacketWholeStreamReplyDocument",
    "PacketWholeStreamReplyFrameDocument",
    "PaymentWholeCostDocument",
    "PaymentWholeDocument",
    "PaymentWholeTraceDocument",
    "TracedPacketDocument",
]


class PacketJourneyComparedDocument(TypedDict):
    """`compared` of `PacketJourney`."""

    limit: str
    room: str
    needed: str
    unit: Literal["source", "target", "ms", "packets"]
    account: str | None
    """Whose limit it is"""
    asset_code: str | None
    asset_scale: int | None
    limit_value: str | None
    posted: str | None
    in_flight: str | None


class PacketJourneyDocument(TypedDict):
    """`journey` of `Packet`."""

    step: str
    state: Literal["done", "refused", "not_reached"]
    text: str
    compared: PacketJourneyComparedDocument | None


class PacketDocument(TypedDict):
    """One packet at this node, and its journey."""

    id: str
    """The first eight digits of the condition"""
    condition: str
    at: str
    outcome: Literal["fulfilled", "rejected", "unknown", "in_flight", "not_seen"]
    code: str | None
    message: str | None
    triggered_by: str | None
    destination: str
    incoming: str
    amount_in: MoneyDocument | None
    expires_in: str | None
    outgoing: str | None
    amount_out: MoneyDocument | None
    expires_out: str | None
    sent_after_us: int | None
    answered_after_us: int | None
    payment: str | None
    """Of this node, where it is one of its packets"""
    journey: list[PacketJourneyDocument]


class PacketPageDocument(TypedDict):
    """Packets, newest first. `recording`: whether the node keeps them."""

    items: list[PacketDocument]
    next_cursor: str | None
    recording: bool


class TracedPacketDocument(TypedDict):
    """A packet of a payment. Times in microseconds since the payment began; amounts in its two assets."""

    number: int
    count: int
    """More than 1: so many like it, one behind the other"""
    id: str
    amount: str
    delivered: str | None
    sent_us: int
    answered_us: int | None
    outcome: Literal["in_flight", "fulfilled", "rejected", "unknown", "test", "unanswered"]
    code: str | None


class PacketWholeStreamFrameDocument(TypedDict):
    """`frames` of `PacketWholeStream`."""

    frame: str
    fields: dict[str, str]


class PacketWholeStreamDocument(TypedDict):
    """`stream` of `PacketWhole`."""

    packet_type: str
    sequence: int
    prepare_amount: str
    frames: list[PacketWholeStreamFrameDocument]


class PacketWholeStreamReplyFrameDocument(TypedDict):
    """`frames` of `PacketWholeStreamReply`."""

    frame: str
    fields: dict[str, str]


class PacketWholeStreamReplyDocument(TypedDict):
    """`stream_reply` of `PacketWhole`."""

    packet_type: str
    sequence: int
    prepare_amount: str
    frames: list[PacketWholeStreamReplyFrameDocument]


class PacketWholeDocument(PacketDocument):
    """A packet with its octets and what is inside, where its secret is ours."""

    octets: str | None
    """Of the Prepare as it came, in hex"""
    data_octets: int | None
    stream_needs: str | None
    """The scope that a token needs to see what is inside, where it lacks it"""
    stream: PacketWholeStreamDocument | None
    stream_reply: PacketWholeStreamReplyDocument | None
    newer: str | None
    """Condition of the next packet, of the same payment where it is one of ours"""
    older: str | None
    """The packet before it, likewise"""


class PaymentWholeTraceDocument(TypedDict):
    """`trace` of `PaymentWhole`."""

    began_at: str
    packets: list[TracedPacketDocument]
    more: int


class PaymentWholeCostDocument(TypedDict):
    """`cost` of `PaymentWhole`."""

    fee: MoneyDocument
    """What was kept on the way, at our rates now"""
    fee_per_million: int
    """Of what was sent"""
    market: RatioDocument
    """Units for a unit, if nobody kept any"""


class PaymentWholeDocument(PaymentDocument):
    """A payment with its packets; `trace` is null where they are not remembered."""

    trace: PaymentWholeTraceDocument | None
    cost: PaymentWholeCostDocument | None
