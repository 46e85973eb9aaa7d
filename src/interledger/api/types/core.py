"""Documents about money, rates, routes and the node itself. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

__all__ = [
    "AtRiskDocument",
    "CallerDocument",
    "HealthDocument",
    "IntakeDocument",
    "LoginDocument",
    "MoneyDocument",
    "NewRateDocument",
    "NewRouteDocument",
    "PingDocument",
    "PingResultDocument",
    "PingResultHopDocument",
    "ProblemDocument",
    "RateDocument",
    "RatioDocument",
    "RootDocument",
    "RouteDocument",
    "SpspDocument",
    "StatusDocument",
]


class AtRiskDocument(TypedDict):
    """What could be lost with one peer now, in units of the asset."""

    account: str
    asset_code: str
    asset_scale: int
    owed: str
    in_flight: str
    unknown: str
    unproven: str


class CallerDocument(TypedDict):
    """Whose token it is: the operator's, or an account's; its name, where it has one; its scopes."""

    is_admin: bool
    account: str | None
    token: str | None
    may: list[Literal["read", "operate", "money"]]
    """What the token may; reading is always among it"""


class HealthDocument(TypedDict):
    """Whether the node is well."""

    status: str


class IntakeDocument(TypedDict):
    """Whether the node takes new packets, and how many wait for their answers."""

    taking_packets: bool
    in_flight: int
    stopping: bool


class LoginDocument(TypedDict):
    """A code that opens the dashboard once, and the path that uses it."""

    code: str
    path: str
    expires_at: str


class MoneyDocument(TypedDict):
    """Integer units as text, and the asset they are of."""

    amount: str
    asset_code: str
    asset_scale: int


class NewRateDocument(TypedDict):
    """What one whole unit of an asset is to be worth, in any base that is the same for all."""

    code: str
    value: float | str


class NewRouteDocument(TypedDict):
    """A static route that is to be."""

    prefix: str
    account: str
    weight: NotRequired[int]
    """Its share of the packets among those of the same prefix and priority"""
    priority: NotRequired[int]
    """0 first; the next number while none of those can take a packet"""


class PingDocument(TypedDict):
    """Whom to ask for an echo."""

    destination: str
    timeout_ms: NotRequired[int | str]
    kind: NotRequired[Literal["echo", "java"]]
    hops: NotRequired[bool]


class PingResultHopDocument(TypedDict):
    """`hops` of `PingResult`."""

    address: str
    round_trip_us: int
    code: str | None


class PingResultDocument(TypedDict):
    """The answer to a ping."""

    destination: str
    round_trip_us: int
    code: str | None
    triggered_by: str | None
    hops: list[PingResultHopDocument]


class ProblemDocument(TypedDict):
    """What went wrong: RFC 7807."""

    type: str
    title: str
    status: int
    detail: str
    field: NotRequired[str]
    suggestion: NotRequired[str]
    code: NotRequired[str]
    error_id: NotRequired[str]


class RateDocument(TypedDict):
    """What one whole unit is worth in a common base, as decimal text."""

    code: str
    value: str
    source: str
    as_of: str | None


class RatioDocument(TypedDict):
    """A rate: delivered units for sent ones."""

    numerator: str
    denominator: str


class RootDocument(TypedDict):
    """That the node is there, as interledger-rs says it."""

    status: str
    ilp_address: NotRequired[str]
    version: NotRequired[str]


class RouteDocument(TypedDict):
    """One route; `account` is null for the node itself."""

    prefix: str
    account: str | None
    origin: Literal["static", "own", "account", "learned", "default"]
    weight: NotRequired[int]
    """Its share of the packets among those of the same prefix and priority"""
    priority: NotRequired[int]
    """0 first; the next number while none of those can take a packet"""
    path: NotRequired[list[str] | None]
    """Nodes from the next to where it begins"""
    speaker: NotRequired[str | None]
    """The address of the peer that announced it"""
    since: NotRequired[str | None]
    """When it did so first"""


class SpspDocument(TypedDict):
    """What a sender needs to pay: RFC 9."""

    destination_account: str
    shared_secret: str
    receipts_enabled: NotRequired[bool]


class StatusDocument(TypedDict):
    """The node in one look."""

    ilp_address: str
    version: str
    ready: bool
    read_only: bool
    taking_packets: bool
    started_at: str
    accounts: int
    links_up: int
    in_flight: int
    packets: dict[str, int]
    """Packets since the start, by outcome"""
    unknown: int
    at_risk: list[AtRiskDocument]
    alarms: list[str]
