"""What the API needs of a node, as interfaces. `interledger.node` implements them; tests have a small one of their own.

Amounts are `int`, in units of the asset of the account they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

from interledger.accounts.account import Account, AccountId
from interledger.api.books_facade import AtRiskView, BooksFacade
from interledger.api.incoming_facade import IncomingFacade
from interledger.api.intake_facade import IntakeFacade, RatesFacade, RateView, RouteExchangeFacade
from interledger.api.live_facade import LiveFacade
from interledger.api.payment_views import (
    KeptKeyView,
    PaymentHistoryFacade,
    PaymentView,
    ProgressView,
    QuoteView,
    RatioView,
)
from interledger.api.questions_facade import (
    ExplainerFacade,
    ExplanationView,
    HopView,
    PeerPositionView,
    PingView,
    PositionView,
    RequestsFacade,
)
from interledger.api.settings_facade import NodeSettings
from interledger.api.settlements_facade import SettlementsFacade
from interledger.api.spsp_facade import SpspFacade
from interledger.api.token_facade import AdminTokensFacade
from interledger.api.webhook_facade import WebhooksFacade
from interledger.application.peering.exchange import PeerEcho, RedeemAnswer, RedeemRequest
from interledger.application.peering.invitation import Invitation
from interledger.application.peering.rafiki import PeeringAnswer
from interledger.application.peering.records import AddTerms, Invite, InviteTerms, JoinTerms
from interledger.application.peering.report import CheckReport
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.node.metric_kinds import Reading

__all__ = [
    "ExplainerFacade",
    "ExplanationView",
    "HopView",
    "KeptKeyView",
    "LinkView",
    "NodeFacade",
    "PaymentView",
    "PeerPositionView",
    "PeeringFacade",
    "PingView",
    "PositionView",
    "ProgressView",
    "QuoteView",
    "RateView",
    "RatesFacade",
    "RatioView",
    "RequestsFacade",
    "RouteView",
    "StatusView",
]


class LinkView(Protocol):
    """How an account is connected now. `kind`: BTP, HTTP, local or none."""

    @property
    def kind(self) -> str: ...
    @property
    def up(self) -> bool: ...
    @property
    def since(self) -> Timestamp | None: ...


class RouteView(Protocol):
    """One route. `origin`: static, own, account, learned, default. Lower `priority` first; `weight`: its share."""

    @property
    def prefix(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def weight(self) -> int: ...
    @property
    def priority(self) -> int: ...
    @property
    def path(self) -> Sequence[str]:
        """Of a learned one: the nodes from the next to where it begins."""
        ...

    @property
    def speaker(self) -> str: ...
    @property
    def since(self) -> Timestamp | None: ...


class StatusView(Protocol):
    """The node in one look."""

    @property
    def address(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def started_at(self) -> Timestamp: ...
    @property
    def accounts(self) -> int: ...
    @property
    def links_up(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def packets(self) -> Mapping[str, int]: ...
    @property
    def unknown(self) -> int: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def alarms(self) -> Sequence[str]: ...
    @property
    def at_risk(self) -> Sequence[AtRiskView]: ...
    @property
    def taking_packets(self) -> bool: ...


class PaymentKeysFacade(Protocol):
    """The keys that are remembered, over restarts too."""

    def find(self, caller: str, key: str) -> KeptKeyView | None: ...

    def keep(self, caller: str, key: str, body: str, payment_id: str) -> None:
        """In the same turn as the payment is begun, so that both become durable together."""
        ...


class PeeringFacade(Protocol):
    """The ways of a node to get peers. What is `async` is durable when it returns."""

    def now(self) -> Timestamp: ...
    def invites(self) -> Sequence[Invite]: ...

    async def invite(self, terms: InviteTerms) -> tuple[Invite, Invitation]:
        """Raises `InvalidRequestError`, `ConflictError`."""
        ...

    async def revoke(self, invite_id: str) -> Invite:
        """Raises `NotFoundError`, `ConflictError`."""
        ...

    async def redeem(self, request: RedeemRequest) -> RedeemAnswer:
        """Raises `NotFoundError`, `ConflictError`, `InvalidRequestError`."""
        ...

    async def accept(self, invitation: Invitation, terms: JoinTerms) -> Account:
        """Raises those, and `LinkError`."""
        ...

    async def add(self, terms: AddTerms) -> Account:
        """Raises `LinkError`, `ConflictError`, `InvalidRequestError`."""
        ...

    async def answer_auto_peering(self, body: bytes, token: str | None) -> PeeringAnswer:
        """Raises `AutoPeeringError`."""
        ...

    async def check(self, account_id: str) -> CheckReport: ...
    async def echo(self, account_id: AccountId) -> PeerEcho: ...


class NodeFacade(SpspFacade, Protocol):
    """The node. What is `async` is durable when it returns; the errors named are `interledger.errors`."""

    @property
    def settings(self) -> NodeSettings: ...
    @property
    def address(self) -> Address: ...
    @property
    def ready(self) -> bool: ...
    @property
    def port(self) -> int: ...
    def not_ready(self) -> tuple[str, str] | None: ...
    @property
    def peering(self) -> PeeringFacade: ...
    @property
    def exchange_rates(self) -> RatesFacade: ...
    @property
    def learned(self) -> RouteExchangeFacade: ...
    @property
    def payment_keys(self) -> PaymentKeysFacade: ...
    @property
    def admin_tokens(self) -> AdminTokensFacade: ...
    @property
    def webhooks(self) -> WebhooksFacade: ...
    @property
    def incoming(self) -> IncomingFacade: ...
    @property
    def intake(self) -> IntakeFacade: ...
    @property
    def requests(self) -> RequestsFacade: ...
    @property
    def books(self) -> BooksFacade: ...
    @property
    def explainer(self) -> ExplainerFacade: ...
    @property
    def settlements(self) -> SettlementsFacade: ...
    @property
    def live(self) -> LiveFacade: ...

    def accounts(self) -> Sequence[Account]: ...

    def account(self, account_id: str) -> Account:
        """Raises `NotFoundError`."""
        ...

    async def create_account(self, account: Account) -> Account:
        """Raises `ConflictError` when the name is taken or a token is another account's."""
        ...

    async def replace_account(self, account: Account) -> Account:
        """Raises `NotFoundError`, `ConflictError`."""
        ...

    async def delete_account(self, account_id: str) -> Account:
        """Raises `NotFoundError`; `ConflictError` while it has a balance or packets in flight."""
        ...

    def position(self, account_id: str) -> PositionView: ...
    def link_status(self, account_id: str) -> LinkView: ...
    def authenticate(self, token: str) -> AccountId | None:
        """Whose incoming token of ILP over HTTP this is, found by its digest."""
        ...

    def routes(self) -> Sequence[RouteView]: ...

    async def set_static_routes(self, routes: dict[str, str]) -> None:
        """Replaces all of them (prefix -> where it leads). Raises `NotFoundError` for an account."""
        ...

    async def set_static_route(self, prefix: str, account_id: str) -> None: ...

    async def set_rates(self, rates: dict[str, str]) -> None: ...

    async def quote(
        self,
        account_id: str,
        receiver: str,
        *,
        send: int | None = None,
        deliver: int | None = None,
        slippage: Fraction = ...,
        min_rate: Fraction | None = None,
    ) -> QuoteView: ...

    def pay(
        self,
        account_id: str,
        receiver: str,
        *,
        send: int | None = None,
        deliver: int | None = None,
        slippage: Fraction = ...,
        min_rate: Fraction | None = None,
        quote: Any = None,
    ) -> PaymentView:
        """`quote`: what this same node's `quote` gave."""
        ...

    def payments(self) -> Sequence[PaymentView]:
        """Those in memory, newest first."""
        ...

    @property
    def payment_history(self) -> PaymentHistoryFacade: ...
    def status(self) -> StatusView: ...
    def metrics(self) -> Sequence[Reading]: ...
