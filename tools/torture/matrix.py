"""The failpoint matrix: every step of a packet's journey x {kill, power cut} x {restart, another one in the recovery}.

A workload runs on a `Trio` once, to count the points of one node: each request of its disk, each call of its loop, each
arrival of octets, each effect that a commit lets go. Then it runs again for each of them, and the node dies there. The
code under test has no hooks for this. After each run the books of all nodes agree, or differ by listed unknown items.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from interledger.accounts.account import AccountId
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import EntryPosted, decode_records
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reply
from interledger.link.base import RequestId
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import BtpResponse, ProtocolData
from interledger.link.btp.subprotocols import Respond, SubprotocolRequest
from interledger.sim.payments import StreamPayment
from interledger.sim.workload import End
from interledger.store.base import Durability
from interledger.store.sqlite import SqliteStore
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.tokens import ReceiverTokens
from tools.torture.disk import Disk, Op
from tools.torture.life import LOG_OCTETS
from tools.torture.trio import EUR, NAMES, USD, Behaviour, Trio, TrioNode
from tools.torture.verdict import BreachError, Verdict, judge
from tools.torture.vfs import mounted

__all__ = ["WORKLOADS", "Case", "MatrixReport", "cases_of", "run_case", "run_matrix"]

RECOVERY_OPS: Final = 4
"""A death in the recovery is at one of its first so many requests of the disk."""


class Case(NamedTuple):
    """One run. `point`: at which of the victim's points it dies, from 0; `power`: of the machine, not only the process.

    `again`: it dies a second time while it recovers. `seed`: the order in which all that can happen happens.
    """

    workload: str
    victim: str
    point: int
    power: bool
    again: bool
    seed: int = 0


@dataclass(slots=True)
class MatrixReport:
    """What was run, and what it met."""

    cases: int = 0
    died_again: int = 0
    whats: dict[str, int] = field(default_factory=dict)
    """Deaths by what was about to happen."""
    verdict: Verdict = field(default_factory=Verdict)

    def add(self, found: Verdict) -> None:
        self.cases += 1
        for name in Verdict.__slots__:
            setattr(self.verdict, name, getattr(self.verdict, name) + getattr(found, name))


# ---------------------------------------------------------------------- workloads


class Workload:
    """What happens between the nodes. `phases` yields when all that can happen now is to happen."""

    repeats = False

    def prepare(self, trio: Trio) -> None:
        """Before the nodes start."""

    def phases(self, trio: Trio) -> Iterator[None]:
        """What the holders do."""
        raise NotImplementedError

    def check(self, trio: Trio) -> None:
        """What the books have to say besides."""


class Forward(Workload):
    """Packets both ways that are fulfilled, refused, answered wrongly, late, and never."""

    def phases(self, trio: Trio) -> Iterator[None]:
        alice, bob = trio.nodes["alice"], trio.nodes["bob"]
        behaviours = (Behaviour.FULFILL, Behaviour.REJECT, Behaviour.LATE, Behaviour.WRONG, Behaviour.SILENT)
        for tag, behaviour in enumerate(behaviours, 1):
            _send(alice, tag, behaviour)
        _send(bob, 50, Behaviour.FULFILL, "alice")
        yield
        if bob.alive:
            bob.holder.answer_late()
        yield
        _send(alice, 6, Behaviour.FULFILL)
        yield


class Journal(Forward):
    """The same over links that repeat their requests (BTP/2.0-I)."""

    repeats = True


class CutOff(Workload):
    """The link is lost while a packet is at its receiver, which fulfills it."""

    def phases(self, trio: Trio) -> Iterator[None]:
        alice, bob = trio.nodes["alice"], trio.nodes["bob"]
        _send(alice, 1, Behaviour.LATE)
        _send(alice, 2, Behaviour.FULFILL)
        yield
        trio.cut("bob")
        if bob.alive:
            bob.holder.answer_late()
        yield
        _send(alice, 3, Behaviour.FULFILL)
        trio.advance(2_000)
        yield


class Stream(Workload):
    """A STREAM payment to a receiver at bob's node, whose connections a restart forgets."""

    def prepare(self, trio: Trio) -> None:
        self._payment = StreamPayment(cast(Any, trio), 900, USD)  # it asks for time, chance and turns only
        self._tokens = ReceiverTokens(bytes(32), trio)
        lives = iter((self._payment,))
        trio.ends["alice"] = lambda: next(lives, _Nobody())
        trio.ends["bob"] = lambda: _Wallet(self._tokens, trio)

    def phases(self, trio: Trio) -> Iterator[None]:
        bob = trio.nodes["bob"]
        if bob.alive:
            self._payment.start(cast(Any, bob.holder), AccountId("end"), EUR)
        yield
        for _ in range(20):
            trio.advance(100)
            yield

    def check(self, trio: Trio) -> None:
        sent, maybe, limit = self._payment.spent
        if sent + maybe > limit:
            raise BreachError(f"20 the payment sent {sent}, maybe {maybe} more, of {limit}")


