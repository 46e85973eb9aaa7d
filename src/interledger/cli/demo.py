"""`ilp demo`: the whole thing in three seconds."""

from __future__ import annotations

import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interledger.accounts.asset import Asset, Money, parse_amount, parse_money
from interledger.cli.console import Console
from interledger.cli.demo_view import (
    balance_lines,
    check_lines,
    ledger_lines,
    opening_lines,
    quote_lines,
    report_document,
    sent_lines,
)
from interledger.cli.dev_settlement import assets_for, example_amount, ledger_errors, settlement_option
from interledger.cli.exit_codes import ExitCode
from interledger.cli.progress import Progress
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.errors import InvalidRequestError

if TYPE_CHECKING:
    from interledger.daemon.demo import DemoReport
    from interledger.daemon.dev import DevNetwork
    from interledger.node.payment import Quote, Snapshot

__all__ = ["demo"]


@command("demo")
@click.option("--topology", default="line:3", metavar="SHAPE", help="line:3, star:4, or the name of a TOML file.")
@click.option("--assets", metavar="A,B", help="What the holders keep, in turn; USD/9,EUR/9 on most ledgers.")
@click.option("--amount", metavar="'10 USD'", help="What the first holder sends; about 10 USD.")
@click.option("--keep", metavar="DIR", help="Keep the nodes' state in this directory.")
@settlement_option
@click.pass_obj
def demo(
    state: State, topology: str, assets: str | None, amount: str | None, keep: str | None, settlement: str | None
) -> int:
    """Start three nodes on free ports, pay across two currencies, compare every balance, and stop.

    \b
      ilp demo

    alice keeps USD, bob keeps EUR, the hub between them exchanges. All of it is real: databases, sockets, packets; with
    --settlement the ledger, too: what is owed is settled there, and compared with the books.
    """
    from interledger.daemon.demo import run_demo
    from interledger.daemon.process import run
    from interledger.daemon.topology import parse_assets, parse_topology

    shape = parse_topology(topology, parse_assets(assets_for(assets, settlement)), 0)
    # Before anything is started.
    first = next(node.asset for node in shape.nodes if node.asset is not None)
    send = _units(example_amount(first) if amount is None else amount, first)
    began = time.monotonic()
    watcher = _Printer(state.console, began, quiet=not state.is_table)
    with _directory(keep) as directory, ledger_errors():
        report = run(run_demo(shape, Path(directory), send, watcher, settlement))
    seconds = time.monotonic() - began
    state.emit(
        report_document(report), lambda: _lines(report, state.console, seconds, settlement), identifier="payment"
    )
    return ExitCode.DONE if report.is_sound else ExitCode.FAULT_FOUND


def _directory(keep: str | None) -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="ilp-demo-") if keep is None else nullcontext(keep)


def _units(text: str, asset: Asset) -> int:
    number, code = parse_money(text)
    if code != asset.code:
        raise InvalidRequestError(f"The first holder keeps {asset.code}, not {code}. Choose:  --assets {code}/9,EUR/9")
    return parse_amount(number, asset.scale)


def _lines(report: DemoReport, console: Console, seconds: float, settlement: str | None) -> list[str]:
    lines = [
        *sent_lines(report, console),
        *ledger_lines(report),
        "",
        *balance_lines(report, console),
        "",
        *check_lines(report, console),
    ]
    settled = "" if settlement is None else f" --settlement {settlement}"
    done = "Started, paid and stopped" if settlement is None else "Started, paid, settled and stopped"
    return [*lines, "", f"  {done} in {seconds:.1f} s. Keep such a network:  ilp dev up{settled}"]


class _Printer:
    """Shows the demonstration while it runs. The answer itself is printed at its end."""

    def __init__(self, console: Console, began: float, *, quiet: bool) -> None:
        self._console = console
        self._began = began
        self._quiet = quiet
        self._progress: Progress | None = None

    def started(self, network: DevNetwork) -> None:
        self._note(opening_lines(network.document(), self._console, time.monotonic() - self._began))

    def quoted(self, quote: Quote) -> None:
        self._note(["", *quote_lines(quote)])
        self._progress = None if self._quiet else Progress(self._console, quote.send_max)

    def progress(self, payment: Snapshot) -> None:
        if self._progress is not None:
            self._progress.update(_document(payment))
            if payment.ended_at is not None:
                self._progress.finish()

    def _note(self, lines: list[str]) -> None:
        for line in lines if not self._quiet else ():
            self._console.note(line)


def _document(payment: Snapshot) -> dict[str, Any]:
    """The part of a payment's document that the bar shows."""
    return {
        "sent": Money(payment.sent, payment.source_asset).as_json(),
        "unknown": Money(payment.unknown, payment.source_asset).as_json(),
        "packets": {"sent": payment.packets, "fulfilled": payment.fulfilled, "rejected": payment.rejected},
        "ended_at": payment.ended_at,
        "duration_ms": None if payment.ended_at is None else payment.ended_at - payment.started_at,
    }
