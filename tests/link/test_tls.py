"""TLS from files: what a port presents, what it trusts, and what is said of files that are wrong."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from interledger.clock import SystemClock
from interledger.daemon.authority import DevAuthority, Issued
from interledger.errors import InvalidRequestError, SettingsError
from interledger.link.listener import Listener
from interledger.link.tls import (
    ServerTls,
    client_context,
    fingerprint,
    issued_by,
    parse_certificate,
    peer_certificate,
    pinned_context,
    read_certificates,
)

CLOCK = SystemClock()

LOCKED_KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password")
)


def authority(place: Path) -> DevAuthority:
    return DevAuthority(place, CLOCK.now())


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevAuthority:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def hub(ca: DevAuthority) -> Issued:
    return ca.issue("hub", CLOCK.now())


@asynccontextmanager
async def port(tls: ServerTls, seen: list[bytes | None] | None = None) -> AsyncIterator[int]:
    """A port that closes every WebSocket request, after a look at who is there."""

    def upgrade(transport: asyncio.Transport, request: bytes, trailing: bytes, path: str) -> None:
        if seen is not None:
            seen.append(peer_certificate(transport))

    listener = Listener("127.0.0.1", 0, clock=CLOCK, tls=tls.context, upgrade=upgrade)
    await listener.start()
    try:
        yield listener.port
    finally:
        await listener.stop()


async def ask(port_: int, context: ssl.SSLContext) -> bytes:
    """The certificate (DER) of the server, after one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_, ssl=context, server_hostname="localhost")
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        assert b"404" in await reader.readline()
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        return found
    finally:
        writer.transport.abort()


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text())


async def test_a_port_from_files_and_a_client_that_trusts_the_authority(ca: DevAuthority, hub: Issued) -> None:
    async with port(ServerTls(hub.certificate, hub.key)) as at:
        assert await ask(at, client_context(ca.path)) == der(hub.certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(at, client_context())


async def test_reload_changes_what_new_connections_see(ca: DevAuthority, hub: Issued, tmp_path: Path) -> None:
    certificate, key = (shutil.copy(path, tmp_path) for path in hub)
    tls = ServerTls(Path(certificate), Path(key))
    async with port(tls) as at:
        trusted = client_context(ca.path)
        assert not tls.is_stale()
        renewed = ca.issue("renewed", CLOCK.now())
        shutil.copy(renewed.certificate, certificate)
        assert tls.is_stale()
        with pytest.raises(SettingsError, match="do not belong together"):
            tls.reload()
        assert await ask(at, trusted) == der(hub.certificate)
        shutil.copy(renewed.key, key)
        tls.reload()
        assert not tls.is_stale()
        assert await ask(at, trusted) == der(renewed.certificate)


async def test_client_certificates_are_asked_for_once_somebody_is_known_by_one(
    ca: DevAuthority, hub: Issued, tmp_path: Path
) -> None:
    peer = authority(tmp_path / "theirs").issue("peer", CLOCK.now())
    stranger = authority(tmp_path / "strange").issue("stranger", CLOCK.now())
    ours = ca.issue("ours", CLOCK.now())
    tls, seen = ServerTls(hub.certificate, hub.key), list[bytes | None]()

    async def come(who: Issued | None) -> None:
        pair = (None, None) if who is None else (who.certificate, who.key)
        await ask(at, client_context(ca.path, *pair))

    async with port(tls, seen) as at:
        await come(peer)
        assert seen == [None]
        tls.trust(parse_certificate(peer.certificate.read_text()))
        tls.trust(parse_certificate(peer.certificate.read_text()))
        await come(peer)
        await come(None)
        assert seen == [None, der(peer.certificate), None]
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            await come(stranger)
    async with port(ServerTls(hub.certificate, hub.key, ca.path), seen) as at:
        await come(ours)
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            await come(peer)
    assert seen[3:] == [der(ours.certificate)]


async def test_a_pinned_server_may_have_any_name_and_no_other_certificate(ca: DevAuthority, tmp_path: Path) -> None:
    foreign = ca.issue("foreign", CLOCK.now())
    async with port(ServerTls(foreign.certificate, foreign.key)) as at:
        assert await ask(at, pinned_context(foreign.certificate)) == der(foreign.certificate)
        other = ca.issue("other", CLOCK.now())
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(at, pinned_context(other.certificate))


def test_who_has_signed(ca: DevAuthority, hub: Issued, tmp_path: Path) -> None:
    leaf = parse_certificate(hub.certificate.read_text())
    own, foreign = (read_certificates(one.path, "x") for one in (ca, authority(tmp_path)))
    assert issued_by(leaf, own)
    assert issued_by(leaf, (*foreign, *own))
    assert not issued_by(leaf, foreign)
    assert not issued_by(leaf, (leaf,))
    assert fingerprint(leaf.public_bytes(Encoding.DER)) == fingerprint(der(hub.certificate))


@pytest.mark.parametrize(
    ("certificate", "key", "match"),
    [
        ("absent.pem", None, "absent.pem cannot be read: No such file"),
        ("hub.pem", "absent.pem", "absent.pem cannot be read"),
        ("hub.pem", None, "no certificate and its key"),
        ("words", "hub-key.pem", "one of them is not PEM"),
        ("hub.pem", "ca-key.pem", "do not belong together"),
        ("hub.pem", "locked.pem", "encrypted with a password"),
    ],
)
def test_files_that_are_wrong(ca: DevAuthority, hub: Issued, certificate: str, key: str | None, match: str) -> None:
    (ca.directory / "words").write_text("words")
    (ca.directory / "locked.pem").write_bytes(LOCKED_KEY)
    with pytest.raises(SettingsError, match=match):
        ServerTls(ca.directory / certificate, None if key is None else ca.directory / key)


@pytest.mark.parametrize(
    ("text", "match"), [(None, "cannot be read"), ("words", "no certificate in PEM"), ("x" * 70_000, "too large")]
)
def test_authorities_that_cannot_be_read(tmp_path: Path, hub: Issued, text: str | None, match: str) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    for use in (lambda: client_context(path), lambda: ServerTls(*hub, path), lambda: pinned_context(path)):
        with pytest.raises(SettingsError, match=match):
            use()


@pytest.mark.parametrize("text", ["", "words", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "ü"])
def test_text_that_is_no_certificate(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="PEM"):
        parse_certificate(text)


def test_without_TLS_there_is_no_certificate() -> None:
    class Plain(asyncio.BaseTransport):
        def get_extra_info(self, name: str, default: object = None) -> object:
            return default

    assert peer_certificate(Plain()) is None
