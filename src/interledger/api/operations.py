"""What an operation of the API is: its path, who may call it, the function behind it, and what the documents say of it.

The routes of the application and its OpenAPI document are both made from these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from interledger.accounts.account import Account, parse_account_id
from interledger.accounts.credentials import Scope
from interledger.api.auth import Access, Caller
from interledger.api.bodies import Fields, read_body, read_fields
from interledger.api.facade import NodeFacade
from interledger.api.json_text import encode_json
from interledger.errors import InvalidRequestError, NotFoundError

__all__ = ["JSON_HEADERS", "Call", "Handler", "Operation", "json_response"]


class Call(NamedTuple):
    """One request, admitted."""

    node: NodeFacade
    request: Request
    caller: Caller

    @property
    def account(self) -> Account:
        """The account in the path. Raises `NotFoundError`."""
        text: str = self.request.path_params["account"]
        try:
            account_id = parse_account_id(text)
        except InvalidRequestError as error:
            raise NotFoundError(str(error)) from None
        return self.node.account(account_id)

    async def fields(self) -> Fields:
        """The body, for our own API: unknown fields are refused."""
        return await read_fields(self.request, strict=True)

    async def compatible_fields(self) -> Fields:
        """The body, for the API of interledger-rs: unknown fields are ignored."""
        return await read_fields(self.request, strict=False)

    async def text(self) -> str:
        """The body as text. Raises `InvalidRequestError`."""
        try:
            return (await read_body(self.request)).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise InvalidRequestError("the body is not UTF-8 text") from None


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path.

    `body` and `answer` name schemas of the OpenAPI document; a name with `[]` behind it is a list of them.
    """

    method: str
    path: str
    access: Access
    handler: Handler
    summary: str
    scope: Scope | None = None
    """What the token must allow; None: `read` to look, and for whatever else `money`."""
    body: str | None = None
    answer: str | None = None
    status: int = 200
    problems: tuple[int, ...] = ()
    """Statuses it answers with beside 401, 403 and 500: 404, 409, ..."""
    parameters: tuple[str, ...] = ()
    """Query parameters and headers, as `limit` and `Idempotency-Key`."""
    tags: tuple[str, ...] = field(default=())

    @property
    def needs(self) -> Scope:
        """The scope that a token needs for it."""
        return self.scope or (Scope.READ if self.method in ("GET", "HEAD", "OPTIONS") else Scope.MONEY)


JSON_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Never cached: a document says how things stand now, and for one caller."""


def json_response(document: Any, status: int = 200, *, location: str | None = None) -> Response:
    """A document."""
    headers = dict(JSON_HEADERS)
    if location is not None:
        headers["Location"] = location
    return Response(encode_json(document), status, headers, media_type="application/json")
