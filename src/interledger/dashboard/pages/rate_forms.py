"""Setting a rate by hand, and forgetting it. A rate that jumps is asked about once more: a slip is money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.page import Page, Twin
from interledger.dashboard.typed import parse_decimal

__all__ = ["PAGES"]

Document = Mapping[str, Any]

BY_HAND: Final = "static"
"""The source of a rate that an operator set."""

JUMP_PERCENT: Final = 10
"""From here on a change is shown before it is made."""


async def ask_rate(page: Page) -> Response:
    """Which asset, and what one unit is worth; as it is now."""
    code = page.query.get("code", "").upper()
    old = _of(await page.api.rates(), code)
    return await _form(page, typed={"code": code, "value": old["value"] if old else ""})


async def set_rate(page: Page) -> Response:
    """At once, unless it jumps; then the second step says by how much."""
    code, text = page.form.get("code", "").upper(), page.form.get("value", "")
    rates = await page.api.rates()
    old = _of(rates, code)
    try:
        if old is not None and old["source"] != BY_HAND:
            raise Problem("invalid-request", _from_elsewhere(page, old))
        change = _change(old, parse_decimal(text))
        if change is not None and abs(change) >= JUMP_PERCENT and page.form.get("step") != "set":
            return await _form(page, typed=page.form, old=old, change=change)
        await page.api.set_rates({**_by_hand(rates), code: text})
    except (Problem, ApiError) as error:
        return await _form(page, typed=page.form, wrong=str(error), status=422)
    return page.redirect("/ui/rates#rates")


async def forget_rate(page: Page) -> Response:
    """Packets of the asset are refused until it has a rate again."""
    kept = _by_hand(await page.api.rates())
    kept.pop(page.form.get("code", "").upper(), None)
    await page.api.set_rates(kept)
    return page.redirect("/ui/rates#rates")


def _of(rates: Sequence[Any], code: str) -> Document | None:
    return next((rate for rate in rates if rate["code"] == code), None)


def _by_hand(rates: Sequence[Any]) -> dict[str, str]:
    return {rate["code"]: rate["value"] for rate in rates if rate["source"] == BY_HAND}


def _from_elsewhere(page: Page, rate: Document) -> str:
    text = "The rate of %(code)s comes from %(source)s. One that is set by hand would not count."
    return str(page.texts(text, code=rate["code"], source=rate["source"]).unescape())


def _change(old: Document | None, new: Fraction) -> Fraction | None:
    """In percent of what it is."""
    before = Fraction(old["value"]) if old is not None else Fraction(0)
    return (new - before) * 100 / before if before else None


async def _form(page: Page, *, status: int = 200, **more: Any) -> Response:
    rates = await page.api.rates()
    typed = more["typed"]
    code = typed.get("code", "").upper()
    known = _of(rates, code)
    return page.render(
        "rate_set.html",
        title=page.texts.get("Set a rate"),
        section="rates",
        twin=Twin(("/api/rates",), f"ilp rate set {quote(code, safe='') or 'EUR'} 1.0854"),
        status=status,
        codes=sorted(rate["code"] for rate in rates if rate["source"] == BY_HAND),
        known=known if known is not None and known["source"] == BY_HAND else None,
        **{"wrong": "", "old": None, "change": None, **more, "typed": {"code": code, "value": typed.get("value", "")}},
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/rates/set", ask_rate),
    ("POST /rates/set", set_rate),
    ("POST /rates/forget", forget_rate),
)
"""Paths below `/ui`, and who answers."""
