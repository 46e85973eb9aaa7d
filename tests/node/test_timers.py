"""The connector's timer: set while something is in flight, moved forward for what is due sooner, unset when idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loopback import account, running, settings, until

from interledger.clock import Timestamp
from interledger.node.timers import DueTimer


class Clock:
    """Moved by the test."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> Timestamp:
        return Timestamp(self.at)


class Due:
    """A connector's timer and nothing else."""

    def __init__(self) -> None:
        self.due: list[int] = []
        self.handled: list[int] = []
        self.deadlines = self
        self.on_sooner: Callable[[Timestamp], None] = lambda due: None

    def timer(self) -> Timestamp | None:
        return Timestamp(min(self.due)) if self.due else None

    def handle_timer(self, now: Timestamp) -> None:
        self.handled.append(now)
        self.due = [due for due in self.due if due > now]

    def put(self, due: int) -> None:
        self.due.append(due)
        self.on_sooner(Timestamp(due))


def made() -> tuple[Due, Clock, DueTimer]:
    connector, clock = Due(), Clock()
    return connector, clock, DueTimer(connector, connector.deadlines, clock)


def scheduled() -> int:
    """Timers of a connector that the loop knows of."""
    loop = asyncio.get_running_loop()
    handles = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]  # no other way
    return sum("DueTimer" in repr(handle) for handle in handles)


async def test_an_idle_node_has_no_timer() -> None:
    async with running(settings("test.hub")) as node:
        assert scheduled() == 0
        peer = next(iter(node.connector.peers.values()))
        node.connector.deadlines.watch(peer, node.clock.now() + 100)
        assert scheduled() == 1


async def test_what_is_due_is_handled_once_and_then_nothing_is_set() -> None:
    connector, clock, timer = made()
    assert scheduled() == 0
    connector.put(30)
    assert scheduled() == 1
    clock.at = 30
    await asyncio.sleep(0.06)
    assert (connector.handled, scheduled()) == ([30], 0)
    timer.stop()


async def test_what_is_due_sooner_moves_it_forward_and_later_ones_do_not() -> None:
    connector, clock, timer = made()
    connector.put(900)
    connector.put(20)
    connector.put(950)
    clock.at = 21
    await asyncio.sleep(0.05)
    assert connector.handled == [21]
    assert scheduled() == 1
    timer.stop()
    assert scheduled() == 0


async def test_a_clock_that_was_set_is_noticed_within_a_second() -> None:
    connector, clock, timer = made()
    connector.put(3_600_000)
    clock.at = 3_600_000
    await asyncio.sleep(1.1)
    assert connector.handled == [3_600_000]
    timer.stop()


async def test_an_idle_node_is_woken_by_its_watchdog_alone() -> None:
    """Not for packets, connections, peers, webhooks or whoever looked: nobody is there."""
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        loop = asyncio.get_running_loop()

        def timers() -> int:
            return sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]  # no other way

        # Two more are of this wait itself.
        await until(lambda: timers() <= 3)
