"""Payments: the list, and one payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from interledger.dashboard.exposure import percent_text
from interledger.dashboard.page import Page, Twin, rate_of

__all__ = ["PAGES"]

Document = Mapping[str, Any]

PAGE_SIZE: Final = 50

ROWS_MAX: Final = 200
"""Of the waterfall. The node folds runs of equal packets before that."""

STATES: Final = (
    ("", "All"), ("sending", "Sending"), ("delivered", "Delivered"), ("partial", "Part delivered"),
    ("failed", "Failed"), ("unknown", "Unknown"), ("cancelled", "Stopped"),
)  # fmt: skip


async def list_payments(page: Page) -> Response:
    """Newest first; a filter looks at one page of them."""
    cursor, state = page.query.get("cursor"), page.query.get("s", "")
    payments, following = await page.api.payments(limit=PAGE_SIZE, cursor=cursor)
    query = {"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    shown = [payment for payment in payments if not state or payment["state"] == state]
    chips = [
        {
            "href": "?" + urlencode({"s": key}) if key else "?",
            "word": page.texts.get(word),
            "count": None,
            "current": key == state,
        }
        for key, word in STATES
        if key in ("", state) or any(payment["state"] == key for payment in payments)
    ]
    more = {"cursor": following} | ({"s": state} if state else {})
    return page.render(
        "payments.html",
        title=page.texts.get("Payments"),
        section="payments",
        twin=Twin((f"/api/payments?{urlencode(query)}",), "ilp payment list"),
        payments=shown,
        chips=chips,
        state=state,
        cursor=cursor,
        next_href="?" + urlencode(more) if following else None,
    )


async def show_payment(page: Page) -> Response:
    """What was sent, what arrived, and what happened on the way."""
    one: Document = dict(await page.api.payment(page.request.path_params["payment"]))
    sent, heading = one["sent"], page.texts("Payment to %(receiver)s", receiver=one["receiver"])
    wished = one["send_max"] or sent
    if int(wished["amount"]):
        heading = page.texts(
            "%(amount)s to %(receiver)s", amount=page.fragment("money", wished), receiver=one["receiver"]
        )
    rate, unit = _rate(page, one)
    return page.render(
        "payment.html",
        title=heading.striptags(),
        section="payments",
        twin=Twin((f"/api/payments/{quote(one['id'], safe='')}",), f"ilp payment show {one['id']}"),
        one=one,
        heading=heading,
        subtitle=page.fragment("payment_state", one),
        rate=rate,
        rate_unit=unit,
        story=_story(page, one),
        counts=defaultdict(int, _counts(one)),
        **_waterfall(one),
    )


def _waterfall(one: Document) -> dict[str, Any]:
    """A row for each packet: where its time began and ended, as shares of the whole."""
    trace = one.get("trace")
    packets = trace["packets"][:ROWS_MAX] if trace else []
    whole = max((packet["answered_us"] or packet["sent_us"] for packet in packets), default=0) or 1
    rows = []
    for packet in packets:
        start, end = packet["sent_us"] * 10_000 // whole, (packet["answered_us"] or whole) * 10_000 // whole
        lasted = None if packet["answered_us"] is None else packet["answered_us"] - packet["sent_us"]
        # The time stands behind its bar; near the right edge, in front of it.
        label = percent_text(max(end, start + 40)) if end < 8_500 else percent_text(start)
        bar = {"x": percent_text(start), "width": percent_text(max(40, end - start))}
        rows.append({"data": packet, **bar, "us": lasted, "label": label, "before": end >= 8_500})
    ticks = [(percent_text(i * 2_500), f"{whole * i // 4_000} ms") for i in range(4)]
    more = trace["more"] + len(trace["packets"]) - len(packets) if trace else 0
    return {"rows": rows, "ticks": ticks, "trace_us": whole, "rows_more": more}


def _counts(one: Document) -> dict[str, int]:
    """Packets of the drawing by outcome: those that measured are in it, too, so it counts by itself."""
    found: dict[str, int] = {}
    for packet in one["trace"]["packets"] if one.get("trace") else []:
        found[packet["outcome"]] = found.get(packet["outcome"], 0) + packet["count"]
    return found


def _rate(page: Page, one: Document) -> tuple[Markup | None, str]:
    """Whole units delivered for a whole unit sent."""
    ratio, delivered = one["rate"], one["delivered"]
    if ratio is None or delivered is None:
        return None, ""
    rate = rate_of(ratio, one["sent"]["asset_scale"], delivered["asset_scale"])
    unit = page.texts("%(to)s per %(from_)s", to=delivered["asset_code"], from_=one["sent"]["asset_code"])
    shown = page.fragment("ratio", ratio["numerator"], ratio["denominator"], page.format.rate(rate))
    return shown, str(unit)


def _story(page: Page, one: Document) -> list[tuple[str, str, Markup]]:
    """What happened, in sentences: (shape, kind, text)."""
    say, packets = page.texts, one["packets"]

    def money(document: Document) -> Markup:
        return page.fragment("money", document)

    def count(number: int) -> Markup:
        return page.fragment("number", number)

    found: list[tuple[str, str, Markup]] = []
    found += _measured(page, one)
    if packets["sent"]:
        found.append(("out", "idle", say("%(count)s packets were sent.", count=count(packets["sent"]))))
    if packets["rejected"]:
        text = "%(count)s packets were rejected; their money never left, or was sent again."
        found.append(("warn", "warn", say(text, count=count(packets["rejected"]))))
    if one["delivered"] is not None and int(one["delivered"]["amount"]):
        text = "%(count)s packets were fulfilled: the receiver proved that %(amount)s arrived."
        found.append(("ok", "ok", say(text, count=count(packets["fulfilled"]), amount=money(one["delivered"]))))
    if int(one["unknown"]["amount"]):
        text = "%(amount)s was never answered. It may have arrived: look at Unknown items before you pay it again."
        found.append(("unknown", "warn", say(text, amount=money(one["unknown"]))))
    if one["error"] is not None:
        found.append(("bad", "bad", say("It ended because: %(why)s", why=str(one["error"].get("detail", ""))[:400])))
    elif one["ended_at"] is None:
        found.append(("wait", "idle", say("It is still being sent.")))
    return found


def _measured(page: Page, one: Document) -> list[tuple[str, str, Markup]]:
    """What the packets that moved no money found out: the rate, and how large a packet may be."""
    packets, say = one["trace"]["packets"] if one.get("trace") else [], page.texts
    found: list[tuple[str, str, Markup]] = []
    if any(packet["outcome"] == "test" for packet in packets):
        rate, unit = _rate(page, one)
        text = "Test packets measured the rate: %(rate)s %(unit)s." if rate else "Test packets asked for the rate."
        found.append(("ok", "ok", say(text, rate=rate or "", unit=unit) if rate else say(text)))
    if any(packet["code"] == "F08" for packet in packets):
        text = "A node on the way takes smaller packets only (F08). We cut to what it takes."
        found.append(("warn", "warn", say(text)))
    if any(packet["code"] == "T04" for packet in packets):
        text = "A node on the way had no room left for so much (T04)."
        found.append(("warn", "warn", say(text)))
    return found


async def cancel_payment(page: Page) -> Response:
    """Send no more."""
    payment_id = page.request.path_params["payment"]
    await page.api.cancel_payment(payment_id)
    return page.redirect(f"/ui/payments/{quote(payment_id, safe='')}")


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/payments", list_payments),
    ("/payments/{payment}", show_payment),
    ("POST /payments/{payment}/cancel", cancel_payment),
)
"""Paths below `/ui`, and who answers."""
