"""Pages about the node itself: settings, events, the search, and the list of all pages for small screens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.dashboard.page import Page, Twin
from interledger.dashboard.tables import toml_text

__all__ = ["PAGES"]

TOPICS: Final = ("link", "payment", "settlement", "limit", "unknown", "route", "rate", "account", "node")
"""Parts of an event's kind before the dot: filters of the events page."""

EVENTS_SHOWN: Final = 100

_ADDRESS: Final = re.compile(r"(?:g|private|example|peer|self|test[1-3]?|local)\.[A-Za-z0-9_~.-]{1,1015}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{8,}")
_POINTER: Final = re.compile(r"(?:\$|https?://)\S{1,2000}")


async def show_settings(page: Page) -> Response:
    """What the node runs with; `?only=changed` leaves out what nobody set."""
    settings = await page.panel("settings", page.api.settings()) or []
    only = page.query.get("only", "")
    shown = [one for one in settings if only != "changed" or one["set_by"] != "default"]
    groups: dict[str, list[Any]] = {}
    for one in shown:
        groups.setdefault(one["key"].partition(".")[0] if "." in one["key"] else "node", []).append(one)
    books = await page.panel("books", page.api.ledger_check())
    tokens = await page.panel("tokens", page.api.admin_tokens())
    return page.render(
        "settings.html",
        title=page.texts.get("Settings"),
        section="settings",
        twin=Twin(("/api/settings", "/api/ledger/check", "/api/tokens"), "ilp config show"),
        groups=groups,
        toml=toml_text(settings),
        only=only,
        changed=sum(one["set_by"] != "default" for one in settings),
        books=books,
        tokens=tokens or [],
    )


async def list_events(page: Page) -> Response:
    """Newest first."""
    only, cursor = page.query.get("only") or None, page.query.get("cursor")
    found = await page.api.events(only=only, cursor=cursor, limit=EVENTS_SHOWN)
    query = {"only": only, "cursor": cursor, "limit": EVENTS_SHOWN}
    path = "/api/events?" + urlencode({name: value for name, value in query.items() if value})
    words = [("", page.texts.get("All")), *((topic, page.texts.get(topic).capitalize()) for topic in TOPICS)]
    chips = [
        {
            "href": "?" + urlencode({"only": key}) if key else "?",
            "word": word,
            "count": None,
            "current": key == (only or ""),
        }
        for key, word in words
    ]
    more = {"cursor": found["next_cursor"], "only": only}
    return page.render(
        "events.html",
        title=page.texts.get("Events"),
        section="events",
        twin=Twin((path,), "ilp events tail" + (f" --only {only}" if only else "")),
        events=found["items"],
        gap=found["gap"],
        chips=chips,
        only=only,
        next_href="?" + urlencode({k: v for k, v in more.items() if v}) if found["next_cursor"] else None,
    )


async def find(page: Page) -> Response:
    """Anything pasted: a payment, a settlement, an unknown item, an account, an address, a pointer, a condition."""
    text = page.query.get("q", "").strip()
    place = await _place_of(page, text)
    if place is not None:
        return page.redirect(place)
    return page.render(
        "find.html",
        title=page.texts.get("Find"),
        section="",
        twin=Twin(("/api/accounts",), "ilp account list"),
        q=text[:200],
    )


async def _place_of(page: Page, text: str) -> str | None:
    for prefix, section in (("pay_", "payments"), ("set_", "settlements"), ("unk_", "unknown")):
        if text.startswith(prefix):
            return f"/ui/{section}/{quote(text, safe='')}"
    if _ADDRESS.fullmatch(text):
        return "/ui/routes?" + urlencode({"to": text})
    if _POINTER.fullmatch(text):
        return "/ui/pay?" + urlencode({"receiver": text})
    if text and len(text) <= 64 and any(account["id"] == text for account in await page.api.accounts()):
        return f"/ui/accounts/{quote(text, safe='')}"
    octets = re.sub(r"[\s:]|0x", "", text)
    if _HEX.fullmatch(octets):
        if "packets" in page.sections and len(octets) <= 64:
            return f"/ui/packets/{octets.lower()}"
        for item in await page.api.unknown():
            if item["condition"].startswith(octets.lower()):
                return f"/ui/unknown/{item['id']}"
    elif text:
        try:
            return f"/ui/payments/{(await page.api.payment(f'pay_{text}'))['id']}"
        except ApiError:
            return None
    return None


async def show_more(page: Page) -> Response:
    """Every page, for screens without the rail."""
    return page.render(
        "more.html", title=page.texts.get("More"), section="more", twin=Twin(("/api/status",), "ilp status")
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/settings", show_settings),
    ("/events", list_events),
    ("/find", find),
    ("/more", show_more),
)
"""Paths below `/ui`, and who answers."""
