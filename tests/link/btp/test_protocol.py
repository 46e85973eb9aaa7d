"""One BTP connection: who are you, then packets either way. Every rule BT-01 to BT-17 of the checklist is named here or
beside the part that keeps it (`test_auth`, `test_messages`, `test_link`, `test_shell`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.ilp.packet import Fulfill, Reject, Reply, decode_packet
from interledger.link.base import RequestId
from interledger.link.btp.auth import auth_message
from interledger.link.btp.counters import STRAYS_MAX, STRAYS_PER_S
from interledger.link.btp.messages import (
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    ProtocolData,
    decode_btp,
    encode_ilp,
)
from interledger.link.btp.protocol import (
    AUTH_TIMEOUT_MS,
    SLOW_READER_TIMEOUT_MS,
    STRIKES_MAX,
    UNANSWERED_MAX,
    BtpConnection,
    State,
)

if TYPE_CHECKING:
    from .conftest import World

FULFILL = Fulfill(bytes(32), b"for the sender")
REJECT = Reject("F02", "test.far", "no route")
AUTH = auth_message(1, "", "secret").encode()
INFO = ProtocolData("info", 2, b"{}")


def ilp(octets: bytes, content_type: int = 0) -> ProtocolData:
    return ProtocolData("ilp", content_type, octets)


def codes(packets: Sequence[BtpPacket]) -> list[str]:
    """Each packet in a word: `R` or `R` with the code of its Reject, `E` with the code of the error."""
    words = []
    for packet in packets:
        if isinstance(packet, BtpError):
            words.append(f"E{packet.code} {packet.request_id}")
            continue
        assert isinstance(packet, BtpResponse)
        reply = decode_packet(packet.entries[0].data) if packet.entries else None
        words.append(f"R{reply.code if isinstance(reply, Reject) else ''} {packet.request_id}")
    return words


# ---------------------------------------------------------------------- authentication, server

FIRST_PACKETS = {
    # what comes first: (octets, what we answer, whether the connection is open then)
    "BT-04 the right token": (AUTH, ["R 1"], True),
    "BT-04 a wrong token": (auth_message(2, "", "guess").encode(), ["EF00 2"], False),
    "BT-03 an empty token that nobody configured": (auth_message(2, "", "").encode(), ["EF00 2"], False),
    "BT-01 another Message": (BtpMessage(3, (INFO,)).encode(), ["EF00 3"], False),
    "BT-01 a Prepare": (encode_ilp(6, 4, b"\x0c"), ["EF00 4"], False),
    "BT-01 a Prepare as a Response": (encode_ilp(1, 4, b"\x0c"), [], False),
    "BT-01 a Transfer": (BtpTransfer(5, 1).encode(), ["EF00 5"], False),
    "an Error, which is never answered": (BtpError(6, "F00", "x", Timestamp(0)).encode(), [], False),
    "BT-02 no token": (BtpMessage(7, (ProtocolData("auth", 0, b""),)).encode(), ["EF00 7"], False),
    "octets": (b"\x06\x00\x00\x00\x08\xff", ["EF01 8"], False),
    "too few octets": (b"\x06", [], False),
    "BT-12 BT-13 entries of others": (
        BtpMessage(1, (ProtocolData("auth", 0, b""), INFO, ProtocolData("auth_token", 1, b"secret"))).encode(),
        ["R 1"],
        True,
    ),
}


@pytest.mark.parametrize("name", FIRST_PACKETS)
def test_first_packet(world: World, name: str) -> None:
    octets, answers, opened = FIRST_PACKETS[name]
    connection = world.waiting()
    connection.receive_packets([octets], world.now)
    assert codes(world.sent(connection)) == answers
    assert connection.opened is opened
    assert connection.websocket.closing is not opened
    assert connection.state is (State.OPEN if opened else State.CLOSED)
    assert bool(connection.refusal) is not opened
    assert world.link.ready() is opened
    # Whatever follows a refusal is not looked at.
    if not opened:
        connection.receive_packets([AUTH], world.now)
        connection.receive_packets([encode_ilp(6, 9, world.prepare().encode())], world.now)
        assert world.handler.calls == []


def test_the_reason_of_a_refusal_says_nothing_of_accounts_or_tokens(world: World) -> None:
    connection = world.waiting()
    connection.receive_packets([auth_message(2, "mallory", "guess").encode()], world.now)
    (error,) = world.sent(connection)
    assert isinstance(error, BtpError)
    assert (error.name, error.data) == ("NotAcceptedError", b"invalid credentials")


def test_BT_05_a_server_does_not_wait_for_ever(world: World) -> None:
    connection = world.waiting()
    assert connection.timer() == world.now + AUTH_TIMEOUT_MS
    connection.handle_timer(Timestamp(world.now + AUTH_TIMEOUT_MS - 1))
    assert connection.state is State.AUTHENTICATING
    connection.handle_timer(Timestamp(world.now + AUTH_TIMEOUT_MS))
    assert connection.state is State.CLOSED
    assert connection.websocket.closing


def test_an_authenticated_connection_has_no_such_limit(world: World) -> None:
    connection = world.connect()
    connection.handle_timer(Timestamp(world.now + AUTH_TIMEOUT_MS))
    assert connection.state is State.OPEN


def test_packets_right_behind_auth_count_as_interledger_rs_sends_them(world: World) -> None:
    connection = world.waiting()
    client = world.websocket(client=True)
    client.send(AUTH)
    client.send(encode_ilp(1, 7, world.prepare().encode()))
    connection.receive(client.octets_to_send(), world.now)
    assert world.handler.calls == [("prepare", 7, world.prepare())]


# ---------------------------------------------------------------------- authentication, client


def dial(world: World) -> BtpConnection:
    return BtpConnection.client(world.websocket(client=True), world.link, "bob", "secret", 77, world.now)


def test_a_client_says_who_it_is_and_nothing_else_before_the_answer(world: World) -> None:
    connection = dial(world)
    (message,) = world.websocket().receive(connection.websocket.octets_to_send(), world.now)
    assert decode_btp(message) == auth_message(77, "bob", "secret")
    assert not world.link.ready()
    connection.receive_packets([BtpResponse(77, (INFO,)).encode()], world.now)
    assert connection.state is State.OPEN
    assert world.link.ready()


REFUSALS = {
    # the server's first packet: (octets, whether dialling again soon is pointless)
    "BT-10 a final error": (BtpError(77, "F00", "NotAcceptedError", Timestamp(0)).encode(), True),
    "a temporary error": (BtpError(77, "T00", "UnreachableError", Timestamp(0)).encode(), False),
    "another id": (BtpResponse(78).encode(), False),
    "a Message": (BtpMessage(77).encode(), False),
    "octets": (b"\x01\x00\x00\x00\x4d\xff", False),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_client_that_is_not_let_in_closes(world: World, name: str) -> None:
    octets, final = REFUSALS[name]
    connection = dial(world)
    connection.receive_packets([octets], world.now)
    assert connection.state is State.CLOSED
    assert connection.websocket.closing
    assert connection.refused_for_good is final
    assert connection.refusal
    assert not world.link.ready()


def test_BT_05_a_client_that_gets_no_answer_closes(world: World) -> None:
    connection = dial(world)
    connection.handle_timer(Timestamp(world.now + AUTH_TIMEOUT_MS))
    assert connection.websocket.closing
    assert connection.refusal == "no authentication within 5 seconds"
    connection.handle_timer(Timestamp(world.now + AUTH_TIMEOUT_MS + 1))


# ---------------------------------------------------------------------- packets


@pytest.mark.parametrize("answer", [FULFILL, REJECT])
def test_BT_06_an_answer_given_at_once_leaves_with_the_same_id(world: World, answer: Fulfill | Reject) -> None:
    connection, prepare = world.connect(), world.prepare(data=bytes(500))
    world.handler.answer = answer
    connection.receive_packets([encode_ilp(6, 5, prepare.encode())], world.now)
    assert world.handler.calls == [("prepare", 5, prepare)]
    assert world.sent(connection) == [BtpResponse(5, (ilp(answer.encode()),))]
    connection.receive_packets([encode_ilp(6, 5, prepare.encode())], world.now)  # the id is free again
    assert len(world.handler.calls) == 2


def test_BT_06_an_answer_given_later_leaves_with_the_same_id(world: World) -> None:
    connection = world.connect()
    connection.receive_packets([encode_ilp(6, 5, world.prepare().encode())], world.now)
    assert world.sent(connection) == []
    world.link.send_reply(RequestId(5), FULFILL)
    assert world.sent(connection) == [BtpResponse(5, (ilp(FULFILL.encode()),))]


def test_a_second_connection_counts_its_requests_from_the_start_again(world: World) -> None:
    first, second = world.connect(), world.connect()
    for connection in (first, second):
        connection.receive_packets([encode_ilp(6, 5, world.prepare().encode())], world.now)
    ids = [call[1] for call in world.handler.calls]
    assert ids == [5, 1 << 32 | 5]
    for request_id in reversed(ids):
        world.link.send_reply(request_id, FULFILL)
    assert codes(world.sent(first)) == codes(world.sent(second)) == ["R 5"]
    assert (first.number, second.number) == (0, 1)


PREPARE_SHAPES = {
    "the common one": lambda octets: encode_ilp(6, 5, octets),
    "BT-11 interledger-rs: a Response": lambda octets: encode_ilp(1, 5, octets),
    "with entries behind": lambda octets: BtpMessage(5, (ilp(octets), INFO)).encode(),
    "ilp in another position": lambda octets: BtpMessage(5, (INFO, ilp(octets))).encode(),
    "another content type": lambda octets: BtpMessage(5, (ilp(octets, 1),)).encode(),
    "octets behind": lambda octets: encode_ilp(6, 5, octets) + b"\x00",
}


@pytest.mark.parametrize("name", PREPARE_SHAPES)
def test_shapes_of_a_prepare(world: World, name: str) -> None:
    connection, prepare = world.connect(), world.prepare()
    connection.receive_packets([PREPARE_SHAPES[name](prepare.encode())], world.now)
    assert world.handler.calls == [("prepare", 5, prepare)]


REPLY_SHAPES = {
    "the common one": lambda octets: encode_ilp(1, 5, octets),
    "BT-11 interledger-rs: a Message": lambda octets: encode_ilp(6, 5, octets),
    "with entries behind": lambda octets: BtpResponse(5, (ilp(octets), INFO)).encode(),
    "ilp in another position": lambda octets: BtpResponse(5, (INFO, ilp(octets))).encode(),
}


@pytest.mark.parametrize("name", REPLY_SHAPES)
def test_shapes_of_a_reply(world: World, name: str) -> None:
    connection = world.connect()
    world.link.send_prepare(RequestId(5), world.prepare())
    world.sent(connection)
    connection.receive_packets([REPLY_SHAPES[name](FULFILL.encode())], world.now)
    assert world.handler.calls == [("reply", 5, FULFILL)]
    assert world.sent(connection) == []


def test_BT_11_interledger_rs_may_use_an_id_that_is_one_of_ours_too(world: World) -> None:
    """The type of the ILP packet decides before the request id does."""
    connection = world.connect()
    world.link.send_prepare(RequestId(5), world.prepare(1))
    connection.receive_packets([encode_ilp(1, 5, world.prepare(2).encode())], world.now)
    connection.receive_packets([encode_ilp(6, 5, FULFILL.encode())], world.now)
    assert world.handler.calls == [("prepare", 5, world.prepare(2)), ("reply", 5, FULFILL)]


ANSWERS = {
    # what answers our Prepare 5: (packet, what the handler hears)
    "a BTP error, temporary": (BtpError(5, "T00", "UnreachableError", Timestamp(0)), ("reply", 5, "T01")),
    "BT-10 a BTP error, final": (BtpError(5, "F00", "NotAcceptedError", Timestamp(0)), ("reply", 5, "T00")),
    "no ilp in the Response": (BtpResponse(5), ("reply", 5, "T00")),
    "an empty ilp": (BtpResponse(5, (ilp(b""),)), ("reply", 5, "T00")),
    "an ILP packet that is none": (BtpResponse(5, (ilp(b"\x0d\x01\x00"),)), ("no reply", 5, "T00")),
    "an ILP packet of an unknown type": (BtpResponse(5, (ilp(b"\x01\x00"),)), ("no reply", 5, "T00")),
    "BT-08 two packets": (BtpResponse(5, (ilp(FULFILL.encode()), ilp(b""))), ("no reply", 5, "T00")),
    "another id": (BtpResponse(6), None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_that_are_no_ilp_reply(world: World, name: str) -> None:
    """Not applied, says the peer: released. Nobody knows what it says: unknown."""
    packet, heard = ANSWERS[name]
    connection = world.connect()
    world.link.send_prepare(RequestId(5), world.prepare())
    world.sent(connection)
    connection.receive_packets([packet.encode()], world.now)
    assert world.handler.calls == ([heard] if heard else [])
    assert world.sent(connection) == []
    assert world.link.counters.unknown_responses == (0 if heard else 1)


@pytest.mark.parametrize("reply", [FULFILL, REJECT])
def test_D7_a_peer_that_answers_what_nobody_asked_is_cut_off(world: World, reply: Reply) -> None:
    """On whichever connections it does so; a second forgives some. Of a Fulfill the handler is told all the same."""
    packets = [encode_ilp(1, number, reply.encode()) for number in range(STRAYS_MAX)]
    first, second, third = world.connect(), world.connect(), world.connect()
    first.receive_packets(packets, world.now)
    assert not first.websocket.closing
    second.receive_packets(packets[:100], world.now)
    assert second.websocket.closing
    assert len(world.handler.calls) == (STRAYS_MAX + 1 if reply is FULFILL else 0)
    third.receive_packets(packets[: STRAYS_PER_S - 1], Timestamp(world.now + 1_000))
    assert not third.websocket.closing


TALK = {
    # what the peer of an open connection sends: (packet, whether it moves nothing)
    "a Prepare": (lambda ilp_: BtpMessage(5, (ilp_,)), "prepare", 0),
    "a Prepare and something else": (lambda ilp_: BtpMessage(5, (INFO, ilp_)), "prepare", 0),
    "the answer to ours": (lambda ilp_: BtpResponse(9, (ilp_,)), "fulfill", 0),
    "the answer to ours and something else": (lambda ilp_: BtpResponse(9, (ilp_, INFO)), "fulfill", 0),
    "an answer that nobody waits for": (lambda ilp_: BtpResponse(8, (ilp_,)), "fulfill", 1),
    "and one with something else": (lambda ilp_: BtpResponse(8, (ilp_, INFO)), "fulfill", 1),
    "another sub-protocol": (lambda ilp_: BtpMessage(5, (INFO,)), "prepare", 1),
}


@pytest.mark.parametrize("state", [State.OPEN, State.REPEATING])
@pytest.mark.parametrize("name", TALK)
def test_D7_only_what_moves_nothing_is_talk(world: World, name: str, state: State) -> None:
    """Whatever its shape: a peer whose packets carry more entries, or which repeats them, is not read slowly for it."""
    make, kind, talk = TALK[name]
    connection = world.connect()
    connection.state = state
    world.link.send_prepare(RequestId(9), world.prepare())
    packet = make(ilp((world.prepare() if kind == "prepare" else FULFILL).encode()))
    connection.receive_packets([packet.encode()], world.now)
    assert connection.talk == talk


def test_BT_07_unexpected_responses_are_ignored(world: World) -> None:
    connection = world.connect()
    for packet in (
        encode_ilp(1, 9, REJECT.encode()),
        BtpResponse(9).encode(),
        BtpError(9, "F00", "x", Timestamp(0)).encode(),
    ):
        connection.receive_packets([packet], world.now)
    assert world.handler.calls == []
    assert world.sent(connection) == []
    assert not connection.websocket.closing
    assert world.link.counters.unknown_responses == 3


REQUESTS = {
    # what comes: (packet, what we answer)
    "BT-08 two ilp": (BtpMessage(5, (ilp(b"\x0c"), ilp(b"\x0c"))), "EF01 5"),
    "BT-08 two of another name": (BtpMessage(5, (INFO, INFO)), "EF01 5"),
    "BT-08 two in a Transfer": (BtpTransfer(5, 1, (INFO, INFO)), "EF01 5"),
    "BT-09 a Transfer: not applied, so no Response": (BtpTransfer(5, 1), "EF00 5"),
    "a Prepare that cannot be read": (BtpMessage(5, (ilp(b"\x0c\x03abc"),)), "RF01 5"),
    "an empty ilp": (BtpMessage(5, (ilp(b""),)), "RF01 5"),
    "BTP/1's ILP packet": (BtpMessage(5, (ilp(b"\x01\x00"),)), "RF01 5"),
    "a Message of a sub-protocol that nobody speaks": (BtpMessage(5, (INFO,)), "EF00 5"),
    "a Message of nothing": (BtpMessage(5), "R 5"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_are_no_prepare(world: World, name: str) -> None:
    packet, answer = REQUESTS[name]
    connection = world.connect()
    connection.receive_packets([packet.encode()], world.now)
    assert codes(world.sent(connection)) == [answer]
    assert world.handler.calls == []
    assert not connection.websocket.closing


def test_BT_09_a_refused_transfer_is_counted(world: World) -> None:
    world.connect().receive_packets([BtpTransfer(5, 1).encode()], world.now)
    assert world.link.counters.transfers_refused == 1


def test_a_request_id_that_is_in_flight_is_an_F05_and_no_second_packet(world: World) -> None:
    connection = world.connect()
    for _ in range(2):
        connection.receive_packets([encode_ilp(6, 5, world.prepare().encode())], world.now)
    assert codes(world.sent(connection)) == ["EF05 5"]
    assert len(world.handler.calls) == 1


def test_prepares_without_an_answer_are_bounded(world: World) -> None:
    connection = world.connect()
    connection.unanswered.update(range(100, 100 + UNANSWERED_MAX))
    connection.receive_packets([encode_ilp(6, 5, world.prepare().encode())], world.now)
    assert codes(world.sent(connection)) == ["RT03 5"]
    assert world.handler.calls == []


def test_D_06_unreadable_packets_are_answered_and_the_third_ends_it(world: World) -> None:
    connection = world.connect()
    unreadable = [b"\x06\x00\x00\x00\x08\xff", b"\x01\x00\x00\x00\x08\xff", b"\x05\x00\x00\x00\x09\x02\x01\x00"]
    assert len(unreadable) == STRIKES_MAX
    answers = []
    for octets in unreadable:
        assert not connection.websocket.closing
        connection.receive_packets([octets], world.now)
        answers += codes(world.sent(connection))
    assert answers == ["EF01 8", "EF01 9"]  # a Response is never answered
    assert connection.websocket.closing
    assert world.link.counters.strikes == STRIKES_MAX
    assert world.handler.calls == [("lost", "alice")]


# ---------------------------------------------------------------------- the end


def test_closing_in_good_order_replies_still_count_and_nothing_new_begins(world: World) -> None:
    connection = world.connect()
    world.link.send_prepare(RequestId(5), world.prepare())
    connection.close(1001, "stop", world.now)
    assert not world.link.ready()
    connection.receive_packets([encode_ilp(6, 9, world.prepare().encode())], world.now)
    connection.receive_packets([encode_ilp(1, 5, FULFILL.encode())], world.now)
    assert world.handler.calls == [("lost", "alice"), ("reply", 5, FULFILL)]
    connection.lost(world.now)
    assert connection.state is State.CLOSED
    assert len(world.handler.calls) == 2


def test_a_close_of_the_peer_takes_the_connection_from_the_link(world: World) -> None:
    connection = world.connect()
    peer = world.websocket(client=True)
    peer.send(encode_ilp(6, 5, world.prepare().encode()))
    peer.close(1000, "bye", world.now)
    connection.receive(peer.octets_to_send(), world.now)
    assert not world.link.ready()
    assert connection.websocket.finished
    assert [call[0] for call in world.handler.calls] == ["lost"]  # the answer to its Prepare could not leave any more


def test_a_hostile_frame_takes_the_connection_from_the_link(world: World) -> None:
    connection = world.connect()
    connection.receive(b"\xff\x80", world.now)
    assert world.handler.calls == [("lost", "alice")]


def test_a_slow_reader_is_given_up_after_a_while(world: World) -> None:
    connection = world.connect()
    connection.pause_sending(world.now)
    assert not world.link.ready()
    connection.resume_sending()
    assert world.link.ready()
    connection.pause_sending(world.now)
    first_ping = connection.timer()
    assert first_ping < world.now + SLOW_READER_TIMEOUT_MS
    connection.handle_timer(first_ping)
    assert connection.timer() == world.now + SLOW_READER_TIMEOUT_MS
    connection.handle_timer(Timestamp(world.now + SLOW_READER_TIMEOUT_MS))
    assert connection.websocket.finished
    assert world.handler.calls == [("lost", "alice")]


def test_a_dead_peer_is_given_up(world: World) -> None:
    connection = world.connect()
    for _ in range(3):
        connection.handle_timer(connection.timer())
    assert connection.websocket.finished
    assert world.handler.calls == [("lost", "alice")]


PIECES = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda kind, octets: encode_ilp(kind, 5, octets), st.sampled_from([1, 6]), st.binary(max_size=60)),
    st.sampled_from([AUTH, encode_ilp(1, 5, FULFILL.encode()), BtpError(5, "F00", "x", Timestamp(0)).encode()]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=st.lists(PIECES, max_size=8), opened=st.booleans())
def test_packets_of_any_kind_never_raise(world: World, packets: list[bytes], opened: bool) -> None:
    connection = world.connect() if opened else world.waiting()
    for packet in packets:
        connection.receive_packets([packet], world.now)
    world.sent(connection)
    connection.lost(world.now)
