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
from interledger.accounts.credentials import ALL_SCOPES, IncomingToken, Scope, TokenUse, scopes_with
from interledger.api.accounts import parse_token
from interledger.api.auth import Access
from interledger.api.bodies import Fields
from interledger.api.documents import list_document
from interledger.api.operations import Call, Operation, json_response
from interledger.api.token_facade import AdminTokenView
from interledger.clock import Clock, SystemClock
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import ConflictError, NotFoundError

__all__ = ["TokenResource", "admin_token_document", "read_scopes", "token_document"]

LABEL_LENGTH_MAX: Final = 64

TOKEN_LENGTH_MIN: Final = 32
"""Of a token that the caller brings along: 32 characters can hold as much chance as nobody guesses (D1)."""

_SCOPES: Final = {scope.value: scope for scope in Scope}
_USES: Final = {use.value: use for use in TokenUse}
_FIELDS: Final = {"http_incoming_token": TokenUse.HTTP, "btp_incoming_token": TokenUse.BTP}
"""The tokens an account has had before it could have several."""


def token_document(token: IncomingToken) -> dict[str, Any]:
    """A token, without what it is."""
    return {
        "id": token.id,
        "use": token.use.value,
        "label": token.label,
        "may": [scope.value for scope in token.may],
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
            _field_document(name, use) for name, use in _FIELDS.items() if getattr(link, f"{name}_digest") is not None
        ]
        return json_response(list_document([*items, *map(token_document, link.incoming_tokens)]))

    async def create(self, call: Call) -> Response:
        """A token that is given, or a new one of 256 random bits."""
        fields = await call.fields()
        may = read_scopes(fields)
        use: TokenUse | None = fields.choice("use", _USES)
        if use is None:
            use = _use_of(call.account) if may is None else TokenUse.API
        if use is not TokenUse.API and may not in (None, ALL_SCOPES):
            raise fields.wrong("may", "is for the use  api : a token that opens a link moves money")
        label, secret = _read_label(fields), _read_secret(fields)
        fields.close()
        account = call.account
        digest = token_digest(secret)
        if digest in _digests(account) or call.node.admin_tokens.find(digest) is not None:
            raise ConflictError("The account has this token already.")
        token = IncomingToken(
            id=secrets.token_hex(4),
            use=use,
            label=label,
            digest=digest,
            created_at=self._clock.now(),
            may=ALL_SCOPES if may is None else may,
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
            return json_response(_field_document(name, _FIELDS[name]))
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
            Operation(
                method="GET", path="/api/tokens", access=Access.ADMIN, handler=list_admin_tokens,
                summary="The operator's named tokens, without what they are", answer="AdminToken[]",
                tags=("tokens",),
            ),
            Operation(
                method="POST", path="/api/tokens", access=Access.ADMIN, handler=create_admin_token,
                summary="One more token of the operator's; only this answer shows it", body="NewAdminToken",
                answer="AdminTokenMade", status=201, problems=(400, 409), tags=("tokens",),
            ),
            Operation(
                method="DELETE", path="/api/tokens/{token}", access=Access.ADMIN, handler=revoke_admin_token,
                summary="Revoke a token of the operator's, at once", answer="AdminToken", problems=(404,),
                tags=("tokens",),
            ),
        )  # fmt: skip


def _field_document(name: str, use: TokenUse) -> dict[str, Any]:
    may = [scope.value for scope in ALL_SCOPES]
    return {"id": name, "use": use.value, "label": "", "may": may, "created_at": None}


def read_scopes(fields: Fields) -> tuple[Scope, ...] | None:
    """`may`: scopes, with reading; None where nothing is said."""
    names = fields.value("may")
    if names is None:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n in _SCOPES for n in names):
        raise fields.wrong("may", f"is a list of {', '.join(_SCOPES)}")
    return scopes_with(_SCOPES[name] for name in names)


def _read_label(fields: Fields) -> str:
    label = fields.text("label") or ""
    if len(label) > LABEL_LENGTH_MAX or not (label.isprintable() or not label):
        raise fields.wrong("label", f"is at most {LABEL_LENGTH_MAX} characters on one line")
    return label


def _read_secret(fields: Fields) -> str:
    """The token that the caller brings along, or a new one of 256 random bits."""
    secret = parse_token(fields, "token")
    if secret is not None and len(secret) < TOKEN_LENGTH_MIN:
        raise fields.wrong("token", f"is {TOKEN_LENGTH_MIN} characters at least, or absent: then one is made")
    return secret or secrets.token_urlsafe(32)


async def list_admin_tokens(call: Call) -> Response:
    """As they were made. The one in the settings is not among them."""
    return json_response(list_document(map(admin_token_document, call.node.admin_tokens.all())))


async def create_admin_token(call: Call) -> Response:
    """Only this answer shows it."""
    fields = await call.fields()
    label, may = _read_label(fields), read_scopes(fields)
    if not label:
        raise fields.wrong("label", "is needed: a name to know it by")
    if may is None:
        raise fields.wrong("may", f"is needed: a list of {', '.join(_SCOPES)}")
    secret = _read_secret(fields)
    fields.close()
    if call.node.authenticate(secret) is not None:
        raise ConflictError("An account has this token already.")
    token = await call.node.admin_tokens.create(label, may, token_digest(secret))
    document = {**admin_token_document(token), "token": secret}
    return json_response(document, 201, location=f"/api/tokens/{token.id}")


async def revoke_admin_token(call: Call) -> Response:
    token: str = call.request.path_params["token"]
    return json_response(admin_token_document(await call.node.admin_tokens.revoke(token)))


def admin_token_document(token: AdminTokenView) -> dict[str, Any]:
    """A token of the operator's, without what it is."""
    return {
        "id": token.id,
        "label": token.label,
        "may": [scope.value for scope in token.may],
        "created_at": format_rfc3339(token.created_at),
    }


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
