"""An engine's HTTP API: RFC 38 for the node, and a few pages of JSON for the operator.

Everything that a 2xx says is on the disk by then. Without a token the engine listens on this machine only
(`engine.shell`), and a web page of somebody else cannot send what we take: none of it is a form's type.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interledger.clock import Timestamp
from interledger.codec.strict_json import parse_json_object
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import ConflictError, DecodeError, InvalidRequestError, NotFoundError
from interledger.link.btp.subprotocols import Answer
from interledger.settlement.btp import ILP_ADDRESS, BtpRequest, decode_request, encode_answer
from interledger.settlement.engine.base import EngineAccount, MessageRefusedError, Payment
from interledger.settlement.engine.state import EngineState, Requested
from interledger.settlement.messages import (
    IDEMPOTENCY_KEY,
    MESSAGE_OCTETS_MAX,
    decode_new_account,
    encode_new_account,
    parse_engine_account,
    parse_key,
)
from interledger.settlement.quantity import Quantity
from interledger.settlement.shell import CallError

__all__ = ["Desk", "create_engine_app", "payment_document"]

logger = logging.getLogger("interledger.engine")

LISTED: Final = 100
"""Payments, and what came in, of one answer."""

_STATUS_OF: Final = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (MessageRefusedError, 400),
    (InvalidRequestError, 400),
    (DecodeError, 400),
)
"""What a caller did wrong. All else is ours: 500, and the caller asks again."""


class Desk(Protocol):
    """What the API needs of the running engine."""

    @property
    def state(self) -> EngineState: ...
    def now(self) -> Timestamp: ...
    def new_id(self) -> str: ...
    def wake(self, account_id: str) -> None:
        """More is owed to it, or the operator has agreed."""
        ...

    async def set_up(self, account: EngineAccount) -> None: ...
    async def close_account(self, account: EngineAccount) -> None: ...
    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes: ...
    async def receive_btp(self, account: EngineAccount, request: BtpRequest) -> Answer: ...
    @property
    def subprotocols(self) -> tuple[str, ...]: ...
    def describe(self) -> dict[str, Any]: ...


Handler = Callable[[Request], Awaitable[Response]]


def create_engine_app(desk: Desk, token: str | None) -> Starlette:
    """The application. `token`: what every caller presents; None: nobody is asked."""
    calls = _Calls(desk)
    routes = (
        ("/", "GET", calls.get_engine),
        ("/accounts", "POST", calls.create_account),
        ("/accounts", "GET", calls.list_accounts),
        ("/accounts/{id}", "DELETE", calls.delete_account),
        ("/accounts/{id}/settlements", "POST", calls.settle),
        ("/accounts/{id}/messages", "POST", calls.receive_message),
        ("/accounts/{id}/btp", "POST", calls.receive_btp),
        ("/payments", "GET", calls.list_payments),
        ("/payments/{number:int}/approve", "POST", calls.approve),
        ("/incoming", "GET", calls.list_incoming),
    )
    app = Starlette(
        routes=[Route(path, _guarded(handler, token), methods=[method]) for path, method, handler in routes]
    )
    app.router.redirect_slashes = False
    return app


def _guarded(handler: Handler, token: str | None) -> Handler:
    expected = None if token is None else f"Bearer {token}".encode()

    async def call(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode("latin-1")
        if expected is not None and not hmac.compare_digest(given, expected):
            return _problem(401, "Send the engine's token:  Authorization: Bearer …")
        try:
            return await handler(request)
        except Exception as error:
            for kind, status in _STATUS_OF:
                if isinstance(error, kind):
                    return _problem(status, str(error))
            if isinstance(error, CallError):
                return _problem(502, str(error))
            logger.exception("%s %s failed", request.method, request.url.path)
            return _problem(500, "the engine could not do it; ask again")

    return call


class _Calls:
    """One method per operation."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def get_engine(self, request: Request) -> Response:
        return _json(self._desk.describe())

    async def create_account(self, request: Request) -> Response:
        """Also for one that exists: a node asks again when it got no answer."""
        account_id = decode_new_account(await _body(request, "application/json")) or self._desk.new_id()
        account = self._desk.state.open_account(account_id, self._desk.now())
        await self._desk.set_up(account)
        self._desk.wake(account_id)
        return _bytes(encode_new_account(account_id, self._desk.subprotocols), 201)

    async def list_accounts(self, request: Request) -> Response:
        state = self._desk.state
        items = [
            {"id": account.id, "owed": state.owed(account.id).as_document(), "details": dict(account.details)}
            for account in state.accounts()
        ]
        return _json({"items": items})

    async def delete_account(self, request: Request) -> Response:
        account = self._account(request)
        await self._desk.close_account(account)
        return Response(status_code=204)

    async def settle(self, request: Request) -> Response:
        # RFC 38: "the client MUST retry the request with the same idempotency key"
        key = parse_key(request.headers.get(IDEMPOTENCY_KEY))
        quantity = Quantity.decode(await _body(request, "application/json"))
        account_id = parse_engine_account(request.path_params["id"])
        outcome = self._desk.state.request(account_id, key, quantity, self._desk.now())
        if outcome is Requested.CONFLICT:
            return _problem(409, f"this {IDEMPOTENCY_KEY} was used with another quantity")
        self._desk.wake(account_id)
        # The Java connector reads the answer as the quantity that was taken (TRAP SE-2). We took all of it.
        return _bytes(quantity.encode(), 201)

    async def receive_message(self, request: Request) -> Response:
        message = await _body(request, "application/octet-stream", MESSAGE_OCTETS_MAX)
        answer = await self._desk.receive_message(self._account(request), message)
        return _bytes(answer, 201, "application/octet-stream")

    async def receive_btp(self, request: Request) -> Response:
        octets = await _body(request, "application/octet-stream", MESSAGE_OCTETS_MAX)
        asked = decode_request(octets, request.headers.get(ILP_ADDRESS, ""))
        answer = await self._desk.receive_btp(self._account(request), asked)
        return _bytes(encode_answer(answer, self._desk.now()), 201, "application/octet-stream")

    async def list_payments(self, request: Request) -> Response:
        state = self._desk.state
        open_ones = [payment_document(payment) for payment in reversed(state.open_payments())]
        done = [payment_document(p, at, paid) for p, at, paid in state.payments(LISTED) if at is not None]
        return _json({"items": open_ones + done})

    async def approve(self, request: Request) -> Response:
        """The second of two steps: `amount` is what the first, looking at it, has shown."""
        fields = parse_json_object(await _body(request, "application/json"))
        payment = self._desk.state.open_payment(request.path_params["number"])
        if fields.get("amount") != str(payment.amount) or fields.get("account") != payment.account.id:
            raise ConflictError(
                f"payment {payment.id} is of {payment.amount} to {payment.account.id}: say so to approve"
            )
        payment = self._desk.state.approve_payment(payment.id, self._desk.now())
        self._desk.wake(payment.account.id)
        return _json(payment_document(payment))

    async def list_incoming(self, request: Request) -> Response:
        items = [
            {
                "id": one.id,
                "account": one.account,
                "event": one.event,
                **one.quantity.as_document(),
                "at": format_rfc3339(one.at),
                "told_at": None if one.done_at is None else format_rfc3339(one.done_at),
            }
            for one in self._desk.state.incoming(LISTED)
        ]
        return _json({"items": items})

    def _account(self, request: Request) -> EngineAccount:
        return self._desk.state.account(parse_engine_account(request.path_params["id"]))


