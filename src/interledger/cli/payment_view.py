"""What `ilp payment list` and `ilp payment show` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from interledger.cli.console import Console
from interledger.cli.money import (
    align,
    duration,
    floor_spoken,
    money,
    money_of,
    parse_moment,
    rate_text,
    time_of_day,
    whole,
)
from interledger.cli.output import Column, cut_middle, render_table
from interledger.cli.waterfall import waterfall_lines

__all__ = ["Cost", "payment_lines", "payments_lines"]

Document = Mapping[str, Any]

MARKS: Final = {"delivered": "✓", "partial": "!", "failed": "✗", "unknown": "?", "cancelled": "!"}

POINTER_WIDTH: Final = 36
VALUE_WIDTH: Final = 18


class Cost(NamedTuple):
    """What is known of the way beyond the payment's own figures."""

    market: str
    """The rate before the fee."""
    percent: str
    fee: str
    by: str


def state_text(payment: Document, console: Console) -> str:
    """`✓ delivered`"""
    return console.mark(MARKS.get(payment["state"], "·"), payment["state"])


def _when(payment: Document, now: datetime) -> str:
    moment = parse_moment(payment["started_at"]).astimezone()
    is_today = moment.date() == now.astimezone().date()
    text = time_of_day(payment["started_at"], now)
    return f"today {text}" if is_today else text


def payment_lines(
    payment: Document,
    console: Console,
    *,
    now: datetime | None = None,
    cost: Cost | None = None,
    exact: bool = False,
    whole_trace: bool = False,
) -> list[str]:
    """Everything about one payment. `whole_trace`: every packet; else those that are alike are counted."""
    took = "" if payment["duration_ms"] is None else f", {duration(payment['duration_ms'])}"
    when = _when(payment, now or datetime.now(UTC))
    rows = [("Sent", money(payment["sent"], exact=exact), f"from {payment['account']}")]
    if payment["delivered"] is not None:
        promised = ""
        if payment["deliver_min"] is not None:
            least = floor_spoken(whole(payment["deliver_min"]), payment["deliver_min"]["asset_code"])
            promised = f"   (promised at least {least})"
        rows.append(("Delivered", money(payment["delivered"], exact=exact), f"to {payment['receiver']}{promised}"))
    rate = _rate(payment)
    if rate is not None:
        rows.append(("Rate", rate_text(rate), f"{cost.market} before the fee of {cost.percent}" if cost else ""))
    if cost:
        rows.append(("Fee", cost.fee, cost.by))
    if int(payment["unknown"]["amount"]):
        rows.append(("Unknown", money(payment["unknown"], exact=exact), "may have arrived; counted as sent"))
    if int(payment["in_flight"]["amount"]):
        rows.append(("In flight", money(payment["in_flight"], exact=exact), ""))
    numbers = align([number for _, number, _ in rows])
    lines = [f"{payment['id']}   {state_text(payment, console)}   {when}{took}"]
    lines += [
        f"  {label:<11}{number:<{VALUE_WIDTH}}{more}".rstrip()
        for (label, _, more), number in zip(rows, numbers, strict=True)
    ]
    if payment.get("redirected_to"):
        lines.append(f"  At         {payment['redirected_to']}, which answered for {payment['receiver']}")
    if payment.get("receipt"):
        lines.append(f"  Receipt    {payment['receipt']}")
    if payment["error"]:
        code = f" ({payment['code']})" if payment["code"] else ""
        lines.append(f"  Why        {payment['error'].get('detail', payment['error']['title'])}{code}")
    packets = (payment.get("trace") or {}).get("packets") or []
    asset = money_of(payment["sent"])[1]
    return [*lines, "", *(waterfall_lines(packets, asset, console, whole=whole_trace) or [f"  {_packets(payment)}"])]


def _rate(payment: Document) -> Fraction | None:
    """Whole units delivered for one that was sent."""
    if payment["delivered"] is None or not int(payment["sent"]["amount"]):
        return None
    return whole(payment["delivered"]) / whole(payment["sent"])


def _packets(payment: Document) -> str:
    packets = payment["packets"]
    parts = [f"{packets['fulfilled']} fulfilled", f"{packets['rejected']} rejected"]
    rest = packets["sent"] - packets["fulfilled"] - packets["rejected"]
    if rest > 0:
        parts.append(f"{rest} without an answer")
    return f"{packets['sent']} packets: {', '.join(part for part in parts if not part.startswith('0 '))}".rstrip(": ")


def payments_lines(
    payments: Sequence[Document], console: Console, *, now: datetime | None = None, exact: bool = False
) -> list[str]:
    """A line a payment, newest first."""
    if not payments:
        return ["No payments yet. Make one:  ilp pay '$wallet.example/bob' '10 USD'"]
    moment = now or datetime.now(UTC)
    sent = align([money(p["sent"], exact=exact, thousands=console.is_terminal) for p in payments])
    arrived = align(
        [money(p["delivered"], exact=exact, thousands=console.is_terminal) if p["delivered"] else "" for p in payments]
    )
    rows = list(zip(payments, sent, arrived, strict=True))
    columns = (
        Column("PAYMENT", lambda row: row[0]["id"], keep=9),
        Column("STATE", lambda row: state_text(row[0], console), keep=8),
        Column("SENT", lambda row: row[1], keep=7),
        Column("DELIVERED", lambda row: row[2], keep=6),
        Column("FROM", lambda row: row[0]["account"], keep=3),
        Column("TO", lambda row: cut_middle(row[0]["receiver"], POINTER_WIDTH), keep=4),
        Column("WHEN", lambda row: time_of_day(row[0]["started_at"], moment), keep=2),
    )
    return render_table(rows, columns, console)
