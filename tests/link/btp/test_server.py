"""The server over real sockets: clients that are let in, and those that are not."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest

from interledger.clock import Timestamp
from interledger.errors import RemoteProtocolError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.link import websocket
from interledger.link.attempts import FREE_PER_MINUTE
from interledger.link.base import RequestId
from interledger.link.btp import admission, protocol
from interledger.link.btp.admission import UNAUTHENTICATED_PER_SOURCE
from interledger.link.btp.auth import auth_message
from interledger.link.btp.counters import STRAYS_MAX
from interledger.link.btp.messages import BtpError, BtpResponse, decode_btp, encode_ilp
from interledger.link.websocket import WebSocket
from tests.link.btp.sockets import CLOCK, ENTROPY, Side, eventually, raw_client, serve


async def test_frames_right_behind_the_handshake() -> None:
    there = Side()
    async with serve(there) as url:
        frames = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())
        frames.send(auth_message(1, "", "secret").encode())
        async with raw_client(url, frames.octets_to_send()) as client:
            assert [decode_btp(m) for m in await client.receive()] == [BtpResponse(1)]
            prepare = Prepare(1, Timestamp(CLOCK.now() + 5000), bytes(32), Address("test.bob"))
            await client.send(encode_ilp(6, 1, prepare.encode()))
            assert await client.receive() == [encode_ilp(1, 1, Fulfill(bytes(32), b"done").encode())]


NOT_ADMITTED: dict[str, dict[str, Any]] = {
    "BT-03 an empty token": {"token": ""},
    "a wrong token": {"token": "guess"},
    "another user": {"username": "bob"},
    "another account's path": {"path": "bob", "username": "alice"},
    "an account without a BTP link": {"known": False},
}


@pytest.mark.parametrize("name", NOT_ADMITTED)
async def test_not_admitted(name: str) -> None:
    case = NOT_ADMITTED[name]
    there = Side()
    async with serve(there, path=case.get("path"), known=case.get("known", True)) as url, raw_client(url) as client:
        await client.send(auth_message(5, case.get("username", ""), case.get("token", "secret")).encode())
        (message,) = await client.receive()
        error = decode_btp(message)
        assert isinstance(error, BtpError)
        assert (error.request_id, error.code, error.data) == (5, "F00", b"invalid credentials")
        await client.send()  # the answer to its Close, after which it hangs up
        assert await client.receive() == []
    assert there.ups == 0


@pytest.mark.parametrize("options", [{"path": "alice"}, {"token": "", "allow_empty_token": True}])
async def test_admitted_by_the_path_or_without_a_token(options: dict[str, Any]) -> None:
    token = options.pop("token", "secret")
    there = Side()
    async with serve(there, **options) as url, raw_client(url) as client:
        await client.send(auth_message(5, "", token).encode())
        assert [decode_btp(m) for m in await client.receive()] == [BtpResponse(5)]


async def test_D3_sockets_that_do_not_say_who_they_are_make_room_for_newer_ones() -> None:
    there = Side()
    async with serve(there) as url, AsyncExitStack() as stack:
        waiting = [await stack.enter_async_context(raw_client(url)) for _ in range(UNAUTHENTICATED_PER_SOURCE)]
        late = await stack.enter_async_context(raw_client(url))
        async with asyncio.timeout(5):
            while not waiting[0].frames.closing:
                waiting[0].frames.receive(await waiting[0].reader.read(100), CLOCK.now())
        await waiting[0].send()  # our answer to its Close
        for client in (late, waiting[1]):
            await client.send(auth_message(1, "", "secret").encode())
            assert [decode_btp(m) for m in await client.receive()] == [BtpResponse(1)]


async def test_D1_a_source_of_wrong_tokens_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sixth token of a minute lies unread for a while, even when it is right; who is connected notices nothing."""
    monkeypatch.setattr(admission, "FAILURE_DELAY_MS", 150)
    there = Side()
    async with serve(there) as url, raw_client(url) as honest, AsyncExitStack() as stack:
        await honest.send(auth_message(1, "", "secret").encode())
        await honest.receive()
        for _ in range(FREE_PER_MINUTE):
            async with raw_client(url) as guesser:
                await guesser.send(auth_message(1, "", "guess").encode())
                assert len(await guesser.receive()) == 1
        began = CLOCK.now()
        slowed = await stack.enter_async_context(raw_client(url))
        await slowed.send(auth_message(1, "", "secret").encode())
        prepare = Prepare(1, Timestamp(began + 5000), bytes(32), Address("test.bob"))
        await honest.send(encode_ilp(6, 1, prepare.encode()))
        assert len(await honest.receive()) == 1
        assert CLOCK.now() - began < 150
        assert [decode_btp(m) for m in await slowed.receive()] == [BtpResponse(1)]
        assert CLOCK.now() - began >= 150
        # While it waits with as many sockets as it may have, further ones are turned away at the door.
        for _ in range(UNAUTHENTICATED_PER_SOURCE):
            await stack.enter_async_context(raw_client(url))
        with pytest.raises(RemoteProtocolError, match="503"):
            await stack.enter_async_context(raw_client(url))


