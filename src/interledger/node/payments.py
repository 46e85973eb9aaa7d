"""Payments of this node's accounts: resolve, quote, send, remember.

A payment runs in a task of its own, attached to the connector by a link of its own. It goes on whoever watches it; what
it came to is kept in the store.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import AccountId
from interledger.application.spsp.shell import SpspDetails, resolve
from interledger.clock import Timestamp
from interledger.errors import InterledgerError, InvalidRequestError, NotFoundError, PaymentError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.node.payment import Payment, PaymentTerms, Quote, Rate, RateTooLowError, Snapshot
from interledger.node.payment_cancelling import CancelledEarlyError, cancel_when_asked, unless_cancelled
from interledger.node.payment_totals import PaymentTotals
from interledger.transport.stream import payment as stream
from interledger.transport.stream.sender import StreamSender
from interledger.transport.stream.shell import StreamPayer

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Payments"]

PAYMENTS_KEPT: Final = 1_000
"""Payments in memory; of those that have ended the oldest goes first. The store has more."""

PROGRESS_KEPT_MS: Final = 200
"""How old the figures of a payment may be that a crash leaves behind. The books are exact; these are for people."""

ID_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that are not mistaken for one another."""

ID_LENGTH: Final = 8
"""Characters behind `pay_`: a trillion payments, so that two never share one."""

logger = logging.getLogger("interledger.node")


@final
class Payments:
    """All payments of a node: those under way and those remembered."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._payments: dict[str, Payment] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._kept_at: dict[str, Timestamp] = {}
        self.totals = PaymentTotals()
        self._egress = EgressPolicy(development=node.settings.development)

    def load(self, documents: list[dict[str, Any]]) -> None:
        """Those of earlier lives, oldest first."""
        for document in documents:
            snapshot = Snapshot.from_document(document)
            self._payments[snapshot.id] = Payment(snapshot)

    def all(self) -> list[Payment]:
        """Newest first."""
        return list(reversed(self._payments.values()))

    def get(self, payment_id: str) -> Payment:
        """By its id, with or without `pay_`. Raises `NotFoundError`."""
        payment = self._payments.get(payment_id) or self._payments.get(f"pay_{payment_id}")
        if payment is None:
            raise NotFoundError(f"There is no payment “{payment_id}”.")
        return payment

    async def stop(self) -> None:
        """The node stops: nothing more is sent; what is in flight is the connector's."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # ------------------------------------------------------------------ quote

    async def quote(self, terms: PaymentTerms) -> Quote:
        """Resolve the receiver and probe the way. Raises `ResolveError`, `PaymentError`, `InvalidRequestError`."""
        details = await self._resolve(terms.receiver)
        with self._payer(terms, details, f"quo_{_new_id()}", None) as payer:
            return await _ask(payer, terms, details)

    async def _resolve(self, receiver: str) -> SpspDetails:
        node = self._node
        return await resolve(
            receiver,
            fetch=partial(fetch, egress=self._egress, tls=node.links.tls.development),
            own_address=node.address,
            development=node.settings.development,
        )

    @contextmanager
    def _payer(
        self, terms: PaymentTerms, details: SpspDetails, name: str, minimum: Quote | None
    ) -> Iterator[StreamPayer]:
        """A payer on a link of its own. `minimum`: a quote that was accepted; the rate may not fall below it."""
        node, account = self._node, terms.account
        sender = StreamSender(
            details.destination_account,
            details.shared_secret,
            account.asset,
            _target(terms, minimum),
            node.entropy,
            node.clock.now(),
            destination_asset=None if minimum is None else minimum.destination_asset,
            slippage=terms.slippage,
            minimum_rate=None if minimum is None else Fraction(minimum.deliver_min, minimum.send_max),
        )
        payer = StreamPayer(sender, node.clock)
        peer_id = AccountId(f"{account.id}/{name}")
        payer.attach(node.live.traces.attach(peer_id, account, payer, details.shared_secret))
        try:
            yield payer
        finally:
            node.wallets.detach_end(peer_id)

    # ------------------------------------------------------------------ pay

    def start(self, terms: PaymentTerms, quote: Quote | None = None) -> Payment:
        """Begin a payment. With a quote its amounts and its minimum hold."""
        if quote is not None:
            terms = replace(quote.terms, account=terms.account)
        elif (terms.send is None) == (terms.deliver is None):
            raise InvalidRequestError("a payment needs an amount to send or one to deliver", "send")
        node = self._node
        payment = Payment(
            Snapshot(
                id=f"pay_{_new_id()}",
                account=terms.account.id,
                receiver=terms.receiver,
                state="quoting",
                source_asset=terms.account.asset,
                started_at=node.clock.now(),
            )
        )
        self._remember(payment)
        task = asyncio.get_running_loop().create_task(self._run(payment, terms, quote))
        self._running[payment.snapshot.id] = task
        task.add_done_callback(lambda _: self._running.pop(payment.snapshot.id, None))
        return payment

    def _remember(self, payment: Payment) -> None:
        self._payments[payment.snapshot.id] = payment
        self._forget()
        self._keep(payment)

    def _forget(self) -> None:
        """The oldest that has ended: the figures of what runs are here only."""
        if len(self._payments) > PAYMENTS_KEPT:
            oldest = next((key for key, one in self._payments.items() if one.snapshot.ended_at is not None), None)
            if oldest is not None:
                del self._payments[oldest]

    async def _run(self, payment: Payment, terms: PaymentTerms, quote: Quote | None) -> None:
        try:
            await self._pay(payment, terms, quote)
        except CancelledEarlyError as error:
            self._end(payment, state="cancelled", error=str(error))
        except InterledgerError as error:
            code = error.code if isinstance(error, stream.QuoteError) else None
            self._end(payment, state="failed", error=str(error), code=code or None)
        except asyncio.CancelledError:
            self._end(payment, state="unknown", error="The node stopped while the payment was under way.")
            raise
        except Exception:
            logger.exception("payment %s failed", payment.snapshot.id)
            self._end(payment, state="unknown", error="The node has a fault of its own; its log says which.")

    async def _pay(self, payment: Payment, terms: PaymentTerms, quote: Quote | None) -> None:
        details = await unless_cancelled(payment, self._resolve(terms.receiver))
        name = payment.snapshot.id
        if quote is None:
            with self._payer(terms, details, name + "/quote", None) as payer:
                quote = await unless_cancelled(payment, _ask(payer, terms, details))
        payment.update(
            state="sending",
            destination_asset=quote.destination_asset,
            send_max=quote.send_max,
            deliver_min=quote.deliver_min,
            redirected_to=details.redirected_to,
        )
        with self._payer(terms, details, name, quote) as payer:
            watcher = asyncio.get_running_loop().create_task(cancel_when_asked(payment, payer))
            try:
                ended = await payer.pay(partial(self._note_progress, payment))
            finally:
                watcher.cancel()
        failure, code, progress = ended
        receipt = payer.sender.receipt
        payment.update(**_figures(progress), receipt=receipt and b64encode(receipt).decode("ascii"))
        state = "delivered" if failure is None else _state_of(failure, progress)
        self._end(payment, state=state, error=None if failure is None else failure.sentence, code=code or None)

    def _note_progress(self, payment: Payment, progress: stream.Progress) -> None:
        """For whoever watches; now and then for whoever looks it up after a crash."""
        payment.update(**_figures(progress))
        now = self._node.clock.now()
        if now >= self._kept_at.get(payment.snapshot.id, 0) + PROGRESS_KEPT_MS:
            self._kept_at[payment.snapshot.id] = now
            self._keep(payment)

    def _end(self, payment: Payment, **fields: Any) -> None:
        now = self._node.clock.now()
        payment.update(ended_at=now, in_flight=0, waiting=None, **fields)
        self.totals.add(payment.state, now - payment.started_at)
        self._kept_at.pop(payment.snapshot.id, None)
        self._keep(payment)
        self._forget()
        self._node.live.payment_ended(payment.snapshot)

    def _keep(self, payment: Payment) -> None:
        self._node.store.put_payment(payment.snapshot.id, payment.snapshot.as_document())


