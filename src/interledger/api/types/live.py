"""Documents about what happens at a node. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from interledger.api.types.accounts import AccountDocument
from interledger.api.types.core import MoneyDocument

__all__ = [
    "AccountLookDocument",
    "AccountLookPacketsPerSecondDocument",
    "AccountsLookDocument",
    "CheckDocument",
    "EventDocument",
    "EventPageDocument",
    "FlowDocument",
    "HealthLookDocument",
    "IncomingPaymentDocument",
    "MovesDayDocument",
    "MovesLookDocument",
    "MovesNowDocument",
    "OverviewDocument",
    "PositionPointDocument",
    "ProfitHistoryDocument",
    "ProfitHistoryPointDocument",
    "ProfitSinceDocument",
    "RateHistoryDocument",
    "RateHistoryPointDocument",
    "RiskDocument",
    "RiskLookDocument",
    "SettingDocument",
    "TopologyDocument",
    "TopologyPeerDocument",
    "TopologyPeerLinkDocument",
    "TopologyPeerPacketsPerSecondDocument",
    "WorthDocument",
]


class AccountsLookDocument(TypedDict):
    """The accounts with most at stake."""

    accounts: list[AccountLookDocument]
    """Most at stake first"""
    accounts_total: int


class CheckDocument(TypedDict):
    """One thing that may be well or not."""

    name: str
    level: Literal["ok", "warn", "unknown", "bad"]
    text: str
    page: str
    """Where to look, below the dashboard"""


class EventDocument(TypedDict):
    """Something that happened at the node."""

    id: int
    """Greater than that of every earlier event, over restarts too"""
    at: str
    kind: Literal[
        "node.started",
        "node.stopping",
        "node.draining",
        "node.resumed",
        "link.up",
        "link.down",
        "payment.finished",
        "payment.received",
        "settlement.changed",
        "settlement.retrying",
        "unknown.opened",
        "unknown.resolved",
        "limit.near",
        "limit.reached",
        "limit.cleared",
        "route.changed",
        "rate.stale",
        "rate.jump",
        "rate.refused",
        "rate.unreachable",
        "rate.recovered",
        "account.created",
        "account.changed",
        "account.deleted",
        "alarm",
        "events.dropped",
    ]
    level: Literal["ok", "info", "warn", "unknown", "bad"]
    subject: str | None
    """What it is about, as people call it"""
    text: str
    """For people. Programs read `data`"""
    data: dict[str, Any]
    """See the reference page of events"""


class EventPageDocument(TypedDict):
    """Events, and how to go on."""

    items: list[EventDocument]
    next_cursor: str | None
    """For `cursor`, or with `since` for `since`; null: there are no more"""
    gap: bool
    """Events after `since` are gone: they are too old, or the node crashed"""
    latest: int
    """The id of the latest event; 0: there is none"""


class FlowDocument(TypedDict):
    """What moved in one second or minute, from `at` on."""

    at: str
    packets: int
    fulfilled: int
    rejected: int
    in_flight: int
    moved: list[MoneyDocument]


class HealthLookDocument(TypedDict):
    """What is well, and what is not."""

    health: list[CheckDocument]
    needs: list[CheckDocument]
    """What is not well"""


class IncomingPaymentDocument(TypedDict):
    """A payment that came in. `received`: as far as it is there."""

    id: str
    account: str
    """Who was paid"""
    source: str
    """The account that its packets came from"""
    received: MoneyDocument
    packets: int
    state: Literal["receiving", "received"]
    started_at: str
    last_at: str


class MovesDayDocument(TypedDict):
    """What moved within a day."""

    since: str
    packets: int
    fulfilled: int
    rejected: int
    fulfilled_permille: int | None
    moved: WorthDocument


class MovesLookDocument(TypedDict):
    """What moves now, what moved within a day, and what was earned since the node started."""

    at: str
    now: MovesNowDocument
    day: MovesDayDocument
    profit: ProfitSinceDocument
    seconds: list[FlowDocument]
    """The last 90, oldest first"""
    minutes: list[FlowDocument]
    """Of a day at most; idle ones are absent"""


class MovesNowDocument(TypedDict):
    """What moves now."""

    packets_per_second: int
    in_flight: int
    held: WorthDocument
    next_expiry_ms: int | None


class OverviewDocument(TypedDict):
    """Is anything wrong, how much could be lost, what is moving."""

    ilp_address: str
    version: str
    started_at: str
    sentence: str
    health: list[CheckDocument]
    needs: list[CheckDocument]
    """What is not well"""
    risk: RiskDocument
    at: str
    now: MovesNowDocument
    day: MovesDayDocument
    profit: ProfitSinceDocument
    seconds: list[FlowDocument]
    """The last 90, oldest first"""
    minutes: list[FlowDocument]
    """Of a day at most; idle ones are absent"""
    accounts: list[AccountLookDocument]
    """Most at stake first"""
    accounts_total: int
    events_latest: int


class PositionPointDocument(TypedDict):
    """Where an account stood at one moment."""

    at: str
    net: str
    pending_in: str
    pending_out: str


class ProfitHistoryPointDocument(TypedDict):
    """`points` of `ProfitHistory`."""

    at: str
    earned: str


class ProfitHistoryDocument(TypedDict):
    """What was earned since the node started, over time."""

    asset_code: str
    asset_scale: int
    points: list[ProfitHistoryPointDocument]


class ProfitSinceDocument(TypedDict):
    """Fees less losses, and what exchange left us holding, at the rates as they are now."""

    since: str
    earned: WorthDocument


class RateHistoryPointDocument(TypedDict):
    """`points` of `RateHistory`."""

    at: str
    value: str


class RateHistoryDocument(TypedDict):
    """What one unit of an asset was worth over time, since the node started."""

    code: str
    points: list[RateHistoryPointDocument]


class RiskDocument(TypedDict):
    """How much could be lost now."""

    at_risk: WorthDocument
    worst: WorthDocument
    limits: WorthDocument
    owed: WorthDocument
    in_flight: WorthDocument
    unknown: WorthDocument
    we_owe: WorthDocument
    percent: int | None
    """Whole percent, rounded down; null: there is no limit"""


class RiskLookDocument(TypedDict):
    """How much could be lost now, at the node's own rates."""

    risk: RiskDocument


