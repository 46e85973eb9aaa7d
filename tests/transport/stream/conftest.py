"""A payer, a way, and our own receiver, in virtual time: no sockets, no sleeps, every run replays from its seed."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace

import pytest

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.transport.stream.payment import FixedDelivery, FixedSend, PaymentEnded, QuoteReady, SenderSettings
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.sender import Phase, StreamSender
from interledger.transport.stream.tokens import ReceiverTokens

START = Timestamp(1_700_000_000_000)
USD = Asset("USD", 9)
EUR = Asset("EUR", 6)

Hop = Callable[[int, Timestamp], int | Reject | None]
"""What a node does with an amount: pass on another amount, refuse, or lose the packet."""


class SeededEntropy:
    """Random octets that replay."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)

    def octets(self, count: int) -> bytes:
        return self.random.randbytes(count)


def at_rate(rate: Fraction) -> Hop:
    """Convert and round down, as every connector does; nothing is R01."""

    def hop(amount: int, now: Timestamp) -> int | Reject:
        out = amount * rate.numerator // rate.denominator
        return Reject("R01", "test.hop") if amount and not out else out

    return hop


def at_most(maximum: int, *, with_data: bool = True) -> Hop:
    """F08 above `maximum`."""

    def hop(amount: int, now: Timestamp) -> int | Reject:
        if amount <= maximum:
            return amount
        return Reject("F08", "test.hop", "", AmountTooLarge(amount, maximum).encode() if with_data else b"")

    return hop


class World:
    """One payment over one way. `latency_ms` is the round trip; `ledger` what the receiver's node really credited."""

    def __init__(
        self,
        *hops: Hop,
        target: FixedSend | FixedDelivery | None = None,
        latency_ms: int = 50,
        seed: int = 1,
        receiver: Callable[[Prepare, Timestamp], Reply] | None = None,
        receive_max: int | None = None,
        reply_filter: Callable[[RequestId, Reply], list[tuple[RequestId, Reply]]] | None = None,
        known_asset: bool = True,
        lost_is_told: bool = False,
        settings: SenderSettings | None = None,
        **more: object,
    ) -> None:
        entropy = SeededEntropy(seed)
        self.now = START
        self.hops = list(hops)
        self.latency_ms = latency_ms
        self.receiver = StreamReceiver(Address("test.bob"), ReceiverTokens(b"s" * 32, entropy), entropy)
        destination, secret = self.receiver.new_connection(AccountId("bob"), EUR, receive_max=receive_max)
        self.answer = receiver or self.receiver.receive_prepare
        self.reply_filter = reply_filter
        self.lost_is_told = lost_is_told
        self.sender = StreamSender(
            destination,
            secret,
            USD,
            target or FixedSend(1_000_000),
            entropy,
            self.now,
            destination_asset=EUR if known_asset else None,
            settings=settings,
            **more,  # type: ignore[arg-type]
        )
        self.ledger = 0
        self.charged = 0
        """What the sender's own node has booked: fulfilled packets."""
        self.prepares: list[tuple[Timestamp, RequestId, Prepare]] = []
        self.codes: Counter[str] = Counter()
        self.events: list[object] = []
        self.in_flight = 0
        self.in_flight_max = 0
        self._queue: list[tuple[int, int, str, RequestId, object]] = []
        self._count = 0

    def run(self, *, until: int | None = None, check: bool = True) -> World:
        """Until nothing is left to happen, or for `until` ms."""
        end = None if until is None else self.now + until
        self._turn(check)
        while True:
            timer = self.sender.timer()
            due = min((t for t in (timer, self._queue[0][0] if self._queue else None) if t is not None), default=None)
            if due is None or (end is not None and due > end):
                return self
            self.now = Timestamp(max(self.now, due))
            while self._queue and self._queue[0][0] <= self.now:
                _, _, what, request_id, packet = heapq.heappop(self._queue)
                if what == "arrives":
                    self._arrives(request_id, packet)
                else:
                    self.in_flight -= 1
                    self.sender.receive_reply(request_id, packet, self.now)
            if timer is not None and timer <= self.now:
                self.sender.handle_timer(self.now)
            self._turn(check)

    def pay(self, **how: object) -> World:
        """Quote, accept, pay to the end."""
        self.quote()
        if self.sender.phase is Phase.QUOTED:
            self.sender.pay(self.now)
            self.run(**how)
        return self

    def quote(self) -> World:
        self.run()
        return self

    @property
    def quoted(self):
        return next(event.quote for event in self.events if isinstance(event, QuoteReady))

    @property
    def ended(self) -> PaymentEnded:
        return next(event for event in self.events if isinstance(event, PaymentEnded))

    @property
    def progress(self):
        return self.sender.progress()

    def _turn(self, check: bool) -> None:
        for request_id, prepare in self.sender.packets_to_send(self.now):
            self.prepares.append((self.now, request_id, prepare))
            self.in_flight += 1
            self._later(self.latency_ms // 2, "arrives", request_id, prepare)
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self.events += self.sender.events()
        if check:
            self.check_invariants()

    def check_invariants(self) -> None:
        progress = self.progress
        if self.sender.quote is not None:
            assert progress.sent + progress.in_flight + progress.unknown <= self.sender.quote.send_max
        assert min(progress[:7]) >= 0

    def _later(self, ms: int, what: str, request_id: RequestId, packet: object) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + ms, self._count, what, request_id, packet))

    def _arrives(self, request_id: RequestId, prepare: Prepare) -> None:
        reply = self._way(prepare)
        if reply is None:
            if self.lost_is_told:  # By our own connector, when the packet has expired.
                self._later(prepare.expires_at - self.now, "reply", request_id, Reject("R00", "test.own"))
            return
        if isinstance(reply, Reject):
            self.codes[reply.code] += 1
        replies = [(request_id, reply)] if self.reply_filter is None else self.reply_filter(request_id, reply)
        for to, what in replies:
            self._later(self.latency_ms - self.latency_ms // 2, "reply", to, what)

    def _way(self, prepare: Prepare) -> Reply | None:
        amount = prepare.amount
        for hop in self.hops:
            out = hop(amount, self.now)
            if out is None or isinstance(out, Reject):
                return out
            amount = out
        reply = self.answer(prepare.forwarded(amount=amount, expires_at=prepare.expires_at), self.now)
        if isinstance(reply, Fulfill):
            self.ledger += amount
            self.charged += prepare.amount
        return reply


@pytest.fixture(scope="session")
def stream() -> SimpleNamespace:
    """The kit."""
    return SimpleNamespace(
        World=World, at_rate=at_rate, at_most=at_most, SeededEntropy=SeededEntropy, START=START, USD=USD, EUR=EUR
    )