async def test_who_was_never_let_in_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "interledger.btp")
    there = Side()
    async with serve(there) as url:
        for token in ("guess", "secret"):
            async with raw_client(url) as client:
                await client.send(auth_message(1, "", token).encode())
                await client.receive()
        await there.until(lambda: there.downs == 1)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["BTP connection closed"]


@pytest.mark.pure
async def test_D7_a_peer_that_we_hang_up_on_has_to_wait_when_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one with wrong tokens: what it does with a good one costs others as much."""
    monkeypatch.setattr(admission, "FAILURE_DELAY_MS", 150)
    there = Side()
    stray = encode_ilp(1, 7, Reject("F02", "test.bob", "no").encode())

    async def come_back() -> float:
        began = CLOCK.now()
        async with raw_client(url) as client:
            await client.send(auth_message(1, "", "secret").encode())
            assert await client.receive() == [BtpResponse(1).encode()]
            came_in = CLOCK.now() - began
            await client.send(*[stray] * 50)
            while await client.receive():
                pass
        return came_in

    async with serve(there) as url:
        there.link.counters._strays, there.link.counters._strays_at = STRAYS_MAX + 100_000, CLOCK.now()
        waited = [await come_back() for _ in range(FREE_PER_MINUTE + 1)]
        assert max(waited[:-1]) < 150 <= waited[-1]


@pytest.mark.pure
async def test_BT_05_a_socket_that_stays_silent_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "AUTH_TIMEOUT_MS", 10)
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_MS", 10)
    there = Side()
    async with serve(there) as url, raw_client(url) as client:
        assert await client.receive() == []
        assert "1008" in client.frames.close_reason
    assert there.ups == 0


async def test_a_client_that_goes_away_without_a_word() -> None:
    there = Side()
    async with serve(there) as url:
        async with raw_client(url) as client:
            await client.send(auth_message(1, "", "secret").encode())
            await client.receive()
            assert there.link.ready()
        await there.until(lambda: there.downs == 1)


async def test_several_sockets_of_one_account_the_newest_sends_and_older_ones_drain() -> None:
    """With packets in flight on both, either way: every answer finds its way, also when the older one has closed."""
    there = Side(answer=None)
    prepare = Prepare(1, Timestamp(CLOCK.now() + 5000), bytes(32), Address("test.bob"))
    fulfill = Fulfill(bytes(32), b"done")
    async with serve(there) as url, raw_client(url) as older, raw_client(url) as newer:
        await older.send(auth_message(1, "", "secret").encode())
        await older.receive()
        there.send(1)  # ours, on the only one there is
        assert len(await older.receive()) == 1
        await older.send(encode_ilp(6, 7, prepare.encode()))
        await eventually(lambda: there.prepares == 1)
        await newer.send(auth_message(1, "", "secret").encode())
        await newer.receive()
        there.send(1, first=1)  # ours, on the newest
        (ours,) = await newer.receive()
        assert decode_btp(ours).request_id == 1
        await newer.send(encode_ilp(6, 7, prepare.encode()))  # the same id as on the other one
        await eventually(lambda: there.prepares == 2)
        # Answers to us may come on either. Those to the peer leave where its question came.
        await older.send(encode_ilp(1, 1, fulfill.encode()))
        await newer.send(encode_ilp(1, 0, fulfill.encode()))
        await there.until(lambda: there.replies.keys() == {0, 1})
        there.link.send_reply(RequestId(1 << 32 | 7), Reject("F02", "test.node", "no"))
        there.link.send_reply(RequestId(7), fulfill)
        assert await older.receive() == [encode_ilp(1, 7, fulfill.encode())]
        assert await newer.receive() == [encode_ilp(1, 7, Reject("F02", "test.node", "no").encode())]
        older.frames.close(1000, "drained", CLOCK.now())
        await older.send()
        assert await older.receive() == []
        there.send(1, first=2)
        assert [decode_btp(m).request_id for m in await newer.receive()] == [2]
        assert (there.ups, there.downs) == (1, 0)
    assert there.downs == 1
