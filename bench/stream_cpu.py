"""CPU of one STREAM packet at its two ends, without connector and sockets. Run by hand: `python bench/stream_cpu.py`.

Prints microseconds of process time per packet for the sender and for the receiver, best of three runs.
"""

from __future__ import annotations

import gc
import time

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import SystemClock, SystemEntropy
from interledger.ilp.address import Address
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.packet import Reject
from interledger.transport.stream.payment import FixedSend, PaymentEnded, QuoteReady
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.tokens import ReceiverTokens

PACKETS = 20_000
PACKET_MAX = 1_000
ASSET = Asset("USD", 9)


def run() -> tuple[float, float]:
    """Seconds at the sender and at the receiver for one payment."""
    entropy, now = SystemEntropy(), SystemClock().now()
    receiver = StreamReceiver(Address("test.bob"), ReceiverTokens(b"s" * 32, entropy), entropy)
    address, secret = receiver.new_connection(AccountId("bob"), ASSET)
    sender = StreamSender(
        address, secret, ASSET, FixedSend(PACKETS * PACKET_MAX), entropy, now, destination_asset=ASSET
    )
    at_sender = at_receiver = 0.0
    while True:
        started = time.process_time()
        packets = sender.packets_to_send(now)
        at_sender += time.process_time() - started
        for event in sender.events():
            if isinstance(event, QuoteReady):
                sender.pay(now)
            elif isinstance(event, PaymentEnded):
                assert event.failure is None
                return at_sender, at_receiver
        started = time.process_time()
        replies = [
            (
                request_id,
                receiver.receive_prepare(prepare, now)
                if prepare.amount <= PACKET_MAX
                else Reject("F08", "test.hop", "", AmountTooLarge(prepare.amount, PACKET_MAX).encode()),
            )
            for request_id, prepare in packets
        ]
        at_receiver += time.process_time() - started
        started = time.process_time()
        for request_id, reply in replies:
            sender.receive_reply(request_id, reply, now)
        at_sender += time.process_time() - started


def main() -> None:
    gc.disable()  # A node freezes and raises its thresholds: the collector is not what is measured.
    best = min((run() for _ in range(3)), key=sum)
    at_sender, at_receiver = (seconds / PACKETS * 1e6 for seconds in best)
    print(f"sender {at_sender:.1f} us, receiver {at_receiver:.1f} us, both {at_sender + at_receiver:.1f} us per packet")


if __name__ == "__main__":
    main()
