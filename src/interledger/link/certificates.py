"""Whose a client certificate is. An account names those of its peer in one of three forms:

| form | what it means | who has to vouch for the certificate |
|---|---|---|
| `x509:<base64>` | this very certificate; made from a PEM text | nobody: it is trusted itself |
| `sha256:<hex>` | the certificate with this digest of its DER octets | an authority of `tls.client_ca` |
| `subject:<name>` | whatever certificate has this subject (RFC 4514) | an authority of `tls.client_ca`, directly |
"""

from __future__ import annotations

import base64
import re
from typing import Final, final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from interledger.accounts.account import AccountId
from interledger.errors import InvalidRequestError
from interledger.link.tls import fingerprint, issued_by, parse_certificate

__all__ = ["Certificates", "digest_of", "needs_authority", "parse_client_certificate", "pinned_certificate"]

SEEN_MAX: Final = 1_024
"""Certificates whose holder is remembered; emptied at this many."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def parse_client_certificate(text: str) -> str:
    """One of the forms above, or a certificate in PEM -> the form in its one spelling. Raises `InvalidRequestError`."""
    text = text.strip()
    kind, separator, rest = text.partition(":")
    if text.startswith("-----BEGIN"):
        return "x509:" + base64.b64encode(parse_certificate(text).public_bytes(Encoding.DER)).decode("ascii")
    if kind == "x509" and separator:
        _load(rest)
        return text
    if kind == "sha256" and separator:
        digits = rest.replace(":", "").lower()
        if _SHA256.fullmatch(digits):
            return f"sha256:{digits}"
    if kind == "subject" and separator:
        try:
            name = x509.Name.from_rfc4514_string(rest)
        except ValueError:
            name = x509.Name([])
        if name.rdns:
            return f"subject:{name.rfc4514_string()}"
    raise InvalidRequestError(
        "a client certificate is given as PEM text, as  sha256:<64 hex digits>  or as  subject:CN=peer.example"
    )


def pinned_certificate(entry: str) -> x509.Certificate | None:
    """The certificate of an `x509:` entry; None for the other forms."""
    return _load(entry.removeprefix("x509:")) if entry.startswith("x509:") else None


def digest_of(entry: str) -> str | None:
    """The SHA-256 that an entry names, hex; None for a subject."""
    if entry.startswith("sha256:"):
        return entry.removeprefix("sha256:")
    pinned = pinned_certificate(entry)
    return None if pinned is None else fingerprint(pinned.public_bytes(Encoding.DER))


def needs_authority(entry: str) -> bool:
    """Whether such a certificate is let in only when somebody vouches for it."""
    return not entry.startswith("x509:")


@final
class Certificates:
    """Certificate -> account. `authorities`: those of `tls.client_ca`."""

    def __init__(self, authorities: tuple[x509.Certificate, ...] = ()) -> None:
        self._authorities = authorities
        self._holders: dict[str, AccountId] = {}
        """Digest, or entry with a subject -> account."""
        self._seen: dict[bytes, AccountId | None] = {}

    def add(self, account: AccountId, entries: tuple[str, ...]) -> None:
        """The account's peer is known by these."""
        self._seen.clear()
        for entry in entries:
            self._holders[digest_of(entry) or entry] = account

    def remove(self, account: AccountId) -> None:
        """It is known by none any more."""
        self._seen.clear()
        self._holders = {key: holder for key, holder in self._holders.items() if holder != account}

    def is_free(self, account: AccountId, entries: tuple[str, ...]) -> bool:
        """Whether none of these is another account's."""
        return all(self._holders.get(digest_of(entry) or entry, account) == account for entry in entries)

    def holder(self, certificate: bytes | None) -> AccountId | None:
        """Whose it is. `certificate`: DER, as TLS has let it in."""
        if certificate is None or not self._holders:
            return None
        if certificate not in self._seen:
            if len(self._seen) >= SEEN_MAX:
                self._seen.clear()
            self._seen[certificate] = self._holders.get(fingerprint(certificate)) or self._by_subject(certificate)
        return self._seen[certificate]

    def _by_subject(self, octets: bytes) -> AccountId | None:
        if not self._authorities:
            return None
        try:
            certificate = x509.load_der_x509_certificate(octets)
            holder = self._holders.get(f"subject:{certificate.subject.rfc4514_string()}")
        except ValueError:
            return None
        # Not everything that TLS lets in: a peer whose own certificate is trusted may have signed others with it.
        return holder if holder is not None and issued_by(certificate, self._authorities) else None


def _load(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except ValueError:
        raise InvalidRequestError("what stands behind  x509:  is not a certificate in base64") from None
