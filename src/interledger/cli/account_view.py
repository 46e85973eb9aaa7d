"""What `ilp account list`, `account show` and `balance` print: the position first, in words and in a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.money import align, floor_spoken, parse_moment
from interledger.cli.output import Column, cut_middle, render_table

__all__ = [
    "NEAR_LIMIT",
    "AtRisk",
    "account_lines",
    "accounts_lines",
    "asset_of",
    "at_risk",
    "balance_lines",
    "position_of",
]

Document = Mapping[str, Any]

NEAR_LIMIT: Final = Fraction(4, 5)
"""From here on a limit is marked."""

NAME_WIDTH: Final = 24
LABEL_WIDTH: Final = 15
GAUGE_LEFT: Final = 32
GAUGE_RIGHT: Final = 31


class Position(NamedTuple):
    """Where an account stands, in units: on which side, how much, which limit is on that side, what is in flight."""

    asset: Asset
    owes_us: bool
    amount: int
    limit: int | None
    pending: int

    @property
    def used(self) -> Fraction | None:
        """The share of the limit that is used."""
        return Fraction(self.amount, self.limit) if self.limit else None

    @property
    def room(self) -> int | None:
        """What the limit leaves, packets in flight counted."""
        return None if self.limit is None else max(self.limit - self.amount - self.pending, 0)


class AtRisk(NamedTuple):
    """What others owe us and the most they may owe us, in whole units of one asset."""

    owed: Fraction
    limits: Fraction
    code: str


def asset_of(account: Document) -> Asset:
    """The asset an account is kept in."""
    return Asset(account["asset_code"], int(account["asset_scale"]))


def position_of(account: Document) -> Position:
    """The position an account document describes."""
    net = int(account["position"]["net"])
    limits, pending = account["limits"], account["pending"]
    limit = limits["owes_us_max"] if net >= 0 else limits["we_owe_max"]
    held = pending["in"] if net >= 0 else pending["out"]
    return Position(asset_of(account), net >= 0, abs(net), None if limit is None else int(limit), int(held))


def at_risk(accounts: Sequence[Document], values: Mapping[str, Fraction]) -> AtRisk | None:
    """All that is owed to us, in USD or the first account's asset; None where a rate or limit is missing."""
    peers = [account for account in accounts if account["relation"] != "local"]
    if not peers or any(a["asset_code"] not in values or a["limits"]["owes_us_max"] is None for a in peers):
        return None
    code = "USD" if "USD" in values else str(peers[0]["asset_code"])
    if values[code] <= 0:
        return None

    def spoken(account: Document, units: str) -> Fraction:
        return Fraction(int(units), 10 ** int(account["asset_scale"])) * values[account["asset_code"]] / values[code]

    owed = sum((spoken(a, a["position"]["receivable"]) for a in peers), Fraction(0))
    limits = sum((spoken(a, a["limits"]["owes_us_max"]) for a in peers), Fraction(0))
    return AtRisk(owed, limits, code)


def accounts_lines(
    accounts: Sequence[Document],
    console: Console,
    *,
    now: datetime | None = None,
    risk: AtRisk | None = None,
    unknown: str | None = None,
    exact: bool = False,
) -> list[str]:
    """One line an account."""
    if not accounts:
        return ["No accounts. Make one:  ilp account create NAME --asset USD/9"]
    moment = now or datetime.now(UTC)
    positions = [position_of(account) for account in accounts]
    rows = list(zip(accounts, positions, _position_cells(positions, console, exact=exact), strict=True))
    columns = (
        Column("ACCOUNT", lambda row: cut_middle(row[0]["id"], NAME_WIDTH), keep=9),
        Column("RELATION", lambda row: row[0]["relation"], keep=3),
        Column("LINK", lambda row: _link_cell(row[0], row[1], console, moment), keep=5),
        Column("POSITION", lambda row: row[2], keep=8),
        Column("LIMIT", lambda row: _limit_cell(row[1], console), right=True, gap=" ", keep=4),
        Column("USED", lambda row: _percent(row[1].used), right=True, gap="    ", keep=2),
        Column("PACKETS/S", lambda row: str(row[0].get("packets_per_s", "")), right=True, width=8, gap="   ", keep=1),
    )
    lines = render_table(rows, columns, console)
    footer = []
    if risk is not None:
        thousands = console.is_terminal
        owed = floor_spoken(risk.owed, risk.code, thousands=thousands)
        footer.append(
            f"At risk {owed} {risk.code} of {floor_spoken(risk.limits, risk.code, thousands=thousands)} in limits."
        )
    if unknown:
        footer.append(f"{console.mark('?')} {unknown}")
    return [*lines, "", "   ".join(footer)] if footer else lines


