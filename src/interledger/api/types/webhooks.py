"""Documents about webhooks. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

__all__ = ["DeliveryDocument", "NewWebhookDocument", "WebhookDocument", "WebhookMadeDocument"]


class DeliveryDocument(TypedDict):
    """An event on its way to a webhook."""

    id: str
    type: str
    """Rafiki's name where it has one, else the kind of the event"""
    body: dict[str, Any]
    """What is sent: id, type, at, data"""
    state: Literal["waiting", "delivered", "failed"]
    tries: int
    status: int | None
    """Of the last answer"""
    error: str | None
    made_at: str
    next_at: str | None
    done_at: str | None


class NewWebhookDocument(TypedDict):
    """Where events are to be sent."""

    url: str
    events: NotRequired[list[str] | None]
    """Kinds of events, or topics; null: all"""
    private: NotRequired[bool]
    """The URL may be on a private network"""


class WebhookDocument(TypedDict):
    """Where events are sent."""

    id: str
    url: str
    events: list[str] | None
    """Kinds of events, or topics; null: all"""
    private: bool
    """The URL may be on a private network"""
    created_at: str


class WebhookMadeDocument(TypedDict):
    """A new webhook. `secret`: what its deliveries are signed with, in this answer and nowhere else."""

    id: str
    url: str
    events: list[str] | None
    """Kinds of events, or topics; null: all"""
    private: bool
    """The URL may be on a private network"""
    created_at: str
    secret: str
