"""Nodes that know each other by several tokens, by signed tokens, by certificates; and that change them under load."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from loopback import account, digest, running, settings, token, until

from interledger.accounts.account import LinkSettings, Relation
from interledger.accounts.credentials import IncomingToken, TokenUse
from interledger.clock import SystemClock, Timestamp
from interledger.daemon.authority import DevAuthority, Issued
from interledger.errors import ConflictError, InvalidRequestError
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare
from interledger.link.certificates import parse_client_certificate
from interledger.link.http import http2
from interledger.node.credentials import TOKENS_MAX
from interledger.node.node import Node
from interledger.node.settings import Settings

NOW = SystemClock().now()
BACK = "the-token-of-the-way-back"
SECRET = "what left and right both know, 32 octets or more"


def incoming(text: str, use: TokenUse = TokenUse.BOTH, id_: str = "1") -> IncomingToken:
    return IncomingToken(id=id_, use=use, label="", digest=digest(text), created_at=Timestamp(NOW))


def secure(address: str, ca: DevAuthority, **more: Any) -> Settings:
    files = ca.issue(address.replace(".", "-"), NOW)
    return settings(
        address, tls_certificate=str(files.certificate), tls_key=str(files.key), tls_ca=str(ca.path), **more
    )


@asynccontextmanager
async def pair(left_link: Any, right_link: Any, ca: DevAuthority | None = None, **more: Any) -> AsyncIterator[Any]:
    """left -> right. Each link: a function of the other node's URL scheme and authority -> `LinkSettings`."""
    of = settings if ca is None else lambda address, **kw: secure(address, ca, **kw)
    async with running(of("test.left")) as left, running(of("test.right", **more)) as right:
        tls = "" if ca is None else "s"
        at = {node: f"{tls}://localhost:{node.port}" for node in (left, right)}
        # The way back, on which an echo comes: always open, so that the tests see the way there.
        there, here = right_link(at[left]), left_link(at[right])
        if there.http_url is None:
            there = replace(there, http_url=f"http{at[left]}/accounts/right/ilp", http_outgoing_token=BACK)
            here = replace(here, incoming_tokens=(incoming(BACK, TokenUse.HTTP),))
        await right.create_account(account("left", "USD/9", "test.left", Relation.PEER, there))
        await left.create_account(account("right", "USD/9", "test.right", Relation.PEER, here))
        yield left, right


async def answer(node: Node, destination: str) -> str | None:
    """The code of an echo; None when it came back."""
    return (await node.requests.ping(destination)).code


def to_right(**more: Any) -> Any:
    return lambda at: LinkSettings(http_url=f"http{at}/accounts/left/ilp", **more)


# ---------------------------------------------------------------- several tokens


@pytest.mark.parametrize(
    ("use", "http", "btp"), [(TokenUse.HTTP, True, False), (TokenUse.BTP, False, True), (TokenUse.BOTH, True, True)]
)
async def test_a_token_opens_what_it_is_for(use: TokenUse, http: bool, btp: bool) -> None:
    async with running(settings("test.hub")) as node:
        link = LinkSettings(incoming_tokens=(incoming("new", use),))
        alice = await node.create_account(account("alice", "USD/9", "test.hub.alice", Relation.CHILD, link))
        found = node.links.credentials
        assert (found.find_api("new") == "alice", found.find_btp("new", None) == "alice") == (http, btp)
        await node.replace_account(replace(alice, link=LinkSettings()))
        assert (found.find_api("new"), found.find_btp("new", None)) == (None, None)


async def test_tokens_of_several_accounts_do_not_meet() -> None:
    async with running(settings("test.hub")) as node:
        link = LinkSettings(incoming_tokens=(incoming("one"),))
        await node.create_account(account("alice", "USD/9", "test.hub.alice", Relation.CHILD, link))
        with pytest.raises(ConflictError, match="Another account uses this token"):
            await node.create_account(account("bob", "USD/9", "test.hub.bob", Relation.CHILD, link))
        many = tuple(incoming(str(i), id_=str(i)) for i in range(TOKENS_MAX + 1))
        with pytest.raises(ConflictError, match="at most 32 tokens"):
            await node.create_account(
                account("bob", "USD/9", "test.hub.bob", Relation.CHILD, LinkSettings(incoming_tokens=many))
            )


