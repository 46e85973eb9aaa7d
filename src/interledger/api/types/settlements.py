"""Documents about settlements. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from interledger.api.types.core import MoneyDocument
from interledger.api.types.live import WorthDocument

__all__ = [
    "NewSettlementDocument",
    "ReasonDocument",
    "SettlementDocument",
    "SettlementQuantityDocument",
    "SettlementTotalsDayDocument",
    "SettlementTotalsDocument",
    "SettlementTotalsEngineDocument",
    "SettlementTotalsOnItsWayDocument",
]


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


class SettlementTotalsOnItsWayDocument(TypedDict):
    """`on_its_way` of `SettlementTotals`."""

    count: int
    oldest_at: str | None
    amount: WorthDocument


class SettlementTotalsDayDocument(TypedDict):
    """`day` of `SettlementTotals`."""

    since: str
    count: int
    paid: WorthDocument
    got: WorthDocument


class SettlementTotalsEngineDocument(TypedDict):
    """`engines` of `SettlementTotals`."""

    url: str
    accounts: list[str]
    trouble: str | None
    """What it said to a settlement it did not take"""


class SettlementTotalsDocument(TypedDict):
    """What is on its way and what was settled within a day, at our rates, of the latest 1,000."""

    on_its_way: SettlementTotalsOnItsWayDocument
    day: SettlementTotalsDayDocument
    engines: list[SettlementTotalsEngineDocument]
