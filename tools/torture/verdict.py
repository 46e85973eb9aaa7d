"""What the books of the three nodes of a `Trio` have to say of each other when all is quiet.

Read from the journals, packet by packet: the numbers are the invariants of money (docs/explanation/money.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from interledger.accounts.ledger import Ledger
from interledger.accounts.records import EntryPosted, Executed, GaveUp, Held, Released, Resolved, decode_records
from interledger.ilp.packet import Fulfill
from tools.torture.trio import NAMES, Trio, TrioNode, proof

__all__ = ["BreachError", "Hop", "Verdict", "judge"]

COMMITS_MAX: Final = 100_000


class BreachError(AssertionError):
    """The books say something that they must not."""


@dataclass(slots=True)
class Hop:
    """A packet in the books of one node. `outcome`: held, executed, released or unknown."""

    incoming: str
    incoming_amount: int
    outgoing: str
    outgoing_amount: int
    hold_id: int
    outcome: str = "held"
    fulfillment: bytes | None = None


@dataclass(slots=True)
class Verdict:
    """What was found, so that a run can see whether it tested something. Counts packets by node and outcome."""

    executed: int = 0
    released: int = 0
    unknown: int = 0
    differing: int = 0
    """Packets that one node lists as unknown and the next one executed."""
    posted: int = 0
    """Entries outside of packets."""


def judge(trio: Trio, unwritten: Collection[str] = ()) -> Verdict:
    """Raises `BreachError`. All nodes live, and every packet has expired.

    `unwritten`: nodes whose disk failed. What was relayed then is unknown in their books, which is said in their logs.
    """
    verdict = Verdict()
    books = {name: _read(node, verdict) for name, node in trio.nodes.items()}
    for name, node in trio.nodes.items():
        if faults := node.ledger.check():
            raise BreachError(f"1, 2 at {name}: {faults}")
        if node.ledger.holds:
            raise BreachError(f"6 {name} still holds {len(node.ledger.holds)} packets")
        for peer in node.connector.peers.values():
            if peer.in_flight:
                raise BreachError(f"6 {name} still waits for {len(peer.in_flight)} replies of {peer.id}")
        _check_stored(node)
        _check_unknown(node, books[name])
        _check_told(node, books[name], unwritten=name in unwritten)
    for up, down in (*itertools.pairwise(NAMES), *itertools.pairwise(reversed(NAMES))):
        _check_pair(up, down, books, verdict, unwritten)
    for left, right in itertools.pairwise(NAMES):
        _check_sum(trio.nodes[left], trio.nodes[right], books)
    return verdict


def _read(node: TrioNode, verdict: Verdict) -> dict[bytes, Hop]:
    """The packets of a node, by condition."""
    hops: dict[bytes, Hop] = {}
    of_hold: dict[int, bytes] = {}
    again: set[int] = set()
    """Holds that became unknown in a crash, of packets that were fulfilled in time after it: posted anew."""
    for commit in node.store.history.read_commits(0, COMMITS_MAX):
        for record in decode_records(commit.records):
            if isinstance(record, Held):
                before = hops.get(record.condition)
                if before is not None and before.outcome != "unknown":
                    raise BreachError(f"{node.name} held the same packet twice, the first time {before.outcome}")
                if before is not None:
                    again.add(before.hold_id)
                names = [account.name for account in node.ledger.accounts]
                source, (_, target, amount) = record.legs[0][0], record.legs[-1]
                came = sum(amount for debited, _, amount in record.legs if debited == source)
                hops[record.condition] = Hop(names[source], came, names[target], amount, record.hold_id)
                of_hold[record.hold_id] = record.condition
            elif isinstance(record, Executed | Released | GaveUp):
                hop = hops[of_hold[record.hold_id]]
                if hop.outcome != "held":
                    raise BreachError(f"5 a packet of {node.name} was {hop.outcome}, then {type(record).__name__}")
                hop.outcome = {Executed: "executed", Released: "released", GaveUp: "unknown"}[type(record)]
                if isinstance(record, Executed):
                    hop.fulfillment = record.fulfillment
                    if sha256(record.fulfillment).digest() != of_hold[record.hold_id]:
                        raise BreachError(f"7 {node.name} executed a packet without its fulfillment")
            elif isinstance(record, Resolved):
                again.remove(record.hold_id)
            elif isinstance(record, EntryPosted):
                verdict.posted += 1
    if again:
        raise BreachError(f"{node.name} posted a packet anew and still lists it as unknown")
    verdict.executed += sum(hop.outcome == "executed" for hop in hops.values())
    verdict.released += sum(hop.outcome == "released" for hop in hops.values())
    verdict.unknown += sum(hop.outcome == "unknown" for hop in hops.values())
    return hops


def _check_stored(node: TrioNode) -> None:
    """4: what a start would find is what is in memory."""
    node.commits.flush()
    again = Ledger()
    if node.commits.error is None:
        for commit in node.store.history.read_commits(0, COMMITS_MAX):
            for record in decode_records(commit.records):
                again.apply(record)
        for ours, theirs in itertools.zip_longest(node.ledger.accounts, again.accounts):
            if (ours.name, ours.net, ours.debits_pending) != (theirs.name, theirs.net, theirs.debits_pending):
                raise BreachError(f"4 {node.name} {ours.name}: {ours.net} in memory, {theirs.net} in the journal")


def _check_unknown(node: TrioNode, hops: dict[bytes, Hop]) -> None:
    listed = {item.condition: item.amount for item in node.ledger.unknown.values()}
    written = {condition: hop.outgoing_amount for condition, hop in hops.items() if hop.outcome == "unknown"}
    if listed != written:
        raise BreachError(f"{node.name} lists {len(listed)} unknown items, its journal has {len(written)}")


def _check_told(node: TrioNode, hops: dict[bytes, Hop], *, unwritten: bool) -> None:
    """13: one reply at most; 10: a Fulfill only for what is executed."""
    told: dict[int, int] = {}
    for tag, reply in node.outcomes():
        told[tag] = told.get(tag, 0) + 1
        if told[tag] > 1:
            raise BreachError(f"13 the holder of {node.name} was answered twice for packet {tag}")
        hop = hops.get(sha256(proof(tag)).digest())
        if isinstance(reply, Fulfill) and hop is not None and hop.outcome != "executed":
            if unwritten and hop.outcome == "unknown":
                continue
            raise BreachError(f"10 the holder of {node.name} was told “fulfilled”, packet {tag} is {hop.outcome}")
        if not isinstance(reply, Fulfill) and hop is not None and hop.outcome == "executed":
            raise BreachError(f"8 the holder of {node.name} was told “rejected”, packet {tag} is executed")


def _check_pair(
    up: str, down: str, books: dict[str, dict[bytes, Hop]], verdict: Verdict, unwritten: Collection[str]
) -> None:
    """17: for each packet that went from `up` to `down`."""
    for condition in books[up].keys() | books[down].keys():
        ours, theirs = books[up].get(condition), books[down].get(condition)
        sent = ours is not None and ours.outgoing == f"peer/{down}"
        got = theirs is not None and theirs.incoming == f"peer/{up}"
        if got and not sent:
            raise BreachError(f"17 {down} holds a packet that {up} never wrote down")
        if not sent or ours is None:
            continue
        outcome = theirs.outcome if got and theirs is not None else "absent"
        if (ours.outcome, outcome) in {("executed", "released"), ("executed", "absent"), ("released", "executed")}:
            raise BreachError(f"17 {up} says {ours.outcome}, {down} {outcome}")
        if got and theirs is not None and ours.outgoing_amount != theirs.incoming_amount:
            raise BreachError(f"11 {up} sent {ours.outgoing_amount}, {down} took {theirs.incoming_amount}")
        if (ours.outcome, outcome) == ("executed", "unknown") and down not in unwritten:
            raise BreachError(f"10 {up} was told “fulfilled”, {down} lists the packet as unknown")
        verdict.differing += (ours.outcome, outcome) == ("unknown", "executed")


def _check_sum(left: TrioNode, right: TrioNode, books: dict[str, dict[bytes, Hop]]) -> None:
    """18: the two differ by exactly what is unknown at the one and executed at the other, either way."""
    nets = sum(account.net for account in left.ledger.accounts if account.name == f"peer/{right.name}") + sum(
        account.net for account in right.ledger.accounts if account.name == f"peer/{left.name}"
    )
    explained = 0
    for up, down in ((left, right), (right, left)):
        for condition, hop in books[up.name].items():
            other = books[down.name].get(condition)
            if hop.outgoing == f"peer/{down.name}" and other is not None:
                both = hop.outcome, other.outcome
                sign = {("unknown", "executed"): 1, ("executed", "unknown"): -1}.get(both, 0)
                explained += sign * hop.outgoing_amount
    if nets != explained:
        raise BreachError(f"18 {left.name} and {right.name} differ by {nets}, their unknown items explain {explained}")
