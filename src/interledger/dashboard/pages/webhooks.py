"""Webhooks: where events are sent, what came of each delivery, and sending one again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.dashboard.page import Page, Twin
from interledger.dashboard.pages.node import TOPICS

__all__ = ["PAGES"]

SHOWN: Final = 50
"""Deliveries of a webhook. All that are kept are in the data of the page."""

STATES: Final = (("", "All"), ("waiting", "Waiting"), ("delivered", "Delivered"), ("failed", "Failed"))


async def list_webhooks(page: Page) -> Response:
    """All of them, and the form for one more."""
    return await _list(page)


async def create_webhook(page: Page) -> Response:
    """The answer is the only page that ever shows the secret that deliveries are signed with."""
    form = page.form
    events = [part.strip() for part in form.get("events", "").split(",") if part.strip()] or None
    try:
        made = await page.api.create_webhook(form.get("url", ""), events, private=form.get("private") == "yes")
    except ApiError as error:
        return await _list(page, wrong=str(error), typed=form, status=422)
    return await _list(page, made=made)


async def _list(page: Page, *, status: int = 200, **more: Any) -> Response:
    typed: Mapping[str, str] = {"url": "", "events": "", "private": "", **more.pop("typed", {})}
    hooks = await page.panel("webhooks", page.api.webhooks())
    return page.render(
        "webhooks.html",
        title=page.texts.get("Webhooks"),
        section="webhooks",
        twin=Twin(("/api/webhooks",), "ilp webhook list"),
        status=status,
        hooks=hooks,
        topics=TOPICS,
        typed=typed,
        **{"wrong": "", "made": None, **more},
    )


async def show_webhook(page: Page) -> Response:
    """One: its deliveries, newest first."""
    hook = await page.api.webhook(page.request.path_params["webhook"])
    path, state = f"/api/webhooks/{quote(hook['id'], safe='')}", page.query.get("state", "")
    found = await page.panel("deliveries", page.api.deliveries(hook["id"]))
    fitting = [one for one in found or () if not state or one["state"] == state]
    chips = [
        {
            "href": f"?state={key}" if key else "?",
            "word": page.texts.get(word),
            "count": sum(not key or one["state"] == key for one in found or ()),
            "current": key == state,
        }
        for key, word in STATES
    ]
    return page.render(
        "webhook.html",
        title=page.texts.get("Webhook"),
        section="webhooks",
        twin=Twin((path, path + "/deliveries"), f"ilp webhook deliveries {hook['id']}"),
        hook=hook,
        base=f"/ui/webhooks/{quote(hook['id'], safe='')}",
        deliveries=[{**one, "text": json.dumps(one["body"], indent=2, ensure_ascii=False)} for one in fitting[:SHOWN]],
        hidden=max(0, len(fitting) - SHOWN),
        chips=chips,
        state=state,
        removing=page.query.get("remove") == "yes",
    )


async def test_webhook(page: Page) -> Response:
    """A delivery that means nothing."""
    hook = page.request.path_params["webhook"]
    await page.api.test_webhook(hook)
    return page.redirect(f"/ui/webhooks/{quote(hook, safe='')}")


async def replay(page: Page) -> Response:
    """The same delivery once more, with its id."""
    hook = page.request.path_params["webhook"]
    await page.api.replay_delivery(hook, page.request.path_params["delivery"])
    return page.redirect(f"/ui/webhooks/{quote(hook, safe='')}")


async def remove(page: Page) -> Response:
    """Nothing more is sent there."""
    await page.api.delete_webhook(page.request.path_params["webhook"])
    return page.redirect("/ui/webhooks")


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/webhooks", list_webhooks),
    ("POST /webhooks", create_webhook),
    ("/webhooks/{webhook}", show_webhook),
    ("POST /webhooks/{webhook}/test", test_webhook),
    ("POST /webhooks/{webhook}/deliveries/{delivery}/replay", replay),
    ("POST /webhooks/{webhook}/remove", remove),
)
"""Paths below `/ui`, and who answers."""
