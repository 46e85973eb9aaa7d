"""The client that dials; most of it is tested with its sockets, in `test_shell`."""

from __future__ import annotations

import pytest

from interledger.link.btp.client import BtpClient, _Handshake
from interledger.link.btp.urls import parse_btp_url
from interledger.link.handshake import ClientHandshake
from tests.link.btp.sockets import CLOCK, ENTROPY, Side
from tests.link.btp.test_shell import FakeTransport


async def test_octets_behind_an_answer_that_was_refused_are_ignored() -> None:
    here = Side()
    handshake = _Handshake(ClientHandshake("ws://node.example/", ENTROPY), lambda: pytest.fail("no socket"))
    handshake.data_received(b"before a connection")
    handshake.connection_made(FakeTransport())
    handshake.data_received(b"HTTP/1.1 500 ")
    assert not handshake.done.done()
    handshake.data_received(b"No\r\n\r\n")
    assert handshake.done.exception() is not None
    handshake.data_received(b"more")
    handshake.connection_lost(None)
    assert here.ups == 0


async def test_a_client_may_be_stopped_before_it_starts() -> None:
    client = BtpClient(Side().link, parse_btp_url("btp+ws://127.0.0.1:1/"), clock=CLOCK, entropy=ENTROPY)
    await client.stop()
