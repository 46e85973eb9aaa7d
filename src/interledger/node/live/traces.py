"""The packets of this node's own payments, in the order they left: what a page draws as a waterfall.

A payment's link to the connector has an ear at its outer end. It costs a payment a microsecond per packet, and packets
that are forwarded nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.clock import Timestamp, stopwatch_us
from interledger.errors import DecodeError
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import Link, PacketHandler, RequestId
from interledger.transport.stream.crypto import StreamCrypto
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.shell import StreamPayer

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["PACKETS_TRACED", "TRACES_KEPT", "PaymentTrace", "TracedPacket", "Traces"]

TRACES_KEPT: Final = 50
"""Payments whose packets are remembered, and whose packets can be opened; the oldest is forgotten first."""

PACKETS_TRACED: Final = 400
"""Of one payment, each by itself; of further ones, only how many there were."""


@final
class TracedPacket:
    """One packet of a payment. `outcome`: in_flight, fulfilled, rejected, unknown, or test: nobody could fulfill it."""

    __slots__ = ("amount", "answered_us", "code", "condition", "data", "delivered", "number", "outcome", "sent_us")

    def __init__(self, number: int, prepare: Prepare, sent_us: int, *, is_test: bool) -> None:
        self.number = number
        self.amount = prepare.amount
        self.condition = prepare.execution_condition
        self.data: bytes | None = prepare.data
        self.sent_us = sent_us
        self.answered_us: int | None = None
        self.outcome = "test" if is_test else "in_flight"
        self.code: str | None = None
        self.delivered: int | None = None


@final
class PaymentTrace:
    """All packets of one payment, its quote's included."""

    def __init__(self, crypto: StreamCrypto, now: Timestamp) -> None:
        self.crypto = crypto
        self.began_at = now
        self.began_us = stopwatch_us()
        self.packets: list[TracedPacket] = []
        self.more = 0
        """Packets beyond `PACKETS_TRACED`."""
        self.is_quote = False
        self._waiting: dict[RequestId, TracedPacket] = {}

    def sent(self, request_id: RequestId, prepare: Prepare) -> None:
        """One left."""
        if len(self.packets) >= PACKETS_TRACED:
            self.more += 1
            return
        packet = TracedPacket(len(self.packets) + 1, prepare, stopwatch_us() - self.began_us, is_test=self.is_quote)
        self.packets.append(packet)
        self._waiting[request_id] = packet

    def answered(self, request_id: RequestId, reply: Reply, *, unknown: bool = False) -> None:
        """Its answer came; `unknown`: the link gave up."""
        packet = self._waiting.pop(request_id, None)
        if packet is None:
            return
        packet.answered_us = stopwatch_us() - self.began_us
        packet.data = None
        if isinstance(reply, Reject):
            packet.code = reply.code
            if packet.outcome != "test" or reply.code != "F99":
                packet.outcome = "unknown" if unknown else "rejected"
        elif isinstance(reply, Fulfill):
            packet.outcome = "fulfilled"
            packet.delivered = _delivered(self.crypto, reply)


@final
class Traces:
    """By payment id."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._traces: OrderedDict[str, PaymentTrace] = OrderedDict()

    def attach(self, peer_id: AccountId, account: Account, payer: StreamPayer, shared_secret: bytes) -> Link:
        """Attach a payer to the connector as `peer_id`, `alice/pay_7QX4` or `alice/pay_7QX4/quote`. Its link."""
        name, _, quote = peer_id.partition("/")[2].partition("/")
        wallets = self._node.wallets
        if not name.startswith("pay_"):
            return wallets.attach_end(peer_id, account, payer)
        trace = self._traces.get(name)
        if trace is None:
            crypto = StreamCrypto(shared_secret, self._node.entropy)
            trace = self._traces[name] = PaymentTrace(crypto, self._node.clock.now())
            if len(self._traces) > TRACES_KEPT:
                self._traces.popitem(last=False)
        trace.is_quote = bool(quote)
        return _TracedLink(wallets.attach_end(peer_id, account, _TracedEnd(payer, trace)), trace)

    def get(self, payment_id: str) -> PaymentTrace | None:
        """None: it is of an earlier life, or too long ago."""
        return self._traces.get(payment_id)

    def crypto_of(self, peer_id: str) -> StreamCrypto | None:
        """What opens the packets that came from `peer_id`, where that is a payment of ours."""
        trace = self._traces.get(peer_id.partition("/")[2].partition("/")[0])
        return None if trace is None else trace.crypto


@final
class _TracedLink:
    """What the payer sends with."""

    def __init__(self, real: Link, trace: PaymentTrace) -> None:
        self._real = real
        self._trace = trace

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self._trace.sent(request_id, prepare)
        self._real.send_prepare(request_id, prepare)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._real.send_reply(request_id, reply)

    def ready(self) -> bool:
        return self._real.ready()


@final
class _TracedEnd:
    """What the connector delivers to, in front of the payer."""

    def __init__(self, payer: PacketHandler, trace: PaymentTrace) -> None:
        self._payer = payer
        self._trace = trace
        self.receive_prepare = payer.receive_prepare
        self.link_lost = payer.link_lost

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self._trace.answered(request_id, reply)
        self._payer.receive_reply(account, request_id, reply, now)

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        self._trace.answered(request_id, reject, unknown=True)
        self._payer.receive_no_reply(account, request_id, reject, now)


def _delivered(crypto: StreamCrypto, reply: Reply) -> int | None:
    """What arrived, as the receiver says."""
    plaintext = crypto.open(reply.data)
    try:
        return None if plaintext is None else StreamPacket.decode(plaintext).prepare_amount
    except DecodeError:
        return None
