"""What is told as events, and from where: links, limits, routes, rates, accounts, payments, settlements, alarms.

Most callers say it themselves. Links by HTTP, limits and routes are compared once a second while something moves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset, Money, format_amount
from interledger.accounts.ledger import NO_LIMIT, LedgerAccount, Unknown
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.node.live.feed import EventFeed
from interledger.node.live.kinds import Level
from interledger.node.payment import Snapshot
from interledger.routing.exchange import RateAlarm
from interledger.settlement.records import ARCHIVE, Direction, Settlement, SettlementState

if TYPE_CHECKING:
    from interledger.node.node import Node

logger = logging.getLogger("interledger.settlement")

__all__ = ["NEAR_PERCENT", "Reports", "limit_states"]

NEAR_PERCENT: Final = 80
"""From here on an account is near its limit: pages and the command line mark it."""

CLEAR_PERCENT: Final = 75
"""Below it there is room again. The distance keeps an account that moves around 80 % from filling the feed."""

PREFIXES_SHOWN: Final = 10

_LEVEL_OF_STATE: Final = {
    SettlementState.SENDING: Level.INFO,
    SettlementState.SETTLED: Level.OK,
    SettlementState.CREDITED: Level.OK,
    SettlementState.HELD: Level.WARN,
    SettlementState.VOID: Level.WARN,
}
_LEVEL_OF_PAYMENT: Final = {
    "delivered": Level.OK,
    "partial": Level.WARN,
    "unknown": Level.UNKNOWN,
    "cancelled": Level.WARN,
}
_SAID: Final = {
    SettlementState.SENDING: "is on its way",
    SettlementState.SETTLED: "confirmed",
    SettlementState.CREDITED: "came in",
    SettlementState.HELD: "came in and is held: it is more than may come in within a day",
    SettlementState.VOID: "was taken back",
}


@final
class Reports:
    """Tells `feed` what happens at `node`."""

    def __init__(self, node: Node, feed: EventFeed) -> None:
        self._node = node
        self._feed = feed
        self._up: dict[AccountId, bool] = {}
        self._limits: dict[tuple[AccountId, str], str] = {}
        self._refused: set[LedgerAccount] = set()
        self._routes_seen = 0

    # ------------------------------------------------------------------ told at once

    def started(self) -> None:
        """The node takes packets. How things are now is no news, but links that are down are."""
        address = self._node.address
        self._feed.tell("node.started", f"the node takes packets as {address}", subject=address, address=address)
        self._node.connector.routes.changes.clear()
        self._routes_seen = self._node.connector.routes.version

    def stopping(self) -> None:
        """The node was told to stop."""
        self._feed.tell("node.stopping", "the node stops", subject=self._node.address)

    def alarm(self, text: str, rate: RateAlarm | None) -> None:
        """What the operator has to hear; of rates it is known what."""
        if rate is None:
            self._feed.tell("alarm", text)
        else:
            subject = rate.code or rate.source
            self._feed.tell(f"rate.{rate.kind.value}", text, subject=subject, source=rate.source, code=rate.code)

    def account_opened(self, account: Account) -> None:
        """There is a new one."""
        text = f"there is a new account: {account.relation} in {account.asset}"
        self._feed.tell("account.created", text, subject=account.id, account=account.id)

    def account_changed(self, old: Account, account: Account) -> None:
        """Which settings are others; never what a secret is."""
        names = _differing(old, account)
        if names:
            text = f"changed: {', '.join(names)}"
            self._feed.tell("account.changed", text, subject=account.id, account=account.id, fields=names)

    def account_closed(self, account: Account) -> None:
        """It is gone."""
        self._up.pop(account.id, None)
        for side in ("owes_us", "we_owe"):
            self._limits.pop((account.id, side), None)
        self._feed.tell("account.deleted", "was deleted", subject=account.id, account=account.id)

    def payment_finished(self, payment: Snapshot) -> None:
        """However it ended."""
        sent = Money(payment.sent, payment.source_asset)
        got = None if payment.destination_asset is None else Money(payment.delivered, payment.destination_asset)
        text = f"{sent} to {payment.receiver} {payment.state}"
        if payment.error:
            text += f": {payment.error}"
        self._feed.tell(
            "payment.finished",
            text,
            subject=payment.id,
            level=_LEVEL_OF_PAYMENT.get(payment.state, Level.BAD),
            payment=payment.id,
            account=payment.account,
            receiver=payment.receiver,
            state=payment.state,
            sent=sent.as_json(),
            delivered=None if got is None else got.as_json(),
            code=payment.code,
            error=payment.error,
        )

    def settlement_stored(self, key: str, body: Any) -> None:
        """A settlement that began or has another state; told when that is durable."""
        if body is not None and key.removeprefix(ARCHIVE).startswith(("out/", "in/")):
            settlement = Settlement.decode(body)

            def tell(error: Exception | None) -> None:
                if error is None:
                    self._settlement_changed(settlement)

            self._node.ledger.call_after_commit(tell)

    def _settlement_changed(self, settlement: Settlement) -> None:
        text = f"{_money_with(settlement)} {_SAID[settlement.state]}"
        data, level = _settlement_data(settlement), _LEVEL_OF_STATE[settlement.state]
        self._feed.tell("settlement.changed", text, subject=settlement.id, level=level, **data)

    def settlement_retrying(self, settlement: Settlement, delay_ms: int) -> None:
        """Its engine did not take it."""
        logger.warning(
            "%s to %s is tried again in %d ms: %s", settlement.id, settlement.account, delay_ms, settlement.error
        )
        next_at = settlement.next_at
        self._feed.tell(
            "settlement.retrying",
            f"{_money_with(settlement)}, {settlement.error}, again in {_duration(delay_ms)}",
            subject=settlement.id,
            **_settlement_data(settlement),
            attempts=settlement.attempts,
            error=settlement.error,
            next_at=None if next_at is None else format_rfc3339(next_at),
        )

    def unknown(self, item: Unknown, delivered: bool | None) -> None:
        """An amount became unknown (None), or its outcome is known."""
        account, asset = item.account.name.partition("/")[2], item.account.asset
        money = Money(item.amount, asset)
        data: dict[str, Any] = {"item": f"unk_{item.id}", "account": account, "amount": money.as_json()}
        if delivered is None:
            why = "interrupted by a stop of this node" if item.interrupted else "no answer before expiry"
            self._feed.tell("unknown.opened", f"{money} to {account}, {why}", subject=f"unk_{item.id}", **data)
            return
        text = f"{money} to {account} {'was delivered' if delivered else 'was not delivered'}"
        self._feed.tell("unknown.resolved", text, subject=f"unk_{item.id}", **data, delivered=delivered)

    def no_room(self, line: LedgerAccount) -> None:
        """A packet was refused because of a limit of this account."""
        self._refused.add(line)

    # ------------------------------------------------------------------ links

    def link_changed(self, account_id: str) -> None:
        """The link of an account may be up, or down: its connector's name may have a second part."""
        name = AccountId(account_id.partition("/")[0])
        for account in self._node.accounts() if name else ():
            if account.id == name:
                self._look_at_link(account)

    def _look_at_link(self, account: Account) -> None:
        status = self._node.links.status(account)
        was = self._up.get(account.id)
        if status.kind == "local" or was is status.up:
            return
        self._up[account.id] = status.up
        if was is None and not status.up:
            return  # it never was up
        kind, text = ("link.up", "the link is up") if status.up else ("link.down", "the link is down")
        self._feed.tell(kind, f"{text} ({status.kind})", subject=account.id, account=account.id, link=status.kind)

    # ------------------------------------------------------------------ compared once a second

    def look(self, now: Timestamp) -> None:
        """What nobody says by himself."""
        for account in self._node.accounts():
            self._look_at_link(account)
            line = self._node.ledger.find(account.ledger_name, account.asset)
            if line is not None:
                for side, used, limit in limit_states(line):
                    self._look_at_limit(account, line, side, used, limit)
        self._refused.clear()
        self._look_at_routes()

    def _look_at_limit(self, account: Account, line: LedgerAccount, side: str, used: int, limit: int) -> None:
        percent = used * 100 // limit
        was = self._limits.get((account.id, side), "clear")
        state = was
        if used >= limit or (line in self._refused and percent >= NEAR_PERCENT):
            state = "reached"
        elif percent >= NEAR_PERCENT and was == "clear":
            state = "near"
        elif percent < CLEAR_PERCENT:
            state = "clear"
        if state == was:
            return
        self._limits[account.id, side] = state
        asset = account.asset
        text = f"{account.id} has used {percent} % of what it may owe us"
        if side == "we_owe":
            text = f"we have used {percent} % of what we may owe {account.id}"
        if state == "reached":
            text += f": {format_amount(used, asset)} of {Money(limit, asset)}, so packets are rejected T04"
        self._feed.tell(
            {"near": "limit.near", "reached": "limit.reached", "clear": "limit.cleared"}[state],
            text,
            subject=None,
            account=account.id,
            side=side,
            used=Money(used, asset).as_json(),
            limit=Money(limit, asset).as_json(),
            percent=percent,
        )

    def _look_at_routes(self) -> None:
        routes = self._node.connector.routes
        if routes.version == self._routes_seen:
            return
        self._routes_seen = routes.version
        changes = routes.changes
        counts = {kind: changes.count(kind) for kind in ("added", "removed", "changed")}
        prefixes = changes.prefixes()[:PREFIXES_SHOWN]
        changes.clear()
        said = [f"{count} {kind}" for kind, count in counts.items() if count]
        text = f"routes: {', '.join(said)}; {len(routes)} now"
        data: dict[str, Any] = {**counts, "prefixes": prefixes, "total": len(routes)}
        self._feed.tell("route.changed", text, **data)


