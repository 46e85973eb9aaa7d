"""Messages without an ILP packet, and Transfers, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from interledger.accounts.account import AccountId
from interledger.errors import LinkError
from interledger.link.base import RequestId
from interledger.link.btp.link import OUTPUT_OCTETS_MAX
from interledger.link.btp.messages import (
    BTP_ERRORS,
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    ProtocolData,
    encode_ilp,
)
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.requests import REQUESTS_IN_MAX, REQUESTS_OUT_MAX
from interledger.link.btp.subprotocols import Answer, Refusal, Respond, SubprotocolRequest

if TYPE_CHECKING:
    from .conftest import World

CLAIM = ProtocolData("claim", 2, b"{}")
DONE = ProtocolData("claim", 1, b"done")
MORE = ProtocolData("more", 0, b"\x00")


class Desk:
    """A handler that answers at once, or keeps what it was asked."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer
        self.asked: list[SubprotocolRequest] = []
        self.respond: list[Respond] = []

    def __call__(self, request: SubprotocolRequest, respond: Respond) -> None:
        self.asked.append(request)
        self.respond.append(respond)
        if self.answer is not None:
            respond(self.answer)


def receive(world: World, connection: BtpConnection, *packets: BtpPacket | bytes) -> list[BtpPacket]:
    """Give the connection some packets; what it sent since."""
    octets = [packet if isinstance(packet, bytes) else packet.encode() for packet in packets]
    connection.receive_packets(octets, world.now)
    return world.sent(connection)


def error(request_id: int, code: str, data: str, world: World) -> BtpError:
    return BtpError(request_id, code, BTP_ERRORS[code], world.now, data.encode())


# ---------------------------------------------------------------------- the peer asks


def test_a_message_goes_to_the_handler_of_its_first_entry(world: World) -> None:
    desk, connection = Desk((DONE, MORE)), world.connect()
    world.link.subprotocols.register("claim", desk)
    assert receive(world, connection, BtpMessage(5, (CLAIM, MORE))) == [BtpResponse(5, (DONE, MORE))]
    assert desk.asked == [SubprotocolRequest(AccountId("alice"), (CLAIM, MORE))]
    assert connection.unanswered == set()
    # RFC 23: the first entry alone says what is asked.
    (refused,) = receive(world, connection, BtpMessage(6, (MORE, CLAIM)))
    assert refused == error(6, "F00", "this node does not speak the sub-protocol 'more'", world)


@pytest.mark.parametrize("code", BTP_ERRORS)
def test_a_handler_may_refuse_with_any_code_of_the_rfc(world: World, code: str) -> None:
    world.link.subprotocols.register("claim", Desk(Refusal(code, "no", (MORE,))))
    (refused,) = receive(world, world.connect(), BtpMessage(5, (CLAIM,)))
    assert refused == BtpError(5, code, BTP_ERRORS[code], world.now, b"no", (MORE,))


def test_a_code_that_is_none_becomes_F00(world: World) -> None:
    world.link.subprotocols.register("claim", Desk(Refusal("X1", "no")))
    assert receive(world, world.connect(), BtpMessage(5, (CLAIM,))) == [error(5, "F00", "no", world)]


def test_BT_09_a_transfer_goes_to_the_hook_with_its_amount(world: World) -> None:
    hook, connection = Desk((DONE,)), world.connect()
    world.link.subprotocols.set_settlement_hook(hook)
    assert receive(world, connection, BtpTransfer(5, 2**64 - 1, (CLAIM,))) == [BtpResponse(5, (DONE,))]
    assert hook.asked == [SubprotocolRequest(AccountId("alice"), (CLAIM,), 2**64 - 1)]
    hook.answer = Refusal("F08", "too much")
    assert receive(world, connection, BtpTransfer(6, 1)) == [error(6, "F08", "too much", world)]
    assert world.link.counters.transfers_refused == 0


def test_an_answer_may_come_later_and_once(world: World) -> None:
    desk, connection = Desk(), world.connect()
    world.link.subprotocols.register("claim", desk)
    assert receive(world, connection, BtpMessage(5, (CLAIM,)), BtpMessage(6, (CLAIM,))) == []
    desk.respond[1]((DONE,))
    desk.respond[1]((MORE,))
    desk.respond[0]((MORE,))
    assert world.sent(connection) == [BtpResponse(6, (DONE,)), BtpResponse(5, (MORE,))]


def test_D8_an_id_in_flight_is_refused_for_requests_of_every_kind(world: World) -> None:
    desk, connection = Desk(), world.connect()
    world.link.subprotocols.register("claim", desk)
    prepare = encode_ilp(6, 5, world.prepare().encode())
    assert receive(world, connection, BtpMessage(5, (CLAIM,))) == []
    assert [p.request_id for p in receive(world, connection, prepare)] == [5]
    assert world.handler.calls == []
    assert receive(world, connection, encode_ilp(6, 6, world.prepare().encode())) == []
    assert receive(world, connection, BtpMessage(6, (CLAIM,))) == [
        error(6, "F05", "this request id is in flight", world)
    ]
    assert len(desk.asked) == 1


def test_an_answer_leaves_on_the_connection_of_its_request_or_not_at_all(world: World) -> None:
    desk, first, second = Desk(), world.connect(), world.connect()
    world.link.subprotocols.register("claim", desk)
    receive(world, first, BtpMessage(5, (CLAIM,)))
    receive(world, second, BtpMessage(5, (CLAIM,)))
    desk.respond[0]((DONE,))
    assert (world.sent(first), world.sent(second)) == ([BtpResponse(5, (DONE,))], [])
    second.lost(world.now)
    desk.respond[1]((DONE,))
    assert world.sent(second) == []
    assert world.link.counters.replies_dropped == 1


