"""Packets and payments as spans of OpenTelemetry, without its library: values that `telemetry` exports.

No header travels with a packet, so the packet itself says what belongs together. Its trace is the first 16 octets of
its execution condition, which every hop sees. A hop's span is named after the Prepare that it sent on (condition,
amount, expiry), and the next hop, which got exactly that one, names it as its parent. Whether a packet is sampled is
decided by the condition alone, so that all hops decide alike when their shares are: by its octets 8 to 15, as
OpenTelemetry's TraceIdRatioBased does.

A payment's packets have traces of their own. So where this node is the sender, the payment is a further trace, whose
spans link to those of the packets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from interledger.accounts.asset import Asset, Money
from interledger.connector.events import Step
from interledger.node.live.packet_record import PacketRecord
from interledger.node.payment import Snapshot

__all__ = ["ATTRIBUTES", "TEXT_MAX", "Span", "SpanKey", "payment_span", "spans_of"]

TEXT_MAX: Final = 128
"""Characters of an attribute that somebody else wrote: addresses, messages. The rest is cut off."""

ATTRIBUTES: Final[Mapping[str, str]] = {
    "ilp.role": "What this node is for the packet: `sender`, `connector` or `receiver`",
    "ilp.outcome": "`fulfilled`, `rejected`, or `unknown`: no answer came in time",
    "ilp.destination": "Address of the packet, its first 128 characters",
    "ilp.incoming.account": "The account it came from",
    "ilp.incoming.amount": "What the Prepare that came says, in units of the account's asset, as text",
    "ilp.incoming.asset": "As `USD/9`",
    "ilp.outgoing.account": "The account it went to; not there where it went no further",
    "ilp.outgoing.amount": "What the Prepare that left says, as text",
    "ilp.outgoing.asset": "As `EUR/9`",
    "ilp.error.code": "ILP error code of the Reject",
    "ilp.error.message": "Its words, the first 128 characters",
    "ilp.error.triggered_by": "Address of the node that made it, the first 128 characters",
    "ilp.refused.step": "The step of the journey at which this node refused: `admit`, `route`, `convert`, `hold`, ...",
    "ilp.refused.limit": "Which limit had no room",
    "ilp.refused.room": "What was left of it, as text",
    "ilp.refused.needed": "What was asked for, as text",
    "ilp.payment.id": "The payment of this node that it belongs to",
    "ilp.payment.state": "How the payment ended",
    "ilp.payment.receiver": "Who was paid, as it was named, the first 128 characters",
    "ilp.payment.sent": "As `10.00 USD`",
    "ilp.payment.delivered": "As `9.18 EUR`",
    "ilp.payment.packets": "How many packets it took",
}
"""Every attribute of a span. `docs/howto/watch-a-node.md` has the table."""


class SpanKey(NamedTuple):
    """What names a span."""

    trace_id: bytes
    span_id: bytes


class Span(NamedTuple):
    """One span. Times in us since the epoch; `kind`: server, client or internal; `events`: name -> time."""

    key: SpanKey
    parent: SpanKey | None
    name: str
    kind: str
    start_us: int
    end_us: int
    attributes: Mapping[str, str | int]
    failed: str | None = None
    """Why, where it did not go well."""
    link: SpanKey | None = None
    events: tuple[tuple[str, int], ...] = ()


def spans_of(record: PacketRecord, own_address: str, clock_us: int) -> list[Span]:
    """A packet that has its outcome: one span, and one more in its payment's trace. `clock_us`: stopwatch to clock."""
    trace_id, condition = record.condition[:16], record.condition
    arrived = record.arrived_us + clock_us
    answered = max(record.answered_us or 0, record.arrived_us) + clock_us
    if record.amount_out is not None and record.expires_out is not None and not record.goes_to_us:
        key = SpanKey(trace_id, _wire_id(condition, record.amount_out, record.expires_out))
    else:
        key = SpanKey(trace_id, _id(b"end", condition, own_address.encode(), record.incoming_peer.encode()))
    parent = None
    if not record.comes_from_us:
        parent = SpanKey(trace_id, _wire_id(condition, record.amount_in, record.expires_in))
    role = "sender" if record.comes_from_us else "receiver" if record.goes_to_us else "connector"
    events = () if record.sent_us is None else (("sent", record.sent_us + clock_us),)
    failed = None if record.outcome == "fulfilled" else f"{_cut(record.code or '')} {_cut(record.message)}".strip()
    attributes = _attributes(record, role)
    payment = record.payment
    link = None
    spans = []
    if payment is not None:
        attributes["ilp.payment.id"] = payment
        of_payment = _payment_key(own_address, payment)
        link = SpanKey(of_payment.trace_id, _id(b"packet", condition, payment.encode()))
        spans.append(
            Span(link, of_payment, "ilp.payment.packet", "internal", arrived, answered, attributes, failed, key)
        )
    kind = "client" if record.comes_from_us else "server"
    spans.append(Span(key, parent, f"ilp.{_NAMES[role]}", kind, arrived, answered, attributes, failed, link, events))
    return spans


