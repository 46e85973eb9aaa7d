"""One request for a page: who asks, in which language and theme, and how an answer is made of a template."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Final, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from interledger.api.client import ApiClient, ApiError
from interledger.dashboard import filters
from interledger.dashboard.catalogue import SOURCE_LANGUAGE, Texts
from interledger.dashboard.numbers import LANGUAGES, Format
from interledger.errors import InterledgerError

__all__ = [
    "HEADERS",
    "Page",
    "Twin",
    "amount_text",
    "choose_language",
    "choose_theme",
    "csrf_token",
    "environment",
    "node_name",
    "rate_of",
    "static_version",
    "wants_json",
]

POLICY: Final = "; ".join(
    (
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    )
)  # fmt: skip
"""Nothing from elsewhere, nothing inline: what a peer wrote cannot run, even if it got into a page as markup."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

T = TypeVar("T")

THEMES: Final = ("light", "dark")
PREFERENCE_S: Final = 31_536_000
"""A language and a theme are remembered for a year."""


@dataclass(frozen=True, slots=True)
class Twin:
    """Where a page's data is as JSON, and the command that shows the same."""

    paths: tuple[str, ...]
    command: str


@dataclass(slots=True)
class Page:
    """One request by somebody who is logged in."""

    request: Request
    api: ApiClient
    session: str
    """The session's token."""
    language: str
    theme: str | None
    """None: as the system has it."""
    node: Mapping[str, Any] = field(default_factory=dict)
    """`/api/status`: the frame around every page shows some of it."""
    network: Mapping[str, Any] | None = None
    """Of the development network: its nodes."""
    login_url: Callable[[str, Any], str | None] | None = None
    """Where another node of that network is entered, by its name."""
    form: Mapping[str, str] = field(default_factory=dict)
    """Of a POST, checked against forgery."""
    used_keys: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Of forms that move money and were sent, of all sessions."""
    sections: frozenset[str] = frozenset()
    """Of the navigation: those that have a page."""
    logins: Any = None
    """`api.logins.Logins`."""
    may: frozenset[str] = frozenset()
    """Scopes of the session: what it may not do is shown, and cannot be pressed."""
    failed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Panels that could not be read, by name, and why: `detail`, `kind` and `error_id`."""

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def texts(self) -> Texts:
        return _texts(self.language)

    @property
    def format(self) -> Format:
        return Format(self.language)

    async def panel(self, name: str, answer: Awaitable[T]) -> T | None:
        """What one panel shows; None: it could not be read, which that panel says. The rest of the page stands."""
        try:
            return await answer
        except ApiError as error:
            said: dict[str, Any] = {"detail": str(error), "type": "", **error.problem}
        except InterledgerError as error:
            said = {"detail": str(error), "type": "unavailable"}
        kind = str(said["type"]).rpartition("/")[2] or "unknown"
        url = self.request.url
        again = url.path + (f"?{url.query}" if url.query else "")
        why = {"detail": str(said["detail"]), "kind": kind, "error_id": said.get("error_id"), "again": again}
        self.failed[name] = why
        return None

    def render(
        self, template: str, *, title: str, section: str, twin: Twin, status: int = 200, **values: Any
    ) -> Response:
        """The page. `section`: which entry of the navigation is current. Who asks for JSON is sent to the twin."""
        if self.request.method == "GET" and wants_json(self.request.headers.get("accept", "")):
            return self._redirect_to_twin(twin)
        frame = {
            "title": title,
            "section": section,
            "sections": self.sections,
            "twin": twin,
            "node": self.node,
            "network": self.network,
            "name": node_name(self.node),
            "csrf": csrf_token(self.session),
            "theme": self.theme,
            "lang": self.language,
            "here": self.request.url.path,
            "query": dict(self.request.query_params),
            "static": static_version(),
            "status": status,
            "may": self.may,
            "failed": self.failed,
        }
        text = environment(self.language).get_template(template).render(**frame, **values)
        response = Response(text, status, HEADERS, media_type="text/html")
        remember(response, self.request)
        return response

    def _redirect_to_twin(self, twin: Twin) -> Response:
        links = ", ".join(f'<{path}>; rel="alternate"; type="application/json"' for path in twin.paths)
        return Response(status_code=307, headers={**HEADERS, "Location": twin.paths[0], "Link": links})

    def fragment(self, macro: str, *values: object) -> Markup:
        """A part of `parts.html` alone, for a text that a page puts together."""
        module = environment(self.language).get_template("parts.html").module
        return Markup(getattr(module, macro)(*values))  # noqa: S704 - a macro escapes what it is given

    @staticmethod
    def redirect(path: str) -> Response:
        """After a form: the page that shows what came of it, so that a reload sends nothing twice."""
        return Response(status_code=303, headers={**HEADERS, "Location": path})


def wants_json(accept: str) -> bool:
    """Whether a caller asks for data and not for a page. Browsers name HTML, and take anything else too."""
    kinds = [part.partition(";")[0].strip() for part in accept.split(",")]
    return "application/json" in kinds and "text/html" not in kinds


def amount_text(page: Page, units: int | str, scale: int, code: str) -> str:
    """`412.75 EUR`"""
    return f"{page.format.amount(abs(int(units)), scale)} {code}"


def rate_of(ratio: Mapping[str, str], source_scale: int, destination_scale: int) -> Fraction:
    """A ratio of units -> whole units for a whole unit."""
    rate = Fraction(int(ratio["numerator"]), int(ratio["denominator"]))
    return rate * Fraction(10**source_scale, 10**destination_scale)


def node_name(node: Mapping[str, Any]) -> str:
    """What people call the node: the last part of its address."""
    return str(node.get("ilp_address", "")).rpartition(".")[2]


def choose_language(request: Request) -> str:
    """As the address says, else the cookie, else the browser."""
    wished = [request.query_params.get("lang", ""), request.cookies.get("ilp_lang", "")]
    wished += [part.partition(";")[0].strip()[:2] for part in request.headers.get("accept-language", "").split(",")[:8]]
    return next((language for language in wished if language in LANGUAGES), SOURCE_LANGUAGE)


def choose_theme(request: Request) -> str | None:
    """As the address says, else the cookie."""
    wished = (request.query_params.get("theme"), request.cookies.get("ilp_theme"))
    return next((theme for theme in wished if theme in THEMES), None)


def remember(response: Response, request: Request) -> None:
    """What the address says of language and theme, for the next pages."""
    for name, known in (("lang", tuple(LANGUAGES)), ("theme", THEMES)):
        value = request.query_params.get(name)
        if value in known:
            response.set_cookie(f"ilp_{name}", value, max_age=PREFERENCE_S, path="/ui", samesite="lax")


def csrf_token(session: str) -> str:
    """What every form carries: only a page of ours, shown to this session, knows it."""
    return hmac.new(session.encode("utf-8"), b"form of the dashboard", hashlib.sha256).hexdigest()


@cache
def static_version() -> str:
    """Changes when a file does, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for file in sorted(resources.files(__package__).joinpath("static").iterdir(), key=lambda entry: entry.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def environment(language: str) -> Environment:
    """Templates in a language. What is missing is an error, never an empty place."""
    made = Environment(
        loader=PackageLoader("interledger.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = _texts(language)
    made.install_gettext_callables(texts.get, texts.plural, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    made.globals["icons"] = filters.ICONS
    made.filters.update(filters.filters_of(Format(language), texts))
    return made


@cache
def _texts(language: str) -> Texts:
    return Texts(language)
