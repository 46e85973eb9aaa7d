"""A peer's link over HTTP/1.1: our Prepares go out through a pool of connections; theirs come in over our port.

What is known when a packet fails decides what is said (money.md: a time-out is not a rejection):
nothing of it was written, or the peer refused in words: a Reject by `receive_reply`; anything else: `receive_no_reply`.
A Prepare of which an octet was written is never sent again (HT-10).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare, Reply, decode_reply
from interledger.link.base import PacketHandler, RequestId
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.messages import Failure, FreshToken, Signer, failure_of_status, request_head
from interledger.link.http.pool import CONNECTIONS_MAX, ConnectionPool
from interledger.link.http.protocol import IncomingSide
from interledger.link.http.urls import parse_url

__all__ = ["HttpLink"]

_UNDECODABLE: Final = Failure(ErrorCode.T00_INTERNAL_ERROR, "the next node's answer is not a packet", False, True)


@final
class HttpLink(ConnectionPool):
    """The link of one account. `incoming` is its other half: attach it to the `HttpIlpServer` of the port.

    `url`, `token`: where and as whom we send (a token, or what signs them); without a url the link only takes what
    comes in. `own_address`: what our own Rejects name as `triggered_by`; change it when the node's address changes.
    Raises `InvalidRequestError` for a url that cannot be read.
    """

    def __init__(
        self,
        handler: PacketHandler,
        account: AccountId,
        *,
        clock: Clock,
        url: str | None = None,
        token: str | Signer | None = None,
        own_address: str,
        tls: ssl.SSLContext | None = None,
        connections_max: int = CONNECTIONS_MAX,
        egress: EgressPolicy | None = None,
    ) -> None:
        parsed = None if url is None else parse_url(url)
        super().__init__(
            handler,
            account,
            clock=clock,
            url=parsed,
            tls=tls,
            own_address=own_address,
            connections_max=connections_max,
            egress=egress,
        )
        self.incoming = IncomingSide(handler, account)
        self.send_reply: Callable[[RequestId, Reply], None] = self.incoming.send_reply
        self._token = FreshToken(token)
        self._head = b"" if parsed is None else request_head(parsed, self._token.text)

    # The interface of a link.

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.prepares += 1
        if self._token.is_signed and self._url is not None and self._token.renew(self.clock.now()):
            self._head = request_head(self._url, self._token.text)
        self.request(request_id, prepare.expires_at, self._head, prepare.encode())

    async def close(self) -> None:
        """Send and take nothing more. Packets on their way have an unknown outcome."""
        if self._closed:
            return
        self.incoming.close()
        await self.close_connections()

    # What the pool says.

    def receive_response(self, request_id: RequestId, status: int, body: bytes, now: Timestamp) -> None:
        """The answer to a Prepare (HT-02, HT-09)."""
        if status != 200:
            self.fail(request_id, failure_of_status(status), now)
            return
        try:
            reply = decode_reply(body)
        except DecodeError:
            self.fail(request_id, _UNDECODABLE, now)
            return
        self.alarm = None
        self.handler.receive_reply(self.account, request_id, reply, now)
