"""SPSP (RFC 9) at three places: `/accounts/{account}/spsp` as interledger-rs has it, `/.well-known/pay` for the node's
default account, and the wallet path `/{account}`, which payment pointers of this node name.
"""

from __future__ import annotations

import asyncio
from typing import Final, final

from starlette.responses import Response

from interledger.accounts.account import AccountId, parse_account_id
from interledger.api.auth import Access
from interledger.api.facade import NodeFacade
from interledger.api.operations import Call, Handler, Operation
from interledger.api.problems import Problem
from interledger.api.rate_limit import RateLimit, source_of
from interledger.application.spsp.receipts import NONCE_HEADER, SECRET_HEADER
from interledger.application.spsp.server import Credentials, accepts_spsp, answer_query
from interledger.errors import InvalidRequestError, NotFoundError
from interledger.transport.stream.receipts import ReceiptKey

__all__ = ["SpspResource"]

NOBODY: Final = AccountId("")
"""An account that no node has."""


@final
class SpspResource:
    """The operations, and how often each address has asked (F5). Nothing else is kept: each secret is derived."""

    def __init__(self) -> None:
        self._limit: RateLimit | None = None

    async def answer_account(self, call: Call) -> Response:
        return self._answer(call, call.request.path_params["account"])

    async def answer_well_known(self, call: Call) -> Response:
        return self._answer(call, call.node.settings.default_spsp_account)

    async def answer_wallet(self, call: Call) -> Response:
        """SPSP where it is asked for. The path belongs to whatever else a wallet may show one day (TRAP SPSP-2)."""
        if call.request.method != "OPTIONS" and not accepts_spsp(call.request.headers.get("accept")):
            raise Problem(
                "not-found",
                f"There is nothing at {call.request.url.path[:200]} but SPSP. Ask with  Accept: application/spsp4+json",
                headers={"Vary": "Accept"},
            )
        return self._answer(call, call.request.path_params["account"], ("Vary", "Accept"))

    def _answer(self, call: Call, name: str | None, *more: tuple[str, str]) -> Response:
        settings = call.node.settings
        if self._limit is None:
            self._limit = RateLimit(settings.spsp_queries_per_minute, asyncio.get_running_loop().time)
        self._limit.admit(source_of(call.request, settings.trusted_proxies))
        headers = call.request.headers
        reply = answer_query(
            call.request.method,
            _account_id(name),
            lambda account_id, receipts: _issue(call.node, account_id, receipts),
            receipt_nonce=headers.get(NONCE_HEADER),
            receipt_secret=headers.get(SECRET_HEADER),
        )
        return Response(reply.body, reply.status, dict((*reply.headers, *more)))

    def operations(self) -> tuple[Operation, ...]:
        """The operations of this module. The wallet path is the last of all routes."""
        return (
            *_operations("/accounts/{account}/spsp", self.answer_account, "Where to pay an account"),
            *_operations("/.well-known/pay", self.answer_well_known, "Where to pay the default account"),
            *_operations("/{account}", self.answer_wallet, "Where to pay, at the path that payment pointers name"),
        )


def _account_id(name: str | None) -> AccountId:
    try:
        return parse_account_id(name or "")
    except InvalidRequestError:
        return NOBODY


def _issue(node: NodeFacade, account_id: AccountId, receipts: ReceiptKey | None) -> Credentials | None:
    if account_id == NOBODY:
        return None
    try:
        details = node.spsp_details(account_id, receipts)
    except NotFoundError:
        return None
    return Credentials(details.destination_account, details.shared_secret)


def _operations(path: str, handler: Handler, summary: str) -> tuple[Operation, ...]:
    return tuple(
        Operation(
            method=method, path=path, access=Access.PUBLIC, handler=handler,
            summary=summary, answer="Spsp" if method == "GET" else None, status=200 if method == "GET" else 204,
            problems=(400, 404, 429) if method == "GET" else (429,), tags=("spsp",),
            parameters=(NONCE_HEADER, SECRET_HEADER) if method == "GET" else (),
        )
        for method in ("GET", "OPTIONS")
    )  # fmt: skip
