"""The part of `ilp dev` and `ilp demo` that is about settlement: what is started, what went wrong, what agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from interledger.accounts.asset import Asset, Money, format_amount, parse_asset
from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.daemon.topology import credit_limit

if TYPE_CHECKING:
    from interledger.daemon.settled import Settled

__all__ = [
    "assets_for",
    "example_amount",
    "ledger_errors",
    "settled_document",
    "settled_lines",
    "settlement_lines",
    "settlement_option",
]

DEFAULT_ASSETS: Final = "USD/9,EUR/9"
EXAMPLE_USD: Final = 10

settlement_option: Final[Callable[[Any], Any]] = click.option(
    "--settlement",
    metavar="LEDGER",
    help="Settle what is owed, on a ledger of its own: anvil, litecoin, bank, xrp-sim.",
)


def assets_for(assets: str | None, settlement: str | None) -> str:
    """What the holders keep, when nobody says so. Raises `InvalidRequestError` for a ledger that is not there."""
    from interledger.daemon.ledgers.table import find_ledger

    if assets is not None:
        return assets
    return DEFAULT_ASSETS if settlement is None else find_ledger(settlement).assets


def example_amount(asset: Asset) -> str:
    """`10 USD`; less of what is worth much."""
    ten: int = 10 * 10**asset.scale
    amount = ten if ten <= credit_limit(asset) else credit_limit(asset, EXAMPLE_USD)
    return f"{format_amount(amount, asset).rstrip('0').rstrip('.') if asset.scale else amount} {asset.code}"


@contextmanager
def ledger_errors() -> Iterator[None]:
    """What goes wrong with a ledger, as people are told."""
    from interledger.daemon.ledgers.programs import LedgerError, MissingProgramError

    try:
        yield
    except MissingProgramError as error:
        raise CliError(ExitCode.FAILED, str(error), f"Nothing was started. Install it:  {error.install}") from None
    except LedgerError as error:
        raise CliError(ExitCode.FAILED, f"{error}.") from None


def settlement_lines(document: Mapping[str, Any], console: Console, width: int) -> list[str]:
    """Of dev.json: the ledger, and from where on each link is settled. Nothing where nothing is settled."""
    settlement = document.get("settlement")
    if settlement is None:
        return []
    links = ", ".join(
        f"{link['left']} ─ {link['right']} from {Money(int(link['threshold']), parse_asset(link['asset']))}"
        for link in settlement["links"]
    )
    text = f"  {console.mark('✓')} {'settlement':<{width}}  "
    indent = " " * (len(console.mark("✓")) + 5 + width)
    return [f"{text}{settlement['ledger']['text']}", f"{indent}{links or 'no link has an asset of this ledger'}"]


def settled_lines(rows: Sequence[Settled], document: Mapping[str, Any], console: Console) -> list[str]:
    """What each has paid each, in both books and on the ledger."""
    rows = [row for row in rows if row.given or row.moved or row.taken or row.on_its_way]
    if not rows:
        return ["  Settled   nothing yet"]
    kind = document["settlement"]["ledger"]["kind"]
    return [line for row in rows for line in _row_lines(row, document, kind, console)]


def _row_lines(row: Settled, document: Mapping[str, Any], kind: str, console: Console) -> Iterator[str]:
    def money(units: int) -> str:
        return str(Money(units, row.asset))

    indent = " " * 12
    yield f"  Settled   {row.payer} → {row.payee}   {money(row.moved)}"
    if row.is_exact:
        mark = console.mark("✓")
        left = f"; {money(row.waiting)} are still to be paid" if row.waiting else ""
        yield f"{indent}{mark} both books and {kind} agree to the unit{left}"
    else:
        mark = console.mark("·", "under way")
        owed = f", of which its engine has yet to pay {money(row.waiting)}" if row.waiting else ""
        yield f"{indent}{mark}: {row.payer}'s books {money(row.given)}{owed}"
        yield f"{indent}{kind} {money(row.moved)}, {row.payee}'s books {money(row.taken)}"
    if row.on_its_way:
        yield f"{indent}{console.mark('!')} {money(row.on_its_way)} wait for {row.payer}'s engine"
    if row.transaction is not None:
        yield f"{indent}last transaction {row.transaction}"
    for number in row.approvals:
        command = f"ilp engine approve {number} --data-dir {_engine_of(row, document)}"
        yield f"{indent}{console.mark('!')} payment {number} waits for you:  {command}"


def _engine_of(row: Settled, document: Mapping[str, Any]) -> str:
    """The folder of the payer's engine."""
    engines = document["settlement"]["engines"].values()
    return str(
        next(
            engine["data_dir"]
            for engine in engines
            if engine["node"] == row.payer and engine["asset"].partition("/")[0] == row.asset.code
        )
    )


def settled_document(rows: Sequence[Settled]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {
            "payer": row.payer,
            "payee": row.payee,
            **{
                name: Money(getattr(row, name), row.asset).as_json()
                for name in ("given", "waiting", "moved", "taken", "on_its_way")
            },
            "transaction": row.transaction,
            "approvals": [str(number) for number in row.approvals],
            "exact": row.is_exact,
        }
        for row in rows
    ]
