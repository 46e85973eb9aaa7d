"""The settings of the exchange of routes: rows of the table in `settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from interledger.node.settings_otel import OtelSettings
from interledger.node.settings_parsers import parse_bool, whole_number
from interledger.node.settings_rows import Setting, setting

__all__ = ["DAY_MS", "RouteSettings", "is_of_routes", "route_faults"]

TABLE: Final = "route_broadcast."

DAY_MS: Final = 86_400_000
"""The longest that most times of the settings may be."""


@dataclass(frozen=True, kw_only=True)
class RouteSettings(OtelSettings):
    """Whether and how often a node tells its routes."""

    route_broadcast: bool = setting(
        parse_bool,
        "true",
        "BOOL",
        "Whether the node exchanges routes with its parent and peers (CCP). With false it uses static routes, its",
        "accounts' addresses and the default route only.",
        key="route_broadcast.enabled",
    )
    route_broadcast_interval_ms: int = setting(
        whole_number(200, DAY_MS),
        "30000",
        "MS",
        "How often, in milliseconds, peers hear from the node's routes when nothing has changed. Changes are told at",
        "once.",
        key="route_broadcast.interval_ms",
        aliases=("route_broadcast_interval",),
    )
    route_expiry_ms: int = setting(
        whole_number(300, DAY_MS),
        "45000",
        "MS",
        "How long, in milliseconds, peers may use the node's routes without hearing from it. At most ten minutes of it",
        "are believed by a node like this one.",
        key="route_broadcast.expiry_ms",
    )


def is_of_routes(row: Setting) -> bool:
    """Whether the row is one of these, or of the books'. They stand at the end of the table."""
    return row.key.startswith((TABLE, "ledger."))


def route_faults(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong) for values that are good alone but not together."""
    if values["route_expiry_ms"] > values["route_broadcast_interval_ms"]:
        return []
    return [(TABLE + "expiry_ms", f"has to be more than  {TABLE}interval_ms")]
