"""Every kind of event a node tells of, in one table: the reference page, the API and the feed all read it.

The part of a kind before the dot is its topic: `only=settlement` is all of `settlement.*`. Fields are those of `data`;
an amount there is `{"amount", "asset_code", "asset_scale"}`, the integer as text, and a moment is RFC 3339.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from interledger.errors import InvalidRequestError

__all__ = ["EVENT_KINDS", "EventKind", "Level", "parse_only"]


class Level(enum.StrEnum):
    """How much an event asks of whoever reads it."""

    OK = "ok"
    """Went well, or is well again."""
    INFO = "info"
    """Something changed that somebody asked for."""
    WARN = "warn"
    """Look at it."""
    UNKNOWN = "unknown"
    """Nobody has proved the outcome."""
    BAD = "bad"
    """It did not happen, or does not work: a person has to know."""


class EventKind(NamedTuple):
    """`level`: the usual one; an event may have another."""

    level: Level
    meaning: str
    fields: Mapping[str, str]


_ACCOUNT: Final = {"account": "whose"}
_ITEM: Final = {"item": "as `unk_19`", "account": "the peer that did not answer", "amount": "what was sent onward"}
_SIDE: Final = {
    "account": "whose",
    "side": "`owes_us` or `we_owe`",
    "used": "of the limit, with what is in flight",
    "limit": "the most it may be",
    "percent": "used of the limit, whole percent, rounded down",
}
_RATE: Final = {"source": "the provider", "code": "the asset; null: all of the source"}
_SETTLEMENT: Final = {
    "settlement": "its id",
    "account": "with whom",
    "direction": "`out` or `in`",
    "amount": "in the account's asset",
    "state": "`sending`, `settled`, `void`, `credited`, `held`",
}

EVENT_KINDS: Final[Mapping[str, EventKind]] = {
    "node.started": EventKind(Level.OK, "The node takes packets.", {"address": "its ILP address"}),
    "node.stopping": EventKind(Level.INFO, "The node was told to stop.", {}),
    "node.draining": EventKind(Level.WARN, "The node takes no new packets: it was told so.", {}),
    "node.resumed": EventKind(Level.OK, "The node takes packets again.", {}),
    "link.up": EventKind(Level.OK, "Packets can go to a peer again.", _ACCOUNT | {"link": "BTP, HTTP, …"}),
    "link.down": EventKind(Level.BAD, "A peer cannot be reached.", _ACCOUNT | {"link": "BTP, HTTP, …"}),
    "payment.finished": EventKind(
        Level.OK,
        "A payment of this node ended, however it ended.",
        {
            "payment": "its id",
            "account": "who paid",
            "receiver": "as it was named",
            "state": "`delivered`, `partial`, `failed`, `unknown` or `cancelled`",
            "sent": "in the payer's asset",
            "delivered": "in the receiver's asset; null where that was never learned",
            "code": "ILP code of the failure, or null",
            "error": "why it ended without delivering all, or null",
        },
    ),
    "payment.received": EventKind(
        Level.OK,
        "A payment to an account of this node is complete: its payer sends no more.",
        {"payment": "its id", "account": "who was paid", "source": "the account it came from", "received": "all of it"},
    ),
    "settlement.changed": EventKind(Level.INFO, "A settlement began, or has another state.", _SETTLEMENT),
    "settlement.retrying": EventKind(
        Level.WARN,
        "An engine did not take a settlement; it is asked again.",
        _SETTLEMENT | {"attempts": "failed so far", "error": "what came back", "next_at": "when it is asked again"},
    ),
    "unknown.opened": EventKind(Level.UNKNOWN, "A peer may or may not have been paid: it gave no answer.", _ITEM),
    "unknown.resolved": EventKind(
        Level.OK, "The outcome of an unknown amount was proved or decided.", _ITEM | {"delivered": "true or false"}
    ),
    "limit.near": EventKind(Level.WARN, "An account has used most of a limit.", _SIDE),
    "limit.reached": EventKind(Level.BAD, "A limit of an account has no room left: packets are rejected T04.", _SIDE),
    "limit.cleared": EventKind(Level.OK, "There is room again.", _SIDE),
    "route.changed": EventKind(
        Level.INFO,
        "Routes came, went, or lead elsewhere; summed up over a second.",
        {"added": "prefixes", "removed": "prefixes", "changed": "prefixes", "prefixes": "some of them", "total": "now"},
    ),
    "rate.stale": EventKind(Level.BAD, "A rate is too old: packets that need it are rejected T00.", _RATE),
    "rate.jump": EventKind(Level.WARN, "A rate moved too far at once and was not believed.", _RATE),
    "rate.refused": EventKind(Level.WARN, "A provider's values could not be used.", _RATE),
    "rate.unreachable": EventKind(Level.WARN, "A provider gives no rates.", _RATE),
    "rate.recovered": EventKind(Level.OK, "A trouble with rates is over.", _RATE),
    "account.created": EventKind(Level.INFO, "There is a new account.", _ACCOUNT),
    "account.changed": EventKind(
        Level.INFO, "Settings of an account are others.", _ACCOUNT | {"fields": "which, by name"}
    ),
    "account.deleted": EventKind(Level.INFO, "An account was deleted.", _ACCOUNT),
    "alarm": EventKind(Level.BAD, "The node has something to tell its operator; the text is all there is.", {}),
    "events.dropped": EventKind(
        Level.WARN, "More happened at once than is told of one by one.", {"count": "events that have no record"}
    ),
}
"""Kind -> what it means. Kinds are only ever added."""

_TOPICS: Final = frozenset(kind.partition(".")[0] for kind in EVENT_KINDS)


def parse_only(text: str | None) -> frozenset[str] | None:
    """`unknown,limit.near` -> the kinds that are meant; None: all. Raises `InvalidRequestError` for a name of none."""
    if text is None or not text.strip():
        return None
    kinds: set[str] = set()
    for name in (part.strip() for part in text.split(",")):
        found: Collection[str] = [kind for kind in EVENT_KINDS if kind == name or kind.startswith(name + ".")]
        if not found:
            raise InvalidRequestError(
                f"“{name[:50]}” is no kind of event. There are {', '.join(sorted(_TOPICS))}", "only"
            )
        kinds.update(found)
    return frozenset(kinds)
