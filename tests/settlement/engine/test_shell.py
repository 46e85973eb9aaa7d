"""An engine that runs: it pays exactly once and tells the node exactly once, whoever dies, and when."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kit import Connector, Ledger, ToyEngine, call, connector_of, quick, running, until

from interledger.errors import NotFoundError, SettingsError
from interledger.settlement.engine import CannotPayError, Payment
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState
from interledger.settlement.quantity import NOTHING, Quantity
from interledger.settlement.shell import CallError


class DeathError(BaseException):
    """The process is gone: nothing of it runs on."""


async def ask(process: EngineProcess, key: str, amount: int, scale: int = 2) -> None:
    body = {"amount": str(amount), "scale": scale}
    assert (await call(process, "POST", "/accounts/bob/settlements", body, key=key)).status == 201


# ---------------------------------------------------------------------- paying


async def test_what_was_asked_is_paid_in_whole_units(tmp_path: Path) -> None:
    engine = ToyEngine(Ledger())
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        await ask(process, "a", 123_456, 5)
        await until(lambda: engine.ledger.total == 123)
        await ask(process, "b", 544, 5)
        await until(lambda: engine.ledger.total == 124)
        assert process.state.owed("bob") == NOTHING


@pytest.mark.parametrize("step", ["asked", "signed", "sent"])
async def test_I4_an_engine_that_fails_at_any_step_pays_once(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    failures = 10

    def fail(now: str) -> None:
        nonlocal failures
        if now == step and failures:
            failures -= 1
            raise OSError("the ledger does not answer")

    engine = ToyEngine(Ledger(), fail)
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        await ask(process, "a", 500)
        await until(lambda: not process.state.open_payments() and process.state.owed("bob") == NOTHING)
    assert (engine.ledger.total, failures) == (500, 0)


class DyingState:
    """`EngineState` whose process dies before or after one of its writes, the n-th time."""

    def __init__(self, state: EngineState, method: str, when: str) -> None:
        self._state = state
        self._method = method
        self._when = when
        self.dead = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._state, name)
        if name != self._method or self.dead.is_set():
            return found

        def die(*args: Any) -> Any:
            if self._when == "before":
                self.dead.set()
                raise DeathError
            found(*args)
            self.dead.set()
            raise DeathError

        return die


WRITES = ("open_account", "request", "next_payment", "finish_payment")
STEPS = ("setup", "asked", "signed", "sent")
DEATHS = [*((write, when) for write in WRITES for when in ("before", "after")), *((step, "step") for step in STEPS)]


@pytest.mark.parametrize(("point", "when"), DEATHS)
async def test_I6_death_at_any_point_pays_once(tmp_path: Path, point: str, when: str) -> None:
    """The node asks again with the same key until it has a 2xx; the engine dies once on the way."""
    ledger = Ledger()
    dead = asyncio.Event()

    def die(step: str) -> None:
        if when == "step" and step == point and not dead.is_set():
            dead.set()
            raise DeathError

    async def node(process: EngineProcess) -> None:
        """What a node does that wants 500 paid under the key `k`."""
        await process.set_up(process.state.open_account("bob", process.now()))
        process.state.request("bob", "k", Quantity(500, 2), process.now())
        process.wake("bob")
        await until(lambda: not process.state.open_payments() and process.state.owed("bob") == NOTHING)

    for life in range(2):
        state = EngineState(tmp_path)
        dying = DyingState(state, point, when)
        process = EngineProcess(
            ToyEngine(ledger, die),
            dying if life == 0 else state,
            EngineSettings("http://127.0.0.1:1", ("127.0.0.1", 0)),  # type: ignore[arg-type]  # stands in for it
        )
        await process.start()
        if life == 0:
            living = asyncio.ensure_future(node(process))
            waits = [asyncio.ensure_future(event.wait()) for event in (dying.dead, dead)]
            await asyncio.wait([*waits, living], return_when=asyncio.FIRST_COMPLETED)
            for task in (*waits, living):
                task.cancel()
            await asyncio.gather(*waits, living, return_exceptions=True)
        else:
            await node(process)
        await process.stop()
        state.close()
    assert ledger.total == 500
    assert len(ledger.transfers) == 1


async def test_a_payment_in_part_is_paid_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    class Stingy(ToyEngine):
        async def pay(self, payment: Payment) -> int | None:
            part = min(payment.amount, 2)
            self.ledger.send(str(payment.id), part)
            return part

    engine = Stingy(Ledger())
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        await ask(process, "a", 5)
        await until(lambda: engine.ledger.total == 5)
    assert engine.ledger.transfers == {"1": 2, "2": 2, "3": 1}


async def test_what_cannot_be_paid_is_told_and_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    poor = True

    class Poor(ToyEngine):
        async def pay(self, payment: Payment) -> int | None:
            if poor:
                raise CannotPayError("there is no gas")
            return await super().pay(payment)

    engine = Poor(Ledger())
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        await ask(process, "a", 5)
        await until(lambda: process.alarms)
        assert process.describe()["alarms"][0] == "toy cannot pay bob: there is no gas"
        assert process.describe()["payments_open"] == 1
        assert (await call(process, "DELETE", "/accounts/bob")).status == 409
        poor = False
        await until(lambda: engine.ledger.total == 5)


async def test_a_payment_waits_for_its_approval_over_restarts(tmp_path: Path) -> None:
    class Careful(ToyEngine):
        async def pay(self, payment: Payment) -> int | None:
            await process.approval(payment)
            return await super().pay(payment)

    engine = Careful(Ledger())
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        await ask(process, "a", 5)
        await until(lambda: process.state.open_payments())
        seen = {"amount": "5", "account": "bob"}
        for wrong in ({}, seen | {"amount": "6"}, seen | {"account": "eve"}):
            assert (await call(process, "POST", "/payments/1/approve", wrong)).status == 409
        assert (await call(process, "POST", "/payments/2/approve", seen)).status == 404
        assert engine.ledger.total == 0
    async with running(tmp_path, engine) as process:
        assert (await call(process, "POST", "/payments/1/approve", seen)).status == 200
        await until(lambda: engine.ledger.total == 5)
        listed = await call(process, "GET", "/payments")
        assert b'"paid": "5"' in listed.body


# ---------------------------------------------------------------------- telling the node


async def test_money_that_came_in_is_told_once(tmp_path: Path) -> None:
    connector = Connector()
    async with connector_of(connector) as url, running(tmp_path, ToyEngine(Ledger()), url) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        assert process.received("bob", "tx1", Quantity(700, 2))
        assert not process.received("bob", "tx1", Quantity(700, 2))
        assert not process.received("bob", "tx0", Quantity(0, 2))
        with pytest.raises(NotFoundError):
            process.received("eve", "tx2", Quantity(700, 2))
        await until(lambda: not process.state.open_incoming())
        assert connector.total == 7
        assert process.received("bob", "tx3", Quantity(1, 3))
        await until(lambda: len(connector.credited) == 2)


async def test_I1_a_node_that_credits_and_does_not_answer_is_told_with_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    connector = Connector()
    failures = 10

    def fail() -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError("the connection is cut")

    connector.after = fail
    async with connector_of(connector) as url, running(tmp_path, ToyEngine(Ledger()), url) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        process.received("bob", "tx1", Quantity(700, 2))
        await until(lambda: not process.state.open_incoming())
    assert len(connector.asked) == 11
    assert len(connector.credited) == 1
    assert connector.total == 7


async def test_a_node_that_was_down_is_told_after_the_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    async with running(tmp_path, ToyEngine(Ledger())) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        process.received("bob", "tx1", Quantity(700, 2))
        [before] = process.state.open_incoming()
    connector = Connector()
    async with connector_of(connector) as url, running(tmp_path, ToyEngine(Ledger()), url) as process:
        await until(lambda: not process.state.open_incoming())
    assert connector.asked == [("bob", before.key)]


async def test_what_the_node_refuses_holds_nothing_else_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    connector = Connector()

    def refuse_first() -> None:
        connector.status = 404 if len(connector.asked) % 2 == 0 else 201

    connector.status = 404
    connector.before = refuse_first
    async with connector_of(connector) as url, running(tmp_path, ToyEngine(Ledger()), url) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        for number in range(4):
            process.received("bob", f"tx{number}", Quantity(1, 0))
        await until(lambda: not process.state.open_incoming())
        assert any("refuses" in alarm for alarm in process.alarms)
    assert connector.total == 4


# ---------------------------------------------------------------------- small things


async def test_messages_to_the_peers_engine(tmp_path: Path) -> None:
    async with connector_of(Connector()) as url, running(tmp_path, ToyEngine(Ledger()), url) as process:
        assert await process.send_message("bob", b"\x01") == b"peer:\x01"
    async with running(tmp_path, ToyEngine(Ledger())) as process:
        with pytest.raises(CallError, match="does not answer"):
            await process.send_message("bob", b"\x01")


async def test_work_beside_is_begun_again_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError("again")

    async with running(tmp_path, ToyEngine(Ledger())) as process:
        process.spawn("watching", work)
        await until(lambda: runs == 3)
        process.put("at", 5)
        assert process.get("at") == 5
        assert len(process.random(3)) == 3
        assert process.accounts == []


def test_other_machines_are_let_in_with_a_token_only(tmp_path: Path) -> None:
    state = EngineState(tmp_path)
    with pytest.raises(SettingsError, match="give it a token"):
        EngineProcess(ToyEngine(Ledger()), state, EngineSettings("http://localhost:1", ("0.0.0.0", 0)))
    EngineProcess(ToyEngine(Ledger()), state, EngineSettings("http://localhost:1", ("0.0.0.0", 0), "token"))
    state.close()
