"""Documents about explained routes. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, TypedDict

from interledger.api.types.core import MoneyDocument

__all__ = [
    "RouteExplanationCandidateDocument",
    "RouteExplanationDocument",
    "RouteExplanationNextDocument",
    "RouteExplanationRefusalDocument",
    "RouteSessionDocument",
]


class RouteExplanationNextDocument(TypedDict):
    """`next` of `RouteExplanation`."""

    account: str
    amount: MoneyDocument | None
    less_ms: int
    """How much earlier the onward packet expires"""
    room: MoneyDocument | None


class RouteExplanationRefusalDocument(TypedDict):
    """`refusal` of `RouteExplanation`."""

    step: str
    code: str
    name: str
    message: str
    triggered_by: str
    amount_max: MoneyDocument | None
    """The most that would pass (F08)"""


class RouteExplanationCandidateDocument(TypedDict):
    """`candidates` of `RouteExplanation`."""

    prefix: str
    account: str | None
    origin: str
    weight: int
    priority: int
    path: list[str] | None
    """Nodes from the next to where it begins"""
    speaker: str | None
    """The address of the peer that announced it"""
    since: str | None
    """When it did so first"""
    up: bool
    chosen: bool
    why_not: str | None


class RouteExplanationDocument(TypedDict):
    """Where a packet would go, and why."""

    destination: str
    account: str | None
    amount: MoneyDocument | None
    outcome: Literal["forwarded", "refused", "answered"]
    next: RouteExplanationNextDocument | None
    refusal: RouteExplanationRefusalDocument | None
    room: MoneyDocument | None
    candidates: list[RouteExplanationCandidateDocument]
    nearest: list[str]


class RouteSessionDocument(TypedDict):
    """How the exchange of routes with one peer stands."""

    account: str
    up: bool
    asked_for_ours: bool
    told: int
    """Routes of ours that it has"""
    told_prefixes: list[str]
    """The first 100 of them"""
    acknowledged: int
    epoch: int
    """Changes of our table so far"""
    heard: int
    """Routes that it announces"""
    speaker: str | None
    heard_at: str | None
    expires_at: str | None
    overflowed: bool
    """It announces more than one peer may"""
