"""A check passes sound books, and names the first record of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.check import BooksCheck, CheckReport
from interledger.accounts.books.past import Commit, Opening
from interledger.accounts.records import (
    EntryPosted,
    Record,
    decode_records,
    encode_counters,
    encode_entry,
    encode_evidence,
    encode_executed,
    encode_held,
)
from interledger.accounts.snapshot import capture, encode_snapshot

USD = Asset("USD", 9)


def checked(journal: Any, commits: list[Commit] | None = None, openings: list[Opening] | None = None) -> CheckReport:
    check = BooksCheck(openings or journal.openings)
    for commit in commits or journal.commits:
        check.feed(commit)
    return check.finish()


@pytest.fixture
def busy(journal: Any) -> Any:
    """Six commits with everything that can happen, a snapshot after the third."""
    journal.exchange(1_000, 900)
    journal.commit()
    journal.forward(500, 2)
    journal.commit()
    held, fulfillment = journal.hold((journal.alice, journal.carol, 70))
    lost = journal.ledger.give_up(held)
    journal.commit(snapshot=True)
    journal.ledger.add_evidence(lost, fulfillment)
    journal.commit()
    journal.ledger.resolve(lost, delivered=True, memo="seen")
    journal.ledger.post(((journal.carol, journal.account("correction/USD/9", USD), 5),), "by hand")
    journal.commit()
    journal.hold((journal.alice, journal.carol, 11))
    other, _ = journal.hold((journal.alice, journal.carol, 12))
    journal.ledger.give_up(other)
    journal.commit(snapshot=True)
    return journal


def test_sound_books(busy: Any) -> None:
    report = checked(busy)
    assert report.faults == []
    assert report.sound
    assert (report.opening_seq, report.last_seq, report.commits, report.snapshots) == (0, 6, 6, 2)
    assert report.records == sum(len(list(decode_records(commit.records))) for commit in busy.commits)
    assert (report.holds, report.unknown) == (1, 1)
    assert {(str(b.asset), b.posted, b.pending) for b in report.balances} == {("USD/9", 0, 0), ("EUR/9", 0, 0)}


def test_from_a_later_opening(busy: Any) -> None:
    report = checked(busy, busy.commits[3:], busy.openings[1:])
    assert report.sound
    assert (report.opening_seq, report.commits, report.snapshots) == (3, 3, 1)


def test_no_books_at_all_are_sound() -> None:
    report = BooksCheck([Opening(0, 0, None)]).finish()  # type: ignore[arg-type]
    assert report.sound
    assert report.balances == []


def changed(commits: list[Commit], seq: int, change: Callable[[list[Record]], bytes]) -> list[Commit]:
    made = list(commits)
    made[seq - 1] = commits[seq - 1]._replace(records=change(list(decode_records(commits[seq - 1].records))))
    return made


CASES: dict[str, tuple[int, Callable[[bytes], bytes], int, str]] = {
    "an entry to nowhere": (
        1, lambda octets: octets + encode_entry("x", ((0, 99, 5),)), 1, "a leg names account 99, 5 are open"),
    "from one asset to another": (
        1, lambda octets: octets + encode_entry("x", ((0, 1, 5),)), 1, "goes from one asset to another"),
    "an entry that the counters do not have": (
        2, lambda octets: encode_entry("x", ((0, 2, 5),)) + octets, 0, "peer/alice (USD/9) had 1500 debits"),
    "executed without its fulfillment": (
        2, lambda octets: octets + encode_held(9, True, 0, bytes(32), ((0, 2, 5),)) + encode_executed(9, bytes(32)),
        2, "packet 9 was executed without its fulfillment"),
    "evidence that is none": (
        3, lambda octets: octets + encode_evidence(3, bytes(32)), 1, "the evidence for unknown item 3 is not"),
    "held twice": (
        1, lambda octets: octets + 2 * encode_held(9, True, 0, bytes(32), ((0, 2, 5),)), 2, "9 is held a second"),
    "counters of their own": (
        4, lambda octets: octets + encode_counters(0, 7, 7), 1, "peer/alice (USD/9) had 7 debits and 7 credits then"),
    "cut off": (1, lambda octets: octets[:-3], 0, "the journal's record at octet"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_J5_the_first_record_that_differs_is_named(busy: Any, name: str) -> None:
    seq, change, number, says = CASES[name]
    commits = list(busy.commits)
    commits[seq - 1] = commits[seq - 1]._replace(records=change(commits[seq - 1].records))
    report = checked(busy, commits)
    [fault] = report.faults
    assert says in fault.text
    count = len(list(decode_records(busy.commits[seq - 1].records)))
    assert (fault.seq, fault.number, fault.at) == (seq, count + number, busy.commits[seq - 1].at)


def test_J5_a_snapshot_that_says_otherwise(busy: Any) -> None:
    """The journal was changed with all its counters: the node's memory of that moment still knows better."""
    busy.ledger.accounts[0].debits_posted += 5
    busy.ledger.accounts[2].credits_posted += 5
    forged = Opening(6, busy.openings[2].at, encode_snapshot(capture(busy.ledger)))
    report = checked(busy, openings=[*busy.openings[:2], forged])
    assert [fault.text.split(":")[0] for fault in report.faults] == ["peer/alice (USD/9)", "peer/carol (USD/9)"]
    # alice was not posted to since the snapshot before, carol first by the resolution in commit 5
    assert [(fault.seq, fault.number) for fault in report.faults] == [(None, None), (5, 1)]


def test_J5_a_snapshot_with_another_count_of_accounts(busy: Any) -> None:
    busy.account("peer/eve", USD)
    forged = Opening(6, busy.openings[2].at, encode_snapshot(capture(busy.ledger)))
    report = checked(busy, openings=[*busy.openings[:2], forged])
    assert "has 10 accounts, the journal opened 9" in report.faults[0].text


@pytest.mark.parametrize("state", [b"", b"\x01", bytes(40)])
def test_J5_a_snapshot_that_cannot_be_read(busy: Any, state: bytes) -> None:
    openings = [*busy.openings[:1], busy.openings[1]._replace(state=state)]
    assert "the snapshot of commit 3" in checked(busy, openings=openings).faults[0].text
    assert "the opening balance" in checked(busy, openings=openings[1:]).faults[0].text


def test_a_fault_ends_it(busy: Any) -> None:
    check = BooksCheck(busy.openings)
    check.feed(busy.commits[0]._replace(records=b"\xff"))
    assert check.ended
    check.feed(busy.commits[0])
    assert check.finish().commits == 0


def test_an_entry_is_an_entry(busy: Any) -> None:
    assert any(isinstance(record, EntryPosted) for record in decode_records(busy.commits[4].records))
