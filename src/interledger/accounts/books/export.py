"""The books for other people's programs: plain-text accounting (hledger, beancount) and CSV.

Every transaction balances in each asset by itself, amounts are exact decimals, and the end asserts the balances of all
accounts, so the program that reads it checks the books once more.
"""

from __future__ import annotations

import csv
import enum
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, final

from interledger.accounts.asset import Asset, format_amount
from interledger.accounts.books.chart import AccountClass, row_of
from interledger.accounts.books.transactions import Balance, Transaction, closing_balances
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339

__all__ = ["Beancount", "Csv", "ExportFormat", "Hledger", "Writer", "writer_of"]

DAY_MS: Final = 86_400_000

_WORDS: Final = {
    "opening": "opening balances",
    "packet": "packets",
    "resolution": "unknown amount found to be delivered",
    "entry": "entry",
}
_CLASS_NAMES: Final = {
    AccountClass.ASSET: "assets",
    AccountClass.LIABILITY: "liabilities",
    AccountClass.EQUITY: "equity",
    AccountClass.INCOME: "income",
    AccountClass.EXPENSE: "expenses",
}


class ExportFormat(enum.StrEnum):
    """What can be written."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"
    CSV = "csv"


class Writer:
    """Makes text of transactions: `begin`, then `add` for each, then `end`. Every part ends with a line end."""

    media_type = "text/plain"

    def begin(self) -> str:
        """What stands first."""
        return ""

    def add(self, transaction: Transaction) -> str:
        """One transaction."""
        raise NotImplementedError

    def end(self, ledger: Ledger, at: Timestamp) -> str:
        """What stands last. `ledger`: the books after the last transaction; `at`: when that was."""
        return ""


def writer_of(form: ExportFormat) -> Writer:
    """A new writer of that format."""
    writers: dict[ExportFormat, Callable[[], Writer]] = {
        ExportFormat.HLEDGER: Hledger,
        ExportFormat.BEANCOUNT: Beancount,
        ExportFormat.CSV: Csv,
    }
    return writers[form]()


@final
class Hledger(Writer):
    """hledger's journal format, which ledger-cli reads too."""

    def begin(self) -> str:
        return "; Books of an Interledger node. A debit is positive.\n\n"

    def add(self, transaction: Transaction) -> str:
        moment = format_rfc3339(transaction.at)
        lines = [f"{moment[:10]} * {_title(transaction)}", f"    ; at: {moment}"]
        lines += [f"    ; {name}: {value}" for name, value in _notes(transaction)]
        lines += [f"    {self._account(b)}  {self._amount(b)}" for b in transaction.balances]
        return "\n".join(lines) + "\n\n"

    def end(self, ledger: Ledger, at: Timestamp) -> str:
        lines = [f"{format_rfc3339(at)[:10]} * closing balances, asserted"]
        totals = _total(closing_balances(ledger), self._account)
        for (account, code), (amount, asset) in sorted(totals.items()):
            commodity = _quoted(code)
            lines.append(f"    {account}  0 {commodity} = {format_amount(amount, asset, exact=True)} {commodity}")
        return "\n".join(lines) + "\n" if totals else ""

    def _account(self, balance: Balance) -> str:
        return f"{_CLASS_NAMES[row_of(balance.name).account_class]}:{balance.name.replace('/', ':')}"

    def _amount(self, balance: Balance) -> str:
        return f"{format_amount(balance.amount, balance.asset, exact=True)} {_quoted(balance.asset.code)}"


def _quoted(code: str) -> str:
    """hledger's commodities are letters, or anything in quotes."""
    return code if code.isalpha() else f'"{code}"'


