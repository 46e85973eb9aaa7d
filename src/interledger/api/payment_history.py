"""Payments that were, page by page: which ones are wanted, and where a page begins and ends.

The latest are in memory. Who turns the pages comes to those that only the store has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from starlette.requests import Request

from interledger.accounts.books.period import Period, parse_moment
from interledger.api.payment_views import PaymentHistoryFacade, ProgressView
from interledger.api.problems import Problem
from interledger.errors import InvalidRequestError, NotFoundError

__all__ = ["HISTORY_PARAMETERS", "PAYMENT_STATES", "PaymentPage", "Wanted", "page_of", "read_period", "read_wanted"]

PAYMENT_STATES: Final = ("quoting", "sending", "delivered", "partial", "failed", "unknown", "cancelled")

HISTORY_PARAMETERS: Final = ("account", "state", "from", "to", "limit", "cursor")

READ_AT_ONCE: Final = 200
"""Payments of the store: some 3 ms of a thread."""

READS_MAX: Final = 25
"""For one page: where few payments are wanted, the page is shorter, and the next one goes on."""


class Wanted(NamedTuple):
    """What a payment must be to be shown; None: anything."""

    account: str | None
    state: str | None
    period: Period

    def fits(self, payment: ProgressView) -> bool:
        """A payment is of the moment when it was started."""
        return (
            self.account in (None, payment.account)
            and self.state in (None, payment.state)
            and self.period.has(payment.started_at)
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
    return Wanted(query.get("account"), state, read_period(request))


def read_period(request: Request) -> Period:
    """`from` and `to` of a query. Raises `invalid-request` problems."""
    return Period(_moment(request, "from"), _moment(request, "to"))


async def page_of(
    payments: Iterable[ProgressView],
    history: PaymentHistoryFacade,
    wanted: Callable[[ProgressView], bool],
    limit: int,
    cursor: str | None,
) -> PaymentPage:
    """`payments`: those in memory, newest first; `history` has the others. `cursor`: the id of the last payment of the
    page before, whatever became of it since.

    A page may have less than `limit` and a cursor all the same. Raises an `invalid-request` problem for the cursor of
    a payment that is not there any more, `StoreError`.
    """
    found: list[ProgressView] = []
    before, is_behind = cursor, cursor is None
    for payment in payments:
        if not is_behind:
            is_behind = payment.id == cursor
            continue
        before = payment.id
        if wanted(payment):
            if len(found) == limit:
                return PaymentPage(found, found[-1].id)
            found.append(payment)
    for _ in range(READS_MAX):
        try:
            older = await history.older(before, READ_AT_ONCE)
        except NotFoundError:
            if is_behind:  # what is in memory is not written yet
                break
            raise Problem("invalid-request", "this cursor is of no payment any more", field="cursor") from None
        for payment in older:
            if wanted(payment):
                if len(found) == limit:
                    return PaymentPage(found, found[-1].id)
                found.append(payment)
        if len(older) < READ_AT_ONCE:
            break
        before, is_behind = older[-1].id, True
    else:
        return PaymentPage(found, before)
    return PaymentPage(found, None)


def _moment(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    try:
        return None if text is None else parse_moment(text)
    except InvalidRequestError as error:
        raise Problem("invalid-request", f"{name}: {error}", field=name) from None
