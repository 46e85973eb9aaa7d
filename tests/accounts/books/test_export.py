"""Exports balance in every asset, assert the end, and are read by the programs they are for."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.export import Beancount, ExportFormat, writer_of
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.readings import ExportReading
from interledger.accounts.books.statement import By
from interledger.accounts.books.transactions import Transactions

USD, EUR = Asset("USD", 9), Asset("EUR", 9)
NOON = 1_795_262_400_000


def export(journal: Any, form: str, *, opening: int = 0, by: By = By.DAY, **times: int) -> str:
    start = journal.openings[opening]
    reading = ExportReading(start, writer_of(ExportFormat(form)), Transactions(by=by, **times))
    text = ""
    for commit in journal.commits[start.seq :]:
        reading.feed(commit)
        text += reading.take()
    return text + reading.finish()


@pytest.fixture
def busy(journal: Any) -> Any:
    """Names and assets that not everybody's program takes."""
    journal.exchange(1_000_000_001, 900)
    journal.forward(500, 2)
    journal.commit(snapshot=True)
    odd = Asset("1INCH.E", 18)
    for name in ("peer/李_1", "peer/李_2", "local/_x", "peer/1st", "peer/éa"):
        journal.ledger.post(
            ((journal.account(name, odd), journal.account("external/bank", odd), 10**20 + 7),), "settled"
        )
    small = Asset("USD", 2)
    memo = Memo("correction", 'me "x" \\', "=1+1; a reason\twith signs".replace("\t", " "), "dec_1").encode()
    journal.ledger.post(((journal.account("peer/alice", small), journal.account("correction/USD/2", small), 5),), memo)
    journal.commit()
    journal.exchange(10**30 // 10**12, 5)
    journal.commit()
    return journal


def nets(journal: Any) -> dict[str, Fraction]:
    """What has to come out: accounts that differ in scale alone are one to other programs."""
    found: dict[str, Fraction] = {}
    for account in journal.ledger.accounts:
        key = f"{account.name} {account.asset.code}"
        found[key] = found.get(key, Fraction(0)) + Fraction(account.net, 10**account.asset.scale)
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("opening", [0, 1])
def test_beancount_reads_it_and_agrees(busy: Any, tmp_path: Path, by: By, opening: int) -> None:
    loader = pytest.importorskip("beancount.loader")
    path = tmp_path / "books.beancount"
    path.write_text(export(busy, "beancount", by=by, opening=opening), encoding="utf-8")
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    names = dict(re.findall(r"open (\S+) ; (\S+)", path.read_text(encoding="utf-8")))
    sums: dict[str, Fraction] = {}
    for entry in entries:
        for posting in getattr(entry, "postings", ()):
            code = "1INCH.E" if "1INCH" in posting.units.currency else posting.units.currency
            key = f"{names[posting.account]} {code}"
            sums[key] = sums.get(key, Fraction(0)) + Fraction(posting.units.number)
    assert {key: value for key, value in sums.items() if value} == nets(busy)


@pytest.mark.parametrize("by", [By.PACKET, By.DAY])
def test_hledger_reads_it_and_agrees(busy: Any, tmp_path: Path, by: By) -> None:
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed")
    path = tmp_path / "books.journal"
    path.write_text(export(busy, "hledger", by=by, opening=1), encoding="utf-8")
    subprocess.run([hledger, "-f", str(path), "check"], check=True, capture_output=True)


def test_hledger_text(journal: Any) -> None:
    journal.exchange(1_000_000_000, 900_000_000)
    journal.commit()
    assert export(journal, "hledger", by=By.PACKET) == (
        "; Books of an Interledger node. A debit is positive.\n\n"
        "2026-11-21 * 1 packet\n"
        "    ; at: 2026-11-21T12:00:01.000Z\n"
        "    ; record: 1.7\n"
        "    assets:peer:alice  1.000000000 USD\n"
        "    equity:fx:USD:9  -1.000000000 USD\n"
        "    equity:fx:EUR:9  0.900000000 EUR\n"
        "    assets:peer:bob  -0.900000000 EUR\n\n"
        "2026-11-21 * closing balances, asserted\n"
        "    assets:peer:alice  0 USD = 1.000000000 USD\n"
        "    assets:peer:bob  0 EUR = -0.900000000 EUR\n"
        "    assets:peer:carol  0 USD = 0.000000000 USD\n"
        "    equity:fx:EUR:9  0 EUR = 0.900000000 EUR\n"
        "    equity:fx:USD:9  0 USD = -1.000000000 USD\n"
    )


def test_csv_has_a_line_for_each_amount_and_no_formula(busy: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(export(busy, "csv", by=By.PACKET))))
    sums: dict[str, Fraction] = {}
    for row in rows:
        key = f"{row['account']} {row['asset_code']}"
        sums[key] = sums.get(key, Fraction(0)) + Fraction(row["amount"])
    assert {key: value for key, value in sums.items() if value} == nets(busy)
    corrections = [row for row in rows if row["at"] and row["reason"]]
    assert {(row["by"], row["reason"]) for row in corrections} == {('me "x" \\', "'=1+1; a reason with signs")}


def test_a_part_of_the_time_opens_with_the_balances_before_it(busy: Any) -> None:
    text = export(busy, "csv", start=NOON + 3_000)
    rows = list(csv.DictReader(io.StringIO(text)))
    opening = [row for row in rows if row["commit"] == "0"]
    assert {row["at"] for row in opening} == {"2026-11-21T12:00:03.000Z"}
    assert Fraction(next(r["amount"] for r in opening if r["account"] == "fx/USD/9")) == Fraction(-1_000_000_001, 10**9)


def test_books_without_a_posting(journal: Any) -> None:
    journal.commit()
    assert export(journal, "csv").count("\n") == 1
    assert "2026" not in export(journal, "beancount")


def test_beancount_names_stay_apart() -> None:
    writer = Beancount()
    made = [writer._account(name) for name in ("peer/a.b", "peer/a,b", "peer/a b", "peer/", "peer/ß")]
    assert made == ["Assets:Peer:A-b", "Assets:Peer:A-b-2", "Assets:Peer:A-b-3", "Assets:Peer:X-", "Assets:Peer:X-ß"]
    codes = [writer._amount(1, Asset(code, 0)) for code in ("A", "AX", "$", "1A", "B" * 30)]
    assert codes == ["1 AX", "1 AX-2", "1 XX", "1 X1A", "1 " + "B" * 20]
