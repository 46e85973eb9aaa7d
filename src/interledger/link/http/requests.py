"""Reads HTTP/1.1 requests off a connection's octets: strict, bounded, without I/O.

`httptools` (llhttp) does the parsing in its strict mode; this module adds what llhttp leaves open, and the limits. One
strict reader and no leniency is the defence against request smuggling: whatever two programs could read in two ways is
refused, and the connection ends.
"""

from __future__ import annotations

from typing import Final, final

import httptools

from interledger.link.http.heads import (
    HEAD_OCTETS_MAX,
    HEADERS_MAX,
    METHODS,
    REQUEST_BODY_MAX,
    Refusal,
    Request,
    repeated_header,
)

__all__ = ["CHUNKED_OVERHEAD", "NAMES_KEPT", "PIPELINED_MAX", "RequestReader"]

CHUNKED_OVERHEAD: Final = 8
"""A chunked body may take this many times its limit on the wire: one octet per chunk takes six."""

PIPELINED_MAX: Final = 1_024
"""Requests of one read of a socket: 256 KiB of packets are fewer."""

NAMES_KEPT: Final = 512
"""Header names kept in lower case; emptied at this many. A peer sends the same ten in every request."""

_lower_names: dict[bytes, bytes] = {}


class _Refused(Exception):  # noqa: N818 - a way out of a parser's callback, never seen outside this module
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(status, reason)


