"""The frames of one WebSocket connection (RFC 6455, sections 5 to 7) after its handshake, sans-I/O and both roles.

Octets and `now` go in, whole binary messages come out. What is sent is queued and leaves as one piece of octets when
the shell asks for it: one write per turn of the event loop is several times cheaper than one per frame.

Only what the links of this package need: binary messages, no extensions, so no compression.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, final

from interledger.clock import Entropy, Timestamp
from interledger.link.masking import apply_mask

__all__ = [
    "CLOSE_TIMEOUT_MS",
    "CONTROL_FRAMES_PER_SECOND",
    "FRAGMENTS_MAX",
    "MESSAGE_MAX",
    "PING_INTERVAL_MS",
    "CloseCode",
    "WebSocket",
]

MESSAGE_MAX: Final = 65_536
"""Octets of one message, all fragments together: the largest ILP packet has 42 kB. Checked before they are kept."""

FRAGMENTS_MAX: Final = 64
"""Frames of one message: each costs memory beyond its octets, so that counting octets alone is not enough."""

CONTROL_FRAMES_PER_SECOND: Final = 10
"""Pings and pongs we read in a second: honest peers send one in twenty seconds."""

PING_INTERVAL_MS: Final = 20_000
"""How often we ask a silent peer whether it is there: what the JavaScript plugin does."""

PINGS_MISSED_MAX: Final = 2
"""Pings without any octet from the peer after which the connection counts as dead."""

CLOSE_TIMEOUT_MS: Final = 2_000
"""How long we wait for the peer's Close after ours, before the socket is closed."""

_OP_CONTINUATION: Final = 0x0
_OP_TEXT: Final = 0x1
_OP_BINARY: Final = 0x2
_OP_CLOSE: Final = 0x8
_OP_PING: Final = 0x9
_OP_PONG: Final = 0xA
_OPCODES: Final = frozenset((_OP_CONTINUATION, _OP_TEXT, _OP_BINARY, _OP_CLOSE, _OP_PING, _OP_PONG))
_FIN_BINARY: Final = 0x82

_LONG_LENGTH: Final = "a length is not in its shortest form"

_HEAD_16: Final = Struct(">BBH").pack
_HEAD_64: Final = Struct(">BBQ").pack


class CloseCode:
    """The codes of RFC 6455, section 7.4.1, that we send."""

    NORMAL: Final = 1000
    GOING_AWAY: Final = 1001
    PROTOCOL_ERROR: Final = 1002
    UNSUPPORTED_DATA: Final = 1003
    POLICY_VIOLATION: Final = 1008
    MESSAGE_TOO_BIG: Final = 1009


_CLOSE_CODES_READ: Final = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))
"""And those a peer may send, besides 3000 to 4999."""


