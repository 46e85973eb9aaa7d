"""`/api/accounts`: the accounts of this node, in our own vocabulary.

Amounts are text of integer units of the account's asset. `null` for a limit means that there is none; a new account
that does not say how much it may owe us may owe us nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.account import (
    Account,
    BtpVersion,
    HttpForm,
    LinkSettings,
    Relation,
    parse_account_id,
    token_digest,
)
from interledger.accounts.asset import parse_asset
from interledger.api.auth import Access
from interledger.api.bodies import INT64_MAX, INT64_MIN, Fields
from interledger.api.documents import account_document, list_document
from interledger.api.link_credentials import read_credentials
from interledger.api.operations import Call, Operation, json_response
from interledger.api.schema_kinds import LIMIT_NAMES
from interledger.codec.oer import UINT64_MAX
from interledger.ilp.address import Address, parse_address

__all__ = ["OPERATIONS", "parse_token"]

TOKEN_LENGTH_MAX: Final = 4_096
"""As much as fits into one header of the usual servers."""

_RELATIONS: Final = {relation.value: relation for relation in Relation}


async def list_accounts(call: Call) -> Response:
    return json_response(list_document(account_document(account, call.node) for account in call.node.accounts()))


async def create_account(call: Call) -> Response:
    fields = await call.fields()
    account_id = fields.required("id", parse_account_id)
    scale = fields.required_integer("asset_scale", 0, 255)
    asset = fields.required("asset_code", lambda code: parse_asset(f"{code}/{scale}"))
    account = Account(
        id=account_id, asset=asset, ilp_address=Address(f"{call.node.address}.{account_id}"), owes_us_max=0
    )
    account = await call.node.create_account(_changed(account, fields))
    return json_response(account_document(account, call.node), 201, location=f"/api/accounts/{account.id}")


async def get_account(call: Call) -> Response:
    return json_response(account_document(call.account, call.node))


async def patch_account(call: Call) -> Response:
    """What is named changes, what is null is cleared, all else stays (RFC 7396). Name and asset never change."""
    fields = await call.fields()
    account = await call.node.replace_account(_changed(call.account, fields))
    return json_response(account_document(account, call.node))


async def delete_account(call: Call) -> Response:
    document = account_document(call.account, call.node)
    await call.node.delete_account(call.account.id)
    return json_response(document)


def _changed(account: Account, fields: Fields) -> Account:
    """`account` with what `fields` say."""
    _check_unchanged(account, fields)
    changes: dict[str, Any] = {}
    if "relation" in fields:
        changes["relation"] = fields.choice("relation", _RELATIONS) or Relation.LOCAL
    address = fields.parsed("ilp_address", parse_address)
    if address is not None:
        changes["ilp_address"] = address
    limits = fields.nested("limits")
    if limits is not None:
        changes |= _changed_limits(limits)
    link = fields.nested("link")
    if link is not None:
        changes["link"] = _changed_link(account.link, link)
    for name in ("settle_threshold", "settle_to"):
        if name in fields:
            changes[name] = fields.integer(name, INT64_MIN, INT64_MAX)
    if "settlement_engine_url" in fields:
        changes["settlement_engine_url"] = fields.text("settlement_engine_url")
    for name in ("send_routes", "receive_routes"):  # null: as is usual for the relation
        if name in fields:
            changes[name] = fields.flag(name)
    for name in ("peer_balance", "ccp_full_updates", "paused"):
        flag = fields.flag(name)
        if flag is not None:
            changes[name] = flag
    round_trip_time_ms = fields.integer("round_trip_time_ms", 1, 60_000)
    if round_trip_time_ms is not None:
        changes["round_trip_time_ms"] = round_trip_time_ms
    fields.close()
    return replace(account, **changes)


def _check_unchanged(account: Account, fields: Fields) -> None:
    name = fields.parsed("id", parse_account_id)
    if name not in (None, account.id):
        raise fields.wrong("id", f"of this account is {account.id} and cannot change")
    code, scale = fields.text("asset_code"), fields.integer("asset_scale", 0, 255)
    if (code is not None and code.upper() != account.asset.code) or scale not in (None, account.asset.scale):
        raise fields.wrong("asset_code", f"and scale of this account are {account.asset} and cannot change")


def _changed_limits(limits: Fields) -> dict[str, Any]:
    changes: dict[str, Any] = {name: limits.integer(name) for name in LIMIT_NAMES if name in limits}
    if changes.get("packet_amount_max", 0) is None:
        changes["packet_amount_max"] = UINT64_MAX
    limits.close()
    return changes


def _changed_link(old: LinkSettings, link: Fields) -> LinkSettings:
    changes: dict[str, Any] = {}
    for kind in ("http", "btp"):
        if f"{kind}_url" in link:
            changes[f"{kind}_url"] = link.text(f"{kind}_url")
            # The operator's word: it may be a place on a private network.
            changes[f"{kind}_public_only"] = False
        if f"{kind}_outgoing_token" in link:
            changes[f"{kind}_outgoing_token"] = parse_token(link, f"{kind}_outgoing_token")
        if f"{kind}_incoming_token" in link:
            token = parse_token(link, f"{kind}_incoming_token")
            changes[f"{kind}_incoming_token_digest"] = None if token is None else token_digest(token)
    if "http_form" in link:
        changes["http_form"] = link.choice("http_form", {form.value: form for form in HttpForm}) or HttpForm.SYNC
    if "http_callback_url" in link:
        changes["http_callback_url"] = link.text("http_callback_url")
    if "btp_version" in link:
        changes["btp_version"] = link.choice("btp_version", {v.value: v for v in BtpVersion}) or BtpVersion.PLAIN
    changes |= read_credentials(link)
    link.close()
    return replace(old, **changes)


def parse_token(fields: Fields, name: str) -> str | None:
    """A token that fits into an Authorization header: visible ASCII. It is not repeated in the error."""
    token = fields.text(name)
    if token is None:
        return None
    if not (1 <= len(token) <= TOKEN_LENGTH_MAX and all("!" <= c <= "~" for c in token)):
        raise fields.wrong(name, f"is 1 to {TOKEN_LENGTH_MAX} visible ASCII characters without a space")
    return token


_PATH: Final = "/api/accounts/{account}"

OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/accounts", access=Access.ADMIN, handler=list_accounts,
        summary="All accounts", answer="Account[]", tags=("accounts",),
    ),
    Operation(
        method="POST", path="/api/accounts", access=Access.ADMIN, handler=create_account,
        summary="Make an account", body="NewAccount", answer="Account", status=201, problems=(400, 409),
        tags=("accounts",),
    ),
    Operation(
        method="GET", path=_PATH, access=Access.ACCOUNT, handler=get_account,
        summary="One account", answer="Account", problems=(404,), tags=("accounts",),
    ),
    Operation(
        method="PATCH", path=_PATH, access=Access.ADMIN, handler=patch_account,
        summary="Change what is named, clear what is null", body="AccountPatch", answer="Account",
        problems=(400, 404, 409), tags=("accounts",),
    ),
    Operation(
        method="DELETE", path=_PATH, access=Access.ADMIN, handler=delete_account,
        summary="Remove an account that owes nothing and is owed nothing", answer="Account", problems=(404, 409),
        tags=("accounts",),
    ),
)  # fmt: skip
"""The operations of this module."""
