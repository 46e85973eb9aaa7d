"""Older ledgers, Lightning nodes, WebSocket and HTTP libraries, an RFC: known bugs, and that we do not have them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.account import AccountId
from interledger.accounts.request_journal import Verdict
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.ilp.peer import EMPTY_CONDITION, PEER_CONDITION, PEER_FULFILLMENT
from interledger.link import websocket
from interledger.link.base import RequestId
from interledger.link.btp import link
from interledger.link.http.requests import RequestReader
from tests.connector.connector_kit import NOW, Hub, secret
from tests.link.btp.sockets import Side
from tests.link.btp.test_shell import straw_socket
from tests.link.test_idempotent import EXPIRES, FULFILL, ID, Process
from tests.link.test_websocket import frame, make

TO_BOB = "test.hub.bob"


def hub() -> Hub:
    made = Hub()
    made.attach("alice")
    made.attach("bob")
    return made


# ---------------------------------------------------------------------- ledgers


def test_peer_bug_NB1_books_that_cannot_be_written_are_not_a_lack_of_money() -> None:
    """Fails where a failing database is told as “insufficient funds”, and holds stay (five-bells-ledger 402)."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit(fails=True)
    ((_, reply),) = made.wires["alice"].replies
    assert isinstance(reply, Reject)
    assert str(reply.code) == "T03"
    assert (made.ledger.holds, made.net("alice"), made.wires["bob"].prepares) == ({}, 0, [])
    assert made.send("alice", 5, TO_BOB) is None, "the ledger is not left broken"


# ---------------------------------------------------------------------- preimages


@pytest.mark.parametrize("written", [True, False], ids=["the Fulfill was written", "it was not"])
def test_peer_bug_NB2_after_a_restart_a_known_preimage_is_not_answered_by_a_Reject(
    tmp_path: Path, written: bool
) -> None:
    """Fails where a restart rejects upstream what was fulfilled downstream: paid, and not paid (LND 0.17.5)."""
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    if written:
        process.reply(FULFILL)
        process.commits.flush()
    process.kill()
    again = Process(tmp_path)
    if not written:  # the peer tells it again
        assert again.receive().verdict is Verdict.IN_PROGRESS
        assert again.late()
        again.commits.flush()
    assert again.alice.delivered == [(ID, FULFILL)]
    again.alice.side.handle_timer(EXPIRES)
    again.commits.flush()
    assert again.alice.delivered == [(ID, FULFILL)]
    assert (again.alice_owes, again.ledger.unknown) == (100, {})
    again.kill()


def test_peer_bug_NB3_no_preimage_is_lost() -> None:
    """Fails where a preimage is relayed before it is written, or dropped because it is late (eclair 183)."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit()
    made.answer("bob", Fulfill(secret()))
    batch = made.ledger.take_batch()
    assert batch is not None
    assert secret() in b"".join(batch.records)
    assert [type(reply) for _, _, reply in batch.replies] == [Fulfill]
    made.send("alice", 5, TO_BOB, tag="late")
    made.commit()
    made.connector.handle_timer(Timestamp(NOW + 10_000))
    made.answer("bob", Fulfill(secret("late")), now=10_001)
    batch = made.ledger.take_batch()
    assert batch is not None
    assert secret("late") in b"".join(batch.records)


# ---------------------------------------------------------------------- libraries


def test_peer_bug_NB4_fragments_do_not_fill_the_memory() -> None:
    """Fails where only octets are counted: a message of a million empty fragments (ws GHSA-96hv-2xvq-fx4p)."""
    one = make()
    one.receive(frame(b"", fin=False), NOW)
    for _ in range(websocket.FRAGMENTS_MAX + 1):
        one.receive(frame(b"", 0, fin=False), NOW)
    assert one.closing
    assert websocket.FRAGMENTS_MAX <= 1_000


async def test_peer_bug_NB5_who_does_not_read_is_not_read_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where reading goes on while answers pile up (websockets 105)."""
    side = Side()
    socket, transport = straw_socket(side)
    await asyncio.sleep(0)
    transport.waiting = link.OUTPUT_OCTETS_MAX + 1
    socket.pause_writing()
    side.send(1)
    await asyncio.sleep(0)
    assert "pause" in transport.done
    assert not side.link.ready()
    socket.connection_lost(None)


HOST = b"Host: x\r\n"
NEXT = b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "octets",
    [
        CHUNKED + b"1\r\nxAB0\r\n\r\n",  # h11 < 0.16: any two octets end a chunk (CVE-2025-43859)
        CHUNKED + b"1\r\nx\n\n0\r\n\r\n",
        CHUNKED + b"1;a\nb\r\nx\r\n0\r\n\r\n",  # aiohttp: a line feed within a chunk extension (CVE-2024-52304)
        CHUNKED + b"1;\n\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"0\r\nContent-Length: 1\r\n\r\n",  # aiohttp: a trailer section that is not read (CVE-2025-53643)
        CHUNKED + b"0\r\nX: y\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
def test_peer_bug_NB6_no_request_hides_in_another(octets: bytes) -> None:
    """Fails where the reader goes on behind what two readers understand differently."""
    reader = RequestReader()
    requests = reader.receive(octets + NEXT)
    assert (requests, getattr(reader.refusal, "status", reader.refusal)) == ([], 400)


# ---------------------------------------------------------------------- an RFC


@pytest.mark.parametrize("condition", [PEER_CONDITION, EMPTY_CONDITION], ids=["SHA-256 of zeros", "as RFC 38 prints"])
def test_peer_bug_NB7_peer_settle_takes_both_conditions_and_nothing_else_does(condition: bytes) -> None:
    """Fails where only the condition that RFC 38 prints is taken, or where conditions are not looked at."""
    assert hashlib.sha256(PEER_FULFILLMENT).digest() == PEER_CONDITION != EMPTY_CONDITION == hashlib.sha256().digest()
    made, answers = hub(), []

    class Engine:
        def receive_message(self, account: object, message: bytes, expires_at: Timestamp, answer: Any) -> None:
            answers.append(answer)

    made.connector.services.settlement.engine = Engine()  # type: ignore[assignment] # it refuses nothing
    packet = Prepare(0, Timestamp(NOW + 5_000), condition, Address("peer.settle"), b"hello")
    assert made.connector.receive_prepare(AccountId("bob"), RequestId(1), packet, NOW) is None
    answers[0](b"")
    assert made.wires["bob"].replies == [(1, Fulfill(PEER_FULFILLMENT))]
    for destination, amount, code in (("peer.config", 0, "F01"), ("peer.settle", 5, "F00")):
        other = Prepare(amount, Timestamp(NOW + 5_000), EMPTY_CONDITION, Address(destination))
        reply = made.connector.receive_prepare(AccountId("bob"), RequestId(2), other, NOW)
        assert isinstance(reply, Reject)
        assert str(reply.code) in (code, "F00", "F01")
    made.send("alice", 5, TO_BOB)
    made.commit()
    made.answer("bob", Fulfill(PEER_FULFILLMENT))
    made.commit()
    assert [str(r.code) for _, r in made.wires["alice"].replies if isinstance(r, Reject)] == ["F05"]
