"""One end of a STREAM payment as a process: `send` or `receive`, over BTP, with a line of JSON for each event.

python bench/stream_end.py '{"role": "receive", "url": ..., "token": ..., "address": ...}'
python bench/stream_end.py '{"role": "send", the same, and "secret": ..., "amount": ...}'
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import secrets
import sys
from typing import Any

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import SystemClock, SystemEntropy, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import PacketHandler, RequestId
from interledger.link.btp.client import BtpClient
from interledger.link.btp.link import BtpLink
from interledger.link.btp.urls import parse_btp_url
from interledger.transport.stream.payment import FixedSend
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.shell import StreamPayer
from interledger.transport.stream.tokens import ReceiverTokens

USD = Asset("USD", 9)
clock, entropy = SystemClock(), SystemEntropy()


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


class Receiver:
    """Answers Prepares, sends none."""

    def __init__(self, address: str) -> None:
        tokens = ReceiverTokens(secrets.token_bytes(32), entropy)
        self.stream = StreamReceiver(Address(address), tokens, entropy)

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        return self.stream.receive_prepare(prepare, now)

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None: ...

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None: ...

    def link_lost(self, account: AccountId, now: Timestamp) -> None: ...


async def dial(handler: PacketHandler, options: dict[str, Any]) -> BtpLink:
    up = asyncio.Event()
    link = BtpLink(
        AccountId("node"),
        handler,
        clock=clock,
        defer=asyncio.get_running_loop().call_soon,
        address=lambda: "test.end",
        link_up=lambda account, now: up.set(),
    )
    client = BtpClient(link, parse_btp_url(options["url"], options["token"]), clock=clock, entropy=entropy)
    client.start()
    await asyncio.wait_for(up.wait(), 10)
    return link


async def main(options: dict[str, Any]) -> None:
    gc.collect()
    gc.freeze()  # what every node does after its start
    gc.set_threshold(50_000, 20, 100)
    if options["role"] == "receive":
        receiver = Receiver(options["address"])
        await dial(receiver, options)
        address, secret = receiver.stream.new_connection(AccountId("bob"), USD)
        say(event="ready", address=address, secret=base64.b64encode(secret).decode())
        await asyncio.Event().wait()
    secret = base64.b64decode(options["secret"])
    sender = StreamSender(Address(options["address"]), secret, USD, FixedSend(options["amount"]), entropy, clock.now())
    payer = StreamPayer(sender, clock)
    payer.attach(await dial(payer, options))
    await payer.quote()
    say(event="begin")
    ended = await payer.pay()
    say(event="paid", delivered=ended.progress.delivered, failure=str(ended.failure))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