async def _ask(payer: StreamPayer, terms: PaymentTerms, details: SpspDetails) -> Quote:
    """The payer's quote, in the node's terms. Raises `PaymentError` when the rate is below the one asked for."""
    quoted = await payer.quote()
    source, destination = quoted.source_asset, quoted.destination_asset
    if destination is None:
        raise PaymentError(stream.PaymentFailure.ASSET_UNKNOWN.sentence)
    rate = Rate(*quoted.rate_low.as_integer_ratio())
    deliver_min = quoted.deliver_min
    if terms.min_rate is not None:
        asked = terms.min_rate * 10**destination.scale / 10**source.scale
        if quoted.rate_low < asked:
            raise RateTooLowError(quoted.rate_low * 10**source.scale / 10**destination.scale, terms.min_rate)
        deliver_min = max(deliver_min, int(quoted.send_max * asked))
    return Quote(
        receiver=terms.receiver,
        source_asset=source,
        destination_asset=destination,
        send_max=quoted.send_max,
        deliver_min=deliver_min,
        rate=rate,
        packet_max=quoted.packet_max,
        terms=terms,
        details=details,
    )


def _target(terms: PaymentTerms, quote: Quote | None) -> stream.Target:
    if terms.deliver is not None:
        return stream.FixedDelivery(terms.deliver, None if quote is None else quote.send_max)
    if terms.send is None:
        raise InvalidRequestError("a payment needs an amount to send or one to deliver", "send")
    return stream.FixedSend(terms.send)


def _figures(progress: stream.Progress) -> dict[str, Any]:
    return {
        "sent": progress.sent,
        "delivered": progress.delivered,
        "in_flight": progress.in_flight,
        "unknown": progress.unknown,
        "packets": progress.packets_sent,
        "fulfilled": progress.packets_fulfilled,
        "rejected": progress.packets_rejected,
        "waiting": progress.waiting,
    }


def _state_of(failure: stream.PaymentFailure, progress: stream.Progress) -> str:
    """One word for how a payment ended that did not deliver everything."""
    if failure is stream.PaymentFailure.CANCELLED:
        return "cancelled"
    if progress.sent:
        return "partial"
    return "unknown" if progress.unknown else "failed"


def _new_id() -> str:
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))
