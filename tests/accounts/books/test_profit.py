"""Profit and loss, exactly."""

from __future__ import annotations

from typing import Any

from interledger.accounts.asset import Asset
from interledger.accounts.books.profit import AssetResult, PairResult, Profit, ProfitReport

USD, EUR = Asset("USD", 9), Asset("EUR", 9)
NOON = 1_795_262_400_000


def profit(journal: Any, **times: int) -> ProfitReport:
    made = Profit(**times)
    past, postings = journal.past()
    for posting in postings:
        made.feed(posting)
    return made.finish(past)


def test_fees_losses_corrections_and_positions(journal: Any) -> None:
    journal.exchange(1_000, 900)
    journal.exchange(100, 91)
    journal.commit()
    journal.forward(500, 2)
    lost, _ = journal.hold((journal.alice, journal.carol, 70))
    journal.ledger.resolve(journal.ledger.give_up(lost), delivered=True, memo="")
    journal.ledger.post(((journal.account("correction/USD/9", USD), journal.carol, 5),), "by hand")
    journal.commit()
    report = profit(journal)
    assert report.assets == [
        AssetResult(EUR, fees=0, losses=0, corrections=0, taken=0, given=991, position=-991),
        AssetResult(USD, fees=2, losses=70, corrections=5, taken=1_100, given=0, position=1_100),
    ]
    assert report.pairs == [PairResult(USD, EUR, 2, 1_100, 991)]
    assert profit(journal, start=NOON + 2_000).pairs == []
    assert profit(journal, end=NOON + 2_000).assets[1].fees == 0


def test_nothing_happened(journal: Any) -> None:
    journal.commit()
    assert profit(journal).assets == []
