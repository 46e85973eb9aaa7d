"""A fulfillment that comes too late is kept with the amount it proves; one in time is relayed, and charged once."""

from __future__ import annotations

import hashlib

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.evidence import (
    RELAY_MARGIN_MS,
    receive_late_fulfillment,
    receive_late_reject,
    receive_late_reply,
    to_ask_again,
)
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.records import Executed, Held, Resolved, decode_records
from interledger.accounts.recovery import recover
from interledger.accounts.snapshot import capture, decode_snapshot, encode_snapshot, restore
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.ilp.packet import Fulfill, Reject, Reply

USD = Asset("USD", 9)
PROOF = bytes(range(32))
EXPIRES = 100_000
IN_TIME = Timestamp(EXPIRES - RELAY_MARGIN_MS)


def late(ledger: Ledger, account: str = "peer/bob", proof: bytes = PROOF, now: Timestamp = IN_TIME) -> bool:
    return receive_late_fulfillment(ledger, account, proof, b"fulfill", now)


def restarted(*, asked: bool = True, limit: int = 1_000) -> Ledger:
    """Books in which alice's packet of 105 went to bob as 100, when the node was killed."""
    ledger = Ledger()
    alice, bob, fee = (ledger.account(name, USD) for name in ("peer/alice", "peer/bob", "fee/USD/9"))
    alice.debit_max = limit
    journal = ledger.requests.of("alice")
    if asked:
        journal.receive(b"id", b"prepare", EXPIRES, durable=True)
    hold = ledger.hold(((alice, fee, 5), (alice, bob, 100)), hashlib.sha256(PROOF).digest(), EXPIRES - 1000, True)
    assert isinstance(hold, Hold)
    if asked:
        journal.hold(b"id", hold.id)
    ledger.asked.add(hold.id, "bob", b"onward", b"prepare")
    recover(ledger)
    ledger.take_batch()
    return ledger


def nets(ledger: Ledger) -> list[int]:
    return [account.net for account in ledger.accounts[:3]]


def test_in_time_it_is_relayed_and_both_sides_are_charged() -> None:
    ledger = restarted()
    assert late(ledger)
    assert nets(ledger) == [105, -100, -5]
    assert not ledger.unknown
    assert ledger.check() == []
    batch = ledger.take_batch()
    assert batch is not None
    assert [(request_id, reply) for _, request_id, reply in batch.replies] == [(b"id", b"fulfill")]
    assert ledger.requests.of("alice").find(b"id").answer == b"fulfill"  # type: ignore[union-attr]  # it is there
    assert not late(ledger)  # its repetition finds nothing open


def test_what_it_writes_is_a_packet_that_left_and_was_fulfilled() -> None:
    ledger = restarted()
    told: list[tuple[object, object]] = []
    ledger.requests.of("alice").on_answer = lambda *answer: told.append(answer)
    late(ledger)
    batch = ledger.take_batch()
    assert batch is not None
    held, resolved, executed = list(decode_records(b"".join(batch.records)))[:3]
    assert (type(held), type(executed)) == (Held, Executed)
    assert held.remote  # type: ignore[union-attr]  # as the line above says
    assert (type(resolved), resolved.delivered) == (Resolved, False)  # type: ignore[union-attr]
    for send, request_id, reply in batch.replies:
        send(request_id, reply)
    assert told == [(b"id", b"fulfill")]


@pytest.mark.parametrize(("asked", "now"), [(True, Timestamp(IN_TIME + 1)), (False, IN_TIME)])
def test_too_late_or_when_nobody_asks_it_is_kept_as_proof(asked: bool, now: Timestamp) -> None:
    ledger = restarted(asked=asked)
    assert late(ledger, now=now)
    assert nets(ledger) == [0, 0, 0]
    assert [unknown.fulfillment for unknown in ledger.unknown.values()] == [PROOF]
    assert late(ledger, now=now)  # its repetition


def test_when_the_credit_went_elsewhere_it_is_kept_as_proof() -> None:
    ledger = restarted(limit=110)
    alice, bob = ledger.accounts[:2]
    assert isinstance(ledger.hold(((alice, bob, 10),), bytes(32), EXPIRES, True), Hold)
    assert late(ledger)
    assert [unknown.fulfillment for unknown in ledger.unknown.values()] == [PROOF]
    assert ledger.check() == []


