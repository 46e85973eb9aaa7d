"""The controls of a development network, below its topology: links, nodes and rates that go wrong when told to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.page import Page
from interledger.dashboard.pages.overview import show_topology

__all__ = ["PAGES"]

_INTEGER: Final = re.compile(r"-?[0-9]{1,6}")


async def trouble_link(page: Page) -> Response:
    """Delay, loss, or none of it: the button says which."""
    left, _, right = page.form.get("link", "").partition(" ")
    try:
        body: dict[str, Any] = {"cut": page.form.get("do") == "cut"}
        if page.form.get("do") == "slow":
            body |= {name: _integer(page, name) for name in ("delay_ms", "loss_percent")}
    except Problem as problem:
        return await show_topology(page, wrong=str(problem), status=422)
    return await _ask(page, "PUT", f"/api/dev/links/{quote(left, safe='')}/{quote(right, safe='')}", body)


async def change_node(page: Page) -> Response:
    """Kill it, or start it again."""
    action = "start" if page.form.get("do") == "start" else "kill"
    return await _ask(page, "POST", f"/api/dev/nodes/{quote(page.form.get('node', ''), safe='')}/{action}")


async def jump_rate(page: Page) -> Response:
    """So many percent above or below what it usually is."""
    try:
        body = {"percent": _integer(page, "percent")}
    except Problem as problem:
        return await show_topology(page, wrong=str(problem), status=422)
    return await _ask(page, "PUT", f"/api/dev/rates/{quote(page.form.get('code', ''), safe='')}", body)


async def mend(page: Page) -> Response:
    """Everything is put back."""
    return await _ask(page, "POST", "/api/dev/mend")


async def _ask(page: Page, method: str, path: str, body: Mapping[str, Any] | None = None) -> Response:
    try:
        await page.api.call(method, path, body)
    except ApiError as error:
        if error.status >= 500:
            raise
        return await show_topology(page, wrong=str(error), status=422)
    return page.redirect("/ui/topology#controls")


def _integer(page: Page, name: str) -> int:
    """What was typed, a minus sign allowed. Raises an `invalid-request` problem."""
    text = page.form.get(name, "").replace("−", "-") or "0"
    if _INTEGER.fullmatch(text) is None:
        raise Problem("invalid-request", "Write a whole number, as 800")
    return int(text)


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("POST /dev/link", trouble_link),
    ("POST /dev/node", change_node),
    ("POST /dev/rate", jump_rate),
    ("POST /dev/mend", mend),
)
"""Paths below `/ui`, and who answers."""
