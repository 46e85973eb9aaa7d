"""Logins of browsers: a code that works once becomes a session, and the session's token opens the API for some hours.

A browser cannot send a bearer token of its own, and a token in an address would end in its history. So
`POST /api/logins` gives the operator a code for the address, `/ui/?code=…`; the dashboard redeems it, and keeps the
session's token in a cookie. Codes and sessions are kept by their SHA-256 digests, in memory: a restart ends them all.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import sha256
from typing import Final, NamedTuple, final

from starlette.responses import Response

from interledger.accounts.credentials import Scope
from interledger.api.auth import Access, Caller
from interledger.api.operations import Call, Operation, json_response
from interledger.clock import Clock, SystemClock, Timestamp
from interledger.codec.timestamp import format_rfc3339

__all__ = ["SESSION_MS", "LoginCode", "LoginResource", "Logins"]

CODE_MS: Final = 600_000
"""Ten minutes: long enough to read the terminal, too short to be found in a history."""

SESSION_MS: Final = 43_200_000
"""Twelve hours: a working day."""

KEPT_MAX: Final = 256
"""Of codes, and of sessions. The oldest goes: its browser logs in again."""


class LoginCode(NamedTuple):
    """A code, and until when it works."""

    code: str
    expires_at: Timestamp


class _Kept(NamedTuple):
    caller: Caller
    expires_at: Timestamp


@final
class Logins:
    """Which codes and sessions are good."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._codes: OrderedDict[bytes, _Kept] = OrderedDict()
        self._sessions: OrderedDict[bytes, _Kept] = OrderedDict()

    def issue(self, caller: Caller) -> LoginCode:
        """A new code. Who redeems it may do what `caller` may."""
        code, expires_at = secrets.token_urlsafe(24), Timestamp(self._clock.now() + CODE_MS)
        _keep(self._codes, code, _Kept(caller, expires_at))
        return LoginCode(code, expires_at)

    def redeem(self, code: str) -> str | None:
        """The token of a new session; None when the code is not known, was used, or is too old."""
        kept = self._codes.pop(_digest(code), None)
        return None if kept is None or kept.expires_at <= self._clock.now() else self.begin(kept.caller)

    def begin(self, caller: Caller) -> str:
        """The token of a new session for a caller who is known already."""
        token = secrets.token_urlsafe(32)
        _keep(self._sessions, token, _Kept(caller, Timestamp(self._clock.now() + SESSION_MS)))
        return token

    def caller(self, token: str) -> Caller | None:
        """Whose session this is; None when it is no session, or not any more."""
        kept = self._sessions.get(_digest(token))
        return None if kept is None or kept.expires_at <= self._clock.now() else kept.caller

    def end(self, token: str) -> None:
        """Log out."""
        self._sessions.pop(_digest(token), None)


@final
class LoginResource:
    """`POST /api/logins`."""

    def __init__(self, logins: Logins | None = None) -> None:
        self._logins = logins or Logins()

    async def create(self, call: Call) -> Response:
        """A code, and the path that uses it."""
        made = self._logins.issue(call.caller)
        document = {"code": made.code, "path": f"/ui/?code={made.code}", "expires_at": format_rfc3339(made.expires_at)}
        return json_response(document, 201)

    def operations(self) -> tuple[Operation, ...]:
        """The operations of this module."""
        return (
            Operation(
                method="POST", path="/api/logins", access=Access.ADMIN, handler=self.create, scope=Scope.READ,
                summary="A code that opens the dashboard once", answer="Login", status=201, tags=("status",),
            ),
        )  # fmt: skip


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _keep(kept: OrderedDict[bytes, _Kept], secret: str, entry: _Kept) -> None:
    kept[_digest(secret)] = entry
    while len(kept) > KEPT_MAX:
        kept.popitem(last=False)
