"""A settlement engine of a simulated network: the engine kit's real state, one step after the other on virtual time.

What `settlement.engine.shell` does with tasks and HTTP is on the world's agenda here. Between any two steps the process
may die: then it has done what its state and the ledger say, and the next process goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple, final

from interledger.settlement.engine.base import Payment
from interledger.settlement.engine.state import EngineState, Incoming, Requested
from interledger.settlement.quantity import Quantity
from interledger.settlement.retries import retry_delay_ms
from interledger.settlement.shell import TIMEOUT_MS
from interledger.sim.options import Options
from interledger.sim.settlement_audit import Side
from interledger.sim.world import World

__all__ = ["PEER", "STEPS", "Answer", "Chain", "SimEngine", "Transfer"]

STEPS: Final = ("asked", "taken", "payment made", "signed", "sent", "paid", "seen", "told", "acknowledged")
"""After each of these an engine may die."""

PEER: Final = "peer"
"""The account, as the engine calls it: there is one."""

ALL: Final = 10_000

LATE_MS: Final = (TIMEOUT_MS + 1_000, 60_000)
"""Later than anybody waits."""

Answer = Callable[[bool], None]
"""Of a call: whether it was a 2xx."""


class Transfer(NamedTuple):
    """Of one engine to the other one."""

    sender: str
    quantity: Quantity


@dataclass(slots=True)
class Chain:
    """The ledger of two engines. A transfer has a name, and happens once however often it is sent, as a signed one."""

    transfers: dict[str, Transfer] = field(default_factory=dict)
    watchers: list[Callable[[], None]] = field(default_factory=list)

    def send(self, name: str, transfer: Transfer) -> None:
        """Pay."""
        if self.transfers.setdefault(name, transfer) != transfer:
            raise ValueError(f"{name} was {self.transfers[name]}, and is {transfer} now")
        for watcher in self.watchers:
            watcher()


@final
class SimEngine:
    """`door` is the node's: (key, quantity, answer), for money that came in. `side` is the auditor's ear."""

    def __init__(
        self, world: World, dice: Random, chain: Chain, name: str, scale: int, options: Options, side: Side
    ) -> None:
        self.name = name
        self.chain = chain
        self.state = EngineState(None)
        self.door: Callable[[str, Quantity, Answer], None] = lambda key, quantity, answer: answer(False)
        self.side = side
        self.away_until = 0
        self.alive = True
        self._world = world
        self._dice = dice
        self._scale = scale
        self._options: Options | None = options
        self._life = 0
        self._working = False
        self._telling: set[int] = set()
        self._lies = 0
        self.state.open_account(PEER, world.now())
        chain.watchers.append(lambda: self._later(self._look, 10, 3_000))
        if options.has("engine lies"):
            for _ in range(dice.randint(1, 3)):
                world.after(dice.randint(1_000, 40_000), self._lie)

    # ------------------------------------------------------------------ the process

    def calm(self) -> None:
        """The faults are over, but for one that is away for days."""
        self._options = None

    def mend(self) -> None:
        """It is there again."""
        self.away_until = 0

    def close(self) -> None:
        """Let go of its state."""
        self.state.close()

    @property
    def is_busy(self) -> bool:
        """Whether it has anything to do, or to read on the ledger; when it is away, it has."""
        return not self._is_there() or bool(self.state.open_incoming() or self.state.open_payments() or self._unseen())

    def _unseen(self) -> set[str]:
        came = {name for name, transfer in self.chain.transfers.items() if transfer.sender != self.name}
        return came - {one.event for one in self.state.incoming(ALL)}

    def _is_there(self) -> bool:
        return self.alive and self._world.now() >= self.away_until

    def _later(self, do: Callable[[], None], least_ms: int = 0, most_ms: int = 100) -> None:
        """In a while, if the process is still the same; when it is away, once it is back."""
        life = self._life

        def act() -> None:
            if self.alive and life == self._life:
                away_ms = self.away_until - self._world.now()
                if away_ms > 0:
                    self._world.after(away_ms, act)
                else:
                    do()

        self._world.after(self._dice.randint(least_ms, most_ms), act)

    def _dies(self, step: str) -> bool:
        """Whether it dies behind this step."""
        if not self._happens("engine dies"):
            return False
        self.side.happened(f"engine dies: {step}")
        self.alive = False
        self._life += 1
        self._world.after(self._dice.choice((100, 2_000, 20_000)), self._revive)
        return True

    def _revive(self) -> None:
        self.alive, self._working = True, False
        self._telling.clear()
        self._wake()
        self._later(self._look)

    def _happens(self, fault: str) -> bool:
        happens = self._options is not None and self._dice.random() < self._options.part(fault)
        if happens:
            self.side.happened(fault)
        return happens

    # ------------------------------------------------------------------ what the node wants

    def ask(self, key: str, quantity: Quantity, answer: Answer) -> None:
        """`POST /settlements`. It may come late or twice, and what is answered may get lost."""
        for _ in range(2 if self._happens("engine twice") else 1):
            late = self._happens("engine late")
            delay_ms = self._dice.randint(*(LATE_MS if late else (1, 50)))
            self._world.after(delay_ms, lambda: self._asked(key, quantity, answer))

    def _asked(self, key: str, quantity: Quantity, answer: Answer) -> None:
        if not self._is_there():
            self._world.after(1, lambda: answer(False))
            return
        self.side.asked(key, quantity)
        if self._dies("asked"):
            return
        if self.state.request(PEER, key, quantity, self._world.now()) is Requested.CONFLICT:
            self.side.breach("16", f"used the key {key} for two quantities")
        if self._dies("taken"):
            return
        self._wake()
        if self._happens("engine times out"):
            return
        lies = self._happens("engine lies")  # it has it, and says that it has not
        self._world.after(self._dice.randint(1, 50), lambda: answer(not lies))

    def _wake(self) -> None:
        if not self._working:
            self._working = True
            self._later(self._make)

    def _make(self) -> None:
        payment = self.state.next_payment(PEER, self._scale, self._world.now())
        if payment is None:
            self._working = False
        elif not self._dies("payment made"):
            self._later(lambda: self._sign(payment))

    def _sign(self, payment: Payment) -> None:
        if payment.note is None:
            part = self._dice.randint(1, payment.amount) if self._dice.random() < 0.1 else payment.amount
            payment.remember({"tx": f"{self.name}-{payment.id}", "amount": str(part)})
        if not self._dies("signed"):
            self._later(lambda: self._send(payment))

    def _send(self, payment: Payment) -> None:
        note = payment.note or {"tx": f"{self.name}-{self._dice.random()}", "amount": str(payment.amount)}
        self.chain.send(note["tx"], Transfer(self.name, Quantity(int(note["amount"]), self._scale)))
        if not self._dies("sent"):
            self._later(lambda: self._finish(payment, int(note["amount"])), 10, 5_000)

    def _finish(self, payment: Payment, amount: int) -> None:
        self.state.finish_payment(payment, amount, self._world.now())
        if not self._dies("paid"):
            self._later(self._make)

    # ------------------------------------------------------------------ what came in

    def _look(self) -> None:
        """Read the ledger from its beginning, as after a restart, and tell the node."""
        for name, transfer in self.chain.transfers.items():
            if transfer.sender != self.name:
                self._add(name, transfer.quantity)
        if not self._dies("seen"):
            self._notify()

    def _add(self, event: str, quantity: Quantity) -> None:
        self.state.add_incoming(PEER, event, f"{self._dice.getrandbits(64):016x}", quantity, self._world.now())

    def _notify(self) -> None:
        for incoming in self.state.open_incoming():
            if incoming.id not in self._telling:
                self._telling.add(incoming.id)
                self._tell(incoming, 1)

    def _tell(self, incoming: Incoming, attempt: int) -> None:
        """`POST /settlements` at the node, until it says 2xx."""
        answered: list[bool] = []

        def answer(done: bool) -> None:
            if done and self._happens("engine times out"):
                return  # the answer got lost
            if not answered and life == self._life:
                answered.append(done)
                self._later((lambda: self._told(incoming)) if done else again)

        def again() -> None:
            wait_ms = retry_delay_ms(attempt, self._dice.randbytes(2))
            self._later(lambda: self._tell(incoming, attempt + 1), wait_ms, wait_ms)

        life = self._life
        for _ in range(2 if self._happens("engine twice") else 1):
            late = self._happens("engine late")
            delay_ms = self._dice.randint(*(LATE_MS if late else (1, 50)))
            self._world.after(delay_ms, lambda: self._knock(incoming, answer))
        self._world.after(TIMEOUT_MS, lambda: answer(False))
        self._dies("told")

    def _knock(self, incoming: Incoming, answer: Answer) -> None:
        key, quantity = incoming.key, incoming.quantity

        def heard(done: bool) -> None:
            self.side.answered(key, quantity, done=done)
            answer(done)

        self.door(key, quantity, heard)

    def _told(self, incoming: Incoming) -> None:
        if not self._dies("acknowledged"):
            self.state.finish_incoming(incoming, self._world.now())

    # ------------------------------------------------------------------ lies

    def _lie(self) -> None:
        """Money that never came; and money that came, told again as more."""
        if self._options is None or not self._is_there():
            return
        self.side.happened("engine lies")
        self._lies += 1
        amount = Quantity(self._dice.choice((1, 10**3, 10**6)) * 10**self._scale, self._scale)
        self._add(f"lie {self._lies}", amount)
        self._notify()
        for key, quantity in list(self.side.accepted.items())[-1:]:
            self.door(key, quantity.plus(Quantity(1, self._scale)), self.side.refused)

    def is_lie(self, key: str) -> bool:
        """Whether this money never came: what an operator finds who looks at the ledger."""
        return any(one.key == key and one.event.startswith("lie ") for one in self.state.incoming(ALL))
