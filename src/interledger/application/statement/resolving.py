"""What follows from a statement for unknown amounts and claims: how a peer's word or proof ends them.

A peer's word is taken where it costs the peer: what it says not to claim, we do not owe. What it claims needs the
fulfillment. That proves what became of the packet, not that we were told in time; so it is owed without more where this
node was not there to be told. Where it was, a claim that comes too late is the peer's risk (or its trick: to wait until
we have refunded, and then to claim), and it is only taken up to what the operator allows (`late_claims_max`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple

from interledger.accounts.books.memo import Memo
from interledger.accounts.evidence import relay_or_keep
from interledger.accounts.ledger import Ledger, LedgerAccount, Unknown
from interledger.accounts.unproven import Unproven
from interledger.application.statement.claims import LATE_CLAIM, Claims
from interledger.application.statement.findings import Difference, Findings, UnknownAnswer
from interledger.application.statement.messages import Direction, Item, Items, ItemState, encode_answer
from interledger.clock import Timestamp
from interledger.codec.digest import sha256
from interledger.ilp.packet import Fulfill

__all__ = ["CLOSED", "Outcome", "Resolution", "resolve_unknown", "settle_claims"]


class Outcome(enum.StrEnum):
    """What became of an unknown item by a statement."""

    RELAYED = "relayed"
    """Its fulfillment came early enough to be passed on: both sides are charged as if nothing had happened."""
    DELIVERED = "delivered"
    """Proven, and we were not there to hear it: owed, and our loss."""
    LATE_ACCEPTED = "late, accepted"
    """Proven too late, and within what the operator allows: owed, and our loss."""
    RELEASED = "not delivered"
    """The peer does not claim it and never can."""
    LATE = "late"
    """Proven too late: the operator decides."""
    OPEN = "open"
    """It may still be executed there."""
    NO_PROOF = "no proof"
    """The peer counts it and does not give the fulfillment."""
    CONTRADICTED = "contradicted"
    """We have the fulfillment, and the peer does not count it."""
    TOO_OLD = "too old"
    """The peer's books do not go back so far."""


CLOSED: Final = frozenset((Outcome.RELAYED, Outcome.DELIVERED, Outcome.LATE_ACCEPTED, Outcome.RELEASED))
"""The outcomes after which an item is unknown no more."""


class Resolution(NamedTuple):
    """One item, and its outcome."""

    item: Unknown
    outcome: Outcome


def resolve_unknown(
    ledger: Ledger, answers: Sequence[UnknownAnswer], peer: str, now: Timestamp, late_room: int | None
) -> list[Resolution]:
    """Apply the rules. `peer`: who answered; `late_room`: how much may be taken too late, in units, None for no limit.

    What is resolved is recorded; the caller has it committed.
    """
    found = []
    for answer in answers:
        item = answer.item
        if ledger.unknown.get(item.id) is not item:
            continue  # somebody else was quicker
        outcome = _resolve_one(ledger, answer, peer, now, late_room)
        if outcome is Outcome.LATE_ACCEPTED and late_room is not None:
            late_room -= item.amount
        found.append(Resolution(item, outcome))
    return found


def _resolve_one(ledger: Ledger, found: UnknownAnswer, peer: str, now: Timestamp, late_room: int | None) -> Outcome:
    item, answer = found.item, found.answer
    if not found.claimed:
        if item.fulfillment is not None:
            return Outcome.CONTRADICTED
        if not found.conclusive:
            return Outcome.OPEN if answer.state & ItemState.OPEN else Outcome.TOO_OLD
        memo = _memo("resolution", peer, answer, "it states that it does not count the packet and cannot any more")
        ledger.resolve(item, delivered=False, memo=memo)
        return Outcome.RELEASED
    proof = answer.fulfillment
    if proof is None or sha256(proof).digest() != item.condition:
        return Outcome.NO_PROOF
    if item.fulfillment is None:
        relay_or_keep(ledger, item, proof, Fulfill(proof).encode(), now)
        if ledger.unknown.get(item.id) is not item:
            return Outcome.RELAYED
    if item.interrupted:
        memo = _memo("resolution", peer, answer, "it proved the packet by its fulfillment; this node was not there")
        ledger.resolve(item, delivered=True, memo=memo)
        return Outcome.DELIVERED
    if late_room is None or item.amount <= late_room:
        memo = _memo(LATE_CLAIM, peer, answer, "it proved the packet by its fulfillment, too late, within the limit")
        ledger.resolve(item, delivered=True, memo=memo)
        return Outcome.LATE_ACCEPTED
    return Outcome.LATE


def settle_claims(
    ledger: Ledger, findings: Findings, account: LedgerAccount, received: Claims, peer: str, now: Timestamp
) -> tuple[list[Unproven], list[Unproven]]:
    """What the peer has the proof of and holds to have come too late is set aside, and is no difference any more; what
    was set aside and the peer counts by now is owed. Returns both. What is resolved is recorded; the caller commits it.
    """
    back = [item for item in findings.owed if ledger.unproven.items.get(item.id) is item]
    for item in back:
        ledger.unproven.close(item, owed=True, memo=Memo("resolution", f"statement of {peer}", "it counts it").encode())
    new: list[Unproven] = []
    left: list[Difference] = []
    for one in findings.differences:
        proof = received.count_of(one.key)[1]
        late = one.direction is Direction.RECEIVED and one.answer.state & ItemState.LATE
        if not late or one.theirs >= one.ours or proof is None or one.amount == 0:
            left.append(one)
            continue
        new += [ledger.unproven.set_aside(account, one.amount, proof, now) for _ in range(one.ours - one.theirs)]
    findings.differences[:] = left
    return new, back


def _memo(kind: str, peer: str, answer: Item, reason: str) -> str:
    """Why, kept in the record itself with what the peer answered."""
    said = encode_answer(Items(0, (answer,)))[12:].hex()
    return Memo(kind, f"statement of {peer}", f"{reason} (answer {said})").encode()
