"""Pay with a running node from a program, in three lines.

    async with interledger.connect("alice") as alice:
        payment = await alice.pay("$localhost:7780/bob", "10 USD")
        print(payment.delivered, payment.rate)

A name means a node of the development network that `ilp dev up` started in this directory (`./.ilp/dev.json`).
"""

from __future__ import annotations

import difflib
import json
import secrets
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.asset import Asset, Money
from interledger.api.client import ApiClient
from interledger.errors import DecodeError, InvalidRequestError, NotFoundError, PaymentError
from interledger.routing.rate_sources import parse_spread

if TYPE_CHECKING:
    from interledger.api.types import MoneyDocument, PaymentDocument, QuoteDocument

__all__ = ["Connection", "PaymentIncompleteError", "PaymentResult", "QuoteResult", "connect"]

DEV_FILE: Final = Path(".ilp") / "dev.json"

RATE_PLACES: Final = 18
"""Of a lowest rate that is sent to the node: finer than any asset in use."""


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """How a payment ended. `delivered` is None where the receiver never told its asset."""

    id: str
    state: str
    sent: Money
    delivered: Money | None
    document: PaymentDocument = field(repr=False)

    @property
    def rate(self) -> Fraction | None:
        """Delivered whole units for a sent one, exactly; None when nothing went."""
        if self.delivered is None or self.sent.amount == 0:
            return None
        return _whole(self.delivered) / _whole(self.sent)


@dataclass(frozen=True, slots=True)
class QuoteResult:
    """What a payment would cost: at most `send_max` leaves, at least `deliver_min` arrives."""

    id: str
    send_max: Money
    deliver_min: Money
    rate: Fraction
    """Delivered whole units for a sent one, as probed."""
    document: QuoteDocument = field(repr=False)


class PaymentIncompleteError(PaymentError):
    """A payment ended without delivering all. `result` says how far it came."""

    def __init__(self, message: str, result: PaymentResult) -> None:
        super().__init__(message)
        self.result = result


def connect(
    name_or_url: str, token: str | None = None, *, account: str | None = None, directory: str | Path = "."
) -> Connection:
    """A connection to a node: by its name in the development network of `directory`, or by the URL of its API.

    `token`: the account's, or the operator's together with `account`. Raises `NotFoundError` for a name.
    """
    if "://" in name_or_url:
        return Connection(ApiClient(name_or_url, token), account)
    entry = _dev_node(name_or_url, Path(directory) / DEV_FILE)
    tls = None
    if entry.get("certificate") is not None:
        from interledger.link.tls import pinned_context

        tls = pinned_context(Path(entry["certificate"]))
    return Connection(ApiClient(entry["url"], token or entry.get("token"), tls=tls), account or entry.get("account"))


