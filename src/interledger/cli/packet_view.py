"""An ILP packet's octets, read field by field: what is there, or how far one gets and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import cut_middle, printable
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ERROR_CODES, AmountTooLarge
from interledger.ilp.packet import Fulfill, Packet, Prepare, decode_packet

__all__ = ["decode_hex", "packet_document", "packet_lines"]

DATA_SHOWN: Final = 64
"""Characters of hex that are shown of data; all of it is in JSON."""

_NAMES: Final = {12: "Prepare", 13: "Fulfill", 14: "Reject"}

_SKIPPED: Final = str.maketrans("", "", " \t\r\n:-_")
"""What people put between octets."""


class _Field(NamedTuple):
    name: str
    size: int | None
    """None: a length stands before it."""


_FIELDS: Final[dict[int, tuple[_Field, ...]]] = {
    12: (
        _Field("amount", 8),
        _Field("expiry", 17),
        _Field("execution condition", 32),
        _Field("destination", None),
        _Field("data", None),
    ),
    13: (_Field("fulfillment", 32), _Field("data", None)),
    14: (_Field("error code", 3), _Field("triggered by", None), _Field("message", None), _Field("data", None)),
}


def decode_hex(words: Sequence[str]) -> Packet:
    """The packet that hex digits describe. Raises `CliError` that says which octet is missing or wrong."""
    text = "".join(words).removeprefix("0x").translate(_SKIPPED).rstrip("…")
    for place, digit in enumerate(text):
        if digit not in "0123456789abcdefABCDEF":
            raise CliError(ExitCode.USAGE, f"“{digit}”, character {place + 1}, is not a hexadecimal digit.")
    if not text:
        raise CliError(ExitCode.USAGE, "There are no octets. Write them in hexadecimal:  ilp decode 0c81…")
    octets, has_half = bytes.fromhex(text[: len(text) // 2 * 2]), len(text) % 2 == 1
    try:
        if has_half:
            raise DecodeError("the last octet has only one hexadecimal digit")
        return decode_packet(octets)
    except DecodeError as error:
        gap = len(words) > 1 or any(c.isspace() for c in "".join(words))
        raise _explain(octets, has_half, str(error), "a space in the middle?" if gap else "") from None


def _explain(octets: bytes, has_half: bool, reason: str, guess: str) -> CliError:
    """How far the octets can be read, and what is missing there."""
    if not octets or octets[0] not in _NAMES:
        first = f"the first octet is {octets[0]}" if octets else "not one whole octet is there"
        return CliError(ExitCode.USAGE, f"This is not an ILP packet: {first}.", "They begin with 0c, 0d or 0e.")
    kind = octets[0]
    read = [f"type {kind} ({_NAMES[kind]})"]
    length, at = _length(octets, 1)
    if length is None:
        return _missing(at, "length", 1, octets, has_half, guess, read)
    read.append(f"length {length}")
    for field in _FIELDS[kind]:
        size = field.size
        if size is None:
            size, begin = _length(octets, at)
            if size is None:
                return _missing(begin, f"length of the {field.name}", 1, octets, has_half, guess, read)
            at = begin
        if at + size > len(octets):
            return _missing(at, field.name, size, octets, has_half, guess, read)
        read.append(field.name)
        at += size
    return CliError(ExitCode.USAGE, f"{reason[:1].upper()}{reason[1:]}.", f"Read so far: {', '.join(read)}.")


def _length(octets: bytes, at: int) -> tuple[int | None, int]:
    """A length determinant and the offset behind it; None and where it breaks off."""
    if at >= len(octets):
        return None, at
    first = octets[at]
    if first < 128:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    return (None, len(octets)) if end > len(octets) else (int.from_bytes(octets[at + 1 : end], "big"), end)


def _missing(at: int, name: str, size: int, octets: bytes, has_half: bool, guess: str, read: Sequence[str]) -> CliError:
    have = len(octets) - at
    there = f"{have}½" if has_half else str(have)
    verb = "are" if has_half or have != 1 else "is"
    why = f" ({guess})" if guess else ""
    return CliError(
        ExitCode.USAGE,
        f"Octet {len(octets)} is missing: the {name} needs {size} octet{'' if size == 1 else 's'},"
        f" {there} {verb} there{why}.",
        f"Read so far: {', '.join(read)}.",
    )


# ---------------------------------------------------------------------- a packet that could be read


def packet_document(packet: Packet) -> dict[str, Any]:
    """Every field; octets in hex, the amount as text."""
    if isinstance(packet, Prepare):
        return {
            "type": "prepare",
            "amount": str(packet.amount),
            "expires_at": format_rfc3339(packet.expires_at),
            "execution_condition": packet.execution_condition.hex(),
            "destination": packet.destination,
            "data": packet.data.hex(),
        }
    if isinstance(packet, Fulfill):
        return {"type": "fulfill", "fulfillment": packet.fulfillment.hex(), "data": packet.data.hex()}
    document: dict[str, Any] = {
        "type": "reject",
        "code": packet.code,
        "triggered_by": packet.triggered_by,
        "message": packet.message,
        "data": packet.data.hex(),
    }
    amounts = AmountTooLarge.decode(packet.data) if packet.code == "F08" else None
    if amounts is not None:
        document["received_amount"] = str(amounts.received_amount)
        document["maximum_amount"] = str(amounts.maximum_amount)
    return document


_LABELS: Final = {
    "amount": "Amount",
    "expires_at": "Expires",
    "execution_condition": "Condition",
    "destination": "Destination",
    "fulfillment": "Fulfillment",
    "code": "Code",
    "triggered_by": "By",
    "message": "Message",
    "received_amount": "Received",
    "maximum_amount": "At most",
    "data": "Data",
}


def packet_lines(packet: Packet) -> list[str]:
    """For people: a field a line."""
    document = packet_document(packet)
    lines = [f"{document['type'].capitalize()}   {len(packet.encode())} octets"]
    for key, label in _LABELS.items():
        if key in document:
            lines.append(f"  {label:<12} {_shown(key, document[key])}".rstrip())
    return lines


def _shown(key: str, value: str) -> str:
    if key == "data":
        return f"{len(value) // 2} octets   {cut_middle(value, DATA_SHOWN)}" if value else "none"
    if key == "code" and value in ERROR_CODES:
        return f"{value} {ERROR_CODES[value].name}   (ilp explain {value})"
    if key == "message":
        return printable(value)
    return value
