"""Make a Prepare, look at its octets, and answer it: the Interledger protocol without a network.

Run:  python examples/encode_packet.py
"""

from __future__ import annotations

from hashlib import sha256

from interledger.clock import SystemClock, Timestamp
from interledger.ilp.address import parse_address
from interledger.ilp.packet import Fulfill, Prepare, decode_packet

# The receiver knows 32 octets that nobody else does; the sender knows their hash.
fulfillment = bytes(range(32))

prepare = Prepare(
    amount=1_000_000,  # 0.001 USD, when the link counts in USD/9
    expires_at=Timestamp(SystemClock().now() + 30_000),
    execution_condition=sha256(fulfillment).digest(),
    destination=parse_address("test.bob"),
    data=b"for the receiver only",
)
octets = prepare.encode()
print(f"a Prepare of {len(octets)} octets: {octets.hex()}")

# A connector changes amount and expiry, and can change nothing else.
onward = Prepare.decode(octets).forwarded(amount=999_000, expires_at=Timestamp(prepare.expires_at - 1000))
print(f"forwarded: {onward}")

reply = decode_packet(Fulfill(fulfillment, b"thanks").encode())
print(f"answered: {reply}")
print(f"fulfills it: {isinstance(reply, Fulfill) and reply.matches(onward.execution_condition)}")
