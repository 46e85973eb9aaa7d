"""`ilp ledger reconcile`: our books and a peer's, packet by packet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import money, parse_moment
from interledger.cli.output import Column, cut_middle, render_table
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["reconcile", "reconcile_lines"]

Document = Mapping[str, Any]


@command("reconcile", would="compare our books with those of {account}, and resolve what its answers prove")
@click.argument("account", metavar="PEER")
@click.pass_obj
def reconcile(state: State, account: str) -> int:
    """Compare our books with PEER's, packet by packet, and resolve unknown amounts by what it says and proves.

    \b
      ilp ledger reconcile bob

    Exit code 10 when something differs or stays unknown.

    It works with peers that run such a node. It also happens by itself (ledger.statement_minutes). What a peer says is
    only believed where it costs the peer; what it claims needs the fulfillment.
    """
    if state.is_table:
        state.console.note(f"Asking {account} what it counts …")
    document = state.call(lambda api: api.reconcile(account))
    state.emit(document, lambda: reconcile_lines(document, state.console, exact=state.exact), identifier="agrees")
    return ExitCode.DONE if document["agrees"] else ExitCode.FAULT_FOUND


def reconcile_lines(document: Document, console: Console, *, exact: bool = False) -> list[str]:
    """What was compared, what was resolved, what is left, what differs; then the verdict."""
    who, compared = document["account"], document["compared"]
    lines = []
    if compared["until"]:
        since = _moment(compared["from"]) if compared["from"] else "the beginning"
        lines.append(
            f"  {console.mark('·')} compared        {compared['packets']} packets of ours, from {since} to "
            f"{_moment(compared['until'])}, {compared['questions']} questions"
        )
    for key, mark, title in (("resolved", "✓", "resolved"), ("left", "?", "left")):
        for one in document[key]:
            amount = money(one["amount"], exact=exact)
            lines.append(f"  {console.mark(mark)} {title:<15} {one['id']}  {amount}  {one['outcome']}")
    if document["differences"]:
        lines += ["", *_difference_lines(document, console, exact=exact), ""]
    if document["problem"]:
        return [*lines, f"  {console.mark('✗')} {document['problem']}.", f"Nothing more is known of {who}'s books."]
    if document["agrees"]:
        return [*lines, f"Our books and those of {who} agree."]
    if not document["differences"] and not document["left"]:
        return [*lines, f"There is more to compare than one run takes. Again:  ilp ledger reconcile {who}"]
    verdict = f"Our books and those of {who} do not agree yet."
    if document["differences"]:
        amount = format_amount(abs(int(document["difference"])), _asset(document), exact=exact)
        verdict = f"Our books and those of {who} differ by {amount} {document['asset_code']} in sum."
    return [*lines, f"{verdict} What to do: docs/howto/when-books-differ.md"]


def _difference_lines(document: Document, console: Console, *, exact: bool) -> list[str]:
    asset = _asset(document)
    columns = (
        Column("TIME", lambda row: _moment(row["at"]), keep=4),
        Column("PACKET", lambda row: cut_middle(row["condition"], 16), keep=2),
        Column("AMOUNT", lambda row: format_amount(int(row["amount"]), asset, exact=exact), right=True, keep=6),
        Column("OURS", lambda row: str(row["ours"]), right=True, keep=5),
        Column("THEIRS", lambda row: str(row["theirs"]), right=True, keep=5),
        Column("PROOF", lambda row: "yes" if row["proof"] else "", keep=1),
        Column("MEANING", lambda row: row["meaning"], keep=3),
    )
    lines = render_table(document["differences"], columns, console)
    return [*lines, f"and {document['more']} more"] if document["more"] else lines


def _asset(document: Document) -> Asset:
    return Asset(document["asset_code"], document["asset_scale"])


def _moment(text: str | None) -> str:
    return "" if text is None else parse_moment(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