def test_nothing_is_begun_that_could_not_be_answered(world: World) -> None:
    hook, connection = Desk((DONE,)), world.connect()
    world.link.subprotocols.set_settlement_hook(hook)
    connection.close(1000, "bye", world.now)
    connection.receive_packets([BtpTransfer(5, 1).encode()], world.now)
    assert hook.asked == []


def test_requests_that_handlers_work_on_are_bounded(world: World) -> None:
    desk, connection = Desk(), world.connect()
    world.link.subprotocols.register("claim", desk)
    receive(world, connection, *(BtpMessage(i, (CLAIM,)) for i in range(REQUESTS_IN_MAX)))
    busy = error(500, "T00", "too many requests are being answered", world)
    assert receive(world, connection, BtpMessage(500, (CLAIM,))) == [busy]
    desk.respond[0]((DONE,))
    world.sent(connection)
    assert receive(world, connection, BtpMessage(501, (CLAIM,))) == []


def _raise(request: SubprotocolRequest, respond: Respond) -> None:
    raise RuntimeError("a secret of ours")


def test_a_handler_that_fails_is_a_T00_and_a_hook_that_fails_no_answer(world: World) -> None:
    """Whether a Transfer was applied before the failure nobody knows."""
    connection = world.connect()
    world.link.subprotocols.register("claim", _raise)
    world.link.subprotocols.set_settlement_hook(_raise)
    assert receive(world, connection, BtpMessage(5, (CLAIM,))) == [error(5, "T00", "this node could not answer", world)]
    assert receive(world, connection, BtpTransfer(6, 1)) == []
    assert connection.unanswered == set()


def test_an_answer_that_cannot_be_written_is_a_T00(world: World) -> None:
    world.link.subprotocols.register("claim", Desk((ProtocolData("näme", 0, b""),)))
    (answer,) = receive(world, world.connect(), BtpMessage(5, (CLAIM,)))
    assert answer == error(5, "T00", "this node could not answer", world)


# ---------------------------------------------------------------------- we ask


def test_BT_06_our_request_gets_the_answer_with_its_id(world: World) -> None:
    connection, heard = world.connect(), list[BtpPacket]()
    world.link.requests.next_prepare_id = lambda: 0x8000_0001
    requests = world.link.requests
    first = requests.send_message((CLAIM,), heard.append)
    second = requests.send_transfer(7, (CLAIM, MORE), heard.append)
    assert (first, second) == (2, 3)
    assert world.sent(connection) == [BtpMessage(2, (CLAIM,)), BtpTransfer(3, 7, (CLAIM, MORE))]
    answers: list[BtpPacket] = [error(3, "F00", "no", world), BtpResponse(2, (DONE,))]
    assert receive(world, connection, *answers) == []
    assert heard == answers
    assert world.handler.calls == []
    # BT-07: a second answer is ignored.
    receive(world, connection, *answers)
    assert len(heard) == 2
    assert world.link.counters.unknown_responses == 2


def test_an_answer_counts_on_whichever_connection_it_comes(world: World) -> None:
    first, heard = world.connect(), list[BtpPacket]()
    request_id = world.link.requests.send_message((CLAIM,), heard.append)
    second = world.connect()
    first.lost(world.now)
    receive(world, second, BtpResponse(request_id))
    assert heard == [BtpResponse(request_id)]


def test_our_requests_and_our_prepares_have_different_ids(world: World) -> None:
    connection, heard = world.connect(), list[BtpPacket]()
    world.link.requests.next_prepare_id = lambda: 5
    request_id = world.link.requests.send_message((CLAIM,), heard.append)
    world.link.send_prepare(RequestId(5), world.prepare())
    receive(world, connection, BtpResponse(5))
    assert heard == []
    assert world.handler.calls == [("reply", 5, "T00")]
    assert request_id == 5 + 2**31 + 1
    # Nor is a number of ours used twice: the answer to it may come twice.
    world.link.requests.forget(request_id)
    assert world.link.requests.send_message((CLAIM,), heard.append) == request_id + 1


def test_a_request_that_nobody_waits_for_is_forgotten(world: World) -> None:
    connection, heard = world.connect(), list[BtpPacket]()
    request_id = world.link.requests.send_message((CLAIM,), heard.append)
    world.link.requests.forget(request_id)
    receive(world, connection, BtpResponse(request_id))
    assert heard == []


def _not_connected(world: World) -> None: ...


def _blocked(world: World) -> None:
    world.connect().pause_sending(world.now)


def _far_behind(world: World) -> None:
    world.connect().websocket.queued_octets = OUTPUT_OCTETS_MAX + 1


def _too_many(world: World) -> None:
    world.connect()
    for _ in range(REQUESTS_OUT_MAX):
        world.link.requests.send_message((CLAIM,), lambda packet: None)


@pytest.mark.parametrize("state", [_not_connected, _blocked, _far_behind, _too_many])
def test_a_request_that_cannot_leave_is_a_link_error(world: World, state: Callable[[World], None]) -> None:
    state(world)
    with pytest.raises(LinkError):
        world.link.requests.send_message((CLAIM,), lambda packet: None)
