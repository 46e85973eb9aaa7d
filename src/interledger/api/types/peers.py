"""Documents about becoming a peer. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from interledger.api.types.accounts import AccountDocument

__all__ = [
    "AcceptInviteDocument",
    "AddedPeerDocument",
    "AutoPeeringAnswerDocument",
    "AutoPeeringRequestAssetDocument",
    "AutoPeeringRequestDocument",
    "CreatedInviteDocument",
    "CreatedInviteLimitsDocument",
    "InviteDocument",
    "InviteLimitsDocument",
    "NewInviteDocument",
    "NewInviteLimitsDocument",
    "NewPeerDocument",
    "NewPeerLimitsDocument",
    "PeerCheckDocument",
    "PeerCheckItemDocument",
    "PeerEchoDocument",
    "RedeemAnswerDocument",
    "RedeemRequestDocument",
]


class AcceptInviteDocument(TypedDict):
    """An invitation of another node that is to be accepted."""

    invite: str
    """The string that begins with  ilpeer1:  A secret."""
    name: NotRequired[str | None]
    owes_us_max: NotRequired[int | str | None]
    we_owe_max: NotRequired[int | str | None]


class AddedPeerDocument(TypedDict):
    """A new peer, and how its link does."""

    id: str
    account: AccountDocument
    check: PeerCheckDocument


class AutoPeeringAnswerDocument(TypedDict):
    """What a Rafiki node is told when it became a peer."""

    staticIlpAddress: str
    ilpConnectorUrl: str
    httpToken: str
    name: str | None
    tenantId: str


class AutoPeeringRequestAssetDocument(TypedDict):
    """`asset` of `AutoPeeringRequest`."""

    code: str
    scale: int


class AutoPeeringRequestDocument(TypedDict):
    """A Rafiki node that wants to become a peer."""

    staticIlpAddress: str
    ilpConnectorUrl: str
    asset: AutoPeeringRequestAssetDocument
    httpToken: str
    maxPacketAmount: NotRequired[int | None]
    name: NotRequired[str | None]


class CreatedInviteLimitsDocument(TypedDict):
    """`limits` of `CreatedInvite`."""

    owes_us_max: str | None
    we_owe_max: str | None
    packet_amount_max: str | None


class CreatedInviteDocument(TypedDict):
    """A new invitation. `invite`: the string, a secret, in this answer and nowhere else."""

    id: str
    state: Literal["open", "spent", "revoked", "expired"]
    name: str | None
    asset_code: str
    asset_scale: int
    relation: Literal["child", "peer"]
    link: Literal["btp", "http"]
    limits: CreatedInviteLimitsDocument
    created_at: str
    expires_at: str
    ended_at: str | None
    account: str | None
    invite: str
    """The string that begins with  ilpeer1:  A secret."""
    fingerprint: str
    url: str


class InviteLimitsDocument(TypedDict):
    """`limits` of `Invite`."""

    owes_us_max: str | None
    we_owe_max: str | None
    packet_amount_max: str | None


class InviteDocument(TypedDict):
    """An invitation, without its secret. `account`: what came of it."""

    id: str
    state: Literal["open", "spent", "revoked", "expired"]
    name: str | None
    asset_code: str
    asset_scale: int
    relation: Literal["child", "peer"]
    link: Literal["btp", "http"]
    limits: InviteLimitsDocument
    created_at: str
    expires_at: str
    ended_at: str | None
    account: str | None


class NewInviteLimitsDocument(TypedDict):
    """`limits` of `NewInvite`."""

    owes_us_max: NotRequired[int | str | None]
    we_owe_max: NotRequired[int | str | None]
    packet_amount_max: NotRequired[int | str | None]


class NewInviteDocument(TypedDict):
    """An invitation that is to be made."""

    asset_code: str
    asset_scale: int | str
    name: NotRequired[str | None]
    relation: NotRequired[Literal["child", "peer"]]
    link: NotRequired[Literal["btp", "http"]]
    limits: NotRequired[NewInviteLimitsDocument]
    expires_in_ms: NotRequired[int | str]


class NewPeerLimitsDocument(TypedDict):
    """`limits` of `NewPeer`."""

    owes_us_max: NotRequired[int | str | None]
    we_owe_max: NotRequired[int | str | None]
    packet_amount_max: NotRequired[int | str | None]


class NewPeerDocument(TypedDict):
    """A Rafiki node that is to become a peer."""

    url: str
    asset_code: str
    asset_scale: int | str
    name: NotRequired[str | None]
    token: NotRequired[str | None]
    limits: NotRequired[NewPeerLimitsDocument]


class PeerCheckItemDocument(TypedDict):
    """`items` of `PeerCheck`."""

    name: str
    verdict: Literal["ok", "warning", "failed", "skipped"]
    detail: str


class PeerCheckDocument(TypedDict):
    """What came of checking a link. `good`: nothing failed."""

    account: str
    good: bool
    items: list[PeerCheckItemDocument]


class PeerEchoDocument(TypedDict):
    """What this node says to a peer that checks the link."""

    now: str
    """Milliseconds since 1970, UTC"""
    address: str
    asset: str
    owes_us_max: str | None
    we_owe_max: str | None
    packet_amount_max: str | None
    round_trip_us: int | None
    code: str | None


class RedeemAnswerDocument(TypedDict):
    """What a node is told whose invitation is good."""

    version: int
    account: str
    address: str
    child_address: str | None
    asset: str
    token: str
    http_url: str
    btp_url: str


class RedeemRequestDocument(TypedDict):
    """A node that uses an invitation."""

    version: int
    secret: str
    nonce: str
    name: str
    address: str
    token: str
    http_url: NotRequired[str | None]
