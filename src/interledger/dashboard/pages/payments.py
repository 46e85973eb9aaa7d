"""Payments: the list, and one payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from interledger.dashboard.exposure import percent_text
from interledger.dashboard.page import Page, Twin, node_name, rate_of

if TYPE_CHECKING:
    from interledger.api.client import PaymentState

__all__ = ["PAGES"]

Document = Mapping[str, Any]

PAGE_SIZE: Final = 50

ROWS_MAX: Final = 200
"""Of the waterfall. The node folds runs of equal packets before that."""

STATES: Final = (
    ("", "All"), ("sending", "Sending"), ("delivered", "Delivered"), ("partial", "Part delivered"),
    ("failed", "Failed"), ("unknown", "Unknown"), ("cancelled", "Stopped"),
)  # fmt: skip

WAYS: Final = {"out": "Sent", "in": "Received"}


class Row(NamedTuple):
    """One payment of the list."""

    is_in: bool
    one: Document


class Shown(NamedTuple):
    """A page of the list: rows, where they come from, what follows, and whether some that came in are left out."""

    rows: list[Row]
    twins: tuple[str, ...]
    following: dict[str, str] | None
    more_received: bool = False


async def list_payments(page: Page) -> Response:
    """Newest first: what was sent, what came in, or both."""
    state, way = page.query.get("s", ""), page.query.get("d", "")
    asked = {name: page.query[name] for name in ("s", "d") if page.query.get(name)}
    if state:
        shown = await _sent(page, state)
    elif way in WAYS:
        shown = await (_received(page) if way == "in" else _sent(page, ""))
    else:
        shown = await _both(page)
    return page.render(
        "payments.html",
        title=page.texts.get("Payments"),
        section="payments",
        twin=Twin(shown.twins, "ilp payment list"),
        rows=shown.rows,
        chips=_chips(page, asked),
        asked={"s": state, "d": way},
        is_filtered=bool(asked or page.query.get("cursor")),
        next_href="?" + urlencode({**asked, **shown.following}) if shown.following else None,
        more_received=shown.more_received,
    )


def _chips(page: Page, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    words = [({"d": way}, word) for way, word in WAYS.items()]
    words += [({"s": key}, word) for key, word in STATES if key]
    return [
        {
            "href": "?" + urlencode(query),
            "word": page.texts.get(word),
            "count": None,
            "current": query == asked,
        }
        for query, word in [({}, "All"), *words]
    ]


async def _sent(page: Page, state: str) -> Shown:
    """Those of this node's own senders."""
    cursor = page.query.get("cursor")
    found, following = await page.api.payments(
        state=cast("PaymentState | None", state or None), limit=PAGE_SIZE, cursor=cursor
    )
    query = {"state": state, "limit": str(PAGE_SIZE), "cursor": cursor}
    twins = ("/api/payments?" + urlencode({key: value for key, value in query.items() if value}),)
    return Shown([Row(False, one) for one in found], twins, {"cursor": following} if following else None)


