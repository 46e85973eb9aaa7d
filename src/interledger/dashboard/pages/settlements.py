"""Settlements: the list, one of them, and settling now in two steps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.exposure import exposure_of
from interledger.dashboard.page import Page, Twin, amount_text
from interledger.dashboard.typed import parse_typed, typed_amount

__all__ = ["PAGES", "STEPS", "steps_of"]

Document = Mapping[str, Any]

PAGE_SIZE: Final = 50

STEPS: Final = {
    "out": ("Decided", "Taken from the books", "Sent to the engine", "The engine pays"),
    "in": ("Paid on their ledger", "Told by the engine", "Checked against the cap", "In the books"),
}
"""What a settlement goes through, by who pays. What comes behind the last step happens on the ledger of the engine."""

STANDS: Final = {"sending": 2, "settled": 4, "held": 2, "credited": 4}
"""By its state: how many steps are done. One that was taken back has come as far as the second."""


class Steps(NamedTuple):
    """`kinds`: of each step ok, bad, wait or none; `word`: the one where it stands, counted from 1 by `at`."""

    kinds: tuple[str, ...]
    at: int
    word: str


def steps_of(one: Document) -> Steps:
    """The bar of a settlement."""
    words, done = STEPS[one["direction"]], STANDS.get(one["state"], 2)
    now = "" if done == len(words) or one["state"] == "void" else "bad" if one["error"] else "wait"
    kinds = tuple("ok" if i < done else now or "none" if i == done else "none" for i in range(len(words)))
    at = done + 1 if now else done
    return Steps(kinds, at, words[at - 1])


async def list_settlements(page: Page) -> Response:
    """Newest first, and what comes next."""
    account, cursor = page.query.get("account"), page.query.get("cursor")
    answer = page.api.settlements_page(account, limit=PAGE_SIZE, cursor=cursor)
    settlements, following = await page.panel("settlements", answer) or ([], None)
    totals = await page.panel("totals", page.api.settlement_totals())
    accounts = await page.panel("accounts", page.api.accounts()) or []
    coming = [one for one in accounts if one["settle_threshold"] is not None and exposure_of(one).side == "we-owe"]
    asked = {name: value for name, value in (("account", account), ("cursor", cursor)) if value}
    path = "/api/settlements?" + urlencode({**asked, "limit": PAGE_SIZE})
    return page.render(
        "settlements.html",
        title=page.texts.get("Settlements"),
        section="settlements",
        twin=Twin((path, "/api/settlements/totals", "/api/accounts"), "ilp settlement list"),
        settlements=[(one, steps_of(one)) for one in settlements],
        totals=totals,
        only=account,
        asked=asked,
        next_href="?" + urlencode({**asked, "cursor": following}) if following else None,
        engines=[one for one in accounts if one["settlement_engine_url"]],
        coming=[{"account": one, "exposure": exposure_of(one)} for one in coming],
        waiting=[one for one in settlements if one["error"] and not one["done_at"]],
    )


async def show_settlement(page: Page) -> Response:
    """One of them, step by step."""
    one = await page.api.settlement(page.request.path_params["settlement"])
    return page.render(
        "settlement.html",
        title=one["id"],
        section="settlements",
        twin=Twin((f"/api/settlements/{quote(one['id'], safe='')}",), f"ilp settlement show {one['id']}"),
        one=one,
        steps=steps_of(one),
        words=STEPS[one["direction"]],
    )


async def retry(page: Page) -> Response:
    """Ask the engine now, with the same key."""
    settlement_id = page.request.path_params["settlement"]
    await page.api.retry_settlement(settlement_id)
    return page.redirect(f"/ui/settlements/{quote(settlement_id, safe='')}")


async def ask_amount(page: Page) -> Response:
    """The first step: how much."""
    account = await page.api.account(page.request.path_params["account"])
    return _form(page, account)


async def settle(page: Page) -> Response:
    """The second step shows the amount; the third does it, once for each form."""
    account = await page.api.account(page.request.path_params["account"])
    scale, text = account["asset_scale"], page.form.get("amount", "")
    try:
        units = parse_typed(text, scale)
        if units <= 0:
            raise Problem("invalid-request", "The amount is nothing. Write  412.75")
    except Problem as problem:
        return _form(page, account, wrong=str(problem), typed=text, status=422)
    if page.form.get("step") != "settle":
        left = exposure_of(account).amount - units
        return _form(page, account, typed=text, units=units, left=left if left >= 0 else None)
    key = page.form.get("key", "")
    if not _claim(page, key):
        return page.redirect("/ui/settlements")
    try:
        made = await page.api.create_settlement(account["id"], str(units), by="dashboard")
    except ApiError as error:
        return _form(page, account, wrong=str(error), typed=text, status=error.status)
    return page.redirect(f"/ui/settlements/{quote(made['id'], safe='')}")


def _claim(page: Page, key: str) -> bool:
    """Whether this form is sent for the first time: a double click is one settlement."""
    if not key or key in page.used_keys:
        return False
    page.used_keys[key] = None
    while len(page.used_keys) > KEYS_MAX:
        page.used_keys.popitem(last=False)
    return True


KEYS_MAX: Final = 1_000
"""Forms that are remembered as sent."""


def _form(page: Page, account: Document, *, status: int = 200, **more: Any) -> Response:
    exposure = exposure_of(account)
    units = more.get("units")
    scale, code = account["asset_scale"], account["asset_code"]
    return page.render(
        "settle.html",
        title=page.texts("Settle with %(peer)s", peer=account["id"]).striptags(),
        section="settlements",
        twin=Twin((f"/api/accounts/{quote(account['id'], safe='')}",), f"ilp account settle {account['id']}"),
        status=status,
        a=account,
        e=exposure,
        suggested=typed_amount(exposure.amount, scale) if exposure.side == "we-owe" else "",
        key=secrets.token_hex(16),
        amount=None if units is None else amount_text(page, units, scale, code),
        **{"wrong": "", "typed": "", "units": None, "left": None, **more},
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/settlements", list_settlements),
    ("/settlements/{settlement}", show_settlement),
    ("POST /settlements/{settlement}/retry", retry),
    ("/accounts/{account}/settle", ask_amount),
    ("POST /accounts/{account}/settle", settle),
)
"""Paths below `/ui`, and who answers."""
