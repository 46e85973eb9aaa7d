"""Unknown items: packets whose outcome nobody has proved, and decisions about them, in two steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

Document = Mapping[str, Any]

RESOLVED: Final = "unknown.resolved"
"""The kind of event that says so."""

RESOLVED_SHOWN: Final = 50

SHOWN: Final = 20
"""Items with their history; the rest is in the data of the page."""


async def list_unknown(page: Page) -> Response:
    """What is open, the oldest first, and what was set aside in all."""
    items = await page.api.unknown()
    totals: dict[tuple[str, int], int] = {}
    for item in items:
        asset = (item["amount"]["asset_code"], item["amount"]["asset_scale"])
        totals[asset] = totals.get(asset, 0) + int(item["amount"]["amount"])
    return page.render(
        "unknown.html",
        title=page.texts.get("Unknown items"),
        section="unknown",
        twin=Twin(("/api/unknown",), "ilp unknown list"),
        items=items[:SHOWN],
        total=len(items),
        totals=[
            {"amount": str(units), "asset_code": code, "asset_scale": scale} for (code, scale), units in totals.items()
        ],
        accounts=sorted({item["account"] for item in items}),
    )


async def list_resolved(page: Page) -> Response:
    """Those that have an outcome now, as the events say: the latest first."""
    cursor = page.query.get("cursor")
    found = await page.api.events(only=RESOLVED, cursor=cursor, limit=RESOLVED_SHOWN)
    query = {"only": RESOLVED, "limit": RESOLVED_SHOWN, **({"cursor": cursor} if cursor else {})}
    return page.render(
        "unknown_resolved.html",
        title=page.texts.get("Resolved items"),
        section="unknown",
        twin=Twin((f"/api/events?{urlencode(query)}",), f"ilp events list --only {RESOLVED}"),
        events=found["items"],
        cursor=cursor,
        next_href="?" + urlencode({"cursor": found["next_cursor"]}) if found["next_cursor"] else None,
    )


async def show_unknown(page: Page) -> Response:
    """One item: what happened, and what can be done."""
    return await _show(page, page.request.path_params["item"])


async def decide(page: Page) -> Response:
    """The first step of a decision without proof: the node says what it would do."""
    item_id, form = page.request.path_params["item"], page.form
    try:
        decision = await page.api.propose_resolution(
            item_id, form.get("outcome", ""), form.get("reason", ""), by=form.get("by") or None
        )
    except ApiError as error:
        return await _show(page, item_id, wrong=str(error), status=error.status)
    return await _show(page, item_id, decision=decision)


async def confirm(page: Page) -> Response:
    """The second step: it is written to the books."""
    await page.api.confirm_decision(page.form.get("decision", ""))
    return page.redirect("/ui/unknown")


async def prove(page: Page) -> Response:
    """A fulfillment that came by another way."""
    item_id = page.request.path_params["item"]
    try:
        await page.api.prove_unknown(item_id, page.form.get("fulfillment", ""))
    except ApiError as error:
        return await _show(page, item_id, wrong=str(error), status=error.status)
    return page.redirect(f"/ui/unknown/{quote(item_id, safe='')}")


async def reconcile(page: Page) -> Response:
    """Ask the peer for its statement; it may take a while."""
    await page.api.reconcile(page.request.path_params["account"])
    return page.redirect("/ui/unknown")


async def _show(page: Page, item_id: str, *, status: int = 200, **more: Any) -> Response:
    item = await page.api.unknown_item(item_id)
    return page.render(
        "unknown_item.html",
        title=item["id"],
        section="unknown",
        twin=Twin((f"/api/unknown/{quote(item['id'], safe='')}",), f"ilp unknown show {item['id']}"),
        status=status,
        item=item,
        **{"wrong": "", "decision": None, **more},
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/unknown", list_unknown),
    ("/unknown/resolved", list_resolved),
    ("/unknown/{item}", show_unknown),
    ("POST /unknown/{item}/decide", decide),
    ("POST /unknown/{item}/confirm", confirm),
    ("POST /unknown/{item}/proof", prove),
    ("POST /reconcile/{account}", reconcile),
)
"""Paths below `/ui`, and who answers."""
