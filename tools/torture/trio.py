"""Three nodes in a line, alice - hub - bob, in one process: all of a packet's journey is real but sockets and time.

Connectors, ledgers, group commits, stores, BTP frames and request journals are those of a node that runs. What happens
is cut into steps: one call of a node's loop, or some octets that arrive. Whoever drives chooses the next step; before
and after each, and before each effect that a commit lets go, `on_point` is told, and may let a node die there.

A node that died unwinds: what it still does reaches nobody, and its next life knows only what its store has.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.recovery import recover
from interledger.clock import Timestamp
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RememberingLink, RequestId
from interledger.link.btp.link import BtpLink
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.repeating import RepeatingLink
from interledger.link.local import LocalLink, connect_local
from interledger.link.websocket import WebSocket
from interledger.routing.exchange import ExchangeTable, Quotes
from interledger.routing.table import Origin, RoutingTable
from interledger.store.base import Store
from interledger.store.group_commit import GroupCommit
from interledger.store.memory import MemoryStore

__all__ = ["END", "EUR", "LIFETIME_MS", "NAMES", "USD", "Behaviour", "Holder", "Trio", "TrioNode", "proof"]

NAMES: Final = ("alice", "hub", "bob")
USD: Final = Asset("USD", 9)
EUR: Final = Asset("EUR", 9)
RATES: Final = {"USD": "1", "EUR": "1.25"}
END: Final = AccountId("end")
"""The holder behind each node."""
START: Final = 1_700_000_000_000
LIFETIME_MS: Final = 20_000
"""Of a packet, at its sender."""
OWES_MAX: Final = 10_000
PACKET_MAX: Final = 300


def proof(tag: int) -> bytes:
    """The fulfillment of the packet `tag`."""
    return hashlib.sha256(b"%d" % tag).digest()


class Behaviour:
    """What bob's holder does with a packet: its first octet of data."""

    FULFILL: Final = 0
    REJECT: Final = 1
    SILENT: Final = 2
    LATE: Final = 3
    """Fulfills when `Holder.answer_late` is called."""
    WRONG: Final = 4
    COUNT: Final = 5


class Holder:
    """The end behind a node, in its process: pays, and is paid. `told`: the replies to what it sent, by tag."""

    def __init__(self) -> None:
        self.told: dict[int, list[Reply]] = {}
        self.late: list[tuple[RequestId, int]] = []
        self.link: LocalLink | None = None

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        what, tag = prepare.data[0], int.from_bytes(prepare.data[1:], "big")
        if what == Behaviour.REJECT:
            return Reject(ErrorCode.F99_APPLICATION_ERROR, Address("test.bob.end"), "not that one")
        if what == Behaviour.SILENT:
            return None
        if what == Behaviour.LATE:
            self.late.append((request_id, tag))
            return None
        return Fulfill(bytes(32) if what == Behaviour.WRONG else proof(tag), b"thanks")

    def answer_late(self) -> None:
        """Fulfill all that waits for it."""
        late, self.late = self.late, []
        for request_id, tag in late:
            if self.link is not None:
                self.link.send_reply(request_id, Fulfill(proof(tag), b"late"))

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.told.setdefault(request_id, []).append(reply)

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        raise AssertionError("a local link never gives up")

    def link_lost(self, account: AccountId, now: Timestamp) -> None: ...


class _Receivers:
    """Whatever is below a node's address is its holder's."""

    def find(self, destination: str) -> AccountId | Refused:
        return END


class _Gate:
    """A link that says so before something leaves on it: the effect of a commit is a step too."""

    def __init__(self, link: Any, point: Callable[[str], None]) -> None:
        self._link = link
        self._point = point
        self.ready = link.ready

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self._point("a Prepare leaves")
        self._link.send_prepare(request_id, prepare)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._point("a reply leaves")
        self._link.send_reply(request_id, reply)


class _RememberingGate(_Gate):
    def keep_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._link.keep_reply(request_id, reply)

    def unkeep_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._link.unkeep_reply(request_id, reply)