class Claims(Workload):
    """BTP Transfers, each to be credited once, with packets between them: as settlements that come in."""

    repeats = True
    count = 2

    def prepare(self, trio: Trio) -> None:
        self._confirmed: list[int] = []
        trio.nodes["hub"].on_link = _credit_transfers

    def phases(self, trio: Trio) -> Iterator[None]:
        alice = trio.nodes["alice"]
        for number in range(self.count):
            if alice.alive and alice.links["hub"].sending_connection() is not None:
                entries = (ProtocolData("claim", 0, b"%d" % number),)
                alice.links["hub"].requests.send_transfer(10, entries, self._answered(number))
            _send(alice, number, Behaviour.FULFILL)
            yield

    def _answered(self, number: int) -> Callable[[object], None]:
        return lambda answer: self._confirmed.append(number) if isinstance(answer, BtpResponse) else None

    def check(self, trio: Trio) -> None:
        memos = [
            record.memo
            for commit in trio.nodes["hub"].store.history.read_commits(0, 1_000)
            for record in decode_records(commit.records)
            if isinstance(record, EntryPosted)
        ]
        for number in range(self.count):
            credited = memos.count(f"claim {number}")
            if credited > 1 or (number in self._confirmed and credited == 0):
                raise BreachError(f"15, 16 claim {number} was credited {credited} times")


def _credit_transfers(node: TrioNode, link: BtpLink) -> None:
    ledger = node.ledger

    def credit(request: SubprotocolRequest, respond: Respond) -> None:
        number = int(request.entries[0].data)
        legs = ((ledger.account("external/test", USD), ledger.account("local/claims", USD), request.amount or 0),)
        ledger.post(legs, f"claim {number}")
        respond(request.entries)

    link.subprotocols.set_settlement_hook(credit)


class _Nobody(End):
    link = None


class _Wallet(End):
    """One life of a receiver: the secret is that of the node, its connections are new."""

    link = None

    def __init__(self, tokens: ReceiverTokens, trio: Trio) -> None:
        self.receiver = StreamReceiver(Address("test.bob"), tokens, trio)
        self.new_connection = self.receiver.new_connection

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        return self.receiver.receive_prepare(prepare, now)


def _send(node: TrioNode, tag: int, behaviour: int, to: str = "bob") -> None:
    if node.alive:
        node.send(tag, 100 + tag, behaviour, to)


WORKLOADS: Final[dict[str, Callable[[], Workload]]] = {
    "forward": Forward,
    "journal": Journal,
    "cut off": CutOff,
    "stream": Stream,
    "claims": Claims,
}


# ---------------------------------------------------------------------- one case


