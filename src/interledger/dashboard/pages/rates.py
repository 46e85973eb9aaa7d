"""Rates and profit: what we charge, how fresh the prices are, and what that earned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from interledger.dashboard.charts import Chart, profit_chart, rate_chart
from interledger.dashboard.exposure import percent_text
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

Document = Mapping[str, Any]


TWINS: Final = ("/api/rates", "/api/ledger/profit", "/api/rates/history", "/api/profit/history")

CHIPS_MAX: Final = 12
"""Assets whose rates over time are one click away; those in use first."""


async def show_rates(page: Page) -> Response:
    """Profit first, then the pairs, then every rate: those in use before those that are only known."""
    rates = await page.panel("rates", page.api.rates()) or []
    profit = await page.panel("profit", page.api.ledger_profit())
    over_time = await page.panel("history", page.api.rate_history()) or []
    earned = await page.panel("earned", page.api.profit_history())
    now = datetime.now(UTC)
    values = {rate["code"]: rate["value"] for rate in rates}
    used = {asset["asset_code"] for asset in profit["assets"]} if profit else set()
    dated = [rate["as_of"] for rate in rates if rate["as_of"] is not None and rate["code"] in used]
    return page.render(
        "rates.html",
        title=page.texts.get("Rates and profit"),
        section="rates",
        twin=Twin(TWINS, "ilp ledger profit"),
        charts=_charts(over_time, page.query.get("code", ""), used, now),
        earned=earned,
        earned_chart=profit_chart(earned["points"], now) if earned else None,
        rates=sorted(rates, key=lambda rate: rate["code"] not in used),
        used=used,
        oldest=min(dated, default=None),
        profit=profit,
        worth=profit["worth"] if profit else None,
        margin=_share(profit["worth"]) if profit else None,
        pairs=_pairs(profit["pairs"], values) if profit else [],
    )


class RateChart(NamedTuple):
    """A rate over time, and links to those of other assets."""

    code: str
    chart: Chart | None
    points: Sequence[Document]
    chips: list[dict[str, Any]]


def _charts(history: Sequence[Document], asked: str, used: set[str], now: datetime) -> RateChart | None:
    """Of the asset asked for, else of one that is used and has moved."""
    ranked = sorted(history, key=lambda one: (one["code"] not in used, len(one["points"]) < 2, one["code"]))
    one = next((each for each in ranked if each["code"] == asked.upper()), ranked[0] if ranked else None)
    if one is None:
        return None
    chips = [
        {
            "href": "?" + urlencode({"code": each["code"]}) + "#over-time",
            "word": each["code"],
            "count": None,
            "current": each is one,
        }
        for each in ranked[:CHIPS_MAX]
    ]
    return RateChart(one["code"], rate_chart(one["points"], now), one["points"], chips if len(chips) > 1 else [])


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
