"""Signed tokens, certificates and files of an account's link: in by POST and PATCH, shown without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interledger.clock import Timestamp
from interledger.daemon.authority import DevAuthority

SECRET = "0123456789abcdef0123456789abcdef"
DIGEST = "ab" * 32


async def patch(call: Any, **link: Any) -> Any:
    return await call("PATCH", "/api/accounts/alice", {"link": link})


async def test_fields_go_in_and_are_shown_without_secrets(call: Any, node: Any, tmp_path: Path) -> None:
    pem = DevAuthority(tmp_path, Timestamp(1_795_262_400_000)).issue("peer", Timestamp(1_795_262_400_000)).certificate
    fields = {
        "http_outgoing_jwt_subject": "us",
        "http_jwks_url": "https://issuer.example/keys",
        "http_jwt_issuer": "https://issuer.example",
        "http_jwt_audience": "hub",
        "http_jwt_subject": "peer",
        "http_jwt_require_subject": False,
        "client_certificate_required": True,
        "tls_ca_file": "ca.pem",
        "tls_certificate_file": "us.pem",
        "tls_key_file": "us-key.pem",
    }
    secrets = {"http_incoming_jwt_secret": SECRET, "http_outgoing_jwt_secret": SECRET + "2"}
    certificates = [pem.read_text(), f"sha256:{DIGEST.upper()}", "subject:CN=peer.example"]
    answer = await patch(call, **fields, **secrets, client_certificates=certificates)
    assert answer.status == 200
    shown = answer.json["link"]
    assert {name: shown[name] for name in fields} == fields
    assert {name: shown[name] for name in secrets} == dict.fromkeys(secrets, True)
    assert SECRET not in answer.body.decode()
    link = node.kept["alice"].link
    assert {name: getattr(link, name) for name in secrets} == secrets
    first, *others = link.client_certificates
    assert first.startswith("x509:MII")
    assert others == [f"sha256:{DIGEST}", "subject:CN=peer.example"]
    assert SECRET not in repr(link)

    # What is shown can be sent back; null clears.
    assert (await patch(call, client_certificates=shown["client_certificates"])).json["link"] == shown
    cleared = await patch(call, **dict.fromkeys([*fields, *secrets, "client_certificates"]))
    assert cleared.json["link"] | {"since": None} == (await call("GET", "/api/accounts/alice")).json["link"]
    assert node.kept["alice"].link.client_certificates == ()
    assert node.kept["alice"].link.http_jwt_require_subject is True


@pytest.mark.parametrize(
    ("link", "field"),
    [
        ({"http_incoming_jwt_secret": ""}, "http_incoming_jwt_secret"),
        ({"http_jwt_issuer": "a\nb"}, "http_jwt_issuer"),
        ({"http_jwt_require_subject": "no"}, "http_jwt_require_subject"),
        ({"client_certificates": "sha256:00"}, "client_certificates"),
        ({"client_certificates": ["sha256:00"]}, "client_certificates"),
        ({"client_certificates": ["subject:"]}, "client_certificates"),
        ({"client_certificates": ["x509:AAAA"]}, "client_certificates"),
        ({"client_certificates": [1]}, "client_certificates"),
        ({"client_certificates": [f"sha256:{DIGEST}"] * 9}, "client_certificates"),
        ({"http_jwt_isuer": "x"}, "http_jwt_isuer"),
    ],
)
async def test_what_cannot_be_used(call: Any, link: dict[str, Any], field: str) -> None:
    answer = await patch(call, **link)
    assert (answer.status, answer.json["field"]) == (400, f"link.{field}")


async def test_interledger_rs_has_no_field_for_it_so_it_is_not_touched(call: Any, node: Any) -> None:
    await patch(call, http_incoming_jwt_secret=SECRET, client_certificates=["subject:CN=a"])
    await call("POST", "/api/accounts/alice/tokens", {})
    before = node.kept["alice"].link
    body = {"username": "alice", "asset_code": "USD", "asset_scale": 9, "ilp_over_http_incoming_token": "SECRET"}
    assert (await call("PUT", "/accounts/alice", body)).status == 200
    assert node.kept["alice"].link == before