class _Run:
    """A workload with one node on a disk of its own, which dies at one of its points. Without `case`: at none."""

    def __init__(self, workload: str, victim: str, place: Path, seed: int, case: Case | None = None) -> None:
        self.points: list[str] = []
        self.died_again = False
        self._workload = WORKLOADS[workload]()
        self._case = case
        self._place = place
        self._image: dict[str, bytes] = {}
        self._victim = victim
        self._disk = Disk.of(_new_store(place))
        self._trio = Trio(repeats=self._workload.repeats, stores={victim: _open_store(place)}, seed=seed)
        self._trio.on_point = self._at_point
        self._workload.prepare(self._trio)

    def run(self) -> Verdict:
        """Raises `BreachError`."""
        trio = self._trio
        victim = trio.nodes[self._victim]
        self._disk.on_op = lambda op, number: self._at_op(op)
        with self._mounted():
            victim.store.open()
            for node in trio.nodes.values():
                node.start()
            trio.connect()
            trio.settle()
            for _ in self._phases():
                trio.settle()
                if not victim.alive:
                    break
            if victim.alive:
                trio.calm_down()
            if victim.alive:
                return self._judge()
        return self._go_on()

    @contextlib.contextmanager
    def _mounted(self) -> Iterator[None]:
        with mounted(self._disk):
            try:
                yield
            finally:
                self._trio.nodes[self._victim].store.close()

    def _phases(self) -> Iterator[None]:
        self._at = self._workload.phases(self._trio)
        return self._at

    def _go_on(self) -> Verdict:
        """The victim is dead: it starts again on what is left, perhaps twice, and the rest of the workload happens."""
        case = self._case
        if case is not None and case.again:
            self._restart(case.point % RECOVERY_OPS)
        self._begin_life(None)
        with self._mounted():
            self._open()
            self._trio.connect()
            self._trio.settle()
            for _ in self._at:
                self._trio.settle()
                self._trio.connect()
            self._trio.calm_down()
            return self._judge()

    def _restart(self, die_at: int) -> None:
        """A recovery that dies at a request of the disk, if it has so many; else soon after it."""
        victim = self._trio.nodes[self._victim]
        self._begin_life(die_at)
        with self._mounted():
            self._open()
            self._trio.settle()
            self.died_again = not victim.alive
            if victim.alive:
                self._die(len(self._disk.ops))

    def _begin_life(self, die_at: int | None) -> None:
        self._disk = Disk.of(self._image)

        def on_op(op: Op, number: int) -> None:
            if number == die_at and self._trio.nodes[self._victim].alive:
                self._die(number)

        self._disk.on_op = on_op

    def _open(self) -> None:
        victim = self._trio.nodes[self._victim]
        victim.store = _open_store(self._place)
        victim.alive = True
        try:
            victim.store.open()
            victim.start(alive=victim.alive)
        except StoreError as error:
            raise BreachError(f"{self._case}: a start is refused: {error}") from error

    def _judge(self) -> Verdict:
        try:
            verdict = judge(self._trio)
            self._workload.check(self._trio)
        except BreachError as breach:
            raise BreachError(f"{self._case}: {breach}") from breach
        return verdict

    # ------------------------------------------------------------------ points

    def _at_point(self, node: TrioNode, what: str) -> None:
        if node.name == self._victim and node.life == 0:
            self._count(what)

    def _at_op(self, op: Op) -> None:
        if self._trio.nodes[self._victim].life == 0 and self._trio.nodes[self._victim].alive:
            self._count(f"{op.kind.value} {op.name.removeprefix('ledger.')}")

    def _count(self, what: str) -> None:
        if self._case is not None and len(self.points) == self._case.point:
            self._die(len(self._disk.ops))
        self.points.append(what)

    def _die(self, at: int) -> None:
        case = self._case
        if case is not None and case.power:
            self._image = self._disk.cut_at(at, random.Random(case.point))
        else:
            self._image = self._disk.killed_at(at)
        self._trio.nodes[self._victim].die()


def _open_store(place: Path) -> SqliteStore:
    return SqliteStore(place, Durability.POWER, reserve_octets=0, log_octets=LOG_OCTETS)


@cache
def _new_store(place: Path) -> dict[str, bytes]:
    """The files of a store that was made and closed."""
    disk = Disk()
    with mounted(disk):
        store = _open_store(place)
        store.open()
        store.load(Ledger())
        store.close()
    return {name: bytes(octets) for name, octets in disk.files.items()}


# ---------------------------------------------------------------------- all of them


def cases_of(workload: str, victim: str, place: Path, seed: int = 0) -> list[Case]:
    """Every point of the victim, killed and cut, once and twice."""
    run = _Run(workload, victim, place, seed)
    run.run()
    return [
        Case(workload, victim, point, power, again, seed)
        for point in range(len(run.points))
        for power in (False, True)
        for again in (False, True)
    ]


def run_case(case: Case, place: Path, report: MatrixReport) -> None:
    """Raises `BreachError`, which names the case."""
    run = _Run(case.workload, case.victim, place, case.seed, case)
    report.add(run.run())
    report.died_again += run.died_again
    what = run.points[case.point]
    report.whats[what] = report.whats.get(what, 0) + 1


def run_matrix(every: int = 1, workloads: Sequence[str] = tuple(WORKLOADS), seed: int = 0) -> MatrixReport:
    """All cases, or each so many-th of them, with the order of things that `seed` makes. Raises `BreachError`."""
    report = MatrixReport()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        cases = [case for workload in workloads for victim in NAMES for case in cases_of(workload, victim, place, seed)]
        for case in cases[::every]:
            run_case(case, place, report)
    return report
