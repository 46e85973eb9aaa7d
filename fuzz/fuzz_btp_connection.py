"""Invariant: no packets over an authenticated connection raise; a request has one answer at most, an answer has none.

The octets are packets, each behind its length (two octets). Both variants of BTP get them, twice: with handlers that
answer, then again, so that what came before is repeated.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from interledger.accounts.account import AccountId
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.link.btp.auth import auth_message
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import (
    BtpError,
    BtpMessage,
    BtpResponse,
    BtpTransfer,
    ProtocolData,
    decode_btp,
    encode_ilp,
)
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.repeating import RepeatingLink
from interledger.link.btp.subprotocols import Refusal, Respond, SubprotocolRequest
from interledger.link.websocket import WebSocket

NOW = Timestamp(1_700_000_000_000)
PREPARE = Prepare(1, Timestamp(NOW + 10_000), bytes(32), Address("test.x")).encode()
EARLY = Prepare(1, Timestamp(-60_000_000_000_000), bytes(32), Address("test.x")).encode()
"""Expired in the year 68: found by atheris; the journal of requests could not write it."""


def framed(*packets: bytes) -> bytes:
    return b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)


LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    framed(encode_ilp(6, 1, PREPARE), encode_ilp(6, 1, PREPARE), encode_ilp(1, 2, PREPARE)),
    framed(encode_ilp(6, 1, EARLY)),
    framed(BtpMessage(3, (ProtocolData("claim", 0, b""),)).encode(), BtpTransfer(4, 5).encode()),
    framed(BtpResponse(5).encode(), BtpError(6, "F00", "NotAcceptedError", NOW).encode()),
    framed(b"\x06\x00\x00\x00\x07\xff", BtpMessage(8, (ProtocolData("unheard", 0, b""),)).encode()),
)


class Still:
    """A clock that stands, and randomness that is none."""

    def now(self) -> Timestamp:
        return NOW

    def octets(self, count: int) -> bytes:
        return bytes(count)


class Handler:
    def receive_prepare(self, *_: Any) -> Fulfill:
        return Fulfill(bytes(32))

    def receive_reply(self, *_: Any) -> None: ...
    def receive_no_reply(self, *_: Any) -> None: ...
    def link_lost(self, *_: Any) -> None: ...


def answer(request: SubprotocolRequest, respond: Respond) -> None:
    respond((ProtocolData("claim", 1, b"done"),))
    respond(Refusal("F00", "only the first answer counts"))


def connected(repeats: bool) -> BtpConnection:
    still = Still()
    link = BtpLink(AccountId("peer"), Handler(), clock=still, defer=lambda call: None, address=lambda: "test.node")
    if repeats:
        RepeatingLink(link, Ledger(), "peer/peer", still)
    link.subprotocols.register("claim", answer)
    link.subprotocols.set_settlement_hook(answer)
    websocket = WebSocket(client=False, entropy=still, wake=lambda: None, now=NOW)
    connection = BtpConnection.server(websocket, lambda username, token: link, NOW)
    connection.receive_packets([auth_message(0, "", "secret").encode()], NOW)
    websocket.octets_to_send()
    return connection


def check(octets: bytes) -> None:
    packets = []
    while len(octets) >= 2:
        size = int.from_bytes(octets[:2], "big")
        packets.append(octets[2 : 2 + size])
        octets = octets[2 + size :]
    for repeats in (False, True):
        connection = connected(repeats)
        for packet in packets + packets:
            if connection.websocket.closing:
                break
            connection.receive_packets([packet], NOW)
            reader = WebSocket(client=True, entropy=Still(), wake=lambda: None, now=NOW)
            answers = reader.receive(connection.websocket.octets_to_send(), NOW)
            said = Counter(decode_btp(answered).request_id for answered in answers)
            assert sum(said.values()) <= 1
            if said:
                assert list(said) == [int.from_bytes(packet[1:5], "big")]
                # The Prepare in a Response is interledger-rs's (D-07); where requests are repeated it has no place.
                assert packet[0] not in (1, 2) or (packet[0] == 1 and not repeats)
        assert not connection.unanswered


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
