"""`ilp ledger`: the books of a running node, or with `--data-dir` of one that does not run."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from interledger.accounts.asset import Asset, parse_amount, parse_asset
from interledger.cli.check_view import check_lines
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.ledger_view import (
    decision_lines,
    profit_lines,
    statement_lines,
)
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient
    from interledger.api.types import CorrectionDocument, DecisionDocument
    from interledger.store.history import HistoryReader

__all__ = ["check", "correct", "decide", "export", "profit", "statement", "who"]

Document = dict[str, Any]


class Stopped(NamedTuple):
    """Whose books to look at: a data directory, or the database that has them."""

    directory: Path
    url: str | None


def _stopped_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--data-dir` and `--store`; the command gets both as `stopped`, None when neither was given."""

    @wraps(function)
    def command_of_stopped(*arguments: Any, data_dir: str | None, store: str | None, **given: Any) -> Any:
        return function(*arguments, stopped=_stopped(data_dir, store), **given)

    help_ = "The same of books in PostgreSQL. With --data-dir it may stand in ILP_STORE or in ./ilp.toml."
    decorated = click.option("--store", metavar="URL", help=help_)(command_of_stopped)
    help_ = "Look at the books of a node that does not run; nothing is changed."
    return click.option("--data-dir", metavar="DIR", help=help_)(decorated)


def _stopped(data_dir: str | None, store: str | None) -> Stopped | None:
    from interledger.node.settings_load import read_settings
    from interledger.node.settings_parsers import parse_store
    from interledger.store.stamp import STAMP

    if data_dir is None and store is None:
        return None
    directory = Path(data_dir or ".")
    if store is None and (directory / STAMP).exists():
        state: State = click.get_current_context().obj
        store = read_settings({}, state.environ).values["store"]
    return Stopped(directory, None if store is None else parse_store(store))


_BY = ("packet", "minute", "hour", "day")


