"""A settlement as the node keeps it: one document each, from its first moment to for ever."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.settlement.quantity import Quantity

__all__ = ["ARCHIVE", "Direction", "Settlement", "SettlementState", "incoming_id", "incoming_key", "outgoing_id"]

ARCHIVE: Final = "done/"
"""How documents begin of which a start reads the latest only: whoever needs another one asks the store for its key."""


class Direction(enum.StrEnum):
    """Who pays."""

    OUT = "out"
    IN = "in"


class SettlementState(enum.StrEnum):
    """Where a settlement stands. The first of each direction is where it begins."""

    SENDING = "sending"
    """Taken from what we owe, in transit; the engine has not said that it has it. Tried for ever."""
    SETTLED = "settled"
    """The engine has it: it pays, however long that takes."""
    VOID = "void"
    """The operator has taken it back, or refused what came in."""
    CREDITED = "credited"
    """It came in and is in the books."""
    HELD = "held"
    """It came in beyond the account's cap: the operator has to agree first."""

    @property
    def is_open(self) -> bool:
        return self in (SettlementState.SENDING, SettlementState.HELD)


_ID_DIGITS: Final = 16


def outgoing_id(key: str) -> str:
    """What people call a settlement of ours."""
    return f"set_{key.replace('-', '')[:_ID_DIGITS]}"


def incoming_id(account: AccountId, key: str) -> str:
    """What people call one that came in: the engine's key may be long."""
    return f"set_{sha256(f'{account}/{key}'.encode()).hexdigest()[:_ID_DIGITS]}"


def incoming_key(account: AccountId, key: str) -> str:
    """Under which one that came in is kept once it is done."""
    return f"{ARCHIVE}in/{account}/{key}"


@dataclass(slots=True, kw_only=True)
class Settlement:
    """`amount`: units of `asset` that move in our books. `quantity`: as the engine was told, or told us.

    `attempts`, `error` and `next_at` are of this run of the node.
    """

    id: str
    direction: Direction
    account: AccountId
    asset: Asset
    amount: int
    quantity: Quantity
    key: str
    state: SettlementState
    made_at: Timestamp
    done_at: Timestamp | None = None
    engine: str = ""
    """Of one of ours: the engine that got the key. No other engine is ever asked for it."""
    cause: str = ""
    """Threshold, timer, or who asked."""
    attempts: int = 0
    error: str = ""
    next_at: Timestamp | None = None

    @property
    def document_key(self) -> str:
        """Under which it is stored: an incoming one by what makes it unique."""
        rest = f"out/{self.id}" if self.direction is Direction.OUT else f"in/{self.account}/{self.key}"
        return rest if self.state.is_open else ARCHIVE + rest

    def encode(self) -> dict[str, Any]:
        """What is stored; integers as text."""
        return {
            "id": self.id,
            "direction": self.direction.value,
            "account": self.account,
            "asset_code": self.asset.code,
            "asset_scale": self.asset.scale,
            "amount": str(self.amount),
            "quantity": self.quantity.as_document(),
            "key": self.key,
            "state": self.state.value,
            "made_at": self.made_at,
            "done_at": self.done_at,
            "engine": self.engine,
            "cause": self.cause,
        }

    @classmethod
    def decode(cls, body: dict[str, Any]) -> Settlement:
        """Raises `KeyError`, `ValueError` and `DecodeError`."""
        return cls(
            id=body["id"],
            direction=Direction(body["direction"]),
            account=AccountId(body["account"]),
            asset=Asset(body["asset_code"], body["asset_scale"]),
            amount=int(body["amount"]),
            quantity=Quantity.read(body["quantity"]),
            key=body["key"],
            state=SettlementState(body["state"]),
            made_at=Timestamp(body["made_at"]),
            done_at=None if body["done_at"] is None else Timestamp(body["done_at"]),
            engine=body["engine"],
            cause=body["cause"],
        )
