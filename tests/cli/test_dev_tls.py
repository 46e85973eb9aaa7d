"""`ilp dev ca` and `ilp dev certificate`."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from interledger.cli.main import run
from interledger.link.tls import fingerprint, issued_by, parse_certificate, read_certificates


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_authority_is_made_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for _ in range(2):
        assert run(["dev", "ca", "--json"], {}) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    pem = Path(found[0]["path"]).read_text()
    assert found[0]["sha256"] == fingerprint(ssl.PEM_cert_to_DER_cert(pem))


def test_it_signs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dev", "certificate", "hub", "--host", "hub.example"], {}) == 0
    certificate, key = (Path(line.strip()) for line in capsys.readouterr().out.splitlines())
    assert "PRIVATE KEY" in key.read_text()
    signed = parse_certificate(certificate.read_text())
    assert issued_by(signed, read_certificates(certificate.parent / "ca.pem", "ca"))


@pytest.mark.parametrize("name", ["ca", "ca-key", "../hub", "", ".hub", "a" * 64])
def test_names_that_are_no_file_s(name: str) -> None:
    assert run(["dev", "certificate", name], {}) == 2
