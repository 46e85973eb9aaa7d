"""Invariant: whatever happens to three nodes, their books agree afterwards or differ by listed unknown items only.

The octets are what happens, one after another: packets, octets that arrive, turns of a node's loop, writes of its disk,
lost links, deaths in the middle of anything, disks that fail, time. The nodes are those of `tools/torture/trio.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from interledger.errors import DiskFullError, StoreError
from tools.torture.trio import NAMES, Behaviour, Trio, TrioNode
from tools.torture.verdict import judge

ACTIONS_MAX = 400
OCTETS_AT_ONCE = (1, 7, 40, 200, None)

# Numbers of the actions, for the seeds below.
STEP, SEND, BACK, CUT, CONNECT, DIE, DIE_SOON, START, TIME, LATE, FAIL, FULL, SETTLE = range(13)
PLAIN, REPEATING = b"\0", b"\1"


def packets(*behaviours: int) -> bytes:
    """Alice sends these."""
    return bytes(octet for behaviour in behaviours for octet in (SEND, 16 * behaviour + 3))


def seeds() -> Iterator[bytes]:
    for kind in (PLAIN, REPEATING):
        yield kind + packets(0, 1, 2, 3, 4) + bytes((SETTLE, 0, LATE, 0))
        yield kind + packets(3, 3) + bytes((SETTLE, 0, CUT, 1, LATE, 0, SETTLE, 0, CONNECT, 0, TIME, 200))
        for name in range(3):
            yield kind + packets(0, 0, 3) + bytes((BACK, 1)) + bytes((STEP, 0)) * 12 + bytes((DIE, name, START, name))
            for soon in (1, 6, 14):
                yield kind + packets(0, 1, 0) + bytes((DIE_SOON, 16 * soon + name, SETTLE, 0, START, name, CONNECT, 0))
            yield kind + packets(0, 0) + bytes((FAIL, name, SETTLE, 0)) + packets(0) + bytes((SETTLE, 0, DIE, name))
            yield kind + packets(0, 0) + bytes((FULL, name, SETTLE, 0)) + packets(0) + bytes((SETTLE, 0))


LAYERS = ()
SEEDS: tuple[bytes, ...] = tuple(seeds())


class Network:
    """A `Trio`, and what has been done to it."""

    def __init__(self, repeats: bool) -> None:
        self.trio = Trio(repeats=repeats)
        self.trio.start()
        self.sent = 0
        self.broken: set[str] = set()
        """Nodes whose disk failed: what they relayed since then is not in their books."""
        self.countdown: tuple[TrioNode, int] | None = None
        self.trio.on_point = self.at_point

    def at_point(self, node: TrioNode, what: str) -> None:
        if self.countdown is not None and self.countdown[0] is node:
            left = self.countdown[1] - 1
            self.countdown = (node, left) if left else None
            if not left:
                node.die()

    def act(self, action: int, argument: int) -> None:
        trio = self.trio
        node = trio.nodes[NAMES[argument % 3]]
        match action:
            case n if n == STEP:
                steps = trio.steps()
                if steps:
                    trio.step(steps[argument % len(steps)], OCTETS_AT_ONCE[argument % len(OCTETS_AT_ONCE)])
            case n if n == SEND:
                self.send("alice", "bob", argument)
            case n if n == BACK:
                self.send("bob", "alice", argument)
            case n if n == CUT:
                for connection in trio.connections[argument % 2 :][:1]:
                    trio.cut_connection(connection)
            case n if n == CONNECT:
                trio.connect()
            case n if n == DIE:
                if node.alive:
                    node.die()
            case n if n == DIE_SOON:
                self.countdown = (trio.nodes[NAMES[argument % 16 % 3]], argument // 16 + 1)
            case n if n == START:
                self.revive(node)
            case n if n == TIME:
                trio.advance(argument * 100)
            case n if n == LATE:
                if trio.nodes["bob"].alive:
                    trio.nodes["bob"].holder.answer_late()
            case n if n in (FAIL, FULL):
                self.break_disk(node, full=n == FULL)
            case _:
                trio.settle()

    def send(self, source: str, target: str, argument: int) -> None:
        if self.trio.nodes[source].alive:
            self.sent += 1
            amount = (0, 1, 7, 130, 300, 5_000)[argument % 16 % 6]
            lifetime_ms = 1_500 if argument % 16 > 11 else 20_000
            self.trio.nodes[source].send(self.sent, amount, argument // 16 % Behaviour.COUNT, target, lifetime_ms)

    def break_disk(self, node: TrioNode, *, full: bool) -> None:
        """Nothing can be written any more; or once not, and the reserve is room enough."""
        store: Any = node.store
        write = type(store).write
        error = DiskFullError("full") if full else StoreError("broken")

        def refuse(*arguments: Any) -> None:
            if full:
                store.write = partial(write, store)
            raise error

        store.write = refuse
        if not full:
            self.broken.add(node.name)

    def revive(self, node: TrioNode) -> None:
        if not node.alive:
            store: Any = node.store
            store.write = partial(type(store).write, store)
            node.start()


def check(octets: bytes) -> None:
    network = Network(repeats=octets[:1] == REPEATING)
    trio = network.trio
    for at in range(1, min(len(octets) - 1, 2 * ACTIONS_MAX), 2):
        network.act(octets[at] % 13, octets[at + 1])
    network.countdown = None
    for node in trio.nodes.values():
        if node.name in network.broken and node.alive:
            node.die()  # it is read-only until it is started again
        network.revive(node)
    trio.calm_down()
    judge(trio, network.broken)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
