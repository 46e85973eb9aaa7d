"""After the faults: neighbours exchange statements, each from its own journal, and nothing is unknown any more.

The real comparison and the real rules, over the real octets; only the packets that carry them are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from interledger.accounts.asset import Asset
from interledger.application.statement.answering import FINAL_AFTER_MS, answer_request, open_keys
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.findings import Findings, OurBooks
from interledger.application.statement.messages import (
    Direction,
    Request,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from interledger.application.statement.protocol import compare
from interledger.application.statement.resolving import resolve_unknown, settle_claims
from interledger.sim.auditor import BreachError, Pair
from interledger.sim.node import SimNode

__all__ = ["accept_late", "check_statements", "exchange_statements"]

COMMITS_AT_ONCE: Final = 1_000

Side = tuple[SimNode, str]
"""A node, and the name of its ledger account of the other."""


def exchange_statements(nodes: Mapping[str, SimNode], pairs: Iterable[Pair], late_room: int | None) -> int:
    """Each node asks each of its neighbours, and resolves what follows; `late_room`: the account's setting
    `late_claims_max`, None for no limit. How many amounts are unknown no more."""
    resolved = 0
    for us, them in _sides(nodes, pairs):
        findings = _compare(us, them)
        node = us[0]
        before = len(node.ledger.unknown)
        resolve_unknown(node.ledger, findings.unknown, them[0].address, node.clock.now(), late_room)
        resolved += before - len(node.ledger.unknown)
        asset = _asset(us)
        received = _index(node).of(us[1], asset, incoming=True)
        account = node.ledger.account(us[1], asset)
        settle_claims(node.ledger, findings, account, received, them[0].address, node.clock.now())
    return resolved


def check_statements(nodes: Mapping[str, SimNode], pairs: Iterable[Pair], late_room: int | None) -> None:
    """28: nothing is unknown, and nothing differs, where both could write down what happened. What came too late for a
    node that takes nothing late (`late_room` 0) is unknown there with its proof, and unproven at the other."""
    for us, them in _sides(nodes, pairs):
        if us[0].station.unwritten or them[0].station.unwritten:
            continue  # a broken disk: the evidence is in a log
        findings = _compare(us, them)
        # A clock that was set back: a packet of the time before has not expired yet, or just so: nobody may say how it
        # ended.
        now = us[0].clock.now()
        left = [one.item for one in findings.unknown if one.item.expires_at + FINAL_AFTER_MS <= now]
        late = sorted((one.condition, one.amount) for one in left if one.fulfillment is not None and late_room == 0)
        claims = them[0].ledger.unproven.items.values()
        claimed = sorted((one.condition, one.amount) for one in claims if one.account.name == them[1])
        differ = len(findings.differences)
        if len(left) > len(late) or late != claimed or differ or not findings.is_complete:
            raise BreachError(
                f"28 {us[0].address} and {them[0].address}: {len(left)} unknown, {len(late)} of them late, "
                f"{len(claimed)} unproven, {differ} differ"
            )


def accept_late(nodes: Mapping[str, SimNode]) -> int:
    """What operators do in the end about what came too late, of which they have proof: owed, and a loss. How many."""
    accepted = 0
    for node in nodes.values():
        for item in list(node.ledger.unknown.values()):
            if item.fulfillment is not None:
                node.ledger.resolve(item, delivered=True, memo="the operator accepts what came too late")
                accepted += 1
    return accepted


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
        unproven=[item for item in ledger.unproven.items.values() if item.account.name == name],
        lost=ours.lost(name, asset),
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