@final
class RequestReader:
    """Octets in, whole requests out. After a `refusal` or an upgrade it reads no more."""

    def __init__(self, body_max: int = REQUEST_BODY_MAX) -> None:
        self.refusal: Refusal | None = None
        self.trailing: bytes | None = None
        """Octets behind a request that asks for a WebSocket: not HTTP any more."""
        self.in_message = False
        """A request has begun and is not complete."""
        self.wants_continue = False
        """The client waits for `100 Continue` before it sends its body. The reader's user clears it."""
        self._body_max = body_max
        self._complete: list[Request] = []
        self._wire_octets = 0
        self._start()
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)

    def receive(self, octets: bytes | memoryview) -> list[Request]:
        """Every request that `octets` complete. Look at `refusal` and `trailing` behind each call."""
        self._wire_octets += len(octets)
        rest: memoryview | bytes | None = octets
        while rest is not None and self._parser is not None:
            rest = self._feed(self._parser, rest)
        if not self.in_message:
            self._wire_octets = 0
        elif self._wire_octets > HEAD_OCTETS_MAX:
            self._check_size()
        complete = self._complete
        if complete:
            self._complete = []
            if not complete[-1].keep_alive:
                self.close()  # what follows `Connection: close` is read by nobody (RFC 9112 9.6)
        return complete

    @property
    def between_messages(self) -> bool:
        """The next octet begins a request."""
        return not self.in_message and self._parser is not None

    def close(self) -> None:
        """Let go of the parser: it and this object hold each other."""
        self._parser = None

    # What httptools calls.

    def on_message_begin(self) -> None:
        self.in_message = True
        if len(self._complete) >= PIPELINED_MAX:
            raise _Refused(503, "too many requests at once")

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:
            raise _Refused(400, "headers behind a body are not accepted")
        headers = self._headers
        headers.append((_lower_names.get(name) or _lower(name), value))
        if len(headers) > HEADERS_MAX:
            raise _Refused(431, f"more than {HEADERS_MAX} headers")

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None:
            return
        self._head_done = True
        request = self._request = Request()
        request.headers = headers = self._headers
        fields = request.fields = dict(headers)
        request.method = parser.get_method()
        request.target = self._target
        request.version = version = parser.get_http_version()
        request.keep_alive = parser.should_keep_alive()
        if self._wire_octets > HEAD_OCTETS_MAX:
            _check_head_size(request)
        if len(fields) != len(headers):
            twice = repeated_header(headers)
            if twice is not None:
                raise _Refused(400, f"the header {twice.decode('ascii', 'replace')} comes twice")
        if version != "1.1" or b"host" not in fields or request.method not in METHODS:
            _check_line(request)
        if b"transfer-encoding" in fields:
            _check_transfer_encoding(request)
        elif b"content-length" in fields:
            length = fields[b"content-length"].rstrip()
            # llhttp let digits through only; a figure of eight is over any limit already.
            if len(length) > 8 or int(length) > self._body_max:
                raise _Refused(413, f"a body has at most {self._body_max} octets here")
        if request.target[:1] != b"/" or b"#" in request.target:
            request.target = _origin_form(request)
        if b"expect" in fields:
            if fields[b"expect"].lower() != b"100-continue":
                raise _Refused(417, "only 100-continue can be expected")
            self.wants_continue = True
        if parser.should_upgrade():
            request.upgrade = fields.get(b"upgrade", b"").lower() == b"websocket"

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)
        self._body_octets += len(part)
        if self._body_octets > self._body_max:
            raise _Refused(413, f"a body has at most {self._body_max} octets here")

    def on_message_complete(self) -> None:
        request = self._request
        parts = self._parts
        request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self.wants_continue = False
        self.in_message = False
        self._complete.append(request)
        self._start()

    # Ours.

    def _start(self) -> None:
        self._request = _NO_REQUEST
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._body_octets = 0
        self._head_done = False

    def _feed(self, parser: httptools.HttpRequestParser, octets: memoryview | bytes) -> memoryview | None:
        """Parse. What it returns are octets still to be read."""
        try:
            parser.feed_data(octets)
        except httptools.HttpParserUpgrade as upgrade:
            return self._leave_http(memoryview(octets)[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, _Refused):
                raise
            self._refuse(cause.refusal)
        except httptools.HttpParserError as error:
            if self._complete and not self._complete[-1].keep_alive and not self.in_message:
                return None
            self._refuse(Refusal(400, f"not a request we can read: {error}"))
        return None

    def _leave_http(self, rest: memoryview) -> memoryview | None:
        """A WebSocket: stop here. Another protocol: an offer that nobody must take up, so read on as HTTP/1.1."""
        request = self._complete[-1]
        if request.upgrade:
            self.trailing = bytes(rest)
            self.close()
            return None
        self._complete.pop()
        if request.method == b"CONNECT":
            self._refuse(Refusal(405, "this is no proxy"))
            return None
        # llhttp took the body for the other protocol's octets. Read the request once more, without the offer.
        request.headers = [field for field in request.headers if field[0] != b"upgrade"]
        self._start()
        self._parser = httptools.HttpRequestParser(self)
        self._feed(self._parser, request.encode_head())
        return rest

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self.in_message = False
        self.close()

    def _check_size(self) -> None:
        if not self._head_done:
            self._refuse(Refusal(431, f"a request's headers have at most {HEAD_OCTETS_MAX} octets"))
        elif self._wire_octets > HEAD_OCTETS_MAX + CHUNKED_OVERHEAD * self._body_max:
            self._refuse(Refusal(413, "a body is packed into too many octets"))


_NO_REQUEST: Final = Request()


def _lower(name: bytes) -> bytes:
    if len(_lower_names) >= NAMES_KEPT:
        _lower_names.clear()
    lower = _lower_names[name] = name.lower()
    return lower


def _check_head_size(request: Request) -> None:
    octets = len(request.target) + sum(len(name) + len(value) + 4 for name, value in request.headers)
    if octets > HEAD_OCTETS_MAX:
        raise _Refused(431, f"a request's headers have at most {HEAD_OCTETS_MAX} octets")


def _check_line(request: Request) -> None:
    if request.version not in ("1.0", "1.1"):
        raise _Refused(505, "HTTP/1.1 is spoken here")
    # RFC 9112 3.2: an HTTP/1.1 request without a Host is answered with 400.
    if request.version == "1.1" and b"host" not in request.fields:
        raise _Refused(400, "a request names its host")
    if request.method not in METHODS and request.method != b"CONNECT":
        raise _Refused(501, "this method is not known here")


def _check_transfer_encoding(request: Request) -> None:
    if request.version != "1.1":
        raise _Refused(400, "HTTP/1.0 has no transfer encoding")
    if request.fields[b"transfer-encoding"].strip().lower() != b"chunked":
        raise _Refused(501, "chunked is the only transfer encoding here")


def _origin_form(request: Request) -> bytes:
    """The target as path and query. RFC 9112 3.2.2: a server also takes the absolute form."""
    target = request.target
    if b"#" in target:
        raise _Refused(400, "a request's target has no fragment")
    if target == b"*" and request.method == b"OPTIONS":
        return target
    if request.method == b"CONNECT":
        return target
    scheme, mark, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if not mark or scheme.lower() not in (b"http", b"https") or b"@" in authority or b"?" in authority:
        raise _Refused(400, "this target cannot be read")
    if authority.lower() != request.fields.get(b"host", authority).lower():
        raise _Refused(400, "the target and the Host header name two hosts")
    return b"/" + path if slash else b"/"
