"""The exchange that redeems an invitation: one request, one answer, both JSON (docs/howto/peering.md).

The invited node sends the invitation's secret, a nonce that it keeps, and a token of its own making. The inviting node
answers with the account that it made, and a token of its making. Asked again with the same nonce it says the same
again: that token follows from what both keep, so an answer that was lost, or a node that was killed, costs nothing.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from interledger.accounts.account import AccountId, parse_account_id
from interledger.accounts.asset import Asset, parse_asset
from interledger.application.peering.fields import (
    limit_text,
    read_limit,
    read_moment,
    read_text,
    read_token,
    read_units,
)
from interledger.clock import Timestamp
from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp.address import Address, parse_address
from interledger.link.http.urls import parse_url

__all__ = ["PEER_DOCUMENT_OCTETS_MAX", "PeerEcho", "RedeemAnswer", "RedeemRequest", "issued_token", "secret_digest"]

PEER_DOCUMENT_OCTETS_MAX: Final = 8_192
"""Of each document here. Real ones have less than a thousand octets."""

VERSION: Final = 1

_LABEL: Final = b"interledger-py peering 1: token of the inviting node"
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{22,86}")


def secret_digest(secret: str) -> str:
    """What the inviting node keeps of an invitation's secret: SHA-256, hex."""
    return sha256(secret.encode("ascii")).hexdigest()


def issued_token(secret: str, their_nonce: str, our_nonce: str) -> str:
    """The token by which the inviting node will know the invited one. Who lacks the secret cannot make it."""
    message = b"\0".join((_LABEL, their_nonce.encode("ascii"), our_nonce.encode("ascii")))
    return urlsafe_b64encode(hmac.digest(secret.encode("ascii"), message, "sha256")).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemRequest:
    """What the invited node sends. `http_url`: where it takes packets; None when it only connects."""

    secret: str = field(repr=False)
    nonce: str = field(repr=False)
    name: AccountId
    address: Address
    token: str = field(repr=False)
    """What the inviting node shall present when it calls `http_url`."""
    http_url: str | None

    def encode(self) -> bytes:
        """As JSON."""
        return _encode(
            {
                "version": VERSION,
                "secret": self.secret,
                "nonce": self.nonce,
                "name": self.name,
                "address": self.address,
                "token": self.token,
                "http_url": self.http_url,
            }
        )

    @classmethod
    def decode(cls, body: bytes) -> RedeemRequest:
        """Raises `DecodeError`, `InvalidRequestError`."""
        document = _decode(body)
        nonce = read_text(document, "nonce")
        if _NONCE.fullmatch(nonce) is None:
            raise DecodeError("nonce is not 22 to 86 characters of base64url")
        return cls(
            secret=read_token(document, "secret"),
            nonce=nonce,
            name=parse_account_id(read_text(document, "name")),
            address=parse_address(read_text(document, "address")),
            token=read_token(document, "token"),
            http_url=None if document.get("http_url") is None else str(parse_url(read_text(document, "http_url"))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemAnswer:
    """What the inviting node answers. `account`: what it calls the invited one; limits as in the invitation."""

    account: AccountId
    address: Address
    child_address: Address | None
    asset: Asset
    token: str = field(repr=False)
    http_url: str
    btp_url: str

    def encode(self) -> bytes:
        """As JSON."""
        return _encode(
            {
                "version": VERSION,
                "account": self.account,
                "address": self.address,
                "child_address": self.child_address,
                "asset": str(self.asset),
                "token": self.token,
                "http_url": self.http_url,
                "btp_url": self.btp_url,
            }
        )

    @classmethod
    def decode(cls, body: bytes) -> RedeemAnswer:
        """Raises `DecodeError`."""
        document = _decode(body)
        try:
            child = document.get("child_address")
            btp_url = read_text(document, "btp_url")
            if not btp_url.startswith(("ws://", "wss://")):
                raise DecodeError("btp_url is not a WebSocket URL")
            parse_url("http" + btp_url.removeprefix("ws"))
            return cls(
                account=parse_account_id(read_text(document, "account")),
                address=parse_address(read_text(document, "address")),
                child_address=None if child is None else parse_address(read_text(document, "child_address")),
                asset=parse_asset(read_text(document, "asset")),
                token=read_token(document, "token"),
                http_url=str(parse_url(read_text(document, "http_url"))),
                btp_url=btp_url,
            )
        except InvalidRequestError as error:
            raise DecodeError(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEcho:
    """What a node tells an account that checks its link: its clock, the account's terms, and how its own echo went."""

    now: Timestamp
    address: Address
    asset: Asset
    packet_amount_max: int | None
    owes_us_max: int | None
    we_owe_max: int | None
    round_trip_us: int | None
    """None when no echo came back."""
    code: str | None
    """The ILP code with which the echo was refused, `timeout` when nobody answered."""

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "now": str(self.now),
            "address": self.address,
            "asset": str(self.asset),
            "packet_amount_max": limit_text(self.packet_amount_max),
            "owes_us_max": limit_text(self.owes_us_max),
            "we_owe_max": limit_text(self.we_owe_max),
            "round_trip_us": self.round_trip_us,
            "code": self.code,
        }

    @classmethod
    def decode(cls, body: bytes) -> PeerEcho:
        """Raises `DecodeError`."""
        document = parse_json_object(body, octets_max=PEER_DOCUMENT_OCTETS_MAX, depth_max=4)
        took = document.get("round_trip_us")
        try:
            return cls(
                now=read_moment(document, "now"),
                address=parse_address(read_text(document, "address")),
                asset=parse_asset(read_text(document, "asset")),
                packet_amount_max=read_limit(document, "packet_amount_max"),
                owes_us_max=read_limit(document, "owes_us_max"),
                we_owe_max=read_limit(document, "we_owe_max"),
                round_trip_us=None if took is None else read_units(took, "round_trip_us"),
                code=None if document.get("code") is None else read_text(document, "code")[:8],
            )
        except InvalidRequestError as error:
            raise DecodeError(str(error)) from None


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("utf-8")


def _decode(body: bytes) -> dict[str, Any]:
    document = parse_json_object(body, octets_max=PEER_DOCUMENT_OCTETS_MAX, depth_max=4)
    if document.get("version") != str(VERSION):
        raise DecodeError(f"it is not of version {VERSION}")
    return document
