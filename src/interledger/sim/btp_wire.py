"""A BTP link between two simulated nodes: the real links, connections and WebSockets, over octets that can be cut.

TCP neither loses nor reorders, so neither does this. What happens to it: it is cut in the middle of an octet stream, it
hangs without a word until somebody gives up, it is dialled anew, a process at one end dies with or without a goodbye.
The HTTP request that opens a WebSocket is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import Link, PacketHandler, RequestId
from interledger.link.btp.auth import auth_message
from interledger.link.btp.link import BtpLink, Connection
from interledger.link.btp.messages import TYPE_MESSAGE, BtpPacket, encode_ilp, find_entry, split_ilp
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.reconnect import Backoff
from interledger.link.btp.repeating import RepeatingLink
from interledger.link.websocket import WebSocket
from interledger.sim.auditor import Port
from interledger.sim.clocks import SimTimer
from interledger.sim.node import SimNode
from interledger.sim.wiring import Ear
from interledger.sim.world import World

__all__ = ["TOKEN", "BtpPlug", "BtpWire"]

TOKEN: Final = "the token of this account"  # noqa: S105  # of a simulation


@final
class _ListeningHandler:
    """Between a link and the connector: tells the ear what comes in."""

    def __init__(self, node: SimNode, ear: Ear, life: Callable[[], bool]) -> None:
        self._node = node
        self._ear = ear
        self._runs = life

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self._ear.received(request_id, prepare.encode())
        reply = self._node.connector.receive_prepare(account, request_id, prepare, now)
        if reply is not None:
            self._ear.sent(request_id, reply.encode())
        return reply

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self._ear.received(request_id, reply.encode())
        self._node.connector.receive_reply(account, request_id, reply, now)

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        self._node.connector.receive_no_reply(account, request_id, reject, now)

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        if self._runs():
            self._node.connector.link_lost(account, now)


@final
class _ListeningLink:
    """Between the connector and a link: tells the ear what goes out."""

    def __init__(self, link: BtpLink, ear: Ear) -> None:
        self._link = link
        self._ear = ear

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self._ear.sent(request_id, prepare.encode())
        self._link.send_prepare(request_id, prepare)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._ear.sent(request_id, reply.encode())
        self._link.send_reply(request_id, reply)

    def ready(self) -> bool:
        return self._link.ready()

    def is_full(self) -> bool:
        return self._link.is_full()


@final
class _ListeningRepetition:
    """Between the connections of a 2.0-I link and its memory: what comes is told as it is on the wire."""

    def __init__(self, inner: RepeatingLink, ear: Ear) -> None:
        self._inner = inner
        self._ear = ear
        self.connected = inner.connected
        self.repeat = inner.repeat
        self.forget = inner.forget
        self.is_asking = inner.is_asking

    def receive(self, connection: Connection, octets: bytes, packet: BtpPacket, now: Timestamp) -> bool:
        ilp = find_entry(packet.entries, "ilp")
        if ilp is not None:
            self._ear.received(packet.request_id, ilp.data)
        return self._inner.receive(connection, octets, packet, now)


@final
class BtpPlug:
    """One end. `repeats`: BTP/2.0-I. `wire` is set by `BtpWire`."""

    def __init__(self, node: SimNode, peer_id: AccountId, account_name: str, *, repeats: bool) -> None:
        self.node = node
        self.peer_id = peer_id
        self.repeats = repeats
        self.account_name = account_name
        self.wire: BtpWire | None = None
        self.link: BtpLink | None = None
        self.ear = Ear(node.auditor, node.station, Port(account_name, f"{node.address} {peer_id}", repeats=repeats))

    def start(self, node: SimNode) -> Link:
        runs = node.runs()
        handler: PacketHandler = node.connector if self.repeats else _ListeningHandler(node, self.ear, runs)
        link = self.link = BtpLink(
            self.peer_id,
            handler,
            clock=node.clock,
            defer=lambda do: node.world.soon(lambda: do() if runs() else None),
            address=lambda: node.address,
            link_up=lambda account, now: node.link_up(self.peer_id),
        )
        link.requests.next_prepare_id = lambda: node.connector.peers[self.peer_id].next_request_id
        if not self.repeats:
            return _ListeningLink(link, self.ear)
        self._repeating = RepeatingLink(link, node.ledger, self.account_name, node.clock)
        link.repeating = _ListeningRepetition(self._repeating, self.ear)
        return self._repeating

    def started(self, node: SimNode) -> None:
        if self.repeats:
            self._repeating.resume(node.clock.now())
            timer = SimTimer(node.world, node.clock, self._repeating, node.runs(), node.busy_ms)
            self._repeating.on_sooner = timer.sooner
        if self.wire is not None:
            self.wire.dial()

    def stop(self, node: SimNode, *, silently: bool) -> None:
        self.link = None
        if self.wire is not None:
            self.wire.process_gone(self, silently=silently)


@final
class _Socket:
    """One end of a connection."""

    def __init__(self, wire: BtpWire, plug: BtpPlug, *, client: bool, link: BtpLink, token: str) -> None:
        self.wire = wire
        self.plug = plug
        self.world: World = wire.world
        self.node = plug.node
        self.runs = plug.node.runs()
        self.other: _Socket | None = None
        self.open = True
        self.arrives_at = 0
        self._flushing = False
        now = plug.node.clock.now()
        websocket = WebSocket(client=client, entropy=wire.world, wake=self._wake, now=now)
        if client:
            request_id = int.from_bytes(wire.world.octets(4), "big")
            self.connection = BtpConnection.client(websocket, link, "", token, request_id, now)
        else:
            self.connection = BtpConnection.server(websocket, lambda user, word: link if word == TOKEN else None, now)
        if plug.repeats:
            # Its answers do not pass the connector.
            self.connection.send = self._send  # type: ignore[assignment]  # inferred as the one method
        self.world.after(1_000, self._look_at_time)

    def _send(self, packet: bytes) -> None:
        common = split_ilp(packet)
        if common is not None:
            self.plug.ear.sent(common[1], common[2])
        self.connection.websocket.send(packet)

    def _wake(self) -> None:
        if not self._flushing:
            self._flushing = True
            self.world.soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if not self.open or not self.runs():
            return
        websocket = self.connection.websocket
        octets = websocket.octets_to_send()
        if octets and self.other is not None:
            self.wire.carry(self.other, octets)
        if websocket.finished:
            self.wire.close(self)

    def receive(self, octets: bytes) -> None:
        """Octets are here."""
        if not self.open or not self.runs():
            return
        busy_ms = self.node.busy_ms()
        if busy_ms:
            self.world.after(busy_ms, lambda: self.receive(octets))
            return
        self.connection.receive(octets, self.node.clock.now())
        self._wake()

    def lost(self) -> None:
        """The system says that the other side is gone."""
        if self.open:
            self.open = False
            if self.runs():
                self.connection.lost(self.node.clock.now())

    def _look_at_time(self) -> None:
        if self.open and self.runs():
            now = self.node.clock.now()
            if self.connection.timer() <= now:
                self.connection.handle_timer(now)
                self._wake()
            self.world.after(1_000, self._look_at_time)


@final
class BtpWire:
    """`left` dials `right` whenever both live and there is no connection."""

    def __init__(self, world: World, left: BtpPlug, right: BtpPlug, delay_ms: tuple[int, int]) -> None:
        self.world = world
        self.left, self.right = left, right
        self.delay_ms = delay_ms
        self.up = True
        self.hanging = False
        self._held: list[Callable[[], None]] = []
        self._sockets: tuple[_Socket, _Socket] | None = None
        self._backoff = Backoff(world)
        self._dialling = False
        self._opened_at = 0
        left.wire = right.wire = self

    # ------------------------------------------------------------------ connections

    def dial(self) -> None:
        """In a while, when there is no connection and none is under way."""
        if not self._dialling:
            self._dialling = True
            self.world.after(self._backoff.delay_ms() + 1, self._dial)

    def _dial(self) -> None:
        self._dialling = False
        left, right = self.left.link, self.right.link
        if self._sockets is not None or left is None:
            return
        if right is None or not self.up or self.hanging:
            self._backoff.ended(opened_ms=None, refused=False)
            self.dial()
            return
        client = _Socket(self, self.left, client=True, link=left, token=TOKEN)
        server = _Socket(self, self.right, client=False, link=right, token=TOKEN)
        client.other, server.other = server, client
        self._sockets = client, server
        self._opened_at = self.world.now()
        client._wake()

    def carry(self, to: _Socket, octets: bytes) -> None:
        """In order, after a while; when the link is cut first, as much of it as had left."""
        at = max(self.world.now() + self.world.dice.randint(*self.delay_ms), to.arrives_at)
        to.arrives_at = at

        def arrive() -> None:
            if self.hanging:
                self._held.append(arrive)
            else:
                to.receive(octets)

        self.world.after(at - self.world.now(), arrive)

    def close(self, socket: _Socket) -> None:
        """One side is through with it; the other one is told after what was sent to it."""
        socket.lost()
        other = socket.other
        if other is not None and other.open:
            self.world.after(self.delay_ms[1] + max(other.arrives_at - self.world.now(), 0), other.lost)
        self._forget(socket)

    def _forget(self, socket: _Socket) -> None:
        if self._sockets is not None and socket in self._sockets:
            self._sockets = None
            self._backoff.ended(opened_ms=self.world.now() - self._opened_at, refused=False)
            self.dial()

    # ------------------------------------------------------------------ faults

    def process_gone(self, plug: BtpPlug, *, silently: bool) -> None:
        """A process died. `silently`: nobody tells the other side, which finds out by itself."""
        sockets = self._sockets
        if sockets is None:
            return
        mine, other = sockets if sockets[0].plug is plug else sockets[::-1]
        mine.open = False
        if silently:
            self._forget(mine)
        else:
            self.close(mine)
            other.arrives_at = self.world.now()

    def set_up(self, *, is_up: bool) -> None:
        """Cut it, or mend it: both systems tell their processes."""
        self.up = is_up
        sockets = self._sockets
        if not is_up and sockets is not None:
            for socket in sockets:
                socket.lost()
            self._forget(sockets[0])

    def set_vanishing(self, *, vanishing: bool) -> None:
        """It hangs; or what hung arrives."""
        self.hanging = vanishing
        if not vanishing:
            held, self._held = self._held, []
            for arrive in held:
                arrive()

    def calm(self) -> None:
        """No faults any more."""
        self.set_vanishing(vanishing=False)
        self.set_up(is_up=True)

    # ------------------------------------------------------------------ intruders

    def intrude(self, prepare: Prepare) -> None:
        """Somebody dials without the right token and sends a Prepare all the same."""
        link = self.right.link
        if link is None:
            return
        server = _Socket(self, self.right, client=False, link=link, token="")
        thief = WebSocket(client=True, entropy=self.world, wake=lambda: None, now=self.world.now())
        if self.world.chance(0.7):
            thief.send(auth_message(1, "", "guessed").encode())
        thief.send(encode_ilp(TYPE_MESSAGE, 2, prepare.encode()))
        server.receive(thief.octets_to_send())
