"""JSON Schemas of what the node tells those who look at it: events, overview, topology, packets."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import COUNT, FLAG, MOMENT, TEXT, Schema, object_of, or_null, ref
from interledger.node.live.kinds import EVENT_KINDS, Level

__all__ = ["LIVE_SCHEMAS"]

LIVE_SCHEMAS: Final[dict[str, Schema]] = {
    "Event": object_of(
        {
            "id": COUNT | {"description": "Greater than that of every earlier event, over restarts too"},
            "at": MOMENT,
            "kind": {"type": "string", "enum": list(EVENT_KINDS)},
            "level": {"type": "string", "enum": [level.value for level in Level]},
            "subject": or_null(TEXT) | {"description": "What it is about, as people call it"},
            "text": TEXT | {"description": "For people. Programs read `data`"},
            "data": {"type": "object", "description": "See the reference page of events"},
        }
    ),
    "EventPage": object_of(
        {
            "items": {"type": "array", "items": ref("Event")},
            "next_cursor": or_null(TEXT)
            | {"description": "For `cursor`, or with `since` for `since`; null: there are no more"},
            "gap": FLAG | {"description": "Events after `since` are gone: they are too old, or the node crashed"},
            "latest": COUNT | {"description": "The id of the latest event; 0: there is none"},
        }
    ),
}