def _time_options(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("--to", "end", metavar="TIME", help="Nothing from this moment on.")(function)
    return click.option("--from", "start", metavar="TIME", help="2026-11-21, or 2026-11-21T12:30:00Z.")(function)


@command("check")
@_stopped_options
@click.pass_obj
def check(state: State, stopped: Stopped | None) -> int:
    """Compute all balances again from the journal, as far as it is kept, and compare them with what was written down.

    \b
      ilp ledger check

    Exit code 10 when something is wrong; the first record that differs is named. Nothing is changed.
    """
    began = time.monotonic()
    document = _of_stopped(stopped, _check_stopped) if stopped else state.call(lambda api: api.ledger_check())
    took_ms = int((time.monotonic() - began) * 1000)

    async def ask(api: ApiClient) -> tuple[Any, Any]:
        return await asyncio.gather(api.settlements(), api.unknown())

    def render() -> list[str]:
        settlements, unknown = ([], []) if stopped else state.call(ask)
        return check_lines(document, state.console, took_ms=took_ms, settlements=settlements, unknown=unknown)

    state.emit(document, render, identifier="sound")
    return ExitCode.DONE if document["sound"] else ExitCode.FAULT_FOUND


@command("statement")
@click.argument("account", metavar="ACCOUNT")
@click.option("--asset", metavar="USD/9", help="Where the account is kept in several assets.")
@_time_options
@click.option("--by", type=click.Choice(_BY), default="packet", help="Put packets together.")
@_stopped_options
@click.pass_obj
def statement(
    state: State, account: str, asset: str | None, start: str | None, end: str | None, by: str, stopped: Stopped | None
) -> None:
    """What was posted to ACCOUNT, with whom, and the balance after each line; what is held and unknown now.

    \b
      ilp ledger statement bob --from 2026-11-01 --by day
      ilp ledger statement fee/USD/9
    """
    if stopped is None:
        query: dict[str, Any] = {"asset": asset, "start": start, "end": end, "by": by}
        document = state.call(lambda api: api.ledger_statement(account, **query))
    else:
        document = _of_stopped(stopped, lambda past: _statement_stopped(past, account, asset, (start, end), by))
    state.emit(document, lambda: statement_lines(document, state.console, exact=state.exact), identifier="name")


@command("profit")
@_time_options
@_stopped_options
@click.pass_obj
def profit(state: State, start: str | None, end: str | None, stopped: Stopped | None) -> None:
    """Profit and loss: fees and losses of each asset, what each pair of assets brought and took, and the positions.

    \b
      ilp ledger profit --from 2026-11-01

    Positions are valued at the node's own rates of this moment, where it has them.
    """
    from interledger.cli.account import rate_values

    rates: dict[str, Any] = {}
    if stopped is None:
        document = state.call(lambda api: api.ledger_profit(start=start, end=end))
        if state.is_table:
            rates = rate_values(state.call(lambda api: api.rates()))
    else:
        document = _of_stopped(stopped, lambda past: _profit_stopped(past, (start, end)))
    state.emit(document, lambda: profit_lines(document, state.console, rates, exact=state.exact), identifier="assets")


@command("export")
@click.option("--format", "form", type=click.Choice(("hledger", "beancount", "csv")), default="hledger")
@_time_options
@click.option("--by", type=click.Choice(_BY), default="day", help="Put packets together.")
@_stopped_options
@click.pass_obj
def export(state: State, form: str, start: str | None, end: str | None, by: str, stopped: Stopped | None) -> None:
    """Write the books for hledger, beancount or a spreadsheet, on stdout. Their end asserts every balance.

    \b
      ilp ledger export > node.journal && hledger -f node.journal balance
      ilp ledger export --format csv --by packet --from 2026-11-21
    """
    if stopped is None:
        query: dict[str, Any] = {"form": form, "start": start, "end": end, "by": by}
        text = state.call(lambda api: api.ledger_export(**query))
    else:
        text = _of_stopped(stopped, lambda past: _export_stopped(past, form, (start, end), by))
    state.console.print(text.rstrip("\n"))


@command("correct")
@click.argument("debit", metavar="DEBIT")
@click.argument("credit", metavar="CREDIT")
@click.argument("amount", metavar="AMOUNT")
@click.argument("asset", metavar="ASSET")
@click.option("--reason", required=True, metavar="TEXT", help="Why; whoever reads the books later has nothing else.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def correct(
    state: State, debit: str, credit: str, amount: str, asset: str, reason: str, yes: bool, dry_run: bool
) -> None:
    """Make an entry by hand: DEBIT owes us more by AMOUNT, CREDIT less. Balances never change in any other way.

    \b
      ilp ledger correct bob correction/EUR/9 12.50 EUR/9 --reason 'paid twice on 3 May, see ticket 81'
    """
    kept_in: Asset = parse_asset(asset)
    body: CorrectionDocument = {
        "debit": debit,
        "credit": credit,
        "amount": str(parse_amount(amount, kept_in.scale)),
        "asset_code": kept_in.code,
        "asset_scale": kept_in.scale,
        "reason": reason,
        "by": who(),
    }
    decide(state, state.call(lambda api: api.propose_correction(body)), yes=yes, dry_run=dry_run)


def decide(state: State, decision: DecisionDocument, *, yes: bool, dry_run: bool) -> None:
    """The second step of a decision: show it, ask, confirm it. Raises `CliError` when nobody says yes."""
    if not dry_run:
        if not yes and state.is_table:
            for line in decision_lines(decision, state.console, exact=state.exact):
                state.console.note(line)
        state.confirm("Do it?", yes=yes)
        decision = state.call(lambda api: api.confirm_decision(decision["id"]))
    document = {"dry_run": True, **decision} if dry_run else decision
    state.emit(document, lambda: decision_lines(decision, state.console, exact=state.exact))


def who() -> str:
    """The name of who sits here, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user id
        return "somebody"


# ---------------------------------------------------------------------- without a node


def _of_stopped(stopped: Stopped, read: Callable[[HistoryReader], Document | str]) -> Any:
    from interledger.errors import DecodeError, LedgerError
    from interledger.store.stopped import open_stopped

    try:
        with open_stopped(stopped.directory, stopped.url) as history:
            return read(history)
    except (LedgerError, DecodeError) as error:
        raise CliError(
            ExitCode.FAULT_FOUND, f"The journal cannot be followed: {error}.", "Look:  ilp ledger check --data-dir DIR"
        ) from None


def _check_stopped(history: HistoryReader) -> Document:
    from interledger.accounts.books.check import BooksCheck
    from interledger.accounts.books.documents import check_document
    from interledger.errors import StoreError
    from interledger.store.follow import follow

    try:
        openings = history.read_openings()
        return check_document(follow(history, lambda opening: BooksCheck(openings)))
    except StoreError as error:
        raise CliError(ExitCode.FAULT_FOUND, f"{error}.", "Do not delete anything.") from None


def _statement_stopped(
    history: HistoryReader, account: str, asset: str | None, times: tuple[str | None, str | None], by: str
) -> Document:
    from interledger.accounts.books.documents import statement_document
    from interledger.accounts.books.readings import AccountsReading, StatementReading
    from interledger.accounts.books.statement import By, Statement, find_accounts
    from interledger.store.follow import follow

    found = find_accounts(follow(history, AccountsReading), account, None if asset is None else parse_asset(asset))
    start, end = _period(times)
    one = Statement(found.name, found.asset, start=start, end=end, by=By(by))
    return statement_document(follow(history, lambda opening: StatementReading(opening, one)))


def _profit_stopped(history: HistoryReader, times: tuple[str | None, str | None]) -> Document:
    from interledger.accounts.books.documents import profit_document
    from interledger.accounts.books.profit import Profit
    from interledger.accounts.books.readings import ProfitReading
    from interledger.store.follow import follow

    start, end = _period(times)
    return profit_document(follow(history, lambda opening: ProfitReading(opening, Profit(start=start, end=end))))


def _export_stopped(history: HistoryReader, form: str, times: tuple[str | None, str | None], by: str) -> str:
    from interledger.accounts.books.export import ExportFormat, writer_of
    from interledger.accounts.books.readings import ExportReading
    from interledger.accounts.books.statement import By
    from interledger.accounts.books.transactions import Transactions
    from interledger.store.follow import follow

    start, end = _period(times)
    transactions = Transactions(by=By(by), start=start, end=end)
    return follow(history, lambda opening: ExportReading(opening, writer_of(ExportFormat(form)), transactions))


def _period(times: tuple[str | None, str | None]) -> tuple[int | None, int | None]:
    from interledger.accounts.books.period import parse_moment

    start, end = (None if text is None else parse_moment(text) for text in times)
    return start, end
