"""Whose credentials these are: tokens by their digests, signed tokens, client certificates, of all accounts.

A look-up by digest takes a time that says nothing about tokens: whoever could see how far two digests agree would learn
something about SHA-256 of his own guess, and nothing about anybody's token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, final
from urllib.parse import unquote, urlsplit

from interledger.accounts.account import Account, AccountId, LinkSettings, token_digest
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError
from interledger.link.certificates import Certificates, digest_of, needs_authority, pinned_certificate
from interledger.link.http.messages import Signer
from interledger.link.http.protocol import NEVER, PENDING, Admission, Presented
from interledger.link.tls import ServerTls

if TYPE_CHECKING:
    from interledger.link.jwt.protocol import JwtRules, JwtVerifier

__all__ = ["TOKENS_MAX", "Credentials", "btp_proofs", "signer_of"]

logger = logging.getLogger("interledger.node")

TOKENS_MAX: Final = 32
"""Incoming tokens of one account: more than any rotation needs at a time."""


@final
class Credentials:
    """All accounts' ways to say who they are. `add` and `remove` follow the accounts.

    `tls`: of the port; `make_verifier`: makes what checks signed tokens, once an account takes them.
    """

    def __init__(self, tls: ServerTls | None, make_verifier: Callable[[], JwtVerifier]) -> None:
        self._tls = tls
        self._make_verifier = make_verifier
        self._verifier: JwtVerifier | None = None
        self._http: dict[str, AccountId] = {}
        self._btp: dict[str, AccountId] = {}
        self._api: dict[str, AccountId] = {}
        self._certificates = Certificates(() if tls is None else tls.authorities)
        self._need_certificate: set[AccountId] = set()

    # ------------------------------------------------------------------ accounts

    def check(self, account: Account) -> None:
        """Raises `ConflictError` when a token or certificate is another account's: it selects the account.

        `InvalidRequestError` for what cannot be used.
        """
        link = account.link
        if len(link.incoming_tokens) > TOKENS_MAX:
            raise ConflictError(f"An account has at most {TOKENS_MAX} tokens. Revoke those that nobody uses.")
        for tokens, digests in self._digests(account):
            if any(tokens.get(digest, account.id) != account.id for digest in digests):
                raise ConflictError("Another account uses this token. Each account needs one of its own.")
        if not self._certificates.is_free(account.id, link.client_certificates):
            raise ConflictError("Another account's peer has this certificate. Each account needs one of its own.")
        if link.http_jwks_url is not None and not (link.http_jwt_issuer and link.http_jwt_audience):
            raise InvalidRequestError(
                "keys from a URL need  http_jwt_issuer  and  http_jwt_audience : others sign with the same keys",
                "http_jwks_url",
            )
        self._rules_of(account)

    def add(self, account: Account, now: Timestamp) -> None:
        """Take the account's credentials. Raises `InvalidRequestError` for a secret that is too weak."""
        rules = self._rules_of(account)
        if rules is not None:
            self._verifier = self._verifier or self._make_verifier()
            self._verifier.add(rules, now)
        for tokens, digests in self._digests(account):
            tokens |= dict.fromkeys(digests, account.id)
        link = account.link
        self._certificates.add(account.id, link.client_certificates)
        for entry in link.client_certificates:
            pinned = pinned_certificate(entry)
            if self._tls is not None and pinned is not None:
                self._tls.trust(pinned)
        useless = self.cannot_come(account)
        if useless is not None:
            logger.warning("%s cannot be known by a certificate: %s", account.id, useless)
        if link.client_certificate_required:
            self._need_certificate.add(account.id)

    def remove(self, account: Account) -> None:
        """Take nothing for this account, as it was added, any more."""
        for tokens, digests in self._digests(account):
            for digest in digests:
                tokens.pop(digest, None)
        if account.link.client_certificates:
            self._certificates.remove(account.id)
        self._need_certificate.discard(account.id)
        if self._verifier is not None:
            self._verifier.remove(account.id)

    def cannot_come(self, account: Account) -> str | None:
        """Why some of the account's certificates will never be let in by this port; None when all may be."""
        entries = account.link.client_certificates
        if entries and self._tls is None:
            return "the port speaks no TLS (tls.cert), so nobody can present a certificate"
        if self._tls is not None and not self._tls.authorities and any(needs_authority(entry) for entry in entries):
            return "without  tls.client_ca  only certificates that were given as PEM are let in"
        return None

    # ------------------------------------------------------------------ who is it

    def admit_http(self, presented: Presented, now: Timestamp) -> Admission | None:
        """Whose request of ILP over HTTP this is."""
        token = presented.token
        if token is None:
            return self._by_certificate(presented.certificate)
        account = self._http.get(token_digest(token))
        until = NEVER
        if account is None:
            if self._verifier is None:
                return None
            verified = self._verifier.account_of(token, presented.named, now)
            if verified is None:
                return None
            if not verified.account:
                return PENDING
            account, until = verified
        return Admission(account, until) if self._certificate_fits(account, presented.certificate) else None

    def find_btp(self, token: str, certificate: bytes | None) -> AccountId | None:
        """Whose BTP connection this is. A client with a certificate may send an empty token."""
        account = self._btp.get(token_digest(token))
        if account is None:
            by_certificate = None if token else self._by_certificate(certificate)
            return None if by_certificate is None else by_certificate.account
        return account if self._certificate_fits(account, certificate) else None

    def find_api(self, token: str) -> AccountId | None:
        """Whose token of ILP over HTTP, or of the API, this is. Signed tokens open only the way for packets."""
        account = self._api.get(token_digest(token))
        return None if account in self._need_certificate else account

    # ------------------------------------------------------------------ inside

    def _digests(self, account: Account) -> Iterator[tuple[dict[str, AccountId], Iterator[str]]]:
        yield self._http, http_digests(account)
        yield self._btp, btp_digests(account)
        yield self._api, api_digests(account)

    def _by_certificate(self, certificate: bytes | None) -> Admission | None:
        holder = self._certificates.holder(certificate)
        return None if holder is None or holder in self._need_certificate else Admission(holder, NEVER)

    def _certificate_fits(self, account: AccountId, certificate: bytes | None) -> bool:
        return account not in self._need_certificate or self._certificates.holder(certificate) == account

    def _rules_of(self, account: Account) -> JwtRules | None:
        link = account.link
        if link.http_incoming_jwt_secret is None and link.http_outgoing_jwt_secret is None and not link.http_jwks_url:
            return None
        # Signed tokens need a package that most nodes have no use for.
        from interledger.link.jwt.protocol import JwtRules

        return JwtRules.of(account)


