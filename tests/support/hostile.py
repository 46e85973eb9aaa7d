"""Honest traffic beside an attack, for tests of every link.

    async with arena() as hub:                      # a node; what is sent to `hub.destination` is fulfilled
        async with honest_http(hub) as send:        # one honest exchange; any other `async () -> bool` serves too
            traffic = await beside(send, attack())  # honest exchanges before, during and behind the attack
    traffic.check()                                 # at least 99 % of them were fulfilled, every one in time

An exchange counts as failed when it is not fulfilled within `EXCHANGE_S`. How much slower the honest peer gets is
measured by `bench/hostile.py`, on an idle machine; a test only says that it is served.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from interledger.accounts.account import LinkSettings, Relation
from interledger.clock import SystemClock, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION
from interledger.node.node import Node
from tests.node.loopback import account, digest, running, settings

__all__ = [
    "HONEST_TOKEN",
    "HOSTILE_TOKEN",
    "Hub",
    "Send",
    "Traffic",
    "arena",
    "beside",
    "honest_http",
    "post_octets",
    "prepare_octets",
    "read_response",
]

SHARE_MIN: Final = 0.99
"""Of honest exchanges that are fulfilled beside an attack."""

EXCHANGE_S: Final = 5.0
EXCHANGES_MIN: Final = 200
"""Beside every attack: fewer would not show one percent."""

PAUSE_S: Final = 0.002
"""Between two honest exchanges of one worker: a peer, not another flood."""

Send = Callable[[], Awaitable[bool]]
"""One honest exchange: whether it was fulfilled."""

HONEST_TOKEN: Final = "honest-token-0123456789"
HOSTILE_TOKEN: Final = "hostile-token-0123456789"


@dataclass
class Traffic:
    """What became of the honest exchanges. Latencies in seconds, of those that were fulfilled."""

    sent: int = 0
    fulfilled: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.fulfilled / self.sent if self.sent else 0.0

    def percentile_ms(self, percent: int) -> float:
        return sorted(self.latencies)[len(self.latencies) * percent // 100] * 1000 if self.latencies else 0.0

    def check(self) -> None:
        """Raises AssertionError when the honest peer was not served."""
        assert self.sent >= EXCHANGES_MIN, f"only {self.sent} honest exchanges"
        assert self.share >= SHARE_MIN, f"{self.fulfilled} of {self.sent} fulfilled; {self.errors[:5]}"


async def beside(
    send: Send, attack: Coroutine[Any, Any, object] | None, *, workers: int = 2, exchanges: int = EXCHANGES_MIN
) -> Traffic:
    """Run honest exchanges until `attack` is over, and at least so many. What the attack raises is raised here."""
    traffic = Traffic()
    over = asyncio.Event()

    async def work() -> None:
        while not over.is_set() or traffic.sent < exchanges:
            traffic.sent += 1
            began = time.perf_counter()
            try:
                async with asyncio.timeout(EXCHANGE_S):
                    fulfilled = await send()
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                traffic.errors.append(f"{type(error).__name__}: {error}")
                continue
            if fulfilled:
                traffic.fulfilled += 1
                traffic.latencies.append(time.perf_counter() - began)
            else:
                traffic.errors.append("not fulfilled")
            await asyncio.sleep(PAUSE_S)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
        try:
            if attack is not None:
                await attack
        finally:
            over.set()
    return traffic


# ---------------------------------------------------------------------- a node to attack


@dataclass
class Hub:
    """The node under attack. Accounts: `honest` and `hostile`, each with tokens for HTTP and BTP, and `sink`."""

    node: Node
    destination: str = "test.sink.x"

    @property
    def port(self) -> int:
        return self.node.port


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The sink: fulfills every Prepare."""
    body = Fulfill(bytes(32)).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            _, _, rest = request.lower().partition(b"content-length:")
            await reader.readexactly(int(rest.partition(b"\r\n")[0]))
            writer.write(head + body)
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


@asynccontextmanager
async def arena(**more: Any) -> AsyncIterator[Hub]:
    """A node with an honest and a hostile peer; packets for `hub.destination` are fulfilled. `more`: its settings."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(settings("test.hub", **more)) as node:
        for name, token in (("honest", HONEST_TOKEN), ("hostile", HOSTILE_TOKEN)):
            link = LinkSettings(
                http_incoming_token_digest=digest(token), btp_incoming_token_digest=digest(f"btp-{token}")
            )
            await node.create_account(
                account(name, "USD/9", f"test.{name}", Relation.PEER, link, packets_per_minute=100_000_000)
            )
        link = LinkSettings(http_url=f"http://127.0.0.1:{port}/ilp", http_outgoing_token="sink")
        await node.create_account(account("sink", "USD/9", "test.sink", Relation.PEER, link))
        try:
            yield Hub(node)
        finally:
            server.close()


def prepare_octets(destination: str, *, amount: int = 1, lifetime_ms: int = 20_000, data: bytes = b"") -> bytes:
    """A Prepare that `arena`'s sink fulfills."""
    expires_at = Timestamp(SystemClock().now() + lifetime_ms)
    return Prepare(amount, expires_at, PEER_CONDITION, Address(destination), data).encode()


def post_octets(body: bytes, token: str | None = HONEST_TOKEN, *, path: str = "/ilp", headers: bytes = b"") -> bytes:
    """A Prepare's request. `headers`: further lines, each with its end."""
    authorization = b"" if token is None else b"Authorization: Bearer %b\r\n" % token.encode()
    return (
        b"POST %b HTTP/1.1\r\nHost: hub\r\nContent-Type: application/octet-stream\r\n%b%bContent-Length: %d\r\n\r\n%b"
        % (path.encode(), authorization, headers, len(body), body)
    )


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer. Raises `IncompleteReadError` when the connection ends first."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length:")
    body = await reader.readexactly(int(rest.partition(b"\r\n")[0] or 0))
    return int(head.split()[1]), body


@asynccontextmanager
async def honest_http(hub: Hub) -> AsyncIterator[Send]:
    """The honest peer over HTTP/1.1, with connections that it keeps, as its pool would; it dials again when cut."""
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    writers: set[asyncio.StreamWriter] = set()

    async def send() -> bool:
        connection = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", hub.port)
        reader, writer = connection
        writers.add(writer)
        writer.write(post_octets(prepare_octets(hub.destination)))
        status, body = await read_response(reader)
        idle.append(connection)
        return status == 200 and body[:1] == b"\x0d"

    try:
        yield send
    finally:
        for writer in writers:
            writer.close()
