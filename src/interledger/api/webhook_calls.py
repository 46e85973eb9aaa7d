"""The part of the API's client that says where events are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote as encode_path

from interledger.api.live_calls import LiveCalls

__all__ = ["WebhookCalls"]


class WebhookCalls(LiveCalls):
    """Webhooks of a node. The documents are described in the OpenAPI document."""

    async def webhooks(self) -> list[dict[str, Any]]:
        """Where events are sent."""
        return await self._items("/api/webhooks")

    async def create_webhook(
        self, url: str, events: Sequence[str] | None = None, *, private: bool = False
    ) -> dict[str, Any]:
        """Send events there: some kinds, or all. `secret`, in this answer only, is what they are signed with."""
        body = {"url": url, "events": None if events is None else list(events), "private": private}
        return cast("dict[str, Any]", await self._call("POST", "/api/webhooks", body))

    async def delete_webhook(self, webhook_id: str) -> dict[str, Any]:
        """Returns what was."""
        return cast("dict[str, Any]", await self._call("DELETE", _path(webhook_id)))

    async def deliveries(self, webhook_id: str) -> list[dict[str, Any]]:
        """What was sent or is to be sent, newest first."""
        return await self._items(_path(webhook_id) + "/deliveries")

    async def replay_delivery(self, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Send it once more."""
        path = f"{_path(webhook_id)}/deliveries/{encode_path(delivery_id, safe='')}/replay"
        return cast("dict[str, Any]", await self._call("POST", path))

    async def test_webhook(self, webhook_id: str) -> dict[str, Any]:
        """Send a delivery that means nothing."""
        return cast("dict[str, Any]", await self._call("POST", _path(webhook_id) + "/test"))


def _path(webhook_id: str) -> str:
    return f"/api/webhooks/{encode_path(webhook_id, safe='')}"
