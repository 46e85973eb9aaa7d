"""Speakers in a network of virtual links that lose, double and delay messages, and the moments to look at them."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from hashlib import sha256

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.ilp.peer import PEER_FULFILLMENT
from interledger.routing.ccp.messages import CONTROL_DESTINATION, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import LearnedRoute, LocalRoute, receives_by_default, sends_by_default
from interledger.routing.ccp.protocol import Timing
from interledger.routing.ccp.session import Terms
from interledger.routing.ccp.speaker import Speaker

NOW = Timestamp(1_700_000_000_000)

OTHER_END = {Relation.PEER: Relation.PEER, Relation.CHILD: Relation.PARENT, Relation.PARENT: Relation.CHILD}


class Node:
    """One speaker, and the routes that it told its table."""

    def __init__(self, net: Net, address: str) -> None:
        self.net = net
        self.address = address
        self.alarms: list[str] = []
        self.best: dict[str, tuple[AccountId, LearnedRoute]] = {}
        self.links: dict[AccountId, tuple[Node, Link]] = {}
        self.relations: dict[AccountId, Relation] = {}
        self.local: dict[str, tuple[LocalRoute, ...]] = {address: (LocalRoute(None, Relation.LOCAL),)}
        self.speaker = self._new_speaker()

    def _new_speaker(self) -> Speaker:
        speaker = Speaker(
            self.address,
            sha256(self.address.encode()).digest(),
            timing=self.net.timing,
            random_octets=self.net.dice.randbytes,
            on_best=self._on_best,
            on_alarm=self.alarms.append,
        )
        speaker.set_local(self.local, {self.address: None})
        return speaker

    def _on_best(self, prefix: str, account: AccountId | None, route: LearnedRoute | None) -> None:
        if account is None or route is None:
            del self.best[prefix]
        else:
            self.best[prefix] = account, route

    def restart(self) -> None:
        """Everything that it knew is gone. Its links come up again."""
        for account, (other, link) in self.links.items():
            link.epoch += 1
            other.speaker.link_lost(account_of(self))
            del account
        self.best.clear()
        self.speaker = self._new_speaker()
        for account, relation in self.relations.items():
            self.speaker.set_peer(account, terms(relation))
        for account, (other, link) in self.links.items():
            if link.is_up:
                self.speaker.link_up(account, self.net.now)
                other.speaker.link_up(account_of(self), self.net.now)

    def originate(self, *prefixes: str) -> None:
        """Announce these as its own, and no others."""
        self.local = {prefix: (LocalRoute(None, Relation.LOCAL),) for prefix in (self.address, *prefixes)}
        self.speaker.set_local(self.local, {self.address: None})

    def next_hop(self, prefix: str) -> str | None:
        """Where packets for exactly `prefix` go: the next node's address, our own, or None."""
        if prefix in self.local:
            return self.address
        best = self.best.get(prefix)
        return None if best is None else self.links[best[0]][0].address


class Link:
    """The wire between two nodes. `epoch` counts how often it was cut: what was on it then is lost."""

    def __init__(self, ends: tuple[Node, Node]) -> None:
        self.ends = ends
        self.is_up = False
        self.epoch = 0


def account_of(node: Node) -> AccountId:
    """The name that every other node has for it."""
    return AccountId(node.address.rpartition(".")[2])


def terms(relation: Relation, **more: bool) -> Terms:
    values = {"sends": sends_by_default(relation), "receives": receives_by_default(relation), **more}
    return Terms(relation, **values)


