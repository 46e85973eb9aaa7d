"""Runs a `StreamSender` over any link, on asyncio: one timer per payment, no task per packet, one burst a loop turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeVar, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, SystemClock, Timestamp
from interledger.errors import LocalProtocolError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import Link, PacketHandler, RequestId
from interledger.transport.stream.payment import (
    PaymentEnded,
    Progress,
    Quote,
    QuoteError,
    QuoteFailed,
    QuoteReady,
)
from interledger.transport.stream.sender import StreamSender

__all__ = ["StreamPayer", "pay_over_link"]

CANCEL_WAIT_S: Final = 30.0
"""A cancelled payment waits so long for packets in flight: they live 20 s, and money may still move in them."""

_T = TypeVar("_T")

logger = logging.getLogger("interledger.stream")


@final
class StreamPayer:
    """What the link delivers to. Make it, open the link with it as the handler, `attach` the link, then quote and pay.

    Must be made on the event loop it runs on.
    """

    def __init__(self, sender: StreamSender, clock: Clock | None = None) -> None:
        self.sender = sender
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._quoted: asyncio.Future[QuoteReady | QuoteFailed] = self._loop.create_future()
        self._ended: asyncio.Future[PaymentEnded] = self._loop.create_future()
        self._report: Callable[[Progress], object] | None = None
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = Timestamp(0)

    def attach(self, link: Link) -> None:
        """The link to send over. Nothing is sent before."""
        self._link = link

    async def quote(self) -> Quote:
        """Ask for asset and rate. Raises `QuoteError`, and `LocalProtocolError` without a link."""
        self._flush_soon()
        if self._link is None:
            raise LocalProtocolError("attach a link before asking for a quote")
        try:
            event = await asyncio.shield(self._quoted)
        except asyncio.CancelledError:
            self.cancel()
            raise
        if isinstance(event, QuoteFailed):
            raise QuoteError(event.failure, event.code)
        return event.quote

    async def pay(self, progress: Callable[[Progress], object] | None = None) -> PaymentEnded:
        """Pay by the quote (asked for first, if need be). `progress` is called after each burst of replies.

        When the caller is cancelled, no more is sent, and packets in flight are waited for, up to 30 s.
        """
        await self.quote()
        self._report = progress
        self.sender.pay(self._clock.now())
        self._flush_soon()
        try:
            return await asyncio.shield(self._ended)
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait((self._ended,), timeout=CANCEL_WAIT_S)
            self._stop_timer()
            raise

    def cancel(self) -> None:
        """Send no more. `pay` returns when the packets in flight are answered or have expired."""
        self.sender.close()
        self._flush_soon()

    # What the link calls (interledger.link.base.PacketHandler)

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        """Nobody can be paid here."""
        return Reject(ErrorCode.F02_UNREACHABLE, "")

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        """Taken at once; what it makes possible leaves at the end of this loop turn, with that of all other replies."""
        self.sender.receive_reply(request_id, reply, now)
        if not self._flush_due:
            self._flush_soon()

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        """The outcome of a packet is unknown."""
        self.sender.receive_no_reply(request_id, reject, now)
        self._flush_soon()

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        """Nothing is decided by that: what is in flight may still be answered until it expires."""

    # The pump

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        link, sender = self._link, self.sender
        if link is None:
            return
        now = self._clock.now()
        for request_id, prepare in sender.packets_to_send(now):
            link.send_prepare(request_id, prepare)
        for event in sender.events():
            if isinstance(event, PaymentEnded):
                _resolve(self._ended, event)
            else:
                _resolve(self._quoted, event)
        self._set_timer(sender.timer(), now)
        if self._report is not None:
            self._tell(self._report, sender.progress())

    def _set_timer(self, due: Timestamp | None, now: Timestamp) -> None:
        if due is None:
            self._stop_timer()
        elif self._timer is None or due < self._timer_at:
            # A timer that is set too early only looks and sets itself again: cheaper than moving it with every burst.
            self._stop_timer()
            self._timer_at = due
            self._timer = self._loop.call_at(self._loop.time() + max(0, due - now) / 1000, self._timer_due)

    def _timer_due(self) -> None:
        self._timer = None
        self.sender.handle_timer(self._clock.now())
        self._flush()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, report: Callable[[Progress], object], progress: Progress) -> None:
        try:
            report(progress)
        except Exception:
            # A caller's mistake must not leave packets in flight without anybody who listens.
            logger.exception("the progress callback of a payment failed; it is not called again")
            self._report = None


def _resolve(future: asyncio.Future[_T], value: _T) -> None:
    if not future.done():
        future.set_result(value)


async def pay_over_link(
    sender: StreamSender,
    connect: Callable[[PacketHandler], Link],
    *,
    clock: Clock | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> PaymentEnded:
    """Quote and pay over the link that `connect` opens for the payer. A failed quote is an ended payment too."""
    payer = StreamPayer(sender, clock)
    payer.attach(connect(payer))
    try:
        return await payer.pay(progress)
    except QuoteError as error:
        return PaymentEnded(error.failure, error.code, sender.progress())
