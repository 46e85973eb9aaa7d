"""Payments that came in: one for each STREAM connection of an account's receiver, and the packets of those watched.

A packet costs a few additions here. What it came to is told and kept a moment later, for all packets of that moment
together, and not before the books that say so are durable. A payment is known by its connection's token, so that it
goes on over restarts; the books are exact, this is for people.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset, Money
from interledger.clock import Timestamp
from interledger.errors import NotFoundError, StoreError
from interledger.ilp.packet import Prepare
from interledger.transport.stream.receiver import ReceiverConnection

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["INCOMING_KEPT", "IncomingPackets", "IncomingPayment", "IncomingPayments", "PacketReceived"]

FACT: Final = "incoming/"

INCOMING_KEPT: Final = 1_000
"""Payments remembered; the one that began first is forgotten first. Some 300 octets each, read at every start."""

FLUSH_S: Final = 0.1
"""How long packets are gathered before they are told of: ten steps a second, however many packets come."""

IDLE_MS: Final = 60_000
"""Without a packet for so long a payment counts as received. Payers that close their connections say so themselves."""

PACKETS_WAIT_MAX: Final = 10_000
"""Packets that wait for one watcher: some megabytes. A watcher that is slower than that is let go."""


class PacketReceived(NamedTuple):
    """One fulfilled packet of a payment; `amount` 0: its payer has closed the connection.

    `source`: the account that the packet came from.
    """

    account: AccountId
    source: AccountId
    destination: str
    amount: int
    at: Timestamp
    sequence: int
    closed: bool


class IncomingPayment(NamedTuple):
    """A payment at one moment; amounts in units of `asset`, which is the account's."""

    id: str
    account: AccountId
    source: AccountId
    asset: Asset
    received: int
    packets: int
    started_at: Timestamp
    last_at: Timestamp
    closed: bool

    def is_over(self, now: Timestamp) -> bool:
        """Whether no more is expected."""
        return self.closed or now >= self.last_at + IDLE_MS

    def as_document(self) -> dict[str, Any]:
        """For the store."""
        return {**self._asdict(), "asset": [self.asset.code, self.asset.scale]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> IncomingPayment:
        """What `as_document` wrote."""
        return cls(**{**document, "asset": Asset(*document["asset"])})


@final
class IncomingPackets:
    """What one watcher has not read yet. Iterate over it; it ends when the watcher was too slow, or the node stops."""

    def __init__(self, account: AccountId | None) -> None:
        self.account = account
        self._waiting: list[PacketReceived] = []
        self._news = asyncio.Event()
        self._over = False

    def __aiter__(self) -> AsyncIterator[PacketReceived]:
        return self._read()

    async def _read(self) -> AsyncIterator[PacketReceived]:
        while not (self._over and not self._waiting):
            await self._news.wait()
            self._news.clear()
            waiting, self._waiting = self._waiting, []
            for packet in waiting:
                yield packet

    def add(self, packets: list[PacketReceived]) -> None:
        """Those of its account. More than it can hold, and nothing more comes."""
        self._waiting += [p for p in packets if self.account in (None, p.account)]
        if len(self._waiting) > PACKETS_WAIT_MAX:
            self._waiting.clear()
            self.end()
        elif self._waiting:
            self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._over = True
        self._news.set()


@final
class IncomingPayments:
    """`node.incoming`."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        found = (IncomingPayment.from_document(body) for name, body in facts.items() if name.startswith(FACT))
        self._payments = {payment.id: payment for payment in sorted(found, key=lambda p: p.started_at)}
        self._ids: dict[str, str] = {}
        self._changed: set[str] = set()
        self._ended: list[str] = []
        self._packets: list[PacketReceived] = []
        self._watchers: set[IncomingPackets] = set()
        self._stopped = False
        self._flush: asyncio.TimerHandle | None = None
        node.wallets.on_received = self.receive

    def receive(
        self, connection: ReceiverConnection, source: AccountId, prepare: Prepare, amount: int, now: Timestamp
    ) -> None:
        """A packet was fulfilled, or (0) its payer has closed the connection."""
        payment_id = self._ids.get(connection.token) or self._id_of(connection.token)
        old = self._payments.get(payment_id)
        if old is None:
            if not amount:
                return
            old = self._begin(payment_id, connection, source, now)
        closed = not amount
        if closed and old.closed:
            return
        self._payments[payment_id] = old._replace(
            received=old.received + amount, packets=old.packets + (amount > 0), last_at=now, closed=closed
        )
        self._changed.add(payment_id)
        if closed:
            self._ended.append(payment_id)
        if self._watchers:
            self._packets.append(
                PacketReceived(
                    old.account, source, prepare.destination, amount, now, connection.sequence + closed, closed
                )
            )
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._flush_soon)

    def _id_of(self, token: str) -> str:
        if len(self._ids) >= INCOMING_KEPT:
            self._ids.clear()
        payment_id = self._ids[token] = f"inc_{sha256(token.encode()).hexdigest()[:12]}"
        return payment_id

    def _begin(
        self, payment_id: str, connection: ReceiverConnection, source: AccountId, now: Timestamp
    ) -> IncomingPayment:
        if len(self._payments) >= INCOMING_KEPT:
            oldest = next(iter(self._payments))
            del self._payments[oldest]
            self._changed.discard(oldest)
            self._node.store.put_fact(FACT + oldest, None)
        return IncomingPayment(payment_id, connection.account_id, source, connection.asset, 0, 0, now, now, False)

    # ------------------------------------------------------------------ keep and tell

    def _flush_soon(self) -> None:
        self._flush = None
        if self._stopped:  # nobody waits any more for a task that would begin now
            self.keep()
        else:
            self._node.spawn(self._tell())

    async def _tell(self) -> None:
        packets, self._packets = self._packets, []
        ended, self._ended = self._ended, []
        self.keep()
        try:
            await self._node.commit()
        except StoreError:
            return  # the node says so itself, and nobody is told of money that is in no book
        for watcher in self._watchers:
            watcher.add(packets)
        for payment_id in ended:
            self._tell_of(self._payments.get(payment_id))

    def _tell_of(self, payment: IncomingPayment | None) -> None:
        if payment is not None:
            received = Money(payment.received, payment.asset)
            self._node.live.events.tell(
                "payment.received",
                f"{received} from {payment.source} to {payment.account}",
                subject=payment.id,
                payment=payment.id,
                account=payment.account,
                source=payment.source,
                received=received.as_json(),
            )

    def keep(self) -> None:
        """Give what has changed to the store."""
        changed, self._changed = self._changed, set()
        for payment_id in changed:
            payment = self._payments.get(payment_id)
            if payment is not None:
                self._node.store.put_fact(FACT + payment_id, payment.as_document())

    def stop(self) -> None:
        """The node stops: the last word goes to the store, and nobody waits for more."""
        self._stopped = True
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self.keep()
        for watcher in self._watchers:
            watcher.end()

    # ------------------------------------------------------------------ look

    def now(self) -> Timestamp:
        """By the node's clock."""
        return self._node.clock.now()

    def all(self) -> list[IncomingPayment]:
        """Those remembered, newest first."""
        return list(reversed(self._payments.values()))

    def get(self, payment_id: str) -> IncomingPayment:
        """Raises `NotFoundError`."""
        payment = self._payments.get(payment_id)
        if payment is None:
            raise NotFoundError(f"There is no payment “{payment_id}”.")
        return payment

    @contextmanager
    def watch(self, account: AccountId | None) -> Iterator[IncomingPackets]:
        """Packets from now on: of one account, or of all."""
        watcher = IncomingPackets(account)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
