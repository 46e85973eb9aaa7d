"""Requests of HTTP/2: from a head's fields to the same `Request` that the HTTP/1.1 reader makes, as strictly; and the
fields of our own requests.

`ngh2` has checked already what RFC 9113 8 says of a single head: pseudo-headers first and once, names in lower case, no
headers of a connection, one Content-Length that equals its body. Here is what it leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from interledger.link.http.heads import HEAD_OCTETS_MAX, HEADERS_MAX, METHODS, Refusal, Request, repeated_header
from interledger.link.http.protocol import HEAD_KEPT_OCTETS_MAX

__all__ = ["Fields", "fields_of_request", "is_short", "read_head"]

Fields = tuple[tuple[bytes, bytes], ...]
"""A head: (name, value) in their order."""

_TARGET: Final = re.compile(rb"/[\x21\x22\x24-\x7e]*")
"""Path and query, in visible ASCII without a fragment."""

_PSEUDO: Final = frozenset({b":method", b":scheme", b":authority", b":path"})


def read_head(fields: Iterable[tuple[bytes, bytes]], body_max: int) -> Request | Refusal:
    """The request that a head begins, without its body; or why it is refused."""
    pseudo: dict[bytes, bytes] = {}
    headers: list[tuple[bytes, bytes]] = []
    cookies: list[bytes] = []
    octets = 0
    for name, value in fields:
        octets += len(name) + len(value) + 4
        if name[:1] == b":":
            pseudo[name] = value
        elif name == b"cookie":
            cookies.append(value)
        else:
            headers.append((name, value))
    if octets > HEAD_OCTETS_MAX:
        return Refusal(431, f"a request's headers have at most {HEAD_OCTETS_MAX} octets")
    if len(headers) + len(cookies) > HEADERS_MAX:
        return Refusal(431, f"more than {HEADERS_MAX} headers")
    if cookies:
        # RFC 9113 8.2.3: what HTTP/2 takes apart is one header again for everybody behind it.
        headers.append((b"cookie", b"; ".join(cookies)))
    request = Request()
    request.version = "2"
    request.method = pseudo.get(b":method", b"")
    request.target = pseudo.get(b":path", b"")
    refusal = _set_host(headers, pseudo) or _check(request, pseudo, headers)
    if refusal is not None:
        return refusal
    request.headers = headers
    request.fields = dict(headers)
    length = request.fields.get(b"content-length")
    if length is not None and (len(length) > 8 or not length.isdigit() or int(length) > body_max):
        return Refusal(413, f"a body has at most {body_max} octets here")
    return request


def fields_of_request(head: bytes) -> Fields:
    """The fields of a request of ours, from its head as HTTP/1.1 has it, without the empty line."""
    line, *lines = head.split(b"\r\n")
    method, target, _ = line.split(b" ")
    headers = [(name.lower(), value) for name, _, value in (each.partition(b": ") for each in lines)]
    host = next(value for name, value in headers if name == b"host")
    return (
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", host),
        (b":path", target),
        *(field for field in headers if field[0] not in (b"host", b"connection")),
    )


def _set_host(headers: list[tuple[bytes, bytes]], pseudo: dict[bytes, bytes]) -> Refusal | None:
    """`:authority` is the Host of those who read `headers`."""
    authority = pseudo.get(b":authority")
    host = next((value for name, value in headers if name == b"host"), None)
    if host is None:
        if not authority:
            return Refusal(400, "a request names its host")
        headers.insert(0, (b"host", authority))
    elif authority is not None and authority.lower() != host.lower():
        return Refusal(400, "the request names two hosts")
    return None


def _check(request: Request, pseudo: dict[bytes, bytes], headers: list[tuple[bytes, bytes]]) -> Refusal | None:
    if request.method == b"CONNECT":
        return Refusal(405, "this is no proxy")
    if request.method not in METHODS:
        return Refusal(501, "this method is not known here")
    if not pseudo.keys() <= _PSEUDO:
        return Refusal(400, "a pseudo-header that nobody defined for us")
    if not _TARGET.fullmatch(request.target) and not (request.target == b"*" and request.method == b"OPTIONS"):
        return Refusal(400, "this target cannot be read")
    twice = repeated_header(headers)
    if twice is not None:
        return Refusal(400, f"the header {twice.decode('ascii', 'replace')} comes twice")
    return None


def is_short(fields: Fields) -> bool:
    """Whether a head may be kept, to be known again."""
    return sum(len(name) + len(value) for name, value in fields) <= HEAD_KEPT_OCTETS_MAX
