"""A statement's lines add up, whatever they are put together by, and wherever it begins and ends."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.past import Past, PostingKind
from interledger.accounts.books.statement import By, Statement, StatementReport, find_accounts
from interledger.accounts.entries import LedgerAccount
from interledger.errors import InvalidRequestError, NotFoundError

USD, EUR = Asset("USD", 9), Asset("EUR", 9)
NOON = 1_795_262_400_000


def statement(journal: Any, name: str = "peer/alice", opening: int = 0, **options: Any) -> StatementReport:
    past = Past(journal.openings[opening])
    made = Statement(name, EUR if name == "peer/bob" else USD, **options)
    made.begin(past)
    for commit in journal.commits[past.seq :]:
        for posting in past.feed(commit):
            made.feed(posting)
    return made.finish(past)


@pytest.fixture
def busy(journal: Any) -> Any:
    for _ in range(3):
        journal.exchange(1_000, 900)
        journal.forward(500, 2)
        journal.commit()
    journal.commit(snapshot=True)
    journal.ledger.post(((journal.account("external/bank", USD), journal.alice, 4_000),), "settled")
    journal.commit()
    journal.exchange(100, 90)
    journal.hold((journal.alice, journal.carol, 7))
    lost, _ = journal.hold((journal.alice, journal.carol, 9))
    journal.ledger.give_up(lost)
    journal.commit()
    return journal


def rows(report: StatementReport) -> list[tuple[Any, ...]]:
    return [(line.others, line.debit, line.credit, line.net, line.packets) for line in report.lines]


def test_every_packet_has_a_line(busy: Any) -> None:
    report = statement(busy)
    assert rows(report)[:2] == [(("fx/USD/9",), 1_000, 0, 1_000, 1), (("peer/carol", "fee/USD/9"), 500, 0, 1_500, 1)]
    assert rows(report)[-2:] == [(("external/bank",), 0, 4_000, 500, 0), (("fx/USD/9",), 100, 0, 600, 1)]
    assert (report.opening_net, report.closing_net, report.debits, report.credits) == (0, 600, 4_600, 4_000)
    assert (report.pending_in, report.pending_out) == (7, 0)
    assert statement(busy, "peer/carol").unknown[0].amount == 9


@pytest.mark.parametrize("by", [By.MINUTE, By.HOUR, By.DAY])
def test_packets_are_put_together_and_entries_stay_apart(busy: Any, by: By) -> None:
    assert rows(statement(busy, by=by)) == [
        (("fx/USD/9",), 3_000, 0, 3_000, 3),
        (("peer/carol", "fee/USD/9"), 1_500, 0, 4_500, 3),
        (("external/bank",), 0, 4_000, 500, 0),
        (("fx/USD/9",), 100, 0, 600, 1),
    ]


@pytest.mark.parametrize(
    ("start", "end", "opening_net", "closing_net", "count"),
    [(None, None, 0, 600, 8), (1_000, None, 0, 600, 8), (2_000, None, 1_500, 600, 6), (None, 2_000, 0, 1_500, 2),
     (2_000, 3_000, 1_500, 3_000, 2), (90_000, None, 600, 600, 0)],
)  # fmt: skip
def test_a_part_of_the_time(
    busy: Any, start: int | None, end: int | None, opening_net: int, closing_net: int, count: int
) -> None:
    times = {"start": None if start is None else NOON + start, "end": None if end is None else NOON + end}
    report = statement(busy, **times)
    assert (report.opening_net, report.closing_net, len(report.lines)) == (opening_net, closing_net, count)


def test_what_is_older_than_the_journal_is_the_opening_balance(busy: Any) -> None:
    report = statement(busy, opening=1)
    assert (report.opening_net, report.closing_net) == (4_500, 600)
    assert report.kept_from == NOON + 4_000
    assert [line.kind for line in report.lines] == [PostingKind.ENTRY, PostingKind.PACKET]


def test_lines_that_do_not_fit_are_counted_and_still_add_up(busy: Any) -> None:
    report = statement(busy, lines_max=3)
    assert (len(report.lines), report.more, report.closing_net) == (3, 5, 600)


def test_an_account_that_never_was(busy: Any) -> None:
    with pytest.raises(NotFoundError, match="“peer/eve” in USD/9"):
        statement(busy, "peer/eve")


def test_names_as_people_say_them() -> None:
    names = [("peer/bob", EUR), ("peer/bob", USD), ("local/carol", USD), ("fx/USD/9", USD), ("peer/x", USD),
             ("local/x", USD)]  # fmt: skip
    accounts = [LedgerAccount(i, name, asset) for i, (name, asset) in enumerate(names)]
    assert find_accounts(accounts, "carol") is accounts[2]
    assert find_accounts(accounts, "fx/USD/9") is accounts[3]
    assert find_accounts(accounts, "x") is accounts[4]
    assert find_accounts(accounts, "local/x") is accounts[5]
    assert find_accounts(accounts, "bob", USD) is accounts[1]
    with pytest.raises(InvalidRequestError, match="kept in EUR/9 or USD/9"):
        find_accounts(accounts, "bob")
    with pytest.raises(NotFoundError):
        find_accounts(accounts, "carol", EUR)
