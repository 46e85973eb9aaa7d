"""What `ilp packet trace` prints: the way of one packet from node to node, every step on it, and why it ended there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.money import money, parse_moment, rate_text, whole
from interledger.cli.output import cut_middle, printable
from interledger.ilp.error_codes import ERROR_CODES

__all__ = ["OUTCOMES", "Hop", "deciding", "milliseconds", "opened", "stream_lines", "trace_lines"]

Document = Mapping[str, Any]

MARKS: Final = {"done": "✓", "refused": "✗", "not_reached": "·"}

OUTCOMES: Final = {
    "fulfilled": ("✓", "fulfilled"),
    "rejected": ("✗", "rejected"),
    "unknown": ("?", "unknown"),
    "in_flight": ("·", "in flight"),
    "not_seen": ("·", "how it ended was not recorded"),
}
"""Of a packet's document: mark and words."""

DESTINATION_WIDTH: Final = 34
"""Of an address, on a terminal: identifiers may be cut, amounts never."""

STEP: Final = 7
SENT: Final = 10
AMOUNT: Final = 18

LIMITS: Final = {
    "owes_us_max": ("{node} lets {account} owe it at most {limit}.", "{account} owed"),
    "we_owe_max": ("{node} may owe {account} at most {limit}.", "It owed"),
}
"""A limit that had no room: whose it is, and who owed."""

RATE_DENOMINATOR: Final = 10_000_000
"""Of a rate as it is shown, where that is exact."""


class Hop(NamedTuple):
    """One node's record of the packet. `node`: its name; `packet`: the API's document; the rest as far as known."""

    node: str
    packet: Document
    accounts: Mapping[str, Document]
    """The node's accounts by their names."""
    onward: str | None = None
    """To which account the packet went, or would have gone."""
    route: str | None = None
    """Why: `test.bob → bob, longest prefix`."""
    room: Document | None = None
    """What the account that had too little room has now."""


def trace_lines(hops: Sequence[Hop], console: Console, *, exact: bool = False) -> list[str]:
    """`hops`: in the order of the way, one at least. Who only sent or received is a line, who forwarded a block."""
    decided = deciding(hops)
    middle = [hop for hop in hops if not _is_end(hop)] or [decided]
    before, behind = middle[0].packet["incoming"], middle[-1].onward or "–"
    names = max(len(name) for name in (before, behind, *(hop.node for hop in middle))) + 3
    start = middle[0].packet
    expires = f"expires {_moment(start['expires_in'])}" if start["expires_in"] else ""
    sent = f"  {before:<{names}}{'sent':<{SENT}}{money(start['amount_in'], exact=exact):<{AMOUNT}}{expires}"
    lines = [_title(hops[0], decided, console, exact), "", sent.rstrip()]
    came = hops[hops.index(middle[0]) - 1] if hops.index(middle[0]) else None
    for hop in middle:
        lines += [_link(_kind(hop, hop.packet["incoming"]), came, hop), *_block(hop, names, console, exact)]
        came = hop
    last = middle[-1]
    if last.packet["outgoing"] is None:
        lines += ["    ╎ not sent", f"  {behind}"]
    else:
        onward = hops[hops.index(last) + 1] if hops.index(last) + 1 < len(hops) else None
        ended = f"  {behind:<{names}}{console.mark(*_outcome(hops[-1].packet))}"
        lines += [_link(_kind(last, last.onward), last, onward), ended]
    reasons = [*_reasons(decided, exact), *stream_lines(opened(hops)), f"  Trace {start['condition'][:32]}"]
    return [*lines, "", *reasons]


def deciding(hops: Sequence[Hop]) -> Hop:
    """The node that refused it, or else the one that saw most of it: the last that sent it on."""
    refused = next((hop for hop in hops if _refused(hop.packet)), None)
    return refused or next((hop for hop in reversed(hops) if not _is_end(hop)), hops[0])


def opened(hops: Sequence[Hop]) -> Document:
    """The record of a node that has the secret of what is inside, or else the first."""
    return next((hop.packet for hop in hops if hop.packet.get("stream")), hops[0].packet)


def _is_end(hop: Hop) -> bool:
    """Whether it only sent or received: its own five steps say nothing that is not said elsewhere."""
    is_sender = hop.packet["payment"] is not None or _kind(hop, hop.packet["incoming"]) == "local"
    is_receiver = _kind(hop, hop.packet["outgoing"]) == "local"
    return (is_sender or is_receiver) and not _refused(hop.packet)


