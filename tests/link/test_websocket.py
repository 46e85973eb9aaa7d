"""Frames in, messages out: RFC 6455 as far as our links use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.link.masking import apply_mask
from interledger.link.websocket import (
    CLOSE_TIMEOUT_MS,
    CONTROL_FRAMES_PER_SECOND,
    FRAGMENTS_MAX,
    MESSAGE_MAX,
    PING_INTERVAL_MS,
    WebSocket,
)

NOW = Timestamp(1_700_000_000_000)
KEY = b"\x0a\x0b\x0c\x0d"


class Fixed:
    """Entropy that always says the same."""

    def octets(self, count: int) -> bytes:
        return (KEY * count)[:count]


def make(client: bool = False, wake: Callable[[], object] = lambda: None) -> WebSocket:
    return WebSocket(client=client, entropy=Fixed(), wake=wake, now=NOW)


def frame(
    payload: bytes = b"", opcode: int = 2, *, fin: bool = True, masked: bool = True, rsv: int = 0, form: int = 0
) -> bytes:
    """One frame. `form` forces a length of 2 or 8 octets where fewer would do."""
    n = len(payload)
    form = form or (0 if n < 126 else 2 if n < 65_536 else 8)
    short = {0: n, 2: 126, 8: 127}[form]
    head = bytes((fin << 7 | rsv << 4 | opcode, masked << 7 | short)) + (n.to_bytes(form, "big") if form else b"")
    return head + (KEY + apply_mask(payload, KEY) if masked else payload)


def close_code(octets: bytes) -> int:
    """The code of the Close frame (unmasked, so a server's) at the end of `octets`."""
    assert octets[-4:-2] == b"\x88\x02"
    return int.from_bytes(octets[-2:], "big")


SIZES = (0, 1, 125, 126, 127, 65_535, 65_536)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("client", [True, False])
def test_what_one_end_sends_the_other_reads(client: bool, size: int) -> None:
    one, other = make(client), make(not client)
    message = bytes(i & 0xFF for i in range(size))
    one.send(message)
    one.send(b"second")
    assert one.queued_octets == size + 6
    octets = one.octets_to_send()
    assert octets == frame(message, masked=client) + frame(b"second", masked=client)
    assert other.receive(octets, NOW) == [message, b"second"]
    assert one.queued_octets == 0
    assert one.octets_to_send() == b""


@given(st.lists(st.binary(max_size=300), max_size=6), st.lists(st.integers(0, 2000), max_size=8), st.booleans())
def test_messages_come_whole_wherever_the_octets_are_cut(messages: list[bytes], cuts: list[int], client: bool) -> None:
    one, other = make(client), make(not client)
    for message in messages:
        one.send(message)
    octets = one.octets_to_send()
    got: list[bytes] = []
    at = 0
    for cut in sorted(min(cut, len(octets)) for cut in cuts):
        got += other.receive(octets[at:cut], NOW)
        at = cut
    got += other.receive(octets[at:], NOW)
    assert got == messages


@given(st.binary(max_size=400))
def test_octets_of_any_kind_never_raise(octets: bytes) -> None:
    for socket in (make(), make(client=True)):
        socket.receive(octets, NOW)
        socket.octets_to_send()


def test_octet_by_octet_with_fragments_and_pings_between() -> None:
    socket = make()
    octets = (
        frame(b"he", fin=False)
        + frame(b"?", 9)
        + frame(b"l", 0, fin=False)
        + frame(b"", 0, fin=False)
        + frame(b"lo", 0)
        + frame(b"next")
    )
    got = [message for octet in octets for message in socket.receive(bytes((octet,)), NOW)]
    assert got == [b"hello", b"next"]
    assert socket.octets_to_send() == frame(b"?", 10, masked=False)


BIG = (MESSAGE_MAX + 1).to_bytes(8, "big")

HOSTILE = {
    # what comes: (the octets, our Close)
    "a frame without a mask": (frame(b"x", masked=False), 1002),
    "a reserved bit: nobody agreed to compression": (frame(b"x", rsv=4), 1002),
    "an unknown operation": (frame(b"x", 3), 1002),
    "an unknown control operation": (frame(b"x", 11), 1002),
    "a text message": (frame(b"x", 1), 1003),
    "a length of 2 octets for 125": (frame(bytes(125), form=2), 1002),
    "a length of 8 octets for 65535": (frame(bytes(65_535), form=8), 1002),
    "a message that is too large, before it is here": (b"\x82\xff" + BIG, 1009),
    "a length that no memory has": (b"\x82\xff" + b"\xff" * 8, 1009),
    "a fragment without a beginning": (frame(b"x", 0), 1002),
    "a message inside another": (frame(b"x", fin=False) + frame(b"y"), 1002),
    "a fragment of text": (frame(b"x", 1, fin=False), 1003),
    "too much in fragments": (frame(bytes(40_000), fin=False) + frame(bytes(40_000), 0), 1009),
    "too many fragments": (frame(b"", fin=False) + frame(b"", 0, fin=False) * FRAGMENTS_MAX, 1009),
    "a ping that is too long": (frame(bytes(126), 9), 1002),
    "a ping in fragments": (frame(b"x", 9, fin=False), 1002),
    "too many pings": (frame(b"", 9) * (CONTROL_FRAMES_PER_SECOND + 1), 1008),
    "too many pongs": (frame(b"", 10) * (CONTROL_FRAMES_PER_SECOND + 1), 1008),
    "a Close of one octet": (frame(b"\x03", 8), 1002),
    "a Close with a code that is never sent": (frame((1006).to_bytes(2, "big"), 8), 1002),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_end_the_connection_and_nothing_behind_them_is_read(name: str) -> None:
    octets, code = HOSTILE[name]
    socket = make()
    assert socket.receive(frame(b"before") + octets + frame(b"behind"), NOW) == [b"before"]
    assert socket.closing
    assert socket.close_reason
    assert not socket.finished
    assert close_code(socket.octets_to_send()) == code
    assert socket.receive(frame(b"later"), NOW) == []
    socket.send(b"nothing leaves after a Close")
    assert socket.octets_to_send() == b""


def test_a_masked_frame_from_a_server() -> None:
    socket = make(client=True)
    assert socket.receive(frame(b"x"), NOW) == []
    assert socket.octets_to_send() == frame((1002).to_bytes(2, "big"), 8)


@pytest.mark.parametrize("head", [b"\x82", b"\x82\xfe\x01", b"\x82\xff\x00\x00", b"\x82\x85abc"])
def test_a_head_that_is_not_complete_waits(head: bytes) -> None:
    socket = make()
    assert socket.receive(head, NOW) == []
    assert not socket.closing


def test_the_limit_of_pings_is_per_second() -> None:
    socket = make()
    pings = frame(b"", 9) * CONTROL_FRAMES_PER_SECOND
    for second in range(3):
        socket.receive(pings, Timestamp(NOW + 1000 * second))
        assert socket.octets_to_send() == frame(b"", 10, masked=False) * CONTROL_FRAMES_PER_SECOND
    assert not socket.closing


CLOSES = {
    "without a code": b"",
    "normal": b"\x03\xe8",
    "with a reason": b"\x03\xe9bye",
    "of an application": b"\x0f\xa0",
}


@pytest.mark.parametrize("name", CLOSES)
def test_a_close_is_answered(name: str) -> None:
    socket = make()
    assert socket.receive(frame(b"last") + frame(CLOSES[name], 8) + frame(b"behind"), NOW) == [b"last"]
    assert socket.finished
    assert close_code(socket.octets_to_send()) == (int.from_bytes(CLOSES[name][:2], "big") or 1000)
    assert socket.receive(frame(b"later"), NOW) == []


def test_our_close_leaves_last_and_messages_are_read_until_the_peers() -> None:
    socket = make()
    socket.send(b"m")
    socket.close(1001, "stop", NOW)
    socket.close(1002, "only the first counts", NOW)
    socket.receive(frame(b"", 9), NOW)  # no pong any more
    assert socket.octets_to_send() == frame(b"m", masked=False) + frame(b"\x03\xe9", 8, masked=False)
    assert socket.receive(frame(b"late, and yet"), NOW) == [b"late, and yet"]
    assert not socket.finished
    socket.receive(frame(b"\x03\xe9", 8), NOW)
    assert socket.finished
    assert socket.close_reason == "stop"


def test_a_peer_that_does_not_answer_our_close() -> None:
    socket = make()
    socket.close(1000, "bye", NOW)
    assert socket.timer() == NOW + CLOSE_TIMEOUT_MS
    socket.handle_timer(Timestamp(NOW + CLOSE_TIMEOUT_MS - 1))
    assert not socket.finished
    socket.handle_timer(Timestamp(NOW + CLOSE_TIMEOUT_MS))
    assert socket.finished


def test_a_silent_peer_is_pinged_twice_and_then_given_up() -> None:
    socket = make(client=True)
    for _ in range(2):
        due = socket.timer()
        socket.handle_timer(Timestamp(due - 1))
        assert socket.octets_to_send() == b""
        socket.handle_timer(due)
        assert socket.octets_to_send() == frame(b"", 9)
    assert socket.timer() == NOW + 3 * PING_INTERVAL_MS
    socket.handle_timer(socket.timer())
    assert socket.finished
    assert socket.close_reason == "the peer does not answer pings"


def test_any_octet_shows_that_the_peer_lives() -> None:
    socket = make()
    for _ in range(5):
        socket.handle_timer(socket.timer())
        socket.receive(frame(b"", 10), socket.timer())
    assert not socket.closing


def test_wake_is_called_when_there_is_something_to_send_again() -> None:
    woken: list[int] = []
    socket = make(wake=lambda: woken.append(1))
    socket.send(b"a")
    socket.send(b"b")
    assert len(woken) == 1
    socket.octets_to_send()
    socket.send(b"c")
    assert len(woken) == 2
    socket.receive(frame(b"", 9), NOW)
    assert len(woken) == 3
