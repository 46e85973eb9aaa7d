"""Packets: the list, and one packet with its journey, the values that were compared, and its octets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from interledger.dashboard.exposure import percent_text
from interledger.dashboard.page import Page, Twin, node_name

__all__ = ["PAGES"]

Document = Mapping[str, Any]

SHOWN: Final = 50
FILTERS: Final = ("code", "account", "outcome")
OCTETS_SHOWN: Final = 256

ADVICE: Final = {
    "owes_us_max": "To have more room: settle more often, or let this account owe more.",
    "we_owe_max": "To have more room: settle with this account, or agree on a higher limit.",
    "packet_amount_max": "Send smaller packets: senders do that by themselves when they see F08.",
}


async def list_packets(page: Page) -> Response:
    """Newest first. What this node refused is always there; what went on, while packets are recorded."""
    asked = {name: page.query[name] for name in (*FILTERS, "cursor") if page.query.get(name)}
    path = "/api/packets?" + urlencode({**asked, "limit": str(SHOWN)})
    found = await page.api.call("GET", path)
    words = (("", "All"), ("fulfilled", "Fulfilled"), ("rejected", "Rejected"), ("in_flight", "In flight"))
    chips = [
        {
            "href": "?" + urlencode({"outcome": key}) if key else "?",
            "word": page.texts.get(word),
            "count": None,
            "current": key == asked.get("outcome", ""),
        }
        for key, word in words
    ]
    more = {**asked, "cursor": found["next_cursor"]}
    return page.render(
        "packets.html",
        title=page.texts.get("Packets"),
        section="packets",
        twin=Twin((path,), "ilp packet watch"),
        packets=found["items"],
        recording=found["recording"],
        chips=chips,
        asked=asked,
        next_href="?" + urlencode(more) if found["next_cursor"] else None,
    )


async def show_packet(page: Page) -> Response:
    """One packet: where it stopped, and why. In a development network at every node that it went through."""
    prefix = page.request.path_params["packet"]
    one = await page.api.packet(prefix)
    twins = [f"/api/packets/{quote(prefix, safe='')}"]
    way = None
    if "dev" in page.sections:
        twins.append(f"/api/dev/packets/{one['condition']}")
        way = await page.panel("way", page.api.call("GET", twins[-1]))
    number = None
    if one["payment"]:
        twins.append(f"/api/payments/{quote(one['payment'], safe='')}")
        payment = await page.panel("payment", page.api.payment(one["payment"]))
        number = _number(payment, one["id"])
    node = str(page.network["name"]) if page.network is not None else node_name(page.node)
    hops = hops_of(one, way, node)
    stop = next((hop for hop in hops if hop.refused is not None), None)
    compared = compared_of(stop)
    title = page.texts("Packet %(id)s", id=one["id"])
    if number is not None:
        title = page.texts("Packet %(number)s of %(payment)s", number=number, payment=one["payment"])
    return page.render(
        "packet.html",
        title=title.striptags(),
        section="packets",
        twin=Twin(tuple(twins), f"ilp packet trace {one['id']}"),
        one=one,
        hops=hops,
        is_shared=way is not None,
        stop=stop,
        compared=compared,
        bars=_bars(compared),
        sentence=_sentence(page, stop, compared, is_ours=stop is not None and stop.node == node),
        advice=page.texts.get(ADVICE[compared["limit"]]) if compared and compared["limit"] in ADVICE else "",
        fields=fields_of(one["octets"]) if one["octets"] else [],
    )


def _number(payment: Document | None, packet_id: str) -> int | None:
    """Which packet of its payment it was; None: the trace has it not, or in a row with others."""
    trace = payment.get("trace") if payment else None
    rows = [row for row in trace["packets"] if row["id"] == packet_id and row["count"] == 1] if trace else []
    return rows[0]["number"] if rows else None


class Hop(NamedTuple):
    """A node that the packet went through, or should have. `packet` is None where the node tells us nothing.

    `wire_us`: the time between the node before and this one; `reached`: the Prepare came here.
    """

    node: str
    packet: Document | None
    wire_us: int | None
    reached: bool
    refused: Document | None
    """The step that refused."""
    is_here: bool
    amount: Document | None
    """What came, as the node before says it."""


def hops_of(one: Document, way: Document | None, node: str) -> list[Hop]:
    """Along the way: all nodes of a development network, or this one between its two neighbours."""
    if way is None:
        found = [_hop(node, one, None, is_here=True)]
        if one["incoming"] != node and not one["payment"]:
            found.insert(0, Hop(one["incoming"], None, None, True, None, False, one["amount_in"]))
    else:
        found = [_hop(hop["node"], hop["packet"], hop["wire_us"], is_here=hop["node"] == node) for hop in way["hops"]]
    last = found[-1].packet
    if last is not None and last["outgoing"] and last["outgoing"] not in {hop.node for hop in found}:
        left = last["sent_after_us"] is not None
        found.append(Hop(last["outgoing"], None, None, left, None, False, last["amount_out"]))
    return found


def _hop(node: str, packet: Document, wire_us: int | None, *, is_here: bool) -> Hop:
    refused = next((step for step in packet["journey"] if step["state"] == "refused"), None)
    return Hop(node, packet, wire_us, True, refused, is_here, packet["amount_in"])


def compared_of(stop: Hop | None) -> Document | None:
    """The two values that the refusing step compared, in their asset."""
    if stop is None or stop.refused is None or stop.packet is None or not stop.refused["compared"]:
        return None
    return dict(stop.refused["compared"])


OWED: Final = {
    ("owes_us_max", True): "%(peer)s may owe us %(limit)s at most. At that moment it owed %(posted)s and %(in_flight)s"
    " more was in flight, so %(room)s was free and this packet needed %(needed)s.",
    ("we_owe_max", True): "We may owe %(peer)s %(limit)s at most. At that moment we owed %(posted)s and %(in_flight)s"
    " more was in flight, so %(room)s was free and this packet needed %(needed)s.",
    ("owes_us_max", False): "%(node)s lets %(peer)s owe it %(limit)s at most. At that moment %(peer)s owed %(posted)s"
    " and %(in_flight)s more was in flight, so %(room)s was free and this packet needed %(needed)s.",
    ("we_owe_max", False): "%(node)s may owe %(peer)s %(limit)s at most. At that moment it owed %(posted)s and"
    " %(in_flight)s more was in flight, so %(room)s was free and this packet needed %(needed)s.",
}
"""By the limit, and whether this node refused or another one."""


def _sentence(page: Page, stop: Hop | None, compared: Document | None, *, is_ours: bool) -> Markup | None:
    """The values that were compared, as somebody would say them; None: there are none, or they are no amounts."""
    if stop is None or stop.packet is None or compared is None:
        return None
    if not compared["asset_code"]:
        return _no_money(page, compared)

    def money(units: str | None) -> Markup:
        return page.fragment("amount", units or "0", compared["asset_scale"], compared["asset_code"])

    say, values = page.texts, {name: money(compared[name]) for name in ("room", "needed", "posted", "in_flight")}
    limit, packet = compared["limit_value"], stop.packet
    if limit is not None and compared["posted"] is not None and compared["limit"] in ("owes_us_max", "we_owe_max"):
        peer = packet["incoming"] if compared["limit"] == "owes_us_max" else packet["outgoing"] or "–"
        names = {"peer": page.fragment("bdi", peer), "node": page.fragment("bdi", stop.node)}
        return say(OWED[compared["limit"], is_ours], limit=money(limit), **names, **values)
    if compared["limit"] == "converted amount":
        code = compared["asset_code"]
        return say("It is worth less than the smallest unit of %(code)s that there is on the next link.", code=code)
    if compared["limit"] == "packet_amount_max" and compared["unit"] == "target":
        text = "A packet to %(peer)s may carry %(room)s at most, this one would have carried %(needed)s."
        return say(text, peer=page.fragment("bdi", compared["account"] or "–"), **values)
    if compared["limit"] == "packet_amount_max":
        text = "A packet of %(peer)s may carry %(room)s at most, this one carried %(needed)s."
        return say(text, peer=page.fragment("bdi", packet["incoming"]), **values)
    return say("Room %(room)s, needed %(needed)s.", **values)


def _no_money(page: Page, compared: Document) -> Markup | None:
    """Time, or packets."""
    say, values = page.texts, {name: page.fragment("number", compared[name]) for name in ("room", "needed")}
    if compared["unit"] == "ms":
        text = "%(room)s ms would have been left to the next node, which needs %(needed)s ms at least."
        return say(text, **values)
    if compared["limit_value"] is not None:
        text = "%(peer)s may send %(limit)s packets a minute, and has used them up."
        limit = page.fragment("number", compared["limit_value"])
        return say(text, peer=page.fragment("bdi", compared["account"] or "–"), limit=limit)
    return None


def _bars(compared: Document | None) -> tuple[str, str] | None:
    """Shares of the limit: what is owed, and what is in flight."""
    if compared is None or compared["posted"] is None or not compared["limit_value"]:
        return None
    limit = int(compared["limit_value"])
    owed, flying = int(compared["posted"]), int(compared["in_flight"] or 0)
    if limit <= 0:
        return None
    return tuple(percent_text(min(10_000, max(0, part) * 10_000 // limit)) for part in (owed, flying))  # type: ignore[return-value]  # two


class Field(NamedTuple):
    """A field of a Prepare: its octets in hex, in the colour of `kind`."""

    name: str
    octets: str
    kind: str


def fields_of(text: str) -> list[Field]:
    """The octets of a Prepare by field. RFC 27's order; anything else is one field."""
    octets = bytes.fromhex(text)
    try:
        head = 2 + (octets[1] & 0x7F if octets[1] > 0x7F else 0)
        places = [("Type and length", head), ("Amount", 8), ("Expires at", 17), ("Condition", 32)]
        at, found = 0, []
        for i, (name, length) in enumerate(places):
            found.append(Field(name, _hex(octets[at : at + length]), f"h{i + 1}x"))
            at += length
        length = 1 + octets[at]
        if octets[0] != 12 or octets[at] > 0x7F:
            length = 3 if octets[at] == 0x82 else 2
            length += int.from_bytes(octets[at + 1 : at + length], "big")
        found.append(Field("Destination", _hex(octets[at : at + length]), "h5x"))
        rest = octets[at + length :]
    except IndexError:
        return [Field("Octets", _hex(octets[:OCTETS_SHOWN]), "h1x")]
    more = f" … {len(rest) - 64} more" if len(rest) > 64 else ""
    return [*found, Field("Data", _hex(rest[:64]) + more, "h6x")]


def _hex(octets: bytes) -> str:
    return octets.hex(" ")


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/packets", list_packets),
    ("/packets/{packet}", show_packet),
)
"""Paths below `/ui`, and who answers."""
