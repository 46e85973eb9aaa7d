"""A snapshot and the journal after it make the same books as the whole journal."""

from __future__ import annotations

import random

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.records import decode_records
from interledger.accounts.snapshot import capture, decode_snapshot, encode_snapshot, restore
from interledger.errors import DecodeError, LedgerError

USD = Asset("USD", 9)
PROOF = bytes(range(32))
U64 = 2**64 - 1


def act(ledger: Ledger, dice: random.Random, steps: int) -> None:
    names = ["alice", "bob", "名前"]
    for _ in range(steps):
        source, target = dice.sample(names, 2)
        legs = ((ledger.account(f"peer/{source}", USD), ledger.account(f"peer/{target}", USD), dice.choice([1, U64])),)
        hold = ledger.hold(legs, bytes(32), dice.randint(0, 10**13), dice.random() < 0.5)
        assert isinstance(hold, Hold)
        match dice.randrange(5):
            case 0:
                ledger.execute(hold, PROOF)
            case 1:
                ledger.release(hold)
            case 2:
                ledger.give_up(hold)
            case 3:
                ledger.add_evidence(ledger.give_up(hold, interrupted=True), PROOF)


def state(ledger: Ledger) -> object:
    return (
        [(a.name, a.asset, a.debits_posted, a.debits_pending, a.credits_posted, a.credits_pending)
         for a in ledger.accounts],
        [(h.id, h.condition, h.expires_at, h.remote, [(d.index, c.index, n) for d, c, n in h.legs])
         for h in ledger.holds.values()],
        [(u.id, u.account.index, u.amount, u.condition, u.expires_at, u.fulfillment, u.interrupted)
         for u in ledger.unknown.values()],
        ledger.next_id,
    )  # fmt: skip


def restored(octets: bytes) -> Ledger:
    ledger = Ledger()
    restore(ledger, decode_snapshot(octets))
    return ledger


@pytest.mark.parametrize("seed", range(20))
def test_snapshot_and_later_journal_are_the_books(seed: int) -> None:
    dice = random.Random(seed)
    ledger = Ledger()
    act(ledger, dice, dice.randrange(30))
    octets = encode_snapshot(capture(ledger))
    ledger.take_batch()
    act(ledger, dice, 10)
    again = restored(octets)
    batch = ledger.take_batch()
    assert batch is not None
    for record in decode_records(b"".join(batch.records)):
        again.apply(record)
    again.end_replay()
    assert state(again) == state(ledger)
    assert again.check() == []


def test_a_snapshot_does_not_change_when_the_ledger_goes_on() -> None:
    ledger = Ledger()
    act(ledger, random.Random(1), 20)
    taken = capture(ledger)
    before = encode_snapshot(taken)
    for unknown in ledger.unknown.values():
        ledger.add_evidence(unknown, PROOF)
    act(ledger, random.Random(2), 20)
    assert encode_snapshot(taken) == before


def test_an_empty_ledger() -> None:
    assert state(restored(encode_snapshot(capture(Ledger())))) == state(Ledger())


def test_J5_a_snapshot_cut_anywhere_is_refused() -> None:
    ledger = Ledger()
    act(ledger, random.Random(3), 8)
    octets = encode_snapshot(capture(ledger))
    for end in range(len(octets)):
        with pytest.raises((DecodeError, LedgerError)):
            restored(octets[:end])


def test_J11_a_snapshot_of_another_version_is_refused() -> None:
    with pytest.raises(DecodeError, match="version 4, this program reads versions up to 3"):
        decode_snapshot(b"\x04" + encode_snapshot(capture(Ledger()))[1:])


def test_a_snapshot_of_version_1_is_read() -> None:
    ledger = Ledger()
    act(ledger, random.Random(4), 20)
    assert state(restored(b"\x01" + encode_snapshot(capture(ledger))[1:])) == state(ledger)


def test_requests_come_back_as_they_were() -> None:
    ledger = Ledger()
    for account in ("alice", "bob"):
        journal = ledger.requests.of(account)
        for number in range(3):
            journal.receive(bytes([number]), b"prepare", 1000, durable=number > 0)
            journal.hold(bytes([number]), number)
        journal.answer(b"\x02", b"fulfill")
    assert len(ledger.requests.capture()) == 4
    again = restored(encode_snapshot(capture(ledger)))
    assert again.requests.capture() == ledger.requests.capture()


def test_a_snapshot_ends_with_holds_and_requests_only() -> None:
    octets = encode_snapshot(capture(Ledger())) + b"\x04" + bytes(8)
    with pytest.raises(DecodeError, match="neither a hold nor a request"):
        decode_snapshot(octets)


def test_J5_pending_counters_that_no_hold_explains_are_refused() -> None:
    ledger = Ledger()
    ledger.account("peer/alice", USD).debits_pending = 5
    with pytest.raises(LedgerError, match="peer/alice \\(USD/9\\) has 5 debits and 0 credits pending in the snapshot"):
        restored(encode_snapshot(capture(ledger)))
