"""Payments that come in, by WebSocket, as interledger-rs tells of them: a text message for each packet.

`/accounts/{account}/payments/incoming` for the operator and the account, `/payments/incoming` for the operator. Frames
are the business of `websockets`: few come here, unlike on links. What a client sends is ignored.
"""

from __future__ import annotations

import asyncio
import http
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol, final
from urllib.parse import unquote

from starlette.requests import Request
from websockets.datastructures import Headers
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as RawResponse
from websockets.protocol import State
from websockets.server import ServerProtocol

from interledger.accounts.account import AccountId
from interledger.api.auth import Access, Gate
from interledger.api.facade import NodeFacade
from interledger.api.hosts import HostGate
from interledger.api.incoming_facade import PacketView
from interledger.api.json_text import encode_json
from interledger.api.operations import Call, Operation
from interledger.api.problems import Problem, problem_response
from interledger.clock import Clock
from interledger.codec.timestamp import format_rfc3339
from interledger.link.attempts import CUT, Attempts
from interledger.link.listener import Upgrade
from interledger.link.throttle import source_of

__all__ = ["OPERATIONS", "SOCKETS_MAX", "SocketNode", "create_sockets", "packet_message"]

SOCKETS_MAX: Final = 100
"""Watchers at a time: each holds a connection and is told of every packet. Above: 503."""

PING_S: Final = 20.0
"""How often a watcher is asked whether it is there; one that has not answered by the next time is let go."""

MESSAGE_MAX: Final = 1_024
"""Octets of what a client sends, which nobody reads."""

_PATH: Final = "/accounts/{account}/payments/incoming"
_PATH_OF_ALL: Final = "/payments/incoming"

# The library logs whole requests at DEBUG, secrets in them included.
_logger = logging.getLogger("interledger.api.sockets")
_logger.setLevel(logging.WARNING)


class _Links(Protocol):
    @property
    def attempts(self) -> Attempts: ...


class SocketNode(NodeFacade, Protocol):
    """A node with a port."""

    @property
    def clock(self) -> Clock: ...
    @property
    def links(self) -> _Links: ...


def packet_message(packet: PacketView) -> dict[str, Any]:
    """A packet, as interledger-rs writes it."""
    return {
        "to_username": packet.account,
        "from_username": packet.source,
        "destination": packet.destination,
        "amount": packet.amount,
        "timestamp": format_rfc3339(packet.at),
        "sequence": packet.sequence,
        "connection_closed": packet.closed,
    }


def create_sockets(node: SocketNode) -> Upgrade:
    """What takes WebSockets over at these paths. The node need not be started yet."""
    gate, hosts = Gate(node), HostGate(node.settings)
    sockets: set[_Socket] = set()

    def upgrade(transport: asyncio.Transport, octets: bytes, trailing: bytes, path: str) -> asyncio.BaseProtocol | None:
        route = _route(path)
        if route is None:
            return None
        access, name = route
        # A browser's page has an Origin, and no way to send a token: it has no business here.
        protocol = ServerProtocol(origins=[None], extensions=None, max_size=MESSAGE_MAX, logger=_logger)
        protocol.receive_data(octets)
        handshake = next((event for event in protocol.events_received() if isinstance(event, Handshake)), None)
        try:
            request = _request(octets, path, name)
            hosts.admit(request)
            call = Call(node, request, gate.admit(request, access))
            account = None if name is None else call.account.id
            if handshake is None:
                raise Problem("invalid-request", "this is not a WebSocket handshake")
            if len(sockets) >= SOCKETS_MAX:
                raise Problem("not-ready", "Too many watch already: try again later", headers={"Retry-After": "10"})
        except Exception as error:  # as for every operation: a fault of ours must not show its inside
            return _refuse(node, transport, error)
        response = protocol.accept(handshake)
        protocol.send_response(response)
        socket = _Socket(node, protocol, account, sockets.discard)
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            sockets.add(socket)
        socket.take_over(transport, trailing)
        return socket

    return upgrade


def _route(path: str) -> tuple[Access, str | None] | None:
    """Who may come to a path, and the account that it names; None where nothing of ours is."""
    path = path.partition("?")[0]
    if path == _PATH_OF_ALL:
        return Access.ADMIN, None
    parts = path.split("/")
    if len(parts) == 5 and parts[1] == "accounts" and parts[3:] == ["payments", "incoming"]:
        return Access.ACCOUNT, unquote(parts[2])
    return None


