"""The documents of `/api`, as the client gives them out. What their fields mean is in the OpenAPI document."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "AccountDocument", "AddedPeerDocument", "AdminTokenDocument",
    "AtRiskDocument", "CallerDocument", "CheckDocument", "CheckItemDocument",
    "CreatedInviteDocument", "InviteDocument", "InviteLimitsDocument", "LimitsDocument", "LinkDocument",
    "LoginDocument", "MoneyDocument", "PacketsDocument", "PaymentDocument",
    "PendingDocument", "PositionDocument", "ProblemDocument",
    "QuoteDocument", "RateDocument", "RatioDocument", "RouteDocument", "StatusDocument", "TokenDocument",
]  # fmt: skip


class MoneyDocument(TypedDict):
    """Integer units as text, and the asset they are of."""

    amount: str
    asset_code: str
    asset_scale: int


class RatioDocument(TypedDict):
    """A rate: delivered units for sent ones."""

    numerator: str
    denominator: str


class ProblemDocument(TypedDict, total=False):
    """RFC 7807."""

    type: str
    title: str
    status: int
    detail: str
    field: str
    suggestion: str
    code: str
    error_id: str


class PositionDocument(TypedDict):
    """`net = receivable - payable`: above zero, the account owes the node."""

    receivable: str
    payable: str
    net: str


PendingDocument = TypedDict("PendingDocument", {"in": str, "out": str})
"""What is in flight from the account, and to it."""


class LimitsDocument(TypedDict):
    """None: there is no limit."""

    owes_us_max: str | None
    we_owe_max: str | None
    late_claims_max: str | None
    settle_in_max: str | None
    packet_amount_max: str | None
    packets_per_minute: str | None
    amount_per_minute: str | None


class LinkDocument(TypedDict):
    """How an account is connected. Of a token only whether there is one."""

    kind: str
    up: bool
    since: str | None
    http_url: str | None
    http_form: str
    http_callback_url: str | None
    http_incoming_token: bool
    http_outgoing_token: bool
    btp_url: str | None
    btp_version: str
    btp_incoming_token: bool
    btp_outgoing_token: bool
    http_incoming_jwt_secret: bool
    http_outgoing_jwt_secret: bool
    http_outgoing_jwt_subject: str | None
    http_jwks_url: str | None
    http_jwt_issuer: str | None
    http_jwt_audience: str | None
    http_jwt_subject: str | None
    http_jwt_require_subject: bool
    client_certificates: list[str]
    client_certificate_required: bool
    tls_ca_file: str | None
    tls_certificate_file: str | None
    tls_key_file: str | None


class TokenDocument(TypedDict, total=False):
    """A token that an account may present. `token`: what it is, in the answer that made it and nowhere else."""

    id: str
    use: str
    label: str
    may: list[str]
    created_at: str | None
    token: str


class AdminTokenDocument(TypedDict, total=False):
    """A named token of the operator's. `token`: what it is, in the answer that made it and nowhere else."""

    id: str
    label: str
    may: list[str]
    created_at: str
    token: str


class AccountDocument(TypedDict):
    """One account. Amounts in units of its asset."""

    id: str
    relation: str
    asset_code: str
    asset_scale: int
    ilp_address: str
    position: PositionDocument
    pending: PendingDocument
    limits: LimitsDocument
    room: str | None
    link: LinkDocument
    settle_threshold: str | None
    settle_to: str | None
    settlement_engine_url: str | None
    send_routes: bool | None
    receive_routes: bool | None
    ccp_full_updates: bool
    peer_balance: bool
    round_trip_time_ms: int


class InviteLimitsDocument(TypedDict):
    """None: there is no limit."""

    owes_us_max: str | None
    we_owe_max: str | None
    packet_amount_max: str | None


class InviteDocument(TypedDict):
    """An invitation, without its secret. `account`: what came of it."""

    id: str
    state: str
    name: str | None
    asset_code: str
    asset_scale: int
    relation: str
    link: str
    limits: InviteLimitsDocument
    created_at: str
    expires_at: str
    ended_at: str | None
    account: str | None


class CreatedInviteDocument(InviteDocument):
    """A new invitation. `invite`: the string, a secret."""

    invite: str
    fingerprint: str
    url: str


class CheckItemDocument(TypedDict):
    """One question: `verdict` is ok, warning, failed or skipped."""

    name: str
    verdict: str
    detail: str


class CheckDocument(TypedDict):
    """What came of checking a link. `good`: nothing failed."""

    account: str
    good: bool
    items: list[CheckItemDocument]


class AddedPeerDocument(TypedDict):
    """A new peer, and how its link does."""

    id: str
    account: AccountDocument
    check: CheckDocument


class RouteDocument(TypedDict):
    """One route; `account` is None for the node itself."""

    prefix: str
    account: str | None
    origin: str
    weight: int
    priority: int
    path: list[str] | None
    speaker: str | None
    since: str | None


class RateDocument(TypedDict):
    """What one whole unit is worth in a common base, as decimal text."""

    code: str
    value: str
    source: str
    as_of: str | None


class QuoteDocument(TypedDict):
    """What a payment would cost."""

    id: str
    account: str
    receiver: str
    redirected_to: str | None
    send_max: MoneyDocument
    deliver_min: MoneyDocument
    rate: RatioDocument


class PacketsDocument(TypedDict):
    """Counts."""

    sent: int
    fulfilled: int
    rejected: int


class PaymentDocument(TypedDict):
    """A payment at one moment. `ended_at` is None while it runs."""

    id: str
    state: str
    account: str
    receiver: str
    redirected_to: str | None
    sent: MoneyDocument
    delivered: MoneyDocument | None
    in_flight: MoneyDocument
    unknown: MoneyDocument
    deliver_min: MoneyDocument | None
    send_max: MoneyDocument | None
    rate: RatioDocument | None
    packets: PacketsDocument
    error: ProblemDocument | None
    code: str | None
    started_at: str
    ended_at: str | None
    duration_ms: int | None


class AtRiskDocument(TypedDict):
    """What could be lost with one peer now, in units of the asset."""

    account: str
    asset_code: str
    asset_scale: int
    owed: str
    in_flight: str
    unknown: str
    unproven: str


class StatusDocument(TypedDict):
    """The node in one look."""

    ilp_address: str
    version: str
    ready: bool
    read_only: bool
    started_at: str
    accounts: int
    links_up: int
    in_flight: int
    packets: dict[str, int]
    unknown: int
    at_risk: list[AtRiskDocument]
    alarms: list[str]


class LoginDocument(TypedDict):
    """A code for the dashboard, and the path that uses it."""

    code: str
    path: str
    expires_at: str


class CallerDocument(TypedDict):
    """Whose token it is: the operator's, or an account's; its name, where it has one; its scopes."""

    is_admin: bool
    account: str | None
    token: str | None
    may: list[str]