def payment_span(payment: Snapshot, own_address: str) -> Span:
    """A payment of this node that has ended; its packets are below it."""
    attributes: dict[str, str | int] = {
        "ilp.payment.id": payment.id,
        "ilp.payment.state": payment.state,
        "ilp.payment.receiver": _cut(payment.receiver),
        "ilp.payment.sent": str(Money(payment.sent, payment.source_asset)),
        "ilp.payment.packets": payment.packets,
        "ilp.incoming.account": payment.account,
    }
    if payment.destination_asset is not None:
        attributes["ilp.payment.delivered"] = str(Money(payment.delivered, payment.destination_asset))
    if payment.code:
        attributes["ilp.error.code"] = _cut(payment.code)
    failed = None if payment.state == "delivered" else _cut(payment.error or payment.state)
    begins, ends = payment.started_at * 1000, (payment.ended_at or payment.started_at) * 1000
    return Span(
        _payment_key(own_address, payment.id), None, "ilp.payment", "internal", begins, ends, attributes, failed
    )


_NAMES: Final = {"sender": "send", "connector": "forward", "receiver": "receive"}


def _attributes(record: PacketRecord, role: str) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "ilp.role": role,
        "ilp.outcome": record.outcome,
        "ilp.destination": _cut(record.destination),
        "ilp.incoming.account": record.incoming,
        "ilp.incoming.amount": str(record.amount_in),
        "ilp.incoming.asset": _asset(record.asset_in),
    }
    if record.outgoing is not None and record.asset_out is not None:
        attributes["ilp.outgoing.account"] = record.outgoing
        attributes["ilp.outgoing.amount"] = str(record.amount_out)
        attributes["ilp.outgoing.asset"] = _asset(record.asset_out)
    if record.code is not None:
        attributes["ilp.error.code"] = _cut(record.code)
        attributes["ilp.error.message"] = _cut(record.message)
        attributes["ilp.error.triggered_by"] = _cut(record.triggered_by or "")
    if isinstance(record.step, Step):
        attributes["ilp.refused.step"] = record.step.value
    if record.compared is not None:
        attributes["ilp.refused.limit"] = record.compared.limit_name
        attributes["ilp.refused.room"] = str(record.compared.room)
        attributes["ilp.refused.needed"] = str(record.compared.needed)
    return attributes


def _asset(asset: Asset) -> str:
    return f"{asset.code}/{asset.scale}"


def _cut(text: str) -> str:
    """What somebody else wrote: so much of it, on one line."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:TEXT_MAX])


def _wire_id(condition: bytes, amount: int, expires_at: int) -> bytes:
    """Both ends of a link know it: by the Prepare that crossed it."""
    return _id(b"hop", condition, amount.to_bytes(8, "big"), expires_at.to_bytes(8, "big"))


def _payment_key(own_address: str, payment_id: str) -> SpanKey:
    digest = hashlib.sha256(f"ilp payment {own_address} {payment_id}".encode()).digest()
    return SpanKey(digest[:16], digest[16:24])


def _id(kind: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join((b"ilp", kind, *parts))).digest()[:8]