@final
class WebSocket:
    """One connection. `client`: whether this end dialled, and so masks what it sends.

    `wake` is called when there is something to send and nothing was: the shell then calls `octets_to_send` once, soon.
    """

    __slots__ = (
        "_broken",
        "_client",
        "_close_due",
        "_close_frame",
        "_control",
        "_control_count",
        "_control_since",
        "_entropy",
        "_fragments",
        "_fragments_size",
        "_mask_bit_received",
        "_ping_due",
        "_pings_missed",
        "_queue",
        "_tail",
        "_wake",
        "close_reason",
        "closing",
        "finished",
        "queued_octets",
    )

    def __init__(self, *, client: bool, entropy: Entropy, wake: Callable[[], object], now: Timestamp) -> None:
        self._client = client
        self._entropy = entropy
        self._wake = wake
        # RFC 6455, 5.1: a client masks every frame it sends; a server masks none.
        self._mask_bit_received = 0 if client else 0x80
        self._broken = False
        self._tail = b""
        self._fragments: list[bytes] = []
        self._fragments_size = 0
        self._queue: list[bytes] = []
        self._control: list[bytes] = []
        self._close_frame: bytes | None = None
        self._control_since = now
        self._control_count = 0
        self._ping_due = now + PING_INTERVAL_MS
        self._pings_missed = 0
        self._close_due: int | None = None
        self.queued_octets = 0
        """Octets of messages that wait for `octets_to_send`."""
        self.closing = False
        """A Close was sent or is queued: nothing can be sent any more."""
        self.close_reason = ""
        """Why, for the log; set when `closing` or `finished` becomes true."""
        self.finished = False
        """The socket can be closed as soon as what is queued has left."""

    # ------------------------------------------------------------------ in

    def receive(self, octets: bytes, now: Timestamp) -> list[bytes]:
        """Octets of the socket -> the messages they complete, in order. After a broken frame nothing is read."""
        if self._broken or self.finished:
            return []
        if self._tail:
            octets = self._tail + octets
            self._tail = b""
        self._pings_missed = 0
        messages: list[bytes] = []
        mask_bit = self._mask_bit_received
        size = len(octets)
        offset = 0
        while size - offset >= 2:
            first, length = octets[offset], octets[offset + 1] ^ mask_bit
            body = offset + 2
            if length < 126:
                pass
            elif length == 126:
                body += 2
                if body > size:
                    break
                length = octets[offset + 2] << 8 | octets[offset + 3]
                if length < 126:
                    return self._fail(CloseCode.PROTOCOL_ERROR, _LONG_LENGTH, messages, now)
            elif length == 127:
                body += 8
                if body > size:
                    break
                length = int.from_bytes(octets[offset + 2 : body], "big")
                if length < 65_536:
                    return self._fail(CloseCode.PROTOCOL_ERROR, _LONG_LENGTH, messages, now)
                if length > MESSAGE_MAX:
                    return self._fail(CloseCode.MESSAGE_TOO_BIG, f"a frame of {length} octets", messages, now)
            else:
                wrong = "is not masked" if mask_bit else "is masked"
                return self._fail(CloseCode.PROTOCOL_ERROR, f"a frame {wrong}", messages, now)
            if first != _FIN_BINARY or self._fragments:
                wrong = self._check_head(first, length)
                if wrong:
                    return self._fail(CloseCode.PROTOCOL_ERROR, wrong, messages, now)
            if mask_bit:
                body += 4
            end = body + length
            if end > size:
                break
            payload = apply_mask(octets[body:end], octets[body - 4 : body]) if mask_bit else octets[body:end]
            offset = end
            if first == _FIN_BINARY:
                messages.append(payload)
            elif not self._receive_other(first, payload, messages, now):
                return messages
        if offset < size:
            self._tail = octets[offset:]
        return messages

    def _check_head(self, first: int, length: int) -> str:
        """What is wrong with a frame that is no whole binary message, or nothing. Known before its payload is here."""
        opcode = first & 0x0F
        if first & 0x70:
            return "a reserved bit is set, and no extension was agreed"
        if opcode not in _OPCODES:
            return f"the operation {opcode} is unknown"
        if opcode >= _OP_CLOSE and (length > 125 or not first & 0x80):
            return "a control frame is longer than 125 octets or in fragments"
        if opcode == _OP_CONTINUATION and not self._fragments:
            return "a fragment without a beginning"
        if opcode in (_OP_TEXT, _OP_BINARY) and self._fragments:
            return "a message begins inside another"
        return ""

    def _receive_other(self, first: int, payload: bytes, messages: list[bytes], now: Timestamp) -> bool:
        """Everything but a whole binary message. False when the rest of the octets is of no interest."""
        opcode = first & 0x0F
        if opcode == _OP_CLOSE:
            self._receive_close(payload, now)
            return False
        if opcode in (_OP_PING, _OP_PONG):
            return self._receive_control(opcode, payload, now)
        if opcode == _OP_TEXT:
            self._fail(CloseCode.UNSUPPORTED_DATA, "a text message", messages, now)
            return False
        self._fragments.append(payload)
        self._fragments_size += len(payload)
        if self._fragments_size > MESSAGE_MAX or len(self._fragments) > FRAGMENTS_MAX:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "a message in too many fragments", messages, now)
            return False
        if first & 0x80:
            messages.append(b"".join(self._fragments))
            self._fragments = []
            self._fragments_size = 0
        return True

    def _receive_control(self, opcode: int, payload: bytes, now: Timestamp) -> bool:
        if now - self._control_since >= 1000:
            self._control_since = now
            self._control_count = 0
        self._control_count += 1
        if self._control_count > CONTROL_FRAMES_PER_SECOND:
            self._fail(CloseCode.POLICY_VIOLATION, "too many pings", [], now)
            return False
        if opcode == _OP_PING and not self.closing:
            self._send_control(_OP_PONG, payload)
        return True

    def _receive_close(self, payload: bytes, now: Timestamp) -> None:
        code = int.from_bytes(payload[:2], "big")
        if payload and not (len(payload) >= 2 and (code in _CLOSE_CODES_READ or 3000 <= code <= 4999)):
            self._fail(CloseCode.PROTOCOL_ERROR, "a Close with a code that cannot be sent", [], now)
            return
        self.close(
            code or CloseCode.NORMAL, f"the peer closed it with code {code}" if code else "the peer closed it", now
        )
        self.finished = True
        self._wake()

    def _fail(self, code: int, reason: str, messages: list[bytes], now: Timestamp) -> list[bytes]:
        """The peer broke the protocol: Close with `code`, read nothing more. The messages before that still count."""
        # The socket stays open until the peer or the timer closes it: closing it over unread octets resets it, and the
        # peer would never see our Close.
        self.close(code, reason, now)
        self._broken = True
        self._tail = b""
        self._fragments = []
        return messages

    # ------------------------------------------------------------------ out

    def send(self, message: bytes) -> None:
        """Queue one binary message. Dropped when the connection is closing."""
        if self.closing:
            return
        queue = self._queue
        if not queue:
            self._wake()
        queue.append(message)
        self.queued_octets += len(message)

    def close(self, code: int, reason: str, now: Timestamp) -> None:
        """Queue a Close behind everything that is queued. Messages are still read until the peer's Close comes."""
        if self.closing:
            return
        self.closing = True
        self.close_reason = reason
        self._close_due = now + CLOSE_TIMEOUT_MS
        self._close_frame = self._frame(_OP_CLOSE, code.to_bytes(2, "big"))
        self._wake()

    def octets_to_send(self) -> bytes:
        """Everything that is queued, as frames: pongs and pings first, the messages, then a Close."""
        parts = self._control
        self._control = []
        queue = self._queue
        if queue:
            self._queue = []
            self.queued_octets = 0
            if self._client:
                self._frame_masked(queue, parts)
            else:
                for message in queue:
                    size = len(message)
                    if size < 126:
                        parts.append(bytes((_FIN_BINARY, size)))
                    elif size < 65_536:
                        parts.append(_HEAD_16(_FIN_BINARY, 126, size))
                    else:
                        parts.append(_HEAD_64(_FIN_BINARY, 127, size))
                    parts.append(message)
        if self._close_frame is not None:
            parts.append(self._close_frame)
            self._close_frame = None
        return b"".join(parts)

    def _frame_masked(self, queue: list[bytes], parts: list[bytes]) -> None:
        # One request for all keys: the operating system is asked once per write, not once per frame.
        keys = self._entropy.octets(4 * len(queue))
        at = 0
        for message in queue:
            key = keys[at : at + 4]
            at += 4
            size = len(message)
            if size < 126:
                parts.append(bytes((_FIN_BINARY, 0x80 | size)))
            elif size < 65_536:
                parts.append(_HEAD_16(_FIN_BINARY, 0xFE, size))
            else:
                parts.append(_HEAD_64(_FIN_BINARY, 0xFF, size))
            parts.append(key)
            parts.append(apply_mask(message, key))

    def _send_control(self, opcode: int, payload: bytes) -> None:
        self._control.append(self._frame(opcode, payload))
        self._wake()

    def _frame(self, opcode: int, payload: bytes) -> bytes:
        if not self._client:
            return bytes((0x80 | opcode, len(payload))) + payload
        key = self._entropy.octets(4)
        return bytes((0x80 | opcode, 0x80 | len(payload))) + key + apply_mask(payload, key)

    # ------------------------------------------------------------------ time

    def timer(self) -> Timestamp:
        """When `handle_timer` is next due."""
        return Timestamp(self._ping_due if self._close_due is None else self._close_due)

    def handle_timer(self, now: Timestamp) -> None:
        """Ping a silent peer; give up on one that stays silent, or that does not answer our Close."""
        if self._close_due is not None:
            self.finished = self.finished or now >= self._close_due
        elif now >= self._ping_due:
            self._ping_due = now + PING_INTERVAL_MS
            if self._pings_missed >= PINGS_MISSED_MAX:
                self.close(CloseCode.GOING_AWAY, "the peer does not answer pings", now)
                self.finished = True
            else:
                self._pings_missed += 1
                self._send_control(_OP_PING, b"")
