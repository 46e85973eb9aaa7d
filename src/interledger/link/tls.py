"""TLS of our own port and of the links that we open: contexts made from files, and who is at the other end.

A peer may be known by its client certificate: by the SHA-256 of its octets, or by its subject. OpenSSL lets a
certificate in only when it trusts it, so those that accounts name are made anchors of trust themselves; a subject
counts only in a certificate that one of `client_ca` has signed itself, whatever else is trusted.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from interledger.errors import InvalidRequestError, SettingsError

__all__ = [
    "NO_PROOF",
    "Proof",
    "ServerTls",
    "client_context",
    "fingerprint",
    "issued_by",
    "parse_certificate",
    "peer_certificate",
    "pinned_context",
    "proof_of",
    "read_certificates",
]

ALPN_HTTP: Final = ["http/1.1"]
"""What our port speaks above TLS, most wanted first. WebSockets begin as HTTP/1.1."""

CERTIFICATE_OCTETS_MAX: Final = 65_536
"""A file of certificates: a chain has some thousand octets, a file of authorities of one's own not many more."""


@final
class ServerTls:
    """The TLS of a port. `context` is one object for the whole life of the port: `reload` changes what it presents.

    `certificate`: a PEM file, the chain from our own certificate on; `key`: its key, when it stands elsewhere;
    `client_ca`: whose client certificates are let in. Raises `SettingsError`, which names the file.
    """

    def __init__(self, certificate: Path, key: Path | None = None, client_ca: Path | None = None) -> None:
        self.certificate = certificate
        self.key = key or certificate
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_alpn_protocols(ALPN_HTTP)
        self.context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self.authorities: tuple[x509.Certificate, ...] = ()
        """Those of `client_ca`."""
        self._trusted: set[bytes] = set()
        _load_key(self.context, self.certificate, self.key)
        self._seen = self._state()
        if client_ca is not None:
            self.authorities = read_certificates(client_ca, "tls.client_ca")
            _trust_file(self.context, client_ca, "tls.client_ca")
            self._ask()

    def reload(self) -> None:
        """Present what the files hold now, to new connections. Raises `SettingsError`; the old one stays then."""
        seen = self._state()
        # Tried out first: a context that has taken a certificate without its key serves nobody.
        _load_key(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.certificate, self.key)
        _load_key(self.context, self.certificate, self.key)
        self._seen = seen

    def is_stale(self) -> bool:
        """Whether the files have changed since they were read."""
        return self._state() != self._seen

    def trust(self, certificate: x509.Certificate) -> None:
        """Let clients in that present it. There is no way back while the port lives, and none is needed: being let in
        says who a client is, not what it may do."""
        der = certificate.public_bytes(Encoding.DER)
        if der not in self._trusted:
            self._trusted.add(der)
            self.context.load_verify_locations(cadata=der)
            self._ask()

    def _ask(self) -> None:
        """From now on ask clients for a certificate; those without one are let in too."""
        self.context.verify_mode = ssl.CERT_OPTIONAL

    def _state(self) -> tuple[tuple[int, int, int], ...]:
        try:
            states = [path.stat() for path in (self.certificate, self.key)]
        except OSError:
            return ()
        return tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in states)


def client_context(ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """For links that we open. `ca`: a PEM file with the authorities that count, instead of the system's.

    `certificate`, `key`: what we present. Raises `SettingsError`, which names the file.
    """
    if ca is None:
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _trust_file(context, ca, "the file of authorities")
    if certificate is not None:
        _load_key(context, certificate, key or certificate)
    return context


def pinned_context(certificate: Path) -> ssl.SSLContext:
    """For a server that is known to present the first certificate of this file, under whatever name it is called.

    Raises `SettingsError`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # One certificate is trusted and no authority, so that the name in it adds nothing.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    first = read_certificates(certificate, "the node's certificate")[0]
    context.load_verify_locations(cadata=first.public_bytes(Encoding.DER))
    return context


class Proof(NamedTuple):
    """What a connection shows beside its requests: the client's certificate (DER) and the SHA-256 of that."""

    certificate: bytes | None
    digest: bytes


NO_PROOF: Final = Proof(None, b"")


def proof_of(transport: asyncio.BaseTransport) -> Proof:
    """Of the client at the other end."""
    certificate = peer_certificate(transport)
    return NO_PROOF if certificate is None else Proof(certificate, hashlib.sha256(certificate).digest())


def peer_certificate(transport: asyncio.BaseTransport) -> bytes | None:
    """The client's certificate (DER), verified by TLS; None without one, and without TLS."""
    connection = transport.get_extra_info("ssl_object")
    if connection is None:
        return None
    certificate: bytes | None = connection.getpeercert(binary_form=True)
    return certificate or None


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate (DER), hex."""
    return hashlib.sha256(certificate).hexdigest()


def issued_by(certificate: x509.Certificate, authorities: tuple[x509.Certificate, ...]) -> bool:
    """Whether one of `authorities` has signed `certificate` itself."""
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def read_certificates(path: Path, what: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, one at least. Raises `SettingsError`."""
    try:
        if path.stat().st_size > CERTIFICATE_OCTETS_MAX:
            raise SettingsError(f"{what}: {path} is too large for a file of certificates")
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise SettingsError(f"{what}: {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise SettingsError(f"{what}: {path} holds no certificate in PEM form") from None


def parse_certificate(text: str) -> x509.Certificate:
    """One certificate in PEM form. Raises `InvalidRequestError`."""
    try:
        return x509.load_pem_x509_certificate(text.encode("ascii"))
    except ValueError:
        raise InvalidRequestError("this is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)") from None


def _load_key(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for path in (certificate, key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        why = "they do not belong together" if error.reason == "KEY_VALUES_MISMATCH" else "one of them is not PEM"
        raise SettingsError(f"{certificate} and {key} are no certificate and its key: {why}") from None


def _no_password() -> NoReturn:
    raise SettingsError(
        "the key is encrypted with a password. A node starts without a person: keep the key plain, 0600"
    )


def _trust_file(context: ssl.SSLContext, path: Path, what: str) -> None:
    read_certificates(path, what)
    context.load_verify_locations(cafile=path)
