"""A node: the wiring diagram in code. What it is built of, in which order it starts and stops, what may be asked of it.

`start` opens the store, replays the books, attaches every account's receiver and link, and dials; `stop` undoes it in
reverse. Everything that changes an account, a route or a rate is durable when it returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from typing import Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.ledger import NO_LIMIT, Ledger
from interledger.clock import Clock, Entropy, SystemClock, SystemEntropy, Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.errors import ConflictError, LinkError, NotFoundError
from interledger.ilp.address import Address, is_prefix_of, parse_address, parse_prefix
from interledger.link.http.asgi import AsgiApp
from interledger.link.listener import Listener
from interledger.node.links import Links
from interledger.node.payment import Payment, PaymentTerms, Quote
from interledger.node.payments import Payments
from interledger.node.requests import OwnRequests
from interledger.node.settings import Settings
from interledger.node.views import LinkStatus, NodeStatus, PingResult, Position, SpspCredentials
from interledger.node.wallets import Wallets
from interledger.routing.exchange import ExchangeTable
from interledger.routing.rate_sources import format_rate, parse_value_table
from interledger.routing.table import Origin, Route, RoutingTable
from interledger.store.base import Store
from interledger.store.group_commit import GroupCommit
from interledger.store.memory import MemoryStore
from interledger.store.open import open_store

__all__ = ["Node"]

logger = logging.getLogger("interledger.node")

STATIC_RATES: Final = "static"
"""The source of the rates that an operator sets."""

ALARMS_KEPT: Final = 100

DRAIN_MS: Final = 2_000
"""How long requests in progress may take once the node is told to stop."""

OWN: Final = AccountId("/own")
"""The account of routes to this node's own receivers: no account can have the name."""


