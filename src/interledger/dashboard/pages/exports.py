"""Lists as files: what a page shows and what stands behind it, for a spreadsheet; settings as `ilp.toml` has them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from starlette.responses import Response

from interledger.api.problems import Problem
from interledger.dashboard.page import HEADERS, Page, node_name
from interledger.dashboard.tables import csv_text, toml_text

__all__ = ["EXPORTS", "PAGES"]

ROWS_MAX: Final = 10_000
"""Of one file. Who needs more asks the API, page after page."""

AT_ONCE: Final = 500

T = TypeVar("T")
Rows = AsyncIterator[Mapping[str, Any]]


class Export(NamedTuple):
    """`columns`: paths in each document. `section`: the page it belongs to."""

    columns: tuple[str, ...]
    rows: Callable[[Page], Rows]


def _money(name: str) -> tuple[str, str, str]:
    return f"{name}.amount", f"{name}.asset_code", f"{name}.asset_scale"


async def _pages(ask: Callable[[str | None], Awaitable[tuple[Sequence[Any], str | None]]]) -> Rows:
    """All of a list that comes by pages, as far as a file goes."""
    cursor: str | None = None
    count = 0
    while True:
        found, cursor = await ask(cursor)
        for one in found:
            yield one
            count += 1
            if count == ROWS_MAX:
                return
        if cursor is None:
            return


async def _all(answer: Awaitable[Sequence[Any]]) -> Rows:
    for one in await answer:
        yield one


def _payments(page: Page) -> Rows:
    state: Any = page.query.get("s") or None
    return _pages(lambda cursor: page.api.payments(state=state, limit=AT_ONCE, cursor=cursor))


def _received(page: Page) -> Rows:
    return _pages(lambda cursor: page.api.incoming(limit=AT_ONCE, cursor=cursor))


def _settlements(page: Page) -> Rows:
    account = page.query.get("account")
    return _pages(lambda cursor: page.api.settlements_page(account, limit=AT_ONCE, cursor=cursor))


def _events(page: Page) -> Rows:
    async def ask(cursor: str | None) -> tuple[Sequence[Any], str | None]:
        found = await page.api.events(only=page.query.get("only") or None, limit=AT_ONCE, cursor=cursor)
        return found["items"], found["next_cursor"]

    return _pages(ask)


def _packets(page: Page) -> Rows:
    async def ask(cursor: str | None) -> tuple[Sequence[Any], str | None]:
        asked: Any = {name: page.query[name] for name in ("code", "account", "outcome") if page.query.get(name)}
        found = await page.api.packets(**asked, limit=AT_ONCE, cursor=cursor)
        return found["items"], found["next_cursor"]

    return _pages(ask)


async def _profit(page: Page) -> Rows:
    for one in (await page.api.ledger_profit())["pairs"]:
        yield one


EXPORTS: Final[Mapping[str, Export]] = {
    "accounts": Export(
        ("id", "relation", "ilp_address", "asset_code", "asset_scale", "position.net", "pending.in", "pending.out",
         "limits.owes_us_max", "limits.we_owe_max", "room", "paused", "link.kind", "link.up"),
        lambda page: _all(page.api.accounts()),
    ),
    "payments": Export(
        ("id", "state", "started_at", "ended_at", "account", "receiver", *_money("sent"), *_money("delivered"),
         "packets.sent", "packets.fulfilled", "packets.rejected", "code"),
        _payments,
    ),
    "received": Export(
        ("id", "state", "started_at", "last_at", "account", "source", *_money("received"), "packets"), _received
    ),
    "settlements": Export(
        ("id", "direction", "account", *_money("amount"), "state", "key", "engine", "cause", "made_at", "done_at",
         "attempts_failed", "error"),
        _settlements,
    ),
    "rates": Export(("code", "value", "source", "as_of"), lambda page: _all(page.api.rates())),
    "profit": Export(
        (*_money("taken"), *_money("given"), "packets", *_money("profit")), _profit
    ),
    "routes": Export(
        ("prefix", "account", "origin", "weight", "priority", "path", "speaker", "since"),
        lambda page: _all(page.api.routes()),
    ),
    "packets": Export(
        ("condition", "at", "outcome", "code", "incoming", *_money("amount_in"), "outgoing", *_money("amount_out"),
         "destination", "answered_after_us", "payment"),
        _packets,
    ),
    "unknown": Export(
        ("id", "account", *_money("amount"), "condition", "expires_at"), lambda page: _all(page.api.unknown())
    ),
    "events": Export(("id", "at", "kind", "level", "subject", "text"), _events),
}  # fmt: skip
"""By name, which is the file's too."""


async def export_list(page: Page) -> Response:
    """A list as a file."""
    name = page.request.path_params["name"]
    export = EXPORTS.get(name)
    if export is None:
        raise Problem("not-found", f"There is no such file. There are: {', '.join(sorted(EXPORTS))}")
    text = csv_text(export.columns, [row async for row in export.rows(page)])
    return _file(page, f"{name}.csv", text, "text/csv")


async def export_settings(page: Page) -> Response:
    """What is set, as a file that a node reads."""
    return _file(page, "settings.toml", toml_text(await page.api.settings()), "application/toml")


def _file(page: Page, name: str, text: str, kind: str) -> Response:
    called = f"{node_name(page.node)}-{name}"
    place = {"Content-Disposition": f'attachment; filename="{called}"'}
    return Response(text, 200, {**HEADERS, **place}, media_type=kind)


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/export/settings.toml", export_settings),
    ("/export/{name}.csv", export_list),
)
"""Paths below `/ui`, and who answers."""