def test_a_second_restart_behind_a_snapshot_leaves_the_proof() -> None:
    ledger = Ledger()
    restore(ledger, decode_snapshot(encode_snapshot(capture(restarted()))))
    assert late(ledger)
    assert [unknown.fulfillment for unknown in ledger.unknown.values()] == [PROOF]


def test_of_another_peer_or_condition_it_is_nothing() -> None:
    ledger = restarted()
    assert not late(ledger, "peer/alice")
    assert not late(ledger, proof=bytes(32))
    assert [unknown.fulfillment for unknown in ledger.unknown.values()] == [None]


def test_while_it_is_relayed_the_amount_is_not_counted_twice_against_what_we_may_owe() -> None:
    ledger = restarted()
    bob = ledger.accounts[1]
    bob.credit_max = 100
    assert late(ledger)
    assert (nets(ledger), bob.unknown) == ([105, -100, -5], 0)


def test_what_was_asked_is_asked_again_until_it_expires() -> None:
    ledger = restarted()
    ((asked, expires_at),) = to_ask_again(ledger, "bob", Timestamp(EXPIRES - 1001))
    assert (asked.request_id, asked.octets, expires_at) == (b"onward", b"prepare", EXPIRES - 1000)
    assert to_ask_again(ledger, "bob", Timestamp(EXPIRES - 1000)) == []
    assert to_ask_again(ledger, "alice", IN_TIME) == []


@pytest.mark.parametrize("written", [True, False])
def test_a_reject_after_a_restart_ends_it_and_is_relayed_once_it_is_written(written: bool) -> None:
    ledger = restarted()
    journal = ledger.requests.of("alice")
    told: list[tuple[bytes, bytes]] = []
    journal.on_answer = lambda *answer: told.append(answer)
    assert receive_late_reject(ledger, "bob", b"onward", b"reject")
    assert (nets(ledger), ledger.unknown, ledger.check()) == ([0, 0, 0], {}, [])
    assert told == []
    batch = ledger.take_batch()
    assert batch is not None
    for waiter in batch.waiters:
        waiter(None if written else StoreError("no"))
    assert told == ([(b"id", b"reject")] if written else [])
    state = journal.find(b"id")
    assert state is not None
    assert state.answer == (b"reject" if written else b"")
    assert not receive_late_reject(ledger, "bob", b"onward", b"reject")


@pytest.mark.parametrize(("account", "request_id"), [("bob", b"other"), ("alice", b"onward")])
def test_a_reject_of_what_nobody_asked_changes_nothing(account: str, request_id: bytes) -> None:
    ledger = restarted()
    assert not receive_late_reject(ledger, account, request_id, b"reject")
    assert len(ledger.unknown) == 1


def test_A11_a_reject_behind_the_fulfillment_changes_nothing() -> None:
    ledger = restarted(asked=False)
    assert late(ledger)
    assert not receive_late_reject(ledger, "bob", b"onward", b"reject")
    assert len(ledger.unknown) == 1


def test_a_reject_that_nobody_waits_for_ends_it_too() -> None:
    ledger = restarted(asked=False)
    assert receive_late_reject(ledger, "bob", b"onward", b"reject")
    assert (nets(ledger), ledger.unknown) == ([0, 0, 0], {})


@pytest.mark.parametrize(
    ("reply", "expected"), [(Fulfill(PROOF), [105, -100, -5]), (Reject("F99", "test.bob"), [0, 0, 0])]
)
def test_either_answer_ends_it_and_is_relayed(reply: Reply, expected: list[int]) -> None:
    ledger = restarted()
    told: list[tuple[object, object]] = []
    ledger.requests.of("alice").on_answer = lambda *answer: told.append(answer)
    assert receive_late_reply(ledger, "bob", "peer/bob", b"onward", reply, b"octets", IN_TIME)
    assert (nets(ledger), len(ledger.unknown)) == (expected, 0)
    batch = ledger.take_batch()
    assert batch is not None
    for send, request_id, octets in batch.replies:
        send(request_id, octets)
    for waiter in batch.waiters:
        waiter(None)
    assert told == [(b"id", b"octets")]


def test_no_answer_ends_what_was_asked_of_others() -> None:
    ledger = restarted()
    for account, name in (("bob", "peer/alice"), ("alice", "peer/alice")):
        assert not receive_late_reply(ledger, account, name, b"onward", Fulfill(PROOF), b"octets", IN_TIME)
    assert not receive_late_reply(ledger, "alice", "peer/bob", b"onward", Reject("F99", "test.bob"), b"octets", IN_TIME)
    assert len(ledger.unknown) == 1