class Net:
    """Nodes, links and an agenda. The same seed is the same run."""

    def __init__(
        self,
        seed: int = 0,
        *,
        loss: float = 0.0,
        duplicate: float = 0.0,
        delay_ms: tuple[int, int] = (1, 1),
        timing: Timing | None = None,
    ) -> None:
        self.dice = random.Random(seed)
        self.timing = timing or Timing()
        self.loss = loss
        self.duplicate = duplicate
        self.delay_ms = delay_ms
        self.now = NOW
        self.nodes: dict[str, Node] = {}
        self.messages = 0
        self.tap: Callable[[Node, Node, Prepare], None] = lambda source, target, prepare: None
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0

    def node(self, address: str) -> Node:
        self.nodes[address] = made = Node(self, address)
        return made

    def connect(self, left: Node, right: Node, relation: Relation = Relation.PEER, **more: bool) -> Link:
        """`relation`: what `right` is to `left`."""
        link = Link((left, right))
        for node, other, what in ((left, right, relation), (right, left, OTHER_END[relation])):
            account = account_of(other)
            node.links[account] = other, link
            node.relations[account] = what
            node.speaker.set_peer(account, terms(what, **more))
        self.set_up(link)
        return link

    def set_up(self, link: Link, *, is_up: bool = True) -> None:
        if link.is_up == is_up:
            return
        link.is_up = is_up
        link.epoch += 1
        left, right = link.ends
        for node, other in ((left, right), (right, left)):
            if is_up:
                node.speaker.link_up(account_of(other), self.now)
            else:
                node.speaker.link_lost(account_of(other))

    def at(self, delay_ms: int, do: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (self.now + delay_ms, self._order, do))

    def run(self, for_ms: int) -> None:
        """Let so much time pass."""
        end = self.now + for_ms
        while True:
            self._speak()
            due = [at for node in self.nodes.values() if (at := node.speaker.timer()) is not None]
            if self._agenda:
                due.append(Timestamp(self._agenda[0][0]))
            soonest = max(min(due, default=Timestamp(end + 1)), self.now)
            if soonest > end:
                self.now = Timestamp(end)
                return
            self.now = soonest
            while self._agenda and self._agenda[0][0] <= self.now:
                heapq.heappop(self._agenda)[2]()

    def _speak(self) -> None:
        for node in self.nodes.values():
            due = node.speaker.timer()
            if due is None or due > self.now:
                continue
            node.speaker.handle_timer(self.now)
            for account, token, prepare in node.speaker.messages_to_send(self.now):
                other, link = node.links[account]
                self.tap(node, other, prepare)
                self._send(node, other, link, token, prepare)

    def _send(self, source: Node, target: Node, link: Link, token: int, prepare: Prepare) -> None:
        self.messages += 1
        speaker = source.speaker

        def answer(reply: Reply) -> None:
            if source.speaker is speaker:
                speaker.receive_reply(token, reply, self.now)

        def arrive() -> None:
            reply = deliver(target, account_of(source), prepare, self.now)
            self._carry(link, lambda: answer(reply))

        self._carry(link, arrive)

    def _carry(self, link: Link, arrive: Callable[[], None]) -> None:
        epoch = link.epoch
        for _ in range(1 + (self.dice.random() < self.duplicate)):
            if self.dice.random() >= self.loss:
                self.at(self.dice.randint(*self.delay_ms), lambda: arrive() if link.epoch == epoch else None)


def deliver(target: Node, account: AccountId, prepare: Prepare, now: Timestamp) -> Reply:
    """What a node answers to a message, as its connector would."""
    if prepare.destination == CONTROL_DESTINATION:
        objection = target.speaker.receive_control(account, RouteControl.decode(prepare.data), now)
    else:
        objection = target.speaker.receive_update(account, RouteUpdate.decode(prepare.data), now)
    if objection is None:
        return Fulfill(PEER_FULFILLMENT)
    return Reject(objection.code, target.address, objection.why)


def walk(start: Node, prefix: str, nodes: Iterable[Node]) -> list[str]:
    """The nodes that a packet for `prefix` would pass, `start` first. Raises `AssertionError` for a loop."""
    by_address = {node.address: node for node in nodes}
    way = [start.address]
    while True:
        following = by_address[way[-1]].next_hop(prefix)
        if following is None or following == way[-1]:
            return way
        assert following not in way, f"a loop: {[*way, following]} for {prefix}"
        way.append(following)