@final
class Beancount(Writer):
    """beancount's language. Names it does not take are changed, and a line says from what."""

    def __init__(self) -> None:
        self._accounts: dict[str, str] = {}
        self._currencies: dict[str, str] = {}

    def begin(self) -> str:
        return "; Books of an Interledger node. A debit is positive.\n\n"

    def add(self, transaction: Transaction) -> str:
        moment = format_rfc3339(transaction.at)
        day = moment[:10]
        head = "".join(self._open(balance, day) for balance in transaction.balances)
        lines = [f"{day} * {_text(_title(transaction))}", f"  at: {_text(moment)}"]
        lines += [f"  {name}: {_text(value)}" for name, value in _notes(transaction)]
        lines += [f"  {self._account(b.name)}  {self._amount(b.amount, b.asset)}" for b in transaction.balances]
        return head + "\n".join(lines) + "\n\n"

    def end(self, ledger: Ledger, at: Timestamp) -> str:
        # A balance is asserted at the beginning of its day: of the one after the last transaction.
        day = format_rfc3339(Timestamp(at + DAY_MS))[:10]
        balances = [b for b in closing_balances(ledger) if b.name in self._accounts]
        totals = _total(balances, lambda b: self._account(b.name))
        return "".join(
            f"{day} balance {account}  {self._amount(amount, asset)}\n"
            for (account, _), (amount, asset) in sorted(totals.items())
        )

    def _open(self, balance: Balance, day: str) -> str:
        if balance.name in self._accounts:
            return ""
        return f"{day} open {self._account(balance.name)} ; {balance.name}\n"

    def _account(self, name: str) -> str:
        if name not in self._accounts:
            group = _CLASS_NAMES[row_of(name).account_class].capitalize()
            made = ":".join([group, *(_beancount_part(part) for part in name.split("/"))])
            self._accounts[name] = _unused(made, self._accounts)
        return self._accounts[name]

    def _amount(self, amount: int, asset: Asset) -> str:
        code = asset.code
        if code not in self._currencies:
            made = re.sub(r"[^A-Z0-9'._-]", "-", code.upper())
            made = made if made[:1].isalpha() else f"X{made}"
            made = made[:20].rstrip("'._-")
            self._currencies[code] = _unused(made if len(made) > 1 else f"{made}X", self._currencies)
        return f"{format_amount(amount, asset, exact=True)} {self._currencies[code]}"


def _beancount_part(text: str) -> str:
    """A part of an account's name: begins with a capital letter or a digit; letters, digits and dashes."""
    part = "".join(c if c.isalnum() else "-" for c in text)
    if part[:1].isascii() and part[:1].isalnum():
        return part[:1].upper() + part[1:]
    return part if part and unicodedata.category(part[0]) == "Lu" else f"X-{part}"


def _unused(made: str, taken: dict[str, str]) -> str:
    """`made`, or with a number behind it when another name became the same."""
    names = set(taken.values())
    numbered = (f"{made}-{number}" for number in range(2, len(names) + 3))
    return made if made not in names else next(name for name in numbered if name not in names)


@final
class Csv(Writer):
    """One line per account and transaction. Amounts are decimal text; a debit is positive."""

    media_type = "text/csv"

    def begin(self) -> str:
        return _csv_line("at", "kind", "account", "amount", "asset_code", "asset_scale", "packets", "by", "reason",
                         "commit", "record")  # fmt: skip

    def add(self, transaction: Transaction) -> str:
        memo = transaction.memo
        return "".join(
            _csv_line(
                format_rfc3339(transaction.at), memo.kind or transaction.kind, balance.name,
                format_amount(balance.amount, balance.asset, exact=True), balance.asset.code, balance.asset.scale,
                transaction.packets or "", _no_formula(memo.by), _no_formula(memo.reason), transaction.seq,
                transaction.number,
            )
            for balance in transaction.balances
        )  # fmt: skip


def _csv_line(*cells: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _no_formula(text: str) -> str:
    """A spreadsheet would compute what begins so."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text


def _title(transaction: Transaction) -> str:
    if transaction.packets:
        return f"{transaction.packets} packet{'' if transaction.packets == 1 else 's'}"
    return transaction.memo.kind or _WORDS.get(transaction.kind, transaction.kind)


def _notes(transaction: Transaction) -> Iterator[tuple[str, str]]:
    memo = transaction.memo
    yield from ((name, value) for name, value in (("by", memo.by), ("reason", memo.reason), ("id", memo.id)) if value)
    if transaction.seq:
        yield "record", f"{transaction.seq}.{transaction.number}"


def _text(text: str) -> str:
    """A string of beancount."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _total(
    balances: tuple[Balance, ...] | list[Balance], account: Callable[[Balance], str]
) -> dict[tuple[str, str], tuple[int, Asset]]:
    """Amounts by (account, code): accounts that differ in scale alone are one to other programs."""
    totals: dict[tuple[str, str], tuple[int, Asset]] = {}
    for balance in balances:
        key = (account(balance), balance.asset.code)
        amount, asset = totals.get(key, (0, balance.asset))
        scale = max(asset.scale, balance.asset.scale)
        amount = amount * 10 ** (scale - asset.scale) + balance.amount * 10 ** (scale - balance.asset.scale)
        totals[key] = (amount, Asset(asset.code, scale))
    return totals
