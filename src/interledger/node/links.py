"""Which link leads to which account, and whose token is whose.

An account may have both kinds of link. Packets leave by HTTP when a url is known, else by BTP; whatever comes in by the
other one is answered there, under a second name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import final

from interledger.accounts.account import Account, AccountId
from interledger.clock import Clock, Entropy, Timestamp
from interledger.connector.forward import Connector
from interledger.connector.peer import Peer
from interledger.errors import InvalidRequestError
from interledger.link.attempts import Attempts
from interledger.link.base import Link
from interledger.link.http.asgi import AsgiApp
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.protocol import HttpIlpServer
from interledger.link.listener import Listener, Upgrade
from interledger.link.standing import Standing
from interledger.node.btp_links import BtpLinks
from interledger.node.credentials import Credentials, btp_proofs
from interledger.node.http_links import KINDS, AnyHttpLink, attach_to_port, make_http_link
from interledger.node.http_protocols import HttpProtocols
from interledger.node.key_fetcher import KeyFetcher
from interledger.node.settings import Settings
from interledger.node.transport_security import NodeTls
from interledger.node.views import LinkStatus

__all__ = ["Links"]


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
        self.standing = Standing()
        """Who wastes connections, whatever they are made for."""
        self._egress = EgressPolicy(development=settings.development)
        """Where we may connect when an account named its url itself (`http_public_only`)."""
        self._http: dict[AccountId, AnyHttpLink] = {}
        self._changed_at: dict[AccountId, Timestamp] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._started = False
        self.held_down: set[AccountId] = set()
        """Links that a development network cut by hand: they count as down, whatever they say of themselves."""
        self._key_fetcher = KeyFetcher(clock, development=settings.development)
        self.credentials = Credentials(self.tls.server, self._key_fetcher.verifier)
        self.http_server = HttpIlpServer(self.credentials.admit_http)
        self.btp = BtpLinks(
            connector,
            settings,
            clock,
            entropy,
            failures=self.attempts.failures,
            standing=self.standing,
            client_tls=self.tls.client_of,
            find_account=self.credentials.find_btp,
            attach_peer=self._attach_peer,
            on_up=self._up,
        )
        connector.link_watchers.append(self._lost)
        self.http_server.other_protocols = HttpProtocols(self.btp.subprotocols)

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Dial those whom we call, and ask a parent who is reached by HTTP."""
        self._started = True
        self.btp.start()
        for account_id, link in self._http.items():
            if link.ready():
                self._on_up(account_id)

    async def stop(self) -> None:
        """Close every link in good order."""
        self._started = False
        await self.btp.stop()
        await self._key_fetcher.stop()
        await asyncio.gather(*(link.close() for link in self._http.values()), *self._closing)

    # ------------------------------------------------------------------ accounts

    def attach(self, account: Account) -> None:
        """Give the account the links that its settings describe. Raises `InvalidRequestError` for a url."""
        link = account.link
        has_http, has_btp = link.speaks_http, link.speaks_btp
        http_id, btp_id = account.id, account.id
        if has_http and has_btp:
            http_id, btp_id = self._two_names(account)
        if has_http:
            self._attach_http(account, http_id)
        if has_btp:
            self.btp.attach(account, btp_id)
        self.credentials.add(account, self._clock.now())
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
            tls=self.tls.client_of(settings) if (settings.http_url or "").startswith("https:") else None,
            egress=self._egress if settings.http_public_only else None,
        )
        self._attach_peer(account, peer_id, link)
        self._http[account.id] = link
        attach_to_port(self.http_server, link, account.id)
        if self._started and link.ready():
            self._on_up(account.id)

    def _attach_peer(self, account: Account, peer_id: AccountId, link: Link) -> Peer:
        first = int.from_bytes(self._entropy.octets(4), "big")
        return self._connector.attach(peer_id, account, link, is_local=False, first_request_id=first)

    def detach(self, account: Account) -> None:
        """Close the account's links. What is in flight on them ends by expiry."""
        for peer_id in (account.id, f"{account.id}/btp", f"{account.id}/http"):
            self._connector.detach(AccountId(peer_id))
        self.credentials.remove(account)
        self.http_server.detach(account.id)
        self._changed_at.pop(account.id, None)
        closing, http = self.btp.detach(account), self._http.pop(account.id, None)
        if closing is not None:
            self._close_soon(closing)
        if http is not None:
            self._close_soon(http.close())

    def _close_soon(self, closing: Awaitable[None]) -> None:
        task = asyncio.ensure_future(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def set_address(self, address: str) -> None:
        """The node's address changed: our own Rejects name the new one."""
        for link in self._http.values():
            link.own_address = address

    # ------------------------------------------------------------------ tokens

    def change_credentials(self, old: Account, account: Account) -> None:
        """The same account with other ways to say who it is: its links and what is in flight on them stay.

        What was accepted once is looked at again. Raises `InvalidRequestError`; the old ones stay then.
        """
        self.credentials.remove(old)
        try:
            self.credentials.add(account, self._clock.now())
        except InvalidRequestError:
            self.credentials.add(old, self._clock.now())
            raise
        self.http_server.forget_accepted()
        self.btp.close_opened_by({*btp_proofs(old)} - {*btp_proofs(account)})

    # ------------------------------------------------------------------ the port

    def listener(self, host: str, port: int, app: AsgiApp | None, upgrade: Upgrade | None = None) -> Listener:
        """The node's one port, not started yet. `app` answers the rest, `upgrade` WebSockets but BTP."""

        def upgrade_any(
            transport: asyncio.Transport, request: bytes, trailing: bytes, path: str
        ) -> asyncio.BaseProtocol | None:
            protocol = self.btp.upgrade(transport, request, trailing, path)
            return upgrade(transport, request, trailing, path) if protocol is None and upgrade is not None else protocol

        return Listener(
            host,
            port,
            clock=self._clock,
            ilp=self.http_server,
            upgrade=upgrade_any,
            app=app,
            tls=self.tls.context,
            attempts=self.attempts,
            standing=self.standing,
        )

    # ------------------------------------------------------------------ views

    def has_link(self, account: Account) -> bool:
        """Whether packets for it leave this node."""
        return account.id in self._http or self.btp.find(account.id) is not None

    def status(self, account: Account) -> LinkStatus:
        """How it is connected now."""
        since = self._changed_at.get(account.id)
        http, btp = self._http.get(account.id), self.btp.find(account.id)
        if http is not None and (btp is None or account.link.http_url is not None):
            up = http.ready() and http.alarm is None and account.id not in self.held_down
            return LinkStatus(KINDS[account.link.http_form], up, since)
        if btp is not None:
            up = btp.ready() and account.id not in self.held_down
            return LinkStatus("BTP" if btp.repeating is None else "BTP/2.0-I", up, since)
        return LinkStatus("local", True, since)

    def let_up(self, account_id: AccountId, now: Timestamp) -> None:
        """A link of `held_down` counts as it is again."""
        self.held_down.discard(account_id)
        account = next((peer.account for peer in self._connector.peers.values() if peer.account.id == account_id), None)
        if account is not None and self.status(account).up:
            self._up(account_id, now)

    def _up(self, account_id: AccountId, now: Timestamp) -> None:
        self._changed_at[account_id] = now
        self._on_up(account_id)

    def _lost(self, peer_id: AccountId, now: Timestamp) -> None:
        account_id = AccountId(peer_id.partition("/")[0])
        if account_id in self._changed_at:
            self._changed_at[account_id] = now
