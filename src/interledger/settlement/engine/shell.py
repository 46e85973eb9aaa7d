"""A running engine: its port, a worker per account that is owed something, and what tells the node what came in.

    node -> request (durable) -> owed -> payment (durable) -> engine.pay -> paid (durable)
    ledger -> engine -> received (durable) -> node, with one key, until it says 2xx

Whatever fails is tried again, for ever, after at most an hour. A crash at any point leaves rows that say what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, final

from interledger.clock import Clock, Entropy, SystemClock, SystemEntropy, Timestamp
from interledger.errors import DecodeError, InterledgerError, SettingsError
from interledger.link.btp.messages import Entries
from interledger.link.btp.subprotocols import Answer
from interledger.link.listener import Listener
from interledger.settlement.btp import BtpRequest, decode_answer, encode_request
from interledger.settlement.engine.base import CannotPayError, EngineAccount, Payment, SettlementEngine
from interledger.settlement.engine.server import create_engine_app
from interledger.settlement.engine.state import EngineState
from interledger.settlement.messages import new_key
from interledger.settlement.quantity import Quantity
from interledger.settlement.retries import retry_delay_ms
from interledger.settlement.shell import CallError, SettlementCalls

__all__ = ["EngineProcess", "EngineSettings"]

logger = logging.getLogger("interledger.engine")

ALARMS_KEPT: Final = 100

CANNOT_PAY_MS: Final = 60_000
"""Before the next attempt when an engine says that it cannot: somebody has to do something first."""

DRAIN_MS: Final = 2_000


class EngineSettings(NamedTuple):
    """How an engine runs, whatever it is. `token`: presented to the node, and asked of whoever calls."""

    connector_url: str
    bind: tuple[str, int] = ("127.0.0.1", 3000)
    token: str | None = None


@final
class EngineProcess:
    """Implements `EngineHost` for its engine and `Desk` for its API. `state` is closed by whoever opened it."""

    def __init__(
        self,
        engine: SettlementEngine,
        state: EngineState,
        settings: EngineSettings,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        calls: SettlementCalls | None = None,
    ) -> None:
        """Raises `SettingsError` for a port without a token that other machines can reach."""
        if settings.token is None and settings.bind[0] not in ("127.0.0.1", "::1", "localhost"):
            raise SettingsError("other machines could ask this engine to pay: give it a token, or listen on 127.0.0.1")
        self.engine = engine
        self.state = state
        self.alarms: deque[str] = deque(maxlen=ALARMS_KEPT)
        self._settings = settings
        self._clock = clock or SystemClock()
        self._entropy = entropy or SystemEntropy()
        self._connector = calls or SettlementCalls(settings.connector_url, settings.token)
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers: dict[str, asyncio.Event] = {}
        self._has_incoming = asyncio.Event()
        self._approved: dict[int, asyncio.Event] = {}
        self._listener: Listener | None = None
        self._stopping = False

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Begin. Raises what the engine's `start` raises, `LinkError` when the port cannot be had."""
        await self.engine.start(self)
        host, port = self._settings.bind
        app = create_engine_app(self, self._settings.token)
        self._listener = Listener(host, port, clock=self._clock, app=app)
        await self._listener.start()
        self._has_incoming.set()
        self.spawn("notify", self._notify)
        for account in self.state.accounts():
            self.wake(account.id)

    async def stop(self) -> None:
        """End. Whatever was under way goes on at the next start. May be called again."""
        self._stopping = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            await self._listener.stop(drain_ms=DRAIN_MS)
        await self.engine.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return 0 if self._listener is None else self._listener.port

    @property
    def url(self) -> str:
        """Where the node finds it."""
        return f"http://{self._settings.bind[0]}:{self.port}"

    # ------------------------------------------------------------------ for the engine

    @property
    def accounts(self) -> Sequence[EngineAccount]:
        return self.state.accounts()

    def now(self) -> Timestamp:
        return self._clock.now()

    def random(self, count: int) -> bytes:
        return self._entropy.octets(count)

    def account(self, account_id: str) -> EngineAccount:
        return self.state.account(account_id)

    def received(self, account_id: str, event: str, quantity: Quantity) -> bool:
        if quantity.amount == 0:
            return False
        is_new = self.state.add_incoming(account_id, event, self.new_id(), quantity, self.now())
        self._has_incoming.set()
        return is_new

    async def send_message(self, account_id: str, message: bytes) -> bytes:
        return await self._connector.send_message(account_id, message)

    async def send_btp(self, account_id: str, entries: Entries, amount: int | None = None) -> Answer:
        answer = await self._connector.send_btp(account_id, encode_request(entries, amount))
        try:
            return decode_answer(answer)
        except DecodeError as error:
            raise CallError(f"the answer to a request by BTP cannot be read: {error}") from None

    async def sleep(self, ms: int) -> None:
        await asyncio.sleep(_seconds(ms))

    async def approval(self, payment: Payment) -> None:
        while payment.approved_at is None:
            event = self._approved.setdefault(payment.id, asyncio.Event())
            payment.approved_at = self.state.open_payment(payment.id).approved_at
            if payment.approved_at is None:
                await event.wait()
        self._approved.pop(payment.id, None)

    def get(self, name: str) -> Any:
        return self.state.get(name)

    def put(self, name: str, value: Any) -> None:
        self.state.put(name, value)

    def spawn(self, name: str, work: Callable[[], Any]) -> None:
        self._start_task(self._forever(name, work))

    def alarm(self, text: str) -> None:
        logger.error("%s", text)
        self.alarms.append(text)

    # ------------------------------------------------------------------ for the API

    def new_id(self) -> str:
        """A new idempotency key, or account id."""
        return new_key(self._entropy.octets(16))

    def wake(self, account_id: str) -> None:
        """More is owed to the account, or the operator has agreed to its payment."""
        if self._stopping:
            return
        for approved in self._approved.values():
            approved.set()
        self._approved.clear()
        more = self._workers.get(account_id)
        if more is None:
            more = self._workers[account_id] = asyncio.Event()
            self._start_task(self._pay_forever(account_id, more))
        more.set()

    async def set_up(self, account: EngineAccount) -> None:
        await self.engine.setup_account(account)

    async def close_account(self, account: EngineAccount) -> None:
        self.state.close_account(account.id, self.engine.scale, self.now())
        await self.engine.close_account(account)

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        return await self.engine.receive_message(account, message)

    @property
    def subprotocols(self) -> tuple[str, ...]:
        return tuple(self.engine.subprotocols)

    async def receive_btp(self, account: EngineAccount, request: BtpRequest) -> Answer:
        return await self.engine.receive_btp(account, request)

    def describe(self) -> dict[str, Any]:
        """The engine in one look."""
        return {
            "engine": self.engine.name,
            "scale": self.engine.scale,
            "accounts": len(self.state.accounts()),
            "payments_open": len(self.state.open_payments()),
            "incoming_open": len(self.state.open_incoming()),
            "alarms": list(self.alarms),
        }

    # ------------------------------------------------------------------ paying

    async def _pay_forever(self, account_id: str, more: asyncio.Event) -> None:
        """The worker of one account: a payment at a time, the same one until it is done."""
        attempts = 0
        while True:
            more.clear()
            try:
                while (payment := self.state.next_payment(account_id, self.engine.scale, self.now())) is not None:
                    paid = await self.engine.pay(payment)
                    self.state.finish_payment(payment, paid, self.now())
                    attempts = 0
                    if paid is not None and paid < payment.amount:
                        await self.sleep(CANNOT_PAY_MS)
                await more.wait()
            except CannotPayError as error:
                self.alarm(f"{self.engine.name} cannot pay {account_id}: {error}")
                await self.sleep(max(CANNOT_PAY_MS, self._delay(attempts := attempts + 1)))
            except Exception as error:
                attempts += 1
                _tell_of(f"a payment to {account_id}", error)
                await self.sleep(self._delay(attempts))

    # ------------------------------------------------------------------ telling the node

    async def _notify(self) -> None:
        """Tell of all that came in, in order. What the node refuses waits alone; all waits for a node that is down."""
        refused: dict[int, tuple[int, int]] = {}  # incoming id -> attempts, when it is due
        attempts = 0
        while True:
            self._has_incoming.clear()
            for incoming in self.state.open_incoming():
                tries, due = refused.get(incoming.id, (0, 0))
                if due > self.now():
                    continue
                try:
                    await self._connector.settle(incoming.account, incoming.key, incoming.quantity)
                except CallError as error:
                    if not error.is_refusal:
                        attempts += 1
                        _tell_of(f"telling the node of {incoming.event}", error)
                        break
                    self.alarm(f"the node refuses {incoming.event} of {incoming.account}: {error}")
                    refused[incoming.id] = (tries + 1, self.now() + self._delay(tries + 1))
                else:
                    attempts = 0
                    refused.pop(incoming.id, None)
                    self.state.finish_incoming(incoming, self.now())
            else:
                attempts = 0
            if attempts:
                await self.sleep(self._delay(attempts))
            else:
                await self._wait_for_incoming(min((due for _, due in refused.values()), default=None))

    async def _wait_for_incoming(self, due: int | None) -> None:
        """Until something came in, or (ms UTC) something refused is to be told of again."""
        wait_ms = None if due is None else max(due - self.now(), 0) + 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if wait_ms is None else _seconds(wait_ms)):
                await self._has_incoming.wait()

    # ------------------------------------------------------------------ tasks

    async def _forever(self, name: str, work: Callable[[], Any]) -> None:
        attempts = 0
        while True:
            try:
                await work()
                return
            except Exception as error:
                attempts += 1
                _tell_of(name, error)
                await self.sleep(self._delay(attempts))

    def _start_task(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _delay(self, attempts: int) -> int:
        return retry_delay_ms(attempts, self._entropy.octets(2))


def _tell_of(what: str, error: Exception) -> None:
    """What was expected in a sentence, what was not with where it came from."""
    if isinstance(error, InterledgerError | OSError):
        logger.warning("%s is tried again: %s", what, error)
    else:
        logger.exception("%s is tried again", what)


def _seconds(ms: int) -> float:
    """As asyncio counts. Not money."""
    return timedelta(milliseconds=ms).total_seconds()
