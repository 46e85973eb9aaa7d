"""What the two engines say to each other: who they are, and claims. Read strictly: the other one is a stranger."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError
from interledger.settlement.engine.base import MessageRefusedError

__all__ = ["Claim", "Greeting", "decode_message"]

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_CHANNEL: Final = re.compile(r"[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{130}")
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,77}")
_CHAIN: Final = re.compile(r"[1-9][0-9]{0,19}")


class Greeting(NamedTuple):
    """An engine's account, and where its channels are. `token`: zeros for ether."""

    address: str
    chain: int
    contract: str
    token: str

    def encode(self) -> bytes:
        """As a message."""
        return json.dumps({"type": "greeting", **self._asdict(), "chain": str(self.chain)}).encode()


class Claim(NamedTuple):
    """All that was ever paid over a channel, signed by its sender."""

    channel: bytes
    amount: int
    signature: bytes

    def encode(self) -> bytes:
        """As a message."""
        body = {"channel": self.channel.hex(), "amount": str(self.amount), "signature": self.signature.hex()}
        return json.dumps({"type": "claim", **body}).encode()


def decode_message(message: bytes) -> Greeting | Claim:
    """Raises `MessageRefusedError`."""
    try:
        body = parse_json_object(message)
    except DecodeError as error:
        raise MessageRefusedError(str(error)) from None
    if body.get("type") == "greeting":
        address, contract, token = (_text(body, name, _ADDRESS) for name in ("address", "contract", "token"))
        return Greeting(address, int(_text(body, "chain", _CHAIN)), contract, token)
    if body.get("type") == "claim":
        channel, signature = _text(body, "channel", _CHANNEL), _text(body, "signature", _SIGNATURE)
        return Claim(bytes.fromhex(channel), int(_text(body, "amount", _AMOUNT)), bytes.fromhex(signature))
    raise MessageRefusedError("neither a greeting nor a claim")


def _text(body: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    text = body.get(name)
    if type(text) is not str or form.fullmatch(text) is None:
        raise MessageRefusedError(f"{name} has not the right form")
    return text
