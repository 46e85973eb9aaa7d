"""What a reader of the README has at hand: the octets of a packet."""

from interledger.clock import Timestamp
from interledger.ilp.address import parse_address
from interledger.ilp.packet import Prepare

octets = Prepare(
    amount=1, expires_at=Timestamp(1), execution_condition=bytes(32), destination=parse_address("test.bob"), data=b""
).encode()
