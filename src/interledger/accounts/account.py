"""The record we keep of one counterpart: who it is, in which asset we account, and how far we trust it.

The fields follow the account resource of interledger-rs, in our vocabulary; `api` translates.
"""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, NewType

from interledger.accounts.asset import Asset
from interledger.accounts.credentials import IncomingToken
from interledger.codec.oer import UINT64_MAX
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address

__all__ = [
    "SECRET_FIELDS",
    "Account",
    "AccountId",
    "BtpVersion",
    "HttpForm",
    "LinkSettings",
    "Relation",
    "parse_account_id",
    "token_digest",
]

AccountId = NewType("AccountId", str)
"""An account's name, unique on its node: what `parse_account_id` lets through."""


class Relation(enum.StrEnum):
    """What the counterpart is to us (RFC 1). It decides which routes are exchanged and who configures whom."""

    PARENT = "parent"
    PEER = "peer"
    CHILD = "child"
    LOCAL = "local"
    """A holder on this node: nobody's routes go there. interledger-rs calls it NonRoutingAccount."""


class BtpVersion(enum.StrEnum):
    """Which BTP is spoken. Both peers have to speak the same one."""

    PLAIN = "2.0"
    """RFC 23: what every live peer speaks."""
    REPEATING = "2.0-I"
    """The same wire, and requests are repeated until they are answered, answers remembered."""


class HttpForm(enum.StrEnum):
    """How packets and their answers are put into HTTP requests. Both peers have to use the same one."""

    SYNC = "sync"
    """The answer is the body of the response: what every live peer speaks."""
    ASYNC = "async"
    """RFC 35: the response says 202, the answer comes as a request of its own."""
    OER_SYNC = "oer-sync"
    """HTTP-OER-SYNC: as `sync`, and a request whose response got lost is repeated."""
    OER_ASYNC = "oer-async"
    """HTTP-OER-ASYNC: packet and answer are requests of their own, each repeated until it is received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How packets reach the counterpart, and how it proves who it is.

    Incoming tokens are kept as SHA-256 digests (hex); outgoing ones as they are, because we have to present them: the
    store seals them.
    """

    http_url: str | None = None
    http_public_only: bool = False
    """The counterpart named `http_url` itself: it is called at public addresses only (server-side request forgery)."""
    http_form: HttpForm = HttpForm.SYNC
    http_callback_url: str | None = None
    """Where the peer sends its answers to us, in the form `async`."""
    http_outgoing_token: str | None = field(default=None, repr=False)
    http_incoming_token_digest: str | None = field(default=None, repr=False)
    btp_url: str | None = None
    btp_public_only: bool = False
    """The same for `btp_url`."""
    btp_outgoing_token: str | None = field(default=None, repr=False)
    btp_incoming_token_digest: str | None = field(default=None, repr=False)
    btp_version: BtpVersion = BtpVersion.PLAIN
    btp_child_name: str | None = None
    """Under which a child made this account itself, by connecting; its token opens nothing without this name."""
    incoming_tokens: tuple[IncomingToken, ...] = ()
    """Further ones, each with a name, so that tokens can be changed without a moment in which none is good."""
    http_incoming_jwt_secret: str | None = field(default=None, repr=False)
    """With which the counterpart signs its tokens (JWT, HS256)."""
    http_outgoing_jwt_secret: str | None = field(default=None, repr=False)
    """With which we sign ours, in place of `http_outgoing_token`."""
    http_outgoing_jwt_subject: str | None = None
    """Whom our tokens name; None: the account that `http_url` names, or our ILP address."""
    http_jwks_url: str | None = None
    """Where the public keys are by which the counterpart's tokens are checked (JWT, RS256)."""
    http_jwt_issuer: str | None = None
    http_jwt_audience: str | None = None
    http_jwt_subject: str | None = None
    """What its tokens have to say. The subject is the account's name when nothing is said here."""
    http_jwt_require_subject: bool = True
    """False: tokens signed with the shared secret may name nobody, as those of ilp-plugin-http."""
    client_certificates: tuple[str, ...] = ()
    """By which the counterpart is known over TLS: see `link.certificates`."""
    client_certificate_required: bool = False
    """True: its tokens count only together with one of its certificates."""
    tls_ca_file: str | None = None
    """Authorities by which its server is checked, in place of the node's."""
    tls_certificate_file: str | None = None
    """What we present to its server; `tls_key_file`: the key, when it stands elsewhere."""
    tls_key_file: str | None = None

    @property
    def speaks_http(self) -> bool:
        """Whether packets may come or go by ILP over HTTP."""
        return bool(
            self.http_url is not None
            or self.http_incoming_token_digest is not None
            or self.http_incoming_jwt_secret is not None
            or self.http_jwks_url is not None
            or self.client_certificates
            or any(token.use.opens_http for token in self.incoming_tokens)
        )

    @property
    def speaks_btp(self) -> bool:
        """Whether packets may come or go by BTP."""
        return bool(
            self.btp_url is not None
            or self.btp_incoming_token_digest is not None
            or self.client_certificates
            or any(token.use.opens_btp for token in self.incoming_tokens)
        )

    def differs_only_in_credentials(self, other: LinkSettings) -> bool:
        """Whether both lead to the same links, and only what is presented to us is another."""
        speaks = (self.speaks_http, self.speaks_btp)
        return self.differs_only_in_presented(other) and speaks == (other.speaks_http, other.speaks_btp)

    def differs_only_in_presented(self, other: LinkSettings) -> bool:
        """Whether all else is the same. Nothing may be left that opens a link, or something may be there at last."""
        return replace(self, **{name: getattr(other, name) for name in _PRESENTED}) == other


