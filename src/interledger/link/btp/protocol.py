"""One BTP connection (RFC 23) over one WebSocket, sans-I/O, both roles: who are you, then packets either way.

```text
client: ──► auth ──► AUTHENTICATING ──Response──► OPEN ──► CLOSED
                           └──────── Error, timer, anything else ─────────► CLOSED
server:              AUTHENTICATING ──auth, known──► OPEN ──► CLOSED
                           └──────── Error: first packet wrong, token wrong, timer ──► CLOSED
```

When OPEN both sides are equal. A packet of the common shape goes from the octets to the handler and back in one call;
the others leave that path at the first octet that differs.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Final, final

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import TYPE_FULFILL, TYPE_PREPARE, TYPE_REJECT, Fulfill, Prepare, Reject, decode_reply
from interledger.link.base import RequestId
from interledger.link.btp.auth import auth_message, read_auth
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import (
    BTP_ERRORS,
    TYPE_ERROR,
    TYPE_RESPONSE,
    WITH_ILP,
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    decode_btp,
    encode_ilp,
    find_entry,
    find_shape,
    known_shapes,
)
from interledger.link.websocket import CloseCode, WebSocket

__all__ = ["AUTH_TIMEOUT_MS", "SLOW_READER_TIMEOUT_MS", "STRIKES_MAX", "UNANSWERED_MAX", "BtpConnection", "State"]

AUTH_TIMEOUT_MS: Final = 5_000
"""From the handshake to the end of the authentication, on both sides."""

STRIKES_MAX: Final = 3
"""Packets that cannot be read after which the connection is closed (D-06)."""

UNANSWERED_MAX: Final = 10_000
"""Prepares of the peer without a reply: far more than an honest peer's thousand; the rest gets T03."""

SLOW_READER_TIMEOUT_MS: Final = 30_000
"""How long the socket's buffer may stay full before the connection is given up."""

Admit = Callable[[str | None, str], BtpLink | None]
"""(user name or None, token) -> the link of the account they open, or None. Compares in constant time."""


class State(enum.Enum):
    """See the picture above."""

    AUTHENTICATING = enum.auto()
    OPEN = enum.auto()
    REPEATING = enum.auto()  # open, with a peer that repeats its requests (BTP/2.0-I): nothing takes the short path
    CLOSED = enum.auto()


_OPEN: Final = State.OPEN
"""Reading a member off its enum takes a call in Python 3.11, and this one is compared for every packet."""


