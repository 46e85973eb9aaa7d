"""Where packets go and what assets are worth: a node's tables, made of what its operator, accounts and feeds say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final, NamedTuple, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.clock import Clock, Entropy, Timestamp
from interledger.errors import NotFoundError
from interledger.ilp.address import Address, parse_prefix
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.node.rate_feed import ECB_URL, RateFeed, RateSource, SourceKind
from interledger.node.settings import Settings
from interledger.routing.exchange import ExchangeTable, Quotes, RateAlarm, UnitValue
from interledger.routing.rate_sources import format_rate, parse_value_table
from interledger.routing.table import Origin, Route, RoutingTable
from interledger.routing.targets import format_targets, parse_targets

__all__ = ["OWN", "QuotedRate", "Rates", "Routes"]

OWN: Final = AccountId("/own")
"""The account of routes to this node's own receivers: no account can have the name."""

STATIC: Final = "static"
"""The source of the rates that an operator sets, and the provider when there is no other."""

RATE_DIGITS: Final = 12
"""Places of a rate that is shown; inside it is exact."""


@final
class Routes:
    """The static routes of an operator, and those that follow from our address and the accounts."""

    def __init__(
        self, table: RoutingTable, accounts: Mapping[AccountId, Account], has_link: Callable[[Account], bool]
    ) -> None:
        """`accounts`: the node's own, alive. `has_link`: whether packets for an account leave this node."""
        self._table = table
        self._accounts = accounts
        self._has_link = has_link

    @property
    def static(self) -> dict[str, str]:
        """Prefix -> where it leads (see `routing.targets`), as the operator set them."""
        return {prefix: format_targets(routes) for prefix, routes in self._table.of_origin(Origin.STATIC).items()}

    def set_static(self, routes: Mapping[str, str]) -> dict[str, str]:
        """Replace all static routes. Raises `NotFoundError` for an account, `InvalidRequestError` for a prefix."""
        checked = [self._known(route) for prefix, text in routes.items() for route in _targets(prefix, text)]
        self._table.replace_routes(Origin.STATIC, checked)
        return self.static

    def forget(self, account_id: AccountId) -> dict[str, str]:
        """The account is gone: static routes to it go with it. Returns those that stay."""
        static = self._table.of_origin(Origin.STATIC).values()
        staying = [route for routes in static for route in routes if route.account != account_id]
        self._table.replace_routes(Origin.STATIC, staying)
        return self.static

    def derive(self, address: Address, silent: Collection[AccountId] = ()) -> None:
        """Children and peers by their addresses, a parent by default, and what lies below our own address.

        `silent`: peers that announced routes once and are not heard any more; another way to them is taken, if any.
        """
        self._table.replace(Origin.OWN, {address: OWN})
        accounts = self._accounts.values()
        linked = [a for a in accounts if a.relation is Relation.CHILD]
        linked += [a for a in accounts if a.relation is Relation.PEER and a.id not in silent]
        local = [a for a in self._accounts.values() if a.relation is Relation.LOCAL and self._has_link(a)]
        self._table.replace(Origin.ACCOUNT, {a.ilp_address: a.id for a in (*linked, *local)})
        parents = [a.id for a in self._accounts.values() if a.relation is Relation.PARENT]
        self._table.replace(Origin.DEFAULT, {"": parents[0]} if parents else {})

    def _known(self, route: Route) -> Route:
        if route.account not in self._accounts:
            raise NotFoundError(f"There is no account “{route.account}”.")
        return route


def _targets(prefix: str, text: str) -> tuple[Route, ...]:
    return parse_targets(parse_prefix(prefix), text)


class QuotedRate(NamedTuple):
    """The worth of one whole unit in a common base, as decimal text; who said so, and when."""

    code: str
    value: str
    source: str
    as_of: Timestamp | None


@final
class Rates:
    """The rates of the provider that the settings name, and behind it those that an operator set.

    A static rate counts only for an asset that the provider does not know: else it would stand in, years old, for one
    that is stopped because it is stale.
    """

    def __init__(
        self,
        table: ExchangeTable,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        *,
        on_change: Callable[[], None],
        on_alarm: Callable[[RateAlarm], None],
    ) -> None:
        self._table = table
        self._clock = clock
        self._on_change = on_change
        self._static: Quotes | None = None
        self._provider = settings.rates_provider
        self._feed: RateFeed | None = None
        source = _source(settings)
        if source is not None:
            self._feed = RateFeed(
                table,
                [source],
                fetch=partial(fetch, egress=EgressPolicy(development=settings.development)),
                clock=clock,
                entropy=entropy,
                on_alarm=on_alarm,
                on_change=self._feed_changed,
            )

    async def start(self) -> None:
        """Ask the provider once, then for ever. A provider that fails is an alarm, no reason not to start."""
        if self._feed is not None:
            await self._feed.poll()
            self._feed.start()

    async def stop(self) -> None:
        """Ask no more."""
        if self._feed is not None:
            await self._feed.stop()

    def set_static(self, rates: Mapping[str, str]) -> None:
        """Replace all static rates (code -> value of one whole unit in a common base). Raises `DecodeError`."""
        self._static = parse_value_table(rates, source=STATIC, now=self._clock.now())
        self._use_static()
        self._on_change()

    def quoted(self) -> list[QuotedRate]:
        """What one whole unit of each asset is worth: of several sources the one that packets are converted by."""
        first: dict[str, UnitValue] = {}
        for value in self._table.values():
            first.setdefault(value.code, value)
        return [
            QuotedRate(
                value.code,
                format_rate(value.value, RATE_DIGITS),
                value.source,
                # An operator's rate is as old as nobody has said: it does not age.
                None if value.source == STATIC else value.as_of,
            )
            for value in first.values()
        ]

    def as_text(self) -> dict[str, str]:
        """Asset code -> value of one whole unit in a common base, decimal text."""
        return {rate.code: rate.value for rate in self.quoted()}

    def _feed_changed(self) -> None:
        self._use_static()
        self._on_change()

    def _use_static(self) -> None:
        static = self._static
        if static is None:
            return
        values = static.values
        if self._feed is not None:
            known = {value.code for value in self._table.values() if value.source == self._provider}
            # The provider's values are in the table's base. The operator's are brought to it, where they name it.
            one = values.get(self._table.base)
            values = {} if one is None else {code: v / one for code, v in values.items() if code not in known}
        self._table.update(Quotes(STATIC, values, None, static.as_of), self._clock.now())


def _source(settings: Settings) -> RateSource | None:
    """Whom the settings name as provider; None for static rates."""
    if settings.rates_provider == STATIC:
        return None
    kind = SourceKind(settings.rates_provider)
    where = settings.rates_path if kind is SourceKind.FILE else settings.rates_url
    return RateSource(
        name=settings.rates_provider,
        kind=kind,
        where=where or ECB_URL,
        poll_ms=settings.rates_poll_ms,
        max_age_ms=settings.rates_max_age_ms,
    )
