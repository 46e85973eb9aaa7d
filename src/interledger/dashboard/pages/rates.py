"""Rates and profit: what we charge, how fresh the prices are, and what that earned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from starlette.responses import Response

from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

Document = Mapping[str, Any]


async def show_rates(page: Page) -> Response:
    """Only what accounts and profit need is worth a pair; the list below has every rate."""
    rates = await page.api.rates()
    profit = await page.api.ledger_profit()
    values = {rate["code"]: Fraction(rate["value"]) for rate in rates}
    return page.render(
        "rates.html",
        title=page.texts.get("Rates and profit"),
        section="rates",
        twin=Twin(("/api/rates", "/api/ledger/profit"), "ilp rate list"),
        rates=rates,
        profit=profit,
        pairs=[_pair(pair, values) for pair in profit["pairs"]],
    )


def _pair(pair: Document, values: Mapping[str, Fraction]) -> dict[str, Any]:
    """What packets between two assets came to: the market's rate now, and what was given for what was taken."""
    taken, given = pair["taken"], pair["given"]
    source, destination = values.get(taken["asset_code"]), values.get(given["asset_code"])
    amount_in = Fraction(int(taken["amount"]), 10 ** taken["asset_scale"])
    amount_out = Fraction(int(given["amount"]), 10 ** given["asset_scale"])
    market = source / destination if source is not None and destination else None
    return {**pair, "market": market, "we_gave": amount_out / amount_in if amount_in else None}


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (("/rates", show_rates),)
"""Paths below `/ui`, and who answers."""
