"""A link between two simulated nodes: octets that arrive later, sometimes never, sometimes out of order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import TYPE_FULFILL, Prepare, Reject, Reply, decode_reply
from interledger.link.base import PacketHandler, RequestId
from interledger.sim.world import World

__all__ = ["NO_FAULTS", "Faults", "SilentTap", "SimLink", "SimWire", "Tap"]

TAIL_MS_MAX: Final = 40_000
"""The longest that a message is on its way: longer than the longest expiry."""

REORDER_MS: Final = 300


@dataclass(frozen=True, slots=True)
class Faults:
    """What a network does to a message. Only replies are doubled: a link's protocol refuses a Prepare's id in use."""

    delay_ms: tuple[int, int] = (1, 40)
    loss: float = 0.0
    duplicate: float = 0.0
    tail: float = 0.0
    """How often a message takes much longer, by a heavy tail."""
    reorder: float = 0.0
    """How often a message takes a little longer than those behind it."""


NO_FAULTS = Faults(delay_ms=(0, 0))
"""The link between a node and an end on the same machine."""


class Tap(Protocol):
    """Who listens where a node speaks with one counterpart."""

    def sent(self, request_id: int, octets: bytes) -> None:
        """ILP octets leave the node."""
        ...

    def received(self, request_id: int, octets: bytes) -> None:
        """ILP octets reach a node that lives."""
        ...

    def disturbed(self, fault: str, state: str, condition: bytes) -> None:
        """The network did something to a message for this node."""
        ...


class SilentTap:
    """Nobody listens."""

    def sent(self, request_id: int, octets: bytes) -> None:
        return

    def received(self, request_id: int, octets: bytes) -> None:
        return

    def disturbed(self, fault: str, state: str, condition: bytes) -> None:
        return


@final
class SimLink:
    """One end, for one side to send with. `handler` is who receives on that side, None while it is dead.

    `busy_ms`: how long that side still does nothing at all; `clock`: what time it believes it is.
    """

    def __init__(
        self,
        world: World,
        faults: Faults,
        account: AccountId,
        handler: Callable[[], PacketHandler | None],
        tap: Tap | None = None,
        busy_ms: Callable[[], int] = lambda: 0,
        clock: Clock | None = None,
    ) -> None:
        self._world = world
        self.faults = faults
        self.account = account
        self._handler = handler
        self.tap: Tap = tap or SilentTap()
        self._busy_ms = busy_ms
        self.now: Callable[[], Timestamp] = (clock or world).now
        self.other: SimLink | None = None
        self.cut = False
        self.vanishing = False
        """Half open: what is sent vanishes, and nobody is told."""
        self.on_up: Callable[[], None] = lambda: None
        self._requests: dict[RequestId, bytes] = {}

    def ready(self) -> bool:
        return not self.cut

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        octets = prepare.encode()
        self.tap.sent(request_id, octets)
        self._carry("prepare", prepare.execution_condition, lambda other: other.arrive_prepare(request_id, octets))

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        octets = reply.encode()
        self.tap.sent(request_id, octets)
        self.send_reply_octets(request_id, octets)

    def send_reply_octets(self, request_id: RequestId, octets: bytes) -> None:
        """Whatever they are."""
        state = "fulfill" if octets[:1] == bytes((TYPE_FULFILL,)) else "reject"
        condition = self._requests.get(request_id, b"")
        self._carry(state, condition, lambda other: other.arrive_reply(request_id, octets))

    def send_prepare_octets(self, request_id: RequestId, octets: bytes) -> None:
        """Whatever they are."""
        self._carry("prepare", b"", lambda other: other.arrive_prepare(request_id, octets))

    def _carry(self, state: str, condition: bytes, arrive: Callable[[SimLink], None]) -> None:
        other, faults, world = self.other, self.faults, self._world
        if other is None or self.vanishing:
            return
        copies = 1
        if faults.duplicate and state != "prepare" and world.chance(faults.duplicate):
            other.tap.disturbed("duplicate", state, condition)
            copies = 2
        for _ in range(copies):
            if faults.loss and world.chance(faults.loss):
                other.tap.disturbed("drop", state, condition)
                continue
            delay = world.dice.randint(*faults.delay_ms)
            if faults.tail and world.chance(faults.tail):
                other.tap.disturbed("delay", state, condition)
                delay += min(int(200 * world.dice.paretovariate(0.7)), TAIL_MS_MAX)
            if faults.reorder and world.chance(faults.reorder):
                other.tap.disturbed("reorder", state, condition)
                delay += world.dice.randint(1, REORDER_MS)
            world.after(delay, lambda: self._arrive(arrive))

    def _arrive(self, arrive: Callable[[SimLink], None]) -> None:
        other = self.other
        if other is None or other.cut or self.vanishing:
            return
        busy_ms = other._busy_ms()
        if busy_ms:
            self._world.after(busy_ms, lambda: self._arrive(arrive))
        else:
            arrive(other)

    def arrive_prepare(self, request_id: RequestId, octets: bytes) -> None:
        """The other side's Prepare is here."""
        handler = self._handler()
        if handler is None:
            return
        try:
            prepare = Prepare.decode(octets)
        except DecodeError as error:
            self._carry("reject", b"", _refusal(request_id, str(error)))
            return
        if request_id in self._requests:
            return  # this id is in use: a link's protocol refuses it
        self.tap.received(request_id, octets)
        self._requests[request_id] = prepare.execution_condition
        reply = handler.receive_prepare(self.account, request_id, prepare, self.now())
        if reply is not None:
            self.send_reply(request_id, reply)

    def arrive_reply(self, request_id: RequestId, octets: bytes) -> None:
        """The other side's answer is here. One that cannot be read may have been a Fulfill."""
        handler = self._handler()
        if handler is None:
            return
        self.tap.received(request_id, octets)
        try:
            reply = decode_reply(octets)
        except DecodeError:
            reject = Reject(ErrorCode.T00_INTERNAL_ERROR, "test.link", "the answer cannot be read")
            handler.receive_no_reply(self.account, request_id, reject, self.now())
            return
        handler.receive_reply(self.account, request_id, reply, self.now())

    def lost(self) -> None:
        """This side notices that the link is down."""
        handler = self._handler()
        if handler is not None:
            handler.link_lost(self.account, self.now())


def _refusal(request_id: RequestId, why: str) -> Callable[[SimLink], None]:
    octets = Reject(ErrorCode.F01_INVALID_PACKET, "test.link", why).encode()
    return lambda other: other.arrive_reply(request_id, octets)


@final
class SimWire:
    """Both ends of a link of messages, for whoever cuts it."""

    def __init__(self, left: SimLink, right: SimLink) -> None:
        self.ends = (left, right)
        left.other, right.other = right, left

    def set_up(self, *, is_up: bool) -> None:
        """Cut it, or mend it."""
        for link in self.ends:
            link.cut = not is_up
        for link in self.ends:
            if is_up:
                link.on_up()
            else:
                link.lost()

    def set_vanishing(self, *, vanishing: bool) -> None:
        """Half open, or not any more."""
        for link in self.ends:
            link.vanishing = vanishing

    def calm(self) -> None:
        """No faults any more."""
        self.set_up(is_up=True)
        self.set_vanishing(vanishing=False)
        for link in self.ends:
            if link.faults is not NO_FAULTS:
                link.faults = Faults(delay_ms=(1, 20))
