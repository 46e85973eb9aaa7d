"""Who calls: the operator with the admin token, an account with its own incoming token, or anybody.

Tokens are compared by their SHA-256 digests, in constant time; none is kept as it came, none is logged.
"""

from __future__ import annotations

import enum
import hmac
from hashlib import sha256
from typing import Final, NamedTuple, final

from starlette.requests import Request

from interledger.accounts.account import AccountId, parse_account_id
from interledger.api.facade import NodeFacade
from interledger.api.problems import Problem
from interledger.errors import InvalidRequestError
from interledger.link.http.messages import bearer_token

__all__ = ["NOBODY", "Access", "Caller", "Gate"]

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

    def may_use(self, account_id: str) -> bool:
        """Whether this caller may see and spend what `account_id` has."""
        return self.is_admin or self.account == account_id


NOBODY: Final = Caller(False, None)


@final
class Gate:
    """Judges the `Authorization` header of every request."""

    def __init__(self, node: NodeFacade) -> None:
        self._node = node
        token = node.settings.admin_auth_token
        # An empty setting is no token at all: nobody is the operator then.
        self._admin_digest = sha256(token.encode("utf-8")).digest() if token else None

    def admit(self, request: Request, access: Access) -> Caller:
        """Who calls. Raises `unauthorized` without a good token, `forbidden` where that token may not."""
        if access is Access.PUBLIC:
            return NOBODY
        caller = self._identify(request)
        if access is Access.HOLDER and caller.is_admin:
            # interledger-rs answers 401 too: the operator does not spend an account's money here.
            raise Problem("unauthorized", "This needs the account's own token, not the operator's", headers=CHALLENGE)
        if caller.is_admin or access is Access.ANY:
            return caller
        if access is Access.ADMIN or caller.account != _account_in_path(request):
            whose = "only the operator" if access is Access.ADMIN else access.value
            raise Problem("forbidden", f"This token is for {caller.account}'s own account; {whose} may do this")
        return caller

    def _identify(self, request: Request) -> Caller:
        header = request.headers.get("authorization")
        if header is None:
            raise Problem("unauthorized", "Send a token:  Authorization: Bearer …", headers=CHALLENGE)
        token = bearer_token(header.encode("latin-1")) if len(header) <= TOKEN_LENGTH_MAX else None
        if token is not None:
            if self._admin_digest is not None and hmac.compare_digest(
                sha256(token.encode("utf-8")).digest(), self._admin_digest
            ):
                return Caller(True, None)
            account_id = self._node.authenticate(token)
            if account_id is not None:
                return Caller(False, account_id)
        raise Problem("unauthorized", "This token is not known here", headers=CHALLENGE)


def _account_in_path(request: Request) -> AccountId | None:
    try:
        return parse_account_id(request.path_params["account"])
    except (KeyError, InvalidRequestError):
        return None
