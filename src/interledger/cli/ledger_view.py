"""What `ilp ledger` and `ilp unknown` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.money import duration, money, parse_moment, rate_text, whole
from interledger.cli.output import Column, render_table

__all__ = [
    "accounts_lines", "compare_lines", "decision_lines", "item_lines", "profit_lines", "statement_lines",
    "unknown_lines",
]  # fmt: skip

Document = Mapping[str, Any]

UNKNOWN_SHOWN: Final = 5
"""Under a statement; all of them have a list of their own."""


def accounts_lines(items: Sequence[Document], console: Console, *, exact: bool = False) -> list[str]:
    """A line an account."""
    columns = (
        Column("ACCOUNT", lambda row: row["name"], keep=3),
        Column("CLASS", lambda row: row["class"], keep=1),
        Column("BALANCE", lambda row: _position(int(row["net"]), row, console, exact=exact), right=True, keep=2),
        Column("MEANING", lambda row: row["meaning"].replace("`", "")),
    )
    return render_table(items, columns, console) if items else ["No accounts are open yet."]


def compare_lines(items: Sequence[Document], console: Console, *, exact: bool = False) -> list[str]:
    """A line a peer: what we say, what it says, and the verdict."""
    if not items:
        return ["There are no peers."]

    def position(row: Document, key: str) -> str:
        return "" if row[key] is None else _position(int(row[key]), {**row, "name": "peer/"}, console, exact=exact)

    def verdict(row: Document) -> str:
        if row["theirs"] is None:
            return console.mark("·", f"does not say: {row['problem']}")
        if row["unexplained"] != "0":
            amount = format_amount(int(row["unexplained"]), _asset(row), exact=exact)
            return console.mark("✗", f"{amount} {row['asset_code']} that nothing explains")
        return console.mark(
            "✓", "agree" if row["ours"] == row["theirs"] else "agree, but for what is in flight or unknown"
        )

    columns = (
        Column("PEER", lambda row: row["account"], keep=4),
        Column("OUR BOOKS", lambda row: position(row, "ours"), right=True, keep=3),
        Column("THEIR BOOKS", lambda row: position(row, "theirs"), right=True, keep=3),
        Column("", verdict, keep=5),
    )
    return render_table(items, columns, console)


def statement_lines(document: Document, console: Console, *, exact: bool = False) -> list[str]:
    """The lines, between the balances before and after them."""
    asset = _asset(document)

    def amount(text: str) -> str:
        return "" if text == "0" else format_amount(int(text), asset, exact=exact, thousands=console.is_terminal)

    rows = document["lines"]
    columns = (
        Column("TIME", lambda row: _moment(row["at"]), keep=5),
        Column("WITH", lambda row: _with(row), keep=2),
        Column("DEBIT", lambda row: amount(row["debit"]), right=True, keep=4),
        Column("CREDIT", lambda row: amount(row["credit"]), right=True, keep=4),
        Column("BALANCE", lambda row: _position(int(row["net"]), document, console, exact=exact), right=True, keep=6),
        Column("WHAT", lambda row: _what(row), keep=1),
    )
    lines = [f"{document['name']}   {asset}"]
    if document["kept_from"]:
        lines[0] += f"   kept from {_moment(document['kept_from'])}"
    before = _position(int(document["opening_net"]), document, console, exact=exact)
    lines.append(f"  Before   {before}")
    lines += [f"  {line}" for line in render_table(rows, columns, console)] if rows else ["  Nothing was posted."]
    if document["more"]:
        lines.append(f"  {console.mark('!')} {document['more']} lines more. Ask for less time, or  --by hour")
    lines.append(f"  After    {_position(int(document['closing_net']), document, console, exact=exact)}")
    pending = document["pending"]
    if pending["in"] != "0" or pending["out"] != "0":
        lines.append(f"  Held     {amount(pending['in']) or 0} in, {amount(pending['out']) or 0} out {asset.code}")
    unknown = document["unknown"]
    for item in unknown[:UNKNOWN_SHOWN]:
        lines.append(f"  Unknown  {console.mark('?')} {item['id']}  {money(item['amount'], exact=exact)}")
    if len(unknown) > UNKNOWN_SHOWN:
        lines.append(f"           {console.mark('?')} {len(unknown) - UNKNOWN_SHOWN} more   (ilp unknown list)")
    for item in document["unproven"][:UNKNOWN_SHOWN]:
        lines.append(f"  Unproven {console.mark('?')} {item['id']}  {money(item['amount'], exact=exact)}")
    return lines


def profit_lines(
    document: Document, console: Console, rates: Mapping[str, Fraction], *, exact: bool = False
) -> list[str]:
    """Fees, losses and positions by asset; then the pairs; then what the positions are worth together."""
    if not document["assets"]:
        return ["Nothing was earned or lost."]

    def of(row: Document, name: str) -> str:
        return format_amount(int(row[name]), _asset(row), exact=exact, thousands=console.is_terminal)

    columns = [
        Column("ASSET", lambda row: str(_asset(row)), keep=9),
        *(
            Column(name.upper(), lambda row, name=name: of(row, name), right=True, keep=8)  # type: ignore[misc]  # bound now
            for name in ("fees", "losses", "corrections", "position")
        ),
    ]
    lines = render_table(document["assets"], columns, console)
    if document["pairs"]:
        pair_columns = (
            Column("PAIR", lambda row: f"{row['taken']['asset_code']} → {row['given']['asset_code']}", keep=3),
            Column("PACKETS", lambda row: f"{row['packets']:,}", right=True, keep=1),
            Column("TAKEN", lambda row: money(row["taken"], exact=exact), right=True, keep=2),
            Column("GIVEN", lambda row: money(row["given"], exact=exact), right=True, keep=2),
            Column("RATE", lambda row: rate_text(whole(row["given"]) / whole(row["taken"])), right=True),
        )
        lines += ["", *render_table(document["pairs"], pair_columns, console)]
    worth = _worth(document["assets"], rates)
    if worth is not None:
        value, code = worth
        sign = "-" if value < 0 else ""
        lines += ["", f"At the node's rates of now: {sign}{rate_text(abs(value))} {code}"]
    return lines


def decision_lines(decision: Document, console: Console, *, exact: bool = False) -> list[str]:
    """What it does, and to whose balance."""
    done = decision["done_at"] is not None
    lines = [f"{console.mark('✓', 'Done: ') if done else '  Would do: '}{decision['text']}."]
    for effect in decision["effects"]:
        before, after = (_position(int(effect[key]), effect, console, exact=exact) for key in ("before", "after"))
        lines.append(f"  {effect['name']}   {before} → {after}")
    memo = decision["memo"]
    lines.append(f"  Reason: {memo['reason']}   by {memo['by']}")
    return lines if done else [*lines, "  Nothing was done yet."]


def unknown_lines(items: Sequence[Document], console: Console, *, exact: bool = False) -> list[str]:
    """A line an item."""
    if not items:
        return [f"{console.mark('✓')} Nothing is unknown: every packet has a proven outcome."]
    columns = (
        Column("ITEM", lambda row: row["id"], keep=5),
        Column("PEER", lambda row: row["account"], keep=4),
        Column("AMOUNT", lambda row: money(row["amount"], exact=exact, thousands=console.is_terminal), keep=4),
        Column("FOR", lambda row: duration(row["age_ms"]), gap="   ", keep=3),
        Column("EVIDENCE", _evidence, keep=2),
    )
    return render_table(items, columns, console)


def _evidence(item: Document) -> str:
    return "its fulfillment" if item["proof"] else f"none yet; will ask {item['account']} when its link is up"


def item_lines(item: Document, console: Console, *, exact: bool = False) -> list[str]:
    """All that is known of one item."""
    lines = [
        f"{item['id']}   {console.mark('?')} {money(item['amount'], exact=exact)} to {item['account']}, "
        f"for {duration(item['age_ms'])}",
        f"  Condition  {item['condition']}",
        f"  Expired    {_moment(item['expires_at'])}",
        f"  Proof      {item['proof'] or 'none: nobody has shown its fulfillment'}",
    ]
    if item.get("held_at"):
        lines.append(f"  Sent       {_moment(item['held_at'])}")
    if item.get("gave_up_at"):
        lines.append(f"  Given up   {_moment(item['gave_up_at'])}")
    if item.get("incoming"):
        incoming = item["incoming"]
        lines.append(f"  Came from  {incoming['account']}, {money(incoming['amount'], exact=exact)}: was not charged")
    return [
        *lines,
        f"  Ask {item['account']} whether it has a packet of this condition fulfilled. Then",
        f"  ilp unknown resolve {item['id']} delivered|not-delivered --reason TEXT",
    ]


def _position(net: int, document: Document, console: Console, *, exact: bool) -> str:
    """A balance in words: of a counterpart who owes whom, of an account of our own debit or credit."""
    asset = _asset(document)
    text = f"{format_amount(abs(net), asset, exact=exact, thousands=console.is_terminal)} {asset.code}"
    if net == 0:
        return text
    if str(document["name"]).startswith(("peer/", "local/")):
        return f"{'owes us' if net > 0 else 'we owe'} {text}"
    return f"{text} {'debit' if net > 0 else 'credit'}"


def _with(row: Document) -> str:
    return ", ".join(dict.fromkeys(row["with"]))


def _what(row: Document) -> str:
    memo = row["memo"]
    if memo is not None:
        by = f", {memo['by']}" if memo["by"] else ""
        return f"{memo['kind']}: {memo['reason']}{by}" if memo["reason"] else str(memo["kind"])
    return f"{row['packets']} packet{'' if row['packets'] == 1 else 's'}" if row["packets"] else str(row["kind"])


def _worth(assets: Sequence[Document], rates: Mapping[str, Fraction]) -> tuple[Fraction, str] | None:
    """Fees, less losses and corrections, and positions, all in one asset; None where a rate is missing."""
    if any(row["asset_code"] not in rates for row in assets):
        return None
    code = "USD" if rates.get("USD") else str(assets[0]["asset_code"])
    total = Fraction(0)
    for row in assets:
        units = int(row["fees"]) - int(row["losses"]) - int(row["corrections"]) + int(row["position"])
        total += Fraction(units, 10 ** int(row["asset_scale"])) * rates[row["asset_code"]]
    return total / rates[code], code


def _asset(document: Document) -> Asset:
    return Asset(document["asset_code"], int(document["asset_scale"]))


def _moment(text: str | None) -> str:
    return "" if text is None else parse_moment(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
