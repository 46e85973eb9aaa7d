"""Routes: where a packet would go, and why; then the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

STEPS: Final = ("admit", "route", "convert", "hold", "forward")
"""The journey of a Prepare, in the words of the code."""


CHANGES_SHOWN: Final = 8
"""The latest. All that are remembered are among the events."""


async def show_routes(page: Page) -> Response:
    """With `to`, and perhaps `from` and `amount`, the answer for such a packet."""
    routes = await page.panel("routes", page.api.routes()) or []
    accounts = await page.panel("accounts", page.api.accounts()) or []
    sessions = await page.panel("sessions", page.api.route_sessions())
    changes = await page.panel("changes", page.api.events(only="route", limit=CHANGES_SHOWN))
    only = page.query.get("account", "")
    routes = [route for route in routes if not only or route["account"] == only]
    asked = {name: page.query.get(name, "").strip() for name in ("to", "from", "amount")}
    explained: Any = None
    wrong, command = "", "ilp route list"
    twins = ["/api/routes", "/api/routes/exchange", f"/api/events?only=route&limit={CHANGES_SHOWN}"]
    if asked["to"]:
        query = {"destination": asked["to"], "account": asked["from"], "amount": asked["amount"]}
        twins.append("/api/routes/explain?" + urlencode({key: value for key, value in query.items() if value}))
        command = f"ilp route explain {asked['to'][:200]}"
        try:
            explained = await page.api.explain_route(
                asked["to"], account=asked["from"] or None, amount=asked["amount"] or None
            )
        except ApiError as error:
            if error.status >= 500:
                raise
            wrong = str(error)
    return page.render(
        "routes.html",
        title=page.texts.get("Routes"),
        section="routes",
        twin=Twin(tuple(twins), command),
        routes=routes,
        sessions=sessions,
        changes=changes["items"] if changes else [],
        accounts=sorted(account["id"] for account in accounts),
        asked=asked,
        only=only,
        explained=explained,
        passed=_passed(explained) if explained else [],
        wrong=wrong,
    )


def _passed(explained: Any) -> list[tuple[str, str]]:
    """(step, how it ended): ok, bad, or skipped behind the one that refused."""
    refused = explained["refusal"]["step"] if explained["refusal"] else None
    steps = STEPS if explained["account"] else STEPS[1:2]
    found, ended = [], False
    for step in steps:
        found.append((step, "skipped" if ended else "bad" if step == refused else "ok"))
        ended = ended or step == refused
    return found


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (("/routes", show_routes),)
"""Paths below `/ui`, and who answers."""
