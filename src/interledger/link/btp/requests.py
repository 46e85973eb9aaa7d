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
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest

if TYPE_CHECKING:
    from interledger.link.btp.link import BtpLink, Connection

__all__ = ["REQUESTS_IN_MAX", "REQUESTS_OUT_MAX", "OnAnswer", "Requests"]

REQUESTS_OUT_MAX: Final = 100
"""Requests of ours without an answer, per link; a settlement sends one at a time."""

REQUESTS_IN_MAX: Final = 100
"""Requests of the peer that handlers work on, per link; more are answered with T00: try again later."""

HALF_CIRCLE: Final = 1 << 31
ID_MASK: Final = 0xFFFF_FFFF

logger = logging.getLogger("interledger.btp")

OnAnswer = Callable[[BtpResponse | BtpError], None]
"""What is done with the peer's answer. Called once, or never when there is none."""


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
        request_id = self.next_prepare_id() + HALF_CIRCLE & ID_MASK
        while request_id in self._out:
            request_id = request_id + 1 & ID_MASK
        octets = make(request_id).encode()
        self._out[request_id] = on_answer
        connection.send(octets)
        return request_id

    # ------------------------------------------------------------------ the peer's

    def receive_request(self, connection: Connection, packet: BtpMessage | BtpTransfer) -> None:
        """Answer it, now or when its handler does."""
        link, request_id = self._link, packet.request_id
        if not link.has(connection):
            return  # it is closing: no answer could leave, so nothing may be begun
        if request_id in connection.unanswered:
            self._write(connection, request_id, Refusal("F05", "this request id is in flight"))
            return
        amount = packet.amount if isinstance(packet, BtpTransfer) else None
        request = SubprotocolRequest(self._account, packet.entries, amount)
        if amount is None:
            if not packet.entries:
                self._write(connection, request_id, ())
                return
            handler = link.subprotocols.find(self._account, request.name)
            refusal = Refusal("F00", f"this node does not speak the sub-protocol {request.name!a}")
        else:
            handler = link.subprotocols.find_hook(self._account)
            refusal = Refusal("F00", "this node takes no settlement by BTP")
        if handler is not None and self._in >= REQUESTS_IN_MAX:
            handler, refusal = None, Refusal("T00", "too many requests are being answered")
        if handler is None:
            # RFC 23: "If an `Error` has been returned, the peer MUST NOT have updated their balance."
            link.counters.transfers_refused += amount is not None
            self._write(connection, request_id, refusal)
            return
        connection.unanswered.add(request_id)
        self._in += 1
        answered = False

        def respond(answer: Answer | None) -> None:
            nonlocal answered
            if answered:
                return
            answered = True
            self._in -= 1
            self._answer(connection, request_id, answer)

        try:
            handler(request, respond)
        except Exception:
            logger.exception("the handler of %r failed", request.name)
            # Whether a Transfer was applied before that nobody knows: a Response may be as wrong as an Error.
            respond(Refusal("T00", "this node could not answer") if amount is None else None)

    def _answer(self, connection: Connection, request_id: int, answer: Answer | None) -> None:
        connection.unanswered.discard(request_id)
        if answer is None:
            return
        if not self._link.has(connection):
            self._link.counters.replies_dropped += 1
            return
        try:
            self._write(connection, request_id, answer)
        except InvalidRequestError as error:
            logger.error("an answer to %s cannot be written: %s", self._link.account, error)
            self._write(connection, request_id, Refusal("T00", "this node could not answer"))

    def _write(self, connection: Connection, request_id: int, answer: Answer) -> None:
        if isinstance(answer, Refusal):
            code = answer.code if answer.code in BTP_ERRORS else "F00"
            data = answer.message.encode()[:ERROR_DATA_MAX]
            now = self._clock.now()
            connection.send(BtpError(request_id, code, BTP_ERRORS[code], now, data, answer.entries).encode())
        else:
            connection.send(BtpResponse(request_id, answer).encode())