@final
class Node:
    """One node of the network: connector, sender and receiver. Implements what the HTTP API asks of a node."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        store: Store | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.entropy = entropy or SystemEntropy()
        self.ledger = Ledger()
        self.exchange = ExchangeTable()
        self.alarms: list[str] = []
        self.ready = False
        self.started_at = Timestamp(0)
        self._store = store
        self._accounts: dict[AccountId, Account] = {}
        self._routes = RoutingTable()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        # Made by `start`, because they need a running loop.
        self.connector: Connector
        self.wallets: Wallets
        self.links: Links
        self._listener: Listener
        self._requests: OwnRequests
        self._payments: Payments
        self._commits: GroupCommit

    # ------------------------------------------------------------------ life

    async def start(self, app: AsgiApp | None = None) -> None:
        """Open the store, the port and the links. `app` answers what is not for ILP or BTP on the port.

        Raises `StoreError` when the books are not sound, `LinkError` when the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        settings = self.settings
        address = parse_address(settings.ilp_address)
        store = self._store = self._store or open_store(settings.data_dir, settings.durability)
        state = store.load(self.ledger)
        self.wallets = Wallets(
            address, settings.secret_seed, clock=self.clock, entropy=self.entropy, defer=loop.call_soon
        )
        limits = Limits(
            min_message_window_ms=settings.min_message_window_ms,
            max_hold_ms=settings.max_hold_ms,
            in_flight_max=settings.in_flight_max,
            packets_per_minute=settings.packets_per_minute,
        )
        self.connector = Connector(
            address,
            ledger=self.ledger,
            routes=self._routes,
            exchange=self.exchange,
            receivers=self.wallets,
            spread=settings.spread,
            limits=limits,
        )
        self.wallets.use(self.connector)
        inline = isinstance(store, MemoryStore)
        self._commits = GroupCommit(self.ledger, store, self.clock, self._store_failed, inline=inline)
        released, unknown = self.ledger.recover()
        if released or unknown:
            logger.warning("recovered: %d packets released, %d amounts are unknown", released, len(unknown))
        self._requests = OwnRequests(self.connector, self.wallets, self.clock, self.entropy)
        self._payments = Payments(self)
        self._payments.load(state.payments)
        self.links = Links(self.connector, clock=self.clock, entropy=self.entropy, on_up=self._link_up)
        self._set_rates({**settings.rates, **state.rates})
        for account in (*state.accounts, *(a for a in settings.accounts if a.id not in {b.id for b in state.accounts})):
            self._open_account(account)
        self._routes.replace(Origin.STATIC, self._checked_routes({**settings.routes, **state.routes}))
        self._derive_routes()
        await self._commits.commit()
        self._tick()
        host, port = settings.bind
        self._listener = Listener(
            host, port, clock=self.clock, ilp=self.links.http_server, upgrade=self.links.upgrade, app=app
        )
        await self._listener.start()
        self.links.start()
        self.started_at = self.clock.now()
        self.ready = True

    async def stop(self) -> None:
        """Send no more payments, close the links, write what is left, close the store."""
        self.ready = False
        await self._payments.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._listener.stop(drain_ms=DRAIN_MS)
        await self.links.stop()
        if self._timer is not None:
            self._timer.cancel()
        await self._commits.close()
        if self._store is not None:
            self._store.close()

    def _tick(self) -> None:
        """Ten times a second: packets whose time is up. An idle node does nothing in it."""
        self.connector.handle_timer(self.clock.now())
        self._timer = asyncio.get_running_loop().call_later(0.1, self._tick)

    def spawn(self, coroutine: Coroutine[object, object, None]) -> None:
        """Run a task of the node's own, kept until it ends."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def alarm(self, text: str) -> None:
        """Tell the operator."""
        logger.error("%s", text)
        self.alarms = [*self.alarms[-ALARMS_KEPT:], text]

    def _store_failed(self, error: Exception) -> None:
        self.alarm(f"the books cannot be written any more, new packets are refused (T03): {error}")

    @property
    def port(self) -> int:
        """The port the node listens on."""
        return self._listener.port

    @property
    def address(self) -> Address:
        """The node's ILP address, which a parent may change."""
        return self.connector.address

    @property
    def read_only(self) -> bool:
        """True once the books could not be written."""
        return self.ledger.read_only

    @property
    def store(self) -> Store:
        """Where the node keeps what has to survive it."""
        if self._store is None:
            raise RuntimeError("the node was not started")
        return self._store

    # ------------------------------------------------------------------ accounts

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return [self._accounts[account_id] for account_id in sorted(self._accounts)]

    def account(self, account_id: str) -> Account:
        """Raises `NotFoundError`."""
        account = self._accounts.get(AccountId(account_id))
        if account is None:
            raise NotFoundError(f"There is no account “{account_id}”.")
        return account

    async def create_account(self, account: Account) -> Account:
        """Raises `ConflictError` when the name is taken or a token is another account's."""
        if account.id in self._accounts:
            raise ConflictError(f"There is an account “{account.id}” already.")
        self._check_account(account)
        self._open_account(account)
        self._derive_routes()
        self.store.put_account(account)
        await self._commits.commit()
        return account

    async def replace_account(self, account: Account) -> Account:
        """Change everything about an account but its asset. Raises `NotFoundError`, `ConflictError`."""
        old = self.account(account.id)
        if old.asset != account.asset and self.position(account.id) != Position.of(None):
            raise ConflictError(f"“{account.id}” has a position in {old.asset}; its asset cannot change.")
        self._check_account(account)
        self._close_account(old)
        self._open_account(account)
        self._derive_routes()
        self.store.put_account(account)
        await self._commits.commit()
        return account

    async def delete_account(self, account_id: str) -> Account:
        """Raises `NotFoundError`; `ConflictError` while it has a balance or packets in flight (B8)."""
        account = self.account(account_id)
        position = self.position(account_id)
        if position.net or position.pending_in or position.pending_out:
            raise ConflictError(f"“{account_id}” has a balance or packets in flight, so it cannot be deleted.")
        self._close_account(account)
        static = {p: a for p, a in self._routes.of_origin(Origin.STATIC).items() if a != account.id}
        self._routes.replace(Origin.STATIC, static)
        self._derive_routes()
        self.store.set_routes(static)
        self.store.delete_account(account.id)
        await self._commits.commit()
        return account

    def position(self, account_id: str) -> Position:
        """Where an account stands."""
        account = self.account(account_id)
        return Position.of(self.ledger.find(account.ledger_name, account.asset))

    def link_status(self, account_id: str) -> LinkStatus:
        """How an account is connected now."""
        return self.links.status(self.account(account_id))

    def authenticate(self, token: str) -> AccountId | None:
        """Whose incoming token of ILP over HTTP this is."""
        return self.links.authenticate_http(token)

    def spsp_details(self, account_id: str) -> SpspCredentials:
        """A fresh address and secret for one payer of this account."""
        return self.wallets.new_connection(self.account(account_id))

    def _check_account(self, account: Account) -> None:
        self.links.check_tokens(account)
        parents = [a.id for a in self._accounts.values() if a.relation is Relation.PARENT and a.id != account.id]
        if account.relation is Relation.PARENT and parents:
            raise ConflictError(f"“{parents[0]}” is the parent of this node; there is one at most.")

    def _open_account(self, account: Account) -> None:
        self._accounts[account.id] = account
        ledger_account = self.ledger.account(account.ledger_name, account.asset)
        ledger_account.debit_max = NO_LIMIT if account.owes_us_max is None else account.owes_us_max
        ledger_account.credit_max = NO_LIMIT if account.we_owe_max is None else account.we_owe_max
        self.wallets.open(account)
        self.links.attach(account)

    def _close_account(self, account: Account) -> None:
        self.links.detach(account)
        self.wallets.close(account.id)
        del self._accounts[account.id]

    # ------------------------------------------------------------------ routes and rates

    def routes(self) -> list[Route]:
        """All routes, by prefix."""
        return list(self._routes)

    async def set_static_routes(self, routes: Mapping[str, str]) -> None:
        """Replace all static routes (prefix -> account). Raises `NotFoundError` for an account."""
        checked = self._checked_routes(routes)
        self._routes.replace(Origin.STATIC, checked)
        self.connector.routes_changed()
        self.store.set_routes(checked)
        await self._commits.commit()

    async def set_static_route(self, prefix: str, account_id: str) -> None:
        """Add or change one static route."""
        await self.set_static_routes({**self._routes.of_origin(Origin.STATIC), prefix: account_id})

    def _checked_routes(self, routes: Mapping[str, str]) -> dict[str, AccountId]:
        return {parse_prefix(prefix): self.account(account_id).id for prefix, account_id in routes.items()}

    def _derive_routes(self) -> None:
        """Routes that follow from our address and the accounts: children and peers by theirs, a parent by default."""
        self._routes.replace(Origin.OWN, {self.address: OWN})
        linked = [a for a in self._accounts.values() if a.relation in (Relation.CHILD, Relation.PEER)]
        local = [a for a in self._accounts.values() if a.relation is Relation.LOCAL and self.links.has_link(a)]
        self._routes.replace(Origin.ACCOUNT, {a.ilp_address: a.id for a in (*linked, *local)})
        parents = [a.id for a in self._accounts.values() if a.relation is Relation.PARENT]
        self._routes.replace(Origin.DEFAULT, {"": parents[0]} if parents else {})
        self.connector.routes_changed()

    def rates(self) -> dict[str, str]:
        """Asset code -> value of one whole unit in a common base, decimal text."""
        return {value.code: format_rate(value.value, 12) for value in self.exchange.values()}

    async def set_rates(self, rates: Mapping[str, str]) -> None:
        """Replace all static rates. Raises `DecodeError` for a value that cannot be one."""
        self._set_rates(rates)
        self.store.set_rates(dict(rates))
        await self._commits.commit()

    def _set_rates(self, rates: Mapping[str, str]) -> None:
        now = self.clock.now()
        self.exchange.update(parse_value_table(rates, source=STATIC_RATES, now=now), now)
        self.connector.rates_changed()

    # ------------------------------------------------------------------ payments and questions

    async def quote(
        self,
        account_id: str,
        receiver: str,
        *,
        send: int | None = None,
        deliver: int | None = None,
        slippage: Fraction = Fraction(1, 100),
        min_rate: Fraction | None = None,
    ) -> Quote:
        """What a payment would cost, probed on the way it would take. Raises `ResolveError`, `PaymentError`."""
        terms = PaymentTerms(self.account(account_id), receiver, send, deliver, slippage, min_rate)
        return await self._payments.quote(terms)

    def pay(
        self,
        account_id: str,
        receiver: str,
        *,
        send: int | None = None,
        deliver: int | None = None,
        slippage: Fraction = Fraction(1, 100),
        min_rate: Fraction | None = None,
        quote: Quote | None = None,
    ) -> Payment:
        """Start a payment. It goes on whoever watches it."""
        terms = PaymentTerms(self.account(account_id), receiver, send, deliver, slippage, min_rate)
        return self._payments.start(terms, quote)

    def payments(self) -> list[Payment]:
        """Those remembered, newest first."""
        return self._payments.all()

    def payment(self, payment_id: str) -> Payment:
        """Raises `NotFoundError`."""
        return self._payments.get(payment_id)

    async def ping(self, destination: str, *, timeout_ms: int = 10_000) -> PingResult:
        """Ask a node for an echo. Raises `TimeoutError`, `InvalidRequestError`."""
        return await self._requests.ping(parse_address(destination), timeout_ms)

    def status(self) -> NodeStatus:
        """The node in one look."""
        peers = self.connector.peers.values()
        names = ("prepares", "fulfilled", "rejected", "refused", "late")
        return NodeStatus(
            address=self.address,
            version=_version(),
            started_at=self.started_at,
            accounts=len(self._accounts),
            links_up=sum(self.links.status(account).up for account in self._accounts.values()),
            in_flight=sum(len(peer.in_flight) for peer in peers),
            packets={name: sum(getattr(peer, name) for peer in peers) for name in names},
            unknown=len(self.ledger.unknown),
            read_only=self.read_only,
            alarms=list(self.alarms),
        )

    # ------------------------------------------------------------------ our own address

    def _link_up(self, account_id: AccountId) -> None:
        account = self._accounts.get(account_id)
        if account is not None and account.relation is Relation.PARENT:
            self.spawn(self._ask_parent(account))

    async def _ask_parent(self, parent: Account) -> None:
        """ILDCP: take our address from the parent."""
        try:
            config = await self._requests.fetch_config(parent.id)
        except LinkError as error:
            self.alarm(str(error))
            return
        if (config.asset_code, config.asset_scale) != parent.asset:
            self.alarm(f"{parent.id} accounts in {config.asset_code}/{config.asset_scale}, we in {parent.asset}")
            return
        await self.set_address(config.address)

    async def set_address(self, address: Address) -> None:
        """Move to another address: receivers, and every account whose address lies below ours, move along."""
        old = self.address
        if address == old:
            return
        self.connector.address = address
        self.wallets.set_address(address)
        self.links.set_address(address)
        for account in self.accounts():
            if account.relation is not Relation.PARENT and is_prefix_of(old, account.ilp_address):
                moved = replace(account, ilp_address=Address(address + account.ilp_address[len(old) :]))
                await self.replace_account(moved)
        self._derive_routes()
        logger.info("the address of this node is %s now", address)


def _version() -> str:
    try:
        return version("interledger-py")
    except PackageNotFoundError:
        return "0"
