"""STREAM in a simulation: whole payments by the real sender, to the real receiver, on virtual time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final, final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.sim.network import SimLink
from interledger.sim.workload import End
from interledger.sim.world import World
from interledger.transport.stream.payment import FixedSend, PaymentEnded, Progress, QuoteFailed, QuoteReady
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.tokens import ReceiverTokens

__all__ = ["StreamEnd", "StreamPayment"]

LOOK_MS: Final = 5_000
"""The clock is looked at this often: it may have been set."""


@final
class StreamEnd(End):
    """A receiver of STREAM payments for one account, at `address`."""

    def __init__(self, world: World, address: Address, secrets: list[bytes] | None = None) -> None:
        """`secrets`: a list to which what nobody else may ever see is added."""
        self._secrets = [] if secrets is None else secrets
        self._secrets.append(server_secret := world.octets(32))
        tokens = ReceiverTokens(server_secret, world)
        self.receiver = StreamReceiver(address, tokens, world)
        self.connection_address = address

    def new_connection(self, account_id: AccountId, asset: Asset) -> tuple[Address, bytes]:
        """An address and a shared secret."""
        self.connection_address, secret = self.receiver.new_connection(account_id, asset)
        self._secrets.append(secret)
        return self.connection_address, secret

    @property
    def counted(self) -> int:
        """What it believes to have received."""
        found = self.receiver.resolve(self.connection_address)
        return 0 if found is None else found.total_received

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        return self.receiver.receive_prepare(prepare, now)


@final
class StreamPayment(End):
    """One payment of a fixed amount. `ended` is its outcome; `failed` why there was not even a quote."""

    def __init__(self, world: World, amount: int, asset: Asset, now: Callable[[], Timestamp] | None = None) -> None:
        self._world = world
        self._now = now or world.now
        self._amount = amount
        self._asset = asset
        self._sender: StreamSender | None = None
        self._wake_at = 0
        self.link: SimLink | None = None
        self.ended: PaymentEnded | None = None
        self.failed: QuoteFailed | None = None

    def start(self, end: StreamEnd, account_id: AccountId, asset: Asset) -> None:
        """Ask for an address, quote, and pay."""
        address, secret = end.new_connection(account_id, asset)
        self._sender = StreamSender(address, secret, self._asset, FixedSend(self._amount), self._world, self._now())
        self._pump()

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        if self._sender is not None:
            self._sender.receive_reply(request_id, reply, now)
            self._pump()

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        if self._sender is not None:
            self._sender.receive_no_reply(request_id, reject, now)
            self._pump()

    @property
    def progress(self) -> Progress | None:
        """Where it stands, or None before its start."""
        return None if self._sender is None else self._sender.progress()

    @property
    def spent(self) -> tuple[int, int, int]:
        """(sent, possibly delivered, limit) in units of the source asset."""
        if self._sender is None or self._sender.quote is None:
            return 0, 0, self._amount
        progress = self._sender.progress()
        return progress.sent, progress.unknown + progress.in_flight, self._sender.quote.send_max

    @property
    def brought(self) -> tuple[int, int, int, Fraction]:
        """(sent, delivered as its receiver says, packets, the least that each unit has to bring)."""
        if self._sender is None or self._sender.quote is None:
            return 0, 0, 0, Fraction(0)
        progress = self._sender.progress()
        return progress.sent, progress.delivered, progress.packets_fulfilled, self._sender.quote.minimum_rate

    def _pump(self) -> None:
        sender, link = self._sender, self.link
        if sender is None or link is None:
            return
        now = self._now()
        for request_id, prepare in sender.packets_to_send(now):
            link.send_prepare(request_id, prepare)
        for event in sender.events():
            if isinstance(event, QuoteReady):
                sender.pay(now)
                self._world.soon(self._pump)
            elif isinstance(event, PaymentEnded):
                self.ended = event
            elif isinstance(event, QuoteFailed):
                self.failed = event
                return
        due = sender.timer()
        if due is not None and (self._wake_at <= now or due < self._wake_at):
            self._wake_at = due
            self._world.after(min(max(0, due - now), LOOK_MS), self._wake)

    def _wake(self) -> None:
        if self._sender is None or self.ended is not None:
            return
        now = self._now()
        if now >= self._wake_at:
            self._sender.handle_timer(now)
            self._pump()
        else:
            self._world.after(min(self._wake_at - now, LOOK_MS), self._wake)
