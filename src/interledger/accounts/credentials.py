"""How a counterpart proves who it is, beside the one token of each kind of link that an account has always had.

Of secrets that are presented to us only digests are kept. Secrets with which tokens are signed are kept themselves
(sealed: `store.sealing`), because a signature cannot be made or checked with less.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from interledger.clock import Timestamp

__all__ = ["ALL_SCOPES", "SECRET_OCTETS_MIN", "IncomingToken", "Scope", "TokenUse", "scopes_with"]

SECRET_OCTETS_MIN: Final = 32
"""Of a secret that signs tokens (RFC 7518 3.2): as long as the hash. A shorter one can be guessed from one token."""


class Scope(enum.StrEnum):
    """What the holder of a token may do in the API."""

    READ = "read"
    """Look at everything that the token's owner may see."""
    OPERATE = "operate"
    """Change how the node works: routes, rates, webhooks, what is logged."""
    MONEY = "money"
    """Move money, and say who may owe how much: payments, settlements, corrections, accounts, peers, tokens."""


ALL_SCOPES: Final = tuple(Scope)


def scopes_with(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """In their order, and with reading: whoever may act may look."""
    wanted = {*scopes, Scope.READ}
    return tuple(scope for scope in Scope if scope in wanted)


class TokenUse(enum.StrEnum):
    """What a token opens."""

    HTTP = "http"
    BTP = "btp"
    BOTH = "both"
    API = "api"
    """The API and no link: of the person behind the account, not of its node."""

    @property
    def opens_http(self) -> bool:
        """ILP over HTTP."""
        return self in (TokenUse.HTTP, TokenUse.BOTH)

    @property
    def opens_btp(self) -> bool:
        return self in (TokenUse.BTP, TokenUse.BOTH)

    @property
    def opens_api(self) -> bool:
        """What the account may do in the API."""
        return self is not TokenUse.BTP


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingToken:
    """One of several tokens that the counterpart may present. `id` names it, so that it can be revoked."""

    id: str
    use: TokenUse
    label: str
    """A word of the operator's: where this token is in use."""
    digest: str = field(repr=False)
    """SHA-256, hex."""
    created_at: Timestamp
    may: tuple[Scope, ...] = ALL_SCOPES
    """In the API. One that opens a link may everything: packets move money."""