@final
class Connection:
    """One account at one node. Use it with `async with`; `api` is the whole client."""

    def __init__(self, api: ApiClient, account: str | None = None) -> None:
        self.api = api
        self.account = account

    async def __aenter__(self) -> Connection:
        """Raises `LinkError` when nobody answers, `ApiError` for a token that is not known."""
        caller = await self.api.whoami()
        if self.account is None:
            self.account = caller["account"]
        if self.account is None:
            raise InvalidRequestError("The operator's token pays for nobody: name an account", "account")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close: every request has a connection of its own."""

    async def balance(self) -> Money:
        """What the node owes this account; below zero when the account owes the node."""
        document = await self.api.account(self._account)
        asset = Asset(document["asset_code"], document["asset_scale"])
        return Money(-int(document["position"]["net"]), asset)

    async def quote(
        self, receiver: str, amount: str | None = None, *, deliver: str | None = None, max_fee: str | None = None
    ) -> QuoteResult:
        """What it costs to pay `receiver`. Amounts as `"10 USD"`; `max_fee` as `pay`'s."""
        terms = await self._terms(receiver, amount, deliver, max_fee)
        document = await self.api.quote(receiver, **terms)
        sent, delivered = _money(document["send_max"]), _money(document["deliver_min"])
        rate = Fraction(int(document["rate"]["numerator"]), int(document["rate"]["denominator"]))
        scale = Fraction(10) ** (sent.asset.scale - delivered.asset.scale)
        return QuoteResult(document["id"], sent, delivered, rate * scale, document)

    async def pay(
        self, receiver: str, amount: str | None = None, *, deliver: str | None = None, max_fee: str | None = None
    ) -> PaymentResult:
        """Send `amount`, or as much as is needed to `deliver` another; wait for the end.

        `max_fee`: the largest share that may get lost on the way, as `"1%"` or `"0.01"`; between two assets it is
        counted from the node's own rates. Raises `PaymentIncompleteError` unless all was delivered, `ApiError`,
        `LinkError`.
        """
        terms = await self._terms(receiver, amount, deliver, max_fee)
        key = secrets.token_hex(16)
        document = await self.api.pay(receiver, idempotency_key=key, **terms)
        delivered = document["delivered"]
        result = PaymentResult(
            document["id"],
            document["state"],
            _money(document["sent"]),
            None if delivered is None else _money(delivered),
            document,
        )
        if result.state == "delivered":
            return result
        problem = document["error"]
        why = f"the payment ended {result.state}" if problem is None else problem["detail"]
        raise PaymentIncompleteError(why, result)

    @property
    def _account(self) -> str:
        if self.account is None:
            raise InvalidRequestError("Open the connection first:  async with connect(…) as …")
        return self.account

    async def _terms(
        self, receiver: str, amount: str | None, deliver: str | None, max_fee: str | None
    ) -> dict[str, Any]:
        if (amount is None) == (deliver is None):
            raise InvalidRequestError("Say what to send, or what to deliver: one of the two", "amount")
        terms: dict[str, Any] = {"account": self._account, "send": amount, "deliver": deliver}
        if max_fee is not None:
            probe = await self.api.quote(receiver, **terms)
            market = await self._market_rate(probe["send_max"]["asset_code"], probe["deliver_min"]["asset_code"])
            terms["min_rate"] = _decimal_text(market * (1 - _parse_share(max_fee)))
        return terms

    async def _market_rate(self, source: str, destination: str) -> Fraction:
        """Whole units of `destination` that one of `source` is worth, by the node's rates."""
        if source == destination:
            return Fraction(1)
        values = {rate["code"]: Fraction(rate["value"]) for rate in await self.api.rates()}
        if source not in values or destination not in values:
            raise InvalidRequestError(
                f"max_fee cannot be kept: the node has no rate from {source} to {destination}", "max_fee"
            )
        return values[source] / values[destination]


def _dev_node(name: str, path: Path) -> dict[str, Any]:
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    except FileNotFoundError:
        raise NotFoundError(f"There is no development network here ({path}). Start one:  ilp dev up") from None
    except (ValueError, KeyError, TypeError):
        raise NotFoundError(f"{path} cannot be read. Start the network anew:  ilp dev up --fresh") from None
    if name not in nodes:
        near = difflib.get_close_matches(name, nodes, n=1)
        hint = f"Did you mean  {near[0]} ?" if near else f"There are  {', '.join(nodes)}"
        raise NotFoundError(f"There is no node “{name}” in the development network. {hint}")
    entry: dict[str, Any] = nodes[name]
    return entry


def _money(document: MoneyDocument) -> Money:
    return Money(int(document["amount"]), Asset(document["asset_code"], document["asset_scale"]))


def _whole(money: Money) -> Fraction:
    return Fraction(money.amount, 10**money.asset.scale)


def _parse_share(text: str) -> Fraction:
    """`1%` or `0.01` -> 1/100, from 0 to less than 1."""
    try:
        return parse_spread(text)
    except DecodeError:
        raise InvalidRequestError(f"“{text}” is not a share. Write  1%  or  0.01", "max_fee") from None


def _decimal_text(rate: Fraction) -> str:
    """Rounded up: a lowest rate must not become lower on the way."""
    scaled = -(-rate.numerator * 10**RATE_PLACES // rate.denominator)
    return f"{scaled // 10**RATE_PLACES}.{scaled % 10**RATE_PLACES:0{RATE_PLACES}d}"
