"""A node and its engine die, each at any of its steps: one table. Settled exactly once, credited exactly once.

The node is a real one, the engine a process of the kit with its real state; they talk over HTTP. The node dies before
or after each of its commits, the engine before or after each of its writes and between the parts of a payment: every
pair of these. A dead process writes and answers nothing any more; the next one finds what was durable.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from interledger.api.engine_calls import create_settlement_app
from interledger.errors import StoreError
from interledger.node.node import Node
from interledger.node.settlement_engines import SettlementEngines
from interledger.settlement.engine import EngineAccount, Payment, SettlementEngine
from interledger.settlement.engine import shell as engine_shell
from interledger.settlement.engine.base import EngineHost
from interledger.settlement.engine.server import create_engine_app
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState
from interledger.settlement.quantity import NOTHING, Quantity
from interledger.settlement.records import Settlement
from interledger.settlement.shell import SettlementCalls
from interledger.store.memory import MemoryStore
from tests.support.engines import net, node_at, owe, quick, served, with_bob

CENT = 10**7
OWED = 500
"""Cents that bob is owed, paid through the engine."""
CAME = 700
"""Cents that come in on the ledger."""

COMMITS = 10
"""More than a node has from the debt to the end, with one death."""

NEVER = 1_000

WRITES = ("request", "next_payment", "finish_payment", "add_incoming", "finish_incoming")
PARTS = ("asked", "signed", "sent")
ENGINE_STEPS = ("never", *PARTS, *(f"{when} {write}" for write in WRITES for when in ("before", "after")))


class DeathError(Exception):
    """The process is gone."""


class Mortal:
    """One life of a process: what it may still do, and when it ends."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.dead = asyncio.Event()

    def at(self, step: str) -> None:
        if self.dead.is_set():
            raise DeathError
        if step == self.step:
            self.dead.set()
            raise DeathError


class MortalState:
    """`EngineState` of one life: the writes named above may be its last, and a dead process has none."""

    def __init__(self, state: EngineState, life: Mortal) -> None:
        self._state = state
        self._life = life

    def __getattr__(self, name: str) -> Any:
        self._life.at("")
        found = getattr(self._state, name)
        if name not in WRITES:
            return found

        def write(*arguments: Any) -> Any:
            self._life.at(f"before {name}")
            result = found(*arguments)
            self._life.at(f"after {name}")
            return result

        return write


class MortalStore(MemoryStore):
    """A store that outlives its node, which dies before or after the n-th commit."""

    def __init__(self, dies_at: int, *, after: bool) -> None:
        super().__init__()
        self.left = dies_at
        self.after = after
        self.counts = False
        self.dead = asyncio.Event()

    def write(self, *args: Any, **more: Any) -> None:
        if self.dead.is_set():
            raise StoreError("killed")
        if self.counts:
            if self.left == 0:
                if self.after:
                    super().write(*args, **more)
                self.left = NEVER
                self.dead.set()
                raise StoreError("killed")
            self.left -= 1
        super().write(*args, **more)


class Chain:
    """Where money is. A transfer has a name, and happens once however often it is sent, as a signed one does."""

    def __init__(self) -> None:
        self.transfers: dict[str, int] = {}


class Engine(SettlementEngine):
    name, scale = "matrix", 2

    def __init__(self, chain: Chain, life: Mortal) -> None:
        super().__init__({})
        self._chain = chain
        self._life = life

    async def start(self, host: EngineHost) -> None:
        """It reads its ledger from the beginning, as after any restart."""

        async def watch() -> None:
            while not any(account.id == "bob" for account in host.accounts):  # noqa: ASYNC110  # the node tells of it
                await asyncio.sleep(0.002)
            host.received("bob", "in-1", Quantity(CAME, 2))

        host.spawn("watch", watch)

    async def setup_account(self, account: EngineAccount) -> None:
        account.remember(address="bob's")

    async def pay(self, payment: Payment) -> int | None:
        self._life.at("asked")
        if payment.note is None:
            payment.remember({"tx": f"tx-{payment.id}"})
        self._life.at("signed")
        self._chain.transfers.setdefault(str((payment.note or {})["tx"]), payment.amount)
        self._life.at("sent")
        return None


class Front:
    """A port that stays while the process behind it changes; without one, or when it dies, connections are cut."""

    def __init__(self) -> None:
        self.app: Any = None
        self.is_dead: Callable[[], bool] = lambda: True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_dead = self.is_dead

        async def send_if_alive(message: Any) -> None:
            if is_dead():
                raise OSError("the process is gone")
            await send(message)

        if is_dead():
            raise OSError("nobody is there")
        await self.app(scope, receive, send_if_alive)


