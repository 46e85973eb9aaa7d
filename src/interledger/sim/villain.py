"""A peer that means harm: it has an account and credit, and does what the run's options say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.sim.network import SimLink
from interledger.sim.node import SimNode
from interledger.sim.options import Options
from interledger.sim.workload import End, fulfillment_of
from interledger.sim.world import World

__all__ = ["Villain"]

ANSWERS: Final = ("grief", "late fulfill", "last moment", "wrong fulfill", "two replies")
"""What it may do with a packet it gets, by the names of the classes."""


@final
class Villain(End):
    """Attached to `node` as the peer `account_id`. All ends know all fulfillments, so does `accomplice`."""

    def __init__(self, world: World, node: SimNode, account_id: AccountId, limit: int, options: Options) -> None:
        self._world = world
        self.node = node
        self.account_id = account_id
        self.limit = limit
        self._options = options
        self.address = f"test.{account_id}"
        self.link: SimLink | None = None
        self.accomplice: Villain | None = None
        self.reformed = False
        """The run's faults are over."""
        self.sent = 0
        self.gained = 0
        self._got: list[tuple[RequestId, Prepare]] = []
        self._sent: list[tuple[RequestId, bytes]] = []

    # ------------------------------------------------------------------ what it gets

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        dice = self._world.dice
        reply: Reply = Fulfill(fulfillment_of(prepare.data))
        if self.reformed:
            return reply
        if prepare.data.startswith(b"probe"):
            return Reject("F99", self.address, "thank you")
        self._got.append((request_id, prepare))
        how = next((name for name in ANSWERS if dice.random() < self._options.part(name)), "")
        if not how:
            return reply
        self._note(how, prepare)
        left_ms = max(prepare.expires_at - self.node.now(), 0)
        if how == "late fulfill":
            self._later(left_ms + dice.choice((1, 100, 400, 600, 3_000)), request_id, reply)
        elif how == "last moment":
            self._later(max(left_ms - dice.randint(1, 60), 0), request_id, reply)
        elif how == "wrong fulfill":
            return Fulfill(dice.choice((bytes(32), dice.randbytes(32))))
        elif how == "two replies":
            reject = Reject("F99", self.address, "no, or yes")
            first, second = dice.sample((reject, reply), 2)
            self._later(0, request_id, first)
            self._later(dice.randint(0, 40), request_id, second)
        return None

    def _note(self, what: str, prepare: Prepare) -> None:
        auditor = self.node.auditor
        auditor.coverage.events[what] += 1
        if prepare.amount:
            auditor.mark(self.node.station, prepare.execution_condition, what, "in flight")

    def _later(self, delay_ms: int, request_id: RequestId, reply: Reply) -> None:
        self._world.after(delay_ms, lambda: self._reply(request_id, reply))

    def _reply(self, request_id: RequestId, reply: Reply) -> None:
        if self.link is not None:
            self.link.send_reply_octets(request_id, reply.encode())

    # ------------------------------------------------------------------ what it sends

    def start(self, packets: int, destinations: Sequence[str], within_ms: int) -> None:
        """All that it will do."""
        world, dice = self._world, self._world.dice
        deeds: list[tuple[int, Callable[[], object]]] = [(packets, lambda: self._send(dice.choice(destinations)))]
        others: tuple[tuple[str, Callable[[], object]], ...] = (
            ("early fulfill", self._fulfill_early),
            ("replay", self._replay),
            ("garbage", self._talk_garbage),
            ("probe", self._probe),
        )
        deeds += [(self._options.times(name), do) for name, do in others]
        for times, do in deeds:
            for _ in range(times):
                world.after(dice.randint(0, within_ms), lambda do=do: _do(do))  # type: ignore[misc]  # bound now

    def _send(self, destination: str, amount: int | None = None, data: bytes = b"") -> Prepare:
        dice = self._world.dice
        data = data + dice.randbytes(16)
        if amount is None:
            amount = dice.choice((1, dice.randint(1, 2_000), self.limit // 3))
        expires_in_ms = dice.choice((-5, 900, 1_999, 3_000, 30_000, 10**12))
        condition = sha256(fulfillment_of(data)).digest()
        expires_at = Timestamp(self.node.now() + expires_in_ms)
        prepare = Prepare(amount, expires_at, condition, Address(destination), data)
        self._send_octets(prepare.encode())
        return prepare

    def _send_octets(self, octets: bytes, request_id: RequestId | None = None) -> None:
        self.sent += 1
        number = RequestId(self.sent) if request_id is None else request_id
        if self.link is not None:
            self.link.send_prepare_octets(number, octets)
        self._sent.append((number, octets))

    def _fulfill_early(self) -> None:
        """A Fulfill for the packet that comes next, and for one that was asked and answered."""
        self.node.auditor.coverage.events["early fulfill"] += 1
        if self._got:
            request_id, prepare = self._got[-1]
            state = self.node.auditor.state_of(self.node.station, prepare.execution_condition)
            self.node.auditor.mark(self.node.station, prepare.execution_condition, "early fulfill", state)
            for number in (request_id, request_id + 1, request_id + 2):
                self._reply(RequestId(number & 0xFFFFFFFF), Fulfill(fulfillment_of(prepare.data)))

    def _replay(self) -> None:
        """A Prepare of before, with its old number or a new one."""
        if not self._sent:
            return
        request_id, octets = self._world.dice.choice(self._sent)
        prepare = Prepare.decode(octets)
        state = self.node.auditor.state_of(self.node.station, prepare.execution_condition)
        self._note_at("replay", prepare, state)
        self._send_octets(octets, self._world.dice.choice((request_id, None, None)))

    def _note_at(self, what: str, prepare: Prepare, state: str) -> None:
        self.node.auditor.coverage.events[what] += 1
        if prepare.amount:
            self.node.auditor.mark(self.node.station, prepare.execution_condition, what, state)

    def _talk_garbage(self) -> None:
        """Octets that are no packet, asked or as an answer."""
        dice = self._world.dice
        link = self.link
        if link is None:
            return
        octets = dice.choice((b"", dice.randbytes(60), b"\x0c\xff" + bytes(8), b"\x0d\x20" + bytes(31)))
        if self._got and dice.random() < 0.6:
            request_id, prepare = self._got[-1]
            self._note("garbage", prepare)
            link.send_reply_octets(request_id, octets)
        else:
            self.node.auditor.coverage.events["garbage"] += 1
            link.send_prepare_octets(RequestId(0x7F000000 + dice.getrandbits(16)), octets)

    def _probe(self) -> None:
        """How much credit is there? Around what it has, to somebody who rejects; and with pending credit to spend."""
        dice = self._world.dice
        if self.accomplice is not None:
            amount = max(self.limit + dice.choice((-1, 0, 1, -self.limit // 2)), 1)
            prepare = self._send(self.accomplice.address + ".x", amount, b"probe")
            self._note_at("probe", prepare, "deciding")


def _do(deed: Callable[[], object]) -> None:
    deed()
