"""Every posting of a journal, once, in order, wherever one begins."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.past import JournalError, Past, PostingKind

USD = Asset("USD", 9)


def test_what_moves_money_is_a_posting_and_nothing_else(journal: Any) -> None:
    executed = journal.exchange(1_000, 900)
    released, _ = journal.hold((journal.alice, journal.carol, 1))
    journal.ledger.release(released)
    journal.commit()
    lost, _ = journal.hold((journal.alice, journal.carol, 70))
    unknown = journal.ledger.give_up(lost)
    journal.commit()
    journal.ledger.resolve(unknown, delivered=True, memo=Memo("resolution", "me", "seen").encode())
    journal.ledger.post(((journal.carol, journal.account("external/bank", USD), 5),), "settled")
    journal.commit()
    past, postings = journal.past()
    assert [(p.seq, p.kind, p.id, p.memo.kind, [leg[2] for leg in p.legs]) for p in postings] == [
        (1, PostingKind.PACKET, executed.id, "", [1_000, 900]),
        (3, PostingKind.RESOLUTION, unknown.id, "resolution", [70]),
        (3, PostingKind.ENTRY, 0, "settled", [5]),
    ]
    assert [(a.name, a.net) for a in past.ledger.accounts] == [(a.name, a.net) for a in journal.ledger.accounts]
    assert (past.seq, past.commits) == (3, 3)


def test_a_resolution_that_was_not_delivered_moves_nothing(journal: Any) -> None:
    lost, _ = journal.hold((journal.alice, journal.carol, 70))
    journal.ledger.resolve(journal.ledger.give_up(lost), delivered=False, memo="")
    journal.commit()
    assert journal.past()[1] == []


def test_from_a_snapshot_only_what_came_later(journal: Any) -> None:
    journal.exchange(1_000, 900)
    held, fulfillment = journal.hold((journal.alice, journal.carol, 7))
    journal.commit(snapshot=True)
    journal.ledger.execute(held, fulfillment)
    journal.commit()
    past, postings = journal.past(journal.openings[1])
    assert [(p.seq, p.legs[0][2]) for p in postings] == [(2, 7)]
    assert past.ledger.accounts[0].net == 1_007


def test_a_record_that_fits_nothing_is_named(journal: Any) -> None:
    journal.exchange(1_000, 900)
    journal.commit()
    journal.commits[0] = journal.commits[0]._replace(records=journal.commits[0].records + b"\x05" + bytes(8))
    past = Past(journal.openings[0])
    with pytest.raises(JournalError, match="fits nothing before it") as caught:
        list(past.feed(journal.commits[0]))
    assert (caught.value.seq, caught.value.number) == (1, 13)
