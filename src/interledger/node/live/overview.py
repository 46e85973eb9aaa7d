"""The node in one look, for people: is anything wrong, how much could be lost, what is moving. And who is connected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.account import Account
from interledger.accounts.asset import Asset, Money
from interledger.clock import Timestamp
from interledger.node.live.market import Market
from interledger.node.live.reports import NEAR_PERCENT, limit_states
from interledger.node.live.seconds import Flow, Seconds
from interledger.node.live.worth import WorthTotal
from interledger.node.views import LinkStatus, Position

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["AccountLook", "Check", "MovesLook", "Overview", "RiskLook", "sentence_of"]

SECONDS_SHOWN: Final = 90
ALARMS_SHOWN: Final = 5


class Check(NamedTuple):
    """One line of the node's health. `level`: ok, warn, unknown or bad; `page`: where to look, below the dashboard."""

    name: str
    level: str
    text: str
    page: str


class AccountLook(NamedTuple):
    """An account, where it stands, what moves. `worth`: of its position, at our rates, below zero when we owe it."""

    account: Account
    link: LinkStatus
    position: Position
    in_flight: int
    packets_in: int
    packets_out: int
    packets_rejected: int
    """Of those that came from it."""
    exposure_percent: int | None
    """Of the limit on the side that its position is on; None: there is no limit."""
    near: bool
    unknown: int
    worth: Money


class RiskLook(NamedTuple):
    """What could be lost now, and what we owe, which is never subtracted."""

    at_risk: WorthTotal
    worst: WorthTotal
    """With what nobody has proved."""
    limits: WorthTotal
    owed: WorthTotal
    in_flight: WorthTotal
    unknown: WorthTotal
    we_owe: WorthTotal


class MovesLook(NamedTuple):
    """What moves now, and what has moved within a day."""

    now: Timestamp
    in_flight: int
    held: WorthTotal
    next_expiry_ms: int | None
    packets_per_second: int
    day: Flow
    day_since: Timestamp
    day_moved: WorthTotal
    profit: WorthTotal
    profit_since: Timestamp
    seconds: list[Flow]
    minutes: list[Flow]


