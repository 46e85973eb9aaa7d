"""A peer that does not read, or does not answer, beside one that does: the one gets T02, the other notices nothing."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.client import connect

from interledger.accounts.account import LinkSettings, Relation
from interledger.ilp.packet import Fulfill, Prepare
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import BtpError
from tests.integration.raw_peers import RawBtp, raw_btp, reply_of
from tests.node.loopback import account, digest, until
from tests.support.hostile import HOSTILE_TOKEN, Hub, arena, beside, honest_http, prepare_octets

pytestmark = pytest.mark.slow

PACKETS = 3_000


async def replies(peer: RawBtp, count: int) -> Counter[str]:
    """What is answered to so many Prepares, by code."""
    codes: Counter[str] = Counter()
    for _ in range(count):
        answer = await peer.receive()
        if isinstance(answer, BtpError):
            codes[f"Error {answer.code}"] += 1
        else:
            reply = reply_of(answer)
            codes["fulfilled" if isinstance(reply, Fulfill) else str(reply.code)] += 1
    return codes


async def mute(hub: Hub, link: LinkSettings) -> None:
    """Give the hub a peer at `test.mute`."""
    await hub.node.create_account(account("mute", "USD/9", "test.mute", Relation.PEER, link))


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Takes requests and never answers."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while not done.is_set() and await reader.read(65_536):
                pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        done.set()
        server.close()


async def test_a_peer_that_never_answers_holds_up_nobody_else() -> None:
    """Its queue is bounded: what is beyond gets T02 at once, and the rest R00 when it expires."""

    async def attack(hub: Hub) -> Counter[str]:
        async with raw_btp(hub.node, "hostile", f"btp-{HOSTILE_TOKEN}") as peer:
            for _ in range(PACKETS):
                await peer.send_prepare(Prepare.decode(prepare_octets("test.mute.x", lifetime_ms=1_500)))
            codes.update(await replies(peer, PACKETS))
        return codes

    codes: Counter[str] = Counter()
    async with (
        silent_server() as port,
        arena(max_hold_ms=1_500, min_message_window_ms=100, in_flight_max=1_000) as hub,
        honest_http(hub) as send,
    ):
        await mute(hub, LinkSettings(http_url=f"http://127.0.0.1:{port}/ilp", http_outgoing_token="x"))
        (await beside(send, attack(hub))).check()
        await until(lambda: not hub.node.ledger.holds)
    assert codes.total() == PACKETS
    assert set(codes) == {"T02", "R00"}
    assert codes["T02"] >= 500  # of 3,000; on a slow machine some expire meanwhile and make room


async def test_D11_a_peer_that_stops_reading_gets_no_more_and_holds_up_nobody_else() -> None:
    async def attack(hub: Hub) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.connect(("127.0.0.1", hub.port))
        url = f"ws://127.0.0.1:{hub.port}/accounts/mute/ilp/btp"
        async with connect(url, sock=raw, compression=None, ping_interval=None, close_timeout=0.1) as mouth:
            await mouth.send(auth_message(0, "", "mute-token").encode())
            await mouth.recv()
            await until(lambda: hub.node.link_status("mute").up)
            mouth.transport.pause_reading()
            async with raw_btp(hub.node, "hostile", f"btp-{HOSTILE_TOKEN}") as peer:
                packet = Prepare.decode(prepare_octets("test.mute.x", lifetime_ms=1_500, data=bytes(32_000)))
                for _ in range(400):
                    await peer.send_prepare(packet)
                codes.update(await replies(peer, 400))
            mouth.transport.abort()

    codes: Counter[str] = Counter()
    async with arena(max_hold_ms=1_500, min_message_window_ms=100) as hub, honest_http(hub) as send:
        await mute(hub, LinkSettings(btp_incoming_token_digest=digest("mute-token")))
        (await beside(send, attack(hub))).check()
        await until(lambda: not hub.node.ledger.holds)
    assert set(codes) == {"T02", "R00"}
    assert codes["T02"] >= 200  # of 12.8 MB, the hub and the system keep some; the hub 256 KiB