@final
class BtpConnection:
    """Made by `client` or `server`. The shell feeds it octets and time, and writes what `websocket` has to send."""

    __slots__ = (
        "_admit",
        "_auth_due",
        "_auth_id",
        "_blocked_since",
        "_high_bits",
        "_link",
        "_strikes",
        "blocked",
        "opened",
        "output",
        "refusal",
        "refused_for_good",
        "send",
        "state",
        "talk",
        "unanswered",
        "websocket",
    )

    def __init__(self, websocket: WebSocket, now: Timestamp) -> None:
        self.websocket = self.output = websocket
        self.send = websocket.send
        self.state = State.AUTHENTICATING
        self.talk = 0  # messages that moved nothing, since the shell last looked
        self.unanswered: set[int] = set()
        self.blocked = self.opened = False  # opened: the authentication has succeeded
        self.refusal = ""  # why we ended it
        self.refused_for_good = False  # client: the server answered with a final error
        self._link: BtpLink | None = None
        self._admit: Admit | None = None
        self._auth_due = now + AUTH_TIMEOUT_MS
        self._high_bits, self._auth_id, self._strikes = 0, -1, 0
        self._blocked_since: int | None = None

    @classmethod
    def client(
        cls, websocket: WebSocket, link: BtpLink, username: str, token: str, request_id: int, now: Timestamp
    ) -> BtpConnection:
        """We dialled: say who we are. `request_id` is any 32-bit number. Nothing else is sent before the answer."""
        connection = cls(websocket, now)
        connection._link = link
        connection._auth_id = request_id
        connection.send(auth_message(request_id, username, token).encode())
        return connection

    @classmethod
    def server(cls, websocket: WebSocket, admit: Admit, now: Timestamp) -> BtpConnection:
        """We were dialled: wait who it is."""
        connection = cls(websocket, now)
        connection._admit = admit
        return connection

    @property
    def number(self) -> int:
        """Which connection of its link this is."""
        return self._high_bits >> 32

    @number.setter
    def number(self, number: int) -> None:
        self._high_bits = number << 32

    # ------------------------------------------------------------------ octets and time

    def receive(self, octets: bytes, now: Timestamp) -> None:
        """One read of the socket: any number of frames, whole or not."""
        websocket = self.websocket
        self.receive_packets(websocket.receive(octets, now), now)
        if websocket.closing and self.state is not State.CLOSED:
            self._stop_sending(now)

    def timer(self) -> Timestamp:
        """When `handle_timer` is next due."""
        due = self.websocket.timer()
        if self.state is State.AUTHENTICATING:
            due = min(due, Timestamp(self._auth_due))
        if self._blocked_since is not None:
            due = min(due, Timestamp(self._blocked_since + SLOW_READER_TIMEOUT_MS))
        return due

    def handle_timer(self, now: Timestamp) -> None:
        """Pings, and the two time limits."""
        if self.state is State.AUTHENTICATING and now >= self._auth_due and not self.websocket.closing:
            # RFC 23: "If the client does not send an Auth packet within a reasonable time, the server optionally sends
            # a Message informing the client that the authentication timed out, and then closes the connection."
            self._close(CloseCode.POLICY_VIOLATION, "no authentication within 5 seconds", now)
        if self._blocked_since is not None and now >= self._blocked_since + SLOW_READER_TIMEOUT_MS:
            self._close(CloseCode.POLICY_VIOLATION, "the peer reads too slowly", now)
            self.websocket.finished = True
        self.websocket.handle_timer(now)
        if self.websocket.finished:
            self._stop_sending(now)

    def pause_sending(self, now: Timestamp) -> None:
        """The socket's buffer is over its limit. The shell stops reading, too: what is read may ask for an answer."""
        self.blocked, self._blocked_since = True, now

    def resume_sending(self) -> None:
        """The socket's buffer has room again."""
        self.blocked, self._blocked_since = False, None

    def close(self, code: int, reason: str, now: Timestamp) -> None:
        """Close in good order: nothing new is sent, replies of the peer are read until it closes too."""
        self._stop_sending(now)
        self.websocket.close(code, reason, now)

    def lost(self, now: Timestamp) -> None:
        """The socket is gone."""
        self._stop_sending(now)
        self.state = State.CLOSED

    def _stop_sending(self, now: Timestamp) -> None:
        if self._link is not None:
            self._link.detach(self, now)

    def _close(self, code: int, reason: str, now: Timestamp) -> None:
        """Close, and look at nothing that still comes."""
        self.refusal = reason
        self.close(code, reason, now)
        self.state = State.CLOSED

    # ------------------------------------------------------------------ packets

    def receive_packets(self, packets: Iterable[bytes], now: Timestamp) -> None:
        """WebSocket messages, in their order."""
        for packet in packets:
            link = self._link
            shape = known_shapes.get(len(packet)) or find_shape(len(packet))
            if shape is None or self.state is not _OPEN or link is None:
                self._receive_other(packet, now)
                continue
            unpack, expected = shape  # as `split_ilp`, without its call
            btp_type, request_id, between, ilp = unpack(packet)
            # D-07: interledger-rs sends Prepares as Responses, replies as Messages. The type of the ILP packet decides.
            kind = ilp[0] if ilp and between == expected and btp_type in WITH_ILP else 0
            if kind == TYPE_PREPARE:
                self._receive_prepare(link, request_id, ilp, now)
            elif TYPE_FULFILL <= kind <= TYPE_REJECT:
                self._receive_reply(link, request_id, ilp, now)
            else:
                self._receive_other(packet, now)

    def _receive_prepare(self, link: BtpLink, request_id: int, ilp: bytes, now: Timestamp) -> None:
        if self.websocket.closing:
            self.talk += 1
            return  # no answer could leave, so nothing may be begun
        unanswered = self.unanswered
        if request_id in unanswered:
            self._send_error(request_id, "F05", "this request id is in flight", now)
            return
        try:
            prepare = Prepare.decode(ilp)
        except DecodeError as error:
            self._refuse(link, request_id, ErrorCode.F01_INVALID_PACKET, str(error))
            return
        if len(unanswered) >= UNANSWERED_MAX:
            self._refuse(link, request_id, ErrorCode.T03_CONNECTOR_BUSY, "too many packets in flight")
            return
        unanswered.add(request_id)
        # The id is ours from here on (see `link.py`); `RequestId(...)` would be a call.
        inner_id: RequestId = self._high_bits | request_id  # type: ignore[assignment]  # see above
        reply = link.handler.receive_prepare(link.account, inner_id, prepare, now)
        if reply is not None:
            self.talk += type(reply) is Reject and reply.code == ErrorCode.T05_RATE_LIMITED
            unanswered.discard(request_id)
            self.send(encode_ilp(TYPE_RESPONSE, request_id, reply.encode()))

    def _receive_reply(self, link: BtpLink, request_id: int, ilp: bytes, now: Timestamp) -> None:
        try:
            reply = Fulfill.decode(ilp) if ilp[0] == TYPE_FULFILL else decode_reply(ilp)
        except DecodeError:
            link.receive_unreadable_reply(request_id, now)
            return
        if not link.receive_reply(request_id, reply, now):  # type: ignore[arg-type]  # as above
            self.talk += 1
            if link.counters.too_many_strays:
                self._close(CloseCode.POLICY_VIOLATION, "too many answers that nobody waits for", now)

    def _refuse(self, link: BtpLink, request_id: int, code: ErrorCode, message: str) -> None:
        # A failure of ILP is a Response with a Reject; BTP's Error is for what is wrong with BTP.
        self.send(encode_ilp(TYPE_RESPONSE, request_id, Reject(code, link.address(), message).encode()))

    def _send_error(self, request_id: int, code: str, data: str, now: Timestamp) -> None:
        self.send(BtpError(request_id, code, BTP_ERRORS[code], now, data.encode()).encode())

    # ------------------------------------------------------------------ packets of every other shape

    def _receive_other(self, octets: bytes, now: Timestamp) -> None:
        if self.state is State.CLOSED:
            self.talk += 1
            return
        link = self._link
        try:
            packet = decode_btp(octets)
        except DecodeError as error:
            self._receive_unreadable(octets, str(error), now)
            return
        if link is None:
            self._receive_auth(packet, now)
        elif self.state is State.AUTHENTICATING:
            self._receive_auth_answer(link, packet, now)
        elif link.repeating is None or not link.repeating.receive(self, octets, packet, now):
            self._receive_open(link, packet, now)

    def _receive_open(self, link: BtpLink, packet: BtpPacket, now: Timestamp) -> None:
        request_id = packet.request_id
        self.talk += 1
        if isinstance(packet, BtpError | BtpResponse) and link.requests.receive_answer(packet):
            return
        if isinstance(packet, BtpError):
            # RFC 23: "Errors marked with `F` are final, and the same request MUST NOT be retried." We retry none; the
            # sender may, with a new packet, so that both kinds become temporary errors (BT-10).
            code = ErrorCode.T01_PEER_UNREACHABLE if packet.code.startswith("T") else ErrorCode.T00_INTERNAL_ERROR
            link.receive_refusal(request_id, code, f"the next node answered with the BTP error {packet.code}", now)
            return
        ilp = find_entry(packet.entries, "ilp")
        octets = ilp.data if ilp is not None else b""
        kind = octets[0] if octets else -1
        if len({entry.name for entry in packet.entries}) != len(packet.entries):
            self._receive_duplicates(link, packet, now)
        elif isinstance(packet, BtpTransfer) or (isinstance(packet, BtpMessage) and ilp is None):
            link.requests.receive_request(self, packet)
        elif TYPE_PREPARE <= kind <= TYPE_REJECT or (octets and isinstance(packet, BtpResponse)):
            self.talk -= 1  # those two say themselves whether they moved something
            receive = self._receive_prepare if kind == TYPE_PREPARE else self._receive_reply
            receive(link, request_id, octets, now)
        elif isinstance(packet, BtpResponse):
            message = "the next node answered without an ILP packet"
            link.receive_refusal(request_id, ErrorCode.T00_INTERNAL_ERROR, message, now)
        else:
            self._refuse(link, request_id, ErrorCode.F01_INVALID_PACKET, "this is not an ILPv4 packet")

    def _receive_duplicates(
        self, link: BtpLink, packet: BtpMessage | BtpResponse | BtpTransfer, now: Timestamp
    ) -> None:
        """RFC 23 wants names to be unique; which of two `ilp` counts would be anybody's guess (BT-08)."""
        if isinstance(packet, BtpResponse):
            link.receive_unreadable_reply(packet.request_id, now)
        else:
            self._send_error(packet.request_id, "F01", "two sub-protocols have the same name", now)

    def _receive_unreadable(self, octets: bytes, why: str, now: Timestamp) -> None:
        """D-06: say so when we can, and close after three.

        Answers are never answered: two programs that complain about each other's complaints would not stop.
        """
        if self._link is not None:
            self._link.counters.strikes += 1
        self._strikes += 1
        if len(octets) >= 5 and octets[0] not in (TYPE_RESPONSE, TYPE_ERROR):
            self._send_error(int.from_bytes(octets[1:5], "big"), "F01", why, now)
        if self.state is State.AUTHENTICATING or self._strikes >= STRIKES_MAX:
            self._close(CloseCode.POLICY_VIOLATION, "packets that cannot be read", now)

    # ------------------------------------------------------------------ authentication

    def _receive_auth_answer(self, link: BtpLink, packet: BtpPacket, now: Timestamp) -> None:
        """Client: the server's verdict."""
        if packet.request_id == self._auth_id and isinstance(packet, BtpResponse):
            self._open(link, now)
            return
        # RFC 23: "If the server sent an `Error`, it subsequently closes the connection."
        why = f"BTP error {packet.code}" if isinstance(packet, BtpError) else "no answer to our authentication"
        # RFC 23: "Errors marked with `F` are final, and the same request MUST NOT be retried."
        self.refused_for_good = isinstance(packet, BtpError) and packet.code.startswith("F")
        self._close(CloseCode.NORMAL, why, now)

    def _receive_auth(self, packet: BtpPacket, now: Timestamp) -> None:
        """Server: the first packet."""
        link: BtpLink | None = None
        try:
            username, token = read_auth(packet)
            link = self._admit(username, token) if self._admit is not None else None
            # One answer for an unknown account and for a wrong token: which accounts exist is nobody's business.
            why = "invalid credentials"
        except DecodeError as error:
            why = str(error)
        if link is None:
            if not isinstance(packet, BtpResponse | BtpError):
                self._send_error(packet.request_id, "F00", why, now)
            self._close(CloseCode.POLICY_VIOLATION, why, now)
            return
        self.send(BtpResponse(packet.request_id).encode())
        self._open(link, now)

    def _open(self, link: BtpLink, now: Timestamp) -> None:
        self._link = link
        self.opened = True
        self.state = State.OPEN if link.repeating is None else State.REPEATING
        link.attach(self, now)