def _kind(hop: Hop, account: str | None) -> str | None:
    """Of an account's link: `BTP`, `HTTP`, `local`."""
    known = hop.accounts.get(account or "")
    return None if known is None else str(known["link"]["kind"])


def _refused(packet: Document) -> Document | None:
    return next((step for step in packet["journey"] if step["state"] == "refused"), None)


def _title(first: Hop, decided: Hop, console: Console, exact: bool) -> str:
    packet, took = first.packet, decided.packet["answered_after_us"]
    to = printable(packet["destination"])
    shown = cut_middle(to, DESTINATION_WIDTH) if console.is_terminal else to
    mark, outcome = _outcome(decided.packet)
    after = f" after {milliseconds(took)}" if took else ""
    return (
        f"packet {packet['id']}   {money(packet['amount_in'], exact=exact)} to {shown}"
        f"   {console.mark(mark, outcome + after)}"
    )


def _outcome(packet: Document) -> tuple[str, str]:
    """Its mark, and `rejected T04 by test.hub`."""
    mark, word = OUTCOMES[packet["outcome"]]
    if packet["code"] is None:
        return mark, word
    return mark, f"{word} {packet['code']}" + (f" by {printable(packet['triggered_by'] or '')}").removesuffix(" by ")


# ---------------------------------------------------------------------- steps


def _block(hop: Hop, names: int, console: Console, exact: bool) -> list[str]:
    lines = []
    for number, step in enumerate(hop.packet["journey"]):
        name = hop.node if number == 0 else ""
        said = f"{console.mark(MARKS[step['state']])} {step['step']:<{STEP}} {_said(hop, step, exact)}"
        lines.append(f"  {name:<{names}}{said}".rstrip())
    return lines


def _said(hop: Hop, step: Document, exact: bool) -> str:
    packet, is_done = hop.packet, step["state"] == "done"
    if is_done and step["step"] == "admit":
        return f"account {packet['incoming']}"
    if is_done and step["step"] == "route" and hop.route:
        return hop.route
    if is_done and step["step"] == "convert" and packet["amount_out"]:
        return _converted(packet, exact)
    if step["compared"]:
        return _compared(hop, step["compared"], exact)
    return printable(step["text"])


def _converted(packet: Document, exact: bool) -> str:
    """`0.55 USD × 9185361/10000000 = 0.505194855 EUR`: the ratio of both amounts, which were cut to whole units."""
    came, goes = packet["amount_in"], packet["amount_out"]
    if came["asset_code"] == goes["asset_code"]:
        return f"{money(came, exact=exact)}, no exchange"
    ratio = whole(goes) / whole(came) if int(came["amount"]) else Fraction(0)
    by = ""
    if ratio and RATE_DENOMINATOR % ratio.denominator == 0:
        by = f" × {ratio.numerator * RATE_DENOMINATOR // ratio.denominator}/{RATE_DENOMINATOR}"
    elif ratio:
        by = f" × {rate_text(ratio)}"
    return f"{money(came, exact=exact)}{by} = {money(goes, exact=exact)}"


def _compared(hop: Hop, compared: Document, exact: bool) -> str:
    """`alice has 0.31 USD of room, 0.55 is needed`"""
    asset = _asset(hop, compared)
    if asset is None:
        return f"the limit is {compared['room']}, this has {compared['needed']}"
    room = f"{format_amount(int(compared['room']), asset, exact=exact)} {asset.code}"
    needed = format_amount(int(compared["needed"]), asset, exact=exact)
    if compared["limit"] in LIMITS:
        return f"{_whose(hop, compared)} has {room} of room, {needed} is needed"
    who = f"{hop.packet['incoming']} may send" if compared["unit"] == "source" else f"{_whose(hop, compared)} takes"
    return f"{who} {room} in one packet, this has {needed}"


def _whose(hop: Hop, compared: Document) -> str:
    """The account whose limit it is."""
    return str(hop.packet["incoming"] if compared["unit"] == "source" else hop.onward or "the next account")


def _asset(hop: Hop, compared: Document) -> Asset | None:
    """What the two values are counted in; None: they are no amounts, or of an account that nobody knows any more."""
    if compared["unit"] == "source":
        return Asset(compared["asset_code"], int(compared["asset_scale"]))
    onward = hop.accounts.get(hop.onward or "") if compared["unit"] == "target" else None
    return None if onward is None else Asset(onward["asset_code"], int(onward["asset_scale"]))


