"""Documents about accounts and tokens. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

__all__ = [
    "AccountDocument",
    "AccountLimitsDocument",
    "AccountLinkDocument",
    "AccountPatchDocument",
    "AccountPatchLimitsDocument",
    "AccountPatchLinkDocument",
    "AccountPendingDocument",
    "AccountPositionDocument",
    "AdminTokenDocument",
    "AdminTokenMadeDocument",
    "NewAccountDocument",
    "NewAccountLimitsDocument",
    "NewAccountLinkDocument",
    "NewAdminTokenDocument",
    "NewTokenDocument",
    "PeerBalanceDocument",
    "PeerBalancePendingDocument",
    "TokenDocument",
    "TokenMadeDocument",
]


class AccountPositionDocument(TypedDict):
    """`position` of `Account`."""

    receivable: str
    payable: str
    net: str


AccountPendingDocument = TypedDict(
    "AccountPendingDocument",
    {
        "in": "str",
        "out": "str",
    },
)
"""`pending` of `Account`."""


class AccountLimitsDocument(TypedDict):
    """`limits` of `Account`."""

    owes_us_max: str | None
    we_owe_max: str | None
    late_claims_max: str | None
    settle_in_max: str | None
    packet_amount_max: str | None
    packets_per_minute: str | None
    amount_per_minute: str | None


class AccountLinkDocument(TypedDict):
    """`link` of `Account`."""

    kind: Literal["BTP", "BTP/2.0-I", "HTTP", "HTTP-ASYNC", "HTTP-OER-SYNC", "HTTP-OER-ASYNC", "local", "none"]
    up: bool
    since: str | None
    http_url: str | None
    http_incoming_token: bool
    http_outgoing_token: bool
    btp_url: str | None
    btp_incoming_token: bool
    btp_outgoing_token: bool
    http_form: Literal["sync", "async", "oer-sync", "oer-async"]
    http_callback_url: str | None
    btp_version: Literal["2.0", "2.0-I"]
    http_outgoing_jwt_subject: str | None
    http_jwks_url: str | None
    http_jwt_issuer: str | None
    http_jwt_audience: str | None
    http_jwt_subject: str | None
    tls_ca_file: str | None
    tls_certificate_file: str | None
    tls_key_file: str | None
    http_jwt_require_subject: bool
    client_certificate_required: bool
    client_certificates: list[str]
    http_incoming_jwt_secret: bool
    http_outgoing_jwt_secret: bool


class AccountDocument(TypedDict):
    """One account. Amounts in units of its asset; above zero, `net` is what the account owes the node."""

    id: str
    relation: Literal["parent", "peer", "child", "local"]
    payment_pointer: str | None
    """Where a holder of this node is paid"""
    asset_code: str
    asset_scale: int
    ilp_address: str
    position: AccountPositionDocument
    pending: AccountPendingDocument
    limits: AccountLimitsDocument
    room: str | None
    link: AccountLinkDocument
    settle_threshold: str | None
    settle_to: str | None
    settlement_engine_url: str | None
    send_routes: bool | None
    receive_routes: bool | None
    ccp_full_updates: bool
    peer_balance: bool
    paused: bool
    """True: packets from it are refused (T03), and none is sent to it"""
    round_trip_time_ms: int


class AccountPatchLimitsDocument(TypedDict):
    """`limits` of `AccountPatch`."""

    owes_us_max: NotRequired[str | None]
    we_owe_max: NotRequired[str | None]
    late_claims_max: NotRequired[str | None]
    settle_in_max: NotRequired[str | None]
    packet_amount_max: NotRequired[str | None]
    packets_per_minute: NotRequired[str | None]
    amount_per_minute: NotRequired[str | None]


class AccountPatchLinkDocument(TypedDict):
    """`link` of `AccountPatch`."""

    http_url: NotRequired[str | None]
    http_incoming_token: NotRequired[str | None]
    http_outgoing_token: NotRequired[str | None]
    btp_url: NotRequired[str | None]
    btp_incoming_token: NotRequired[str | None]
    btp_outgoing_token: NotRequired[str | None]
    http_form: NotRequired[Literal["sync", "async", "oer-sync", "oer-async"]]
    http_callback_url: NotRequired[str | None]
    btp_version: NotRequired[Literal["2.0", "2.0-I"]]
    http_outgoing_jwt_subject: NotRequired[str | None]
    http_jwks_url: NotRequired[str | None]
    http_jwt_issuer: NotRequired[str | None]
    http_jwt_audience: NotRequired[str | None]
    http_jwt_subject: NotRequired[str | None]
    tls_ca_file: NotRequired[str | None]
    tls_certificate_file: NotRequired[str | None]
    tls_key_file: NotRequired[str | None]
    http_jwt_require_subject: NotRequired[bool]
    client_certificate_required: NotRequired[bool]
    client_certificates: NotRequired[list[str]]
    http_incoming_jwt_secret: NotRequired[str | None]
    http_outgoing_jwt_secret: NotRequired[str | None]


class AccountPatchDocument(TypedDict):
    """Changes of an account: what is named changes, null clears, all else stays."""

    relation: NotRequired[Literal["parent", "peer", "child", "local"]]
    ilp_address: NotRequired[str]
    limits: NotRequired[AccountPatchLimitsDocument]
    link: NotRequired[AccountPatchLinkDocument]
    send_routes: NotRequired[bool | None]
    receive_routes: NotRequired[bool | None]
    ccp_full_updates: NotRequired[bool]
    peer_balance: NotRequired[bool]
    paused: NotRequired[bool]
    round_trip_time_ms: NotRequired[int]
    settle_threshold: NotRequired[str | None]
    settle_to: NotRequired[str | None]
    settlement_engine_url: NotRequired[str | None]


class AdminTokenDocument(TypedDict):
    """A named token of the operator's, without what it is."""

    id: str
    label: str
    may: list[Literal["read", "operate", "money"]]
    """What the token may; reading is always among it"""
    created_at: str