class SettingDocument(TypedDict):
    """One setting as it really is, and who said so."""

    key: str
    value: str | None
    """As it would be written; null for a secret"""
    is_set: bool
    default: str | None
    secret: bool
    set_by: Literal["flag", "environment", "file", "default"]
    origin: str | None
    """`ilp.toml:31`, `ILP_DATA_DIR`, `--data-dir`"""
    takes_effect: str
    help: str
    flag: str
    environment: str


class TopologyPeerLinkDocument(TypedDict):
    """`link` of `TopologyPeer`."""

    kind: str
    up: bool
    since: str | None


TopologyPeerPacketsPerSecondDocument = TypedDict(
    "TopologyPeerPacketsPerSecondDocument",
    {
        "in": "int",
        "out": "int",
        "total": "int",
        "rejected": "int",
    },
)
"""`packets_per_second` of `TopologyPeer`."""


class TopologyPeerDocument(TypedDict):
    """`peers` of `Topology`."""

    account: str
    ilp_address: str
    relation: Literal["parent", "peer", "child", "local"]
    asset_code: str
    asset_scale: int
    link: TopologyPeerLinkDocument
    net: str
    direction: Literal["owes_us", "we_owe", "even"]
    share_percent: int | None
    """Whole percent, rounded down; null: there is no limit"""
    near_limit: bool
    in_flight: int
    packets_per_second: TopologyPeerPacketsPerSecondDocument
    worth: MoneyDocument


class TopologyDocument(TypedDict):
    """Who is connected, and what moves between us."""

    ilp_address: str
    packets_per_second: int
    peers: list[TopologyPeerDocument]


class WorthDocument(TypedDict):
    """What amounts of several assets are worth together, at the node's own rates."""

    amount: str
    asset_code: str
    asset_scale: int
    unpriced: list[str]
    """Assets without a rate: they are not in it"""


AccountLookPacketsPerSecondDocument = TypedDict(
    "AccountLookPacketsPerSecondDocument",
    {
        "in": "int",
        "out": "int",
        "total": "int",
        "rejected": "int",
    },
)
"""`packets_per_second` of `AccountLook`."""


class AccountLookDocument(AccountDocument):
    """An account, with how much is at stake and how fast it moves."""

    in_flight: int
    packets_per_second: AccountLookPacketsPerSecondDocument
    exposure_percent: int | None
    """Whole percent, rounded down; null: there is no limit"""
    near_limit: bool
    unknown: int
    worth: MoneyDocument
