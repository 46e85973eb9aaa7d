"""The contract `channels.vy` from Python: what its functions are called with, what a claim is signed as.

`channels.json` is its ABI and its code as `vyper` made them; a test compiles the source again and compares.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from eth_abi.abi import decode, encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

__all__ = ["NO_TOKEN", "Channel", "channel_id", "contract_code", "encode_call", "sign_claim", "signer_of"]

NO_TOKEN: Final = "0x" + "0" * 40
"""Stands for ether."""

_CHANNEL_TYPES: Final = ("address", "address", "address", "uint256", "uint256", "uint256", "uint256", "bool")


class Channel(NamedTuple):
    """What the contract keeps. `delay`: seconds; `closes_at`: s UTC, 0 while nobody closes; amounts: units."""

    sender: str
    receiver: str
    token: str
    delay: int
    closes_at: int
    deposit: int
    paid: int
    closed: bool

    @classmethod
    def decode(cls, octets: bytes) -> Channel:
        """The result of `channels(id)`; all zeros for one that nobody opened."""
        return cls(*decode(_CHANNEL_TYPES, octets))


@cache
def _compiled() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("channels.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def contract_code() -> bytes:
    """What a transaction without a receiver makes the contract of."""
    return bytes.fromhex(_compiled()["bytecode"].removeprefix("0x"))


def encode_call(signature: str, *arguments: Any) -> bytes:
    """The data of a call: `encode_call("transfer(address,uint256)", to, 5)`."""
    types = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + encode(types.split(",") if types else (), arguments)


def channel_id(sender: str, receiver: str, token: str, delay: int, salt: bytes) -> bytes:
    """The id that `open` will give."""
    return keccak(
        encode(("address", "address", "address", "uint256", "bytes32"), (sender, receiver, token, delay, salt))
    )


def sign_claim(key: LocalAccount, chain: int, contract: str, channel: bytes, amount: int) -> bytes:
    """A claim over `amount`, all that was ever paid over the channel: 65 octets."""
    return bytes(key.sign_message(_claim(chain, contract, channel, amount)).signature)


def signer_of(chain: int, contract: str, channel: bytes, amount: int, signature: bytes) -> str | None:
    """The address that signed this claim; None when nobody did."""
    try:
        signer: str = Account.recover_message(_claim(chain, contract, channel, amount), signature=signature)
    except Exception:
        return None  # the library has several ways to say that 65 octets are no signature
    return signer


def _claim(chain: int, contract: str, channel: bytes, amount: int) -> SignableMessage:
    domain = {
        "name": "Interledger payment channels",
        "version": "1",
        "chainId": chain,
        "verifyingContract": contract,
    }
    types = {"Claim": [{"name": "channel", "type": "bytes32"}, {"name": "amount", "type": "uint256"}]}
    return encode_typed_data(domain, types, {"channel": channel, "amount": amount})
