"""What `ilp demo` prints."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from interledger.accounts.asset import Asset, Money, format_amount
from interledger.cli.console import Console
from interledger.cli.dev_settlement import settled_document
from interledger.cli.dev_view import node_lines
from interledger.cli.money import align, floor_spoken, rate_text, round_spoken
from interledger.daemon.topology import DEV_VALUES

if TYPE_CHECKING:
    from interledger.daemon.demo import Balance, DemoReport
    from interledger.node.payment import Quote

__all__ = [
    "balance_lines",
    "check_lines",
    "ledger_lines",
    "opening_lines",
    "quote_lines",
    "report_document",
    "sent_lines",
]


def opening_lines(document: Mapping[str, Any], console: Console, seconds: float) -> list[str]:
    """What runs."""
    return [*node_lines(document, console), f"  Ready in {seconds:.1f} s"]


def quote_lines(quote: Quote) -> list[str]:
    """What the payment will cost."""
    source, destination = quote.source_asset, quote.destination_asset
    least = floor_spoken(Fraction(quote.deliver_min, 10**destination.scale), destination.code)
    rate = _rate(quote.rate.numerator, quote.rate.denominator, source, destination)
    return [
        f"  To       {quote.receiver}   {destination.code}",
        f"  Send     {Money(quote.send_max, source)}",
        f"  Deliver  at least {least} {destination.code}    rate {rate_text(rate)}",
    ]


def _rate(delivered: int, sent: int, source: Asset, destination: Asset) -> Fraction:
    return Fraction(delivered, sent) * Fraction(10) ** (source.scale - destination.scale)


def _fee(report: DemoReport) -> str | None:
    """What the hub kept, in the source's asset, counted from the market's rate."""
    payment = report.payment
    source, destination = payment.source_asset, payment.destination_asset
    if destination is None or not payment.sent or source.code not in DEV_VALUES or destination.code not in DEV_VALUES:
        return None
    market = Fraction(DEV_VALUES[source.code]) / Fraction(DEV_VALUES[destination.code])
    kept = Fraction(payment.sent, 10**source.scale) - Fraction(payment.delivered, 10**destination.scale) / market
    return f"{round_spoken(max(kept, Fraction(0)), source.code)} {source.code}"


def sent_lines(report: DemoReport, console: Console) -> list[str]:
    """How the payment ended."""
    payment = report.payment
    source, destination = payment.source_asset, payment.destination_asset
    if payment.state != "delivered" or destination is None:
        return [
            f"  {console.mark('✗')} Not delivered ({payment.state}): {payment.error or 'the network did not take it'}"
        ]
    rate = _rate(payment.delivered, payment.sent, source, destination)
    fee = _fee(report)
    return [
        f"  {console.mark('✓')} Delivered {Money(payment.delivered, destination)} for {Money(payment.sent, source)}",
        f"  Rate     {rate_text(rate)}"
        + (f"   fee {fee}" if fee else "")
        + _packets(payment.fulfilled, payment.rejected),
    ]


def _packets(fulfilled: int, rejected: int) -> str:
    text = f"{fulfilled + rejected} packets: {fulfilled} fulfilled"
    return f"   {text}" + (f", {rejected} rejected" if rejected else "")


def ledger_lines(report: DemoReport) -> list[str]:
    """What was settled: by whom, how much, in which transaction."""
    rows = [row for row in report.settled if row.moved]
    whom = [f"{row.payer} → {row.payee}" for row in rows]
    width = max((len(text) for text in whom), default=0)
    lines = []
    for text, row in zip(whom, rows, strict=True):
        lines.append(f"  Settled  {text:<{width}}   {Money(row.moved, row.asset)}   {row.transaction or ''}".rstrip())
        if row.waiting:
            left = Money(row.waiting, row.asset)
            lines.append(f"           {left} stay with {row.payer}'s engine: less than the ledger can pay")
    return lines


def balance_lines(report: DemoReport, console: Console) -> list[str]:
    """Every account of every node, before and after."""
    rows = report.balances
    before = _positions([(row, row.before) for row in rows], console)
    after = _positions([(row, row.after) for row in rows], console)
    names = max(7, *(len(row.node) for row in rows))
    accounts = max(7, *(len(row.account) for row in rows))
    width = max(len(text) for text in before)
    lines = [f"  {'NODE':<{names}}  {'ACCOUNT':<{accounts}}  {'BEFORE':<{width}}  AFTER"]
    for i, row in enumerate(rows):
        lines.append(f"  {row.node:<{names}}  {row.account:<{accounts}}  {before[i]:<{width}}  {after[i]}".rstrip())
    return lines


def _positions(rows: list[tuple[Balance, int]], console: Console) -> list[str]:
    """`owes us  10.00 USD`, amounts aligned at the point."""
    numbers = align([f"{format_amount(abs(net), row.asset)} {row.asset.code}" for row, net in rows])
    texts = []
    for (_, net), number in zip(rows, numbers, strict=True):
        side = "owes us" if net > 0 else "we owe" if net < 0 else ""
        texts.append(f"{side:<7} {number}".rstrip())
    return texts


def check_lines(report: DemoReport, console: Console) -> list[str]:
    """Each comparison; those about every node's books in one line when all are well."""
    lines = []
    wrong = [check for check in report.checks if check.difference]
    for check in wrong:
        lines.append(f"  {console.mark('✗')} Not so: {check.text} (off by {check.difference} units)")
    if not wrong:
        links = sum(" agree on what " in check.text for check in report.checks)
        lines.append(f"  {console.mark('✓')} Both sides of {links} links agree to the unit")
        lines.append(f"  {console.mark('✓')} Sent and delivered are in the books, to the unit")
        if report.settled:
            lines.append(f"  {console.mark('✓')} What was settled is in both books and on the ledger, to the unit")
        lines.append(f"  {console.mark('✓')} Every asset sums to zero at every node, and nothing is held any more")
    return lines


def report_document(report: DemoReport) -> dict[str, Any]:
    """For programs."""
    payment = report.payment
    destination = payment.destination_asset
    return {
        "payment": payment.id,
        "state": payment.state,
        "sent": Money(payment.sent, payment.source_asset).as_json(),
        "delivered": None if destination is None else Money(payment.delivered, destination).as_json(),
        "packets": {"sent": payment.packets, "fulfilled": payment.fulfilled, "rejected": payment.rejected},
        "balances": [
            {
                "node": row.node,
                "account": row.account,
                "before": Money(row.before, row.asset).as_json(),
                "after": Money(row.after, row.asset).as_json(),
            }
            for row in report.balances
        ],
        "checks": [{"text": check.text, "difference": str(check.difference)} for check in report.checks],
        "settled": settled_document(report.settled),
        "sound": report.is_sound,
    }