SECRET_FIELDS: Final = (
    "http_outgoing_token",
    "btp_outgoing_token",
    "http_incoming_jwt_secret",
    "http_outgoing_jwt_secret",
)
"""Of `LinkSettings`: the secrets themselves, where a digest would not do. A store keeps them sealed."""

_PRESENTED: Final = (
    "http_incoming_token_digest",
    "btp_incoming_token_digest",
    "incoming_tokens",
    "http_incoming_jwt_secret",
    "http_jwks_url",
    "http_jwt_issuer",
    "http_jwt_audience",
    "http_jwt_subject",
    "http_jwt_require_subject",
    "client_certificates",
    "client_certificate_required",
)
"""Of `LinkSettings`: what the counterpart presents to us."""


_LIMITS: Final = (
    "packet_amount_max",
    "owes_us_max",
    "we_owe_max",
    "late_claims_max",
    "packets_per_minute",
    "amount_per_minute",
    "peer_balance",
    "paused",
)
"""Of `Account`: what packets are measured by, and nobody else remembers."""

_SETTLES: Final = ("settle_threshold", "settle_to", "settlement_engine_url", "settle_in_max")
"""Of `Account`: what only settlement looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One counterpart. Amounts in integer units of `asset`; None for a limit means that there is none."""

    id: AccountId
    asset: Asset
    ilp_address: Address
    relation: Relation = Relation.LOCAL
    packet_amount_max: int = UINT64_MAX
    owes_us_max: int | None = None
    """The credit limit: the most the counterpart may owe us, counting what is in flight."""
    we_owe_max: int | None = None
    late_claims_max: int | None = 0
    """What the counterpart may prove to be owed within a day although it proves it too late: our loss, without asking
    anybody. What an interruption of our own left does not count."""
    packets_per_minute: int | None = None
    amount_per_minute: int | None = None
    round_trip_time_ms: int = 500
    settle_threshold: int | None = None
    settle_to: int | None = None
    settlement_engine_url: str | None = None
    settle_in_max: int | None = None
    """What its engine may say within a day has come in; for more, the operator is asked."""
    peer_balance: bool = False
    """Whether the counterpart may ask how our books see this account (D-14)."""
    paused: bool = False
    """The operator lets nothing new pass: packets from it are refused (T03), and none is sent to it."""
    send_routes: bool | None = None
    """Whether we tell it our routes (CCP). None: as is usual for its relation."""
    receive_routes: bool | None = None
    """Whether we listen to its routes."""
    ccp_full_updates: bool = False
    """Tell it all routes in every update: the Java connector takes no other."""
    link: LinkSettings = LinkSettings()

    @property
    def ledger_name(self) -> str:
        """The name of its ledger account: `peer/bob`, or `local/bob` for a holder on this node."""
        return f"{'local' if self.relation is Relation.LOCAL else 'peer'}/{self.id}"

    def differs_only_in_limits(self, other: Account) -> bool:
        """Whether all else but limits, and how it is settled, is the same: links know nothing of them."""
        return replace(self, **{name: getattr(other, name) for name in (*_LIMITS, *_SETTLES)}) == other

    def differs_only_in_settlement(self, other: Account) -> bool:
        """Whether all else is the same: packets and links know nothing of how it is settled."""
        return replace(self, **{name: getattr(other, name) for name in _SETTLES}) == other


def parse_account_id(text: str) -> AccountId:
    """2 to 32 letters, digits and `_` of any script, folded to one form (as interledger-rs does); `-` and `.` not."""
    name = unicodedata.normalize("NFKC", text).casefold()
    if not (2 <= len(name) <= 32 and all(c == "_" or c.isalnum() for c in name)):
        raise InvalidRequestError(f"“{text}” cannot be an account name: 2 to 32 letters, digits or _ are", "username")
    return AccountId(name)


def token_digest(token: str) -> str:
    """What is kept of an incoming token: its SHA-256, hex. Looking it up takes the same time for every wrong token."""
    return sha256(token.encode("utf-8")).hexdigest()
