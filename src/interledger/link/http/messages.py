"""The wire of ILP over HTTP: headers, content types, and the tables between HTTP statuses and Rejects.

The synchronous form, which every live peer speaks (D-08): `POST` the Prepare, `200` with the Fulfill or Reject as body.
Octets only, no I/O; the one state is our own token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple, final

from interledger.clock import Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.link.http.urls import Url

__all__ = [
    "CONTENT_TYPE",
    "ILP_BODY_MAX",
    "LEGACY_CONTENT_TYPE",
    "Failure",
    "FreshToken",
    "Signer",
    "bearer_token",
    "encode_response",
    "failure_of_status",
    "is_ilp_content_type",
    "problem_body",
    "request_head",
    "status_line",
]

CONTENT_TYPE: Final = b"application/octet-stream"
LEGACY_CONTENT_TYPE: Final = b"application/ilp+octet-stream"
"""What ilp-plugin-http and older Java connectors send (HT-07)."""

ILP_BODY_MAX: Final = 34_816
"""Octets of an ILP body, both ways: the largest legal Prepare has 33,857; the rest is room for odd encodings."""

_KNOWN_CONTENT_TYPES: Final = frozenset({None, b"", CONTENT_TYPE, LEGACY_CONTENT_TYPE})

_TOKEN: Final = re.compile(rb"[\x21-\x7e]+")
_BEARER: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([\x21-\x7e]+)")


Signer = Callable[[Timestamp], tuple[str, Timestamp]]
"""now -> a token signed for one peer, and when to ask for the next one."""


@final
class FreshToken:
    """What a peer knows us by: one that stays, or one that is signed anew before it ends. `text`: as it is now."""

    __slots__ = ("_signer", "_until", "is_signed", "text")

    def __init__(self, token: str | Signer | None) -> None:
        self._signer = token if callable(token) else None
        self._until = Timestamp(0)
        self.is_signed = self._signer is not None
        self.text = None if callable(token) else token

    def renew(self, now: Timestamp) -> bool:
        """Have one that is good at `now` and for some time. True: it is another one than before."""
        if self._signer is None or now < self._until:
            return False
        self.text, self._until = self._signer(now)
        return True


class Failure(NamedTuple):
    """What an HTTP answer that carries no ILP packet means for the Prepare."""

    code: ErrorCode
    message: str
    known: bool
    """True: the peer did not take the packet. False: it may have; the outcome is unknown."""
    alarm: bool = False
    """True: only an operator can mend this; say so once."""


_FAILURES: Final = {
    HTTPStatus.UNAUTHORIZED: Failure(
        ErrorCode.F00_BAD_REQUEST, "the next node does not accept our token (HTTP 401)", True, True
    ),
    HTTPStatus.FORBIDDEN: Failure(
        ErrorCode.F00_BAD_REQUEST, "the next node does not let us in (HTTP 403)", True, True
    ),
    HTTPStatus.NOT_FOUND: Failure(
        ErrorCode.F00_BAD_REQUEST, "the next node has no ILP endpoint at our address for it (HTTP 404)", True, True
    ),
    HTTPStatus.REQUEST_TIMEOUT: Failure(
        ErrorCode.T01_PEER_UNREACHABLE, "the next node did not get the whole packet in time (HTTP 408)", False
    ),
    # Of this packet only, so nobody is alarmed: ilp-plugin-http takes 32,767 octets in all, and a packet may have more.
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Failure(
        ErrorCode.F00_BAD_REQUEST, "the packet is larger than the next node takes (HTTP 413)", True
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Failure(
        ErrorCode.T02_PEER_BUSY, "the next node is busy (HTTP 429)", True
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: Failure(
        ErrorCode.T01_PEER_UNREACHABLE, "the next node takes no packets now (HTTP 503)", True
    ),
}  # fmt: skip


def failure_of_status(status: int) -> Failure:
    """The meaning of a status other than 200 (HT-09).

    4xx: ours to mend, the packet was not taken. 429 and 503 refuse explicitly. Any other 5xx may come from a proxy
    whose node did take the packet, and another 2xx says that somebody took something: unknown. 3xx: we follow none.
    RFC 35 would have T00 for 5xx; T01 says more truly that the next hop is the trouble, and is as temporary.
    """
    known = _FAILURES.get(HTTPStatus(status)) if status in _STATUSES else None
    if known is not None:
        return known
    if 200 <= status < 300:
        return Failure(
            ErrorCode.T00_INTERNAL_ERROR, f"the next node answered HTTP {status} instead of a packet", False, True
        )
    if 300 <= status < 400:
        return Failure(
            ErrorCode.F00_BAD_REQUEST,
            f"the next node sends us elsewhere (HTTP {status}), which we never follow",
            True,
            True,
        )
    if 400 <= status < 500:
        return Failure(ErrorCode.F00_BAD_REQUEST, f"the next node refused the request (HTTP {status})", True, True)
    return Failure(ErrorCode.T01_PEER_UNREACHABLE, f"the next node failed (HTTP {status})", False)


_STATUSES: Final = frozenset(int(status) for status in HTTPStatus)


def bearer_token(authorization: bytes | None, *, bare: bool = False) -> str | None:
    """The token of an `Authorization` header, or None when there is none that can be used (HT-05, HT-07).

    `Bearer`, in any case, one space, then visible ASCII without spaces. With `bare` the token may also stand alone.
    """
    if authorization is None:
        return None
    match = _BEARER.fullmatch(authorization)
    if match is not None:
        return match[1].decode("ascii")
    if bare and _TOKEN.fullmatch(authorization):
        return authorization.decode("ascii")
    return None


def is_ilp_content_type(value: bytes | None) -> bool:
    """Whether a body so labelled may be an ILP packet: octet-stream, its older ILP name, or no label (HT-07)."""
    if value in _KNOWN_CONTENT_TYPES:
        return True
    return value is not None and value.partition(b";")[0].strip().lower() in _KNOWN_CONTENT_TYPES


def request_head(url: Url, token: str | None) -> bytes:
    """All of a Prepare's request up to the figure of `Content-Length` (HT-01, HT-08).

    Append the figure, an empty line, and the body. `token`: what the peer knows us by.
    """
    # RFC 35: "MUST be set to application/octet-stream" (Content-Type and Accept).
    lines = [
        b"POST " + url.target.encode("ascii") + b" HTTP/1.1",
        b"Host: " + url.authority.encode("ascii"),
        b"Content-Type: " + CONTENT_TYPE,
        b"Accept: " + CONTENT_TYPE,
    ]
    if token is not None:
        lines.append(b"Authorization: Bearer " + token.encode("ascii"))
    lines.append(b"Content-Length: ")
    return b"\r\n".join(lines)


def status_line(status: int) -> bytes:
    """`HTTP/1.1 404 Not Found` and its line end."""
    phrase = HTTPStatus(status).phrase if status in _STATUSES else "Unknown"
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase.encode("ascii"))


def problem_body(status: int, text: str) -> bytes:
    """Why a request is refused, as RFC 7807 has it: for programs, and for who reads it."""
    title = HTTPStatus(status).phrase if status in _STATUSES else "Unknown"
    document = {"type": "about:blank", "title": title, "status": status, "detail": text}
    return json.dumps(document, ensure_ascii=False).encode("utf-8") + b"\n"


def encode_response(status: int, text: str, *, date: bytes = b"", close: bool = False) -> bytes:
    """A whole response that says why. `date`: a whole header line, or nothing."""
    body = problem_body(status, text)
    return b"%b%b%bContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%b" % (
        status_line(status),
        date,
        b"Connection: close\r\n" if close else b"",
        len(body),
        body,
    )