def _request(octets: bytes, path: str, name: str | None) -> Request:
    """The handshake as the gates read requests. The listener has looked at its form."""
    lines = octets.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    headers = [(key.strip().lower(), value.strip()) for key, _, value in (line.partition(b":") for line in lines)]
    params = {} if name is None else {"account": name}
    return Request(
        {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b"", "path_params": params}
    )


def _refuse(node: SocketNode, transport: asyncio.Transport, error: Exception) -> asyncio.BaseProtocol:
    """Answer with a problem, late where the token was wrong and others of this source were."""
    answer = problem_response(error)
    status = http.HTTPStatus(answer.status_code)
    headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers])
    headers["Connection"] = "close"
    octets = RawResponse(status.value, status.phrase, headers, bytes(answer.body)).serialize()
    refused = asyncio.Protocol()
    transport.set_protocol(refused)
    attempts, source = node.links.attempts, source_of(transport.get_extra_info("peername"))
    delay_ms = attempts.wrong(source, node.clock.now()) if status is http.HTTPStatus.UNAUTHORIZED else 0
    if delay_ms == CUT:
        transport.abort()
        return refused

    def answer_now() -> None:
        if delay_ms:
            attempts.done(source)
        if not transport.is_closing():
            transport.write(octets)
            transport.close()

    asyncio.get_running_loop().call_later(delay_ms / 1000, answer_now)
    return refused


@final
class _Socket(asyncio.Protocol):
    """One watcher."""

    def __init__(
        self,
        node: SocketNode,
        protocol: ServerProtocol,
        account: AccountId | None,
        on_lost: Callable[[_Socket], None],
    ) -> None:
        self._node = node
        self._protocol = protocol
        self._account = account
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._ping: asyncio.TimerHandle | None = None
        self._pong_missing = False
        self._can_write = asyncio.Event()

    def take_over(self, transport: asyncio.Transport, trailing: bytes) -> None:
        """The handshake's answer waits in the protocol. `trailing`: octets that came behind the request."""
        self._transport = transport
        transport.set_protocol(self)
        self._can_write.set()
        if self._protocol.state is State.OPEN:
            self._task = asyncio.get_running_loop().create_task(self._tell())
            self._schedule_ping()
        if trailing:
            self.data_received(trailing)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._pong_missing = False
        self._protocol.receive_data(data)
        self._protocol.events_received()
        self._flush()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._ping is not None:
            self._ping.cancel()
        if self._task is not None:
            self._task.cancel()
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    async def _tell(self) -> None:
        with self._node.incoming.watch(self._account) as packets:
            async for packet in packets:
                await self._can_write.wait()
                message = packet_message(packet)
                # interledger-rs wraps what it tells of all accounts so.
                self._protocol.send_text(encode_json(message if self._account is not None else {"Ok": message}))
                self._flush()
        self._protocol.send_close(1001, "this node stops, or you read too slowly")
        self._flush()

    def _schedule_ping(self) -> None:
        self._ping = asyncio.get_running_loop().call_later(PING_S, self._send_ping)

    def _send_ping(self) -> None:
        if self._transport is None:
            return
        if self._pong_missing or self._protocol.state is not State.OPEN:
            self._transport.abort()
            return
        self._pong_missing = True
        self._protocol.send_ping(b"")
        self._flush()
        self._schedule_ping()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for octets in self._protocol.data_to_send():
            if octets:
                transport.write(octets)
            else:
                transport.close()  # the library's word for: nothing more will be sent
        if self._protocol.close_expected():
            transport.close()


async def _say_how(call: Call) -> Any:
    raise Problem("upgrade-required", "This is a WebSocket: ask for it", headers={"Upgrade": "websocket"})


OPERATIONS: Final = tuple(
    Operation(
        method="GET", path=path, access=access, handler=_say_how,
        summary="A WebSocket: a text message, `IncomingPacket`, for each packet that comes in" + more,
        answer="IncomingPacket", status=101, problems=(404, 426), tags=("interledger-rs",),
    )
    for path, access, more in (
        (_PATH, Access.ACCOUNT, ""),
        (_PATH_OF_ALL, Access.ADMIN, ", for any account; in `{\"Ok\": ...}`"),
    )
)  # fmt: skip
"""What a request without an upgrade meets at these paths: the same gates, then 426."""
