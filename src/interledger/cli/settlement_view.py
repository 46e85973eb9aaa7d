"""What `ilp settlement` prints: to whom or from whom, how much, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from interledger.cli.console import Console
from interledger.cli.money import money, parse_moment, time_of_day
from interledger.cli.output import Column, printable, render_table

__all__ = ["progress_of", "settlement_lines", "settlements_lines"]

Document = Mapping[str, Any]

DONE: Final = {
    "settled": ("✓", "settled"),
    "credited": ("✓", "credited"),
    "held": ("!", "waits for approval"),
    "void": ("·", "void"),
}
"""Mark and words of what is not on its way."""


def settlements_lines(
    items: Sequence[Document], console: Console, *, now: datetime | None = None, exact: bool = False
) -> list[str]:
    """A line a settlement."""
    if not items:
        return ["Nothing was settled yet. Settle now:  ilp settlement create ACCOUNT"]
    moment = now or datetime.now(UTC)
    columns = (
        Column("SETTLEMENT", lambda row: row["id"], keep=5),
        Column("WITH", _with, keep=4),
        Column(
            "AMOUNT", lambda row: money(row["amount"], exact=exact, thousands=console.is_terminal), right=True, keep=4
        ),
        Column("STATE", lambda row: progress_of(row, console, moment), keep=3),
        Column("SINCE", lambda row: time_of_day(row["done_at"] or row["made_at"], moment), keep=1),
        Column("TROUBLE", lambda row: printable(row["error"] or ""), keep=2),
    )
    return render_table(items, columns, console)


def settlement_lines(row: Document, console: Console, *, now: datetime | None = None, exact: bool = False) -> list[str]:
    """All that is known of one."""
    moment = now or datetime.now(UTC)
    amount = money(row["amount"], exact=exact, thousands=console.is_terminal)
    by = f", by {printable(row['cause'])}" if row["cause"] else ""
    lines = [
        f"{row['id']}   {amount} {_with(row)}   {progress_of(row, console, moment)}",
        f"  Made     {time_of_day(row['made_at'], moment)}{by}",
    ]
    if row["done_at"]:
        lines.append(f"  Done     {time_of_day(row['done_at'], moment)}")
    if row["engine"]:
        lines.append(f"  Engine   {printable(row['engine'])}")
    lines.append(f"  Key      {printable(row['key'])}")
    if row["error"]:
        lines.append(f"  Trouble  {printable(row['error'])}")
    if row["next_at"]:
        lines.append(f"  Again    {time_of_day(row['next_at'], moment)}   now:  ilp settlement retry {row['id']}")
    if row["state"] == "held":
        lines.append(f"  Agree    ilp settlement approve {row['id']}   or refuse:  ilp settlement void {row['id']}")
    return lines


def progress_of(row: Document, console: Console, now: datetime) -> str:
    """`! trying again in 41 s`"""
    if row["state"] != "sending":
        return console.mark(*DONE[row["state"]])
    if not row["error"]:
        return console.mark("·", "waits for its engine")
    if row["next_at"] is None:
        return console.mark("!", printable(str(row["error"])))
    wait_s = max(int((parse_moment(row["next_at"]) - now).total_seconds()), 0)
    return console.mark("!", f"trying again in {wait_s} s")


def _with(row: Document) -> str:
    return f"{'to' if row['direction'] == 'out' else 'from'} {row['account']}"
