"""The chart of accounts: every account the node opens is in it, and in the documents."""

from __future__ import annotations

import pytest

from interledger.accounts.books.chart import CHART, AccountClass, row_of
from tools.source import ROOT


@pytest.mark.parametrize(
    ("name", "account_class", "may_correct"),
    [
        ("peer/bob", AccountClass.ASSET, False),
        ("peer/bob/transit", AccountClass.ASSET, False),
        ("peer/bob/suspense", AccountClass.ASSET, False),
        ("local/bob", AccountClass.LIABILITY, False),
        ("fx/USD/9", AccountClass.EQUITY, True),
        ("fee/USD/9", AccountClass.INCOME, True),
        ("loss/USD/9", AccountClass.EXPENSE, True),
        ("correction/USD/9", AccountClass.EXPENSE, True),
        ("external/xrp", AccountClass.ASSET, True),
        ("something", AccountClass.EQUITY, True),
    ],
)
def test_a_name_has_its_row(name: str, account_class: AccountClass, may_correct: bool) -> None:
    row = row_of(name)
    assert (row.account_class, row.may_correct) == (account_class, may_correct)


def test_the_chart_is_documented() -> None:
    text = (ROOT / "docs" / "explanation" / "money.md").read_text(encoding="utf-8")
    rows = [f"| `{row.pattern}` | {row.account_class} | {row.meaning} |" for row in CHART]
    assert [row for row in rows if row not in text] == []
