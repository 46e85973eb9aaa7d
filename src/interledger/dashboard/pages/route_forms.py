"""Static routes by hand: one more, and one less in two steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.page import Page, Twin
from interledger.dashboard.typed import parse_whole

__all__ = ["PAGES"]

WEIGHT_MAX: Final = 1_000_000
PRIORITY_MAX: Final = 16
"""The node has limits of its own, which it says; these keep what is typed a number."""


async def ask_route(page: Page) -> Response:
    """Which prefix leads to which account."""
    return await _add_form(page, typed=dict(page.query))


async def add_route(page: Page) -> Response:
    """At once. The same prefix and account again: its weight and priority are others."""
    form = page.form
    try:
        route = {
            "prefix": form.get("prefix", ""),
            "account": form.get("account", ""),
            "weight": parse_whole(form.get("weight") or "1", 1, WEIGHT_MAX),
            "priority": parse_whole(form.get("priority") or "0", 0, PRIORITY_MAX),
        }
        kept = [one for one in _static(await page.api.routes()) if not _is_same(one, route)]
        await page.api.call("PUT", "/api/routes", {"items": [*kept, route]})
    except (Problem, ApiError) as error:
        return await _add_form(page, typed=form, wrong=str(error), status=422)
    return page.redirect("/ui/routes#table")


async def ask_remove(page: Page) -> Response:
    """The first step: which one, and what stays for the same prefix."""
    return await _remove_form(page, dict(page.query))


async def remove_route(page: Page) -> Response:
    """The second step."""
    routes = _static(await page.api.routes())
    kept = [one for one in routes if not _is_same(one, page.form)]
    if len(kept) == len(routes):
        raise Problem("not-found", "There is no such static route. It may be removed already")
    await page.api.call("PUT", "/api/routes", {"items": kept})
    return page.redirect("/ui/routes#table")


def _static(routes: Sequence[Any]) -> list[dict[str, Any]]:
    """Those that were set by hand, as the API takes them."""
    return [
        {name: one[name] for name in ("prefix", "account", "weight", "priority")}
        for one in routes
        if one["origin"] == "static"
    ]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one["prefix"], one["account"]) == (other.get("prefix", ""), other.get("account"))


async def _add_form(page: Page, *, status: int = 200, **more: Any) -> Response:
    accounts = await page.api.accounts()
    return page.render(
        "route_add.html",
        title=page.texts.get("Add a route"),
        section="routes",
        twin=Twin(("/api/routes", "/api/accounts"), "ilp route set test.far bob"),
        status=status,
        accounts=sorted(account["id"] for account in accounts),
        **{
            "wrong": "",
            **more,
            "typed": {"weight": "1", "priority": "0", "prefix": "", "account": "", **more["typed"]},
        },
    )


async def _remove_form(page: Page, asked: Mapping[str, str]) -> Response:
    routes = await page.api.routes()
    found = next((one for one in routes if one["origin"] == "static" and _is_same(one, asked)), None)
    if found is None:
        raise Problem("not-found", "There is no such static route. It may be removed already")
    staying = [one for one in routes if one["prefix"] == found["prefix"] and one is not found]
    return page.render(
        "route_remove.html",
        title=page.texts.get("Remove a route"),
        section="routes",
        twin=Twin(("/api/routes",), f"ilp route set --remove {found['prefix']}"),
        one=found,
        staying=staying,
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/routes/add", ask_route),
    ("POST /routes/add", add_route),
    ("/routes/remove", ask_remove),
    ("POST /routes/remove", remove_route),
)
"""Paths below `/ui`, and who answers."""