def signer_of(link: LinkSettings, own_address: str) -> Signer | None:
    """What makes our tokens for a peer with whom we share a secret; None without one. Raises `InvalidRequestError`."""
    if link.http_outgoing_jwt_secret is None or link.http_url is None:
        return None
    from interledger.link.jwt.protocol import TokenSigner

    # Our name there is in the path, for software like ours.
    parts = urlsplit(link.http_url).path.split("/")
    named = unquote(parts[2]) if len(parts) == 4 and parts[1] == "accounts" else None
    return TokenSigner(link.http_outgoing_jwt_secret, link.http_outgoing_jwt_subject or named or own_address)


def http_digests(account: Account) -> Iterator[str]:
    """Digests of the tokens that open ILP over HTTP."""
    if account.link.http_incoming_token_digest is not None:
        yield account.link.http_incoming_token_digest
    yield from (token.digest for token in account.link.incoming_tokens if token.use.opens_http)


def api_digests(account: Account) -> Iterator[str]:
    """Digests of the tokens that open the API."""
    if account.link.http_incoming_token_digest is not None:
        yield account.link.http_incoming_token_digest
    yield from (token.digest for token in account.link.incoming_tokens if token.use.opens_api)


def btp_proofs(account: Account) -> Iterator[str]:
    """What `BtpServer` remembers of connections that these credentials opened: digests of tokens and certificates."""
    yield from btp_digests(account)
    yield from (digest for entry in account.link.client_certificates if (digest := digest_of(entry)) is not None)


def btp_digests(account: Account) -> Iterator[str]:
    """Digests of the tokens that open BTP."""
    link = account.link
    # A child's token counts only together with its name: see `Children`.
    if link.btp_incoming_token_digest is not None and link.btp_child_name is None:
        yield link.btp_incoming_token_digest
    yield from (token.digest for token in link.incoming_tokens if token.use.opens_btp)
