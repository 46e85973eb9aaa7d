"""Cancels a coroutine at each of its awaits in turn: who waits may be gone at any of them.

awaits = await sweep(world, act, check)     # a world for each await; `act` was cancelled there
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

__all__ = ["AWAITS_MAX", "One", "leaked_tasks", "one_node", "sweep"]

from interledger.accounts.account import Relation
from interledger.accounts.ledger import Ledger
from interledger.errors import InterledgerError
from interledger.node.node import Node
from interledger.store.memory import MemoryStore
from tests.node.loopback import account, btp_listener, running, settings, until

T = TypeVar("T")

BILLION = 10**9

AWAITS_MAX = 400
"""More than anything here has: a sweep that gets there goes round in a circle."""


class _CancelledAt(Generic[T]):
    """Awaits `work`, and cancels its own task while it waits for the `at`-th time (from 1)."""

    def __init__(self, work: Awaitable[T], at: int) -> None:
        self._work = work
        self._at = at
        self.reached = False

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        count = 0
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                waits_for = steps.send(value) if error is None else steps.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
            count += 1
            if count == self._at:
                self.reached = True
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_soon(task.cancel)
            value, error = None, None
            try:
                value = yield waits_for
            except BaseException as thrown:
                error = thrown


async def leaked_tasks(before: set[asyncio.Task[Any]], within_s: float = 3) -> set[asyncio.Task[Any]]:
    """Tasks that were not there before, and are still there after a while."""
    for _ in range(int(within_s / 0.01)):
        left = {task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not _is_of_a_node(task)}
        if not left:
            return set()
        await asyncio.sleep(0.01)
    return left


def _is_of_a_node(task: asyncio.Task[Any]) -> bool:
    """The dialler of an account that was made; an event that a task of the node waits for, one time after the other."""
    name = getattr(task.get_coro(), "__qualname__", "")
    return task.get_name().startswith("btp-client") or name == "Event.wait"


async def sweep(
    world: Callable[[], AbstractAsyncContextManager[T]],
    act: Callable[[T], Awaitable[object]],
    check: Callable[[T], Awaitable[None]],
) -> int:
    """Run `act` once for each of its awaits, cancelled there, each time in a world of its own, which `check` looks at.

    Returns how many awaits there are. `act` may raise errors of its own kind when it is cancelled, and no others.
    """
    for at in range(1, AWAITS_MAX):
        async with world() as made:
            before = asyncio.all_tasks()
            work = _CancelledAt(act(made), at)

            async def run(work: _CancelledAt[object] = work) -> object:
                return await work

            (outcome,) = await asyncio.gather(asyncio.ensure_future(run()), return_exceptions=True)
            try:
                if isinstance(outcome, BaseException) and not isinstance(
                    outcome, asyncio.CancelledError | InterledgerError
                ):
                    raise outcome
                await check(made)
                leaked = await leaked_tasks(before)
                assert not leaked, f"these go on: {leaked}"
            except Exception as error:
                error.add_note(f"cancelled at await {at}")
                raise
        if not work.reached:
            return at - 1
    raise AssertionError(f"more than {AWAITS_MAX} awaits")


# ---------------------------------------------------------------------- a world to sweep in


@dataclass
class One:
    """A node with two holders and a peer. `stored`: what a start would find."""

    node: Node
    store: MemoryStore

    async def check(self) -> None:
        """Nothing is half made, no money is on the way, and a start would find what is in memory."""
        node = self.node
        await node.commit()
        assert self.in_memory() == self.stored()
        # A payment goes on, whoever waits for it.
        await until(lambda: all(payment.snapshot.ended_at is not None for payment in node.payments()))
        await until(lambda: not any(peer.in_flight for peer in node.connector.peers.values()))
        assert (node.ledger.check(), node.ledger.holds, node.ledger.unknown) == ([], {}, {})

    def stored(self) -> tuple[Any, ...]:
        state = self.store.load(Ledger())
        rates = {code: Fraction(text) for code, text in state.rates.items()}
        return sorted(state.accounts, key=lambda a: a.id), state.routes, rates

    def in_memory(self) -> tuple[Any, ...]:
        node, quotes = self.node, self.node.exchange_rates._static
        assert quotes is not None
        return node.accounts(), node._routes.static, quotes.values


@asynccontextmanager
async def one_node() -> AsyncIterator[One]:
    store = MemoryStore()
    async with running(settings("test.hub"), store) as node:
        for name in ("alice", "bob"):
            await node.create_account(account(name, "USD/9", f"test.hub.{name}", owes_us_max=10 * BILLION))
        link = btp_listener("hub", "peer")
        await node.create_account(account("peer", "EUR/9", "test.peer", Relation.PEER, link))
        await node.set_static_routes({"test.far": "peer"})
        await node.set_rates({"USD": "1", "EUR": "1.25"})
        yield One(node, store)
