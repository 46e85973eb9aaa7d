"""The requests of a BTP link that carry no ILP packet, both ways: other sub-protocols, and Transfers.

This is the slow path. A packet comes here when it has left the path of ILP packets (`protocol.py`) at its first octet
that differs, so that nothing here costs a Prepare anything.

Request ids of the peer share one set with its Prepares (`Connection.unanswered`). Ours share the numbers of our
Prepares, which the connector counts up one by one: a request takes the number half-way around the circle from there,
which that count reaches after 2,000 million packets, long after the request's time is up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock
from interledger.errors import InvalidRequestError, LinkError
from interledger.link.btp.messages import (
    BTP_ERRORS,
    ERROR_DATA_MAX,
    BtpError,
    BtpMessage,
    BtpResponse,
    BtpTransfer,
    Entries,
)
from interledger.link.btp.subprotocols import Answer, Handler, Refusal, SubprotocolRequest

if TYPE_CHECKING:
    from interledger.link.btp.link import BtpLink, Connection

__all__ = ["REQUESTS_IN_MAX", "REQUESTS_OUT_MAX", "Finish", "OnAnswer", "Requests"]

REQUESTS_OUT_MAX: Final = 100
"""Requests of ours without an answer, per link; a settlement sends one at a time."""

REQUESTS_IN_MAX: Final = 100
"""Requests of the peer that handlers work on, per link; more are answered with T00: try again later."""

HALF_CIRCLE: Final = 1 << 31
ID_MASK: Final = 0xFFFF_FFFF

logger = logging.getLogger("interledger.btp")

OnAnswer = Callable[[BtpResponse | BtpError], None]
"""What is done with the peer's answer. Called once, or never when there is none."""

Finish = Callable[[bytes | None], None]
"""What is done with our answer to a request of the peer: a BTP packet, or None when nobody knows the answer."""


@final
class Requests:
    """Those of one link. `next_prepare_id` tells which number the next Prepare will have."""

    def __init__(self, link: BtpLink, clock: Clock) -> None:
        self._link = link
        # A link's name may have a suffix (`alice/btp`, when there is a link by HTTP too); the account's has none.
        self._account = AccountId(link.account.partition("/")[0])
        self._clock = clock
        self._out: dict[int, OnAnswer] = {}
        self._in = 0
        self._count = 0
        """Of our requests: no number comes twice, because an answer may (on a link that repeats)."""
        self.next_prepare_id: Callable[[], int] = lambda: 0

    # ------------------------------------------------------------------ ours

    def send_message(self, entries: Entries, on_answer: OnAnswer) -> int:
        """Send a Message. Returns its request id, for `forget`. Raises `LinkError` when it cannot leave now."""
        return self._send(lambda request_id: BtpMessage(request_id, entries), on_answer)

    def send_transfer(self, amount: int, entries: Entries, on_answer: OnAnswer) -> int:
        """Send a Transfer of `amount`, in the units of the account's asset. As `send_message`."""
        return self._send(lambda request_id: BtpTransfer(request_id, amount, entries), on_answer)

    def forget(self, request_id: int) -> None:
        """Nobody waits for the answer any more."""
        self._out.pop(request_id, None)
        if self._link.repeating is not None:
            self._link.repeating.forget(request_id)

    def receive_answer(self, packet: BtpResponse | BtpError) -> bool:
        """Whether `packet` answers a request of ours; it is delivered then."""
        on_answer = self._out.pop(packet.request_id, None)
        if on_answer is None:
            return False
        on_answer(packet)
        return True

    def _send(self, make: Callable[[int], BtpMessage | BtpTransfer], on_answer: OnAnswer) -> int:
        connection = self._link.sending_connection()
        if connection is None:
            raise LinkError(f"{self._link.account} is not connected, or reads too slowly")
        if len(self._out) >= REQUESTS_OUT_MAX:
            raise LinkError(f"{self._link.account} has {REQUESTS_OUT_MAX} requests to answer already")
        # RFC 23: "The implementation should ensure that no two in-flight requests are sent out with the same
        # requestId."
        self._count += 1
        request_id = self.next_prepare_id() + HALF_CIRCLE + self._count & ID_MASK
        octets = make(request_id).encode()
        self._out[request_id] = on_answer
        connection.send(octets)
        if self._link.repeating is not None:
            self._link.repeating.repeat(request_id, octets)
        return request_id

    # ------------------------------------------------------------------ the peer's

    def receive_request(self, connection: Connection, packet: BtpMessage | BtpTransfer) -> None:
        """Answer it on `connection`, now or when its handler does."""
        request_id = packet.request_id
        if not self._link.has(connection):
            return  # it is closing: no answer could leave, so nothing may be begun
        if request_id in connection.unanswered:
            connection.send(self.encode(request_id, Refusal("F05", "this request id is in flight")))
            return
        connection.unanswered.add(request_id)

        def finish(answer: bytes | None) -> None:
            connection.unanswered.discard(request_id)
            if answer is not None and self._link.has(connection):
                connection.send(answer)
            else:
                self._link.counters.replies_dropped += 1

        self.begin(packet, finish)

    def begin(self, packet: BtpMessage | BtpTransfer, finish: Finish) -> None:
        """Let its handler answer. `finish` is called once, from inside this call or later."""
        request_id, counters = packet.request_id, self._link.counters
        amount = packet.amount if isinstance(packet, BtpTransfer) else None
        request = SubprotocolRequest(self._account, packet.entries, amount)
        handler = self._find_handler(request)
        if not callable(handler):
            counters.transfers_refused += amount is not None
            finish(self.encode(request_id, handler))
            return
        self._in += 1
        answered = False

        def respond(answer: Answer | None) -> None:
            nonlocal answered
            if answered:
                return
            answered = True
            self._in -= 1
            finish(None if answer is None else self.encode(request_id, answer))

        try:
            handler(request, respond)
        except Exception:
            logger.exception("the handler of %r failed", request.name)
            # Whether a Transfer was applied before that nobody knows: a Response may be as wrong as an Error.
            respond(Refusal("T00", "this node could not answer") if amount is None else None)

    def _find_handler(self, request: SubprotocolRequest) -> Handler | Answer:
        """Who answers it, or the answer to what nobody does."""
        subprotocols = self._link.subprotocols
        if request.amount is not None:
            handler = subprotocols.find_hook(request.account)
            # RFC 23: "If an `Error` has been returned, the peer MUST NOT have updated their balance."
            refusal = Refusal("F00", "this node takes no settlement by BTP")
        elif not request.entries:
            return ()
        else:
            handler = subprotocols.find(request.account, request.name)
            refusal = Refusal("F00", f"this node does not speak the sub-protocol {request.name!a}")
        if handler is not None and self._in >= REQUESTS_IN_MAX:
            return Refusal("T00", "too many requests are being answered")
        return handler or refusal

    def encode(self, request_id: int, answer: Answer) -> bytes:
        """The packet that answers a request. What cannot be written becomes a T00, and is logged."""
        try:
            return self._encode(request_id, answer)
        except InvalidRequestError as error:
            logger.error("an answer to %s cannot be written: %s", self._account, error)
            return self._encode(request_id, Refusal("T00", "this node could not answer"))

    def _encode(self, request_id: int, answer: Answer) -> bytes:
        if not isinstance(answer, Refusal):
            return BtpResponse(request_id, answer).encode()
        code = answer.code if answer.code in BTP_ERRORS else "F00"
        data = answer.message.encode()[:ERROR_DATA_MAX]
        return BtpError(request_id, code, BTP_ERRORS[code], self._clock.now(), data, answer.entries).encode()
