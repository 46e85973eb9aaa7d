"""What a quote or a payment asks for: the body of `POST /api/quotes` and `POST /api/payments`, read and made exact.

Amounts come as decimal text of whole units (`10`, `10 USD`) or as `{"amount", "asset_code", "asset_scale"}`. What is to
be sent is in the account's asset, so it is known at once. What is to be delivered is in the receiver's, which is
learned by a first quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from interledger.accounts.account import Account, parse_account_id
from interledger.accounts.asset import Asset, parse_amount, parse_money
from interledger.api.auth import Caller
from interledger.api.bodies import Fields
from interledger.api.facade import NodeFacade
from interledger.api.problems import Problem
from interledger.codec.oer import UINT64_MAX
from interledger.errors import InvalidRequestError

__all__ = ["DEFAULT_SLIPPAGE", "Terms", "account_of", "learn_deliver", "read_terms"]

DEFAULT_SLIPPAGE: Final = Fraction(1, 100)

RECEIVER_LENGTH_MAX: Final = 2_000
"""As much as a payment pointer may have."""

SCALE_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Terms:
    """What was asked for. One of `send` (units of the account's asset) and `deliver` (as it came) is set."""

    account: Account
    receiver: str
    send: int | None
    deliver: str | Fields | None
    slippage: Fraction
    min_rate: Fraction | None
    """Delivered whole units for a sent one, at least."""
    quote_id: str | None = None


def read_terms(fields: Fields, node: NodeFacade, caller: Caller) -> Terms:
    """The body. Raises problems naming the field, `forbidden` for the account of another."""
    account = account_of(fields.parsed("account", parse_account_id), node, caller)
    quote_id = fields.text("quote_id")
    receiver = fields.required_text("receiver")
    if not 1 <= len(receiver) <= RECEIVER_LENGTH_MAX:
        raise fields.wrong("receiver", f"has 1 to {RECEIVER_LENGTH_MAX} characters")
    send, deliver = _amount_field(fields, "send"), _amount_field(fields, "deliver")
    if (send is None) == (deliver is None) and quote_id is None:
        raise fields.wrong("send", "or deliver is needed, one of the two")
    slippage = fields.fraction("slippage")
    if slippage is not None and slippage >= 1:
        raise fields.wrong("slippage", "is from 0 to less than 1: 0.01 is one percent")
    terms = Terms(
        account=account,
        receiver=receiver,
        send=None if send is None else _units(fields, "send", send, account.asset, whose=f"{account.id} is kept in"),
        deliver=deliver,
        slippage=DEFAULT_SLIPPAGE if slippage is None else slippage,
        min_rate=fields.fraction("min_rate"),
        quote_id=quote_id,
    )
    fields.close()
    return terms


def account_of(account_id: str | None, node: NodeFacade, caller: Caller) -> Account:
    """The account that is to pay: the one named, or the caller's own."""
    if account_id is None:
        account_id = caller.account
    if account_id is None:
        raise Problem("invalid-request", "account is needed: whose money is to be sent?", field="account")
    if not caller.may_use(account_id):
        raise Problem("forbidden", f"This token is for {caller.account}'s own account", field="account")
    return node.account(account_id)


async def learn_deliver(terms: Terms, fields: Fields, node: NodeFacade) -> int | None:
    """`deliver` in units of the receiver's asset, which a quote for one whole unit tells."""
    if terms.deliver is None:
        return None
    account = terms.account
    probe = min(10**account.asset.scale, UINT64_MAX)
    quote = await node.quote(account.id, terms.receiver, send=probe, slippage=DEFAULT_SLIPPAGE)
    return _units(fields, "deliver", terms.deliver, quote.destination_asset, whose="the receiver is paid in")


def _amount_field(fields: Fields, name: str) -> str | Fields | None:
    value = fields.value(name)
    return fields.nested(name) if isinstance(value, dict) else fields.text(name)


def _units(fields: Fields, name: str, value: str | Fields, asset: Asset, *, whose: str) -> int:
    """An amount in units of `asset`. Raises where it is of another asset, or finer than the asset is kept."""
    if isinstance(value, Fields):
        amount, code = _money_units(value, asset), value.required_text("asset_code").upper()
        value.close()
    else:
        try:
            text, code = (value, asset.code) if value[-1:].isdigit() else parse_money(value)
            amount = parse_amount(text, asset.scale)
        except InvalidRequestError as error:
            raise Problem("invalid-request", f"{name}: {error}", field=name) from None
    if code != asset.code:
        raise fields.wrong(name, f"is in {code}, but {whose} {asset.code}")
    if not 1 <= amount <= UINT64_MAX:
        raise fields.wrong(name, "is more than nothing, and less than 2^64 units")
    return amount


def _money_units(money: Fields, asset: Asset) -> int:
    amount = money.required_integer("amount")
    scale = money.required_integer("asset_scale", 0, SCALE_MAX)
    units, rest = divmod(amount * 10**asset.scale, 10**scale)
    if rest:
        raise money.wrong("amount", f"has more decimal places than {asset} keeps")
    return int(units)
