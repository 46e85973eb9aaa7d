"""ilp-packet and btp-packet as byte oracles: they and we write the same octets, and we read theirs back."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from peers import FOLDER

from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Packet, Prepare, Reject, decode_packet
from interledger.link.btp.messages import BtpError, BtpMessage, BtpResponse, BtpTransfer, ContentType, ProtocolData

DICE = random.Random(2026)
CASES = 60


async def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(FOLDER / "peers" / "oracle.js"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    output, _ = await asyncio.wait_for(process.communicate(lines.encode()), 30)
    return [json.loads(line) for line in output.splitlines()]


def random_packet() -> tuple[Packet, dict[str, Any]]:
    data = DICE.randbytes(DICE.choice((0, 1, 127, 128, 255, 256, 32_767)))
    kind = DICE.choice(("prepare", "fulfill", "reject"))
    if kind == "fulfill":
        fulfillment = DICE.randbytes(32)
        return Fulfill(fulfillment, data), {
            "type": kind,
            "fields": {"fulfillment": fulfillment.hex(), "data": data.hex()},
        }
    if kind == "reject":
        fields = {"code": "T04", "triggered_by": "test.a.b", "message": "no, thank you: ça va", "data": data.hex()}
        return Reject("T04", "test.a.b", fields["message"], data), {"type": kind, "fields": fields}
    amount = DICE.choice((0, 1, 2**63, 2**64 - 1, DICE.getrandbits(64)))
    expires_at = Timestamp(DICE.randrange(0, 4_000_000_000_000))
    condition, destination = DICE.randbytes(32), "g." + "x" * DICE.choice((1, 125, 126, 300))
    fields = {
        "amount": str(amount),
        "expires_at": format_rfc3339(expires_at),
        "execution_condition": condition.hex(),
        "destination": destination,
        "data": data.hex(),
    }
    prepare = Prepare(amount, expires_at, condition, Address(destination), data)
    return prepare, {"type": kind, "fields": fields}


async def test_ilp_packet() -> None:
    """PK-02: the same octets, both ways."""
    cases = [random_packet() for _ in range(CASES)]
    answers = await ask([question for _, question in cases])
    for (packet, question), answer in zip(cases, answers, strict=True):
        octets = packet.encode()
        assert answer == {"octets": octets.hex()}, question
        assert decode_packet(octets) == packet


def random_entries() -> tuple[tuple[ProtocolData, ...], list[dict[str, Any]]]:
    names = DICE.sample(("ilp", "auth", "custom", "balance", "info"), DICE.randrange(4))
    entries = tuple(
        ProtocolData(name, DICE.choice(list(ContentType)), DICE.randbytes(DICE.choice((0, 5, 200)))) for name in names
    )
    described = [
        {"name": entry.name, "content_type": int(entry.content_type), "data": entry.data.hex()} for entry in entries
    ]
    return entries, described


async def test_btp_packet() -> None:
    """Messages, Responses, Transfers and Errors; BT-14, BT-15: three decimals of time, nothing behind the end."""
    packets: list[Any] = []
    questions: list[dict[str, Any]] = []
    for kind in ("message", "response", "transfer", "error") * 10:
        entries, described = random_entries()
        request_id = DICE.getrandbits(32)
        fields: dict[str, Any] = {"request_id": request_id, "protocol_data": described}
        if kind == "transfer":
            amount = DICE.getrandbits(64)
            fields["amount"] = str(amount)
            packets.append(BtpTransfer(request_id, amount, entries))
        elif kind == "error":
            at = Timestamp(DICE.randrange(0, 4_000_000_000_000))
            fields |= {"code": "F00", "name": "NotAcceptedError", "triggered_at": format_rfc3339(at), "data": "6e6f"}
            packets.append(BtpError(request_id, "F00", "NotAcceptedError", at, b"no", entries))
        else:
            packets.append((BtpMessage if kind == "message" else BtpResponse)(request_id, entries))
        questions.append({"type": kind, "fields": fields})
    answers = await ask(questions)
    for packet, question, answer in zip(packets, questions, answers, strict=True):
        assert answer == {"octets": packet.encode().hex()}, question
