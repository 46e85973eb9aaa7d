"""Which link leads to which account, and whose token is whose.

An account may have both kinds of link. Packets leave by HTTP when a url is known, else by BTP; whatever comes in by the
other one is answered there, under a second name.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Final, final
from urllib.parse import unquote

from interledger.accounts.account import Account, AccountId, parse_account_id, token_digest
from interledger.clock import Clock, Entropy, Timestamp
from interledger.connector.forward import Connector
from interledger.connector.peer import Peer
from interledger.errors import ConflictError, InvalidRequestError
from interledger.link.attempts import Attempts
from interledger.link.btp.link import BtpLink
from interledger.link.btp.server import BtpServer
from interledger.link.btp.shell import BtpClient
from interledger.link.btp.subprotocols import Subprotocols
from interledger.link.btp.urls import parse_btp_url
from interledger.link.http.asgi import AsgiApp
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.protocol import HttpIlpServer
from interledger.link.listener import Listener
from interledger.node.http_links import KINDS, AnyHttpLink, attach_to_port, make_http_link
from interledger.node.settings import Settings
from interledger.node.transport_security import NodeTls
from interledger.node.views import LinkStatus

__all__ = ["Links"]

BTP_PATHS: Final = frozenset(("/", "/ilp/btp", "/btp"))
"""Where BTP clients may connect whose path names no account: the token or the user name does then."""

AdmitChild = Callable[[str | None, str, str], AccountId | None]
"""(user name or None, token, source) -> the account of a child, which may be new. See `Children`."""


def _admit_nobody(username: str | None, token: str, source: str) -> AccountId | None:
    return None


@final
class Links:
    """All links of a node. `attach` and `detach` follow the accounts; `start` and `stop` the node."""

    def __init__(
        self,
        connector: Connector,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        *,
        on_up: Callable[[AccountId], None],
    ) -> None:
        self._connector = connector
        self._clock = clock
        self._entropy = entropy
        self._on_up = on_up
        self.tls = NodeTls(settings)
        self.attempts = Attempts()
        """Wrong tokens, whatever they were presented to."""
        self._children_at = settings.btp_children
        self._egress = EgressPolicy(development=settings.development)
        """Where we may connect when an account named its url itself (`http_public_only`)."""
        self._btp: dict[AccountId, BtpLink] = {}
        self._http: dict[AccountId, AnyHttpLink] = {}
        self._clients: dict[AccountId, BtpClient] = {}
        self._btp_tokens: dict[str, AccountId] = {}
        self._btp_children: dict[str, Account] = {}
        self._http_tokens: dict[str, AccountId] = {}
        self._changed_at: dict[AccountId, Timestamp] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._started = False
        self.subprotocols = Subprotocols()
        self.admit_child: AdmitChild = _admit_nobody
        self.http_server = HttpIlpServer(self.authenticate_http)
        self._btp_server = BtpServer(
            self._authenticate_btp,
            lambda account: self._btp.get(account),
            clock=clock,
            entropy=entropy,
            failures=self.attempts.failures,
            origins=settings.btp_origins,
        )

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Dial those whom we call, and ask a parent who is reached by HTTP."""
        self._started = True
        for client in self._clients.values():
            client.start()
        for account_id, link in self._http.items():
            if link.ready():
                self._on_up(account_id)

    async def stop(self) -> None:
        """Close every link in good order."""
        self._started = False
        await asyncio.gather(*(client.stop() for client in self._clients.values()))
        await self._btp_server.stop()
        await asyncio.gather(*(link.close() for link in self._http.values()), *self._closing)

    # ------------------------------------------------------------------ accounts

    def attach(self, account: Account) -> None:
        """Give the account the links that its settings describe. Raises `InvalidRequestError` for a url."""
        link = account.link
        has_http = link.http_url is not None or link.http_incoming_token_digest is not None
        has_btp = link.btp_url is not None or link.btp_incoming_token_digest is not None
        http_id, btp_id = account.id, account.id
        if has_http and has_btp:
            http_id, btp_id = self._two_names(account)
        if has_http:
            self._attach_http(account, http_id)
        if has_btp:
            self._attach_btp(account, btp_id)
        self._changed_at[account.id] = self._clock.now()

    def _two_names(self, account: Account) -> tuple[AccountId, AccountId]:
        if account.link.http_url is not None:
            return account.id, AccountId(account.id + "/btp")
        return AccountId(account.id + "/http"), account.id

    def _attach_http(self, account: Account, peer_id: AccountId) -> None:
        settings = account.link
        link = make_http_link(
            self._connector,
            account,
            peer_id,
            clock=self._clock,
            entropy=self._entropy,
            tls=self._client_tls(settings.http_url),
            egress=self._egress if settings.http_public_only else None,
        )
        self._attach_peer(account, peer_id, link)
        self._http[account.id] = link
        if settings.http_incoming_token_digest is not None:
            self._http_tokens[settings.http_incoming_token_digest] = account.id
        attach_to_port(self.http_server, link, account.id)
        if self._started and link.ready():
            self._on_up(account.id)

    def _attach_btp(self, account: Account, peer_id: AccountId) -> None:
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
            link_up=lambda _, now: self._up(account.id, now),
        )
        peer = self._attach_peer(account, peer_id, link)
        link.requests.next_prepare_id = lambda: peer.next_request_id
        self._btp[account.id] = link
        if settings.btp_child_name is not None:
            self._btp_children[settings.btp_child_name] = account
        elif settings.btp_incoming_token_digest is not None:
            self._btp_tokens[settings.btp_incoming_token_digest] = account.id
        if address is not None:
            client = self._clients[account.id] = BtpClient(
                link,
                address,
                clock=self._clock,
                entropy=self._entropy,
                ssl_context=self.tls.client() if address.secure else None,
            )
            if self._started:
                client.start()

    def _client_tls(self, url: str | None) -> ssl.SSLContext | None:
        return self.tls.client() if url is not None and url.startswith("https:") else None

    def _attach_peer(self, account: Account, peer_id: AccountId, link: BtpLink | AnyHttpLink) -> Peer:
        first = int.from_bytes(self._entropy.octets(4), "big")
        return self._connector.attach(peer_id, account, link, is_local=False, first_request_id=first)

    def detach(self, account: Account) -> None:
        """Close the account's links. What is in flight on them ends by expiry."""
        for peer_id in (account.id, f"{account.id}/btp", f"{account.id}/http"):
            self._connector.detach(AccountId(peer_id))
        settings = account.link
        if settings.btp_child_name is not None:
            self._btp_children.pop(settings.btp_child_name, None)
        else:
            self._btp_tokens.pop(settings.btp_incoming_token_digest or "", None)
        self._http_tokens.pop(settings.http_incoming_token_digest or "", None)
        self.http_server.detach(account.id)
        self._changed_at.pop(account.id, None)
        client = self._clients.pop(account.id, None)
        btp, http = self._btp.pop(account.id, None), self._http.pop(account.id, None)
        if client is not None:
            self._close_soon(client.stop())
        if btp is not None:
            btp.close(self._clock.now())
        if http is not None:
            self._close_soon(http.close())

    def _close_soon(self, closing: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def set_address(self, address: str) -> None:
        """The node's address changed: our own Rejects name the new one."""
        for link in self._http.values():
            link.own_address = address

    # ------------------------------------------------------------------ tokens

    def authenticate_http(self, token: str) -> AccountId | None:
        """Whose incoming token of ILP over HTTP this is."""
        return self._http_tokens.get(token_digest(token))

    def _authenticate_btp(self, username: str | None, token: str, source: str) -> AccountId | None:
        account = self._btp_tokens.get(token_digest(token))
        if account is None:
            return self.admit_child(username, token, source)
        if username is None:
            return account
        try:
            return account if parse_account_id(username) == account else None
        except InvalidRequestError:
            return None

    def check_tokens(self, account: Account) -> None:
        """Raises `ConflictError` when a token is another account's: a token selects the account."""
        settings = account.link
        for tokens, digest in (
            (self._btp_tokens, None if settings.btp_child_name else settings.btp_incoming_token_digest),
            (self._http_tokens, settings.http_incoming_token_digest),
        ):
            if digest is not None and tokens.get(digest, account.id) != account.id:
                raise ConflictError("Another account uses this token. Each account needs one of its own.")

    # ------------------------------------------------------------------ the port

    def listener(self, host: str, port: int, app: AsgiApp | None) -> Listener:
        """The node's one port, not started yet. `app` answers what is not for ILP or BTP."""
        return Listener(
            host,
            port,
            clock=self._clock,
            ilp=self.http_server,
            upgrade=self.upgrade,
            app=app,
            tls=self.tls.context,
            attempts=self.attempts,
        )

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
        return self._btp_server.upgrade(transport, request_octets, trailing, named)

    # ------------------------------------------------------------------ views

    def has_link(self, account: Account) -> bool:
        """Whether packets for it leave this node."""
        return account.id in self._btp or account.id in self._http

    def child(self, name: str) -> Account | None:
        """The account that a child made under this name."""
        return self._btp_children.get(name)

    def find_btp(self, account_id: AccountId) -> BtpLink | None:
        """The account's BTP link, if it has one."""
        return self._btp.get(account_id)

    def status(self, account: Account) -> LinkStatus:
        """How it is connected now."""
        since = self._changed_at.get(account.id)
        http, btp = self._http.get(account.id), self._btp.get(account.id)
        if http is not None and (btp is None or account.link.http_url is not None):
            return LinkStatus(KINDS[account.link.http_form], http.ready() and http.alarm is None, since)
        if btp is not None:
            return LinkStatus("BTP", btp.ready(), since)
        return LinkStatus("local", True, since)

    def _up(self, account_id: AccountId, now: Timestamp) -> None:
        self._changed_at[account_id] = now
        self._on_up(account_id)