@final
class TrioNode:
    """One node; `start` begins a life on `store`, `die` ends it."""

    def __init__(self, trio: Trio, name: str, store: Store) -> None:
        self.trio = trio
        self.name = name
        self.store = store
        self.alive = False
        self.life = 0
        self.turn: deque[Callable[[], object]] = deque()
        self.writes: deque[Callable[[], object]] = deque()
        """The group commit's turns: a disk takes its time, so other things may happen first."""
        self.links: dict[str, BtpLink] = {}
        self.timed: list[Any] = []
        self.failures: list[Exception] = []
        self.holder: Any = Holder()
        self.told: list[tuple[int, Reply]] = []
        """(tag, reply) of what its holder was told in lives before the present one."""
        self.on_link: Callable[[TrioNode, BtpLink], None] = lambda node, link: None
        """May register sub-protocols with a new link."""

    @property
    def neighbours(self) -> list[str]:
        at = NAMES.index(self.name)
        return [NAMES[i] for i in (at - 1, at + 1) if 0 <= i < len(NAMES)]

    def soon(self, do: Callable[[], object]) -> None:
        """What a loop's `call_soon` is."""
        self.turn.append(do)

    def start(self, *, alive: bool = True) -> None:
        """Load, recover, attach: in the order of `interledger.node.node`. Not `alive`: it died before, and unwinds."""
        trio = self.trio
        self.alive = alive
        self.turn.clear()
        self.writes.clear()
        self.ledger = Ledger()
        self.store.load(self.ledger)
        self.commits = GroupCommit(
            self.ledger, self.store, trio, self.failures.append, inline=True, call_soon=self.writes.append
        )
        recover(self.ledger)
        exchange = ExchangeTable()
        values = {code: Fraction(text) for code, text in RATES.items()}
        exchange.update(Quotes("static", values, None, trio.now()), trio.now())
        routes = RoutingTable()
        self.connector = Connector(
            Address(f"test.{self.name}"),
            ledger=self.ledger,
            routes=routes,
            exchange=exchange,
            receivers=_Receivers(),
            spread=Fraction(1, 100),
        )
        routes.replace(Origin.OWN, {self.connector.address: AccountId("")})
        self.timed = [self.connector]
        self._attach_holder()
        self.links = {}
        for other in self.neighbours:
            self._attach_peer(other)
        at = NAMES.index(self.name)
        beyond = {f"test.{other}": self.neighbours[0 if NAMES.index(other) < at else -1] for other in NAMES}
        del beyond[f"test.{self.name}"]
        routes.replace(Origin.STATIC, {prefix: AccountId(via) for prefix, via in beyond.items()})
        self.connector.routes_changed()
        self.soon(self.commits.flush)

    def _asset(self, other: str) -> Asset:
        return EUR if "bob" in (self.name, other) else USD

    def _attach_holder(self) -> None:
        make = self.trio.ends.get(self.name, Holder)
        end = self.holder = make()
        inner, outer = connect_local(
            (self.connector, END), (_OneLife(self, end), END), clock=self.trio, defer=self.soon
        )
        end.link = outer
        account = Account(
            id=END, asset=self._asset(""), ilp_address=Address(f"test.{self.name}.end"), relation=Relation.LOCAL
        )
        peer = self.connector.attach(END, account, inner, is_local=True, first_request_id=1)
        peer.ledger_account.debit_max = OWES_MAX

    def _attach_peer(self, other: str) -> None:
        account_id, asset = AccountId(other), self._asset(other)
        link = BtpLink(
            account_id, self.connector, clock=self.trio, defer=self.soon, address=lambda: self.connector.address
        )
        self.links[other] = link
        sending: Any = link
        account = Account(
            id=account_id,
            asset=asset,
            ilp_address=Address(f"test.{other}"),
            relation=Relation.PEER,
            packet_amount_max=PACKET_MAX,
        )
        if self.trio.repeats:
            sending = RepeatingLink(link, self.ledger, account.ledger_name, self.trio)
            self.timed.append(sending)
        self.on_link(self, link)
        gate = (_RememberingGate if isinstance(sending, RememberingLink) else _Gate)(sending, self._point)
        # Ids of a former life are not used again: as a node that draws the first of them.
        first = 1 + self.life * 1_000
        peer = self.connector.attach(account_id, account, gate, is_local=False, first_request_id=first)
        peer.ledger_account.debit_max = OWES_MAX
        link.requests.next_prepare_id = lambda: peer.next_request_id
        if self.trio.repeats:
            sending.resume(self.trio.now())

    def _point(self, what: str) -> None:
        self.trio.point(self, what)

    def send(self, tag: int, amount: int, behaviour: int = 0, to: str = "bob", lifetime_ms: int = LIFETIME_MS) -> None:
        """The holder sends a packet to another's."""
        prepare = Prepare(
            amount,
            Timestamp(self.trio.now() + lifetime_ms),
            hashlib.sha256(proof(tag)).digest(),
            Address(f"test.{to}.end.x"),
            bytes((behaviour,)) + tag.to_bytes(4, "big"),
        )
        if self.holder.link is not None:
            self.holder.link.send_prepare(RequestId(tag), prepare)

    def die(self) -> None:
        """Now: what is not on its disk is gone."""
        self.alive = False
        self.life += 1
        self.turn.clear()
        self.writes.clear()
        told = getattr(self.holder, "told", {})
        self.told += [(tag, reply) for tag, replies in told.items() for reply in replies]
        self.holder.link = None
        self.holder = Holder()
        self.trio.cut(self.name)

    def outcomes(self) -> list[tuple[int, Reply]]:
        """(tag, reply) of all lives."""
        now = getattr(self.holder, "told", {}) if self.alive else {}
        return self.told + [(tag, reply) for tag, replies in now.items() for reply in replies]


