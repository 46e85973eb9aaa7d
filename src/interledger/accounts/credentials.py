"""How a counterpart proves who it is, beside the one token of each kind of link that an account has always had.

Of secrets that are presented to us only digests are kept. Secrets with which tokens are signed are kept themselves
(sealed: `store.sealing`), because a signature cannot be made or checked with less.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from interledger.clock import Timestamp

__all__ = ["SECRET_OCTETS_MIN", "IncomingToken", "TokenUse"]

SECRET_OCTETS_MIN: Final = 32
"""Of a secret that signs tokens (RFC 7518 3.2): as long as the hash. A shorter one can be guessed from one token."""


class TokenUse(enum.StrEnum):
    """What a token opens."""

    HTTP = "http"
    BTP = "btp"
    BOTH = "both"

    @property
    def opens_http(self) -> bool:
        """ILP over HTTP, and what the account may do in the API."""
        return self is not TokenUse.BTP

    @property
    def opens_btp(self) -> bool:
        return self is not TokenUse.HTTP


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