async def test_tokens_and_all_else_survive_a_restart(tmp_path: Path) -> None:
    link = LinkSettings(
        incoming_tokens=(incoming("kept"), incoming("and this", TokenUse.BTP, "2")),
        http_incoming_jwt_secret=SECRET,
        client_certificates=(f"sha256:{'00' * 32}",),
        http_jwt_require_subject=False,
    )
    async with running(settings("test.hub", tmp_path)) as node:
        alice = await node.create_account(account("alice", "USD/9", "test.hub.alice", Relation.CHILD, link))
    async with running(settings("test.hub", tmp_path)) as node:
        assert node.account("alice") == alice
        assert node.links.credentials.find_api("kept") == "alice"


async def stream_of_packets(node: Node, stop: asyncio.Event) -> list[str | None]:
    """One echo behind the other until told to stop: the outcome of each."""
    outcomes = []
    while not stop.is_set():
        outcomes.append(await answer(node, "test.right"))
    return outcomes


async def test_a_token_is_changed_without_a_lost_packet() -> None:
    """Add the new one, let the peer present it, revoke the old one."""
    old, new = token("left", "right"), "the-token-that-comes-next"
    async with pair(
        to_right(http_outgoing_token=old, http_incoming_token_digest=digest("x")),
        lambda at: LinkSettings(http_incoming_token_digest=digest(old)),
    ) as (left, right):
        stop = asyncio.Event()
        packets = asyncio.create_task(stream_of_packets(left, stop))
        side = right.links._http["left"]
        right_account, left_account = right.account("left"), left.account("right")
        both = replace(right_account, link=replace(right_account.link, incoming_tokens=(incoming(new, TokenUse.HTTP),)))
        await right.replace_account(both)
        await asyncio.sleep(0.05)
        only_new = replace(both, link=replace(both.link, http_incoming_token_digest=None))
        # The peer's own side takes a new link for it: what is in flight there is let to end first.
        stop.set()
        before = await packets
        await left.replace_account(replace(left_account, link=replace(left_account.link, http_outgoing_token=new)))
        stop.clear()
        packets = asyncio.create_task(stream_of_packets(left, stop))
        await asyncio.sleep(0.05)
        await right.replace_account(only_new)
        await asyncio.sleep(0.05)
        stop.set()
        after = await packets
        assert len(before) > 5
        assert len(after) > 5
        assert {*before, *after} == {None}
        assert right.links._http["left"] is side  # the link itself was never touched
        await left.replace_account(left_account)
        assert await answer(left, "test.right") == "F00"


async def test_a_revoked_token_s_BTP_connection_is_closed_and_others_stay() -> None:
    def dial(at: str) -> LinkSettings:
        return LinkSettings(btp_url=f"ws{at}/accounts/left/ilp/btp", btp_outgoing_token="in use")

    tokens = (incoming("in use", TokenUse.BTP), incoming("spare", TokenUse.BTP, "2"))
    async with pair(dial, lambda at: LinkSettings(incoming_tokens=tokens)) as (left, right):
        await until(lambda: left.link_status("right").up)
        there = right.account("left")
        await right.replace_account(replace(there, link=replace(there.link, incoming_tokens=tokens[:1])))
        assert await answer(left, "test.right") is None
        await right.replace_account(replace(there, link=replace(there.link, incoming_tokens=tokens[1:])))
        await until(lambda: not left.link_status("right").up)


# ---------------------------------------------------------------- signed tokens


async def test_HT_06_signed_tokens_both_ways() -> None:
    async with pair(
        to_right(http_outgoing_jwt_secret=SECRET, http_incoming_jwt_secret=SECRET[::-1]),
        lambda at: LinkSettings(
            http_url=f"http{at}/accounts/right/ilp",
            http_incoming_jwt_secret=SECRET,
            http_outgoing_jwt_secret=SECRET[::-1],
        ),
    ) as (left, right):
        assert await answer(left, "test.right") is None
        assert await answer(right, "test.left") is None
        there = right.account("left")
        await right.replace_account(replace(there, link=replace(there.link, http_incoming_jwt_secret="?" * 40)))
        assert await answer(left, "test.right") == "F00"


