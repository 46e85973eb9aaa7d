"""`/api/accounts/{account}/tokens`: the tokens an account may present, so that one can change while another is good.

Only the answer to `POST` ever shows a token. The two tokens that an account has by its own fields are listed under the
names of these fields, and can be revoked like the others.

Making and revoking is the operator's: a token that was stolen must not be able to make itself a successor.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final, final

from starlette.responses import Response

from interledger.accounts.account import Account, token_digest
from interledger.accounts.credentials import IncomingToken, TokenUse
from interledger.api.accounts import parse_token
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.operations import Call, Operation, json_response
from interledger.clock import Clock, SystemClock
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import ConflictError, NotFoundError

__all__ = ["TokenResource", "token_document"]

LABEL_LENGTH_MAX: Final = 64

TOKEN_LENGTH_MIN: Final = 32
"""Of a token that the caller brings along: 32 characters can hold as much chance as nobody guesses (D1)."""

_USES: Final = {use.value: use for use in TokenUse}
_FIELDS: Final = {"http_incoming_token": TokenUse.HTTP, "btp_incoming_token": TokenUse.BTP}
"""The tokens an account has had before it could have several."""


def token_document(token: IncomingToken) -> dict[str, Any]:
    """A token, without what it is."""
    return {
        "id": token.id,
        "use": token.use.value,
        "label": token.label,
        "created_at": format_rfc3339(token.created_at),
    }


@final
class TokenResource:
    """The operations. `clock` says when a token was made."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    async def list(self, call: Call) -> Response:
        """Those by field first, then the others as they were made."""
        link = call.account.link
        items = [
            {"id": name, "use": use.value, "label": "", "created_at": None}
            for name, use in _FIELDS.items()
            if getattr(link, f"{name}_digest") is not None
        ]
        return json_response(list_document([*items, *map(token_document, link.incoming_tokens)]))

    async def create(self, call: Call) -> Response:
        """A token that is given, or a new one of 256 random bits."""
        fields = await call.fields()
        use: TokenUse = fields.choice("use", _USES) or _use_of(call.account)
        label = fields.text("label") or ""
        if len(label) > LABEL_LENGTH_MAX or not (label.isprintable() or not label):
            raise fields.wrong("label", f"is at most {LABEL_LENGTH_MAX} characters on one line")
        secret = parse_token(fields, "token")
        if secret is not None and len(secret) < TOKEN_LENGTH_MIN:
            raise fields.wrong("token", f"is {TOKEN_LENGTH_MIN} characters at least, or absent: then one is made")
        fields.close()
        secret = secret or secrets.token_urlsafe(32)
        account = call.account
        digest = token_digest(secret)
        if digest in _digests(account):
            raise ConflictError("The account has this token already.")
        token = IncomingToken(
            id=secrets.token_hex(4), use=use, label=label, digest=digest, created_at=self._clock.now()
        )
        await _keep(call, account, (*account.link.incoming_tokens, token))
        place = f"/api/accounts/{account.id}/tokens/{token.id}"
        return json_response({**token_document(token), "token": secret}, 201, location=place)

    async def revoke(self, call: Call) -> Response:
        """At once: requests in progress end, connections that it opened are closed."""
        account, name = call.account, str(call.request.path_params["token"])
        link = account.link
        if name in _FIELDS and getattr(link, f"{name}_digest") is not None:
            cleared: dict[str, Any] = {f"{name}_digest": None}
            await call.node.replace_account(replace(account, link=replace(link, **cleared)))
            return json_response({"id": name, "use": _FIELDS[name].value, "label": "", "created_at": None})
        revoked = next((token for token in link.incoming_tokens if token.id == name), None)
        if revoked is None:
            raise NotFoundError(f"{account.id} has no token “{name[:LABEL_LENGTH_MAX]}”.")
        await _keep(call, account, tuple(token for token in link.incoming_tokens if token is not revoked))
        return json_response(token_document(revoked))

    def operations(self) -> tuple[Operation, ...]:
        """What the API offers here."""
        path = "/api/accounts/{account}/tokens"
        return (
            Operation(
                method="GET", path=path, access=Access.ACCOUNT, handler=self.list,
                summary="Tokens that the account may present, without what they are", answer="Token[]",
                problems=(404,), tags=("accounts",),
            ),
            Operation(
                method="POST", path=path, access=Access.ADMIN, handler=self.create,
                summary="One more token; only this answer shows it", body="NewToken", answer="TokenMade", status=201,
                problems=(400, 404, 409), tags=("accounts",),
            ),
            Operation(
                method="DELETE", path=path + "/{token}", access=Access.ADMIN, handler=self.revoke,
                summary="Revoke a token, at once", answer="Token", problems=(404, 409), tags=("accounts",),
            ),
        )  # fmt: skip


def _use_of(account: Account) -> TokenUse:
    """The kind of link that the account has: another kind would be one more link, and a new start of this one."""
    http, btp = account.link.speaks_http, account.link.speaks_btp
    return TokenUse.BOTH if http is btp else TokenUse.HTTP if http else TokenUse.BTP


def _digests(account: Account) -> set[str | None]:
    link = account.link
    single = {link.http_incoming_token_digest, link.btp_incoming_token_digest}
    return single | {token.digest for token in link.incoming_tokens}


async def _keep(call: Call, account: Account, tokens: tuple[IncomingToken, ...]) -> None:
    await call.node.replace_account(replace(account, link=replace(account.link, incoming_tokens=tokens)))
