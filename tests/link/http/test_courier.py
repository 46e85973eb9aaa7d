"""What each way of failing means for a packet with an id: when it is sent again, and what is said of it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from interledger.accounts.account import AccountId, HttpForm
from interledger.accounts.asset import Asset
from interledger.accounts.evidence import to_ask_again
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.recovery import recover
from interledger.clock import SystemClock, SystemEntropy, Timestamp
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RememberingLink, RequestId
from interledger.link.http import courier, pool
from interledger.link.http.courier import CourierLink
from interledger.link.http.messages import status_line

SYSTEM = SystemClock()
FULFILL, REJECT = Fulfill(bytes(32), b"ok"), Reject("F99", "test.far", "no")
CONDITION = hashlib.sha256(bytes(32)).digest()
BOB = AccountId("bob")
FORMS = pytest.mark.parametrize("form", [HttpForm.OER_SYNC, HttpForm.OER_ASYNC, HttpForm.ASYNC])
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

CUT = b""
"""The connection ends instead of an answer."""


def prepare(lifetime_ms: int = 30_000) -> Prepare:
    return Prepare(0, Timestamp(SYSTEM.now() + lifetime_ms), CONDITION, Address("test.b.carol"), b"d")


def response(status: int, body: bytes = b"") -> bytes:
    return b"%bContent-Length: %d\r\n\r\n%b" % (status_line(status), len(body), body)


class Handler:
    """Remembers what it was told, as (kind, request id, code or `ok`)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, str]] = []
        self.prepares: list[RequestId] = []

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self.prepares.append(request_id)
        return None

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.told.append(("reply", request_id, reply.code if isinstance(reply, Reject) else "ok"))

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        self.told.append(("unknown", request_id, reject.code))

    def link_lost(self, account: AccountId, now: Timestamp) -> None: ...


class Peer:
    """A server that answers one request after the other as `script` says, then with the last line of it."""

    def __init__(self, script: list[bytes]) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                self.heads.append(head)
                answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if answer == CUT:
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.transport.abort()


@asynccontextmanager
async def linked(
    form: HttpForm, *script: bytes, ledger: Ledger | None = None
) -> AsyncIterator[tuple[CourierLink, Handler, Peer]]:
    peer = Peer(list(script))
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    handler = Handler()
    link = make(form, handler, f"http://127.0.0.1:{port}/ilp", ledger)
    try:
        yield link, handler, peer
    finally:
        await link.close()
        server.close()
        for writer in peer.writers:
            writer.transport.abort()
        await server.wait_closed()


