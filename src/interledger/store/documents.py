"""The node's documents as JSON text: accounts, routes, rates, payments, facts.

Every document is `{"version": 1, "body": ...}`. Amounts are text, so that every reader keeps them exact.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from typing import Any, Final

from interledger.accounts.account import Account, AccountId, BtpVersion, HttpForm, LinkSettings, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.credentials import IncomingToken, TokenUse
from interledger.codec.strict_json import JsonNumber, parse_json
from interledger.errors import DecodeError, InvalidRequestError, StoreError
from interledger.ilp.address import Address

__all__ = ["Kind", "decode_account", "decode_document", "encode_account", "encode_document"]

VERSION: Final = 1

DOCUMENT_OCTETS_MAX: Final = 16 * 1024 * 1024
"""The largest document is the table of static routes: 100,000 of them fit."""

_INTEGER = re.compile(r"-?[0-9]{1,39}")
_AMOUNTS: Final = (
    "packet_amount_max",
    "owes_us_max",
    "we_owe_max",
    "late_claims_max",
    "packets_per_minute",
    "amount_per_minute",
    "round_trip_time_ms",
    "settle_threshold",
    "settle_to",
)


class Kind(enum.StrEnum):
    """What a document is about."""

    ACCOUNT = "account"
    ROUTES = "routes"
    RATES = "rates"
    PAYMENT = "payment"
    FACT = "fact"


def encode_document(body: Any) -> str:
    """JSON text. Raises `InvalidRequestError` for what would not come back the same: floats, NaN, keys not text."""
    try:
        text = json.dumps({"version": VERSION, "body": body}, allow_nan=False, separators=(",", ":"))
        same = _decode(text) == body
    except (TypeError, ValueError, DecodeError) as error:
        raise InvalidRequestError(f"not a document that can be stored: {error}") from None
    if not same:
        raise InvalidRequestError("not a document that can be stored: it would not be read back the same")
    return text


def decode_document(kind: str, key: str, text: str) -> Any:
    """The body; of an account, the `Account`. Raises `StoreError`, which names the document."""
    try:
        body = _decode(text)
        return decode_account(body) if kind == Kind.ACCOUNT else body
    except (DecodeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the stored document {kind} “{key}” cannot be read: {error}") from None


def encode_account(account: Account) -> dict[str, Any]:
    """An account's fields; integers as text."""
    fields = {f.name: getattr(account, f.name) for f in dataclasses.fields(account)}
    asset = fields.pop("asset")
    fields |= {"asset_code": asset.code, "asset_scale": asset.scale, "relation": account.relation.value}
    fields["link"] = _encode_link(account.link)
    for name in _AMOUNTS:
        fields[name] = None if fields[name] is None else str(fields[name])
    return fields


def decode_account(fields: dict[str, Any]) -> Account:
    """The account again. Raises `KeyError`, `TypeError` or `ValueError`."""
    rest = dict(fields)
    rest.setdefault("late_claims_max", "0")  # older documents have none
    for name in _AMOUNTS:
        rest[name] = None if rest[name] is None else _integer(rest[name])
    asset = Asset(rest.pop("asset_code"), rest.pop("asset_scale"))
    rest["id"] = AccountId(rest["id"])
    rest["ilp_address"] = Address(rest["ilp_address"])
    rest["relation"] = Relation(rest["relation"])
    rest["link"] = _decode_link(rest["link"])
    return Account(asset=asset, **rest)


def _encode_link(link: LinkSettings) -> dict[str, Any]:
    fields = dataclasses.asdict(link)
    # JSON has no tuples, and what is read back has to be the same.
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _decode_link(fields: dict[str, Any]) -> LinkSettings:
    rest = dict(fields)
    tokens = tuple(
        IncomingToken(**(token | {"use": TokenUse(token["use"])})) for token in rest.pop("incoming_tokens", ())
    )
    certificates = tuple(rest.pop("client_certificates", ()))
    rest["btp_version"] = BtpVersion(rest.get("btp_version", BtpVersion.PLAIN))
    rest["http_form"] = HttpForm(rest.get("http_form", HttpForm.SYNC))  # older documents have none
    return LinkSettings(**rest, incoming_tokens=tokens, client_certificates=certificates)


def _decode(text: str) -> Any:
    document = _integers(parse_json(text.encode(), octets_max=DOCUMENT_OCTETS_MAX))
    if not isinstance(document, dict) or document.keys() != {"version", "body"}:
        raise DecodeError("it has no version")
    if document["version"] != VERSION:
        raise DecodeError(f"it is of version {document['version']}, this program reads version {VERSION}")
    return document["body"]


def _integers(value: Any) -> Any:
    """The strict parser leaves numbers as text; ours are integers only."""
    if isinstance(value, JsonNumber):
        return _integer(value)
    if isinstance(value, list):
        return [_integers(item) for item in value]
    if isinstance(value, dict):
        return {key: _integers(item) for key, item in value.items()}
    return value


def _integer(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise DecodeError(f"{text} is not an integer")
    return int(text)