async def test_a_signed_token_opens_no_API_and_a_weak_secret_is_refused() -> None:
    async with running(settings("test.hub")) as node:
        link = LinkSettings(http_incoming_jwt_secret=SECRET)
        await node.create_account(account("alice", "USD/9", "test.hub.alice", Relation.CHILD, link))
        claims = {"sub": "alice", "exp": SystemClock().now() // 1000 + 60}
        from interledger.link.jwt.messages import secret_key, sign

        assert node.authenticate(sign(claims, secret_key(SECRET))) is None
        for bad in (
            {"http_incoming_jwt_secret": "weak"},
            {"http_outgoing_jwt_secret": "weak", "http_url": "http://x/"},
        ):
            with pytest.raises(InvalidRequestError, match="32 octets"):
                await node.create_account(
                    account("bob", "USD/9", "test.hub.bob", Relation.CHILD, LinkSettings(**bad))  # type: ignore[arg-type]  # texts
                )
            assert [a.id for a in node.accounts()] == ["alice"]
        unnamed = LinkSettings(http_jwks_url="https://keys.example/")
        with pytest.raises(InvalidRequestError, match="http_jwt_issuer"):
            await node.create_account(account("bob", "USD/9", "test.hub.bob", Relation.CHILD, unnamed))


class KeyServer:
    """Serves a set of keys, as slowly as the test wants."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.go = asyncio.Event()
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.go.wait()
        body = json.dumps({"keys": self.keys}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()


async def post(node: Node, bearer: str) -> int:
    """The status of a packet with this token."""
    prepare = Prepare(0, Timestamp(SystemClock().now() + 5_000), bytes(32), Address("test.nowhere"), b"").encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    head = f"POST /ilp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\nContent-Length: {len(prepare)}\r\n\r\n"
    writer.write(head.encode() + prepare)
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


async def test_keys_are_fetched_while_packets_are_told_to_come_again() -> None:
    keys, signing = KeyServer(), RSAKey.generate_key(2048)
    server = await asyncio.start_server(keys.serve, "127.0.0.1", 0)
    async with server, running(settings("test.hub")) as node:
        link = LinkSettings(
            http_jwks_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys",
            http_jwt_issuer="issuer",
            http_jwt_audience="hub",
            http_incoming_token_digest=digest("another-way-in"),
        )
        await node.create_account(account("dave", "USD/9", "test.dave", Relation.PEER, link))
        claims = {"sub": "dave", "iss": "issuer", "aud": "hub", "exp": SystemClock().now() // 1000 + 60}
        bearer = jwt.encode({"alg": "RS256", "kid": "k"}, claims, signing)
        assert await post(node, bearer) == 503
        assert await post(node, "another-way-in") == 200  # a slow key server keeps nobody waiting
        keys.keys = [{**signing.as_dict(private=False), "kid": "k"}]
        keys.go.set()
        await until(lambda: not node.links.credentials._verifier.key_sets.is_asking(link.http_jwks_url))
        assert await post(node, bearer) == 200
        assert await post(node, bearer[:-8]) == 401
        assert keys.asked == 1


async def test_F1_keys_are_fetched_from_public_places_over_https_only(caplog: pytest.LogCaptureFixture) -> None:
    async with running(settings("test.hub", development=False)) as node:
        for number, url in enumerate(["http://127.0.0.1:1/", "https://10.0.0.1/", "https://169.254.169.254/"]):
            link = LinkSettings(http_jwks_url=url, http_jwt_issuer="i", http_jwt_audience="a")
            await node.create_account(account(f"peer{number}", "USD/9", f"test.p{number}", Relation.PEER, link))
        await until(lambda: caplog.text.count("may not be called") == 3)


# ---------------------------------------------------------------- certificates


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevAuthority:
    return DevAuthority(tmp_path_factory.mktemp("ca"), NOW)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """left's certificate, signed by somebody whom right does not know."""
    return DevAuthority(tmp_path_factory.mktemp("lefts"), NOW).issue("left", NOW)


def presents(issued: Issued) -> dict[str, str]:
    return {"tls_certificate_file": str(issued.certificate), "tls_key_file": str(issued.key)}


def pinned(issued: Issued) -> tuple[str, ...]:
    return (parse_client_certificate(issued.certificate.read_text()),)


@pytest.mark.parametrize("kind", ["HTTP", "BTP"])
@pytest.mark.parametrize(
    ("shows", "tokens", "required", "expected"),
    [
        (True, None, False, None),
        (False, None, False, "refused"),
        (False, "t", False, None),
        (True, "wrong", False, "refused"),
        (True, "t", True, None),
        (False, "t", True, "refused"),
        (True, None, True, "refused"),
    ],
)
async def test_a_peer_known_by_its_certificate(
    ca: DevAuthority, own: Issued, kind: str, shows: bool, tokens: str | None, required: bool, expected: str | None
) -> None:
    """Instead of a token or, where the account says so, beside it."""

    def left_link(at: str) -> LinkSettings:
        files = presents(own) if shows else {}
        if kind == "HTTP":
            return LinkSettings(http_url=f"http{at}/accounts/left/ilp", http_outgoing_token=tokens, **files)  # type: ignore[arg-type]  # texts
        return LinkSettings(btp_url=f"ws{at}/accounts/left/ilp/btp", btp_outgoing_token=tokens, **files)  # type: ignore[arg-type]  # texts

    def right_link(at: str) -> LinkSettings:
        return LinkSettings(
            client_certificates=pinned(own), client_certificate_required=required, incoming_tokens=(incoming("t"),)
        )

    async with pair(left_link, right_link, ca) as (left, right):
        if kind == "HTTP":
            assert await answer(left, "test.right") == (None if expected is None else "F00")
        elif expected is None:
            await until(lambda: left.link_status("right").up)
            assert await answer(left, "test.right") is None
        else:
            await until(lambda: len(right.links.attempts.failures))
            assert not left.link_status("right").up


async def test_a_peer_known_by_its_subject(ca: DevAuthority, own: Issued) -> None:
    good = ca.issue("left", NOW)

    def right_link(at: str) -> LinkSettings:
        return LinkSettings(client_certificates=("subject:CN=left",))

    async with pair(to_right(**presents(good)), right_link, ca, tls_client_ca=str(ca.path)) as (left, _):
        assert await answer(left, "test.right") is None
        there = left.account("right")
        other = ca.issue("somebody-else", NOW)
        await left.replace_account(replace(there, link=replace(there.link, **presents(other))))
        assert await answer(left, "test.right") == "F00"
        # Of the right name, from a stranger: TLS itself says no.
        await left.replace_account(replace(there, link=replace(there.link, **presents(own))))
        assert await answer(left, "test.right") in ("T01", "R00")


@pytest.mark.parametrize("version", ["HTTP/2", "HTTP/1.1"])
async def test_E8_a_known_head_counts_only_with_the_certificate_it_came_with(
    ca: DevAuthority, own: Issued, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The octets of an accepted request are nobody's pass on another connection."""
    if version == "HTTP/1.1":
        monkeypatch.setattr(http2, "_INSTALLED", False)

    def right_link(at: str) -> LinkSettings:
        return LinkSettings(client_certificates=pinned(own))

    async with pair(to_right(**presents(own)), right_link, ca) as (left, right):
        for _ in range(3):
            assert await answer(left, "test.right") is None
        known = list(right.links.http_server.accepted_heads)
        certificate = next(iter(pinned(own))).removeprefix("x509:")
        proof = hashlib.sha256(base64.b64decode(certificate)).digest()
        if version == "HTTP/1.1":
            assert any(isinstance(head, bytes) and head.startswith(proof + b"POST ") for head in known)
        assert not any(isinstance(head, bytes) and head.startswith(b"POST ") for head in known)
        there = left.account("right")
        bare = replace(there.link, tls_certificate_file=None, tls_key_file=None)
        await left.replace_account(replace(there, link=bare))
        assert await answer(left, "test.right") == "F00"


async def test_what_no_certificate_can_do_is_told(ca: DevAuthority, own: Issued) -> None:
    one = account("left", "USD/9", "test.left", Relation.PEER, LinkSettings(client_certificates=pinned(own)))
    two = replace(one, link=LinkSettings(client_certificates=("subject:CN=left",)))
    async with running(settings("test.right")) as plain, running(secure("test.right", ca)) as tls:
        assert "no TLS" in str(plain.links.credentials.cannot_come(one))
        assert tls.links.credentials.cannot_come(one) is None
        assert "tls.client_ca" in str(tls.links.credentials.cannot_come(two))
        await tls.create_account(one)
        with pytest.raises(ConflictError, match="Another account's peer"):
            await tls.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, one.link))
        link = LinkSettings(http_url="https://localhost:1/", tls_certificate_file="nowhere.pem")
        with pytest.raises(InvalidRequestError, match="cannot be read"):
            await tls.create_account(account("carol", "USD/9", "test.carol", Relation.PEER, link))