def _position_cells(positions: Sequence[Position], console: Console, *, exact: bool) -> list[str]:
    numbers = align(
        [
            f"{format_amount(p.amount, p.asset, exact=exact, thousands=console.is_terminal)} {p.asset.code}"
            for p in positions
        ]
    )
    return [
        f"{_side(position, console)} {'  ' if console.is_terminal else ''}{number}".rstrip()
        for position, number in zip(positions, numbers, strict=True)
    ]


def _side(position: Position, console: Console) -> str:
    if not position.amount:
        return " " * 7
    word = "owes us" if position.owes_us else "we owe"
    return console.paint(word, "cyan" if position.owes_us else "magenta") + " " * (7 - len(word))


def _link_cell(account: Document, position: Position, console: Console, now: datetime) -> str:
    link = account["link"]
    if link["kind"] == "local":
        return console.mark("·", "local")
    if not link["up"]:
        since = f" {_short_age(link['since'], now)}" if link["since"] else ""
        return console.mark("✗", f"down{since}")
    is_near = position.used is not None and position.used >= NEAR_LIMIT
    return console.mark("!" if is_near else "✓", link["kind"])


def _short_age(moment: str, now: datetime) -> str:
    """`4 m`: in a table, where a unit has one letter."""
    seconds = max(int((now - parse_moment(moment)).total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _limit_cell(position: Position, console: Console) -> str:
    if position.limit is None:
        return "none"
    return format_amount(position.limit, position.asset, thousands=console.is_terminal)


def _percent(share: Fraction | None) -> str:
    return "–" if share is None else f"{int(share * 100)} %"


# ---------------------------------------------------------------------- one account


def account_lines(account: Document, console: Console, *, exact: bool = False) -> list[str]:
    """Everything about one account. What the document does not have is left out."""
    position = position_of(account)
    lines = [_heading(account, console), *_gauge(account, console), ""]
    lines += _facts(account, position, console, exact=exact)
    return lines


def _heading(account: Document, console: Console) -> str:
    link = account["link"]
    if link["kind"] == "local":
        state = console.mark("·", "on this node")
    elif link["up"]:
        answers = account.get("answers_in")
        state = console.mark("✓", f"up, answers in {answers}" if answers else f"up, by {link['kind']}")
    else:
        state = console.mark("✗", f"down, {link['kind']}")
    return (
        f"{account['id']}   {account['relation']}   {account['asset_code']}, scale {account['asset_scale']}   {state}"
    )


def _gauge(account: Document, console: Console) -> list[str]:
    """A picture of the position between its two limits; none where there is no limit on a side."""
    limits = account["limits"]
    if limits["owes_us_max"] is None or limits["we_owe_max"] is None:
        return []
    asset, position = asset_of(account), position_of(account)
    we_owe, owes_us = int(limits["we_owe_max"]), int(limits["owes_us_max"])
    left = _side_cells(position, not position.owes_us, we_owe, GAUGE_LEFT)
    right = _side_cells(position, position.owes_us, owes_us, GAUGE_RIGHT)
    threshold = account["settle_threshold"]
    marks = ""
    start = len(_spoken(we_owe, asset, console)) + 4
    if threshold is not None and we_owe > 0 and 0 <= int(threshold) < we_owe:
        cell = int(threshold) * GAUGE_LEFT // we_owe
        left[cell] = "┃"
        marks = " " * (start + GAUGE_LEFT - 1 - cell) + f"settle at {_spoken(int(threshold), asset, console)}"
    caption = " " * (start + 3) + "we owe" + " " * 24 + "0" + " " * 23 + "owes us"
    line = (
        f"  {_spoken(we_owe, asset, console)} ├{''.join(reversed(left))}┼{''.join(right)}┤"
        f" {_spoken(owes_us, asset, console)}"
    )
    return ["", caption, line, *([marks] if marks else [])]


def _side_cells(position: Position, is_this_side: bool, limit: int, width: int) -> list[str]:
    """Cells from the middle outward: what is owed, then what is in flight (at least one cell of it), then room."""
    if not is_this_side or limit <= 0:
        return ["·"] * width
    filled = min((position.amount + position.pending) * width // limit, width)
    pending = max(position.pending * width // limit, 1) if position.pending and filled else 0
    return ["█"] * (filled - pending) + ["▒"] * pending + ["·"] * (width - filled)


def _facts(account: Document, position: Position, console: Console, *, exact: bool) -> list[str]:
    """Label and value; amounts aligned."""
    asset, name = position.asset, account["id"]
    owes = "Position" if not position.amount else f"{name} owes us" if position.owes_us else f"We owe {name}"
    money = [(owes, position.amount, _room_text(position, console))]
    flight = int(account["pending"]["in"]) + int(account["pending"]["out"])
    if flight:
        count = account.get("packets_in_flight")
        money.append(("In flight", flight, f"{count} packets" if count else ""))
    way = account.get("on_its_way")
    if way:
        money.append(("On its way", int(way["amount"]), way["text"]))
    numbers = align(
        [f"{format_amount(a, asset, exact=exact, thousands=console.is_terminal)} {asset.code}" for _, a, _ in money]
    )
    lines = [
        _fact(label, f"{number}   {more}" if more else number)
        for (label, _, more), number in zip(money, numbers, strict=True)
    ]
    if account.get("next"):
        lines.append(_fact("Next", account["next"]))
    limits = _limits_text(account, console)
    if limits:
        lines.append(_fact("Limits", limits))
    if account.get("today"):
        lines.append(_fact("Today", account["today"]))
    if account["link"]["kind"] != "local" and not account.get("today"):
        lines.append(_fact("Address", account["ilp_address"]))
    return lines


def _fact(label: str, text: str) -> str:
    return f"  {label:<{LABEL_WIDTH - 2}}  {text}".rstrip()


def _room_text(position: Position, console: Console) -> str:
    return "" if position.room is None else f"room {_spoken(position.room, position.asset, console)}"


def _limits_text(account: Document, console: Console) -> str:
    limits, asset = account["limits"], asset_of(account)
    words = (("owes_us_max", "owes us"), ("we_owe_max", "we owe"), ("packet_amount_max", "packet"))
    parts = [
        f"{word} at most {_spoken(int(limits[key]), asset, console)}" for key, word in words if limits[key] is not None
    ]
    if limits["packets_per_minute"] is not None:
        parts.append(f"{limits['packets_per_minute']} packets a minute")
    return ", ".join(parts)


def _spoken(amount: int, asset: Asset, console: Console) -> str:
    return format_amount(amount, asset, thousands=console.is_terminal)


def balance_lines(accounts: Sequence[tuple[str, Document]], console: Console, *, exact: bool = False) -> list[str]:
    """`ilp balance`: (node or nothing, account), a line each."""
    positions = [position_of(account) for _, account in accounts]
    cells = _position_cells(positions, console, exact=exact)
    rows = [(node, account["id"], cell) for (node, account), cell in zip(accounts, cells, strict=True)]
    columns = (
        Column("NODE", lambda row: row[0]),
        Column("ACCOUNT", lambda row: row[1]),
        Column("POSITION", lambda row: row[2]),
    )
    return render_table(rows, columns, console)
