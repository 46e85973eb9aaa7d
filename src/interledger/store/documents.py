"""The node's documents as JSON text: accounts, routes, rates, payments, facts.

Every document is `{"version": 1, "body": ...}`, or has `sealed` in place of `body` when all of it is secret. Amounts
are text, so that every reader keeps them exact.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from typing import Any, Final

from interledger.accounts.account import (
    SECRET_FIELDS,
    Account,
    AccountId,
    BtpVersion,
    HttpForm,
    LinkSettings,
    Relation,
)
from interledger.accounts.asset import Asset
from interledger.accounts.credentials import ALL_SCOPES, IncomingToken, Scope, TokenUse
from interledger.codec.strict_json import JsonNumber, parse_json
from interledger.errors import DecodeError, InvalidRequestError, StoreError
from interledger.ilp.address import Address
from interledger.store.sealing import Sealer

__all__ = ["Kind", "decode_account", "decode_document", "encode_account", "encode_document", "seal_document"]

VERSION: Final = 1

DOCUMENT_OCTETS_MAX: Final = 16 * 1024 * 1024
"""The largest document is the table of static routes: 100,000 of them fit."""

_INTEGER = re.compile(r"-?[0-9]{1,39}")
_AMOUNTS: Final = (
    "packet_amount_max",
    "owes_us_max",
    "we_owe_max",
    "late_claims_max",
    "settle_in_max",
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
    SETTLEMENT = "settlement"
    """One settlement that is under way, or what is left over of a unit, or an account at its engine."""
    SETTLED = "settled"
    """One settlement that is done. Kept for ever; a start reads the latest."""


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


def seal_document(body: Any, key: str, sealer: Sealer) -> str:
    """A fact's document that only the holder of the seed can read. Raises as `encode_document`."""
    sealed = sealer.seal(encode_document(body), Kind.FACT, key)
    return json.dumps({"version": VERSION, "sealed": sealed}, separators=(",", ":"))


def decode_document(kind: str, key: str, text: str, sealer: Sealer | None = None) -> Any:
    """The body; of an account, the `Account`. None for a sealed one that is lost (`Sealer`).

    Raises `StoreError`, which names the document.
    """
    try:
        document = _read(text)
        if "sealed" in document:
            opened = _need(sealer).open(document["sealed"], kind, key)
            if opened is None:
                return None
            document = _read(opened)
        body = document["body"]
        return decode_account(body, sealer) if kind == Kind.ACCOUNT else body
    except (DecodeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the stored document {kind} “{key}” cannot be read: {error}") from None


def encode_account(account: Account, sealer: Sealer | None = None) -> dict[str, Any]:
    """An account's fields; integers as text. Its secrets are sealed, where there is a sealer."""
    fields = {f.name: getattr(account, f.name) for f in dataclasses.fields(account)}
    asset = fields.pop("asset")
    fields |= {"asset_code": asset.code, "asset_scale": asset.scale, "relation": account.relation.value}
    fields["link"] = _encode_link(account.link, account.id, sealer)
    for name in _AMOUNTS:
        fields[name] = None if fields[name] is None else str(fields[name])
    return fields


def decode_account(fields: dict[str, Any], sealer: Sealer | None = None) -> Account:
    """The account again. Raises `KeyError`, `TypeError` or `ValueError`; `StoreError` when its secrets stay shut."""
    rest = dict(fields)
    rest = {"late_claims_max": "0", "settle_in_max": None} | rest  # older documents have none
    for name in _AMOUNTS:
        rest[name] = None if rest[name] is None else _integer(rest[name])
    asset = Asset(rest.pop("asset_code"), rest.pop("asset_scale"))
    rest["id"] = AccountId(rest["id"])
    rest["ilp_address"] = Address(rest["ilp_address"])
    rest["relation"] = Relation(rest["relation"])
    rest["link"] = _decode_link(rest["link"], rest["id"], sealer)
    return Account(asset=asset, **rest)


def _encode_link(link: LinkSettings, account_id: str, sealer: Sealer | None) -> dict[str, Any]:
    fields = dataclasses.asdict(link)
    secrets = {name: fields[name] for name in SECRET_FIELDS if fields[name] is not None}
    if sealer is not None and secrets:
        fields |= dict.fromkeys(secrets)
        fields["sealed"] = sealer.seal(json.dumps(secrets), Kind.ACCOUNT, account_id)
    fields["incoming_tokens"] = [token | {"may": list(token["may"])} for token in fields["incoming_tokens"]]
    # JSON has no tuples, and what is read back has to be the same.
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _decode_link(fields: dict[str, Any], account_id: str, sealer: Sealer | None) -> LinkSettings:
    rest = dict(fields)
    if "sealed" in rest:
        rest |= _need(sealer).open_object(rest.pop("sealed"), Kind.ACCOUNT, account_id)
    tokens = tuple(map(_decode_token, rest.pop("incoming_tokens", ())))
    certificates = tuple(rest.pop("client_certificates", ()))
    rest["btp_version"] = BtpVersion(rest.get("btp_version", BtpVersion.PLAIN))
    rest["http_form"] = HttpForm(rest.get("http_form", HttpForm.SYNC))  # older documents have none
    return LinkSettings(**rest, incoming_tokens=tokens, client_certificates=certificates)


def _decode_token(fields: dict[str, Any]) -> IncomingToken:
    may = tuple(map(Scope, fields.get("may", ALL_SCOPES)))  # older documents have none
    return IncomingToken(**{**fields, "use": TokenUse(fields["use"]), "may": may})


def _need(sealer: Sealer | None) -> Sealer:
    if sealer is None:
        raise StoreError("a stored document is sealed, and this program was given no secret_seed")
    return sealer


def _decode(text: str) -> Any:
    return _read(text)["body"]


def _read(text: str) -> dict[str, Any]:
    document = _integers(parse_json(text.encode(), octets_max=DOCUMENT_OCTETS_MAX))
    if not isinstance(document, dict) or document.keys() not in ({"version", "body"}, {"version", "sealed"}):
        raise DecodeError("it has no version")
    if document["version"] != VERSION:
        raise DecodeError(f"it is of version {document['version']}, this program reads version {VERSION}")
    return document


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
