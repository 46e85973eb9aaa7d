"""A peer's link over HTTP whose packets have ids: HTTP-OER in both forms, and RFC 35's asynchronous one.

What is sent is a job: a Prepare or an answer, tried until the peer has it, later and later, and no longer than its
packet lives. A Prepare is only sent again to a peer that knows it again: in the forms of HTTP-OER, never in RFC 35's,
unless not an octet of it was written (HT-10).

What is said about a Prepare follows from what is known (money.md): never taken, by no attempt, is a Reject; anything
else is not decided here. Its answer may still come as a request, and the handler stops waiting by itself.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, final

from interledger.accounts.account import AccountId, HttpForm
from interledger.accounts.evidence import to_ask_again
from interledger.accounts.ledger import Ledger
from interledger.clock import Clock, Entropy, Timestamp
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp.packet import Prepare, Reply, decode_reply
from interledger.link.base import PacketHandler, RequestId
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.forms import Heads
from interledger.link.http.jobs import BEFORE, Job, fresh_id
from interledger.link.http.messages import Failure, Signer, failure_of_status
from interledger.link.http.outgoing import GRACE_MS
from interledger.link.http.pool import CONNECTIONS_MAX, ConnectionPool
from interledger.link.http.protocol import IncomingSide
from interledger.link.http.repeatable import RepeatableSide
from interledger.link.http.urls import parse_url
from interledger.link.repeat import Repetitions

__all__ = ["CourierLink"]

ATTEMPT_MS_MAX: Final = 5_000
"""How long one attempt may take before the next: a connection that died without a sign must not cost the packet."""

ATTEMPTS_MIN: Final = 3
"""So an attempt has no more than this part of the time that is left."""

UNSENT_MAX_MS: Final = 3_000
"""How long a Prepare is tried that the peer cannot have got: its sender may have a better way than to wait."""

LAST_WORD_MS: Final = 5_000
"""How long an answer is tried whose packet has expired: after a restart it is said only then."""

TICK_MS: Final = 50
"""How often repetitions are looked at: they are due to within this."""

IDLE_TICK_MS: Final = 1_000
"""The same while nothing is on its way, for what has to be forgotten or said after its expiry."""

JOBS_MAX: Final = 4_096
"""Prepares and answers that are not received yet. The connector allows 1,000 packets in flight each way."""

TRANSIENT: Final = frozenset({200, 408, 429})
"""Beside all of 5xx: another attempt may do better. 200 when its body broke off."""


_RECEIVED: Final = {HttpForm.OER_ASYNC: 200, HttpForm.ASYNC: 202}


@final
class CourierLink(ConnectionPool):
    """The link of one account, in one of the forms with ids. Implements `RememberingLink` and `AskingLink`.

    `incoming` takes what comes with an id, `plain` (only RFC 35's form has it) what comes without: attach both to the
    port's `HttpIlpServer`, then `resume`. Raises `InvalidRequestError` for a url.
    """

    def __init__(
        self,
        handler: PacketHandler,
        account: AccountId,
        ledger: Ledger,
        form: HttpForm,
        *,
        clock: Clock,
        entropy: Entropy,
        ledger_name: str,
        own_address: str,
        url: str | None = None,
        token: str | Signer | None = None,
        callback_url: str | None = None,
        tls: ssl.SSLContext | None = None,
        connections_max: int = CONNECTIONS_MAX,
        egress: EgressPolicy | None = None,
    ) -> None:
        parsed = None if url is None else parse_url(url)
        callback = None if callback_url is None else parse_url(callback_url)
        if form is HttpForm.ASYNC and parsed is not None and callback is None:
            raise InvalidRequestError(
                "the form “async” needs  http_callback_url: where the peer answers us", "http_callback_url"
            )
        super().__init__(
            handler,
            account,
            clock=clock,
            url=parsed,
            tls=tls,
            own_address=own_address,
            connections_max=connections_max,
            egress=egress,
        )
        self._form = form
        self._entropy = entropy
        self._ledger = ledger
        self._wire_ids: dict[RequestId, bytes] = {}
        """Of Prepares whose holds are being written."""
        self._heads = None if parsed is None else Heads(form, parsed, token, callback)
        self._jobs: dict[RequestId, Job] = {}
        self._repetitions: Repetitions[int] = Repetitions()
        self._last_job = 0
        self._tick_handle: asyncio.TimerHandle | None = None
        self.replies_dropped = 0
        """Answers that the peer did not take while its packet lived."""
        self.incoming = RepeatableSide(
            handler,
            account,
            ledger,
            form,
            ledger_name=ledger_name,
            own_address=lambda: self.own_address,
            deliver=self._deliver,
            callback_url=None if parsed is None else str(parsed),
        )
        self.keep_reply = self.incoming.requests.keep_reply
        self.unkeep_reply = self.incoming.requests.unkeep_reply
        self.plain = IncomingSide(handler, account) if form is HttpForm.ASYNC else None

    # The interface of a link.

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.prepares += 1
        heads = self._heads
        if heads is None:
            self.request(request_id, prepare.expires_at, b"", b"")  # which refuses it
            return
        wire_id = self._wire_ids.pop(request_id, None) or fresh_id(self._entropy)
        self.incoming.outstanding.add(wire_id, request_id, prepare.expires_at)
        self._send(heads.prepare(wire_id, self.clock.now()), wire_id, prepare.encode(), prepare.expires_at, request_id)

    def keep_prepare(self, hold_id: int, request_id: RequestId, prepare: Prepare) -> None:
        if self._form is not HttpForm.ASYNC:  # RFC 35's peers need not know a repetition
            if len(self._wire_ids) >= JOBS_MAX:  # the oldest is of a Prepare that could not be written
                del self._wire_ids[next(iter(self._wire_ids))]
            wire_id = self._wire_ids[request_id] = fresh_id(self._entropy)
            self._ledger.asked.add(hold_id, self.account, wire_id, prepare.encode())

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._wake()
        if self.plain is not None and request_id in self.plain.waiting:
            self.plain.send_reply(request_id, reply)
        else:
            self.incoming.requests.send_reply(request_id, reply)

    def ready(self) -> bool:
        return len(self._jobs) < JOBS_MAX and super().ready()

    def resume(self) -> None:
        """The link is attached: see to what was in progress before, and ask again what was asked."""
        self._wake()
        now = self.clock.now()
        self.incoming.requests.resume(now)
        if self._heads is not None:
            for asked, expires_at in to_ask_again(self._ledger, self.account, now):
                head = self._heads.prepare(asked.request_id, now)
                self._send(head, asked.request_id, asked.octets, expires_at, BEFORE)

    def handle_timer(self, now: Timestamp) -> None:
        """Send again what is due, and forget what is too old."""
        for number in self._repetitions.take_due(now):
            job = self._jobs.get(RequestId(number))
            if job is not None:
                self._attempt(RequestId(number), job, now)
        self.incoming.outstanding.handle_timer(now)
        self.incoming.requests.handle_timer(now)

    def _wake(self) -> None:
        """One timer for the link: quick while something is on its way, slow while something is remembered."""
        if self._tick_handle is None and not self._closed:
            wait_ms = TICK_MS if self._jobs else IDLE_TICK_MS
            self._tick_handle = self._running_loop().call_later(wait_ms / 1000, self._tick)

    def _tick(self) -> None:
        self._tick_handle = None
        self.handle_timer(self.clock.now())
        if self._jobs or self.incoming.outstanding or self.incoming.requests.timer() is not None:
            self._wake()

    async def close(self) -> None:
        """Send and take nothing more. Packets on their way have an unknown outcome."""
        if self._closed:
            return
        self.incoming.close()
        if self.plain is not None:
            self.plain.close()
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        await self.close_connections()
        self._jobs.clear()

    # Jobs.

    def _deliver(self, request_id: bytes, answer: bytes) -> None:
        """An answer that the peer waits for as a request."""
        state = self.incoming.requests.journal.find(request_id)
        if state is None or self._heads is None or self._closed:
            return
        expires_at = max(state.expires_at, self.clock.now() + LAST_WORD_MS)
        self._send(self._heads.reply(request_id, self.clock.now()), request_id, answer, expires_at, None)

    def _send(self, head: bytes, wire_id: bytes, octets: bytes, expires_at: int, onward_id: RequestId | None) -> None:
        if len(self._jobs) >= JOBS_MAX and onward_id is None:
            self.replies_dropped += 1
            return
        now = self.clock.now()
        self._last_job = number = RequestId(self._last_job + 1)
        if not self._jobs and self._tick_handle is not None:
            self._tick_handle.cancel()  # it may be a slow one
            self._tick_handle = None
        job = self._jobs[number] = Job(wire_id, head, octets, now, expires_at, onward_id)
        self._wake()
        self._attempt(number, job, now)

    def _attempt(self, number: RequestId, job: Job, now: Timestamp) -> None:
        until = job.expires_at
        if self._may_repeat(job):
            until = now + min((until - now) // ATTEMPTS_MIN, ATTEMPT_MS_MAX) - GRACE_MS  # which the pool adds
        self.request(number, Timestamp(max(until, now)), job.head, job.body)

    def _may_repeat(self, job: Job) -> bool:
        return job.onward_id is None or self._form is not HttpForm.ASYNC

    # What the pool says.

    def receive_response(self, request_id: RequestId, status: int, body: bytes, now: Timestamp) -> None:
        job = self._jobs.get(request_id)
        if job is None:
            return
        is_reply = job.onward_id is None
        if 200 <= status < 300 if is_reply else self._prepare_received(job, status, body, now):
            self.alarm = None
            self._end(request_id)
        else:
            again = (status in TRANSIENT or status >= 500) and self._may_repeat(job)
            self._failed(request_id, job, failure_of_status(status), now, again=again)

    def _prepare_received(self, job: Job, status: int, body: bytes, now: Timestamp) -> bool:
        """Whether this response to a Prepare ends its job. An answer in the response counts in every form."""
        if status == 200 and body:
            try:
                reply = decode_reply(body)
            except DecodeError:
                pass
            else:
                self.incoming.receive_inline(job.request_id, body, reply, now)
                return True
        return status == _RECEIVED.get(self._form)

    def fail(self, request_id: RequestId, failure: Failure, now: Timestamp) -> None:
        job = self._jobs.get(request_id)
        if self._heads is None:
            super().fail(request_id, failure, now)  # a Prepare that never became a job
        elif job is not None:
            self._failed(request_id, job, failure, now, again=failure.known or self._may_repeat(job))

    def _failed(self, number: RequestId, job: Job, failure: Failure, now: Timestamp, *, again: bool) -> None:
        """An attempt failed. `again`: the next one may do better."""
        job.uncertain |= not failure.known
        until = job.expires_at
        if job.onward_id is not None and not job.uncertain:
            until = min(until, job.since + UNSENT_MAX_MS)
        wanted = again and not self._closed and self._is_wanted(job)
        if wanted and self._repetitions.schedule(number, now, until):
            return
        self._end(number)
        self.raise_alarm(failure, now)
        if job.onward_id is None:
            self.replies_dropped += 1
        elif not job.uncertain and self._is_wanted(job):
            # By no attempt did the peer take it.
            super().fail(job.onward_id, failure, now)

    def _is_wanted(self, job: Job) -> bool:
        """Whether nobody has answered it meanwhile."""
        return job.onward_id is None or self.incoming.is_wanted(job.request_id)

    def _end(self, number: RequestId) -> None:
        self._jobs.pop(number, None)
        self._repetitions.forget(number)