async def _received(page: Page) -> Shown:
    """Those that came in."""
    cursor = page.query.get("cursor")
    found, following = await page.api.incoming(limit=PAGE_SIZE, cursor=cursor)
    twins = ("/api/incoming?" + urlencode({"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})),)
    return Shown([Row(True, one) for one in found], twins, {"cursor": following} if following else None)


async def _both(page: Page) -> Shown:
    """A page of those that were sent, and between them those that came in during the same time."""
    sent, until = await _sent(page, ""), page.query.get("until")
    since = sent.rows[-1].one["started_at"] if sent.following else None
    found, more = await page.api.incoming(start=since, end=until, limit=PAGE_SIZE)
    query = {"from": since, "to": until, "limit": str(PAGE_SIZE)}
    twin = "/api/incoming?" + urlencode({key: value for key, value in query.items() if value})
    rows = sorted(
        [*sent.rows, *(Row(True, one) for one in found)], key=lambda row: str(row.one["started_at"]), reverse=True
    )
    following = {**sent.following, "until": str(since)} if sent.following else None
    return Shown(rows, (*sent.twins, twin), following, more is not None)


async def show_payment(page: Page) -> Response:
    """What was sent, what arrived, and what happened on the way."""
    payment_id = page.request.path_params["payment"]
    if payment_id.startswith("inc_"):
        return await _show_received(page, payment_id)
    one: Document = dict(await page.api.payment(payment_id))
    sent, heading = one["sent"], page.texts("Payment to %(receiver)s", receiver=one["receiver"])
    wished = one["send_max"] or sent
    if int(wished["amount"]):
        heading = page.texts(
            "%(amount)s to %(receiver)s", amount=page.fragment("money", wished), receiver=one["receiver"]
        )
    rate, unit = _rate(page, one)
    way = await _way(page, one)
    return page.render(
        "payment.html",
        title=heading.striptags(),
        section="payments",
        twin=Twin((f"/api/payments/{quote(one['id'], safe='')}", *way.twins), f"ilp payment show {one['id']}"),
        one=one,
        way=way,
        **_cost(page, one),
        heading=heading,
        subtitle=page.fragment("payment_state", one),
        rate=rate,
        rate_unit=unit,
        story=_story(page, one),
        counts=defaultdict(int, _counts(one)),
        **_waterfall(one),
    )


async def _show_received(page: Page, payment_id: str) -> Response:
    """One that came in: what its payer sent is not known here, only what arrived."""
    one = await page.api.incoming_payment(payment_id)
    heading = page.texts(
        "%(amount)s from %(peer)s",
        amount=page.fragment("money", one["received"]),
        peer=page.fragment("bdi", one["source"]),
    )
    return page.render(
        "payment_in.html",
        title=heading.striptags(),
        section="payments",
        twin=Twin((f"/api/incoming/{quote(one['id'], safe='')}",), f"ilp payment incoming {one['account']}"),
        one=one,
        heading=heading,
    )


class Way(NamedTuple):
    """The nodes that a packet of the payment went through, as far as they are known, and what it was at each."""

    hops: list[tuple[str, Document | None]]
    twins: tuple[str, ...]


async def _way(page: Page, one: Document) -> Way:
    """Of its last packet that was fulfilled. In a development network all nodes tell; else we know the next one."""
    if "packets" not in page.sections:
        return Way([], ())
    query = {"payment": one["id"], "outcome": "fulfilled", "limit": "1"}
    found = await page.panel("way", page.api.packets(payment=one["id"], outcome="fulfilled", limit=1))
    if not found or not found["items"]:
        return Way([], ())
    twins = [f"/api/packets?{urlencode(query)}"]
    packet: Document = dict(found["items"][0])
    hops: list[tuple[str, Document | None]] = [(node_name(page.node), packet["amount_in"])]
    if "dev" in page.sections:
        path = f"/api/dev/packets/{packet['condition']}"
        way = await page.panel("way", page.api.call("GET", path))
        if way:
            twins.append(path)
            hops = [(hop["node"], hop["packet"]["amount_in"]) for hop in way["hops"]]
            packet = way["hops"][-1]["packet"]
    if packet["outgoing"] and packet["outgoing"] not in {name for name, _ in hops}:
        hops.append((packet["outgoing"], packet["amount_out"]))
    return Way(hops, tuple(twins))


def _cost(page: Page, one: Document) -> dict[str, Any]:
    """What was kept on the way, and the rate before that."""
    cost = one.get("cost")
    if not cost:
        return {"cost": None, "market": None, "fee_percent": None}
    ratio = cost["market"]
    rate = rate_of(ratio, one["sent"]["asset_scale"], one["delivered"]["asset_scale"])
    market = page.fragment("ratio", ratio["numerator"], ratio["denominator"], page.format.rate(rate))
    return {"cost": cost, "market": market, "fee_percent": Fraction(cost["fee_per_million"], 10_000)}


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
