"""A node: the wiring diagram in code. What it is built of, in which order it starts and stops, what may be asked of it.

`start` opens the store, replays the books, attaches every account's receiver and link, and dials; `stop` undoes it in
reverse. Everything that changes an account, a route or a rate is durable when it returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from fractions import Fraction
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.ledger import Ledger
from interledger.accounts.recovery import recover
from interledger.clock import Clock, Entropy, SystemClock, SystemEntropy, Timestamp
from interledger.connector.forward import Connector
from interledger.ilp.address import Address, parse_address
from interledger.link.http.asgi import AsgiApp
from interledger.link.listener import Listener, Upgrade
from interledger.node.account_changes import AccountChanges, with_token_apart
from interledger.node.accounts import Accounts
from interledger.node.admin_tokens import AdminTokens
from interledger.node.alarms import Alarms
from interledger.node.books import Books
from interledger.node.children import Children
from interledger.node.explainer import RouteExplainer
from interledger.node.incoming import IncomingPayments
from interledger.node.intake import Intake
from interledger.node.learned_routes import LearnedRoutes
from interledger.node.limits import limits_of
from interledger.node.links import Links
from interledger.node.live.live import Live
from interledger.node.metrics import read_metrics
from interledger.node.parent import OwnAddress, address_at_start
from interledger.node.payment import Payment, PaymentTerms, Quote
from interledger.node.payment_history import PaymentHistory
from interledger.node.payment_keys import PaymentKeys
from interledger.node.payments import Payments
from interledger.node.peering import Peering
from interledger.node.requests import OwnRequests
from interledger.node.sealing import make_sealer, seal_what_was_clear
from interledger.node.settings import Settings
from interledger.node.settlements import Settlements
from interledger.node.subprotocols import NodeSubprotocols
from interledger.node.tables import Rates, Routes
from interledger.node.timers import DueTimer
from interledger.node.views import LinkStatus, NodeStatus, Position, SpspCredentials, why_not_ready
from interledger.node.wallets import Wallets
from interledger.node.watchdog import Watchdog
from interledger.node.webhooks import Webhooks
from interledger.routing.exchange import ExchangeTable
from interledger.routing.table import Route, RoutingTable
from interledger.store.base import Store, StoredState
from interledger.store.group_commit import GroupCommit
from interledger.store.memory import MemoryStore
from interledger.store.open import open_store
from interledger.transport.stream.receipts import ReceiptKey

__all__ = ["Node"]

logger = logging.getLogger("interledger.node")

DRAIN_MS: Final = 2_000
"""How long requests in progress may take once the node is told to stop."""


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
        self.alarms, self.books, self.intake = Alarms(), Books(self), Intake(self)
        self.upgrade: Upgrade | None = None  # takes WebSockets over that are not BTP; set before the start
        self.alarm, self.metrics = self.alarms.tell, lambda: read_metrics(self)
        self.not_ready, self.watchdog, self.ready = lambda: why_not_ready(self), Watchdog(self), False
        self.started_at = Timestamp(0)
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()
        # Made by `start`, because they need a running loop.
        self.connector: Connector
        self._timer: DueTimer
        self.wallets: Wallets
        self.links: Links
        self.live: Live
        self.requests: OwnRequests
        self.subprotocols: NodeSubprotocols
        self.changes: AccountChanges
        self._accounts: Accounts
        self._routes: Routes
        self.learned: LearnedRoutes
        self.exchange_rates: Rates
        self.peering: Peering
        self.payment_keys: PaymentKeys
        self.paying: Payments
        self.payment_history: PaymentHistory
        self.settlements: Settlements
        self.commits: GroupCommit
        self._listener: Listener | None = None

    # ------------------------------------------------------------------ life

    async def start(self, app: AsgiApp | None = None, settlement_app: AsgiApp | None = None) -> None:
        """Open store, ports, links. `app` answers what is not for ILP or BTP, `settlement_app` engines on their port.
        Raises `StoreError` when the books are not sound, `LinkError` when the port cannot be had."""
        store = self._store = self._store or open_store(*self.settings.state)
        try:
            sealer = store.sealer = make_sealer(self)
            state = store.load(self.ledger)
            self._assemble(store, state.facts)
            self.settlements = Settlements(self, state.settlements)
            await self._load(state)
            await seal_what_was_clear(self, state, sealer)
            await self.commit()
            self._listener = self.links.listener(*self.settings.bind, app, self.upgrade)
            await self._listener.start()
            await self.settlements.listen(settlement_app)
            self.spawn(self.links.tls.watch())
            self.spawn(self.watchdog.run())
        except BaseException:
            await self.stop()
            raise
        self.links.start()
        self.learned.start()
        self.settlements.start()
        self.books.statements.start()
        self.started_at = self.clock.now()
        self.live.start()
        self.webhooks.start()
        self.ready = True

    def _assemble(self, store: Store, facts: Mapping[str, Any]) -> None:
        """Make all parts, each with those it needs."""
        settings, clock, entropy, soon = self.settings, self.clock, self.entropy, asyncio.get_running_loop().call_soon
        address = address_at_start(parse_address(settings.ilp_address), facts)
        self.wallets = Wallets(address, settings.secret_seed, clock=clock, entropy=entropy, defer=soon)
        self.connector = Connector(
            address, ledger=self.ledger, routes=RoutingTable(), exchange=self.exchange, receivers=self.wallets,
            spread=settings.spread, limits=limits_of(settings),
        )  # fmt: skip
        self.wallets.use(self.connector)
        self.live = Live(self, facts)
        tell = (self.alarms.store_failed, self.alarms.store_away)
        self.commits = GroupCommit(self.ledger, store, clock, *tell, inline=isinstance(store, MemoryStore))
        self._own_address = OwnAddress(self)
        self.links = Links(self.connector, settings, clock, entropy, on_up=self._own_address.link_up)
        self.peering = Peering(self, facts)
        self.payment_keys, self.admin_tokens = PaymentKeys(self, facts), AdminTokens(self, facts)
        self.incoming, self.webhooks = IncomingPayments(self, facts), Webhooks(self, facts)
        self.requests = OwnRequests(self.connector, self.wallets, self.clock, self.entropy)
        self._accounts = Accounts(self.connector, self.wallets, self.links)
        self.subprotocols, self.explainer = NodeSubprotocols(self), RouteExplainer(self)
        self._routes = Routes(self.connector.routes, self._accounts.by_id, self.links.has_link)
        self.changes = AccountChanges(self, self._accounts, self._routes)
        self.links.btp.admit_child = Children(self).admit
        change, alarm = self.connector.rates_changed, self.alarms.tell_of_rates
        self.exchange_rates = Rates(self.exchange, settings, clock, entropy, on_change=change, on_alarm=alarm)
        self._timer = DueTimer(self.connector, self.connector.deadlines, self.clock)
        self.learned, self.paying = LearnedRoutes(self), Payments(self)
        self.payment_history = PaymentHistory(self)

    async def _load(self, state: StoredState) -> None:
        """Take up what the store kept. Of an account that it and the settings have, the store's is the later word."""
        recover(self.ledger)
        accounts = {account.id: account for account in (*self.settings.accounts, *state.accounts)}
        for account in accounts.values():
            self._accounts.open(with_token_apart(account))
            self.settlements.follow(account)
        self._routes.set_static({**self.settings.routes, **state.routes})
        self.derive_routes()
        self.paying.load(state.payments)
        self.exchange_rates.set_static({**self.settings.rates, **state.rates})
        await self.exchange_rates.start()

    async def stop(self) -> None:
        """Send no more payments, close the links, write what is left, close the store. May be called again."""
        self.ready = False
        if hasattr(self, "settlements"):  # all parts were made
            await self.settlements.stop()
            self.incoming.stop()
            self.live.stop()
            await self.paying.stop()
            self.learned.stop()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._listener is not None:
                await self._listener.stop(drain_ms=DRAIN_MS)
            await asyncio.gather(self.links.stop(), self.live.telemetry.close())
            await self.exchange_rates.stop()
            self._timer.stop()
            await self.commits.close()
        if self._store is not None:
            self._store.close()

    def spawn(self, coroutine: Coroutine[object, object, None]) -> None:
        """Run a task of the node's own, kept until it ends."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def port(self) -> int:
        """The port the node listens on."""
        return 0 if self._listener is None else self._listener.port

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
        if self._store is not None:
            return self._store
        raise RuntimeError("the node was not started")

    async def commit(self) -> None:
        """Return once all that was changed is durable. Raises `StoreError` when it cannot be."""
        await self.commits.commit()

    # ------------------------------------------------------------------ accounts

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return [account for _, account in sorted(self._accounts.by_id.items())]

    def account(self, account_id: str) -> Account:
        """Raises `NotFoundError`."""
        return self._accounts.get(account_id)

    def has_account(self, account: Account) -> bool:
        """Whether this account, as it is, is (still) one of the node."""
        return self._accounts.by_id.get(account.id) is account

    async def create_account(self, account: Account) -> Account:
        """Raises `ConflictError` when the name is taken or a token is another account's, `InvalidRequestError`."""
        return await self._kept(self.changes.open(account))

    async def replace_account(self, account: Account) -> Account:
        """All may change but the name. Links made anew are drained first. `NotFoundError`, and as `create_account`."""
        return await self._kept(await self.changes.replace_drained(account))

    async def rename_account(self, account: Account) -> Account:
        """Change the ILP address of an account and nothing else: links and packets in flight stay."""
        return await self._kept(self.changes.rename(account))

    async def delete_account(self, account_id: str) -> Account:
        """Raises `NotFoundError`; `ConflictError` while it has a balance or packets in flight (B8)."""
        return await self._kept(self.changes.close(account_id))

    async def _kept(self, account: Account) -> Account:
        await self.commit()
        return account

    def position(self, account_id: str) -> Position:
        """Where an account stands."""
        return self._accounts.position(self.account(account_id))

    def link_status(self, account_id: str) -> LinkStatus:
        """How an account is connected now."""
        return self.links.status(self.account(account_id))

    def authenticate(self, token: str) -> AccountId | None:
        """Whose incoming token of ILP over HTTP this is."""
        return self.links.credentials.find_api(token)

    def spsp_details(self, account_id: str, receipts: ReceiptKey | None = None) -> SpspCredentials:
        """A fresh address and secret for one payer of this account."""
        return self.wallets.new_connection(self.account(account_id), receipts)

    # ------------------------------------------------------------------ routes and rates

    def routes(self) -> list[Route]:
        """All routes, by prefix."""
        return list(self.connector.routes)

    async def set_static_routes(self, routes: Mapping[str, str]) -> None:
        """Replace all static routes (prefix -> where it leads, `routing.targets`). Raises `NotFoundError`."""
        self.store.set_routes(self._routes.set_static(routes))
        self.learned.follow()
        await self.commit()

    async def set_static_route(self, prefix: str, account_id: str) -> None:
        """Add or change one static route."""
        await self.set_static_routes({**self._routes.static, prefix: account_id})

    def derive_routes(self) -> None:
        """An account or our own address changed: the routes that follow from them do too."""
        self._routes.derive(self.address, self.learned.silent)
        self.learned.follow()

    async def set_rates(self, rates: Mapping[str, str]) -> None:
        """Replace all static rates. Raises `DecodeError` for a value that cannot be one."""
        self.exchange_rates.set_static(rates)
        self.store.set_rates(dict(rates))
        await self.commit()

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
        return await self.paying.quote(terms)

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
        return self.paying.start(terms, quote)

    def payments(self) -> list[Payment]:
        """Those remembered, newest first."""
        return self.paying.all()

    def status(self) -> NodeStatus:
        """The node in one look."""
        return NodeStatus.of(self)

    async def set_address(self, address: Address) -> None:
        """Move to another address: receivers, and every account whose address lies below ours, move along."""
        await self._own_address.move_to(address)