@final
class Overview:
    """Looks when asked, at a part each; keeps nothing."""

    def __init__(self, node: Node, seconds: Seconds, market: Market) -> None:
        self._node = node
        self._seconds = seconds
        self._market = market
        self._worth = seconds.worth

    def moves(self) -> MovesLook:
        """What is moving, by the second and by the minute."""
        node, seconds, now = self._node, self._seconds, self._node.clock.now()
        day = seconds.day(now)
        last = seconds.last(now, SECONDS_SHOWN)
        holds = node.ledger.holds.values()
        since = seconds.minutes[0].at if seconds.minutes else node.started_at
        return MovesLook(
            now=now,
            in_flight=sum(len(peer.in_flight) for peer in node.connector.peers.values()),
            held=self._worth.total((hold.legs[0][0].asset, _brought(hold.legs)) for hold in holds),
            next_expiry_ms=None if not holds else max(min(hold.expires_at for hold in holds) - now, 0),
            packets_per_second=last[-1].prepares,
            day=day,
            day_since=max(since, node.started_at),
            day_moved=self._worth.total(day.moved.items()),
            profit=self._market.earned(),
            profit_since=self._market.since,
            seconds=last,
            minutes=list(seconds.minutes),
        )

    def accounts(self) -> list[AccountLook]:
        """All accounts, the one with most at stake first."""
        node, now = self._node, self._node.clock.now()
        in_flight: dict[str, int] = {}
        for peer in node.connector.peers.values():
            in_flight[peer.account.id] = in_flight.get(peer.account.id, 0) + len(peer.in_flight)
        unknown: dict[str, int] = {}
        for item in node.ledger.unknown.values():
            unknown[item.account.name] = unknown.get(item.account.name, 0) + 1
        found = []
        for account in node.accounts():
            line = node.ledger.find(account.ledger_name, account.asset)
            position = Position.of(line)
            used = {} if line is None else {side: had * 100 // most for side, had, most in limit_states(line)}
            came, went, rejected = self._seconds.packets_per_second(account.id, now)
            found.append(
                AccountLook(
                    account,
                    node.links.status(account),
                    position,
                    in_flight.get(account.id, 0),
                    came,
                    went,
                    rejected,
                    used.get("we_owe" if position.net < 0 else "owes_us"),
                    any(percent >= NEAR_PERCENT for percent in used.values()),
                    unknown.get(account.ledger_name, 0),
                    self._worth.total([(account.asset, position.net)]).money,
                )
            )
        return sorted(found, key=lambda look: (-abs(look.worth.amount), look.account.id))

    def worth(self, amounts: Iterable[tuple[Asset, int]]) -> WorthTotal:
        """Together, at the node's own rates as they are now."""
        return self._worth.total(amounts)

    def risk(self) -> RiskLook:
        """Value at risk: what peers owe us and what is on its way to them, at our own rates."""
        node, total = self._node, self._worth.total
        at_risk = node.books.at_risk()
        owed = [(one.asset, one.owed) for one in at_risk]
        in_flight = [(one.asset, one.in_flight) for one in at_risk]
        unknown = [(one.asset, one.unknown) for one in at_risk]
        accounts = [account for account in node.accounts() if account.ledger_name.startswith("peer/")]
        limits = [(account.asset, account.owes_us_max or 0) for account in accounts]
        payable = [(account.asset, node.position(account.id).payable) for account in accounts]
        return RiskLook(
            at_risk=total(owed + in_flight),
            worst=total(owed + in_flight + unknown),
            limits=total(limits),
            owed=total(owed),
            in_flight=total(in_flight),
            unknown=total(unknown),
            we_owe=total(payable),
        )

    # ------------------------------------------------------------------ health

    def health(self) -> list[Check]:
        """Line by line, in words; what is wrong first."""
        accounts = self.accounts()
        checks = [
            self._books(),
            _links(accounts),
            self._unknown(),
            _limits(accounts),
            self._settlements(),
            self._rates(),
        ]
        if not self._node.intake.is_open:
            checks.append(Check("packets", "warn", "new packets are refused (T03): the node was told so", "drain"))
        recent = self._node.alarms[-ALARMS_SHOWN:]
        if recent:
            checks.append(Check("alarms", "warn", f"the last alarm: {recent[-1]}", "events?only=alarm"))
        order = {"bad": 0, "unknown": 1, "warn": 1, "ok": 2}
        return sorted(checks, key=lambda check: order[check.level])

    def _books(self) -> Check:
        if not self._node.ready:
            return Check("books", "warn", "the node is starting or stopping", "")
        if self._node.read_only:
            return Check("books", "bad", "the books cannot be written: new packets are refused (T03)", "events")
        sums: dict[Asset, int] = {}
        for line in self._node.ledger.accounts:
            sums[line.asset] = sums.get(line.asset, 0) + line.net
        wrong = [str(asset) for asset, total in sums.items() if total]
        if wrong:
            return Check("books", "bad", f"the books of {', '.join(wrong)} do not sum to zero", "events")
        return Check("books", "ok", "every asset sums to zero", "settings")

    def _unknown(self) -> Check:
        items = self._node.ledger.unknown.values()
        if not items:
            return Check("unknown", "ok", "no packet's outcome is unknown", "unknown")
        sums: dict[tuple[str, Asset], int] = {}
        for item in items:
            key = item.account.name.partition("/")[2], item.account.asset
            sums[key] = sums.get(key, 0) + item.amount
        parts = [f"{Money(amount, asset)} with {name}" for (name, asset), amount in sorted(sums.items())]
        count = f"{len(items)} unknown item{'' if len(items) == 1 else 's'}"
        return Check("unknown", "unknown", f"{count}: {_listed(parts)}", "unknown")

    def _settlements(self) -> Check:
        retrying = [one for one in self._node.settlements.latest(None, 1_000) if one.state.is_open and one.attempts]
        if not retrying:
            return Check("settlements", "ok", "no settlement waits for its engine", "settlements")
        first = retrying[0]
        text = f"{Money(first.amount, first.asset)} with {first.account} is not settled: {first.error}"
        return Check("settlements", "warn", text, f"settlements/{first.id}")

    def _rates(self) -> Check:
        now, values = self._node.clock.now(), self._node.exchange.values()
        bad = sorted({value.code for value in values if value.is_stale(now) or value.doubtful})
        if bad:
            return Check("rates", "bad", f"no rate that may be used for {_listed(bad)}", "rates")
        aging = [now - value.as_of for value in values if value.max_age_ms is not None]
        oldest = f"the oldest rate is {max(aging) // 1_000} s old" if aging else "rates are set by hand"
        return Check("rates", "ok", oldest, "rates")


def _links(accounts: list[AccountLook]) -> Check:
    linked = [look for look in accounts if look.link.kind not in ("local", "none")]
    down = [look.account.id for look in linked if not look.link.up]
    text = f"{len(linked) - len(down)} of {len(linked)} links up"
    if down:
        return Check("links", "bad", f"{text}; down: {_listed([str(name) for name in down])}", "topology")
    return Check("links", "ok", text, "topology")


def _limits(accounts: list[AccountLook]) -> Check:
    near = [look for look in accounts if look.near]
    if not near:
        return Check("limits", "ok", "every account has room", "accounts")
    first = near[0]
    text = f"{first.account.id} is near its limit"
    if first.exposure_percent is not None and first.exposure_percent >= NEAR_PERCENT:
        said = "of what it may owe us" if first.position.net >= 0 else "of what we may owe it"
        text = f"{first.account.id} has used {first.exposure_percent} % {said}"
    more = f", and {len(near) - 1} more" if len(near) > 1 else ""
    return Check("limits", "warn", text + more, "accounts?f=near")


def sentence_of(address: str, accounts: list[AccountLook]) -> str:
    """What the node does, for its first page."""
    assets = len({look.account.asset.code for look in accounts})
    count = len(accounts)
    if not count:
        return f"{address} has no account yet."
    return (
        f"{address} is forwarding between {count} account{'' if count == 1 else 's'} in {assets}"
        f" asset{'' if assets == 1 else 's'}."
    )


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")


def _brought(legs: tuple[tuple[object, object, int], ...]) -> int:
    """What the incoming account is held for: all legs that begin with it."""
    return sum(amount for debited, _, amount in legs if debited is legs[0][0])
