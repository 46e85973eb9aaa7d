"""The part of the API's client that says where events are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from interledger.api.calls import place
from interledger.api.live_calls import LiveCalls

if TYPE_CHECKING:
    from interledger.api.types import DeliveryDocument, WebhookDocument, WebhookMadeDocument

__all__ = ["WebhookCalls"]


class WebhookCalls(LiveCalls):
    """Webhooks of a node."""

    async def webhooks(self) -> list[WebhookDocument]:
        """Where events are sent."""
        return cast("list[WebhookDocument]", await self._items("/api/webhooks"))

    async def webhook(self, webhook_id: str) -> WebhookDocument:
        """One of them."""
        return cast("WebhookDocument", await self._call("GET", place("/api/webhooks", webhook_id)))

    async def create_webhook(
        self, url: str, events: Sequence[str] | None = None, *, private: bool = False
    ) -> WebhookMadeDocument:
        """Send events there: some kinds, or all. `secret`, in this answer only, is what they are signed with."""
        body = {"url": url, "events": None if events is None else list(events), "private": private}
        return cast("WebhookMadeDocument", await self._call("POST", "/api/webhooks", body))

    async def delete_webhook(self, webhook_id: str) -> WebhookDocument:
        """Returns what was."""
        return cast("WebhookDocument", await self._call("DELETE", place("/api/webhooks", webhook_id)))

    async def deliveries(self, webhook_id: str) -> list[DeliveryDocument]:
        """What was sent or is to be sent, newest first."""
        items = await self._items(place("/api/webhooks", webhook_id) + "/deliveries")
        return cast("list[DeliveryDocument]", items)

    async def replay_delivery(self, webhook_id: str, delivery_id: str) -> DeliveryDocument:
        """Send it once more."""
        path = place(place("/api/webhooks", webhook_id) + "/deliveries", delivery_id) + "/replay"
        return cast("DeliveryDocument", await self._call("POST", path))

    async def test_webhook(self, webhook_id: str) -> DeliveryDocument:
        """Send a delivery that means nothing."""
        return cast("DeliveryDocument", await self._call("POST", place("/api/webhooks", webhook_id) + "/test"))
