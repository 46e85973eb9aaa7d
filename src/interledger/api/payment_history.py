"""Payments that were, page by page: which ones are wanted, and where a page begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

from starlette.requests import Request

from interledger.accounts.books.period import Period, parse_moment
from interledger.api.payment_views import ProgressView
from interledger.api.problems import Problem
from interledger.errors import InvalidRequestError

__all__ = ["HISTORY_PARAMETERS", "PAYMENT_STATES", "PaymentPage", "Wanted", "page_of", "read_wanted"]

PAYMENT_STATES: Final = ("quoting", "sending", "delivered", "partial", "failed", "unknown", "cancelled")

HISTORY_PARAMETERS: Final = ("account", "state", "from", "to", "limit", "cursor")

T = TypeVar("T")


class Wanted(NamedTuple):
    """What a payment must be to be shown; None: anything."""

    account: str | None
    state: str | None
    period: Period

    def fits(self, payment: ProgressView) -> bool:
        """A payment is of the moment when it was started."""
        start, end = self.period
        return (
            self.account in (None, payment.account)
            and self.state in (None, payment.state)
            and (start is None or payment.started_at >= start)
            and (end is None or payment.started_at < end)
        )


class PaymentPage(NamedTuple):
    """`cursor`: of the next page; None: there is none."""

    items: list[ProgressView]
    cursor: str | None


def read_wanted(request: Request) -> Wanted:
    """The query of a request. Raises `invalid-request` problems."""
    query = request.query_params
    state = query.get("state")
    if state is not None and state not in PAYMENT_STATES:
        raise Problem("invalid-request", f"state is one of {', '.join(PAYMENT_STATES)}", field="state")
    return Wanted(query.get("account"), state, Period(_moment(request, "from"), _moment(request, "to")))


def page_of(
    payments: Iterable[ProgressView], wanted: Callable[[ProgressView], bool], limit: int, cursor: str | None
) -> PaymentPage:
    """`payments`: newest first. `cursor`: the id of the last one of the page before, whatever became of it since.

    Raises an `invalid-request` problem for the cursor of a payment that is not remembered.
    """
    found: list[ProgressView] = []
    is_behind = cursor is None
    for payment in payments:
        if not is_behind:
            is_behind = payment.id == cursor
        elif wanted(payment):
            if len(found) == limit:
                return PaymentPage(found, found[-1].id)
            found.append(payment)
    if not is_behind:
        raise Problem("invalid-request", "this cursor is of no payment any more", field="cursor")
    return PaymentPage(found, None)


def _moment(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    try:
        return None if text is None else parse_moment(text)
    except InvalidRequestError as error:
        raise Problem("invalid-request", f"{name}: {error}", field=name) from None
