"""The rules by which a peer's word or proof ends what is unknown: never at our cost without evidence."""

from __future__ import annotations

from hashlib import sha256

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.ledger import Hold, Ledger, Unknown
from interledger.accounts.records import Resolved, decode_records
from interledger.application.statement.claims import LATE_CLAIM
from interledger.application.statement.findings import UnknownAnswer
from interledger.application.statement.messages import Item, ItemState
from interledger.application.statement.resolving import CLOSED, Outcome, resolve_unknown
from interledger.clock import Timestamp

USD = Asset("USD", 9)
PROOF = sha256(b"1").digest()
CONDITION = sha256(PROOF).digest()
NOW = Timestamp(1_700_000_000_000)


def unknown(ledger: Ledger, *, interrupted: bool = False, amount: int = 5) -> Unknown:
    legs = ((ledger.account("peer/alice", USD), ledger.account("peer/bob", USD), amount),)
    hold = ledger.hold(legs, CONDITION, NOW - 60_000, True)
    assert isinstance(hold, Hold)
    return ledger.give_up(hold, interrupted)


@pytest.mark.parametrize(
    ("claimed", "conclusive", "interrupted", "ours", "theirs", "state", "late_room", "outcome", "we_owe", "loss"),
    [
        # proven, and it was we who were not there
        (True, True, True, None, PROOF, 0, 0, Outcome.DELIVERED, 5, 5),
        (True, True, True, PROOF, PROOF, 0, 0, Outcome.DELIVERED, 5, 5),
        # proven too late: the operator's word, given before or after
        (True, True, False, None, PROOF, 0, 0, Outcome.LATE, 0, 0),
        (True, True, False, None, PROOF, 0, 4, Outcome.LATE, 0, 0),
        (True, True, False, None, PROOF, 0, 5, Outcome.LATE_ACCEPTED, 5, 5),
        (True, True, False, None, PROOF, 0, None, Outcome.LATE_ACCEPTED, 5, 5),
        # a claim alone is nothing
        (True, True, True, None, None, 0, None, Outcome.NO_PROOF, 0, 0),
        (True, True, True, None, bytes(32), 0, None, Outcome.NO_PROOF, 0, 0),
        # not claimed, and it cannot be
        (False, True, False, None, None, 0, None, Outcome.RELEASED, 0, 0),
        (False, True, True, None, None, 0, None, Outcome.RELEASED, 0, 0),
        (False, True, False, PROOF, None, 0, None, Outcome.CONTRADICTED, 0, 0),
        # not claimed yet
        (False, False, False, None, None, ItemState.OPEN, None, Outcome.OPEN, 0, 0),
        (False, False, False, None, None, 0, None, Outcome.TOO_OLD, 0, 0),
    ],
)
def test_a_rule(
    claimed: bool, conclusive: bool, interrupted: bool, ours: bytes | None, theirs: bytes | None, state: int,
    late_room: int | None, outcome: Outcome, we_owe: int, loss: int,
) -> None:  # fmt: skip
    ledger = Ledger()
    item = unknown(ledger, interrupted=interrupted)
    if ours is not None:
        ledger.add_evidence(item, ours)
    ledger.take_batch()
    answer = UnknownAnswer(item, claimed, conclusive, Item(int(claimed), ItemState(state), theirs))
    [found] = resolve_unknown(ledger, [answer], "bob", NOW, late_room)
    assert found.outcome is outcome
    assert (item.id in ledger.unknown) is (outcome not in CLOSED)
    bob, lost = ledger.account("peer/bob", USD), ledger.account("loss/USD/9", USD)
    assert (bob.payable, lost.net) == (we_owe, loss)
    assert ledger.check() == []
    batch = ledger.take_batch()
    records = [] if batch is None else list(decode_records(b"".join(batch.records)))
    memos = [Memo.decode(record.memo) for record in records if isinstance(record, Resolved)]
    assert [memo.by for memo in memos] == ["statement of bob"] * (outcome in CLOSED)
    for memo in memos:
        assert (memo.kind == LATE_CLAIM) is (outcome is Outcome.LATE_ACCEPTED)
        assert theirs is None or theirs.hex() in memo.reason  # the evidence is in the record that resolves


def test_the_limit_of_late_claims_is_one_for_all() -> None:
    ledger = Ledger()
    answers = [UnknownAnswer(unknown(ledger), True, True, Item(1, ItemState(0), PROOF)) for _ in range(3)]
    found = resolve_unknown(ledger, answers, "bob", NOW, 10)
    assert [one.outcome for one in found] == [Outcome.LATE_ACCEPTED, Outcome.LATE_ACCEPTED, Outcome.LATE]


def test_what_somebody_else_resolved_meanwhile_is_left_alone() -> None:
    ledger = Ledger()
    item = unknown(ledger)
    ledger.resolve(item, delivered=False, memo="a person")
    answer = UnknownAnswer(item, True, True, Item(1, ItemState(0), PROOF))
    assert resolve_unknown(ledger, [answer], "bob", NOW, None) == []


def test_a_proof_that_comes_in_time_after_a_restart_is_passed_on() -> None:
    ledger = Ledger()
    legs = ((ledger.account("peer/alice", USD), ledger.account("peer/bob", USD), 5),)
    hold = ledger.hold(legs, CONDITION, NOW + 5_000, True)
    assert isinstance(hold, Hold)
    journal = ledger.requests.of("alice")
    journal.receive(b"id", b"octets", NOW + 6_000, durable=True)
    journal.hold(b"id", hold.id)
    item = ledger.give_up(hold, interrupted=True)
    answer = UnknownAnswer(item, True, False, Item(1, ItemState(0), PROOF))
    [found] = resolve_unknown(ledger, [answer], "bob", NOW, 0)
    assert found.outcome is Outcome.RELAYED
    assert (ledger.account("peer/alice", USD).net, ledger.account("peer/bob", USD).net) == (5, -5)
    assert journal.find(b"id") is not None
    assert ledger.account("loss/USD/9", USD).net == 0


def test_a_proof_is_kept_with_the_item_that_was_claimed() -> None:
    """Two packets of one condition and different amounts: the peer counts the second."""
    ledger = Ledger()
    first, second = unknown(ledger, amount=5), unknown(ledger, amount=7)
    answers = [
        UnknownAnswer(first, False, True, Item(0, ItemState(0), None)),
        UnknownAnswer(second, True, True, Item(1, ItemState(0), PROOF)),
    ]
    found = resolve_unknown(ledger, answers[::-1], "bob", NOW, 0)

    assert [one.outcome for one in found] == [Outcome.LATE, Outcome.RELEASED]
    assert (second.fulfillment, list(ledger.unknown.values())) == (PROOF, [second])
