"""Payment channel claims, byte for byte as npm `ilp-plugin-xrp-asym-*` and `-paychan` have them: what is signed, what
is sent, and how an amount of the peers becomes drops.

Amounts are cumulative: a claim is worth all that was ever paid over its channel. They count in units of the peers'
scale; the ledger counts in drops, of which a claim needs enough to cover all of its units.
"""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha512
from typing import Any, Final, NamedTuple

from interledger.codec.strict_json import JsonNumber, parse_json_object
from interledger.errors import DecodeError

__all__ = [
    "CHANNEL_OCTETS",
    "DROPS_MAX",
    "DROPS_SCALE",
    "PROOF_TEXT",
    "Claim",
    "LastClaim",
    "PeerInfo",
    "channel_id",
    "channel_proof",
    "claim_message",
    "drops_of",
    "parse_channel",
    "units_of",
]

DROPS_SCALE: Final = 6
"""A drop is 10^-6 XRP."""

DROPS_MAX: Final = 10**17
"""All XRP there ever was."""

CHANNEL_OCTETS: Final = 32

SIGNATURE_OCTETS: Final = 64

PROOF_TEXT: Final = b"channel_signature"

_PREFIX: Final = b"CLM\0"
_CHANNEL_SPACE: Final = b"\0x"
_AMOUNT: Final = re.compile(r"0|[1-9][0-9]{0,37}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/_-]")


class Claim(NamedTuple):
    """`amount`: all that was paid over the channel, in units of the peers' scale. The channel is known to both."""

    amount: int
    signature: bytes

    def encode(self) -> bytes:
        """The data of the sub-protocol `claim`."""
        body = {"amount": str(self.amount), "signature": self.signature.hex()}
        return json.dumps(body, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, octets: bytes) -> Claim:
        """Raises `DecodeError`."""
        body = parse_json_object(octets, octets_max=1_024)
        return cls(_amount(body), _signature(body))


class LastClaim(NamedTuple):
    """What the peer holds of us: the data of `last_claim`. No signature: it only knows what the ledger says."""

    amount: int
    signature: bytes | None = None

    def encode(self) -> bytes:
        """As JSON."""
        signature = {} if self.signature is None else {"signature": self.signature.hex()}
        return json.dumps({"amount": str(self.amount), **signature}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, octets: bytes) -> LastClaim:
        """Raises `DecodeError`."""
        body = parse_json_object(octets, octets_max=1_024)
        return cls(_amount(body), _signature(body) if body.get("signature") else None)


class PeerInfo(NamedTuple):
    """What a server says of itself: its address on the ledger, our account with it, the channels it knows."""

    address: str
    account: str
    scale: int
    channel: bytes | None
    client_channel: bytes | None

    @classmethod
    def decode(cls, octets: bytes) -> PeerInfo:
        """The data of `info`. Raises `DecodeError`."""
        body = parse_json_object(octets, octets_max=8_192)
        scale = body.get("currencyScale", JsonNumber(DROPS_SCALE))
        if not (isinstance(scale, JsonNumber) and scale.isascii() and scale.isdigit() and len(scale) <= 3):
            raise DecodeError("currencyScale is a number from 0 to 255")
        channel, client_channel = _channel(body, "channel"), _channel(body, "clientChannel")
        return cls(_text(body, "address"), _text(body, "account"), int(scale), channel, client_channel)


def drops_of(amount: int, scale: int) -> int:
    """So many drops cover `amount` units of `scale`: rounded up."""
    if scale <= DROPS_SCALE:
        return amount * int(10 ** (DROPS_SCALE - scale))
    return -(-amount // int(10 ** (scale - DROPS_SCALE)))


def units_of(drops: int, scale: int) -> int:
    """So many units of `scale` were paid by `drops`, rounded up: a unit that was paid in part is not paid again."""
    if scale >= DROPS_SCALE:
        return drops * int(10 ** (scale - DROPS_SCALE))
    return -(-drops // int(10 ** (DROPS_SCALE - scale)))


def claim_message(channel: bytes, drops: int) -> bytes:
    """What a claim's signature signs. Raises `DecodeError` for more drops than there are."""
    if not 0 < drops <= DROPS_MAX:
        raise DecodeError(f"a claim is between 1 and {DROPS_MAX} drops")
    return _PREFIX + channel + drops.to_bytes(8, "big")


def channel_proof(channel: bytes, ilp_address: str) -> bytes:
    """What shows that a channel is the account's: signed with the channel's key. `ilp_address`: of the account.

    The address is read as base64, as the plugins do by mistake; so some addresses have the same proof.
    """
    return PROOF_TEXT + channel + _lenient_base64(ilp_address)


def channel_id(source: bytes, destination: bytes, sequence: int) -> bytes:
    """The id of a channel on the ledger. `source`, `destination`: account ids of 20 octets."""
    return sha512(_CHANNEL_SPACE + source + destination + sequence.to_bytes(4, "big")).digest()[:CHANNEL_OCTETS]


def parse_channel(text: str) -> bytes:
    """A channel's id as hex. Raises `DecodeError`."""
    if len(text) != 2 * CHANNEL_OCTETS or _HEX.fullmatch(text) is None:
        raise DecodeError(f"a channel's id has {CHANNEL_OCTETS} octets, in hex")
    return bytes.fromhex(text)


def _lenient_base64(text: str) -> bytes:
    """As Node.js reads it: other characters are skipped, both alphabets count, an end that is no octet is ignored."""
    kept = _NOT_BASE64.sub(b"", text.encode("utf-8")).replace(b"-", b"+").replace(b"_", b"/")
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return base64.b64decode(kept + b"=" * (-len(kept) % 4))


def _amount(body: dict[str, Any]) -> int:
    text = body.get("amount")
    if not isinstance(text, str) or _AMOUNT.fullmatch(text) is None:
        raise DecodeError("amount is a whole number, as text")
    return int(text)


def _signature(body: dict[str, Any]) -> bytes:
    text = body.get("signature")
    if type(text) is not str or len(text) != 2 * SIGNATURE_OCTETS or _HEX.fullmatch(text) is None:
        raise DecodeError(f"signature has {SIGNATURE_OCTETS} octets, in hex")
    return bytes.fromhex(text)


def _channel(body: dict[str, Any], name: str) -> bytes | None:
    text = body.get(name)
    if text is None:
        return None
    if type(text) is not str:
        raise DecodeError(f"{name} is the id of a channel, in hex")
    return parse_channel(text)


def _text(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    if type(text) is not str or not 0 < len(text) <= 1_023:
        raise DecodeError(f"{name} is text")
    return text
