"""What comes in over a link whose packets have ids: Prepares that may be repeated, and the replies to ours. No I/O.

Each request is taken once. It is acknowledged when all that follows from it is written, so that a peer which sees the
acknowledgement never has to repeat, and one which does not may repeat for as long as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId, HttpForm
from interledger.accounts.evidence import receive_late_reply
from interledger.accounts.ledger import Ledger
from interledger.accounts.request_journal import Verdict
from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.packet import TYPE_PREPARE, Prepare, Reply, decode_packet
from interledger.link.base import PacketHandler
from interledger.link.http.forms import callback_url, request_id
from interledger.link.http.interfaces import Respond
from interledger.link.idempotent import IdempotentSide
from interledger.link.outstanding import Arrival, Outstanding

__all__ = ["RepeatableSide"]

WAITERS_MAX: Final = 4
"""Repetitions of one Prepare that wait for the response at once: an earlier one's connection is most likely dead."""

WAITING_MAX: Final = 4_096
"""Prepares of one account that wait for their response: as for the form without ids."""


_PREPARE: Final = bytes((TYPE_PREPARE,))


class _Statuses(NamedTuple):
    """What a form says beside 200. `received`: a Prepare was taken; None: the answer itself is the response."""

    received: int | None
    unknown: int
    conflict: int


_STATUSES: Final = {
    HttpForm.OER_SYNC: _Statuses(None, 404, 409),
    HttpForm.OER_ASYNC: _Statuses(200, 404, 409),
    HttpForm.ASYNC: _Statuses(202, 400, 400),
}


