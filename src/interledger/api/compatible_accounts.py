"""`/accounts`: accounts as interledger-rs shows and takes them, field for field.

What differs inside: its `min_balance` is how far the account may go below zero, so our `owes_us_max` is its negative;
its `NonRoutingAccount` is our relation `local`; tokens are kept as digests and always shown as `SECRET`. Its balance
counts from the account's side: above zero when we owe.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.account import Account, LinkSettings, Relation, parse_account_id, token_digest
from interledger.accounts.asset import parse_asset
from interledger.api.accounts import parse_token
from interledger.api.auth import Access
from interledger.api.bodies import INT64_MAX, INT64_MIN, Fields
from interledger.api.json_text import decimal_text
from interledger.api.operations import Call, Operation, json_response
from interledger.codec.oer import UINT64_MAX
from interledger.codec.strict_json import JsonNumber
from interledger.ilp.address import Address, parse_address

__all__ = ["OPERATIONS", "compatible_account"]

SECRET: Final = "SECRET"  # noqa: S105 - the word that stands for one
"""What a token is shown as. Sent back to us it means: the one that is there."""

_RELATIONS: Final = {
    "NonRoutingAccount": Relation.LOCAL,
    "Parent": Relation.PARENT,
    "Peer": Relation.PEER,
    "Child": Relation.CHILD,
}
_NAMES: Final = {relation: name for name, relation in _RELATIONS.items()}

_LINK_FIELDS: Final = {
    "ilp_over_http_url": "http_url",
    "ilp_over_http_incoming_token": "http_incoming_token_digest",
    "ilp_over_http_outgoing_token": "http_outgoing_token",
    "ilp_over_btp_url": "btp_url",
    "ilp_over_btp_incoming_token": "btp_incoming_token_digest",
    "ilp_over_btp_outgoing_token": "btp_outgoing_token",
}
"""Their name -> ours in `LinkSettings`."""

_NOT_SAID: Final[dict[str, Any]] = dict.fromkeys(_LINK_FIELDS.values())


def compatible_account(account: Account) -> dict[str, Any]:
    """An account as interledger-rs writes it. Large integers stay exact: they are JSON numbers as there."""
    document = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"interledger/{account.id}")),
        "username": account.id,
        "ilp_address": account.ilp_address,
        "asset_code": account.asset.code,
        "asset_scale": account.asset.scale,
        "max_packet_amount": account.packet_amount_max,
        "min_balance": None if account.owes_us_max is None else -account.owes_us_max,
        "routing_relation": _NAMES[account.relation],
        "round_trip_time": account.round_trip_time_ms,
        "amount_per_minute_limit": account.amount_per_minute,
        "packets_per_minute_limit": account.packets_per_minute,
        "settle_threshold": account.settle_threshold,
        "settle_to": account.settle_to,
        "settlement_engine_url": account.settlement_engine_url,
    }
    for theirs, ours in _LINK_FIELDS.items():
        value = getattr(account.link, ours)
        document[theirs] = value if value is None or ours.endswith("_url") else SECRET
    return document


async def list_accounts(call: Call) -> Response:
    return json_response([compatible_account(account) for account in call.node.accounts()])


async def create_account(call: Call) -> Response:
    fields = await call.compatible_fields()
    account = _read_details(fields, fields.required("username", parse_account_id), call.node.address, LinkSettings())
    return json_response(compatible_account(await call.node.create_account(account)))


async def get_account(call: Call) -> Response:
    return json_response(compatible_account(call.account))


async def put_account(call: Call) -> Response:
    """Everything anew, but for the name; `SECRET` for a token keeps the one that is there."""
    old = call.account
    fields = await call.compatible_fields()
    if fields.required("username", parse_account_id) != old.id:
        raise fields.wrong("username", f"of this account is {old.id} and cannot change")
    account = _read_details(fields, old.id, call.node.address, old.link)
    if account.asset != old.asset:
        raise fields.wrong("asset_code", f"and asset_scale of this account are {old.asset} and cannot change")
    # What interledger-rs has no field for is not touched.
    account = replace(
        account, we_owe_max=old.we_owe_max, late_claims_max=old.late_claims_max, settle_in_max=old.settle_in_max
    )
    return json_response(compatible_account(await call.node.replace_account(account)))


async def delete_account(call: Call) -> Response:
    return json_response(compatible_account(await call.node.delete_account(call.account.id)))


async def put_settings(call: Call) -> Response:
    """What is named changes; what is absent or null stays."""
    old = call.account
    fields = await call.compatible_fields()
    link = _read_link(fields, old.link, old.link)
    # An account's holder must not make us call the machines beside us (F1).
    if link.http_url != old.link.http_url:
        link = replace(link, http_public_only=not call.caller.is_admin)
    if link.btp_url != old.link.btp_url:
        link = replace(link, btp_public_only=not call.caller.is_admin)
    changes: dict[str, Any] = {"link": link}
    for name in ("settle_threshold", "settle_to"):
        minimum, maximum = (0, UINT64_MAX) if name == "settle_to" else (INT64_MIN, INT64_MAX)
        value = fields.integer(name, minimum, maximum)
        if value is not None:
            changes[name] = value
    return json_response(compatible_account(await call.node.replace_account(replace(old, **changes))))


async def get_balance(call: Call) -> Response:
    """`balance` in whole units, as a JSON number written from the integer; the same exactly in the other fields."""
    account = call.account
    position = call.node.position(account.id)
    balance = decimal_text(-position.net, account.asset.scale)
    return json_response(
        {
            "balance": JsonNumber(balance),
            "asset_code": account.asset.code,
            "asset_scale": account.asset.scale,
            "balance_exact": balance,
            "position": {
                "receivable": str(position.receivable),
                "payable": str(position.payable),
                "net": str(position.net),
            },
        }
    )


def _read_details(fields: Fields, username: Any, node_address: Address, link: LinkSettings) -> Account:
    """`AccountDetails`; `link` has the tokens that `SECRET` stands for."""
    scale = fields.required_integer("asset_scale", 0, 255)
    address = fields.parsed("ilp_address", parse_address)
    packet_amount_max = fields.integer("max_packet_amount")
    return Account(
        id=username,
        asset=fields.required("asset_code", lambda code: parse_asset(f"{code}/{scale}")),
        ilp_address=address if address is not None else Address(f"{node_address}.{username}"),
        relation=fields.choice("routing_relation", _RELATIONS) or Relation.LOCAL,
        packet_amount_max=UINT64_MAX if packet_amount_max is None else packet_amount_max,
        owes_us_max=_read_min_balance(fields),
        packets_per_minute=fields.integer("packets_per_minute_limit", 1),
        amount_per_minute=fields.integer("amount_per_minute_limit", 1),
        round_trip_time_ms=fields.integer("round_trip_time", 1, 60_000) or 500,
        settle_threshold=fields.integer("settle_threshold", INT64_MIN, INT64_MAX),
        settle_to=fields.integer("settle_to", INT64_MIN, INT64_MAX),
        settlement_engine_url=fields.text("settlement_engine_url"),
        link=_read_link(fields, replace(link, **_NOT_SAID), link),
    )


def _read_min_balance(fields: Fields) -> int | None:
    min_balance = fields.integer("min_balance", INT64_MIN, INT64_MAX)
    if min_balance is None:
        return None
    if min_balance > 0:
        raise fields.wrong("min_balance", "is 0 or below: the most the account may owe us, with a minus sign")
    return -min_balance


def _read_link(fields: Fields, base: LinkSettings, secrets: LinkSettings) -> LinkSettings:
    """`base` with the fields that are given; `SECRET` is what `secrets` has."""
    changes: dict[str, Any] = {}
    for theirs, ours in _LINK_FIELDS.items():
        if ours.endswith("_url"):
            value = fields.text(theirs)
        else:
            value = parse_token(fields, theirs)
            if value == SECRET:
                value = getattr(secrets, ours)
                if value is None:
                    raise fields.wrong(theirs, f"cannot be {SECRET}: that is what tokens are shown as")
            elif value is not None and ours.endswith("_digest"):
                value = token_digest(value)
        if value is not None:
            changes[ours] = value
    return replace(base, **changes)


_PATH: Final = "/accounts/{account}"
_TAGS: Final = ("interledger-rs",)

OPERATIONS: Final = (
    Operation(
        method="GET", path="/accounts", access=Access.ADMIN, handler=list_accounts,
        summary="All accounts", answer="CompatibleAccount[]", tags=_TAGS,
    ),
    Operation(
        method="POST", path="/accounts", access=Access.ADMIN, handler=create_account,
        summary="Make an account", body="AccountDetails", answer="CompatibleAccount", problems=(400, 409), tags=_TAGS,
    ),
    Operation(
        method="GET", path=_PATH, access=Access.ACCOUNT, handler=get_account,
        summary="One account", answer="CompatibleAccount", problems=(404,), tags=_TAGS,
    ),
    Operation(
        method="PUT", path=_PATH, access=Access.ADMIN, handler=put_account,
        summary="Write an account anew", body="AccountDetails", answer="CompatibleAccount", problems=(400, 404, 409),
        tags=_TAGS,
    ),
    Operation(
        method="DELETE", path=_PATH, access=Access.ADMIN, handler=delete_account,
        summary="Remove an account", answer="CompatibleAccount", problems=(404, 409), tags=_TAGS,
    ),
    Operation(
        method="PUT", path=_PATH + "/settings", access=Access.ACCOUNT, handler=put_settings,
        summary="Change tokens, addresses and settlement", body="AccountSettings", answer="CompatibleAccount",
        problems=(400, 404, 409), tags=_TAGS,
    ),
    Operation(
        method="GET", path=_PATH + "/balance", access=Access.ACCOUNT, handler=get_balance,
        summary="What we owe the account, in whole units", answer="CompatibleBalance", problems=(404,), tags=_TAGS,
    ),
)  # fmt: skip
"""The operations of this module."""