def payment_document(payment: Payment, done_at: Timestamp | None = None, paid: int | None = None) -> dict[str, Any]:
    """A payment, for the operator."""
    return {
        "id": payment.id,
        "account": payment.account.id,
        **payment.quantity.as_document(),
        "made_at": format_rfc3339(payment.made_at),
        "approved_at": None if payment.approved_at is None else format_rfc3339(payment.approved_at),
        "done_at": None if done_at is None else format_rfc3339(done_at),
        "paid": None if paid is None else str(paid),
        "note": None if payment.note is None else dict(payment.note),
    }


async def _body(request: Request, media_type: str, octets_max: int = 4_096) -> bytes:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise InvalidRequestError(f"send  Content-Type: {media_type}")
    parts = []
    octets = 0
    async for part in request.stream():
        octets += len(part)
        if octets > octets_max:
            raise InvalidRequestError(f"a body has at most {octets_max} octets here")
        parts.append(part)
    return b"".join(parts)


def _json(document: Any, status: int = 200) -> Response:
    return _bytes(json.dumps(document, ensure_ascii=False).encode(), status)


def _bytes(body: bytes, status: int, media_type: str = "application/json") -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(body, status, headers, media_type=media_type)


def _problem(status: int, detail: str) -> Response:
    body = json.dumps({"type": "about:blank", "status": status, "detail": detail}, ensure_ascii=False)
    return _bytes(body.encode(), status, "application/problem+json")
