"""`/api/ledger`: the books, read, checked and exported; corrections, in two steps. For the operator only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from starlette.responses import Response

from interledger.accounts.asset import parse_asset
from interledger.accounts.books.documents import (
    check_document,
    ledger_account_document,
    memo_document,
    profit_document,
    statement_document,
)
from interledger.accounts.books.export import ExportFormat, writer_of
from interledger.accounts.books.period import Period, parse_moment
from interledger.accounts.books.profit import ProfitReport
from interledger.accounts.books.statement import By
from interledger.accounts.ledger import NO_LIMIT
from interledger.api.auth import Access
from interledger.api.bodies import Fields
from interledger.api.books_facade import DecisionView
from interledger.api.documents import list_document
from interledger.api.live_facade import OverviewFacade
from interledger.api.operations import Call, Operation, json_response
from interledger.api.overview import worth_document
from interledger.api.problems import Problem
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import InvalidRequestError

__all__ = ["OPERATIONS", "decision_document", "read_by"]

T = TypeVar("T")

BY_MAX: Final = 64
"""Characters of the name that a person gives for themselves."""

OPERATOR: Final = "operator"
"""Whose the admin token is."""


async def list_accounts(call: Call) -> Response:
    return json_response(list_document(ledger_account_document(account) for account in call.node.books.accounts()))


async def check(call: Call) -> Response:
    """Answers 200 also when the books are not sound: see `sound`."""
    return json_response(check_document(await call.node.books.check()))


async def compare(call: Call) -> Response:
    """Asks every peer (peer.balance); one that does not say has a problem instead."""
    return json_response(
        list_document(
            {
                "account": one.account,
                "asset_code": one.asset.code,
                "asset_scale": one.asset.scale,
                "ours": str(one.ours),
                "theirs": None if one.theirs is None else str(one.theirs),
                "in_flight": str(one.in_flight),
                "unknown": str(one.unknown),
                "unexplained": str(one.unexplained),
                "problem": one.problem or None,
            }
            for one in await call.node.books.compare()
        )
    )


async def statement(call: Call) -> Response:
    account = _query(call, "account", str)
    if not account:
        raise Problem("invalid-request", "account is needed: whose statement?", field="account")
    by = _query(call, "by", By) or By.PACKET
    report = await call.node.books.statement(account, _query(call, "asset", parse_asset), _period(call), by)
    return json_response(statement_document(report))


async def profit(call: Call) -> Response:
    report = await call.node.books.profit(_period(call))
    return json_response(_valued(profit_document(report), report, call.node.live.overview))


def _valued(document: dict[str, Any], report: ProfitReport, look: OverviewFacade) -> dict[str, Any]:
    """With what it is worth at the node's rates as they are now: each pair's profit, and all of it."""
    gains = [((pair.taken_asset, pair.taken), (pair.given_asset, -pair.given)) for pair in report.pairs]
    fees = [(result.asset, result.fees - result.losses) for result in report.assets]
    for pair, gain in zip(document["pairs"], gains, strict=True):
        pair["profit"] = worth_document(look.worth(gain))
    for asset, result in zip(document["assets"], report.assets, strict=True):
        asset["position_worth"] = worth_document(look.worth([(result.asset, result.position)]))
    return document | {
        "worth": {
            "profit": worth_document(look.worth([*fees, *(part for gain in gains for part in gain)])),
            "moved": worth_document(look.worth([gain[0] for gain in gains])),
            "position": worth_document(look.worth([(result.asset, result.position) for result in report.assets])),
        }
    }


async def export(call: Call) -> Response:
    form = _query(call, "format", ExportFormat) or ExportFormat.HLEDGER
    text = await call.node.books.export(form, _period(call), _query(call, "by", By) or By.DAY)
    return Response(text, headers={"Cache-Control": "no-store"}, media_type=writer_of(form).media_type)


async def correct(call: Call) -> Response:
    """The first step: nothing has happened yet."""
    fields = await call.fields()
    debit, credit = fields.required_text("debit"), fields.required_text("credit")
    scale = fields.required_integer("asset_scale", 0, 255)
    asset = fields.required("asset_code", lambda code: parse_asset(f"{code}/{scale}"))
    amount = fields.required_integer("amount", 1, NO_LIMIT)
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    decision = call.node.books.propose_correction(debit, credit, amount, asset, reason=reason, by=by)
    return json_response(decision_document(decision), 201)


async def confirm(call: Call) -> Response:
    """The second step, of any decision. May be sent again."""
    return json_response(decision_document(await call.node.books.confirm(call.request.path_params["decision"])))


def decision_document(decision: DecisionView) -> dict[str, Any]:
    """A decision, and what it does or did to the accounts."""
    return {
        "id": decision.id,
        "text": decision.text,
        "memo": memo_document(decision.memo),
        "effects": [
            {
                "name": effect.name,
                "asset_code": effect.asset.code,
                "asset_scale": effect.asset.scale,
                "before": str(effect.before),
                "after": str(effect.after),
            }
            for effect in decision.effects
        ],
        "made_at": format_rfc3339(decision.made_at),
        "done_at": None if decision.done_at is None else format_rfc3339(decision.done_at),
    }


def read_by(fields: Fields) -> str:
    """Who decides: the token's owner, and the name that they give, if any."""
    name = fields.text("by")
    if name is None:
        return OPERATOR
    if not (1 <= len(name) <= BY_MAX and name.isprintable()):
        raise fields.wrong("by", f"is a name of 1 to {BY_MAX} characters")
    return f"{OPERATOR} ({name})"


