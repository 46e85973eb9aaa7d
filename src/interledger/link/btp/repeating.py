"""BTP/2.0-I, the variant of the server-roles document: requests are repeated until answered, answers are remembered.

The wire is that of BTP/2.0, and both peers have to agree on the variant. A request (a Prepare, another Message, a
Transfer) that has no answer is sent again, later and later, and at once when the link has a new connection, until its
time is up. The peer's requests are known by their number and their octets, on whichever connection they come: a
repetition is answered as before, other octets under the same number are an F05 DuplicateIdError.

Prepares and Transfers of the peer are remembered over a restart (`accounts.request_journal`), other Messages are not;
nor are our own requests but Prepares (`accounts.asked`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, final

from interledger.accounts.evidence import receive_late_reply, to_ask_again
from interledger.accounts.ledger import Ledger
from interledger.accounts.request_journal import KEPT_AFTER_EXPIRY_MS, RequestJournal, Verdict
from interledger.clock import Clock, Timestamp
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import TYPE_PREPARE, Prepare, Reject, decode_reply
from interledger.link.base import RequestId
from interledger.link.btp.link import BtpLink, Connection
from interledger.link.btp.messages import (
    TYPE_MESSAGE,
    TYPE_RESPONSE,
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    encode_ilp,
    find_entry,
)
from interledger.link.btp.subprotocols import Refusal
from interledger.link.idempotent import IdempotentSide
from interledger.link.repeat import Repetitions

__all__ = ["REQUEST_REPEATED_MS", "RESENT_AT_ONCE_MAX", "TRANSFER_KEPT_MS", "RepeatingLink"]

REQUEST_REPEATED_MS: Final = 60_000
"""How long a request is repeated that has no expiry of its own, unless whoever waits for it gives up before."""

TRANSFER_KEPT_MS: Final = 24 * 3_600_000
"""How long a Transfer of the peer is remembered: to apply one twice costs money, and they are few."""

RESENT_AT_ONCE_MAX: Final = 1_000
"""Requests sent again as soon as there is a new connection: as many as may be in flight. The rest waits its turn."""

SENT_MAX: Final = 2 * RESENT_AT_ONCE_MAX
"""Requests kept for another round; what has expired goes when there are so many."""

_PREPARE: Final = bytes((TYPE_PREPARE,))

_NO_HOLD: Final = 0
"""In place of a hold, for a Transfer: there is no hold of that number, and never will be."""


class _Sent(NamedTuple):
    octets: bytes
    until: int
    times: int


@final
class RepeatingLink:
    """A `RememberingLink` and `AskingLink` over `link`. `ledger`: where requests of the peer are remembered.

    `ledger_name`: the account's in the books. The owner calls `handle_timer` when `timer` says so.
    """

    def __init__(self, link: BtpLink, ledger: Ledger, ledger_name: str, clock: Clock) -> None:
        self._link = link
        self._ledger = ledger
        self._ledger_name = ledger_name
        self._clock = clock
        self._sent: dict[int, _Sent] = {}
        self._repetitions: Repetitions[int] = Repetitions()
        self.on_sooner: Callable[[Timestamp], None] = lambda due: None
        """Called with its time when something becomes due before all else."""
        self._undelivered: dict[bytes, bytes] = {}
        """Answers that no connection was there for: a peer that was restarted does not ask again."""
        self._messages = RequestJournal(link.account)
        self._transfers = ledger.requests.of(f"{link.account}/transfers")
        self._transfers.on_answer = self._deliver_octets
        self._side = IdempotentSide(
            link.handler, link.account, ledger, own_address=link.address, deliver=self._deliver_reply
        )
        self.send_reply = self._side.send_reply
        self.keep_reply = self._side.keep_reply
        self.unkeep_reply = self._side.unkeep_reply
        self.ready = link.ready  # what is repeated has been sent once, and waits for no room
        link.repeating = self

    # ------------------------------------------------------------------ what the connector calls

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        """Send a Prepare, and again until it is answered or expired. Without a connection: T01, as on any link."""
        self._link.send_prepare(request_id, prepare)
        if self._link.is_outstanding(request_id):
            self._repeat(request_id, encode_ilp(TYPE_MESSAGE, request_id, prepare.encode()), prepare.expires_at)

    def keep_prepare(self, hold_id: int, request_id: RequestId, prepare: Prepare) -> None:
        """The Prepare goes into the commit of its hold."""
        self._ledger.asked.add(hold_id, self._link.account, _key(request_id), prepare.encode())

    # ------------------------------------------------------------------ requests of ours

    def repeat(self, request_id: int, octets: bytes) -> None:
        """A request without an expiry is sent now: once more if no answer comes."""
        self._repeat(request_id, octets, self._clock.now() + REQUEST_REPEATED_MS)

    def _repeat(self, request_id: int, octets: bytes, until: int) -> None:
        now = self._clock.now()
        if len(self._sent) >= SENT_MAX:
            self._sent = {key: sent for key, sent in self._sent.items() if sent.until > now}
        self._sent[request_id] = sent = _Sent(octets, until, 1)
        self._schedule(request_id, sent, now)

    def forget(self, request_id: int) -> None:
        """It is answered, or nobody waits for the answer any more."""
        self._sent.pop(request_id, None)
        self._repetitions.forget(request_id)

    def connected(self, connection: Connection, now: Timestamp) -> None:
        """A new connection: what has no answer may have been lost with an older one."""
        undelivered, self._undelivered = self._undelivered, {}
        for answer in undelivered.values():
            connection.send(answer)
        for request_id, sent in list(self._sent.items())[:RESENT_AT_ONCE_MAX]:
            self._send_again(connection, request_id, sent, now)

    def is_asking(self, now: Timestamp) -> bool:
        """Whether there is time yet for an answer that only a new connection can bring."""
        return any(sent.until > now for sent in self._sent.values())

    def timer(self) -> Timestamp | None:
        """When `handle_timer` is next due."""
        times = (self._repetitions.timer(), self._messages.timer(), self._transfers.timer(), self._side.timer())
        return min((due for due in times if due is not None), default=None)

    def handle_timer(self, now: Timestamp) -> None:
        """Send again what is due, and forget what is too old."""
        self._side.handle_timer(now)
        self._messages.handle_timer(now)
        self._transfers.handle_timer(now)
        connection = self._link.sending_connection()
        for request_id in self._repetitions.take_due(now):
            sent = self._sent.get(request_id)
            if sent is not None and connection is not None:
                self._send_again(connection, request_id, sent, now)
            elif sent is not None:
                self._schedule(request_id, sent, now)

    def _send_again(self, connection: Connection, request_id: int, sent: _Sent, now: Timestamp) -> None:
        if now >= sent.until:
            self.forget(request_id)
            return
        self._sent[request_id] = sent._replace(times=sent.times + 1)
        connection.send(sent.octets)
        self._schedule(request_id, sent, now)

    def _schedule(self, request_id: int, sent: _Sent, now: Timestamp) -> None:
        # What has no time for another round still leaves once more when the link is connected anew before it expires.
        self._repetitions.schedule(request_id, now, sent.until)
        self._sooner(self._repetitions.timer())

    # ------------------------------------------------------------------ what a connection calls

    def receive(self, connection: Connection, octets: bytes, packet: BtpPacket, now: Timestamp) -> bool:
        """Whether the packet was seen to: a request of the peer. False for an answer, which counts as on any link."""
        if isinstance(packet, BtpResponse | BtpError):
            sent = self._sent.get(packet.request_id)
            if isinstance(packet, BtpError) and packet.code == "F05" and sent is not None and sent.times > 1:
                # The peer has our first one, and does not know that a second may come: its answer is on the way.
                return True
            self.forget(packet.request_id)
            ilp = find_entry(packet.entries, "ilp")
            # The inverted types of D-07 have no place here: their Prepares would be processed without being remembered.
            return ilp is not None and (ilp.data[:1] == _PREPARE or self._is_late(packet.request_id, ilp.data, now))
        ilp = find_entry(packet.entries, "ilp")
        if len({entry.name for entry in packet.entries}) != len(packet.entries):
            return False  # refused with an F01, every time
        if ilp is None or isinstance(packet, BtpTransfer):
            self._receive_request(connection, octets, packet, now)
            return True
        try:
            prepare = Prepare.decode(ilp.data)
        except DecodeError:
            return False  # likewise
        if self._is_other(packet.request_id, self._messages, self._transfers):
            self._refuse_duplicate(connection, packet.request_id)
            return True
        received = self._side.receive(_key(packet.request_id), octets, prepare, now)
        if received.verdict is Verdict.ANSWERED and received.answer is not None:
            key, number = _key(packet.request_id), packet.request_id
            self._answer_again(connection, self._side.journal, key, partial(encode_ilp, TYPE_RESPONSE, number))
        elif received.verdict is Verdict.CONFLICT:
            self._refuse_duplicate(connection, packet.request_id)
        elif received.verdict is Verdict.FULL:
            reject = Reject(ErrorCode.T03_CONNECTOR_BUSY, self._link.address(), "too many packets in flight")
            connection.send(encode_ilp(TYPE_RESPONSE, packet.request_id, reject.encode()))
        self._sooner(self._side.timer())
        return True

    def _is_late(self, request_id: int, ilp: bytes, now: Timestamp) -> bool:
        """Whether it answers a packet of before a restart."""
        if self._link.is_outstanding(request_id):
            return False
        try:
            reply = decode_reply(ilp)
        except DecodeError:
            return False
        account, key = self._link.account, _key(request_id)
        return receive_late_reply(self._ledger, account, self._ledger_name, key, reply, ilp, now)

    def resume(self, now: Timestamp) -> None:
        """The account has its link (again, after a restart): see to what was in progress, ask again what we asked."""
        self._side.resume(now)
        for asked, expires_at in to_ask_again(self._ledger, self._link.account, now):
            request_id = int.from_bytes(asked.request_id, "big")
            self._repeat(request_id, encode_ilp(TYPE_MESSAGE, request_id, asked.octets), expires_at)
        self._sooner(self._side.timer())

    def _receive_request(
        self, connection: Connection, octets: bytes, packet: BtpMessage | BtpTransfer, now: Timestamp
    ) -> None:
        """A Message of another sub-protocol, or a Transfer."""
        key, request_id = _key(packet.request_id), packet.request_id
        is_transfer = isinstance(packet, BtpTransfer)
        journal, other = (self._transfers, self._messages) if is_transfer else (self._messages, self._transfers)
        if self._is_other(request_id, self._side.journal, other):
            self._refuse_duplicate(connection, request_id)
            return
        until = now + (TRANSFER_KEPT_MS if is_transfer else REQUEST_REPEATED_MS)
        received = journal.receive(key, octets, until, durable=is_transfer, now=now)
        if received.verdict is Verdict.ANSWERED and received.answer is not None:
            self._answer_again(connection, journal, key, lambda answer: answer)
        elif received.verdict is Verdict.CONFLICT:
            self._refuse_duplicate(connection, request_id)
        elif received.verdict is Verdict.FULL:
            connection.send(self._link.requests.encode(request_id, Refusal("T00", "too many requests")))
        elif received.verdict is Verdict.NEW and not is_transfer:
            self._link.requests.begin(packet, lambda answer: self._finish_message(key, answer))
            self.on_sooner(Timestamp(until + KEPT_AFTER_EXPIRY_MS))
        elif received.verdict is Verdict.NEW:
            # That it was begun is written before its hook hears of it: after a restart nobody knows whether it was
            # applied, so it is given to no hook again, and neither confirmed nor refused.
            journal.hold(key, _NO_HOLD)
            self._ledger.call_after_commit(lambda error: None if error else self._begin_transfer(key, packet))

    def _begin_transfer(self, key: bytes, packet: BtpMessage | BtpTransfer) -> None:
        self._link.requests.begin(packet, lambda answer: self._finish_transfer(key, answer))

    def _finish_message(self, key: bytes, answer: bytes | None) -> None:
        if answer is not None and self._messages.answer(key, answer):
            self._deliver_octets(key, answer)

    def _finish_transfer(self, key: bytes, answer: bytes | None) -> None:
        if answer is not None and self._transfers.answer(key, answer):
            self._ledger.reply_after_commit(self._transfers.on_answer, key, answer)

    def _is_other(self, request_id: int, *journals: RequestJournal) -> bool:
        """Whether the number is in use for a request of another kind."""
        key = _key(request_id)
        return any(journal.find(key) is not None for journal in journals)

    def _refuse_duplicate(self, connection: Connection, request_id: int) -> None:
        # RFC 23: "The transferId and method match a previous request, but other data do not."
        connection.send(self._link.requests.encode(request_id, Refusal("F05", "another request had this id")))

    def _sooner(self, due: Timestamp | None) -> None:
        if due is not None:
            self.on_sooner(due)

    # ------------------------------------------------------------------ answers of ours

    def _deliver_reply(self, key: bytes, reply: bytes) -> None:
        self._deliver_octets(key, encode_ilp(TYPE_RESPONSE, int.from_bytes(key, "big"), reply))

    def _answer_again(
        self, connection: Connection, journal: RequestJournal, key: bytes, encode: Callable[[bytes], bytes]
    ) -> None:
        """A repetition of an answered request. The answer is known, but perhaps not written yet: it must not leave
        before its commit by this door either. When the peer is gone by then, it asks again.
        """

        def send(error: Exception | None) -> None:
            state = journal.find(key)
            # One that could not be written is not there any more, unless it leaves all the same.
            if state is not None and state.answer and self._link.has(connection):
                connection.send(encode(state.answer))

        self._ledger.call_after_commit(send)

    def _deliver_octets(self, key: bytes, answer: bytes) -> None:
        """On the newest connection, or when there is one again."""
        connection = self._link.newest_connection()
        if connection is not None:
            connection.send(answer)
        elif len(self._undelivered) < RESENT_AT_ONCE_MAX:
            self._undelivered[key] = answer


def _key(request_id: int) -> bytes:
    return request_id.to_bytes(4, "big")
