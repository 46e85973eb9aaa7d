"""The BTP links of a node: who dials whom, whose token is whose, who may connect at which path."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, final
from urllib.parse import unquote

from interledger.accounts.account import Account, AccountId, BtpVersion, LinkSettings, parse_account_id
from interledger.clock import Clock, Entropy, Timestamp
from interledger.connector.forward import Connector
from interledger.connector.peer import Peer
from interledger.errors import InvalidRequestError
from interledger.link.base import Link
from interledger.link.btp.client import BtpClient
from interledger.link.btp.link import BtpLink
from interledger.link.btp.repeating import RepeatingLink
from interledger.link.btp.server import BtpServer
from interledger.link.btp.subprotocols import Subprotocols
from interledger.link.btp.urls import parse_btp_url
from interledger.link.http.egress import EgressPolicy
from interledger.link.standing import Standing
from interledger.link.throttle import Throttle
from interledger.node.settings import Settings
from interledger.node.timers import DueTimer

__all__ = ["AdmitChild", "BtpLinks"]

BTP_PATHS: Final = frozenset(("/", "/ilp/btp", "/btp"))
"""Where BTP clients may connect whose path names no account: the token or the user name does then."""

AdmitChild = Callable[[str | None, str, str], AccountId | None]
"""(user name or None, token, source) -> the account of a child, which may be new. See `Children`."""


def _admit_nobody(username: str | None, token: str, source: str) -> AccountId | None:
    return None


@final
class BtpLinks:
    """Those of all accounts. `attach_peer(account, peer_id, link)` makes a link known to the connector.

    `on_up(account_id, now)` is called when a link has its first connection. `client_tls` makes a context for dialling;
    `find_account` says whose a token or a client certificate is.
    """

    def __init__(
        self,
        connector: Connector,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        *,
        failures: Throttle,
        standing: Standing,
        client_tls: Callable[[LinkSettings], ssl.SSLContext],
        find_account: Callable[[str, bytes | None], AccountId | None],
        attach_peer: Callable[[Account, AccountId, Link], Peer],
        on_up: Callable[[AccountId, Timestamp], None],
    ) -> None:
        self._connector = connector
        self._clock = clock
        self._entropy = entropy
        self._client_tls = client_tls
        self._find_account = find_account
        self._attach_peer = attach_peer
        self._on_up = on_up
        self._children_at = settings.btp_children
        self._egress = EgressPolicy(development=settings.development)
        self._links: dict[AccountId, BtpLink] = {}
        self._repeating: dict[AccountId, tuple[RepeatingLink, DueTimer]] = {}
        self._clients: dict[AccountId, BtpClient] = {}
        self._children: dict[str, Account] = {}
        self._started = False
        self.subprotocols = Subprotocols()
        self.admit_child: AdmitChild = _admit_nobody
        self._server = BtpServer(
            self._authenticate,
            lambda account: self._links.get(account),
            clock=clock,
            entropy=entropy,
            failures=failures,
            standing=standing,
            origins=settings.btp_origins,
        )

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Dial those whom we call."""
        self._started = True
        for client in self._clients.values():
            client.start()

    async def stop(self) -> None:
        """Close every link in good order."""
        self._started = False
        await asyncio.gather(*(client.stop() for client in self._clients.values()))
        await self._server.stop()
        for _, timer in self._repeating.values():
            timer.stop()

    # ------------------------------------------------------------------ accounts

    def attach(self, account: Account, peer_id: AccountId) -> None:
        """Give the account its link. Raises `InvalidRequestError` for a url."""
        settings = account.link
        address = None
        if settings.btp_url is not None:
            address = parse_btp_url(settings.btp_url, settings.btp_outgoing_token)
        link = BtpLink(
            peer_id,
            self._connector,
            clock=self._clock,
            defer=asyncio.get_running_loop().call_soon,
            address=lambda: self._connector.address,
            subprotocols=self.subprotocols,
            link_up=lambda _, now: self._on_up(account.id, now),
        )
        if settings.btp_version is BtpVersion.REPEATING:
            peer = self._attach_repeating(account, peer_id, link)
        else:
            peer = self._attach_peer(account, peer_id, link)
        link.requests.next_prepare_id = lambda: peer.next_request_id
        self._links[account.id] = link
        if settings.btp_child_name is not None:
            self._children[settings.btp_child_name] = account
        if address is not None:
            client = self._clients[account.id] = BtpClient(
                link,
                address,
                clock=self._clock,
                entropy=self._entropy,
                ssl_context=self._client_tls(settings) if address.secure else None,
                egress=self._egress if settings.btp_public_only else None,
            )
            if self._started:
                client.start()

    def _attach_repeating(self, account: Account, peer_id: AccountId, link: BtpLink) -> Peer:
        repeating = RepeatingLink(link, self._connector.ledger, account.ledger_name, self._clock)
        peer = self._attach_peer(account, peer_id, repeating)
        repeating.resume(self._clock.now())
        self._repeating[account.id] = repeating, DueTimer(repeating, repeating, self._clock)
        return peer

    def detach(self, account: Account) -> Awaitable[None] | None:
        """Close the account's link. What has to be awaited until its client is gone, or None."""
        settings = account.link
        if settings.btp_child_name is not None:
            self._children.pop(settings.btp_child_name, None)
        repeating = self._repeating.pop(account.id, None)
        if repeating is not None:
            repeating[1].stop()
        link = self._links.pop(account.id, None)
        if link is not None:
            link.close(self._clock.now())
        client = self._clients.pop(account.id, None)
        return None if client is None else client.stop()

    # ------------------------------------------------------------------ tokens

    def close_opened_by(self, proofs: set[str]) -> None:
        """Close the connections that these tokens or certificates opened: they were revoked. SHA-256, hex."""
        self._server.close_opened_by(proofs)

    def _authenticate(
        self, username: str | None, token: str, source: str, certificate: bytes | None
    ) -> AccountId | None:
        account = self._find_account(token, certificate)
        if account is None:
            return self.admit_child(username, token, source) if token else None
        if username is None:
            return account
        try:
            return account if parse_account_id(username) == account else None
        except InvalidRequestError:
            return None

    # ------------------------------------------------------------------ the port

    def upgrade(
        self, transport: asyncio.Transport, request_octets: bytes, trailing: bytes, path: str
    ) -> asyncio.BaseProtocol | None:
        """A WebSocket request on the node's port. None when BTP is not at `path`."""
        parts = path.split("?")[0].split("/")
        named: str | None = None
        if len(parts) == 5 and parts[1] == "accounts" and parts[3:] == ["ilp", "btp"]:
            try:
                named = parse_account_id(unquote(parts[2]))
            except InvalidRequestError:
                return None
        elif path.split("?")[0] not in BTP_PATHS:
            return None
        if named == self._children_at:
            named = None  # each of them has an account of its own
        return self._server.upgrade(transport, request_octets, trailing, named)

    # ------------------------------------------------------------------ views

    def find(self, account_id: AccountId) -> BtpLink | None:
        """The account's link, if it has one."""
        return self._links.get(account_id)

    def child(self, name: str) -> Account | None:
        """The account that a child made under this name."""
        return self._children.get(name)
