"""Documents about settlements. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from interledger.api.types.core import MoneyDocument

__all__ = ["NewSettlementDocument", "ReasonDocument", "SettlementDocument", "SettlementQuantityDocument"]


class NewSettlementDocument(TypedDict):
    """A settlement that is to be made now: so much, or all above `settle_to`."""

    account: str
    amount: NotRequired[str | None]
    by: NotRequired[str | None]


class ReasonDocument(TypedDict):
    """Why, to be kept with what is decided."""

    reason: str
    by: NotRequired[str | None]


class SettlementQuantityDocument(TypedDict):
    """`quantity` of `Settlement`."""

    amount: str
    scale: int


class SettlementDocument(TypedDict):
    """One settlement, going out or coming in."""

    id: str
    direction: Literal["out", "in"]
    account: str
    amount: MoneyDocument
    quantity: SettlementQuantityDocument
    state: Literal["sending", "settled", "void", "credited", "held"]
    key: str
    engine: str | None
    cause: str | None
    made_at: str
    done_at: str | None
    attempts_failed: int
    error: str | None
    next_at: str | None
