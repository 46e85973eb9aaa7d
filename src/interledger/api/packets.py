"""`/api/packets`: packets that went through this node, each with its journey, and why it was refused.

What this node refused itself is always there; what went on, while somebody watches, or with  packet_log = true .
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.asset import Asset, Money
from interledger.accounts.credentials import Scope
from interledger.accounts.ledger import LedgerAccount
from interledger.api.auth import Access
from interledger.api.facade import NodeFacade
from interledger.api.operations import Call, Operation, json_response
from interledger.api.paging import read_limit
from interledger.api.sse import KEEP_ALIVE, KEEP_ALIVE_S, EventStream, sse_event, wants_events
from interledger.codec.timestamp import format_rfc3339
from interledger.connector.events import Step
from interledger.errors import InvalidRequestError, NotFoundError
from interledger.node.live.packet_record import PacketRecord
from interledger.transport.stream.frames import Frame, StreamReceipt
from interledger.transport.stream.packet import StreamPacket

__all__ = ["OPERATIONS", "packet_document", "packets_document", "stream_document"]

JOURNEY: Final = (Step.ADMIT, Step.ROUTE, Step.CONVERT, Step.HOLD, Step.FORWARD)
"""The steps that `connector/forward.py` names."""

OUTCOMES: Final = ("fulfilled", "rejected", "unknown", "in_flight", "not_seen")

SECOND_S: Final = 1.0

_CURSOR: Final = re.compile(r"([0-9]{1,16})-([0-9a-f]{8,64})")
_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")


async def list_packets(call: Call) -> Response:
    """Newest first. As a stream: each when it has its outcome; above 200 a second, how many there were."""
    wants = _wanted(call)
    if wants_events(call.request.headers.get("accept", "")):
        return EventStream(lambda: _stream(call.node, wants))
    packets = [record for record in call.node.live.packets.latest() if _fits(record, wants)]
    limit, first = read_limit(call.request), _first_behind(packets, call.request.query_params.get("cursor"))
    page = packets[first : first + limit]
    cursor = f"{page[-1].at}-{page[-1].condition.hex()}" if first + limit < len(packets) else None
    return json_response(packets_document(call.node, page) | {"next_cursor": cursor})


async def get_packet(call: Call) -> Response:
    """By the first digits of its condition, at least four. The newest, where several begin so."""
    prefix = call.request.path_params["packet"].lower()
    packets = call.node.live.packets.latest() if _PREFIX.fullmatch(prefix) else []
    found = next((record for record in packets if record.condition.hex().startswith(prefix)), None)
    if found is None:
        raise NotFoundError(f"There is no packet “{prefix[:64]}”, or it is not kept. Record them:  packet_log = true")
    document = packet_document(found, call.node, whole=True, may_open=Scope.OPERATE in call.caller.may)
    return json_response(document | _beside(found, packets))


def _beside(record: PacketRecord, packets: list[PacketRecord]) -> dict[str, str | None]:
    """The conditions of the packets before and after it: of its payment, where it is one of ours, else of all."""
    row = [one for one in packets if record.payment is None or one.payment == record.payment]
    at = row.index(record)
    return {
        "newer": row[at - 1].condition.hex() if at else None,
        "older": row[at + 1].condition.hex() if at + 1 < len(row) else None,
    }


def packets_document(node: NodeFacade, records: list[PacketRecord]) -> dict[str, Any]:
    """A list of them. `recording`: packets that go on are recorded now."""
    items = [packet_document(record, node) for record in records]
    return {"items": items, "next_cursor": None, "recording": node.live.packets.is_recording}


def packet_document(
    record: PacketRecord, node: NodeFacade, *, whole: bool = False, may_open: bool = False
) -> dict[str, Any]:
    """One packet; `whole`: with its octets and, where the caller `may_open` it and the secret is ours, its inside."""
    document = {
        "id": record.condition.hex()[:8],
        "condition": record.condition.hex(),
        "at": format_rfc3339(record.at),
        "outcome": record.outcome,
        "code": record.code,
        "message": record.message or None,
        "triggered_by": record.triggered_by,
        "destination": record.destination,
        "incoming": record.incoming,
        "amount_in": _money(record.amount_in, record.asset_in),
        "expires_in": format_rfc3339(record.expires_in) if record.expires_in else None,
        "outgoing": record.outgoing,
        "amount_out": _money(record.amount_out, record.asset_out),
        "expires_out": None if record.expires_out is None else format_rfc3339(record.expires_out),
        "sent_after_us": _after(record, record.sent_us),
        "answered_after_us": _after(record, record.answered_us),
        "payment": record.payment,
        "journey": _journey(record),
    }
    if not whole:
        return document
    prepare, reply = node.live.packets.open(record) if may_open else (None, None)
    return document | {
        "octets": None if record.octets is None else record.octets.hex(),
        "data_octets": None if record.data is None else len(record.data),
        "stream_needs": None if may_open else Scope.OPERATE.value,
        "stream": stream_document(prepare),
        "stream_reply": stream_document(reply),
    }


def _journey(record: PacketRecord) -> list[dict[str, Any]]:
    """Every step: done, refused or not reached. The one that refused has the two values it compared."""
    steps: list[dict[str, Any]] = []
    reached = True
    for step in JOURNEY:
        refused = record.step is step
        state = "refused" if refused else "done" if reached else "not_reached"
        reached = reached and not refused
        steps.append({"step": step.value, "state": state, "text": _said(record, step, state), "compared": None})
        if refused:
            steps[-1]["compared"] = _compared(record)
    if record.step in (Step.VERIFY, Step.EXPIRE):
        text = record.message or "no answer came in time"
        steps.append({"step": record.step.value, "state": "refused", "text": text, "compared": None})
    return steps


def _said(record: PacketRecord, step: Step, state: str) -> str:
    if state == "not_reached":
        return "not reached"
    if state == "refused":
        return record.message
    if step is Step.ADMIT:
        return f"account {record.incoming}; size, expiry and rate within limits"
    if record.outgoing is None or record.asset_out is None or record.amount_out is None:
        return "done"
    if step is Step.ROUTE:
        return f"to {record.outgoing}"
    if step is Step.CONVERT:
        return f"{Money(record.amount_in, record.asset_in)} = {Money(record.amount_out, record.asset_out)}"
    return "both accounts have room" if step is Step.HOLD else f"sent to {record.outgoing}"


def _compared(record: PacketRecord) -> dict[str, Any] | None:
    """Amounts are in units of the incoming account's asset (`source`) or of the outgoing one's (`target`)."""
    compared = record.compared
    if compared is None:
        return None
    beyond = compared.beyond
    target = record.asset_out if beyond is None else beyond.asset
    asset = {"source": record.asset_in, "target": target}.get(compared.unit)
    return {
        "limit": compared.limit_name,
        "room": str(compared.room),
        "needed": str(compared.needed),
        "unit": compared.unit,
        "account": record.incoming if compared.unit != "target" else record.outgoing or _name(beyond),
        "asset_code": None if asset is None else asset.code,
        "asset_scale": None if asset is None else asset.scale,
        "limit_value": None if compared.limit is None else str(compared.limit),
        "posted": None if compared.posted is None else str(compared.posted),
        "in_flight": None if compared.pending is None else str(compared.pending),
    }


def _name(line: LedgerAccount | None) -> str | None:
    """`peer/bob` -> bob"""
    return None if line is None else line.name.partition("/")[2]


def stream_document(packet: StreamPacket | None) -> dict[str, Any] | None:
    """What STREAM says; the amount of a Prepare is the least that should arrive, of an answer what did."""
    if packet is None:
        return None
    return {
        "packet_type": {12: "Prepare", 13: "Fulfill", 14: "Reject"}.get(packet.packet_type, str(packet.packet_type)),
        "sequence": packet.sequence,
        "prepare_amount": str(packet.prepare_amount),
        "frames": [{"frame": type(frame).__name__, "fields": _fields(frame)} for frame in packet.frames],
    }


def _fields(frame: Frame) -> dict[str, str]:
    """A receipt is worth money to who shows it first (RFC 39): only that there is one."""
    fields = {name: _plain(value) for name, value in frame._asdict().items()}
    return fields | {"receipt": "not shown"} if isinstance(frame, StreamReceipt) else fields


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _after(record: PacketRecord, us: int | None) -> int | None:
    return None if us is None or not record.arrived_us else us - record.arrived_us


def _money(amount: int | None, asset: Asset | None) -> dict[str, object] | None:
    return None if amount is None or asset is None else Money(amount, asset).as_json()


# ---------------------------------------------------------------------- which


def _wanted(call: Call) -> dict[str, str]:
    """The filters that were given. Raises `InvalidRequestError` for one that nothing can fit."""
    query = call.request.query_params
    wants = {name: query[name] for name in ("code", "account", "outcome", "payment") if query.get(name)}
    if wants.get("outcome", "fulfilled") not in OUTCOMES:
        raise InvalidRequestError(f"outcome is one of {', '.join(OUTCOMES)}", "outcome")
    return wants


def _fits(record: PacketRecord, wants: dict[str, str]) -> bool:
    return (
        wants.get("code", record.code) == record.code
        and wants.get("outcome", record.outcome) == record.outcome
        and wants.get("account", record.incoming) in (record.incoming, record.outgoing)
        and ("payment" not in wants or wants["payment"] == record.payment)
    )


def _first_behind(packets: list[PacketRecord], cursor: str | None) -> int:
    if cursor is None:
        return 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidRequestError("this is no cursor of a page of packets", "cursor")
    at, condition = int(match[1]), match[2]
    for index, record in enumerate(packets):
        if record.at < at:
            return index
        if record.at == at and record.condition.hex() == condition:
            return index + 1
    return len(packets)


async def _stream(node: NodeFacade, wants: dict[str, str]) -> AsyncIterator[bytes]:
    """`event: missed` once a second says how many more there were than can be read."""
    packets = node.live.packets
    channel = packets.subscribe()
    loop = asyncio.get_running_loop()
    missed, silent, told_at = packets.recorder.missed, 0.0, loop.time()
    try:
        yield b"retry: 1000\n\n"
        while True:
            try:
                record = await channel.get(SECOND_S)
            except TimeoutError:
                record, silent = None, silent + SECOND_S
                if silent >= KEEP_ALIVE_S:
                    silent = 0.0
                    yield KEEP_ALIVE
            if record is None and channel.is_closed:
                return
            if record is not None and _fits(record, wants):
                silent = 0.0
                yield sse_event(packet_document(record, node), event="packet")
            if packets.recorder.missed != missed and loop.time() >= told_at + SECOND_S:
                told_at = loop.time()
                count, missed = packets.recorder.missed - missed, packets.recorder.missed
                yield sse_event({"packets": count}, event="missed")
    finally:
        channel.close()


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/packets", access=Access.ADMIN, handler=list_packets,
        summary="Packets, newest first. With  Accept: text/event-stream  each as it has its outcome",
        answer="PacketPage", problems=(400, 429),
        parameters=("code", "account", "outcome", "payment", "limit", "cursor", "Last-Event-ID"), tags=("packets",),
    ),
    Operation(
        method="GET", path="/api/packets/{packet}", access=Access.ADMIN, handler=get_packet,
        summary="One packet by the first digits of its condition: its journey, its octets, what is inside",
        answer="PacketWhole", problems=(404,), tags=("packets",),
    ),
)  # fmt: skip
"""The operations of this module."""
