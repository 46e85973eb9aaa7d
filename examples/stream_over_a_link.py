"""A STREAM payment over a link, without a node: one end pays, the other receives, octet for octet as on the network.

    python examples/stream_over_a_link.py

Any link will do; this one stays in the process. Nobody keeps books here: that is what a node is for.
"""

import asyncio
import secrets

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import SystemClock, SystemEntropy, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import Link, PacketHandler, RequestId
from interledger.link.local import connect_local
from interledger.transport.stream.payment import FixedSend
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.shell import pay_over_link
from interledger.transport.stream.tokens import ReceiverTokens

USD = Asset("USD", 2)
BOB = AccountId("bob")
clock, entropy = SystemClock(), SystemEntropy()


class Bob:
    """The receiving end: answers Prepares, sends none."""

    def __init__(self) -> None:
        tokens = ReceiverTokens(secrets.token_bytes(32), entropy)
        self.receiver = StreamReceiver(Address("test.bob"), tokens, entropy)

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        return self.receiver.receive_prepare(prepare, now)

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        pass

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        pass

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        pass


async def main() -> None:
    bob = Bob()
    address, secret = bob.receiver.new_connection(BOB, USD)

    def connect(payer: PacketHandler) -> Link:
        defer = asyncio.get_running_loop().call_soon
        ours, _ = connect_local((payer, AccountId("alice")), (bob, BOB), clock=clock, defer=defer)
        return ours

    sender = StreamSender(address, secret, USD, FixedSend(1_234), entropy, clock.now())
    ended = await pay_over_link(sender, connect, clock=clock)
    print("sent", ended.progress.sent, "delivered", ended.progress.delivered)


if __name__ == "__main__":
    asyncio.run(main())
