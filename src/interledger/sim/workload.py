"""Who sends and who receives in a simulation: bare packets with conditions of their own."""

from __future__ import annotations

from hashlib import sha256
from typing import final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.sim.network import SimLink
from interledger.sim.world import World

__all__ = ["End", "RawReceiver", "RawSender"]


def _fulfillment(data: bytes) -> bytes:
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
    """Sends packets at random times; counts what came back, and how often."""

    def __init__(self, world: World, destination: Address, amounts: tuple[int, int]) -> None:
        self._world = world
        self._destination = destination
        self._amounts = amounts
        self.link: SimLink | None = None
        self.sent = self.fulfilled = self.rejected = 0
        self.amount_fulfilled = 0
        self._out: dict[RequestId, int] = {}

    def start(self, packets: int, within_ms: int) -> None:
        """Send so many packets, spread over so long."""
        for _ in range(packets):
            self._world.after(self._world.dice.randint(0, within_ms), self._send)

    def _send(self) -> None:
        dice = self._world.dice
        data = dice.randbytes(16)
        amount = dice.choice((0, 1, dice.randint(*self._amounts), dice.randint(*self._amounts)))
        expires_at = Timestamp(self._world.now() + dice.choice((900, 3_000, 10_000, 30_000, 90_000)))
        self.sent += 1
        request_id = RequestId(self.sent)
        self._out[request_id] = amount
        if self.link is not None:
            condition = sha256(_fulfillment(data)).digest()
            self.link.send_prepare(request_id, Prepare(amount, expires_at, condition, self._destination, data))

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        amount = self._out.pop(request_id, None)
        if amount is None:
            return
        if isinstance(reply, Fulfill):
            self.fulfilled += 1
            self.amount_fulfilled += amount
        else:
            self.rejected += 1


@final
class RawReceiver(End):
    """Fulfills most packets, some late; rejects some; forgets some; answers some wrongly."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.link: SimLink | None = None

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        draw = self._world.dice.random()
        if draw < 0.03:
            return None
        reply: Reply = Fulfill(_fulfillment(prepare.data))
        if draw < 0.13:
            reply = Reject("F99", "test.sim", "not today")
        elif draw < 0.16:
            reply = Fulfill(bytes(32))
        elif draw < 0.3:
            late_ms = self._world.dice.randint(1, 40_000)
            self._world.after(late_ms, lambda: self._answer(request_id, reply))
            return None
        return reply

    def _answer(self, request_id: RequestId, reply: Reply) -> None:
        if self.link is not None:
            self.link.send_reply(request_id, reply)
