"""Which way a packet would take from an account of this node, and what would become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.connector.explain import Explanation, explain
from interledger.connector.peer import local_id
from interledger.errors import InvalidRequestError
from interledger.ilp.address import parse_address
from interledger.ilp.error_codes import AmountTooLarge, ErrorCode
from interledger.node.requests import SELF

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["RouteExplainer", "RouteExplanation"]

NEAREST_MAX: Final = 5
"""Prefixes that are shown where none fits."""


@dataclass(frozen=True, slots=True)
class RouteExplanation:
    """The verdict, the assets its amounts are of, and prefixes like the destination where there is no route."""

    verdict: Explanation
    source_asset: Asset | None
    outgoing_account: AccountId | None
    outgoing_asset: Asset | None
    nearest: Sequence[str]


@final
class RouteExplainer:
    """Asks the connector of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def explain(self, destination: str, account_id: str | None, amount: int | None) -> RouteExplanation:
        """`account_id`: whose packet; None: the node's own, which carries no money. `amount` in its units; None: one
        whole unit, or the largest packet. Raises `NotFoundError`, `InvalidRequestError`.
        """
        node, to = self._node, parse_address(destination)
        asset: Asset | None = None
        if account_id is None:
            if amount:
                raise InvalidRequestError("An amount needs an account that it comes from", "account")
            incoming, units = SELF, 0
        else:
            account = node.account(account_id)
            asset = account.asset
            incoming = account.id if account.id in node.connector.peers else local_id(account.id)
            units = _one_whole(account) if amount is None else amount
        verdict = explain(node.connector, incoming, to, units, node.clock.now())
        largest = _largest(verdict)
        if amount is None and largest is not None:
            verdict = explain(node.connector, incoming, to, largest, node.clock.now())
        outgoing = None if verdict.outgoing is None else node.connector.peers[verdict.outgoing].account
        return RouteExplanation(
            verdict,
            asset,
            None if outgoing is None else outgoing.id,
            None if outgoing is None else outgoing.asset,
            [] if verdict.candidates or verdict.answered_here else self._nearest(to),
        )

    def _nearest(self, destination: str) -> list[str]:
        """Prefixes that have the most segments in common with `destination`."""
        wanted = destination.split(".")

        def in_common(prefix: str) -> int:
            pairs = zip(prefix.split("."), wanted, strict=False)
            return next((number for number, (one, other) in enumerate(pairs) if one != other), len(wanted))

        near = [prefix for prefix in {route.prefix for route in self._node.routes()} if in_common(prefix)]
        return sorted(near, key=lambda prefix: (-in_common(prefix), prefix))[:NEAREST_MAX]


def _largest(verdict: Explanation) -> int | None:
    """The largest packet that would pass, where this one was too large (F08)."""
    refusal = verdict.refusal
    if refusal is None or refusal.code != ErrorCode.F08_AMOUNT_TOO_LARGE:
        return None
    amounts = AmountTooLarge.decode(refusal.data)
    return None if amounts is None else amounts.maximum_amount


def _one_whole(account: Account) -> int:
    # An asset may have 255 decimal places: a packet cannot carry a whole unit of it.
    return min(int(10 ** min(account.asset.scale, 19)), account.packet_amount_max)
