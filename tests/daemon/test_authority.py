"""A development authority: made once, found again, and what it signs is good for this machine."""

from __future__ import annotations

import ipaddress
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from interledger.clock import Timestamp
from interledger.daemon.authority import DevAuthority
from interledger.errors import SettingsError

NOW = Timestamp(1_795_262_400_000)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    place = tmp_path / "tls"
    first = DevAuthority(place, NOW)
    octets = first.path.read_bytes()
    assert DevAuthority(place, Timestamp(NOW + 1)).path.read_bytes() == octets
    issued = first.issue("hub", NOW)
    for key in (place / "ca-key.pem", issued.key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    load(issued.certificate).verify_directly_issued_by(load(first.path))


def test_what_it_signs_is_for_this_machine_and_the_hosts_named(tmp_path: Path) -> None:
    authority = DevAuthority(tmp_path, NOW)
    certificate = load(authority.issue("hub", NOW, ["hub.example", "192.0.2.7", "localhost"]).certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "hub.example"]
    addresses = ("127.0.0.1", "::1", "192.0.2.7")
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(text) for text in addresses]
    assert certificate.subject.rfc4514_string() == "CN=hub"
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 398


def test_a_second_certificate_of_a_name_replaces_the_first(tmp_path: Path) -> None:
    authority = DevAuthority(tmp_path, NOW)
    serials = {load(authority.issue("hub", NOW).certificate).serial_number for _ in range(2)}
    assert len(serials) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca-key.pem", "ca.pem", "hub-key.pem", "hub.pem"]


@pytest.mark.parametrize("text", ["", "words"])
def test_files_that_are_no_authority(tmp_path: Path, text: str) -> None:
    DevAuthority(tmp_path, NOW)
    (tmp_path / "ca-key.pem").write_text(text)
    with pytest.raises(SettingsError, match="cannot be read"):
        DevAuthority(tmp_path, NOW)


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    DevAuthority(tmp_path, NOW)
    key = Ed25519PrivateKey.generate()
    (tmp_path / "ca-key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SettingsError, match="not a key that this program made"):
        DevAuthority(tmp_path, NOW)
