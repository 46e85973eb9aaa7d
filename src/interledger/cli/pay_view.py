"""What `ilp pay` and `ilp quote` print. Functions of documents; what is not known is left out, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import ceil_spoken, floor_spoken, least_spoken, money, rate_text, round_spoken, whole

__all__ = [
    "Terms",
    "dry_run_lines",
    "exit_code_of",
    "header_lines",
    "percent",
    "rate_too_low_error",
    "result_lines",
    "stopped_lines",
    "stopping_line",
]

Document = Mapping[str, Any]

EXIT_CODES = {
    "delivered": ExitCode.DONE,
    "partial": ExitCode.PARTLY_DONE,
    "failed": ExitCode.REJECTED,
    "unknown": ExitCode.UNKNOWN,
    "cancelled": ExitCode.INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """A quote, and what else is known of the way.

    `fixed_delivery`: the payer said what is to arrive. `market`: units of the destination that one of the source is
    worth. `path`: the nodes on the way, in a development network.
    """

    quote: Document
    pointer: str
    fixed_delivery: bool = False
    name: str | None = None
    market: Fraction | None = None
    path: Sequence[str] = ()
    hub: tuple[str, Fraction] | None = None
    """Who keeps which share, where there is one such node."""

    @property
    def rate(self) -> Fraction:
        """Whole units that arrive for one that is sent."""
        rate, send, deliver = self.quote["rate"], self.quote["send_max"], self.quote["deliver_min"]
        scales = Fraction(10) ** (int(send["asset_scale"]) - int(deliver["asset_scale"]))
        return Fraction(int(rate["numerator"]), int(rate["denominator"])) * scales

    @property
    def source(self) -> str:
        return str(self.quote["send_max"]["asset_code"])

    @property
    def host(self) -> str:
        """Who was asked first."""
        return self.pointer.removeprefix("$").partition("://")[2 if "://" in self.pointer else 0].partition("/")[0]

    @property
    def destination(self) -> str:
        return str(self.quote["deliver_min"]["asset_code"])

    @property
    def fee(self) -> str | None:
        """`0.03 USD`: what the way keeps, counted from the market's rate; None where that is not known."""
        if self.market is None or self.market <= 0:
            return None
        sent = whole(self.quote["deliver_min"]) / self.rate if self.fixed_delivery else whole(self.quote["send_max"])
        kept = sent * (1 - self.rate / self.market)
        if kept < 0:
            return None
        shown = round_spoken(kept, self.source)
        return (
            f"{shown} {self.source}"
            if kept == 0 or shown.strip("0.")
            else f"under {least_spoken(self.source)} {self.source}"
        )


def header_lines(terms: Terms, console: Console) -> list[str]:
    """Before a payment: to whom, what is sent, what arrives at least."""
    quote = terms.quote
    to = "   ".join(part for part in (terms.name, terms.pointer, terms.destination) if part)
    least = floor_spoken(whole(quote["deliver_min"]), terms.destination, thousands=console.is_terminal)
    most = ceil_spoken(whole(quote["send_max"]), terms.source, thousands=console.is_terminal)
    cost = f"rate {rate_text(terms.rate)}" + (f", fee {terms.fee}" if terms.fee else "")
    path = f"    path {' → '.join(terms.path)}" if terms.path else ""
    sends = f"at most {most} {terms.source}" if terms.fixed_delivery else money(quote["send_max"])
    delivers = money(quote["deliver_min"]) if terms.fixed_delivery else f"at least {least} {terms.destination}"
    lines = [f"  To       {to}", f"  Send     {sends}", f"  Deliver  {delivers}    {cost}{path}"]
    if quote.get("redirected_to"):
        lines.insert(1, f"  At       {quote['redirected_to']}   {console.mark('!', f'{terms.host} sends us there')}")
    return lines


def dry_run_lines(terms: Terms) -> list[str]:
    """What would be done."""
    quote = terms.quote
    cost = f"(rate {rate_text(terms.rate)}" + (f", fee {terms.fee})" if terms.fee else ")")
    if terms.fixed_delivery:
        most = ceil_spoken(whole(quote["send_max"]), terms.source)
        first = (
            f"  Would send at most {most} {terms.source} so that exactly {money(quote['deliver_min'])} arrive {cost}."
        )
    else:
        least = floor_spoken(whole(quote["deliver_min"]), terms.destination)
        first = f"  Would send {money(quote['send_max'])} so that at least {least} {terms.destination} arrive {cost}."
    return [first, "  Nothing was sent."]


def rate_too_low_error(terms: Terms, least: str) -> CliError:
    """The rate is below `--min-rate`: your own limit, so nothing was sent."""
    who = f"{terms.hub[0]} keeps {percent(terms.hub[1])}" if terms.hub else ""
    market = f"the market is at {rate_text(terms.market)}" if terms.market else ""
    why = "; ".join(part for part in (who, market) if part)
    see = "See  ilp rate list"
    return CliError(
        ExitCode.OWN_LIMIT,
        f"Not sent: the rate is {rate_text(terms.rate)}, you asked for at least {least}.",
        f"{why}. {see}" if why else see,
    )


def percent(share: Fraction) -> str:
    """`0.30 %`"""
    hundredths = int(share * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def result_lines(
    payment: Document, console: Console, *, receipt: str | None = None, blame: str | None = None
) -> list[str]:
    """How it ended. `blame`: the node that stopped answering, where that is known."""
    state = payment["state"]
    sent = money(payment["sent"])
    delivered = money(payment["delivered"]) if payment["delivered"] is not None else None
    short = str(payment["id"]).removeprefix("pay_")
    see = f"(ilp payment show {short})"
    extra = f"   {receipt}" if receipt else ""
    if state == "delivered":
        lines = [f"  {console.mark('✓')} Delivered {delivered} for {sent}"]
        return [*lines, f"  Payment {payment['id']}{extra}   {see}"]
    if state == "cancelled":
        return stopped_lines(payment, console)
    lines = []
    if int(payment["sent"]["amount"]):
        lines.append(f"  {console.mark('!')} Part delivered: {delivered} for {sent}")
    if int(payment["unknown"]["amount"]):
        why = f"{blame} stopped answering" if blame else "the answers never came"
        lines.append(
            f"  {console.mark('?')} {money(payment['unknown'])} more may have arrived: {why}."
            " Counted as sent until proved otherwise."
        )
    rest = _not_sent(payment)
    return [*lines, f"  {rest}Payment {payment['id']}   {see}"]


def _not_sent(payment: Document) -> str:
    if payment["send_max"] is None:
        return ""
    left = int(payment["send_max"]["amount"]) - int(payment["sent"]["amount"]) - int(payment["unknown"]["amount"])
    return f"{money({**payment['send_max'], 'amount': left})} was not sent. " if left > 0 else ""


def stopping_line(in_flight: int) -> str:
    """After the first Ctrl-C."""
    packets = f"{in_flight} packet{'' if in_flight == 1 else 's'}"
    return f"  Stopping: waiting for {packets} in flight (at most 30 s; Ctrl-C again leaves them to the node)"


def stopped_lines(payment: Document, console: Console) -> list[str]:
    """After it was stopped."""
    delivered = money(payment["delivered"]) if payment["delivered"] is not None else "nothing"
    return [
        f"  {console.mark('!')} Stopped at {money(payment['sent'])} sent, {delivered} delivered. The rest was not sent."
    ]


def exit_code_of(payment: Document) -> ExitCode:
    """What the command ends with."""
    return EXIT_CODES.get(str(payment["state"]), ExitCode.FAILED)
