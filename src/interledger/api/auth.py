"""Who calls: the operator with the admin token, an account with its incoming token, a browser's session, or anybody.

Tokens are compared by their SHA-256 digests, in constant time; none is kept as it came, none is logged.
"""

from __future__ import annotations

import asyncio
import enum
import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, final

from starlette.requests import Request

from interledger.accounts.account import AccountId, parse_account_id
from interledger.accounts.credentials import ALL_SCOPES, Scope
from interledger.api.facade import NodeFacade
from interledger.api.problems import Problem
from interledger.api.rate_limit import CALLS_PER_MINUTE, RateLimit
from interledger.errors import InvalidRequestError
from interledger.link.http.messages import bearer_token

__all__ = ["NOBODY", "Access", "Caller", "Gate", "session_cookie"]

TOKEN_LENGTH_MAX: Final = 4_096
"""Characters. A longer header is no token of ours."""

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="interledger"'}


class Access(enum.Enum):
    """Who may call an operation."""

    PUBLIC = "anybody"
    ANY = "the operator, or any account"
    ACCOUNT = "the operator, or the account in the path"
    HOLDER = "the account in the path only"
    ADMIN = "the operator"


class Caller(NamedTuple):
    """Who calls. `account`: whose token it is; None for the operator and for anybody."""

    is_admin: bool
    account: AccountId | None
    may: Sequence[Scope] = ALL_SCOPES
    token: str | None = None
    """What the token is called, where it has a name."""
    digest: str | None = None
    """Of one of the operator's named tokens: what it opened ends with it."""

    def may_use(self, account_id: str) -> bool:
        """Whether this caller may see and spend what `account_id` has."""
        return self.is_admin or self.account == account_id


NOBODY: Final = Caller(False, None)


@final
class Gate:
    """Judges the `Authorization` header of every request."""

    def __init__(self, node: NodeFacade, session: Callable[[str], Caller | None] = lambda token: None) -> None:
        """`session`: whose session a token is (`logins.Logins.caller`)."""
        self._node = node
        self._session = session
        self._calls = RateLimit(CALLS_PER_MINUTE, lambda: asyncio.get_running_loop().time(), "this token")
        token = node.settings.admin_auth_token
        # An empty setting is no token at all: nobody is the operator then.
        self._admin_digest = sha256(token.encode("utf-8")).digest() if token else None

    def admit(self, request: Request, access: Access, scope: Scope = Scope.READ) -> Caller:
        """Who calls. Raises `unauthorized` without a good token, `forbidden` where that token may not,
        `too-many-requests` beyond `CALLS_PER_MINUTE`.
        """
        if access is Access.PUBLIC:
            return NOBODY
        caller = self._identify(request)
        if access is Access.HOLDER and caller.is_admin:
            # interledger-rs answers 401 too: the operator does not spend an account's money here.
            raise Problem("unauthorized", "This needs the account's own token, not the operator's", headers=CHALLENGE)
        is_theirs = access is not Access.ADMIN and caller.account == _account_in_path(request)
        if not (caller.is_admin or access is Access.ANY or is_theirs):
            whose = "only the operator" if access is Access.ADMIN else access.value
            raise Problem("forbidden", f"This token is for {caller.account}'s own account; {whose} may do this")
        if scope not in caller.may:
            raise _out_of_scope(caller, scope)
        return caller

    def _identify(self, request: Request) -> Caller:
        header = request.headers.get("authorization")
        if header is None:
            token = _cookie_token(request)
            found = None if token is None else self._of_session(token)
        else:
            token = bearer_token(header.encode("latin-1")) if len(header) <= TOKEN_LENGTH_MAX else None
            found = None if token is None else self._of_token(token)
        if token is None or found is None:
            detail = "Send a token:  Authorization: Bearer …" if header is None else "This token is not known here"
            raise Problem("unauthorized", detail, headers=CHALLENGE)
        # Of tokens that are known only: others would fill the memory of those that are counted.
        self._calls.admit(sha256(token.encode("utf-8")).hexdigest())
        return found

    def _of_token(self, token: str) -> Caller | None:
        digest = sha256(token.encode("utf-8"))
        if self._admin_digest is not None and hmac.compare_digest(digest.digest(), self._admin_digest):
            return Caller(True, None)
        found = self._of_session(token)
        if found is not None:
            return found
        named = self._node.admin_tokens.find(digest.hexdigest())
        if named is not None:
            return Caller(True, None, named.may, named.label or named.id, digest.hexdigest())
        account_id = self._node.authenticate(token)
        return None if account_id is None else self._holder(account_id, digest.hexdigest())

    def _holder(self, account_id: AccountId, digest: str) -> Caller:
        for token in self._node.account(account_id).link.incoming_tokens:
            if token.digest == digest:
                return Caller(False, account_id, token.may, token.label or token.id)
        return Caller(False, account_id)

    def _of_session(self, token: str) -> Caller | None:
        """A session of a token that was revoked is over."""
        caller = self._session(token)
        if caller is not None and caller.digest is not None and self._node.admin_tokens.find(caller.digest) is None:
            return None
        return caller


def _cookie_token(request: Request) -> str | None:
    """The session of a browser that reads, so that a page's data can be opened from it. It changes nothing so:
    the forms of the dashboard, which carry a token against forgery, are the only way.
    """
    if request.method not in ("GET", "HEAD"):
        return None
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return None
    return request.cookies.get(session_cookie(request))


def session_cookie(request: Request) -> str:
    """The name of the session's cookie: browsers keep one jar for all ports of a machine, so the port is in it."""
    _, _, port = request.headers.get("host", "").rpartition(":")
    return f"ilp_session_{port}" if port.isascii() and port.isdecimal() else "ilp_session"


_WORDS: Final = {Scope.READ: "read", Scope.OPERATE: "operate", Scope.MONEY: "move money"}


def _out_of_scope(caller: Caller, scope: Scope) -> Problem:
    """`The token “grafana” may read, not move money.`"""
    may = " and ".join(_WORDS[one] for one in caller.may)
    detail = f"The token “{caller.token}” may {may}, not {_WORDS[scope]}."
    return Problem("forbidden", detail, token=caller.token, scope=scope.value)


def _account_in_path(request: Request) -> AccountId | None:
    try:
        return parse_account_id(request.path_params["account"])
    except (KeyError, InvalidRequestError):
        return None
