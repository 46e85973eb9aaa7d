"""The incoming half of a link whose peer repeats its requests: each is processed once and always answered alike.

Used by every link of that kind; what differs between them is how an answer is delivered. The rules (money.md):

* That a packet is in progress is written in the commit of its hold, the answer in the commit of its execution. An
  answer leaves when it is written, a Reject too: a repetition that arrives after a restart must not be charged. When
  nothing can be written any more, a Fulfill leaves all the same, the Reject of a packet that was held does not.
* After a restart a packet is never forwarded again. One whose hold led to ourselves was released: its answer is a
  Reject. One that had left is unknown: a fulfillment may still exist, so nothing is said while its peer could believe
  one, and R00 after it has expired.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final, final

from interledger.accounts.account import AccountId
from interledger.accounts.ledger import Ledger
from interledger.accounts.request_journal import Received, Verdict
from interledger.clock import Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import PacketHandler, RequestId

__all__ = ["IdempotentSide"]

REPEATED_WITHIN_MS: Final = 300_000
"""How long a peer may repeat a packet at most, whatever expiry it bears: ten times as long as one can be in flight."""

_RESTARTED: Final = "this node was restarted before the packet was delivered"
_UNKNOWN: Final = "the packet expired, and this node was restarted meanwhile: its outcome is not known"

_OURS: Final = 0x80000000

Deliver = Callable[[bytes, bytes], None]
"""`deliver(request_id, answer)`: hand an answer to the peer; called again for a repetition after a restart."""


@final
class IdempotentSide:
    """The Prepares of one account's peer, by the ids that the peer gave them.

    `deliver`: called once an answer may leave. `own_address`: what our own Rejects name as `triggered_by`.
    """

    def __init__(
        self,
        handler: PacketHandler,
        account: AccountId,
        ledger: Ledger,
        *,
        own_address: Callable[[], str],
        deliver: Deliver,
    ) -> None:
        self.account = account
        self._own_address = own_address
        self.journal = ledger.requests.of(account)
        # The account's newest link delivers what an earlier one took in.
        self.journal.on_answer = deliver
        self._handler = handler
        self._ledger = ledger
        self._open: dict[RequestId, bytes] = {}
        """The id we gave a packet -> the peer's."""
        self._next_id = 0
        self._unknown: list[tuple[int, bytes]] = []
        """A heap of (expiry, request id) of packets that had left before a restart."""

    # ------------------------------------------------------------------ the way in

    def receive(self, request_id: bytes, octets: bytes, prepare: Prepare, now: Timestamp) -> Received:
        """A Prepare, for the first time or again. `octets`: what a repetition has to repeat.

        The answer to a NEW one comes by `deliver`, perhaps from inside this call. For the rest see `Verdict`.
        """
        journal = self.journal
        # What moves no money may be done twice after a restart, and costs no writing.
        # Onward it lives for seconds, so what it says of years is nothing that has to be remembered.
        # A packet may say that it expired before 1970: the journal's times begin there.
        expires_at = max(min(prepare.expires_at, now + REPEATED_WITHIN_MS), 0)
        received = journal.receive(request_id, octets, expires_at, durable=prepare.amount != 0, now=now)
        if received.verdict is not Verdict.NEW:
            return received
        onward_id = self._new_id()
        self._open[onward_id] = request_id
        hold_id = self._ledger.next_id
        try:
            reply = self._handler.receive_prepare(self.account, onward_id, prepare, now)
        except Exception:
            self._open.pop(onward_id, None)
            if self._ledger.next_id == hold_id and journal.find(request_id) is not None:
                journal.drop(request_id)
            raise
        if self._ledger.next_id != hold_id:
            journal.hold(request_id, hold_id)
        if reply is not None:
            self.send_reply(onward_id, reply)
        return received

    def after_commit(self, done: Callable[[Exception | None], None]) -> None:
        """Call `done(error or None)` once all that was recorded until now is written."""
        self._ledger.call_after_commit(done)

    def _new_id(self) -> RequestId:
        """One that a side without ids on the same link never uses: the highest of 32 bits is set."""
        self._next_id = (self._next_id + 1) & 0x7FFFFFFF
        while self._next_id | _OURS in self._open:
            self._next_id = (self._next_id + 1) & 0x7FFFFFFF
        return RequestId(self._next_id | _OURS)

    # ------------------------------------------------------------------ the way back

    def keep_reply(self, onward_id: RequestId, reply: Reply) -> None:
        """The answer to a packet whose execution is being recorded; `send_reply` follows when it is written."""
        request_id = self._open.get(onward_id)
        if request_id is not None:
            self.journal.answer(request_id, reply.encode())

    def unkeep_reply(self, onward_id: RequestId, reply: Reply) -> None:
        """The commit of that failed; a restart will tell whether it is there. Until then repetitions get no answer."""
        request_id = self._open.pop(onward_id, None)
        if request_id is not None:
            self.journal.silence(request_id)

    def send_reply(self, onward_id: RequestId, reply: Reply) -> None:
        """The answer to a packet. One that no journal has kept yet is written before it leaves."""
        request_id = self._open.pop(onward_id, None)
        state = None if request_id is None else self.journal.find(request_id)
        if request_id is None or state is None:
            return  # forgotten: its packet expired more than a minute ago
        if state.answer is not None:
            self.journal.on_answer(request_id, state.answer)
        else:
            self._answer(request_id, reply)

    def _answer(self, request_id: bytes, reply: Reply) -> None:
        octets = reply.encode()
        state = self.journal.find(request_id)
        self.journal.answer(request_id, octets)
        if state is not None and state.durable and state.hold_id is not None and type(reply) is Reject:
            # When it cannot be written it does not leave: a start finds the hold, and a fulfillment may still come.
            self._ledger.call_after_commit(lambda error: self._reject_written(request_id, octets, error))
        elif state is not None and state.durable:
            self._ledger.reply_after_commit(self.journal.on_answer, request_id, octets)
        else:
            self.journal.on_answer(request_id, octets)

    def _reject_written(self, request_id: bytes, octets: bytes, error: Exception | None) -> None:
        if error is None:
            self.journal.on_answer(request_id, octets)
        else:
            self.journal.silence(request_id)  # nor does a repetition get it

    # ------------------------------------------------------------------ after a restart

    def resume(self, now: Timestamp) -> None:
        """The account has its link again: deliver what is answered and not expired, see to what was in progress."""
        for request_id, state in list(self.journal.entries()):
            if state.answer is not None:
                if state.answer and state.expires_at > now:  # an empty one was dropped
                    # Not at once: an account that is opened anew may have answers that are being written.
                    self._ledger.reply_after_commit(self.journal.on_answer, request_id, state.answer)
            elif state.hold_id in self._ledger.unknown:
                heapq.heappush(self._unknown, (state.expires_at, request_id))
            elif state.hold_id is not None and state.hold_id not in self._ledger.holds:
                self._answer(request_id, Reject(ErrorCode.T00_INTERNAL_ERROR, self._own_address(), _RESTARTED))

    def timer(self) -> Timestamp | None:
        """When `handle_timer` is next due."""
        due = self.journal.timer()
        if self._unknown and (due is None or self._unknown[0][0] < due):
            return Timestamp(self._unknown[0][0])
        return due

    def handle_timer(self, now: Timestamp) -> None:
        """R00 for what had left before a restart and has expired since; forget what is too old."""
        self.journal.handle_timer(now)
        while self._unknown and self._unknown[0][0] <= now:
            _, request_id = heapq.heappop(self._unknown)
            state = self.journal.find(request_id)
            if state is not None and state.answer is None:
                self._answer(request_id, Reject(ErrorCode.R00_TRANSFER_TIMED_OUT, self._own_address(), _UNKNOWN))
