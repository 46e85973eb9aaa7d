"""A certificate authority for development: one per state directory, kept there, trusted by nobody else.

It signs what nodes of one machine or one laboratory present to each other, as servers and as clients. Its key is a
private file; whoever has it can pass for every node that trusts it, so nothing public should.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from interledger.clock import Timestamp
from interledger.errors import SettingsError

__all__ = ["DevAuthority", "Issued"]

AUTHORITY_DAYS: Final = 3_650
LEAF_DAYS: Final = 397
"""What public authorities once gave at most; clients may refuse more."""

LEEWAY_DAYS: Final = 1
"""Certificates count from a day ago: the clocks of two machines differ."""

LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class Issued(NamedTuple):
    """Where a certificate and its key were written."""

    certificate: Path
    key: Path


@final
class DevAuthority:
    """The authority of `directory`: read from `ca.pem` and `ca-key.pem`, or made and written there.

    Raises `SettingsError` when the files are there and cannot be read.
    """

    def __init__(self, directory: Path, now: Timestamp) -> None:
        self.directory = directory
        self.path = directory / "ca.pem"
        """The authority's certificate: what the others have to trust."""
        key_path = directory / "ca-key.pem"
        if self.path.exists() and key_path.exists():
            self._certificate, self._key = _read(self.path, key_path)
            return
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _authority(self._key, _moment(now))
        _write_key(key_path, self._key)
        self.path.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str, now: Timestamp, hosts: Sequence[str] = ()) -> Issued:
        """A certificate for `name`, good as server and as client, for this machine and `hosts` (names, addresses).

        Written to `NAME.pem` and `NAME-key.pem` beside the authority; what stood there is replaced.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _leaf(self._certificate, self._key, key, name, tuple(dict.fromkeys((*LOCAL_NAMES, *hosts))), now)
        issued = Issued(self.directory / f"{name}.pem", self.directory / f"{name}-key.pem")
        _write_key(issued.key, key)
        issued.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        return issued


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "interledger-py development"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Development authority of one directory"),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    name: str,
    hosts: Sequence[str],
    now: Timestamp,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(subject, authority.subject, key.public_key(), _moment(now), LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(uses, critical=False)
        .add_extension(names, critical=False)
        .add_extension(above, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=LEEWAY_DAYS))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _moment(now: Timestamp) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now // 1000, datetime.UTC)


def _read(path: Path, key_path: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"the authority in {path.parent} cannot be read: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError(f"{key_path} is not a key that this program made")
    return certificate, key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Private from its first moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