def _link(kind: str | None, before: Hop | None, behind: Hop | None) -> str:
    """`    │ BTP, 0.4 ms`: half of the time that was spent neither at the one node nor beyond the other."""
    parts = [kind] if kind else []
    if before is not None and behind is not None:
        sent, answered = before.packet["sent_after_us"], before.packet["answered_after_us"]
        beyond = behind.packet["answered_after_us"]
        if sent is not None and answered is not None and beyond is not None and answered - sent >= beyond:
            parts.append(milliseconds((answered - sent - beyond) // 2))
    return f"    │ {', '.join(parts)}".rstrip()


# ---------------------------------------------------------------------- why


def _reasons(hop: Hop, exact: bool) -> list[str]:
    packet, refused = hop.packet, _refused(hop.packet)
    if packet["outcome"] == "unknown":
        return ["  Why  No answer came before it expired: it may have been delivered.  See  ilp unknown list"]
    if packet["code"] is None:
        return []
    compared = refused["compared"] if refused else None
    lines = [f"  Why  {_limit_text(hop, compared, exact) or _why(packet, refused)}"]
    if hop.room is not None:
        lines.append(f"  Now  {packet['incoming']} has {money(hop.room, exact=exact)} of room.")
    return [*lines, f"  More ilp explain {packet['code']}"]


def _limit_text(hop: Hop, compared: Document | None, exact: bool) -> str:
    """`hub lets alice owe it at most 500.00 USD. alice owed 494.19 and 5.50 was in flight.`"""
    if compared is None or compared["limit"] not in LIMITS or compared["limit_value"] is None:
        return ""
    asset = _asset(hop, compared)
    if asset is None:
        return ""
    first, owed = LIMITS[compared["limit"]]
    account = _whose(hop, compared)
    limit = f"{format_amount(int(compared['limit_value']), asset, exact=exact)} {asset.code}"
    posted = format_amount(int(compared["posted"] or 0), asset, exact=exact)
    flying = format_amount(int(compared["in_flight"] or 0), asset, exact=exact)
    lets = first.format(node=hop.node, account=account, limit=limit)
    return f"{lets} {owed.format(account=account)} {posted} and {flying} was in flight."


def _why(packet: Document, refused: Document | None) -> str:
    """What was said; where nothing was, what the code means."""
    code = packet["code"]
    said = printable(packet["message"] or (refused["text"] if refused else ""))
    if not said:
        return ERROR_CODES[code].meaning if code in ERROR_CODES else "It has a code of nobody's list."
    return f"{said[:1].upper()}{said[1:]}" + ("" if said.endswith(".") else ".")


# ---------------------------------------------------------------------- what is inside


def stream_lines(packet: Document, who: str = "this node has the secret") -> list[str]:
    """The STREAM frames, where there is a secret to open them. `packet`: with `stream` and `stream_reply`."""
    lines: list[str] = []
    for key, verb in (("stream", "deliver at least"), ("stream_reply", "arrived")):
        inside = packet.get(key)
        if inside is None:
            continue
        if not lines:
            lines.append(f"  STREAM (decrypted: {who})")
        amount = _inside_amount(packet, inside["prepare_amount"])
        lines.append(f"       sequence {inside['sequence']}, {inside['packet_type']}, {verb} {amount}")
        frames = " · ".join(map(_frame, inside["frames"]))
        if frames:
            lines.append(f"       {frames}")
    return lines


def _inside_amount(packet: Document, units: str) -> str:
    """In the receiver's asset, which only its own node knows for sure."""
    asset = packet.get("receiver_asset")
    if asset is None:
        return f"{units} units of the receiver's asset"
    known = Asset(asset["asset_code"], int(asset["asset_scale"]))
    return f"{format_amount(int(units), known, exact=True)} {known.code}"


_WORDS: Final = {"stream_id": "stream", "error_code": "code", "error_message": ""}
_UNLIMITED: Final = str(2**64 - 1)


def _frame(frame: Document) -> str:
    """`StreamMoney stream 1 shares 1`"""
    words = [frame["frame"]]
    for name, value in frame["fields"].items():
        shown = "unlimited" if value == _UNLIMITED else cut_middle(printable(value), DESTINATION_WIDTH)
        if shown:
            words += [_WORDS.get(name, name.replace("_", " ")), shown]
    return " ".join(filter(None, words))


def _moment(text: str) -> str:
    moment = parse_moment(text).astimezone()
    return moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03}"


def milliseconds(us: int) -> str:
    """`3.1 ms`, of microseconds; less than a tenth is a tenth."""
    if us < 1_000_000:
        tenths = max(us // 100, 1)
        return f"{tenths // 10}.{tenths % 10} ms"
    return f"{us // 1_000_000}.{us % 1_000_000 // 100_000} s"
