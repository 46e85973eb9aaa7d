"""What is done to the node as a whole: a backup of its books, taking no new packets, stopping it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.dashboard.page import Page, Twin, node_name

__all__ = ["PAGES"]


async def make_backup(page: Page) -> Response:
    """While packets pass. The file stays on the node's machine."""
    made, wrong, status = None, "", 200
    try:
        made = await page.api.make_backup()
    except ApiError as error:
        wrong, status = str(error), error.status
    return page.render(
        "backup.html",
        status=status,
        wrong=wrong,
        title=page.texts.get("Backup"),
        section="settings",
        twin=Twin(("/api/settings",), "ilp node backup"),
        made=made,
    )


async def ask_drain(page: Page) -> Response:
    """Whether packets are taken, and how many are on their way."""
    return _drain_page(page)


async def drain(page: Page) -> Response:
    """New packets are refused from now on."""
    await page.api.drain()
    return page.redirect("/ui/drain")


async def resume(page: Page) -> Response:
    """Packets are taken again."""
    await page.api.resume()
    return page.redirect("/ui/drain")


async def ask_stop(page: Page) -> Response:
    """The first step: what happens then."""
    return _stop_page(page)


async def stop(page: Page) -> Response:
    """The second: nobody can take it back from here."""
    try:
        document = await page.api.stop()
    except ApiError as error:
        return _stop_page(page, wrong=str(error), status=error.status)
    return _stop_page(page, stopping=document)


def _drain_page(page: Page) -> Response:
    return page.render(
        "drain.html",
        title=page.texts.get("Take no new packets"),
        section="settings",
        twin=Twin(("/api/status",), "ilp node drain"),
    )


def _stop_page(page: Page, *, status: int = 200, **more: Any) -> Response:
    return page.render(
        "stop.html",
        title=page.texts("Stop %(name)s", name=node_name(page.node)).striptags(),
        section="settings",
        twin=Twin(("/api/status",), "ilp node stop"),
        status=status,
        **{"wrong": "", "stopping": None, **more},
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("POST /backup", make_backup),
    ("/drain", ask_drain),
    ("POST /drain", drain),
    ("POST /resume", resume),
    ("/stop", ask_stop),
    ("POST /stop", stop),
)
"""Paths below `/ui`, and who answers."""
