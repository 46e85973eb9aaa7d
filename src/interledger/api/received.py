"""`/api/incoming`: payments that came in, as far as they are remembered. Packet by packet: see `incoming_socket`."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.asset import Money
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.incoming_facade import IncomingView
from interledger.api.operations import Call, Operation, json_response
from interledger.api.paging import read_limit
from interledger.api.payment_history import read_period
from interledger.api.problems import Problem
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import NotFoundError

__all__ = ["OPERATIONS", "incoming_document"]


def incoming_document(payment: IncomingView, now: Timestamp) -> dict[str, Any]:
    """One, as far as it is there."""
    return {
        "id": payment.id,
        "account": payment.account,
        "source": payment.source,
        "received": Money(payment.received, payment.asset).as_json(),
        "packets": payment.packets,
        "state": "received" if payment.is_over(now) else "receiving",
        "started_at": format_rfc3339(payment.started_at),
        "last_at": format_rfc3339(payment.last_at),
    }


async def list_incoming(call: Call) -> Response:
    """Newest first. `cursor` is the id of the last one of the page before."""
    account, cursor = call.request.query_params.get("account"), call.request.query_params.get("cursor")
    period, limit, now = read_period(call.request), read_limit(call.request), call.node.incoming.now()
    found: list[IncomingView] = []
    is_behind = cursor is None
    for one in call.node.incoming.all():
        fits = account in (None, one.account) and call.caller.may_use(one.account) and period.has(one.started_at)
        if is_behind and fits:
            found.append(one)
            if len(found) > limit:
                break
        is_behind = is_behind or one.id == cursor
    if not is_behind:
        raise Problem("invalid-request", "this cursor is of no payment any more", field="cursor")
    more = found[limit - 1].id if len(found) > limit else None
    return json_response(list_document((incoming_document(one, now) for one in found[:limit]), more))


async def get_incoming(call: Call) -> Response:
    """Of another's account, not even that there is one is told."""
    payment_id = call.request.path_params["incoming"]
    try:
        one = call.node.incoming.get(payment_id)
    except NotFoundError:
        one = None
    if one is None or not call.caller.may_use(one.account):
        raise NotFoundError(f"There is no payment “{payment_id[:40]}”.")
    return json_response(incoming_document(one, call.node.incoming.now()))


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/incoming", access=Access.ANY, handler=list_incoming,
        summary="Payments that came in, newest first", answer="IncomingPayment[]", problems=(400,),
        parameters=("account", "from", "to", "limit", "cursor"), tags=("payments",),
    ),
    Operation(
        method="GET", path="/api/incoming/{incoming}", access=Access.ANY, handler=get_incoming,
        summary="One payment that came in", answer="IncomingPayment", problems=(404,), tags=("payments",),
    ),
)  # fmt: skip
"""The operations of this module."""
