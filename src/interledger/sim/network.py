"""A link between two simulated nodes: octets that arrive later, sometimes never, sometimes out of order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from interledger.accounts.account import AccountId
from interledger.ilp.packet import Prepare, Reply, decode_reply
from interledger.link.base import PacketHandler, RequestId
from interledger.sim.world import World

__all__ = ["Faults", "SimLink"]


@dataclass(frozen=True, slots=True)
class Faults:
    """What a network does to a message. Only replies are doubled: a link's protocol refuses a Prepare's id in use."""

    delay_ms: tuple[int, int] = (1, 40)
    loss: float = 0.0
    duplicate: float = 0.0


NO_FAULTS = Faults(delay_ms=(0, 0))
"""The link between a node and an end on the same machine."""


@final
class SimLink:
    """One end, for one side to send with. `handler` is who receives on that side, None while it is dead.

    `on_reply` is told of each reply sent with this end, and of the condition it answers (the auditor listens).
    """

    def __init__(
        self,
        world: World,
        faults: Faults,
        account: AccountId,
        handler: Callable[[], PacketHandler | None],
        on_reply: Callable[[RequestId, bytes | None, Reply], None] = lambda request_id, condition, reply: None,
    ) -> None:
        self._world = world
        self._faults = faults
        self.account = account
        self._handler = handler
        self._on_reply = on_reply
        self.other: SimLink | None = None
        self.cut = False
        self._requests: dict[RequestId, bytes] = {}

    def ready(self) -> bool:
        return not self.cut

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        octets = prepare.encode()
        self._carry(1, lambda other: other.arrive_prepare(request_id, octets))

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._on_reply(request_id, self._requests.get(request_id), reply)
        octets = reply.encode()
        copies = 1 + self._world.chance(self._faults.duplicate)
        self._carry(copies, lambda other: other.arrive_reply(request_id, octets))

    def _carry(self, copies: int, arrive: Callable[[SimLink], None]) -> None:
        for _ in range(copies):
            if not self._world.chance(self._faults.loss):
                self._world.after(self._world.dice.randint(*self._faults.delay_ms), lambda: self._arrive(arrive))

    def _arrive(self, arrive: Callable[[SimLink], None]) -> None:
        if self.other is not None and not self.other.cut:
            arrive(self.other)

    def arrive_prepare(self, request_id: RequestId, octets: bytes) -> None:
        """The other side's Prepare is here."""
        handler = self._handler()
        if handler is None:
            return
        prepare = Prepare.decode(octets)
        self._requests[request_id] = prepare.execution_condition
        reply = handler.receive_prepare(self.account, request_id, prepare, self._world.now())
        if reply is not None:
            self.send_reply(request_id, reply)

    def arrive_reply(self, request_id: RequestId, octets: bytes) -> None:
        """The other side's answer is here."""
        handler = self._handler()
        if handler is not None:
            handler.receive_reply(self.account, request_id, decode_reply(octets), self._world.now())
