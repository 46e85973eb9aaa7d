"""A report is good unless something failed."""

from __future__ import annotations

import pytest

from interledger.accounts.account import AccountId
from interledger.application.peering.report import CheckItem, CheckReport, Verdict


@pytest.mark.parametrize(
    ("verdicts", "good"),
    [
        ([], True),
        ([Verdict.OK, Verdict.WARNING, Verdict.SKIPPED], True),
        ([Verdict.OK, Verdict.FAILED], False),
    ],
)
def test_good(verdicts: list[Verdict], good: bool) -> None:
    report = CheckReport(AccountId("bob"), tuple(CheckItem("echo", verdict, "…") for verdict in verdicts))
    assert (report.good, report.as_document()["good"]) == (good, good)
    assert [item["verdict"] for item in report.as_document()["items"]] == [str(verdict) for verdict in verdicts]
