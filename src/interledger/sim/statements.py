"""After the faults: neighbours exchange statements, each from its own journal, and nothing is unknown any more.

The real comparison and the real rules, over the real octets; only the packets that carry them are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from interledger.accounts.asset import Asset
from interledger.application.statement.answering import answer_request, open_keys
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.messages import (
    Direction,
    Request,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from interledger.application.statement.protocol import Findings, OurBooks, compare
from interledger.application.statement.resolving import resolve_unknown
from interledger.sim.auditor import BreachError, Pair
from interledger.sim.node import SimNode

__all__ = ["check_statements", "exchange_statements"]

COMMITS_AT_ONCE: Final = 1_000

Side = tuple[SimNode, str]
"""A node, and the name of its ledger account of the other."""


def exchange_statements(nodes: Mapping[str, SimNode], pairs: Iterable[Pair]) -> int:
    """Each node asks each of its neighbours, and resolves what follows. How many amounts are unknown no more."""
    resolved = 0
    for us, them in _sides(nodes, pairs):
        findings = _compare(us, them)
        node = us[0]
        before = len(node.ledger.unknown)
        # These neighbours trust each other: what is proven is owed, however late.
        resolve_unknown(node.ledger, findings.unknown, them[0].address, node.clock.now(), None)
        resolved += before - len(node.ledger.unknown)
    return resolved


def check_statements(nodes: Mapping[str, SimNode], pairs: Iterable[Pair]) -> None:
    """28: nothing is unknown, and nothing differs, where both could write down what happened."""
    for us, them in _sides(nodes, pairs):
        if us[0].station.unwritten or them[0].station.unwritten:
            continue  # a broken disk: the evidence is in a log
        findings = _compare(us, them)
        # A clock that was set back: a packet of the time before has not expired yet, and nobody may say how it ended.
        now = us[0].clock.now()
        left = sum(one.item.expires_at <= now for one in findings.unknown)
        differ = len(findings.differences)
        if left or differ or not findings.is_complete:
            raise BreachError(f"28 {us[0].address} and {them[0].address}: {left} unknown, {differ} differ")


def _sides(nodes: Mapping[str, SimNode], pairs: Iterable[Pair]) -> Iterable[tuple[Side, Side]]:
    for pair in pairs:
        left = (nodes[pair.left.name], pair.right_at_left)
        right = (nodes[pair.right.name], pair.left_at_right)
        yield left, right
        yield right, left


def _compare(us: Side, them: Side) -> Findings:
    ours, theirs = _index(us[0]), _index(them[0])
    asset = _asset(us)
    name, ledger, now = us[1], us[0].ledger, us[0].clock.now()
    books = OurBooks(
        asset=asset,
        sent=ours.of(name, asset, incoming=False),
        received=ours.of(name, asset, incoming=True),
        known_since=ours.known_since,
        unknown=[item for item in ledger.unknown.values() if item.account.name == name],
        open_keys={
            direction: open_keys(ledger, ledger.holds.values(), name, asset, incoming=direction is Direction.RECEIVED)
            for direction in Direction
        },
        now=now,
        hold_ms=us[0].connector.limits.max_hold_ms,
    )
    exchange = compare(books)
    try:
        request: Request = next(exchange)
        while True:
            asked = decode_request(encode_request(request))
            answer, _ = answer_request(them[0].ledger, theirs, them[1], asset, asked)
            request = exchange.send(decode_answer(encode_answer(answer)))
    except StopIteration as end:
        found = end.value
        if not isinstance(found, Findings):
            raise TypeError(f"a comparison ended with {found!r}") from None
        return found


def _asset(side: Side) -> Asset:
    return next(account.asset for account in side[0].ledger.accounts if account.name == side[1])


def _index(node: SimNode) -> ClaimIndex:
    history = node.store.history
    index = ClaimIndex(history.read_openings()[0])
    while commits := history.read_commits(index.seq, COMMITS_AT_ONCE):
        for commit in commits:
            index.feed(commit)
    index.caught_at = node.clock.now()
    return index
