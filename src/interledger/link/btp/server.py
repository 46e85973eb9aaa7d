"""The server's side of BTP: takes over the sockets of WebSocket requests, and lets those in whose token is right."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Entropy
from interledger.link.btp.admission import WaitingRoom
from interledger.link.btp.link import BtpLink
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.shell import BtpSocket
from interledger.link.handshake import accept_handshake
from interledger.link.standing import Standing
from interledger.link.throttle import Throttle, source_of
from interledger.link.tls import peer_certificate
from interledger.link.websocket import CloseCode

__all__ = ["Authenticate", "BtpServer"]

Authenticate = Callable[[str | None, str, str, bytes | None], AccountId | None]
"""(user name or None, token, source of the socket, client certificate) -> the account, or None. An empty token opens
nothing but with a certificate. The node looks digests up."""

logger = logging.getLogger("interledger.btp")


@final
class _Refused(asyncio.Protocol):
    """What a socket gets whose handshake was refused: nobody listens, until it is closed."""


@final
class BtpServer:
    """Turns sockets of the listener into BTP connections.

    `authenticate` says whose token it is, `link_of` gives that account's link (None: it has no BTP link here). Browsers
    are refused unless their Origin is in `origins`. An empty token opens nothing unless `allow_empty_token`. `failures`
    counts wrong tokens, and `standing` who wastes connections, for whatever else of this node counts them too.
    """

    def __init__(
        self,
        authenticate: Authenticate,
        link_of: Callable[[AccountId], BtpLink | None],
        *,
        clock: Clock,
        entropy: Entropy,
        origins: Sequence[str] = (),
        allow_empty_token: bool = False,
        failures: Throttle | None = None,
        standing: Standing | None = None,
    ) -> None:
        self._authenticate = authenticate
        self._link_of = link_of
        self._clock = clock
        self._entropy = entropy
        self._origins = tuple(origins)
        self._allow_empty_token = allow_empty_token
        self._sockets: set[BtpSocket] = set()
        self._proofs: dict[BtpSocket, str] = {}
        """By what an authenticated socket was opened: the digest of a token or a certificate."""
        self._waiting: WaitingRoom[BtpSocket] = WaitingRoom(failures)
        self._standing = Standing() if standing is None else standing

    def upgrade(
        self, transport: asyncio.Transport, request_octets: bytes, trailing: bytes, account_in_path: str | None
    ) -> asyncio.BaseProtocol:
        """Finish the handshake of a request with `Upgrade: websocket`, and take the socket over.

        `request_octets`: the request's head as it came, to its empty line; `trailing`: what came behind it. The result
        is the transport's protocol already. `account_in_path`: the account that the path names, when it names one.
        """
        source = source_of(transport.get_extra_info("peername"))
        crowded = self._waiting.is_closed_to(source, self._clock.now())
        answer, accepted = accept_handshake(request_octets, self._origins, crowded)
        transport.write(answer)
        if not accepted:
            self._standing.wasted(source, self._clock.now())
            refused = _Refused()
            transport.set_protocol(refused)
            transport.close()
            return refused
        return self._take_over(transport, trailing, account_in_path, source)

    async def stop(self) -> None:
        """Close every connection in good order, and wait until they are gone."""
        sockets = list(self._sockets)
        for socket in sockets:
            socket.close()
        if sockets:
            await asyncio.wait([socket.closed for socket in sockets])

    def _take_over(
        self, transport: asyncio.Transport, trailing: bytes, account_in_path: str | None, source: str
    ) -> BtpSocket:
        def admit(username: str | None, token: str) -> BtpLink | None:
            link = self._admit(account_in_path, username, token, source, certificate)
            if link is None:
                self._waiting.failed(source, self._clock.now())
            else:
                self._proofs[socket] = hashlib.sha256(token.encode("utf-8") or certificate or b"").hexdigest()
                self._waiting.leave(socket)
                self._standing.brought_packet(source, self._clock.now())
            return link

        certificate = peer_certificate(transport)
        now = self._clock.now()
        socket = BtpSocket(
            lambda websocket: BtpConnection.server(websocket, admit, now),
            client=False,
            clock=self._clock,
            entropy=self._entropy,
        )
        evicted = self._waiting.enter(socket, source)
        if evicted is not None:
            evicted.close(CloseCode.POLICY_VIOLATION, "others have waited less")
        self._sockets.add(socket)
        socket.closed.add_done_callback(lambda _: self._forget(socket, source))
        socket.take_over(transport, trailing, self._waiting.delay_ms(source, now))
        return socket

    def close_opened_by(self, proofs: set[str]) -> None:
        """Close the connections that were opened by these tokens or certificates (SHA-256, hex): they were revoked."""
        for socket in [socket for socket, proof in self._proofs.items() if proof in proofs]:
            socket.close(CloseCode.POLICY_VIOLATION, "these credentials were revoked")

    def _admit(
        self, account_in_path: str | None, username: str | None, token: str, source: str, certificate: bytes | None
    ) -> BtpLink | None:
        if not token and not self._allow_empty_token and certificate is None:
            return None
        account = self._authenticate(username or account_in_path, token, source, certificate)
        if account is None or (account_in_path is not None and account != account_in_path):
            return None
        return self._link_of(account)

    def _forget(self, socket: BtpSocket, source: str) -> None:
        self._sockets.discard(socket)
        now = self._clock.now()
        was_open = self._proofs.pop(socket, None) is not None
        if not was_open:
            self._standing.cut_off(source, now)
        elif socket.connection.refusal:
            # Ended for what a peer did with it: like a wrong token, so that its next ones come in later and later.
            self._waiting.failed(source, now)
        else:
            self._standing.brought_packet(source, now)
        self._waiting.leave(socket)
        why = socket.connection.websocket.close_reason or "the socket was lost"
        # Those who guess tokens fill no log at its usual level; what they do is counted.
        logger.log(logging.INFO if was_open else logging.DEBUG, "BTP connection closed: %s", why)
