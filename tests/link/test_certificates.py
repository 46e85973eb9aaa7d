"""Whose a client certificate is, by the three forms in which an account may name it."""

from __future__ import annotations

import base64
import hashlib
import ssl
from pathlib import Path

import pytest

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.daemon.authority import DevAuthority
from interledger.errors import InvalidRequestError
from interledger.link import certificates
from interledger.link.certificates import (
    Certificates,
    digest_of,
    needs_authority,
    parse_client_certificate,
    pinned_certificate,
)
from interledger.link.tls import read_certificates

NOW = Timestamp(1_795_262_400_000)
BOB, CAROL = AccountId("bob"), AccountId("carol")
DIGITS = "0a" * 32


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevAuthority:
    return DevAuthority(tmp_path_factory.mktemp("ca"), NOW)


def issue(ca: DevAuthority, name: str) -> tuple[str, bytes]:
    """(PEM, DER)"""
    pem = ca.issue(name, NOW).certificate.read_text()
    return pem, ssl.PEM_cert_to_DER_cert(pem)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (f"sha256:{DIGITS}", f"sha256:{DIGITS}"),
        (f" sha256:{':'.join(['0A'] * 32)}\n", f"sha256:{DIGITS}"),
        ("subject:CN=peer.example", "subject:CN=peer.example"),
        ("subject:CN=peer.example,O=Some Bank", "subject:CN=peer.example,O=Some Bank"),
    ],
)
def test_forms(text: str, entry: str) -> None:
    assert parse_client_certificate(text) == parse_client_certificate(entry) == entry
    assert needs_authority(entry)
    assert pinned_certificate(entry) is None
    assert digest_of(entry) == (DIGITS if entry.startswith("sha256") else None)


def test_a_certificate_itself(ca: DevAuthority) -> None:
    pem, der = issue(ca, "peer")
    entry = parse_client_certificate(pem)
    assert entry == f"x509:{base64.b64encode(der).decode()}"
    assert parse_client_certificate(entry) == entry
    assert not needs_authority(entry)
    assert digest_of(entry) == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "", "peer", "sha256", "sha256:", f"sha256:{DIGITS}0", "sha256:zz", "subject:", "subject:peer", "x509:",
        "x509:AAAA", "x509:é", "-----BEGIN CERTIFICATE-----", "md5:00", f"SHA256:{DIGITS}",
    ],
)  # fmt: skip
def test_what_is_no_form(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_client_certificate(text)


def test_who_holds_it(ca: DevAuthority, tmp_path: Path) -> None:
    foreign = DevAuthority(tmp_path, NOW)
    (bob_pem, bob), (_, carol), (_, dave) = issue(ca, "bob"), issue(ca, "carol"), issue(ca, "dave")
    _, impostor = issue(foreign, "carol")
    known = Certificates(read_certificates(ca.path, "ca"))
    assert known.holder(bob) is None
    known.add(BOB, (parse_client_certificate(bob_pem),))
    known.add(CAROL, ("subject:CN=carol",))
    assert [known.holder(der) for der in (bob, carol, dave, impostor, b"no certificate", None)] == [
        BOB, CAROL, None, None, None, None,
    ]  # fmt: skip
    assert known.holder(carol) == CAROL  # found again
    assert not known.is_free(CAROL, (parse_client_certificate(bob_pem),))
    assert known.is_free(BOB, (parse_client_certificate(bob_pem), "subject:CN=other"))
    known.remove(BOB)
    assert (known.holder(bob), known.holder(carol)) == (None, CAROL)


def test_a_subject_counts_for_nothing_without_an_authority(ca: DevAuthority) -> None:
    """A peer whose own certificate is trusted could sign others, in anybody's name."""
    _, der = issue(ca, "carol")
    known = Certificates()
    known.add(CAROL, ("subject:CN=carol", f"sha256:{'00' * 32}"))
    assert known.holder(der) is None


def test_what_is_remembered_is_bounded(ca: DevAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "SEEN_MAX", 2)
    known = Certificates(read_certificates(ca.path, "ca"))
    known.add(CAROL, ("subject:CN=carol",))
    for number in range(9):
        assert known.holder(b"%d" % number) is None
    assert len(known._seen) <= 2
