"""Access tokens of the operator's: named, each for some scopes, shown once when they are made, revoked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

SCOPES: Final = (
    ("read", "read: look at everything, change nothing"),
    ("operate", "operate: routes, rates, webhooks and checks, but no money"),
    ("money", "money: everything, payments and accounts too"),
)
"""Each has those before it."""


async def show_tokens(page: Page) -> Response:
    """All of them, and the form for one more."""
    return await _show(page)


async def create_token(page: Page) -> Response:
    """The answer is the only page that ever shows it."""
    label, scope = page.form.get("label", ""), page.form.get("may", "")
    names = [name for name, _ in SCOPES]
    try:
        if not label:
            raise Problem("invalid-request", "Give the token a name, as grafana")
        may = names[: names.index(scope) + 1] if scope in names else [scope]
        made = await page.api.create_admin_token(label, may)
    except (ApiError, Problem) as error:
        return await _show(page, wrong=str(error), typed=page.form, status=422)
    return await _show(page, made=made)


async def ask_revoke(page: Page) -> Response:
    """The first step: which token, by its name."""
    wanted = page.request.path_params["token"]
    found = next((one for one in await page.api.admin_tokens() if one["id"] == wanted), None)
    if found is None:
        raise Problem("not-found", "There is no such token. It may be revoked already")
    return await _show(page, revoking=found)


async def revoke_token(page: Page) -> Response:
    """At once: what it opened ends with it."""
    await page.api.revoke_admin_token(page.request.path_params["token"])
    return page.redirect("/ui/tokens")


async def _show(page: Page, *, status: int = 200, **more: Any) -> Response:
    typed: Mapping[str, str] = {"label": "", "may": "read", **more.pop("typed", {})}
    tokens = await page.panel("tokens", page.api.admin_tokens())
    return page.render(
        "tokens.html",
        title=page.texts.get("Access tokens"),
        section="tokens",
        twin=Twin(("/api/tokens",), "ilp token list"),
        status=status,
        tokens=tokens,
        scopes=SCOPES,
        typed=typed,
        **{"wrong": "", "made": None, "revoking": None, **more},
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/tokens", show_tokens),
    ("POST /tokens", create_token),
    ("/tokens/{token}/revoke", ask_revoke),
    ("POST /tokens/{token}/revoke", revoke_token),
)
"""Paths below `/ui`, and who answers."""
