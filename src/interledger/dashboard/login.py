"""Logging in and out. A code from the terminal becomes a cookie that no script can read and no other site can use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from interledger.api.auth import session_cookie
from interledger.api.client import ApiError
from interledger.api.logins import SESSION_MS, Logins
from interledger.api.problems import PROBLEM_TYPES, Problem
from interledger.dashboard.catalogue import Texts
from interledger.dashboard.forms import read_form
from interledger.dashboard.inside import inside_client
from interledger.dashboard.page import (
    HEADERS,
    Page,
    choose_language,
    choose_theme,
    environment,
    remember,
    static_version,
)

__all__ = ["PAGES", "ask", "by_form", "plain_problem", "redeem"]

TOKEN_LENGTH_MAX: Final = 4_096


def redeem(request: Request, logins: Logins, code: str) -> Response:
    """A code of the address. The answer is a page that goes on by itself, not a redirect: a cookie for this site only
    is not sent by a redirect that began on another one, as in a mail that is read in the browser.
    """
    if request.headers.get("sec-purpose", "").startswith("prefetch"):
        return Response(status_code=503, headers=HEADERS)  # nobody has gone there yet: the code stays good
    session = logins.redeem(code)
    if session is None:
        return ask(request, 403, wrong="This code was used, or is too old. Get a new one")
    return _enter(request, session, request.url.path)


def ask(request: Request, status: int = 401, *, wrong: str = "") -> Response:
    """The login page. Who comes from another site has a cookie perhaps, which that first request may not have shown."""
    came_over = request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET"
    place = _local(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    if came_over and not wrong:
        return _show(request, 200, title="Opening the dashboard", go_on=place)
    back = place if request.method == "GET" and "code=" not in place else "/ui/"
    return _show(request, status, title="Log in to this node", back=back, wrong=wrong)


async def by_form(request: Request, app: Starlette) -> Response:
    """The form: an access token of the API, or a code."""
    form = await read_form(request)
    given, back = form.get("token", ""), _local(form.get("back", "/ui/"))
    logins: Logins = app.state.logins
    session = logins.redeem(given)
    if session is None and 0 < len(given) <= TOKEN_LENGTH_MAX and given.isascii() and given.isprintable():
        try:
            # The API says who that is, as it does for everybody; then the code is his.
            made = await inside_client(app, given).create_login()
            session = logins.redeem(made["code"])
        except ApiError:
            session = None
    if session is None:
        return ask(request, 403, wrong="This is no access token of this node, and no code that still works")
    return _enter(request, session, back)


async def log_out(page: Page) -> Response:
    """The session ends, here and at the node."""
    page.logins.end(page.session)
    response = page.redirect("/ui/")
    response.delete_cookie(session_cookie(page.request), path="/", httponly=True, samesite="strict")
    return response


async def change_node(page: Page) -> Response:
    """To another node of the development network, logged in."""
    caller = page.logins.caller(page.session)
    url = page.login_url(page.request.path_params["name"], caller) if page.login_url is not None else None
    if url is None:
        raise Problem("not-found", "There is no such node in this network")
    return page.redirect(url)


def plain_problem(request: Request, problem: Problem) -> Response:
    """A refusal before anything is known of who asks: text, no page."""
    status = PROBLEM_TYPES[problem.kind].status
    return Response(f"{problem}\n", status, {**HEADERS, **problem.headers}, media_type="text/plain")


def _enter(request: Request, session: str, place: str) -> Response:
    response = _show(request, 200, title="Welcome", go_on=place)
    response.set_cookie(
        session_cookie(request),
        session,
        max_age=SESSION_MS // 1000,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _show(request: Request, status: int, *, title: str, **values: Any) -> Response:
    language = choose_language(request)
    say, made = Texts(language).get, environment(language)
    texts: dict[str, Any] = {"go_on": None, "back": "/ui/", "wrong": ""} | values
    texts["wrong"] = say(texts["wrong"]) if texts["wrong"] else ""
    text = made.get_template("login.html").render(
        title=say(title),
        lang=language,
        theme=choose_theme(request),
        static=static_version(),
        **texts,
    )
    response = Response(text, status, HEADERS, media_type="text/html")
    remember(response, request)
    return response


def _local(place: str) -> str:
    """Where to go on: a page of ours, nothing else."""
    parts = urlsplit(place)
    if parts.scheme or parts.netloc or not parts.path.startswith("/ui") or "\\" in place or not place.isprintable():
        return "/ui/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("POST /logout", log_out),
    ("/node/{name}", change_node),
)
"""Paths below `/ui`, and who answers."""