class _OneLife:
    """What a local link of one life delivers to: nothing after it."""

    def __init__(self, node: TrioNode, end: Any) -> None:
        self._node = node
        self._life = node.life
        self._end = end

    def _is_over(self) -> bool:
        return self._node.life != self._life or not self._node.alive

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        if self._is_over():
            return None
        reply: Reply | None = self._end.receive_prepare(account, request_id, prepare, now)
        return reply

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        if not self._is_over():
            self._end.receive_reply(account, request_id, reply, now)

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        if not self._is_over():
            self._end.receive_no_reply(account, request_id, reject, now)

    def link_lost(self, account: AccountId, now: Timestamp) -> None: ...


@dataclass(eq=False)
class _Side:
    """One end of a connection: what has been written and not arrived yet is in `wire`."""

    node: TrioNode
    connection: BtpConnection
    wire: bytearray = field(default_factory=bytearray)
    woken: bool = False


class _Connection:
    """A BTP connection between two nodes; sides[0] dialled."""

    def __init__(self, trio: Trio, dialler: TrioNode, listener: TrioNode) -> None:
        self.trio = trio
        self.names = {dialler.name, listener.name}
        now = trio.now()
        sides: list[_Side] = []

        def websocket(number: int) -> WebSocket:
            return WebSocket(client=number == 0, entropy=trio, wake=lambda: self._wake(number), now=now)

        self._woken_early = [False, False]
        self.sides = sides
        client = BtpConnection.client(websocket(0), dialler.links[listener.name], "", "secret", 7, now)
        server = BtpConnection.server(websocket(1), lambda name, token: listener.links[dialler.name], now)
        sides += [_Side(dialler, client), _Side(listener, server)]
        for number, early in enumerate(self._woken_early):
            if early:
                self._wake(number)

    def _wake(self, number: int) -> None:
        if not self.sides:
            self._woken_early[number] = True
            return
        side = self.sides[number]
        if not side.woken and side.node.alive:
            side.woken = True
            side.node.soon(lambda: self._flush(side))

    def _flush(self, side: _Side) -> None:
        """One write of the socket."""
        side.woken = False
        if self in self.trio.connections:
            side.wire += side.connection.websocket.octets_to_send()
            if side.connection.websocket.finished:
                self.trio.cut_connection(self)

    def deliver(self, number: int, count: int | None) -> None:
        """Up to `count` octets that side `number` wrote arrive."""
        source, target = self.sides[number], self.sides[1 - number]
        octets = bytes(source.wire[:count])
        del source.wire[: len(octets)]
        target.connection.receive(octets, self.trio.now())


