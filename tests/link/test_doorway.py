"""The door: who is hung up on before anything was read, how many may be on their way in, and the end of it."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Sized
from contextlib import suppress

import pytest

from interledger.clock import SystemClock
from interledger.errors import LinkError
from interledger.link import doorway as module
from interledger.link.http.port import STRANGERS_PER_SOURCE
from interledger.link.http.strangers import DEBT_MAX_US, SAVED_MAX_US
from interledger.link.listener import Listener
from interledger.link.standing import WASTED_MAX, Standing
from tests.link.test_listener import Client, Rig, ilp_post, running, until

CLOCK = SystemClock()


ELSEWHERE = "127.0.0.2"
"""What counts as another machine: our own address is never refused."""


async def connect(port: int) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", port, local_addr=(ELSEWHERE, 0)))


async def hung_up(port: int) -> bool:
    """Whether a connection is ended at once."""
    try:
        client = await connect(port)
    except ConnectionError:
        return True
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            ended = await client.closed()
            await client.close()
            return ended
    await client.close()
    return False


def entering(rig: Rig) -> Sized:
    doorway = rig.listener._doorway
    return () if doorway is None else doorway._entering_of


async def test_a_source_that_wastes_connections_is_hung_up_on() -> None:
    standing = Standing()
    async with running(standing=standing) as rig:
        for _ in range(WASTED_MAX + 1):
            await (await connect(rig.listener.port)).close()
        await until(lambda: standing.is_refused(ELSEWHERE, CLOCK.now()))
        assert await hung_up(rig.listener.port)
        async with rig.client() as other:
            other.write(ilp_post())
            assert (await other.response())[0] == 200


async def test_it_is_not_where_a_peer_is_behind_the_same_address() -> None:
    standing = Standing()
    async with running(standing=standing) as rig:
        peers = [await connect(rig.listener.port) for _ in range(2)]
        peers[0].write(ilp_post())
        assert (await peers[0].response())[0] == 200
        for _ in range(2 * WASTED_MAX):
            standing.wasted(ELSEWHERE, CLOCK.now())
        peers.append(await connect(rig.listener.port))
        peers[2].write(ilp_post())
        assert (await peers[2].response())[0] == 200
        for peer in peers:
            await peer.close()


async def test_refused_requests_count_and_answered_ones_do_not() -> None:
    standing = Standing()

    async def ask(request: bytes) -> bytes:
        client = await connect(rig.listener.port)
        client.write(request)
        answer = await client.rest()
        await client.close()
        return answer

    async with running(standing=standing) as rig:
        for _ in range(3):
            assert b"200 OK" in await ask(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert not standing._records
        await ask(b"GET / HTTP/1.1\r\n\r\n")
        await until(lambda: bool(standing._records))


async def test_one_source_has_so_many_strangers_and_the_oldest_makes_room() -> None:
    async with running() as rig:
        clients = []
        for _ in range(STRANGERS_PER_SOURCE + 1):
            clients.append(await rig.connect())
            await until(lambda: not entering(rig))
        assert await clients[0].closed()
        clients[-1].write(ilp_post())
        assert (await clients[-1].response())[0] == 200
        for client in clients:
            await client.close()


async def test_handshakes_on_their_way_are_bounded(
    tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sockets that never say a word of TLS keep nobody out who has a place, and more are hung up on."""
    monkeypatch.setattr(module, "ENTERING_PER_SOURCE", 3)
    server, _ = tls_contexts
    async with running(tls=server) as rig:
        silent = [await connect(rig.listener.port) for _ in range(3)]
        await until(lambda: bool(entering(rig)))
        assert await hung_up(rig.listener.port)
        assert not any(client.reader.at_eof() for client in silent)
        for client in silent:
            await client.close()


async def test_who_comes_when_the_time_of_strangers_is_used_up_waits_and_is_let_in() -> None:
    async with running() as rig:
        strangers = rig.listener._shared.strangers
        assert strangers.may_run()  # it has looked at the time
        strangers.charge(SAVED_MAX_US + DEBT_MAX_US)
        before = strangers.deferred
        async with rig.client() as client:
            client.write(ilp_post())
            assert (await client.response())[0] == 200
        assert strangers.deferred > before


async def test_a_system_without_free_sockets_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "NO_FILES_WAIT_S", 0.05)
    async with running() as rig:
        doorway = rig.listener._doorway
        assert doorway is not None
        (listening,) = doorway._sockets
        doorway._sockets[0] = full = Full(listening)  # type: ignore[assignment]  # a socket whose system is full, once
        doorway._loop.remove_reader(listening)
        doorway._watch(full)  # type: ignore[arg-type]  # as above
        async with rig.client() as client:
            client.write(ilp_post())
            assert (await client.response())[0] == 200
    assert "no connection can be accepted now: Too many open files" in caplog.text


class Full:
    """A listening socket that fails once for want of files."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._failed = False

    def accept(self) -> object:
        if not self._failed:
            self._failed = True
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listening.accept()

    def __getattr__(self, name: str) -> object:
        return getattr(self._listening, name)


async def test_a_port_in_use_and_a_name_that_is_none() -> None:
    async with running() as rig:
        with pytest.raises(LinkError, match=f"127.0.0.1 port {rig.listener.port} cannot be listened on"):
            await Listener("127.0.0.1", rig.listener.port, clock=CLOCK).start()
    with pytest.raises(LinkError, match="cannot be listened on"):
        await Listener("no-such-host.invalid", 0, clock=CLOCK).start()
