"""SPSP's JSON documents (RFC 9): the answer with address and secret, and the error. Pure.

Peers differ in every detail, so reading is tolerant where nothing can go wrong (four spellings of base64, unknown
fields, older media types) and strict where money could go astray (the address, the 32 octets, duplicate keys).
"""

from __future__ import annotations

import base64
import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from interledger.codec.strict_json import parse_json, parse_json_object
from interledger.errors import DecodeError, ResolveError
from interledger.ilp.address import Address, is_address, scheme_of

__all__ = [
    "CONTENT_TYPE",
    "SpspResponse",
    "Transport",
    "build_error",
    "build_response",
    "check_destination",
    "decode_secret",
    "describe_error",
    "parse_cache_seconds",
    "parse_response",
]

CONTENT_TYPE: Final = "application/spsp4+json"

READABLE_TYPES: Final = (CONTENT_TYPE, "application/spsp+json", "application/json")
"""Older servers send the second (2018) or the third; the fields are the same."""

SECRET_OCTETS: Final = 32

CACHE_SECONDS_MAX: Final = 86_400
"""A secret is for one client and for now: longer than a day nobody needs the same one."""

ERROR_TEXT_MAX: Final = 200
"""As much of a stranger's error text as is shown."""

_SECRET = re.compile(r"(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}")
_MAX_AGE = re.compile(r"max-age=([0-9]{1,9})")
_FIELDS_OF_2018: Final = ("balance", "asset_info", "receiver_info")
_FIELDS_OF_OPEN_PAYMENTS: Final = ("authServer", "resourceServer")
_NOT_REACHABLE: Final = {
    "peer": "means the next hop only",
    "self": "means the receiver's own machine",
}


class Transport(enum.Enum):
    """What the address and the secret are for."""

    STREAM = "stream"
    PSK2 = "psk2"
    """Only the servers of 2018 say so, by their media type or fields."""


@dataclass(frozen=True, slots=True)
class SpspResponse:
    """What an SPSP server answers. The secret is for this one client."""

    destination_account: Address
    shared_secret: bytes = field(repr=False)
    receipts_enabled: bool = False
    transport: Transport = Transport.STREAM


def build_response(destination_account: Address, shared_secret: bytes, *, receipts_enabled: bool = False) -> bytes:
    """The body of a 200. The secret goes out in standard base64 with padding, which every peer reads (D-24)."""
    if len(shared_secret) != SECRET_OCTETS:
        raise ValueError(f"a shared secret has {SECRET_OCTETS} octets, this one has {len(shared_secret)}")
    # RFC 9: "Even though clients SHOULD accept base64url encoded secrets, base64 encoded secrets are recommended."
    fields: dict[str, object] = {
        "destination_account": destination_account,
        "shared_secret": base64.b64encode(shared_secret).decode("ascii"),
    }
    if receipts_enabled:
        fields["receipts_enabled"] = True
    return json.dumps(fields).encode("utf-8")


def parse_response(content_type: str | None, body: bytes, *, own_address: str | None = None) -> SpspResponse:
    """The body of a 200. Raises `ResolveError` with the reason.

    `own_address`: the asking node's; a destination of another network is refused, because no packet would get there.
    """
    media_type = _media_type(content_type)
    if media_type not in READABLE_TYPES:
        shown = _printable(media_type) or "no content type"
        raise ResolveError(f"the answer is not an SPSP answer ({shown}). Is this the address of a web page?")
    try:
        fields = parse_json_object(body)
    except DecodeError as error:
        raise ResolveError(f"the SPSP answer cannot be read: {error}") from None
    if "destination_account" not in fields and any(name in fields for name in _FIELDS_OF_OPEN_PAYMENTS):
        raise ResolveError(
            "this is an Open Payments wallet address that does not answer SPSP: it cannot be paid by SPSP"
        )
    # RFC 9: "More fields can be added but implementations MUST ignore fields they do not understand."
    return SpspResponse(
        destination_account=check_destination(_text_field(fields, "destination_account"), own_address=own_address),
        shared_secret=decode_secret(_text_field(fields, "shared_secret")),
        receipts_enabled=fields.get("receipts_enabled") is True,
        transport=_transport(media_type, fields),
    )


