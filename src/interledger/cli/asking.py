"""What is done with a request instead of sending it: shown as curl (`--curl`), as a page of the dashboard (`--url`),
that page opened in a browser (`--open`), or as what it would change (`--dry-run`).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from interledger.cli.errors import CliError, OnlyShownError
from interledger.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    import ssl

    from interledger.api.calls import Fetch
    from interledger.cli.console import Console
    from interledger.cli.state import State

__all__ = ["dry_run_fetch", "open_in_browser", "opened_page", "page_of", "shown_as_curl", "shown_as_page"]

PAGES: Final = (
    "accounts", "packets", "payments", "rates", "routes", "settings", "settlements", "topology", "unknown",
)  # fmt: skip
"""The pages of the dashboard that have the same path as their document, below `/ui` in place of `/api`."""

OTHER_PAGES: Final = {
    "/api/status": "/ui/",
    "/api/overview": "/ui/",
    "/api/live": "/ui/",
    "/api/events": "/ui/events",
    "/api/routes/explain": "/ui/routes",
    "/api/profit": "/ui/rates",
    "/api/ledger/profit": "/ui/rates",
}

SECRETS: Final = ("token", "secret", "invite")
"""How the names of fields end whose value is not shown."""

READING: Final = ("/api/quotes", "/api/ping")
"""What is asked by POST and changes nothing."""


class _Once:
    """Raises `OnlyShownError` from the second time on."""

    def __init__(self) -> None:
        self._was = False

    def check(self) -> None:
        if self._was:
            raise OnlyShownError
        self._was = True


def shown_as_curl(console: Console) -> Fetch:
    """The request instead of the answer. The token is not printed, only where it goes.

    Of several requests only the first is shown: it is the one that was asked for.
    """
    once = _Once()

    async def show(method: str, url: str, *, headers: Mapping[str, str], body: bytes, **_: Any) -> Any:
        once.check()
        parts = ["curl", "-X", method, shlex.quote(url)]
        for name, value in headers.items():
            shown = "Bearer $ILP_CLI_API_AUTH" if name == "Authorization" else value
            parts.append(f'-H "{name}: {shown}"')
        if body:
            parts += ["-d", shlex.quote(body.decode("utf-8"))]
        console.print(" ".join(parts))
        raise OnlyShownError

    return show


def page_of(url: str) -> str | None:
    """The address of the page that shows what the API has at `url`; None where the dashboard has no such page."""
    parts = urlsplit(url)
    words = parts.path.split("/")
    page = OTHER_PAGES.get(parts.path)
    if page is None and len(words) > 2 and words[1] == "api" and words[2] in PAGES:
        page = "/".join(["", "ui", *words[2:]])
    return None if page is None else f"{parts.scheme}://{parts.netloc}{page}"


def shown_as_page(console: Console) -> Fetch:
    """The dashboard's address of what is asked for."""
    once = _Once()

    async def show(method: str, url: str, **_: Any) -> Any:
        once.check()
        console.print(_page(method, url))
        raise OnlyShownError

    return show


def opened_page(console: Console, *, base_url: str, tls: ssl.SSLContext | None) -> Fetch:
    """The dashboard's page of what is asked for, in the browser, logged in. What is not there is not opened."""

    async def show(method: str, url: str, *, headers: Mapping[str, str], body: bytes, **more: Any) -> Any:
        page, fetch = _page(method, url), _fetch(base_url, tls)
        answer = await fetch(method, url, headers=headers, body=body, **more)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return answer
        login = await fetch("POST", f"{base_url}/api/logins", headers=headers, body=b"", **more)
        if login.status >= HTTPStatus.BAD_REQUEST:
            return login
        open_in_browser(f"{page}?code={json.loads(login.body)['code']}", console)
        raise OnlyShownError

    return show


def open_in_browser(url: str, console: Console) -> None:
    """Print the address, and have this machine's browser open it: the one of the environment's BROWSER, if any."""
    import webbrowser

    console.print(f"  {url}")
    if not webbrowser.open(url):
        console.note(
            "  There is no browser here. The address works once, for ten minutes, in any browser that gets there."
        )


def _page(method: str, url: str) -> str:
    """Raises `CliError` where there is none."""
    page = page_of(url) if method == "GET" else None
    if page is None:
        raise CliError(ExitCode.USAGE, "The dashboard has no page of this.", "Its first page:  ilp status --url")
    return page


def dry_run_fetch(state: State, *, base_url: str, tls: ssl.SSLContext | None) -> Fetch:
    """Questions are asked, and the first request that would change something is shown in its place."""

    async def show(method: str, url: str, *, headers: Mapping[str, str], body: bytes, **more: Any) -> Any:
        path = url.removeprefix(base_url)
        if method == "GET" or path in READING:
            return await _fetch(base_url, tls)(method, url, headers=headers, body=body, **more)
        document = without_secrets(_document(body))
        text = "" if document is None else f"  {json.dumps(document, ensure_ascii=False)}"
        request = {"method": method, "path": path, "body": document}
        state.emit_dry_run(state.would or "do it", request, [f"    {method} {path}{text}"])
        raise OnlyShownError

    return show


def _document(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")


def without_secrets(value: Any) -> Any:
    """The same, with what must not be seen replaced."""
    if isinstance(value, dict):
        return {
            key: "(not shown)" if inner and key.endswith(SECRETS) and isinstance(inner, str) else without_secrets(inner)
            for key, inner in value.items()
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value


def _fetch(base_url: str, tls: ssl.SSLContext | None) -> Callable[..., Any]:
    from interledger.link.http.egress import EgressPolicy
    from interledger.link.http.fetch import fetch
    from interledger.link.http.urls import parse_url

    return partial(fetch, egress=EgressPolicy(allowed=frozenset({parse_url(base_url).authority})), tls=tls)
