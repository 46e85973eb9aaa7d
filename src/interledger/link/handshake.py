"""The two halves of a WebSocket opening handshake (RFC 6455, section 4), by the sans-I/O classes of `websockets`.

No extension is offered or accepted, so that nothing is ever compressed. After the handshake the frames are ours
(`link.websocket`): those classes are slower than the rest of a node together.
"""

from __future__ import annotations

import base64
import http
import logging
from collections.abc import Sequence
from typing import Final, final

from websockets.client import ClientProtocol
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Origin
from websockets.uri import parse_uri

from interledger.clock import Entropy
from interledger.errors import RemoteProtocolError

__all__ = ["RESPONSE_HEAD_MAX", "ClientHandshake", "accept_handshake"]

RESPONSE_HEAD_MAX: Final = 16_384
"""Octets of the server's answer to our handshake."""


# The library logs whole requests at DEBUG, secrets in them included; what a handshake came to, the shell says.
_logger = logging.getLogger("interledger.handshake")
_logger.setLevel(logging.WARNING)


def accept_handshake(request_octets: bytes, origins: Sequence[str], crowded: bool) -> tuple[bytes, bool]:
    """Server: the head of a request -> (what to answer, whether the socket is a WebSocket now).

    A request with an Origin comes from a browser: refused unless it is one of `origins`. `crowded`: answer 503.
    """
    handshake = ServerProtocol(origins=[None, *(Origin(origin) for origin in origins)], extensions=None, logger=_logger)
    handshake.receive_data(request_octets)
    request = next((event for event in handshake.events_received() if isinstance(event, Request)), None)
    if request is None:
        response = handshake.reject(http.HTTPStatus.BAD_REQUEST, "This is not a WebSocket handshake.\n")
    elif crowded:
        response = handshake.reject(http.HTTPStatus.SERVICE_UNAVAILABLE, "Too many sockets without authentication.\n")
    else:
        response = handshake.accept(request)
    return response.serialize(), response.status_code == 101


@final
class ClientHandshake:
    """Client: send `octets_to_send`, then give what comes to `receive` until it returns something."""

    def __init__(self, url: str, entropy: Entropy) -> None:
        self._handshake = ClientProtocol(parse_uri(url), extensions=None, logger=_logger)
        self._handshake.key = base64.b64encode(entropy.octets(16)).decode("ascii")
        self._received = b""

    def octets_to_send(self) -> bytes:
        """The request."""
        self._handshake.send_request(self._handshake.connect())
        return b"".join(self._handshake.data_to_send())

    def receive(self, octets: bytes) -> bytes | None:
        """None while the answer is not complete; then what came behind it: the first frames.

        Raises `RemoteProtocolError` when the server refused, or said what no WebSocket server says.
        """
        self._received += octets
        head, end, trailing = self._received.partition(b"\r\n\r\n")
        if len(head) > RESPONSE_HEAD_MAX:
            raise RemoteProtocolError("the server's answer to the handshake is too long")
        if not end:
            return None
        self._handshake.receive_data(head + end)
        if self._handshake.handshake_exc is not None or not self._handshake.events_received():
            status = ascii(head.partition(b"\r\n")[0][:80].decode("latin-1"))
            raise RemoteProtocolError(f"the server refused the WebSocket handshake: {status}")
        return trailing