def decode_secret(text: str) -> bytes:
    """32 octets from base64 or base64url, with or without padding (SP-07). Raises `ResolveError`."""
    if len(text) > 4 * SECRET_OCTETS or _SECRET.fullmatch(text) is None:
        raise ResolveError("the SPSP answer's shared_secret is not base64")
    bare = text.rstrip("=")
    if len(bare) % 4 == 1 or (bare != text and len(text) % 4):
        raise ResolveError("the SPSP answer's shared_secret is not base64")
    secret = base64.urlsafe_b64decode(bare.replace("+", "-").replace("/", "_") + "=" * (-len(bare) % 4))
    if len(secret) != SECRET_OCTETS:
        raise ResolveError(f"the SPSP answer's shared_secret has {len(secret)} octets, it must have {SECRET_OCTETS}")
    return secret


def check_destination(text: str, *, own_address: str | None = None) -> Address:
    """`text` as an address that packets from `own_address` can reach. Raises `ResolveError`."""
    if not is_address(text):
        raise ResolveError(f"the SPSP answer's destination_account “{_printable(text)}” is not an ILP address")
    scheme = scheme_of(text)
    if scheme in _NOT_REACHABLE:
        raise ResolveError(f"the SPSP answer's destination_account {text} {_NOT_REACHABLE[scheme]}: nobody can pay it")
    if own_address is not None and _network(scheme) != _network(scheme_of(own_address)):
        raise ResolveError(f"the receiver {text} is on another network than this node ({own_address})")
    return Address(text)


def parse_cache_seconds(cache_control: str | None) -> int:
    """How long the answer may be used again by the same client, in seconds; 0 for not at all."""
    directives = [part.strip().lower() for part in (cache_control or "").split(",")]
    if "no-cache" in directives or "no-store" in directives:
        return 0
    for directive in directives:
        match = _MAX_AGE.fullmatch(directive)
        if match is not None:
            return min(int(match[1]), CACHE_SECONDS_MAX)
    return 0


def build_error(error_id: str, message: str) -> bytes:
    """The body of an error answer: `{"id": "InvalidReceiverError", "message": "…"}`."""
    return json.dumps({"id": error_id, "message": message}).encode("utf-8")


def describe_error(body: bytes) -> str:
    """What a server's error body says, short and printable. Never requires JSON: many send plain text (TRAP SPSP-4)."""
    try:
        fields: Any = parse_json(body)
    except DecodeError:
        if body.lstrip()[:1] in (b"<", b"{", b"["):
            return ""
        return _printable(body[: 4 * ERROR_TEXT_MAX].decode("utf-8", "replace"))
    if not isinstance(fields, dict):
        return _printable(fields) if isinstance(fields, str) else ""
    for name in ("message", "error", "id"):
        if type(fields.get(name)) is str:
            return _printable(fields[name])
    return ""


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _text_field(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if type(value) is not str:
        raise ResolveError(f"the SPSP answer has no {name}. Is this the address of a payment receiver?")
    return value


def _transport(media_type: str, fields: Mapping[str, Any]) -> Transport:
    if media_type == CONTENT_TYPE:
        return Transport.STREAM
    # `application/json` without a trace of 2018 is STREAM: such servers outlived the change of transport.
    if media_type == "application/spsp+json" or any(name in fields for name in _FIELDS_OF_2018):
        return Transport.PSK2
    return Transport.STREAM


def _network(scheme: str) -> str:
    """Test networks count as one: `test1` to `test3` were never separate in practice."""
    return "test" if scheme.startswith("test") else scheme


def _printable(text: str) -> str:
    """A stranger's text for a person's terminal: one line, no control characters, short."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= ERROR_TEXT_MAX else line[: ERROR_TEXT_MAX - 1] + "…"
