"""The shapes of the documents of webhooks, as JSON Schema."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import COUNT, FLAG, MOMENT, TEXT, Schema, object_of, or_null

__all__ = ["WEBHOOK_SCHEMAS"]

_EVENTS: Final[Schema] = {
    "type": ["array", "null"],
    "items": TEXT,
    "description": "Kinds of events, or topics; null: all",
}
_PRIVATE: Final = FLAG | {"description": "The URL may be on a private network"}
_WEBHOOK: Final = {"id": TEXT, "url": TEXT, "events": _EVENTS, "private": _PRIVATE, "created_at": MOMENT}

WEBHOOK_SCHEMAS: Final[dict[str, Schema]] = {
    "Webhook": object_of(_WEBHOOK),
    "WebhookMade": object_of(_WEBHOOK | {"secret": TEXT}),
    "NewWebhook": object_of({"url": TEXT}, {"events": _EVENTS, "private": _PRIVATE}),
    "Delivery": object_of(
        {
            "id": TEXT,
            "type": TEXT | {"description": "Rafiki's name where it has one, else the kind of the event"},
            "body": {"type": "object", "description": "What is sent: id, type, at, data"},
            "state": {"type": "string", "enum": ["waiting", "delivered", "failed"]},
            "tries": COUNT,
            "status": or_null(COUNT) | {"description": "Of the last answer"},
            "error": or_null(TEXT),
            "made_at": MOMENT,
            "next_at": or_null(MOMENT),
            "done_at": or_null(MOMENT),
        }
    ),
}
"""Name -> JSON Schema."""
