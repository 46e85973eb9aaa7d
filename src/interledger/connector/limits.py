"""The times and numbers of a connector that are the same for all its peers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)  # slots: five of these are read per packet
class Limits:
    """Times in ms, and what a peer may have in flight. The defaults are those of RFC 32's and RFC 27's practice."""

    min_message_window_ms: int = 1_000
    """How much earlier the onward packet expires: the time a Fulfill may need to come back over this node."""
    max_hold_ms: int = 30_000
    grace_ms: int = 500
    """How long after the onward expiry a Fulfill is still waited for, while the incoming one can be met."""
    relay_margin_ms: int = 300
    """The least time before the incoming expiry in which a Fulfill is worth relaying."""
    in_flight_max: int = 1_000
    packets_per_minute: int | None = 10_000
    """For accounts that name no rate of their own; holders on this node are not limited."""
