"""Rafiki's auto-peering: one JSON request and its answer, no invitation and no token (protocols.md 6.4).

`POST` to a node's auto-peering URL: who asks gives its ILP address, where it takes packets, and the token it will
present; who answers gives the same of itself. Errors are `{"error": {"code", "message", "type"}}`.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from interledger.accounts.asset import Asset, parse_asset
from interledger.application.peering.exchange import PEER_DOCUMENT_OCTETS_MAX
from interledger.application.peering.fields import read_text, read_token, read_units
from interledger.codec.strict_json import JsonNumber, parse_json_object
from interledger.errors import DecodeError, InterledgerError, InvalidRequestError
from interledger.ilp.address import Address, parse_address
from interledger.link.http.urls import parse_url

__all__ = [
    "NUMBER_MAX",
    "AutoPeeringError",
    "ErrorType",
    "PeeringAnswer",
    "PeeringRequest",
    "encode_error",
    "read_error",
]

NUMBER_MAX: Final = 2**53 - 1
"""The largest integer that a JavaScript reader keeps exact."""

NAME_LENGTH_MAX: Final = 200


class ErrorType(enum.StrEnum):
    """Rafiki's kinds of error that the asked side answers with."""

    INVALID_CONFIGURATION = "InvalidPeerIlpConfiguration"
    UNKNOWN_ASSET = "UnknownAsset"
    INVALID_REQUEST = "InvalidPeeringRequest"


class _Said(NamedTuple):
    status: int
    message: str


_ERRORS: Final = {
    ErrorType.INVALID_CONFIGURATION: _Said(400, "Requested peer's ILP configuration is misconfigured"),
    ErrorType.UNKNOWN_ASSET: _Said(404, "Unknown asset"),
    ErrorType.INVALID_REQUEST: _Said(400, "Invalid peering request"),
}
"""Status and message of each, word for word: Rafiki's users look for them."""


class AutoPeeringError(InterledgerError):
    """A request for peering is refused. `str()`: why, for the operator and, as `detail`, for who asked."""

    def __init__(self, kind: ErrorType, detail: str, *, status: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = _ERRORS[kind].status if status is None else status


def encode_error(error: AutoPeeringError) -> bytes:
    """The body of a refusal: Rafiki's three members, and a sentence of ours that Rafiki ignores."""
    message = _ERRORS[error.kind].message
    said = {"code": error.status, "message": message, "type": error.kind.value, "detail": str(error)}
    return json.dumps({"error": said}).encode("utf-8")


def read_error(body: bytes) -> tuple[str, str]:
    """(type, message) of a refusal; empty where it is none."""
    try:
        said = parse_json_object(body, octets_max=PEER_DOCUMENT_OCTETS_MAX).get("error")
    except DecodeError:
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    kind, message = (said.get(name) for name in ("type", "message"))
    detail = said.get("detail")
    texts = [text[:200] if type(text) is str and text.isprintable() else "" for text in (kind, detail or message)]
    return texts[0], texts[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeeringRequest:
    """What who asks says of itself. `packet_amount_max` in units of `asset`."""

    address: Address
    http_url: str
    asset: Asset
    token: str = field(repr=False)
    """What who asks will present when it sends packets."""
    packet_amount_max: int | None = None
    name: str | None = None

    def encode(self) -> bytes:
        """As JSON, in Rafiki's words."""
        document: dict[str, Any] = {
            "staticIlpAddress": self.address,
            "ilpConnectorUrl": self.http_url,
            "asset": {"code": self.asset.code, "scale": self.asset.scale},
            "httpToken": self.token,
        }
        if self.packet_amount_max is not None:
            document["maxPacketAmount"] = self.packet_amount_max
        if self.name is not None:
            document["name"] = self.name
        return json.dumps(document).encode("utf-8")

    @classmethod
    def decode(cls, body: bytes) -> PeeringRequest:
        """Raises `AutoPeeringError`."""
        try:
            document = parse_json_object(body, octets_max=PEER_DOCUMENT_OCTETS_MAX, depth_max=4)
            asset = document.get("asset")
            if not isinstance(asset, dict) or not isinstance(asset.get("scale"), JsonNumber):
                raise DecodeError("asset is not  {code, scale}")
            code, scale = read_text(asset, "code"), read_units(asset["scale"], "asset.scale", 255)
            # Rafiki writes Number(undefined) when nobody said how much, which JSON has as null.
            amount = document.get("maxPacketAmount")
            return cls(
                asset=parse_asset(f"{code}/{scale}"),
                token=read_token(document, "httpToken"),
                packet_amount_max=None if amount is None else read_units(amount, "maxPacketAmount"),
                name=_name(document),
                **_whereabouts(document),
            )
        except (DecodeError, InvalidRequestError) as error:
            raise AutoPeeringError(ErrorType.INVALID_REQUEST, str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeeringAnswer:
    """What who was asked says of itself. `token`: what it will present when it sends packets."""

    address: Address
    http_url: str
    token: str = field(repr=False)
    name: str | None
    tenant_id: str = ""
    """Rafiki's: which of the tenants of one Rafiki was asked. We have none, and send one that stays the same."""

    def encode(self) -> bytes:
        """As JSON, in Rafiki's words."""
        document = {
            "staticIlpAddress": self.address,
            "ilpConnectorUrl": self.http_url,
            "httpToken": self.token,
            "name": self.name,
            "tenantId": self.tenant_id,
        }
        return json.dumps(document).encode("utf-8")

    @classmethod
    def decode(cls, body: bytes) -> PeeringAnswer:
        """Raises `DecodeError`."""
        document = parse_json_object(body, octets_max=PEER_DOCUMENT_OCTETS_MAX)
        try:
            return cls(token=read_token(document, "httpToken"), name=_name(document), **_whereabouts(document))
        except (AutoPeeringError, InvalidRequestError) as error:
            raise DecodeError(str(error)) from None


def _whereabouts(document: dict[str, Any]) -> dict[str, Any]:
    """Address and URL. Raises `AutoPeeringError` of the kind that Rafiki has for them, `DecodeError`."""
    address, url = read_text(document, "staticIlpAddress"), read_text(document, "ilpConnectorUrl")
    try:
        return {"address": parse_address(address), "http_url": str(parse_url(url))}
    except InvalidRequestError as error:
        raise AutoPeeringError(ErrorType.INVALID_CONFIGURATION, str(error)) from None


def _name(document: dict[str, Any]) -> str | None:
    name = document.get("name")
    if name is None or name == "":
        return None
    return read_text(document, "name")[:NAME_LENGTH_MAX]
