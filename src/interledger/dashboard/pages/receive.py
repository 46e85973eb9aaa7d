"""Receiving: where an account of this node is paid, as text and as a code that a phone reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES", "qr_path"]

BORDER: Final = 4
"""Light modules around a code, as the standard has it: a page has room for them."""


async def show_receive(page: Page) -> Response:
    """Of one account at a time; the others are a click away."""
    accounts = [one for one in await page.api.accounts() if one["relation"] == "local"]
    asked = page.query.get("account", "")
    one: Mapping[str, Any] | None = next((a for a in accounts if a["id"] == asked), accounts[0] if accounts else None)
    pointer = one["payment_pointer"] if one is not None else ""
    size, path = qr_path(pointer) if pointer else (0, "")
    return page.render(
        "receive.html",
        title=page.texts.get("Receive"),
        section="payments",
        twin=Twin(("/api/accounts",), f"ilp account show {one['id'] if one else 'alice'} --qr"),
        one=one,
        pointer=pointer,
        qr_size=size,
        qr=path,
        chips=[
            {
                "href": f"?account={quote(a['id'], safe='')}",
                "word": f"{a['id']}, {a['asset_code']}",
                "count": None,
                "current": a is one,
            }
            for a in accounts
        ]
        if len(accounts) > 1
        else [],
    )


def qr_path(text: str) -> tuple[int, str]:
    """How many modules a side has, and the dark ones as a path; (0, ""): there is no library for it."""
    try:
        import segno
    except ImportError:
        return 0, ""
    rows = [[bool(module) for module in row] for row in segno.make_qr(text, error="m").matrix_iter(border=BORDER)]
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            run = next((i for i, dark in enumerate(row[x:]) if dark is not row[x]), len(row) - x)
            if row[x]:
                parts.append(f"M{x} {y}h{run}v1h-{run}z")
            x += run
    return len(rows), "".join(parts)


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (("/receive", show_receive),)
"""Paths below `/ui`, and who answers."""
