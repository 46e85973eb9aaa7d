"""Rates and profit: what we charge, how fresh the prices are, and what that earned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from starlette.responses import Response

from interledger.dashboard.exposure import percent_text
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

Document = Mapping[str, Any]


async def show_rates(page: Page) -> Response:
    """Profit first, then the pairs, then every rate: those in use before those that are only known."""
    rates = await page.panel("rates", page.api.rates()) or []
    profit = await page.panel("profit", page.api.ledger_profit())
    values = {rate["code"]: rate["value"] for rate in rates}
    used = {asset["asset_code"] for asset in profit["assets"]} if profit else set()
    dated = [rate["as_of"] for rate in rates if rate["as_of"] is not None and rate["code"] in used]
    return page.render(
        "rates.html",
        title=page.texts.get("Rates and profit"),
        section="rates",
        twin=Twin(("/api/rates", "/api/ledger/profit"), "ilp ledger profit"),
        rates=sorted(rates, key=lambda rate: rate["code"] not in used),
        used=used,
        oldest=min(dated, default=None),
        profit=profit,
        worth=profit["worth"] if profit else None,
        margin=_share(profit["worth"]) if profit else None,
        pairs=_pairs(profit["pairs"], values) if profit else [],
    )


def _share(worth: Document) -> Fraction | None:
    """Profit for each unit that was moved, in percent."""
    moved = int(worth["moved"]["amount"])
    return Fraction(int(worth["profit"]["amount"]) * 100, moved) if moved > 0 else None


def _pairs(pairs: Sequence[Document], values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each with its rates, and a bar: its profit as a share of the largest."""
    most = max((abs(int(pair["profit"]["amount"])) for pair in pairs), default=0) or 1
    return [
        {**_pair(pair, values), "bar": percent_text(abs(int(pair["profit"]["amount"])) * 10_000 // most)}
        for pair in pairs
    ]


def _pair(pair: Document, values: Mapping[str, str]) -> dict[str, Any]:
    """What packets between two assets came to: the market's rate now, and what was given for what was taken."""
    taken, given = pair["taken"], pair["given"]
    source, destination = values.get(taken["asset_code"]), values.get(given["asset_code"])
    amount_in = Fraction(int(taken["amount"]), 10 ** taken["asset_scale"])
    amount_out = Fraction(int(given["amount"]), 10 ** given["asset_scale"])
    market = Fraction(source) / Fraction(destination) if source and destination and Fraction(destination) else None
    return {
        **pair,
        "market": market,
        "market_of": (source, destination),
        "we_gave": amount_out / amount_in if amount_in else None,
        "is_loss": int(pair["profit"]["amount"]) < 0,
    }


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (("/rates", show_rates),)
"""Paths below `/ui`, and who answers."""
