"""What a node does about its own secrets: a row of the table in `settings`."""

from __future__ import annotations

from dataclasses import dataclass

from interledger.node.settings_parsers import parse_bool
from interledger.node.settings_routes import RouteSettings, is_of_routes
from interledger.node.settings_rows import Setting, setting

__all__ = ["SecretSettings", "stands_last"]


@dataclass(frozen=True, kw_only=True)
class SecretSettings(RouteSettings):
    """When the seed is lost."""

    forget_lost_secrets: bool = setting(
        parse_bool,
        "false",
        "BOOL",
        "Whether to start without the outgoing tokens and secrets that were sealed with another secret_seed, which is",
        "lost: give them to the accounts again. With false the node does not start then.",
    )


def stands_last(row: Setting) -> int:
    """Where a row stands in the table: those of other modules behind those of `settings`, routes at the end."""
    return 2 if is_of_routes(row) else int(row.attribute == "forget_lost_secrets")
