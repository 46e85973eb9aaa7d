"""Who sends and who receives in a simulation: bare packets with conditions of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.sim.network import SimLink
from interledger.sim.world import World

__all__ = ["End", "RawReceiver", "RawSender", "fulfillment_of"]


def fulfillment_of(data: bytes) -> bytes:
    """Of a packet with this data: a secret of all ends of the simulation."""
    return sha256(b"the sender and the receiver know " + data).digest()


class End:
    """What both ends share: nothing comes from the other direction."""

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        return Reject("F02", "test.sim", "this end only sends")

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        return

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        return

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        return


@final
class RawSender(End):
    """Sends packets at random times; counts what came back. `now`: the clock of the node it is on.

    `large`: an amount that no exchange makes nothing of.
    """

    def __init__(
        self,
        world: World,
        destinations: Sequence[str],
        amounts: tuple[int, int],
        now: Callable[[], Timestamp],
        large: int,
    ) -> None:
        self._world = world
        self.destinations = destinations
        self._amounts = amounts
        self._now = now
        self.large = large
        self.link: SimLink | None = None
        self.sent = self.fulfilled = self.rejected = 0
        self.last_reject = ""
        self._out: dict[RequestId, int] = {}

    def start(self, packets: int, within_ms: int) -> None:
        """Send so many packets, spread over so long."""
        for _ in range(packets):
            self._world.after(self._world.dice.randint(0, within_ms), self.send)

    def send(self, destination: str | None = None, amount: int | None = None) -> None:
        """One packet; where to, and how much, as it comes."""
        dice = self._world.dice
        data = dice.randbytes(16)
        if amount is None:
            amount = dice.choice((0, 1, *(dice.randint(*self._amounts) for _ in range(6))))
            expires_in_ms = dice.choice((900, 3_000, 10_000, 10_000, 30_000, 30_000, 90_000))
        else:
            expires_in_ms = 30_000
        self.sent += 1
        request_id = RequestId(self.sent)
        self._out[request_id] = amount
        if self.link is not None:
            to = Address(destination or dice.choice(self.destinations))
            condition = sha256(fulfillment_of(data)).digest()
            expires_at = Timestamp(self._now() + expires_in_ms)
            self.link.send_prepare(request_id, Prepare(amount, expires_at, condition, to, data))

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        amount = self._out.pop(request_id, None)
        if amount is None:
            return
        if isinstance(reply, Fulfill):
            self.fulfilled += 1
        else:
            self.rejected += 1
            self.last_reject = f"{reply.code} {reply.triggered_by} {reply.message}"


@final
class RawReceiver(End):
    """Fulfills most packets, some later; rejects some; forgets some. `tested`: it fulfills all, at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.link: SimLink | None = None
        self.tested = False

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        reply: Reply = Fulfill(fulfillment_of(prepare.data))
        if self.tested:
            return reply
        draw = self._world.dice.random()
        if draw < 0.03:
            return None
        if draw < 0.10:
            return Reject("F99", "test.sim", "not today")
        if draw < 0.25:
            self._world.after(self._world.dice.randint(1, 9_000), lambda: self._answer(request_id, reply))
            return None
        return reply

    def _answer(self, request_id: RequestId, reply: Reply) -> None:
        if self.link is not None:
            self.link.send_reply(request_id, reply)
