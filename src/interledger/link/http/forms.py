"""The wire of those forms of ILP over HTTP in which a packet has an id: HTTP-OER and the asynchronous form of RFC 35.

Form        | Prepare                      | answered    | Fulfill, Reject             | answered
----------- | ---------------------------- | ----------- | --------------------------- | ----------------
`oer-sync`  | `POST /ilp/<id>`             | 200, packet | in that response            |
`oer-async` | `POST /ilp/<id>`             | 200         | `POST /ilp/<id>`            | 200
`async`     | `Request-Id`, `Callback-Url` | 202         | `Request-Id`, to that URL   | 200, 400 unknown

Octets only: no state, no I/O. The synchronous form without ids is in `messages`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, final
from urllib.parse import unquote_to_bytes

from interledger.accounts.account import HttpForm, parse_account_id
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError
from interledger.link.http.messages import FreshToken, Signer, request_head
from interledger.link.http.urls import Url, parse_url

__all__ = ["OWN_PROTOCOLS", "Heads", "Target", "account_id", "callback_url", "parse_target", "request_id"]

OWN_PROTOCOLS: Final = frozenset(
    {"accounts", "api", "healthz", "ilp", "livez", "metrics", "rates", "readyz", "routes", "ui"}
)
"""First segments of paths that a node has for itself: no other protocol can have such a name."""

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~-]{1,64}")
"""RFC 3986's unreserved characters: they stand in a path as they are. A UUID has 36."""

_PROTOCOL: Final = re.compile(rb"/([a-z0-9][a-z0-9_-]{0,31})")


class Target(NamedTuple):
    """What the path of a request is for. `account`: as the path names it, octets still escaped; None when it does not.

    `request_id`: None for another protocol than ILP.
    """

    account: bytes | None
    protocol: str
    request_id: bytes | None


def account_id(segment: bytes) -> str:
    """The account a path segment names; a name that no account can have for one that is not readable."""
    try:
        return parse_account_id(unquote_to_bytes(segment).decode("utf-8"))
    except (InvalidRequestError, UnicodeDecodeError):
        return "-"


def parse_target(path: bytes) -> Target | None:
    """`/ilp/<id>`, `/accounts/<name>/ilp/<id>`, or `/<protocol name>`; None for every other path (without query)."""
    parts = path.split(b"/")
    account = None
    if len(parts) == 5 and not parts[0] and parts[1] == b"accounts" and parts[2]:
        account = parts[2]
        parts = parts[2:]
        parts[0] = b""
    # `/accounts/<name>/ilp/btp` is where BTP is spoken.
    if (
        len(parts) == 3
        and not parts[0]
        and parts[1] == b"ilp"
        and _REQUEST_ID.fullmatch(parts[2])
        and parts[2] != b"btp"
    ):
        return Target(account, "ilp", parts[2])
    match = _PROTOCOL.fullmatch(path)
    if match is None or match[1].decode("ascii") in OWN_PROTOCOLS:
        return None
    return Target(None, match[1].decode("ascii"), None)


def request_id(fields: Mapping[bytes, bytes]) -> bytes | None:
    """The `Request-Id` of a request, when it has one that can be used."""
    value = fields.get(b"request-id")
    return value if value is not None and _REQUEST_ID.fullmatch(value) else None


def callback_url(fields: Mapping[bytes, bytes]) -> str | None:
    """The `Callback-Url` of a request, in the spelling of `Url`; None when there is none that can be read."""
    value = fields.get(b"callback-url")
    try:
        return None if value is None else str(parse_url(value.decode("ascii")))
    except (InvalidRequestError, UnicodeDecodeError):
        return None


@final
class Heads:
    """The requests of one link up to the figure of `Content-Length`, but for the id of each."""

    def __init__(self, form: HttpForm, url: Url, token: str | Signer | None, callback: Url | None = None) -> None:
        """`callback`: where answers to us go (form `async`). Raises `InvalidRequestError` for a url with a query."""
        self._form, self._url, self._callback = form, url, callback
        self._token = FreshToken(token)
        self._write(self._token.text)

    def _write(self, token: str | None) -> None:
        form, url, callback = self._form, self._url, self._callback
        head = request_head(url, token)
        line, _, fields = head.partition(b"\r\n")
        if form is HttpForm.ASYNC:
            before = line + b"\r\n" + fields.removesuffix(b"Content-Length: ")
            wanted = b"" if callback is None else b"Callback-Url: %b\r\n" % str(callback).encode("ascii")
            self._prepare = before + wanted + b"Request-Id: "
            self._reply = before + b"Request-Id: "
            self._behind = b"\r\nContent-Length: "
            return
        if "?" in url.target:
            raise InvalidRequestError("the address of an HTTP-OER peer has no query", "http_url")
        # The id follows the protocol's name, which an address without a path leaves to us.
        target = url.target.rstrip("/") or "/ilp"
        self._prepare = self._reply = b"POST %b/" % target.encode("ascii")
        self._behind = b" HTTP/1.1\r\n" + fields

    def _renew(self, now: Timestamp) -> None:
        """Have a token that stays good as long as what is sent with it is repeated."""
        if self._token.renew(now):
            self._write(self._token.text)

    def prepare(self, request_id: bytes, now: Timestamp) -> bytes:
        """Of a Prepare."""
        self._renew(now)
        return self._prepare + request_id + self._behind

    def reply(self, request_id: bytes, now: Timestamp) -> bytes:
        """Of the Fulfill or Reject to the Prepare with this id."""
        self._renew(now)
        return self._reply + request_id + self._behind
