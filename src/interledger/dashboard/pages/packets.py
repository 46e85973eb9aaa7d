"""Packets: the list, and one packet with its journey, the values that were compared, and its octets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from interledger.dashboard.exposure import percent_text
from interledger.dashboard.page import Page, Twin

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
    """One packet: where it stopped, and why."""
    prefix = page.request.path_params["packet"]
    path = f"/api/packets/{quote(prefix, safe='')}"
    one = await page.api.call("GET", path)
    refused = next((step for step in one["journey"] if step["state"] == "refused"), None)
    compared = dict(refused["compared"]) if refused and refused["compared"] else None
    if compared and compared["unit"] == "target" and one["amount_out"]:
        compared |= {key: one["amount_out"][key] for key in ("asset_code", "asset_scale")}
    return page.render(
        "packet.html",
        title=page.texts("Packet %(id)s", id=one["id"]).striptags(),
        section="packets",
        twin=Twin((path,), f"ilp packet trace {one['id']}"),
        one=one,
        refused=refused,
        compared=compared,
        bars=_bars(compared),
        sentence=_sentence(page, one, compared),
        advice=page.texts.get(ADVICE[compared["limit"]]) if compared and compared["limit"] in ADVICE else "",
        fields=fields_of(one["octets"]) if one["octets"] else [],
    )


def _sentence(page: Page, one: Document, compared: Document | None) -> Markup | None:
    """The values that were compared, as somebody would say them; None: there are none, or they are no amounts."""
    if compared is None or not compared["asset_code"]:
        return None

    def money(units: str | None) -> Markup:
        return page.fragment("amount", units or "0", compared["asset_scale"], compared["asset_code"])

    say, values = page.texts, {name: money(compared[name]) for name in ("room", "needed", "posted", "in_flight")}
    limit = compared["limit_value"]
    if limit is not None and compared["posted"] is not None and compared["limit"] in ("owes_us_max", "we_owe_max"):
        texts = {
            "owes_us_max": "%(peer)s may owe us %(limit)s at most. At that moment it owed %(posted)s and %(in_flight)s"
            " more was in flight, so %(room)s was free and this packet needed %(needed)s.",
            "we_owe_max": "We may owe %(peer)s %(limit)s at most. At that moment we owed %(posted)s and %(in_flight)s"
            " more was in flight, so %(room)s was free and this packet needed %(needed)s.",
        }
        peer = one["incoming"] if compared["limit"] == "owes_us_max" else one["outgoing"] or "–"
        return say(texts[compared["limit"]], peer=page.fragment("bdi", peer), limit=money(limit), **values)
    if compared["limit"] == "packet_amount_max":
        text = "A packet of %(peer)s may carry %(room)s at most, this one carried %(needed)s."
        return say(text, peer=page.fragment("bdi", one["incoming"]), **values)
    return say("Room %(room)s, needed %(needed)s.", **values)


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
