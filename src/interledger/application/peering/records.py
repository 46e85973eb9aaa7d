"""What is asked for and kept about invitations and peers: small values that node and API share."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from interledger.accounts.account import AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.application.peering.fields import limit_text
from interledger.clock import Timestamp

__all__ = ["FORGET_AFTER_MS", "UNSET", "AddTerms", "Invite", "InviteState", "InviteTerms", "JoinTerms"]

FORGET_AFTER_MS: Final = 7 * 86_400_000
"""How long an invitation is remembered after its end: who tries it late gets a reason, and who lost the answer the
same answer again."""

UNSET: Final = -1
"""For a limit that nobody gave: what the invitation says holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTerms:
    """What who accepts may say. `name`: what the inviting node is called here."""

    name: AccountId | None = None
    owes_us_max: int | None = UNSET
    we_owe_max: int | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTerms:
    """What `ilp peer add` says. Amounts in units of `asset`; None for a limit: none, or what the account has."""

    url: str
    asset: Asset
    name: str | None = None
    token: str | None = None
    """What we present; None: a new one."""
    packet_amount_max: int | None = None
    owes_us_max: int | None = None
    we_owe_max: int | None = None


class InviteState(enum.StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    SPENT = "spent"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteTerms:
    """What is offered. Amounts in units of `asset`, None: no limit. `name`: what the invited one is called here."""

    asset: Asset
    name: AccountId | None = None
    relation: Relation = Relation.CHILD
    link: str = "btp"
    owes_us_max: int | None = 0
    we_owe_max: int | None = 0
    packet_amount_max: int | None = None
    lifetime_ms: int = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """One invitation, as it is kept."""

    id: str
    terms: InviteTerms
    secret_digest: str = field(repr=False)
    created_at: Timestamp
    expires_at: Timestamp
    state: InviteState = InviteState.OPEN
    ended_at: Timestamp | None = None
    account: AccountId | None = None
    """The account that was made of it."""
    nonce_digest: str | None = field(default=None, repr=False)
    our_nonce: str | None = field(default=None, repr=False)

    def state_at(self, now: Timestamp) -> InviteState:
        """The state, time considered."""
        return InviteState.EXPIRED if self.state is InviteState.OPEN and now >= self.expires_at else self.state

    def forget_at(self) -> Timestamp:
        """When it need not be remembered any more."""
        return Timestamp((self.ended_at or self.expires_at) + FORGET_AFTER_MS)

    def as_document(self) -> dict[str, Any]:
        """For the store."""
        terms = self.terms
        return {
            "id": self.id,
            "name": terms.name,
            "asset_code": terms.asset.code,
            "asset_scale": terms.asset.scale,
            "relation": terms.relation.value,
            "link": terms.link,
            "owes_us_max": limit_text(terms.owes_us_max),
            "we_owe_max": limit_text(terms.we_owe_max),
            "packet_amount_max": limit_text(terms.packet_amount_max),
            "lifetime_ms": terms.lifetime_ms,
            "secret_digest": self.secret_digest,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "state": self.state.value,
            "ended_at": self.ended_at,
            "account": self.account,
            "nonce_digest": self.nonce_digest,
            "our_nonce": self.our_nonce,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Invite:
        """What `as_document` wrote."""
        limits = ("owes_us_max", "we_owe_max", "packet_amount_max")
        terms = InviteTerms(
            asset=Asset(document["asset_code"], document["asset_scale"]),
            name=document["name"],
            relation=Relation(document["relation"]),
            link=document["link"],
            lifetime_ms=document["lifetime_ms"],
            **{name: None if document[name] is None else int(document[name]) for name in limits},
        )
        names = ("id", "secret_digest", "created_at", "expires_at", "ended_at", "account", "nonce_digest", "our_nonce")
        return cls(terms=terms, state=InviteState(document["state"]), **{name: document[name] for name in names})
