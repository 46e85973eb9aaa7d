"""What peers were asked is known after a restart, as long as an answer is of use."""

from __future__ import annotations

import pytest

from interledger.accounts import asked as module
from interledger.accounts.asked import AskedJournal
from interledger.accounts.asset import Asset
from interledger.accounts.entries import make_hold
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.records import decode_records
from interledger.accounts.recovery import recover
from interledger.accounts.request_records import PacketAsked, encode_asked
from interledger.accounts.snapshot import capture, decode_snapshot, encode_snapshot, restore

USD = Asset("USD", 9)
PROOF = bytes(32)


def held(ledger: Ledger, number: int) -> Hold:
    alice, bob = (ledger.account(name, USD) for name in ("peer/alice", "peer/bob"))
    hold = ledger.hold(((alice, bob, number),), bytes(32), 1_000, True)
    assert isinstance(hold, Hold)
    ledger.asked.add(hold.id, "bob", b"%d" % number, b"prepare %d" % number)
    return hold


def ids(ledger: Ledger) -> list[bytes]:
    return [item.request_id for item in ledger.asked.of("bob")]


def replayed(ledger: Ledger) -> Ledger:
    batch = ledger.take_batch()
    assert batch is not None
    again = Ledger()
    for record in decode_records(b"".join(batch.records)):
        again.apply(record)
    return again


def test_an_answer_ends_it() -> None:
    ledger = Ledger()
    holds = [held(ledger, number) for number in range(1, 4)]
    assert ids(ledger) == [b"1", b"2", b"3"]
    assert ledger.asked.of("carol") == []
    ledger.execute(holds[0], PROOF)
    ledger.release(holds[1])
    assert ids(ledger) == [b"3"]
    assert ledger.asked.find("bob", b"1") is None
    assert ledger.asked.find("bob", b"3") == PacketAsked(holds[2].id, "bob", b"3", b"prepare 3")
    ledger.give_up(holds[2])
    assert ids(ledger) == []  # its time was up while this node was there


def test_a_restart_does_not() -> None:
    ledger = Ledger()
    for number in (1, 2):
        held(ledger, number)
    again = replayed(ledger)
    recover(again)
    assert ids(again) == [b"1", b"2"]
    unknown, other = again.unknown.values()
    again.add_evidence(unknown, PROOF)
    assert ids(again) == [b"2"]
    from_snapshot = Ledger()
    restore(from_snapshot, decode_snapshot(encode_snapshot(capture(again))))
    assert ids(from_snapshot) == [b"2"]
    again.resolve(other, delivered=False, memo="")
    assert ids(again) == []


def test_what_is_answered_is_dropped_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ENDED_KEPT", 10)
    records: list[bytes] = []
    holds: dict[int, Hold] = {}
    journal = AskedJournal(records.append, holds, {})
    for number in range(100):
        holds.clear()
        holds[number] = make_hold(number, (), bytes(32), 1_000, True)
        journal.add(number, "bob", b"%d" % number, b"")
    assert len(journal._items) <= 2 + 10
    assert journal.capture() == [encode_asked(99, "bob", b"99", b"")]
    assert len(records) == 100