@final
class RepeatableSide:
    """The incoming half of one account's link. `deliver`: sends an answer as a request, where the form has such.

    `ledger_name`: of the account's line in the books, for proofs that come late.
    """

    def __init__(
        self,
        handler: PacketHandler,
        account: AccountId,
        ledger: Ledger,
        form: HttpForm,
        *,
        ledger_name: str,
        own_address: Callable[[], str],
        deliver: Callable[[bytes, bytes], None],
        callback_url: str | None = None,
    ) -> None:
        self.account = account
        self.in_path = form is not HttpForm.ASYNC
        self.callback_refused = 0
        """Requests that named another `Callback-Url`: they were answered in their response."""
        self.callback_url = callback_url
        """The only `Callback-Url` that is ever believed: the peer's configured address (HT-11)."""
        self.outstanding = Outstanding()
        self.prepares = 0
        self._handler = handler
        self._ledger = ledger
        self._ledger_name = ledger_name
        self._statuses = _STATUSES[form]
        self._waiting: dict[bytes, list[Respond]] = {}
        inline = self._statuses.received is None
        self.requests = IdempotentSide(
            handler, account, ledger, own_address=own_address, deliver=self._respond if inline else deliver
        )

    def id_in(self, fields: Mapping[bytes, bytes], body: bytes, respond: Respond) -> bytes | None:
        """The id in the headers of a request in RFC 35's asynchronous form.

        None for a Prepare whose answer is not to come to the configured address: it gets it in the response, which is
        safe and what a peer expects that knows no other form. No other address is ever called (HT-11).
        """
        wire_id = request_id(fields)
        if wire_id is None or body[:1] != _PREPARE:
            return wire_id
        if callback_url(fields) != self.callback_url or self.callback_url is None:
            self.callback_refused += 1
            respond.in_turn()
            return None
        return wire_id

    def receive(self, request_id: bytes, octets: bytes, now: Timestamp, respond: Respond) -> None:
        """The body of a request. `respond` is called once, now or later."""
        try:
            packet = decode_packet(octets)
        except DecodeError as error:
            respond.refuse(400, f"the body is not an ILP packet: {error}")
            return
        if isinstance(packet, Prepare):
            self._receive_prepare(request_id, octets, packet, now, respond)
        elif self._statuses.received is None:
            respond.refuse(400, "the answer to a packet belongs into the response, in this form of HTTP")
        else:
            self._receive_reply(request_id, octets, packet, now, respond)

    def close(self) -> None:
        """The link goes away: whoever waits is told that this node takes no packets now."""
        waiting, self._waiting = self._waiting, {}
        for responds in waiting.values():
            for respond in responds:
                respond.refuse(503, "this account's link was closed")

    # ------------------------------------------------------------------ Prepares

    def _receive_prepare(
        self, request_id: bytes, octets: bytes, prepare: Prepare, now: Timestamp, respond: Respond
    ) -> None:
        inline = self._statuses.received is None
        if inline and not self._wait(request_id, respond):
            return
        try:
            received = self.requests.receive(request_id, octets, prepare, now)
        except Exception:
            self._waiting.pop(request_id, None)
            raise
        verdict = received.verdict
        if verdict is Verdict.NEW:
            self.prepares += 1
        elif verdict is Verdict.CONFLICT or verdict is Verdict.FULL:
            if inline:
                self._stop_waiting(request_id, respond)
            if verdict is Verdict.CONFLICT:
                respond.refuse(self._statuses.conflict, "this id belongs to another packet")
            else:
                respond.refuse(429, "too many packets of this account are in progress")
            return
        if not inline:
            self.requests.after_commit(lambda error: self._acknowledge(respond, self._statuses.received or 200, error))
        elif received.answer is not None:
            # Kept already, but perhaps not written yet. Should the writing fail, a Fulfill leaves all the same.
            self.requests.after_commit(lambda _: self._respond_again(request_id))

    def _respond_again(self, request_id: bytes) -> None:
        state = self.requests.journal.find(request_id)
        if state is not None and state.answer:
            self._respond(request_id, state.answer)

    def _wait(self, request_id: bytes, respond: Respond) -> bool:
        """Before the handler is called: it may answer from inside the call. False: refused."""
        waiting = self._waiting.get(request_id)
        if waiting is None:
            if len(self._waiting) >= WAITING_MAX:
                respond.refuse(429, "too many packets of this account wait for an answer")
                return False
            waiting = self._waiting[request_id] = []
        elif len(waiting) >= WAITERS_MAX:
            waiting.pop(0).refuse(503, "the same packet was sent again meanwhile")
        waiting.append(respond)
        return True

    def _stop_waiting(self, request_id: bytes, respond: Respond) -> None:
        waiting = self._waiting[request_id]
        waiting.remove(respond)
        if not waiting:
            del self._waiting[request_id]

    def _respond(self, request_id: bytes, answer: bytes) -> None:
        for respond in self._waiting.pop(request_id, ()):
            respond.packet(answer)

    # ------------------------------------------------------------------ replies to our Prepares

    def _receive_reply(self, request_id: bytes, octets: bytes, reply: Reply, now: Timestamp, respond: Respond) -> None:
        arrival, onward_id = self.outstanding.receive(request_id, octets)
        if arrival is Arrival.FIRST:
            self._handler.receive_reply(self.account, onward_id, reply, now)
        elif arrival is Arrival.OTHER:
            respond.refuse(self._statuses.conflict, "this packet was answered otherwise before")
            return
        elif arrival is Arrival.UNKNOWN and not self._is_late(request_id, octets, reply, now):
            respond.refuse(self._statuses.unknown, "no packet of ours with this id waits for an answer")
            return
        self.requests.after_commit(lambda error: self._acknowledge(respond, 200, error))

    def _is_late(self, request_id: bytes, octets: bytes, reply: Reply, now: Timestamp) -> bool:
        """Whether it answers a packet of before a restart."""
        return receive_late_reply(self._ledger, self.account, self._ledger_name, request_id, reply, octets, now)

    def receive_inline(self, request_id: bytes, octets: bytes, reply: Reply, now: Timestamp) -> None:
        """A reply in the response to our Prepare: from a peer that knows that form only. The first one wins (HT-04)."""
        arrival, onward_id = self.outstanding.receive(request_id, octets)
        if arrival is Arrival.FIRST:
            self._handler.receive_reply(self.account, onward_id, reply, now)
        elif arrival is Arrival.UNKNOWN:
            self._is_late(request_id, octets, reply, now)

    def is_wanted(self, request_id: bytes) -> bool:
        """Whether nobody has answered this Prepare of ours yet: since the start, or one of before."""
        return self.outstanding.is_open(request_id) or self._ledger.asked.find(self.account, request_id) is not None

    def _acknowledge(self, respond: Respond, status: int, error: Exception | None) -> None:
        if error is None:
            respond.acknowledge(status)
        else:
            respond.refuse(503, "this node cannot write down what it received")