class AdminTokenMadeDocument(TypedDict):
    """A new token. `token`: what it is, in this answer and nowhere else."""

    id: str
    label: str
    may: list[Literal["read", "operate", "money"]]
    """What the token may; reading is always among it"""
    created_at: str
    token: str


class NewAccountLimitsDocument(TypedDict):
    """`limits` of `NewAccount`."""

    owes_us_max: NotRequired[str | None]
    we_owe_max: NotRequired[str | None]
    late_claims_max: NotRequired[str | None]
    settle_in_max: NotRequired[str | None]
    packet_amount_max: NotRequired[str | None]
    packets_per_minute: NotRequired[str | None]
    amount_per_minute: NotRequired[str | None]


class NewAccountLinkDocument(TypedDict):
    """`link` of `NewAccount`."""

    http_url: NotRequired[str | None]
    http_incoming_token: NotRequired[str | None]
    http_outgoing_token: NotRequired[str | None]
    btp_url: NotRequired[str | None]
    btp_incoming_token: NotRequired[str | None]
    btp_outgoing_token: NotRequired[str | None]
    http_form: NotRequired[Literal["sync", "async", "oer-sync", "oer-async"]]
    http_callback_url: NotRequired[str | None]
    btp_version: NotRequired[Literal["2.0", "2.0-I"]]
    http_outgoing_jwt_subject: NotRequired[str | None]
    http_jwks_url: NotRequired[str | None]
    http_jwt_issuer: NotRequired[str | None]
    http_jwt_audience: NotRequired[str | None]
    http_jwt_subject: NotRequired[str | None]
    tls_ca_file: NotRequired[str | None]
    tls_certificate_file: NotRequired[str | None]
    tls_key_file: NotRequired[str | None]
    http_jwt_require_subject: NotRequired[bool]
    client_certificate_required: NotRequired[bool]
    client_certificates: NotRequired[list[str]]
    http_incoming_jwt_secret: NotRequired[str | None]
    http_outgoing_jwt_secret: NotRequired[str | None]


class NewAccountDocument(TypedDict):
    """An account that is to be made. Tokens in clear, limits in units."""

    id: str
    asset_code: str
    asset_scale: int | str
    relation: NotRequired[Literal["parent", "peer", "child", "local"]]
    ilp_address: NotRequired[str]
    limits: NotRequired[NewAccountLimitsDocument]
    link: NotRequired[NewAccountLinkDocument]
    send_routes: NotRequired[bool | None]
    receive_routes: NotRequired[bool | None]
    ccp_full_updates: NotRequired[bool]
    peer_balance: NotRequired[bool]
    paused: NotRequired[bool]
    round_trip_time_ms: NotRequired[int]
    settle_threshold: NotRequired[str | None]
    settle_to: NotRequired[str | None]
    settlement_engine_url: NotRequired[str | None]


class NewAdminTokenDocument(TypedDict):
    """A token that is to be made for some scopes. Without `token`, one is made up."""

    label: str
    may: list[Literal["read", "operate", "money"]]
    """What the token may; reading is always among it"""
    token: NotRequired[str | None]


class NewTokenDocument(TypedDict):
    """A token that an account is to have. Without `token`, one is made up."""

    use: NotRequired[Literal["http", "btp", "both", "api"]]
    label: NotRequired[str]
    token: NotRequired[str | None]
    may: NotRequired[list[Literal["read", "operate", "money"]]]
    """What the token may; reading is always among it"""


PeerBalancePendingDocument = TypedDict(
    "PeerBalancePendingDocument",
    {
        "in": "str",
        "out": "str",
    },
)
"""`pending` of `PeerBalance`."""


class PeerBalanceDocument(TypedDict):
    """What a peer says of its account with us, in units; `difference` is ours less theirs."""

    account: str
    asset_code: str
    asset_scale: int
    owes_us_by_our_books: str
    owes_us_by_their_books: str
    difference: str
    pending: PeerBalancePendingDocument


class TokenDocument(TypedDict):
    """A token that an account may present, without what it is."""

    id: str
    may: list[Literal["read", "operate", "money"]]
    """What the token may; reading is always among it"""
    use: Literal["http", "btp", "both", "api"]
    label: str
    created_at: str | None


class TokenMadeDocument(TypedDict):
    """A new token. `token`: what it is, in this answer and nowhere else."""

    id: str
    may: list[Literal["read", "operate", "money"]]
    """What the token may; reading is always among it"""
    use: Literal["http", "btp", "both", "api"]
    label: str
    created_at: str | None
    token: str