def limit_states(line: LedgerAccount) -> Iterable[tuple[str, int, int]]:
    """(side, used, limit) of the limits an account has. A limit of 0 is a decision, not a limit that fills up."""
    if 0 < line.debit_max < NO_LIMIT:
        yield "owes_us", max(line.debits_posted + line.debits_pending - line.credits_posted, 0), line.debit_max
    if 0 < line.credit_max < NO_LIMIT:
        yield "we_owe", max(line.credits_posted + line.credits_pending - line.debits_posted, 0), line.credit_max


def _differing(old: Account, account: Account) -> list[str]:
    names = [one.name for one in fields(Account) if one.name != "link" and _of(old, one.name) != _of(account, one.name)]
    links = [f"link.{one.name}" for one in fields(old.link) if _of(old.link, one.name) != _of(account.link, one.name)]
    return names + links


def _of(value: object, name: str) -> object:
    return getattr(value, name)


def _money_with(settlement: Settlement) -> str:
    way = "to" if settlement.direction is Direction.OUT else "from"
    return f"{_amount(settlement.amount, settlement.asset)} {way} {settlement.account}"


def _amount(amount: int, asset: Asset) -> str:
    return str(Money(amount, asset))


def _settlement_data(settlement: Settlement) -> dict[str, Any]:
    return {
        "settlement": settlement.id,
        "account": settlement.account,
        "direction": settlement.direction.value,
        "amount": Money(settlement.amount, settlement.asset).as_json(),
        "state": settlement.state.value,
    }


def _duration(ms: int) -> str:
    return f"{ms} ms" if ms < 1_000 else f"{ms // 1_000} s" if ms < 120_000 else f"{ms // 60_000} min"