def _period(call: Call) -> Period:
    return Period(_query(call, "from", parse_moment), _query(call, "to", parse_moment))


def _query(call: Call, name: str, parse: Callable[[str], T]) -> T | None:
    """A parameter of the query, None when it is absent."""
    text = call.request.query_params.get(name)
    if text is None:
        return None
    try:
        return parse(text)
    except InvalidRequestError as error:
        raise Problem("invalid-request", f"{name}: {error}", field=name) from None
    except ValueError:
        choices = ", ".join(By if name == "by" else ExportFormat)
        raise Problem("invalid-request", f"{name} is one of {choices}", field=name) from None


_TIME: Final = ("from", "to")

OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/ledger/accounts", access=Access.ADMIN, handler=list_accounts,
        summary="The chart of accounts, as it stands", answer="LedgerAccount[]", tags=("ledger",),
    ),
    Operation(
        method="GET", path="/api/ledger/check", access=Access.ADMIN, handler=check,
        summary="Compute all balances again from the journal", answer="LedgerCheck", problems=(503,), tags=("ledger",),
    ),
    Operation(
        method="GET", path="/api/ledger/compare", access=Access.ADMIN, handler=compare,
        summary="Our books beside those of every peer", answer="Comparison[]", tags=("ledger",),
    ),
    Operation(
        method="GET", path="/api/ledger/statement", access=Access.ADMIN, handler=statement,
        summary="Postings of one account, with the balance after each", answer="Statement", problems=(400, 404, 503),
        parameters=("account", "asset", *_TIME, "by"), tags=("ledger",),
    ),
    Operation(
        method="GET", path="/api/ledger/profit", access=Access.ADMIN, handler=profit,
        summary="Fees, losses and exchange positions", answer="Profit", problems=(400, 503), parameters=_TIME,
        tags=("ledger",),
    ),
    Operation(
        method="GET", path="/api/ledger/export", access=Access.ADMIN, handler=export,
        summary="The books for hledger, beancount or a spreadsheet", answer="export", problems=(400, 503),
        parameters=("format", *_TIME, "by"), tags=("ledger",),
    ),
    Operation(
        method="POST", path="/api/ledger/corrections", access=Access.ADMIN, handler=correct,
        summary="Propose an entry by hand; nothing happens until it is confirmed", body="Correction",
        answer="Decision", status=201, problems=(400, 404), tags=("ledger",),
    ),
    Operation(
        method="POST", path="/api/ledger/decisions/{decision}/confirm", access=Access.ADMIN, handler=confirm,
        summary="Confirm a decision: it happens once, however often this is sent", answer="Decision",
        problems=(404, 409, 503), tags=("ledger",),
    ),
)  # fmt: skip
"""The operations of this module."""
