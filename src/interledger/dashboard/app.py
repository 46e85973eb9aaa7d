"""The dashboard in the application of the API: routes below `/ui`, logins, headers, forms, and errors as pages."""

from __future__ import annotations

import hmac
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol, final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from interledger.api.auth import Caller, session_cookie
from interledger.api.client import ApiError
from interledger.api.problems import Problem, problem_document, problem_of
from interledger.dashboard import live, login
from interledger.dashboard.forms import read_form
from interledger.dashboard.inside import inside_client
from interledger.dashboard.page import HEADERS, Page, Twin, choose_language, choose_theme, csrf_token
from interledger.dashboard.pages import (
    accounts,
    breaking,
    care,
    exports,
    node,
    overview,
    packets,
    pay,
    payments,
    rate_forms,
    rates,
    receive,
    route_forms,
    routes,
    settlements,
    tokens,
    unknown,
    webhooks,
)
from interledger.errors import InterledgerError

__all__ = ["DevelopmentNetwork", "add_dashboard"]

logger = logging.getLogger("interledger.dashboard")

Handler = Callable[[Page], Awaitable[Response]]

REJECT_CODE_LENGTH: Final = 3


class DevelopmentNetwork(Protocol):
    """The other nodes of a development network, which run in the same process."""

    def view(self) -> Mapping[str, Any]:
        """`name` of this node, and `nodes`: each with `name` and `url`."""
        ...

    def login_url(self, name: str, caller: Caller) -> str | None:
        """Where the browser of `caller`, who is logged in here, is logged in there too; None: there is no such node."""
        ...


def add_dashboard(app: Starlette, network: DevelopmentNetwork | None = None) -> None:
    """Serve the dashboard beside the API that `create_app` made."""
    one = _Dashboard(app, network)
    found: list[Any] = [
        Mount("/static", _Static(packages=[(__package__, "static")])),
        Route("/login", one.login, methods=["POST"]),
    ]
    api = {route.path for route in app.router.routes if isinstance(route, Route)}
    # Some pages are there where the API has what they show: packets may be left out, and only a development network
    # can be broken.
    missing = [part for part in ("/packets", "/dev") if f"/api{part}" not in api]
    offered = [(place, handler) for place, handler in _PAGES if not any(part in place for part in missing)]
    one.sections = frozenset(
        place.rpartition(" ")[2].strip("/").partition("/")[0] or "overview" for place, _ in offered
    )
    for place, handler in offered:
        method, _, path = place.rpartition(" ")
        found.append(Route(path, one.endpoint(handler), methods=[method or "GET"]))
    found.append(Route("/{rest:path}", one.endpoint(_nothing_here), methods=["GET", "POST"]))
    app.router.routes.insert(0, Mount("/ui", routes=found))
    app.router.routes.insert(0, Route("/ui", lambda request: RedirectResponse("/ui/", 307), methods=["GET"]))


@final
class _Static(StaticFiles):
    """Stylesheets and the script. Their addresses have a version in them, so browsers keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@final
class _Dashboard:
    def __init__(self, app: Starlette, network: DevelopmentNetwork | None) -> None:
        self._app = app
        self._network = network
        self._used_keys: OrderedDict[str, None] = OrderedDict()
        self.sections: frozenset[str] = frozenset()
        """Of the navigation: those that have a page."""

    def endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A page behind the checks that all pages share."""

        async def answer(request: Request) -> Response:
            try:
                self._app.state.hosts.admit(request)
            except Problem as problem:
                return login.plain_problem(request, problem)
            code = request.query_params.get("code")
            # `/ui/packets?code=T04` asks for packets by the code of their Reject, which has three characters.
            if code is not None and len(code) > REJECT_CODE_LENGTH and request.method == "GET":
                return login.redeem(request, self._app.state.logins, code)
            session = request.cookies.get(session_cookie(request))
            if session is None or self._app.state.logins.caller(session) is None:
                return login.ask(request)
            return await self._answer(request, session, handler)

        return answer

    async def login(self, request: Request) -> Response:
        """The form of the login page."""
        try:
            self._app.state.hosts.admit(request)
        except Problem as problem:
            return login.plain_problem(request, problem)
        if not _is_from_here(request):
            return login.ask(request, 403)
        return await login.by_form(request, self._app)

    async def _answer(self, request: Request, session: str, handler: Handler) -> Response:
        api = inside_client(self._app, session)
        page = Page(request, api, session, choose_language(request), choose_theme(request))
        page.logins, page.sections, page.used_keys = self._app.state.logins, self.sections, self._used_keys
        caller = page.logins.caller(session)
        page.may = frozenset(scope.value for scope in caller.may) if caller is not None else frozenset()
        try:
            page.node = dict(await api.status())
            if self._network is not None:
                page.network, page.login_url = self._network.view(), self._network.login_url
            if request.method == "POST":
                await _check_form(page)
            return await handler(page)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:  # a fault of ours must not show its inside: see `problem_of`
            if isinstance(error, ApiError) and error.status == HTTPStatus.UNAUTHORIZED:
                return login.ask(request)  # the token that opened this session was revoked
            return _problem_page(page, error)


async def _check_form(page: Page) -> None:
    """Only a form of ours, in a page that this session was shown. Raises a `forbidden` problem."""
    request = page.request
    if not _is_from_here(request):
        raise Problem("forbidden", "This form came from another site. Nothing was done")
    page.form = await read_form(request)
    if not hmac.compare_digest(page.form.get("csrf", "").encode("utf-8"), csrf_token(page.session).encode("ascii")):
        raise Problem("forbidden", "The form was too old, or not from here. Nothing was done: load the page again")


def _is_from_here(request: Request) -> bool:
    """What browsers say of where a form comes from. One that says nothing has no cookie of ours to misuse."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _nothing_here(page: Page) -> Response:
    raise Problem("not-found", "There is no page at this address")


def _problem_page(page: Page, error: Exception) -> Response:
    """What went wrong as a page, without a trace of the code."""
    document: Mapping[str, Any]
    if isinstance(error, ApiError):
        document = {"status": error.status, "detail": str(error), **error.problem}
    elif isinstance(error, InterledgerError):
        document = problem_document(problem_of(error))
    else:
        logger.error("a page failed", exc_info=error)
        document = problem_document(Problem("internal-error", "The node’s log has the reason"))
    status = int(document["status"])
    say = page.texts.get
    known = {404: "There is no such thing", 403: "This may not be done"}
    heading = say(known.get(status, "This did not work" if status < 500 else "Something is wrong on the node’s side"))
    page.node = page.node or _NO_NODE
    return page.render(
        "problem.html",
        title=heading,
        section="",
        twin=Twin(("/api/status",), "ilp status"),
        status=status,
        heading=heading,
        detail=str(document.get("detail", "")),
        kind=str(document.get("type", "")).rpartition("/")[2] or "unknown",
        error_id=document.get("error_id"),
    )


_PAGES: Final = tuple(
    place
    for part in (
        overview,
        accounts,
        packets,
        payments,
        settlements,
        rate_forms,
        rates,
        route_forms,
        routes,
        unknown,
        pay,
        receive,
        care,
        exports,
        node,
        tokens,
        webhooks,
        breaking,
        login,
        live,
    )
    for place in part.PAGES
)
"""In the order in which paths are tried."""

_NO_NODE: Final = {
    "ilp_address": "", "version": "", "ready": False, "read_only": False, "taking_packets": True, "in_flight": 0,
    "unknown": 0, "alarms": [],
    "started_at": "1970-01-01T00:00:00.000Z",
}  # fmt: skip
"""For the frame of an error page when not even the status could be asked."""
