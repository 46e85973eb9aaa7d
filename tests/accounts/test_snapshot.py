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
        [(u.id, u.account.index, u.amount, u.since) for u in ledger.unproven.items.values()],
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
    with pytest.raises(DecodeError, match="version 6, this program reads versions up to 5"):
        decode_snapshot(b"\x06" + encode_snapshot(capture(Ledger()))[1:])


def test_a_snapshot_of_version_1_is_read() -> None:
    ledger = Ledger()
    act(ledger, random.Random(4), 20)
    assert state(restored(b"\x01" + encode_snapshot(capture(ledger))[1:])) == state(ledger)


# Made by the version before claims were kept: a snapshot of version 3, and the journal after it.
SNAPSHOT_3 = bytes.fromhex(
    "03000000000000000300000004000000010a706565722f616c69636503555344090203e800000008706565722f626f620355"
    "534409000203e800000a6c6f73732f5553442f390355534409000001460011706565722f626f622f73757370656e73650355"
    "53440900000001460000000000000002000000010000000000000046630dcd2966c4336691125448bbb25b4ff412a49c732d"
    "b2c8abc1b8581bd710dd000000000000138803000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"
    "1f"
)
JOURNAL_3 = bytes.fromhex(
    "020000000000000003010000000000001770630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    "0100000000000000010000000000000005060000000000000002010a61206465636973696f6e010000000410636f72726563"
    "74696f6e2f5553442f3903555344090804636f72720100000000000000040000000000000000000000000000000309000000"
    "0200000000000000000000000000000046000000000000000000000000000000000900000001000000000000000000000000"
    "000000000000000000000000000000000000042e090000000400000000000000000000000000000000000000000000000000"
    "000000000000030900000000000000000000000000000000000003eb00000000000000000000000000000000"
)


def test_J11_books_of_the_version_before_are_read_and_go_on() -> None:
    ledger = restored(SNAPSHOT_3)
    assert [(u.id, u.amount, u.interrupted, u.fulfillment) for u in ledger.unknown.values()] == [(2, 70, True, PROOF)]
    for record in decode_records(JOURNAL_3):
        ledger.apply(record)
    ledger.end_replay()
    nets = {account.name: account.net for account in ledger.accounts if account.net}
    assert nets == {"peer/alice": 1003, "peer/bob": -1070, "loss/USD/9": 70, "correction/USD/9": -3}
    alice = ledger.find("peer/alice", USD)
    assert alice is not None
    ledger.unproven.set_aside(alice, 9, PROOF, 7000)
    assert state(restored(encode_snapshot(capture(ledger)))) == state(ledger)
    assert ledger.check() == []


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
