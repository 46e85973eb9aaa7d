"""What `ilp top` draws: health, the ribbon of the last seconds, and accounts. A function of the overview's document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from interledger.cli.account_view import accounts_lines
from interledger.cli.console import Console
from interledger.cli.money import money, time_of_day
from interledger.cli.output import printable

__all__ = ["ribbon", "top_lines"]

Document = Mapping[str, Any]

RIBBON_HEIGHT: Final = 5
RIBBON_WIDTH: Final = 60
"""Seconds that are shown at most."""

MARKS: Final = {"ok": "✓", "warn": "!", "bad": "✗", "unknown": "?", "info": "·"}

FULFILLED: Final = "█"
IN_FLIGHT: Final = "▒"
REJECTED: Final = "x"


def top_lines(overview: Document, console: Console, *, exact: bool = False) -> list[str]:
    """The whole screen."""
    return [
        f"{overview['ilp_address']}   {time_of_day(overview['at'])}   up since {time_of_day(overview['started_at'])}"
        f"   version {overview['version']}",
        f"  {printable(overview['sentence'])}",
        "",
        *_health(overview, console),
        "",
        *_numbers(overview, console, exact=exact),
        "",
        *ribbon(overview["seconds"], console),
        "",
        *_accounts(overview, console, exact=exact),
    ]


def _health(overview: Document, console: Console) -> list[str]:
    """A word for each check on one line, and a line for each that is not well."""
    words = [console.mark(MARKS.get(check["level"], "·"), printable(check["name"])) for check in overview["health"]]
    needs = [
        f"  {console.mark(MARKS.get(check['level'], '·'))} {printable(check['name'])}: {printable(check['text'])}"
        for check in overview["needs"]
    ]
    return ["  " + "   ".join(words), *needs]


def _numbers(overview: Document, console: Console, *, exact: bool) -> list[str]:
    now, day, risk = overview["now"], overview["day"], overview["risk"]
    thousands = console.is_terminal
    share = "" if day["fulfilled_permille"] is None else f", {_permille(day['fulfilled_permille'])} fulfilled"
    limits = "" if risk["percent"] is None else f" of {money(risk['limits'], thousands=thousands)} in limits"
    comma = "," if thousands else ""
    return [
        f"  Now      {now['packets_per_second']:{comma}} packets/s, {now['in_flight']:{comma}} in flight"
        f" with {money(now['held'], exact=exact, thousands=thousands)}",
        f"  Day      {day['packets']:{comma}} packets{share},"
        f" {money(day['moved'], exact=exact, thousands=thousands)} moved",
        f"  At risk  {money(risk['at_risk'], exact=exact, thousands=thousands)}{limits}",
    ]


def _permille(value: int) -> str:
    return f"{value // 10}.{value % 10} %"


def ribbon(seconds: Sequence[Document], console: Console) -> list[str]:
    """One column a second, the newest at the right: rejected below, then in flight, fulfilled above."""
    shown = list(seconds)[-min(RIBBON_WIDTH, max(console.width - 12, 10)) :]
    most = max((one["fulfilled"] + one["rejected"] + one["in_flight"] for one in shown), default=0)
    columns = [_column(one, most) for one in shown]
    rows = [
        "  " + "".join(_cell(column[height], console) for column in columns).rstrip()
        for height in reversed(range(RIBBON_HEIGHT))
    ]
    words = f"{FULFILLED} fulfilled   {IN_FLIGHT} in flight   {REJECTED} rejected"
    return [*rows, f"  {len(shown)} s, at most {most} packets in one   {words}"]


def _column(second: Document, most: int) -> str:
    """From below. Whatever there is has a cell."""
    cells = ""
    for name, cell in (("rejected", REJECTED), ("in_flight", IN_FLIGHT), ("fulfilled", FULFILLED)):
        if second[name]:
            cells += cell * max(1, second[name] * RIBBON_HEIGHT // most)
    return (cells or "·")[:RIBBON_HEIGHT].ljust(RIBBON_HEIGHT)


def _cell(cell: str, console: Console) -> str:
    colour = {FULFILLED: "green", REJECTED: "red", IN_FLIGHT: "yellow", "·": "dim"}.get(cell)
    return cell if colour is None else console.paint(cell, colour)


def _accounts(overview: Document, console: Console, *, exact: bool) -> list[str]:
    accounts = [
        {**one, "packets_per_s": one["packets_per_second"]["in"] + one["packets_per_second"]["out"]}
        for one in overview["accounts"]
    ]
    lines = accounts_lines(accounts, console, exact=exact)
    more = overview["accounts_total"] - len(accounts)
    return [*lines, *([f"… {more} more (ilp account list)"] if more > 0 else [])]