@final
class Trio:
    """The three nodes, the octets between them, and the time. Serves as `Clock` and as `Entropy`."""

    def __init__(self, *, repeats: bool = False, stores: dict[str, Store] | None = None, seed: int = 0) -> None:
        self.repeats = repeats
        self.dice = random.Random(seed)
        self.on_point: Callable[[TrioNode, str], None] = lambda node, what: None
        self.ends: dict[str, Callable[[], Any]] = {}
        """What makes the holder of a life, by node, if not `Holder`."""
        self._now = START
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.connections: list[_Connection] = []
        stores = stores or {}
        self.nodes = {name: TrioNode(self, name, stores.get(name) or MemoryStore()) for name in NAMES}

    # ------------------------------------------------------------------ time and chance

    def now(self) -> Timestamp:
        return Timestamp(self._now)

    def octets(self, count: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(b"%d" % self._count).digest(count)

    def after(self, delay_ms: int, do: Callable[[], None]) -> None:
        """Let `do` happen so much later: for ends that keep time."""
        self._count += 1
        heapq.heappush(self._agenda, (self._now + delay_ms, self._count, do))

    def soon(self, do: Callable[[], None]) -> None:
        """As soon as time moves, or nothing else is to be done."""
        self.after(0, do)

    def advance(self, ms: int) -> None:
        """Let time pass; timers of those who live are handled."""
        self._now += ms
        for node in self.nodes.values():
            for timed in node.timed if node.alive else []:
                timed.handle_timer(self.now())
        for connection in list(self.connections):
            for side in connection.sides:
                if connection in self.connections:
                    side.connection.handle_timer(self.now())
                    self._drop_if_finished(connection, side)
        self._do_what_is_due()

    def _drop_if_finished(self, connection: _Connection, side: _Side) -> None:
        if side.connection.websocket.finished:
            self.cut_connection(connection)

    def _do_what_is_due(self) -> bool:
        did = False
        while self._agenda and self._agenda[0][0] <= self._now:
            heapq.heappop(self._agenda)[2]()
            did = True
        return did

    # ------------------------------------------------------------------ steps

    def point(self, node: TrioNode, what: str) -> None:
        """Something is about to happen, or has just happened, at a node that lives."""
        if node.alive:
            self.on_point(node, what)

    def steps(self) -> list[tuple[str, Any]]:
        """What can happen next: ("turn", node), ("write", node) or ("octets", (connection, side))."""
        alive = [node for node in self.nodes.values() if node.alive]
        found: list[tuple[str, Any]] = [("turn", node) for node in alive if node.turn]
        found += [("write", node) for node in alive if node.writes]
        for connection in self.connections:
            found += [("octets", (connection, number)) for number in (0, 1) if connection.sides[number].wire]
        return found

    def step(self, what: tuple[str, Any], count: int | None = None) -> None:
        """Let one of `steps` happen; `count`: of octets."""
        kind, subject = what
        node = subject[0].sides[1 - subject[1]].node if kind == "octets" else subject
        self.point(node, f"before {kind}")
        queue = node.writes if kind == "write" else node.turn
        if kind != "octets" and node.alive and queue:
            queue.popleft()()
        elif kind == "octets" and subject[0] in self.connections:
            subject[0].deliver(subject[1], count)
        self.point(node, f"after {kind}")

    def settle(self) -> None:
        """Everything that can happen without time does, in an order that the seed says."""
        while True:
            while steps := self.steps():
                self.step(self.dice.choice(steps))
            if not self._do_what_is_due():
                return

    # ------------------------------------------------------------------ links and lives

    def start(self) -> None:
        """All three live, and are connected."""
        for node in self.nodes.values():
            node.start()
        self.connect()
        self.settle()

    def connect(self) -> None:
        """Make the connections that are missing between those who live."""
        for left, right in itertools.pairwise(NAMES):
            dialler, listener = self.nodes[left], self.nodes[right]
            if dialler.alive and listener.alive and not any(c.names == {left, right} for c in self.connections):
                connection = _Connection(self, dialler, listener)
                self.connections.append(connection)

    def cut(self, name: str) -> None:
        """All connections of a node are gone, with what is on the wire."""
        for connection in [one for one in self.connections if name in one.names]:
            self.cut_connection(connection)

    def cut_connection(self, connection: _Connection) -> None:
        """The socket is gone."""
        if connection in self.connections:
            self.connections.remove(connection)
            for side in connection.sides:
                if side.node.alive:
                    side.connection.lost(self.now())

    def calm_down(self) -> None:
        """All are connected, for longer than any packet lives: each has its outcome then. Ends when one dies."""
        for _ in range(2 * LIFETIME_MS // 1_000):
            if not all(node.alive for node in self.nodes.values()):
                return
            self.connect()
            self.settle()
            self.advance(1_000)
        self.settle()
