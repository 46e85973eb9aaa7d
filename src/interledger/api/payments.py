"""Quotes and payments: `/api/quotes`, `/api/payments`, and `POST /accounts/{account}/payments` of interledger-rs.

A payment belongs to the node. Whoever started it may watch it, hang up, come back, or ask again with the same
`Idempotency-Key`; only `cancel` stops it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final, NamedTuple, final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.bodies import Fields, check_json, read_body
from interledger.api.documents import list_document, payment_document, payment_problem, quote_document
from interledger.api.facade import KeptKeyView, NodeFacade, PaymentView, QuoteView
from interledger.api.idempotency import Idempotency, check_key, key_conflict
from interledger.api.json_text import encode_json
from interledger.api.operations import Call, Operation, json_response
from interledger.api.paging import read_limit
from interledger.api.payment_cost import cost_document
from interledger.api.payment_history import HISTORY_PARAMETERS, page_of, read_wanted
from interledger.api.payment_terms import Terms, learn_deliver, read_terms
from interledger.api.payment_trace import trace_document
from interledger.api.payment_views import ProgressView
from interledger.api.problems import Problem, problem_document, problem_of
from interledger.codec.strict_json import parse_json_object
from interledger.errors import NotFoundError

__all__ = ["PaymentResource", "whole_document"]

NDJSON: Final = "application/x-ndjson"

QUOTES_MAX: Final = 1_000
"""Quotes remembered; the oldest is forgotten first."""

QUOTE_LIFETIME_S: Final = 300
"""A rate that was probed longer ago says little."""

COMPATIBLE_SLIPPAGE: Final = Fraction(15, 1000)
"""What interledger-rs takes when nothing is said."""


class _KeptQuote(NamedTuple):
    account: str
    receiver: str
    quote: QuoteView
    since: float


@final
class PaymentResource:
    """The operations on payments, and what they remember between requests."""

    def __init__(self) -> None:
        self._quotes: OrderedDict[str, _KeptQuote] = OrderedDict()
        self._started: Idempotency[PaymentView] = Idempotency()

    async def create_quote(self, call: Call) -> Response:
        fields = await call.fields()
        terms = read_terms(fields, call.node, call.caller)
        if terms.quote_id is not None:
            raise fields.wrong("quote_id", "is for payments")
        quote = await _quote(call.node, terms, fields)
        quote_id = f"quo_{secrets.token_hex(8)}"
        self._quotes[quote_id] = _KeptQuote(terms.account.id, terms.receiver, quote, _monotonic())
        while len(self._quotes) > QUOTES_MAX:
            self._quotes.popitem(last=False)
        return json_response(quote_document(quote, terms.account.id, quote_id), 201)

    async def create_payment(self, call: Call) -> Response:
        request = call.request
        check_json(request)
        body = await read_body(request)
        fields = Fields(parse_json_object(body), strict=True)
        terms = read_terms(fields, call.node, call.caller)

        key = check_key(request.headers.get("idempotency-key"))
        caller, digest = call.caller.account or "", sha256(body).hexdigest()

        async def start() -> PaymentView:
            payment = await self._start(call.node, terms, fields)
            if key is not None:
                call.node.payment_keys.keep(caller, key, digest, payment.snapshot.id)
            return payment

        kept = None if key is None else call.node.payment_keys.find(caller, key)
        if kept is not None:
            return await _answer(request, await _payment_of_key(call.node, kept, digest))
        return await _answer(request, await self._started.once(caller, key, digest, start))

    async def _start(self, node: NodeFacade, terms: Terms, fields: Fields) -> PaymentView:
        if terms.quote_id is None:
            deliver = await learn_deliver(terms, fields, node)
            return node.pay(
                terms.account.id,
                terms.receiver,
                send=terms.send,
                deliver=deliver,
                slippage=terms.slippage,
                min_rate=terms.min_rate,
            )
        if terms.send is not None or terms.deliver is not None:
            raise fields.wrong("quote_id", "says already what is sent and delivered")
        kept = self._quotes.get(terms.quote_id)
        if kept is None or kept.since < _monotonic() - QUOTE_LIFETIME_S or kept.account != terms.account.id:
            raise NotFoundError("There is no such quote, or not any more. Ask for a new one.")
        if kept.receiver != terms.receiver:
            raise fields.wrong("receiver", f"of this quote is {kept.receiver}")
        # A quote is for one payment.
        del self._quotes[terms.quote_id]
        return node.pay(
            terms.account.id, terms.receiver, slippage=terms.slippage, min_rate=terms.min_rate, quote=kept.quote
        )

    async def list_payments(self, call: Call) -> Response:
        """Newest first. `cursor` is the id of the last payment of the page before."""
        wanted = read_wanted(call.request)

        def fits(payment: ProgressView) -> bool:
            return call.caller.may_use(payment.account) and wanted.fits(payment)

        all_of_them = (payment.snapshot for payment in call.node.payments())
        cursor = call.request.query_params.get("cursor")
        page = await page_of(all_of_them, call.node.payment_history, fits, read_limit(call.request), cursor)
        return json_response(list_document(map(payment_document, page.items), page.cursor))

    async def get_payment(self, call: Call) -> Response:
        payment = (await _payment(call)).snapshot
        return json_response(whole_document(call.node, payment))

    async def cancel_payment(self, call: Call) -> Response:
        """Answers at once; what is in flight is still waited for."""
        payment = await _payment(call)
        payment.cancel()
        return json_response(payment_document(payment.snapshot), 202)

    async def pay_compatible(self, call: Call) -> Response:
        """Waits for the end, and answers with an error unless all of it went."""
        account = call.account
        fields = await call.compatible_fields()
        amount = fields.required_integer("source_amount", 1)
        receiver = fields.required_text("receiver")
        slippage = fields.fraction("slippage")
        if slippage is not None and slippage >= 1:
            raise fields.wrong("slippage", "is from 0 to less than 1: 0.015 is 1.5 percent")
        payment = call.node.pay(
            account.id, receiver, send=amount, slippage=COMPATIBLE_SLIPPAGE if slippage is None else slippage
        )
        ended = await payment.done()  # the caller may hang up: the payment goes on
        problem = payment_problem(ended, payment=payment_document(ended))
        if problem is not None:
            raise problem
        destination = ended.destination_asset
        return json_response(
            {
                "from": account.ilp_address,
                "to": ended.receiver,
                "source_asset_scale": account.asset.scale,
                "source_asset_code": account.asset.code,
                "source_amount": amount,
                "sent_amount": ended.sent,
                "in_flight_amount": ended.in_flight,
                "delivered_amount": ended.delivered,
                "destination_asset_scale": None if destination is None else destination.scale,
                "destination_asset_code": None if destination is None else destination.code,
            }
        )

    def operations(self) -> tuple[Operation, ...]:
        """The operations of this module."""
        return (
            Operation(
                method="POST", path="/accounts/{account}/payments", access=Access.HOLDER, handler=self.pay_compatible,
                summary="Pay and wait", body="CompatiblePayment", answer="StreamDelivery", problems=(400, 404, 502),
                tags=("interledger-rs",),
            ),
            Operation(
                method="POST", path="/api/quotes", access=Access.ANY, handler=self.create_quote, scope=Scope.READ,
                summary="What a payment would cost", body="PaymentTerms", answer="Quote", status=201,
                problems=(400, 404, 422, 502), tags=("payments",),
            ),
            Operation(
                method="POST", path="/api/payments", access=Access.ANY, handler=self.create_payment,
                summary="Pay. With  Accept: application/x-ndjson  progress is streamed, one document a line; with"
                "  Prefer: respond-async  the answer comes at once",
                body="PaymentTerms", answer="Payment", status=201, problems=(400, 404, 409, 422, 502),
                parameters=("Idempotency-Key", "Prefer"), tags=("payments",),
            ),
            Operation(
                method="GET", path="/api/payments", access=Access.ANY, handler=self.list_payments,
                summary="Payments, newest first", answer="Payment[]", problems=(400, 503),
                parameters=HISTORY_PARAMETERS, tags=("payments",),
            ),
            Operation(
                method="GET", path="/api/payments/{payment}", access=Access.ANY, handler=self.get_payment,
                summary="One payment, with its packets", answer="PaymentWhole", problems=(404, 503), tags=("payments",),
            ),
            Operation(
                method="POST", path="/api/payments/{payment}/cancel", access=Access.ANY, handler=self.cancel_payment,
                summary="Send no more", answer="Payment", status=202, problems=(404, 503), tags=("payments",),
            ),
        )  # fmt: skip


def whole_document(node: NodeFacade, payment: ProgressView) -> dict[str, Any]:
    """A payment with its packets, and what it cost."""
    trace = trace_document(node, payment.id, ended=payment.ended_at is not None)
    return payment_document(payment) | trace | cost_document(node, payment)


async def _payment_of_key(node: NodeFacade, kept: KeptKeyView, digest: str) -> PaymentView:
    """The payment that was begun under a key before, in an earlier life perhaps."""
    if kept.body != digest:
        raise key_conflict()
    try:
        return await node.payment_history.find(kept.payment)
    except NotFoundError:
        text = f"Under this Idempotency-Key the payment {kept.payment} was begun, which is not remembered any more"
        raise Problem("conflict", text) from None


async def _quote(node: NodeFacade, terms: Terms, fields: Fields) -> QuoteView:
    deliver = await learn_deliver(terms, fields, node)
    return await node.quote(
        terms.account.id,
        terms.receiver,
        send=terms.send,
        deliver=deliver,
        slippage=terms.slippage,
        min_rate=terms.min_rate,
    )


async def _answer(request: Request, payment: PaymentView) -> Response:
    location = f"/api/payments/{payment.snapshot.id}"
    if NDJSON in request.headers.get("accept", ""):
        headers = {"Cache-Control": "no-store", "Location": location, "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(_lines(payment), 201, headers, media_type=NDJSON)
    if "respond-async" in request.headers.get("prefer", ""):
        return json_response(payment_document(payment.snapshot), 202, location=location)
    ended = await payment.done()  # the caller may hang up: the payment goes on, and who joined under the same key waits
    return json_response(payment_document(ended), 201, location=location)


async def _lines(payment: PaymentView) -> AsyncIterator[bytes]:
    """The payment as it goes, a document a line; the last one is final, or `{"error": problem}`."""
    try:
        async for progress in payment.progress:
            yield encode_json(payment_document(progress)) + b"\n"
    except Exception as error:  # the answer has begun, so a status cannot tell any more
        yield encode_json({"error": problem_document(problem_of(error))}) + b"\n"


async def _payment(call: Call) -> PaymentView:
    """The payment in the path, where the caller may see it: of another's, not even that there is one is told."""
    payment_id: str = call.request.path_params["payment"]
    try:
        payment = await call.node.payment_history.find(payment_id)
    except NotFoundError:
        payment = None
    if payment is None or not call.caller.may_use(payment.snapshot.account):
        raise NotFoundError(f"There is no payment “{payment_id[:40]}”.")
    return payment


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