class Case(NamedTuple):
    """One field of the table, and what lives through it."""

    store: MortalStore
    state: EngineState
    chain: Chain
    engine_front: Front
    node_front: Front

    def is_over(self, node: Node) -> bool:
        return (
            not self.store.dead.is_set()
            and net(node, "external/bob") == (CAME - OWED) * CENT
            and not node.settlements.book.open()
            and not self.state.open_payments()
            and self.state.owed("bob") == NOTHING
            and [one.done_at is not None for one in self.state.incoming(10)] == [True]
        )


async def engine_lives(case: Case, step: str, node_url: str) -> None:
    """One that dies at `step`, then one that does not."""
    for life in (Mortal(step), Mortal("never")):
        state: Any = MortalState(case.state, life)
        settings = EngineSettings(node_url, ("127.0.0.1", 0))
        process = EngineProcess(Engine(case.chain, life), state, settings, calls=SettlementCalls(node_url))
        try:
            await process.start()
            case.engine_front.app, case.engine_front.is_dead = create_engine_app(process, None), life.dead.is_set
            await life.dead.wait()
        finally:
            await process.stop()


async def node_lives(case: Case, engine_url: str) -> Node:
    """Until all is done: one that dies at its commit, then one that does not."""
    while True:
        case.store.dead.clear()
        with contextlib.suppress(StoreError):
            async with node_at(None, case.store) as node:
                await with_bob(node, engine_url, settle_threshold=OWED * CENT)
                case.node_front.app, case.node_front.is_dead = create_settlement_app(node), case.store.dead.is_set
                if net(node, "local/alice") == 0:
                    case.store.counts = True
                    owe(node, OWED * CENT)
                    await node.commit()
                while not (case.store.dead.is_set() or case.is_over(node)):  # noqa: ASYNC110  # nobody tells of it
                    await asyncio.sleep(0.002)
                if not case.store.dead.is_set():
                    await node.commit()
                    return node


@asynccontextmanager
async def begun(step: str, store: MortalStore) -> AsyncIterator[tuple[Case, Callable[[], Any]]]:
    case = Case(store, EngineState(None), Chain(), Front(), Front())
    try:
        async with served(case.engine_front) as engine_url, served(case.node_front) as node_url:
            engine = asyncio.ensure_future(engine_lives(case, step, node_url))
            try:
                yield case, lambda: node_lives(case, engine_url)
            finally:
                engine.cancel()
                await asyncio.gather(engine, return_exceptions=True)
    finally:
        case.state.close()


async def settle(step: str, dies_at: int, *, after: bool) -> tuple[Case, Node]:
    async with asyncio.timeout(30), begun(step, MortalStore(dies_at, after=after)) as (case, live):
        return case, await live()


def faults(case: Case, node: Node) -> list[str]:
    """What is wrong with the books, the chain, or between them."""
    found = [*node.ledger.check()]
    if list(case.chain.transfers.values()) != [OWED]:
        found.append(f"paid {case.chain.transfers}")
    for name, right in (("peer/bob", CAME * CENT), ("peer/bob/transit", 0), ("external/bob", (CAME - OWED) * CENT)):
        if net(node, name) != (-right if name == "peer/bob" else right):
            found.append(f"{name} is {net(node, name)}")
    return found


@pytest.fixture(autouse=True)
def _retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    monkeypatch.setattr(engine_shell, "retry_delay_ms", lambda attempts, random: 1)


@pytest.mark.slow
@pytest.mark.parametrize("step", ENGINE_STEPS)
async def test_I6_whichever_of_the_two_dies_where_it_is_settled_once(step: str) -> None:
    """A row of the table: this step of the engine, and every commit of the node."""
    for dies_at in range(COMMITS):
        for after in (False, True):
            case, node = await settle(step, dies_at, after=after)
            where = f"commit {dies_at}, {'after' if after else 'before'} it"
            assert (where, faults(case, node)) == (where, [])


async def test_the_table_has_every_commit_of_the_node() -> None:
    """Its commits are fewer than the table's, and more than a few."""
    case, _ = await settle("never", NEVER, after=False)
    assert 3 <= NEVER - case.store.left < COMMITS


async def test_RS1_another_key_for_each_attempt_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must fail does: the engine has the request, dies before it answers, and is asked again under another key."""
    original, attempts = SettlementEngines.settle, 0

    async def settle_anew(self: SettlementEngines, settlement: Settlement) -> None:
        nonlocal attempts
        attempts += 1
        settlement.key = f"{attempts}-{settlement.key}"
        await original(self, settlement)

    monkeypatch.setattr(SettlementEngines, "settle", settle_anew)
    case, node = await settle("after request", NEVER, after=False)
    assert any(fault.startswith("paid") for fault in faults(case, node))
