"""Accounts in the TOML file: one table `[accounts.NAME]` -> one `Account`.

Amounts are written as people speak of them: `owes_us_max = "500 USD"` or `500`. interledger-rs's names are read too;
theirs are in integer units of the asset, as they are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from interledger.accounts.account import (
    Account,
    BtpVersion,
    HttpForm,
    LinkSettings,
    Relation,
    parse_account_id,
    token_digest,
)
from interledger.accounts.asset import NO_CURRENCY, Asset, parse_amount, parse_asset, parse_money
from interledger.accounts.credentials import SECRET_OCTETS_MIN
from interledger.codec.oer import UINT64_MAX
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address, parse_address
from interledger.link.certificates import parse_client_certificate
from interledger.node.settings_parsers import parse_bool, parse_text, parse_token, parse_url, whole_number

__all__ = ["ACCOUNT_KEYS", "TOKEN_KEYS", "parse_account"]

TOKEN_KEYS: Final = (
    "token",
    "http_incoming_token",
    "http_outgoing_token",
    "btp_incoming_token",
    "btp_outgoing_token",
    "http_incoming_jwt_secret",
    "http_outgoing_jwt_secret",
)
"""Keys whose value is a secret: each may be `<key>_file` instead. `token`: what the peer presents, by HTTP and BTP."""

RS_RELATIONS: Final = {"NonRoutingAccount": "local", "Parent": "parent", "Peer": "peer", "Child": "child"}

_UNITS = whole_number(0, UINT64_MAX)
_COUNT = whole_number(1, 100_000_000)
_SCALE = whole_number(0, 255)


@dataclass(slots=True)
class _Draft:
    """An account in the making: its keys are read in the order of `_READERS`, so the asset comes first."""

    values: dict[str, Any] = field(default_factory=dict)
    link: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    scale: int = 0

    @property
    def asset(self) -> Asset:
        if self.code is None:
            raise InvalidRequestError('has no asset. Write  asset = "USD/9"', "asset")
        return Asset(self.code, self.scale)


def _read_asset(draft: _Draft, text: str) -> None:
    draft.code, draft.scale = parse_asset(text)


def _read_asset_code(draft: _Draft, text: str) -> None:
    draft.code = parse_asset(f"{text}/0").code


def _read_asset_scale(draft: _Draft, text: str) -> None:
    draft.scale = _SCALE(text)


def _spoken(attribute: str) -> Callable[[_Draft, str], None]:
    def read(draft: _Draft, text: str) -> None:
        number = text
        if not (text.isascii() and text.replace(".", "").isdecimal()):
            number, code = parse_money(text)
            if code != draft.asset.code:
                raise InvalidRequestError(f"is in {code}, the account is in {draft.asset.code}")
        draft.values[attribute] = parse_amount(number, draft.asset.scale)

    return read


def _units(attribute: str) -> Callable[[_Draft, str], None]:
    def read(draft: _Draft, text: str) -> None:
        draft.values[attribute] = _UNITS(text)

    return read


def _read_min_balance(draft: _Draft, text: str) -> None:
    """interledger-rs: the balance may go down to this; ours is the amount they may owe us."""
    if text != "0" and not text.startswith("-"):
        raise InvalidRequestError(f"“{text}” is not a lower bound. Write  owes_us_max  instead")
    draft.values["owes_us_max"] = _UNITS(text.removeprefix("-"))


def _read_relation(draft: _Draft, text: str) -> None:
    name = RS_RELATIONS.get(text, text)
    if name not in list(Relation):
        raise InvalidRequestError(f"“{text}” is not one of  {'  '.join(Relation)}")
    draft.values["relation"] = Relation(name)


def _plain(attribute: str, parse: Callable[[str], Any]) -> Callable[[_Draft, str], None]:
    def read(draft: _Draft, text: str) -> None:
        draft.values[attribute] = parse(text)

    return read


def _link(attribute: str, parse: Callable[[str], Any]) -> Callable[[_Draft, str], None]:
    def read(draft: _Draft, text: str) -> None:
        draft.link[attribute] = parse(text)

    return read


def _digest(token: str) -> str:
    return token_digest(parse_token(token))


def _read_token(draft: _Draft, text: str) -> None:
    for attribute in ("http_incoming_token_digest", "btp_incoming_token_digest"):
        draft.link.setdefault(attribute, _digest(text))


def _parse_btp_version(text: str) -> BtpVersion:
    if text not in list(BtpVersion):
        raise InvalidRequestError(f"“{text}” is not one of  {'  '.join(BtpVersion)}")
    return BtpVersion(text)


def _parse_http_form(text: str) -> HttpForm:
    if text not in list(HttpForm):
        raise InvalidRequestError(f"“{text}” is not one of  {'  '.join(HttpForm)}")
    return HttpForm(text)


def _parse_btp_url(text: str) -> str:
    for scheme, stands_for in (("btp+ws", "http"), ("btp+wss", "https"), ("ws", "http"), ("wss", "https")):
        if text.startswith(scheme + "://"):
            parse_url(stands_for + text.removeprefix(scheme))
            return text.removeprefix("btp+")
    raise InvalidRequestError(f"“{text}” is not a BTP URL. Write  wss://peer.example/ilp/btp")


def _parse_secret(text: str) -> str:
    """As long as `link.jwt` wants it, told here with file and line."""
    if len(parse_text(text).encode("utf-8")) < SECRET_OCTETS_MIN:
        raise InvalidRequestError(
            f"a secret that signs tokens has {SECRET_OCTETS_MIN} octets at least. Make one:  openssl rand -hex 32"
        )
    return text


def _parse_certificate(text: str) -> tuple[str, ...]:
    return (parse_client_certificate(text),)


_READERS: Final[dict[str, Callable[[_Draft, str], None]]] = {
    "asset": _read_asset,
    "asset_code": _read_asset_code,
    "asset_scale": _read_asset_scale,
    "ilp_address": _plain("ilp_address", parse_address),
    "relation": _read_relation,
    "routing_relation": _read_relation,
    "packet_amount_max": _spoken("packet_amount_max"),
    "max_packet_amount": _units("packet_amount_max"),
    "owes_us_max": _spoken("owes_us_max"),
    "we_owe_max": _spoken("we_owe_max"),
    "late_claims_max": _spoken("late_claims_max"),
    "settle_in_max": _spoken("settle_in_max"),
    "min_balance": _read_min_balance,
    "packets_per_minute": _plain("packets_per_minute", _COUNT),
    "packets_per_minute_limit": _plain("packets_per_minute", _COUNT),
    "amount_per_minute": _spoken("amount_per_minute"),
    "amount_per_minute_limit": _units("amount_per_minute"),
    "round_trip_time_ms": _plain("round_trip_time_ms", whole_number(1, 60_000)),
    "round_trip_time": _plain("round_trip_time_ms", whole_number(1, 60_000)),
    "settle_threshold": _spoken("settle_threshold"),
    "settle_to": _spoken("settle_to"),
    "send_routes": _plain("send_routes", parse_bool),
    "receive_routes": _plain("receive_routes", parse_bool),
    "ccp_full_updates": _plain("ccp_full_updates", parse_bool),
    "settlement_engine_url": _plain("settlement_engine_url", parse_url),
    "peer_balance": _plain("peer_balance", parse_bool),
    "paused": _plain("paused", parse_bool),
    "http_url": _link("http_url", parse_url),
    "ilp_over_http_url": _link("http_url", parse_url),
    "http_form": _link("http_form", _parse_http_form),
    "http_callback_url": _link("http_callback_url", parse_url),
    "http_incoming_token": _link("http_incoming_token_digest", _digest),
    "ilp_over_http_incoming_token": _link("http_incoming_token_digest", _digest),
    "http_outgoing_token": _link("http_outgoing_token", parse_token),
    "ilp_over_http_outgoing_token": _link("http_outgoing_token", parse_token),
    "btp_url": _link("btp_url", _parse_btp_url),
    "ilp_over_btp_url": _link("btp_url", _parse_btp_url),
    "btp_incoming_token": _link("btp_incoming_token_digest", _digest),
    "ilp_over_btp_incoming_token": _link("btp_incoming_token_digest", _digest),
    "btp_outgoing_token": _link("btp_outgoing_token", parse_token),
    "ilp_over_btp_outgoing_token": _link("btp_outgoing_token", parse_token),
    "btp_version": _link("btp_version", _parse_btp_version),
    "token": _read_token,
    "http_incoming_jwt_secret": _link("http_incoming_jwt_secret", _parse_secret),
    "http_outgoing_jwt_secret": _link("http_outgoing_jwt_secret", _parse_secret),
    "http_outgoing_jwt_subject": _link("http_outgoing_jwt_subject", parse_text),
    "http_jwks_url": _link("http_jwks_url", parse_url),
    "http_jwt_issuer": _link("http_jwt_issuer", parse_text),
    "http_jwt_audience": _link("http_jwt_audience", parse_text),
    "http_jwt_subject": _link("http_jwt_subject", parse_text),
    "http_jwt_require_subject": _link("http_jwt_require_subject", parse_bool),
    "client_certificate": _link("client_certificates", _parse_certificate),
    "client_certificate_required": _link("client_certificate_required", parse_bool),
    "tls_ca_file": _link("tls_ca_file", parse_text),
    "tls_certificate_file": _link("tls_certificate_file", parse_text),
    "tls_key_file": _link("tls_key_file", parse_text),
}

ACCOUNT_KEYS: Final = tuple(_READERS)
"""Every key that an account's table may have; those of `TOKEN_KEYS` also with `_file` behind."""


def parse_account(name: str, table: Mapping[str, str], node_address: str) -> Account:
    """The account. `table`: key -> text, only keys of `ACCOUNT_KEYS`. Without an address it is below the node's.

    Raises `InvalidRequestError` whose `field` names the key.
    """
    draft = _Draft()
    key = "asset"
    try:
        for key, read in _READERS.items():
            if key in table:
                read(draft, table[key])
        key = "asset"
        # A parent says in which asset it accounts; until then there is none.
        is_parent = draft.values.get("relation") is Relation.PARENT
        asset = NO_CURRENCY if is_parent and draft.code is None else draft.asset
        key = ""
        account_id = parse_account_id(name)
        address = draft.values.pop("ilp_address", Address(f"{node_address}.{account_id}"))
        return Account(id=account_id, asset=asset, ilp_address=address, link=LinkSettings(**draft.link), **draft.values)
    except InvalidRequestError as error:
        raise InvalidRequestError(str(error), key) from None
