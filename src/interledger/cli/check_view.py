"""What `ilp ledger check` prints: a judgement a line, then the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.money import duration, parse_moment

__all__ = ["check_lines"]

Document = Mapping[str, Any]

LABEL: Final = 36


def check_lines(
    document: Document,
    console: Console,
    *,
    took_ms: int | None = None,
    settlements: Sequence[Document] = (),
    unknown: Sequence[Document] = (),
    now: datetime | None = None,
) -> list[str]:
    """`settlements`, `unknown`: of a running node, which are not part of the check and said beside it."""
    comma = "," if console.is_terminal else ""
    wrong = [b for b in document["trial_balances"] if b["posted"] != "0" or b["pending"] != "0"]
    took = "" if took_ms is None else f", {duration(took_ms)}"
    lines = [
        _line(console, "✗" if wrong else "✓", "every asset sums to zero", _assets(document["trial_balances"])),
        _line(
            console,
            "✓" if document["sound"] else "✗",
            "stored balances equal the journal",
            f"{document['records']:{comma}} records{took}",
        ),
    ]
    if document["opening"]["commit"]:
        since = f"{_moment(document['opening']['at'])}, after commit {document['opening']['commit']:{comma}}"
        lines.append(_line(console, "·", "the journal is kept from", since))
    if document["holds"]:
        lines.append(_line(console, "·", "packets in flight", f"{document['holds']:{comma}} open"))
    if settlements:
        lines.append(_line(console, "·", "settlements", _settled(settlements, now or datetime.now(UTC), comma)))
    if document["unknown"]:
        lines.append(f"  {console.mark('?')} {_unknown(document['unknown'], unknown, console)}")
    if document.get("unproven"):
        lines.append(_line(console, "?", "unproven claims", f"{document['unproven']}   (ilp unproven list)"))
    for fault in document["faults"]:
        lines.append(f"  {console.mark('✗')} {fault['text']}")
        if fault["commit"] is not None:
            where = f"record {fault['record']} of commit {fault['commit']:{comma}}"
            lines.append(f"    First difference at {where} ({_moment(fault['at'])})")
    if document["sound"]:
        return [*lines, "Books are sound."]
    return [*lines, "Books are not sound. Do not delete anything.  Next:  ilp ledger export --format csv --by packet"]


def _line(console: Console, mark: str, label: str, value: str) -> str:
    return f"  {console.mark(mark)} {label:<{LABEL - 1}}{value}"


def _assets(balances: Sequence[Document]) -> str:
    """`USD EUR, posted and pending`; with the scale where a code has several."""
    if not balances:
        return "none yet"
    codes = [balance["asset_code"] for balance in balances]
    names = [
        code if codes.count(code) == 1 else f"{code}/{balance['asset_scale']}"
        for code, balance in zip(codes, balances, strict=True)
    ]
    return f"{' '.join(names)}, posted and pending"


def _settled(settlements: Sequence[Document], now: datetime, comma: str) -> str:
    today = now.astimezone().date()
    done = [one for one in settlements if one["done_at"] and parse_moment(one["done_at"]).astimezone().date() == today]
    waiting = sum(one["done_at"] is None for one in settlements)
    return f"{len(done):{comma}} today, {waiting:{comma}} waiting"


def _unknown(count: int, items: Sequence[Document], console: Console) -> str:
    """`2 unknown items, 994.50 KES set aside`"""
    totals: dict[Asset, int] = {}
    for item in items:
        amount = item["amount"]
        asset = Asset(amount["asset_code"], int(amount["asset_scale"]))
        totals[asset] = totals.get(asset, 0) + int(amount["amount"])
    comma = console.is_terminal
    amounts = [f"{format_amount(units, asset, thousands=comma)} {asset.code}" for asset, units in totals.items()]
    aside = f", {', '.join(amounts)} set aside" if amounts else ""
    return f"{count} unknown item{'' if count == 1 else 's'}{aside}"


def _moment(text: str | None) -> str:
    return "" if text is None else parse_moment(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
