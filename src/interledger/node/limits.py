"""The connector's limits, as the settings of a node have them."""

from __future__ import annotations

from interledger.connector.forward import Limits
from interledger.node.settings import Settings

__all__ = ["limits_of"]


def limits_of(settings: Settings) -> Limits:
    """What `Connector` needs."""
    return Limits(
        min_message_window_ms=settings.min_message_window_ms,
        max_hold_ms=settings.max_hold_ms,
        # Within the window, or we would stop waiting before the onward packet has expired.
        relay_margin_ms=min(Limits().relay_margin_ms, settings.min_message_window_ms // 2),
        in_flight_max=settings.in_flight_max,
        packets_per_minute=settings.packets_per_minute,
    )
