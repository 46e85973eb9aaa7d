"""A handler that writes down what it is given, a clock that stands still, and links and connections made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.link.btp.auth import auth_message
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import BtpPacket, decode_btp
from interledger.link.btp.protocol import BtpConnection
from interledger.link.websocket import WebSocket

NOW = Timestamp(1_700_000_000_000)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> Timestamp:
        return self.time


class Entropy:
    """Not random at all."""

    def octets(self, count: int) -> bytes:
        return bytes(count)


@dataclass
class Handler:
    """Writes down every call as a tuple: (what, request id, packet)."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    answer: Reply | None = None

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self.calls.append(("prepare", request_id, prepare))
        return self.answer

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.calls.append(("reply", request_id, reply if isinstance(reply, Fulfill) else str(reply.code)))

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        self.calls.append(("no reply", request_id, str(reject.code)))

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        self.calls.append(("lost", account))


@dataclass
class World:
    """One side of a link, its time in our hands."""

    clock: Clock = field(default_factory=Clock)
    entropy: Entropy = field(default_factory=Entropy)
    handler: Handler = field(default_factory=Handler)
    deferred: list[Callable[[], None]] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    now: Timestamp = NOW

    def __post_init__(self) -> None:
        self.link = self.make_link()

    def make_link(self, **more: Any) -> BtpLink:
        return BtpLink(
            AccountId("alice"),
            self.handler,
            clock=self.clock,
            defer=self.deferred.append,
            address=lambda: "test.node",
            link_up=lambda account, now: self.ups.append(account),
            **more,
        )

    def websocket(self, *, client: bool = False) -> WebSocket:
        return WebSocket(client=client, entropy=self.entropy, wake=lambda: None, now=self.clock.now())

    def admit(self, username: str | None, token: str) -> BtpLink | None:
        return self.link if token == "secret" else None

    def waiting(self) -> BtpConnection:
        """A server's connection before its first packet."""
        return BtpConnection.server(self.websocket(), self.admit, self.clock.now())

    def connect(self) -> BtpConnection:
        """A server's connection that is authenticated; its Response is read already."""
        connection = self.waiting()
        connection.receive_packets([auth_message(1, "", "secret").encode()], self.clock.now())
        assert connection.opened
        assert len(self.sent(connection)) == 1
        return connection

    def sent(self, connection: BtpConnection) -> list[BtpPacket]:
        """What a server's connection has sent since the last call; a Close is left out."""
        octets = connection.websocket.octets_to_send()
        reader = self.websocket(client=True)
        return [decode_btp(message) for message in reader.receive(octets, self.clock.now())]

    def prepare(self, amount: int = 10, data: bytes = b"") -> Prepare:
        expires_at = Timestamp(self.clock.now() + 10_000)
        return Prepare(amount, expires_at, bytes(32), Address("test.bob"), data)


@pytest.fixture
def world() -> World:
    return World()