def make(form: HttpForm, handler: Handler, url: str | None, ledger: Ledger | None = None) -> CourierLink:
    return CourierLink(
        handler,
        BOB,
        ledger or Ledger(),
        form,
        clock=SYSTEM,
        entropy=SystemEntropy(),
        ledger_name="peer/bob",
        own_address="test.a",
        url=url,
        token="t",
        callback_url="https://us.example/ilp" if form is HttpForm.ASYNC else None,
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # what is waited for is not ours
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order of events in less time."""
    monkeypatch.setattr("interledger.link.repeat.FIRST_DELAY_MS", 5)
    monkeypatch.setattr(courier, "TICK_MS", 5)
    monkeypatch.setattr(pool, "RECONNECT_DELAY_S", 0.0)


RECEIVED = {HttpForm.OER_ASYNC: response(200), HttpForm.ASYNC: response(202)}


@FORMS
async def test_it_is_a_link_that_remembers(form: HttpForm) -> None:
    async with linked(form, response(200)) as (link, _, _):
        assert isinstance(link, RememberingLink)
        assert link.ready()


async def test_a_packet_has_a_fresh_uuid_which_its_repetitions_keep() -> None:
    async with linked(HttpForm.OER_SYNC, CUT, response(503), response(200, FULFILL.encode())) as (link, handler, peer):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: handler.told)
        link.send_prepare(RequestId(2), prepare())
        await until(lambda: len(handler.told) == 2)
        ids = [head.split()[1].removeprefix(b"/ilp/") for head in peer.heads]
        assert all(UUID.fullmatch(wire_id) for wire_id in ids)
        assert ids[0] == ids[1] == ids[2] != ids[3]
        assert peer.bodies[0] == peer.bodies[1] == peer.bodies[2]
        assert handler.told == [("reply", 1, "ok"), ("reply", 2, "ok")]


@pytest.mark.parametrize(
    "first",
    [CUT, response(500), response(502), response(503), response(429), response(408), response(200, b"\x0d\x21cut")],
    ids=["cut", "500", "502", "503", "429", "408", "half a packet"],
)
@pytest.mark.parametrize("form", [HttpForm.OER_SYNC, HttpForm.OER_ASYNC])
async def test_in_HTTP_OER_a_prepare_is_repeated_until_200(form: HttpForm, first: bytes) -> None:
    async with linked(form, first, response(200, FULFILL.encode())) as (link, handler, peer):
        link.send_prepare(RequestId(1), prepare())
        if form is HttpForm.OER_ASYNC and first.startswith(b"HTTP/1.1 200"):
            await asyncio.sleep(0.05)
            assert (handler.told, len(peer.heads)) == ([], 1)  # received is received
        else:
            await until(lambda: handler.told)
            assert (handler.told, len(peer.heads)) == ([("reply", 1, "ok")], 2)


@pytest.mark.parametrize("first", [CUT, response(500), response(503)], ids=["cut", "500", "503"])
async def test_HT_10_in_RFC_35_a_prepare_that_was_written_is_not_repeated(first: bytes) -> None:
    async with linked(HttpForm.ASYNC, first, response(202)) as (link, handler, peer):
        link.send_prepare(RequestId(1), prepare())
        await asyncio.sleep(0.1)
        assert len(peer.heads) == 1
        # A 503 says that it was not taken. Of the others nothing is said: the callback may still come.
        assert handler.told == ([("reply", 1, "T01")] if b"503" in first else [])


@FORMS
@pytest.mark.parametrize("status", [400, 401, 404, 409, 413])
async def test_HT_09_a_refusal_is_final(form: HttpForm, status: int) -> None:
    async with linked(form, response(status)) as (link, handler, peer):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: handler.told)
        assert (handler.told, len(peer.heads)) == ([("reply", 1, "F00")], 1)


@pytest.mark.parametrize("form", [HttpForm.OER_SYNC, HttpForm.OER_ASYNC])
async def test_a_refusal_behind_an_attempt_that_may_have_been_taken_decides_nothing(form: HttpForm) -> None:
    async with linked(form, CUT, response(401)) as (link, handler, peer):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: len(peer.heads) == 2)
        await asyncio.sleep(0.05)
        assert handler.told == []
        assert len(peer.heads) == 2
        assert link.alarm is not None


@pytest.mark.parametrize("form", [HttpForm.OER_ASYNC, HttpForm.ASYNC])
async def test_HT_03_the_answer_comes_as_a_request(form: HttpForm) -> None:
    async with linked(form, RECEIVED[form]) as (link, handler, peer):
        link.send_prepare(RequestId(7), prepare())
        await until(lambda: peer.heads)
        await asyncio.sleep(0.02)
        assert handler.told == []
        found = UUID.search(peer.heads[0])
        assert found is not None
        assert link.incoming.outstanding.is_open(found[0])
        assert (b"Callback-Url: https://us.example/ilp" in peer.heads[0]) is (form is HttpForm.ASYNC)


@pytest.mark.parametrize("form", [HttpForm.OER_ASYNC, HttpForm.ASYNC])
async def test_HT_03_an_answer_in_the_response_is_taken_too(form: HttpForm) -> None:
    async with linked(form, response(200, REJECT.encode())) as (link, handler, _):
        link.send_prepare(RequestId(7), prepare())
        await until(lambda: handler.told)
        assert handler.told == [("reply", 7, "F99")]


@pytest.mark.parametrize("form", [HttpForm.OER_ASYNC, HttpForm.ASYNC])
@pytest.mark.parametrize(
    ("script", "attempts"),
    [
        ([response(200)], 1),
        ([CUT, response(200)], 2),
        ([response(500), response(503), response(200)], 3),
        ([response(404)], 1),
        ([response(400)], 1),
    ],
    ids=["received", "cut", "failing", "404", "400"],
)
async def test_HT_04_an_answer_is_repeated_until_it_is_received_or_refused(
    form: HttpForm, script: list[bytes], attempts: int
) -> None:
    async with linked(form, *script) as (link, handler, peer):
        packet = prepare()
        link.incoming.requests.receive(b"theirs", packet.encode(), packet, SYSTEM.now())
        link.send_reply(handler.prepares[0], FULFILL)
        await until(lambda: len(peer.heads) == attempts and not link._jobs)
        await asyncio.sleep(0.03)
        assert len(peer.heads) == attempts
        assert set(peer.bodies) == {FULFILL.encode()}
        assert all(b"theirs" in head and b"Callback-Url" not in head for head in peer.heads)


async def test_a_peer_that_cannot_be_reached_is_tried_for_a_while_and_then_the_packet_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "UNSENT_MAX_MS", 100)
    async with linked(HttpForm.OER_ASYNC, response(200)) as (link, handler, _):
        unreachable = make(HttpForm.OER_ASYNC, handler, "http://127.0.0.1:1/ilp")
        unreachable.send_prepare(RequestId(1), prepare())
        await until(lambda: handler.told)
        assert handler.told == [("reply", 1, "T01")]
        await unreachable.close()
        assert link.ready()


def restarted(form: HttpForm) -> Ledger:
    """Books of a node that was killed when a Prepare of 7 was on its way to bob."""
    ledger = Ledger()
    link = make(form, Handler(), "http://127.0.0.1:1/ilp", ledger)
    alice, bob = (ledger.account(name, Asset("USD", 9)) for name in ("peer/alice", "peer/bob"))
    sent = prepare()
    hold = ledger.hold(((alice, bob, 7),), CONDITION, sent.expires_at, True)
    assert isinstance(hold, Hold)
    link.keep_prepare(hold.id, RequestId(1), sent)
    recover(ledger)
    return ledger


@pytest.mark.parametrize("reply", [FULFILL, REJECT])
async def test_what_was_asked_before_a_restart_is_asked_again_until_it_is_answered(reply: Reply) -> None:
    ledger = restarted(HttpForm.OER_SYNC)
    ((asked, _),) = to_ask_again(ledger, BOB, SYSTEM.now())
    async with linked(HttpForm.OER_SYNC, CUT, response(503), response(200, reply.encode()), ledger=ledger) as made:
        link, handler, peer = made
        link.resume()
        await until(lambda: not ledger.asked.of(BOB) and not link._jobs)
        assert set(peer.bodies) == {asked.octets}
        assert all(asked.request_id in head for head in peer.heads)
        assert [u.fulfillment for u in ledger.unknown.values()] == ([bytes(32)] if reply is FULFILL else [])
        assert handler.told == []


async def test_HT_10_in_RFC_35_nothing_is_asked_again_after_a_restart() -> None:
    assert restarted(HttpForm.ASYNC).asked.of(BOB) == []


async def test_the_id_that_is_written_is_the_one_on_the_wire() -> None:
    ledger = Ledger()
    async with linked(HttpForm.OER_SYNC, response(200, FULFILL.encode()), ledger=ledger) as (link, handler, peer):
        alice, bob = (ledger.account(name, Asset("USD", 9)) for name in ("peer/alice", "peer/bob"))
        sent = prepare()
        hold = ledger.hold(((alice, bob, 7),), CONDITION, sent.expires_at, True)
        assert isinstance(hold, Hold)
        link.keep_prepare(hold.id, RequestId(1), sent)
        (asked,) = ledger.asked.of(BOB)
        link.send_prepare(RequestId(1), sent)
        await until(lambda: handler.told)
        assert asked.request_id in peer.heads[0]
        assert peer.bodies == [asked.octets]


def test_ids_of_prepares_that_could_not_be_written_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "JOBS_MAX", 3)
    link = make(HttpForm.OER_SYNC, Handler(), "http://127.0.0.1:1/ilp")
    for number in range(10):
        link.keep_prepare(number, RequestId(number), prepare())
    assert list(link._wire_ids) == [7, 8, 9]


async def test_without_an_address_nothing_is_sent() -> None:
    handler = Handler()
    link = make(HttpForm.OER_SYNC, handler, None)
    link.send_prepare(RequestId(1), prepare())
    await until(lambda: handler.told)
    assert handler.told == [("reply", 1, "T01")]
    assert not link.ready()
    await link.close()


async def test_an_attempt_without_a_sign_is_followed_by_another_while_there_is_time() -> None:
    """Three attempts at least fit into what is left of a packet's life."""
    handler = Handler()
    silent = asyncio.Event()
    connections = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await silent.wait()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    link = make(HttpForm.OER_SYNC, handler, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ilp")
    link.send_prepare(RequestId(1), prepare(3_000))
    await until(lambda: len(connections) >= 3)
    await link.close()
    silent.set()
    server.close()
    for writer in connections:
        writer.transport.abort()
    await server.wait_closed()


async def test_closing_says_nothing_of_packets_on_their_way_and_sends_nothing_more() -> None:
    async with linked(HttpForm.OER_SYNC, CUT) as (link, handler, peer):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: peer.heads)
        await link.close()
        seen = len(peer.heads)
        link.send_prepare(RequestId(2), prepare())
        await until(lambda: handler.told)
        assert handler.told == [("reply", 2, "T01")]
        assert len(peer.heads) == seen
        await link.close()


async def test_what_is_on_its_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "JOBS_MAX", 1)
    async with linked(HttpForm.OER_ASYNC, CUT) as (link, handler, _):
        link.send_prepare(RequestId(1), prepare())
        assert not link.ready()
        packet = prepare()
        link.incoming.requests.receive(b"theirs", packet.encode(), packet, SYSTEM.now())
        link.send_reply(handler.prepares[0], FULFILL)
        assert link.replies_dropped == 1


def test_the_asynchronous_form_needs_a_callback() -> None:
    with pytest.raises(InvalidRequestError, match="needs  http_callback_url"):
        CourierLink(
            Handler(),
            BOB,
            Ledger(),
            HttpForm.ASYNC,
            clock=SYSTEM,
            entropy=SystemEntropy(),
            ledger_name="peer/bob",
            own_address="test.a",
            url="https://bob.example/ilp",
        )
