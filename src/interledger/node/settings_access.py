"""Who and what is let in beside tokens, and a node's own secrets: rows of the table in `settings`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from interledger.errors import InvalidRequestError
from interledger.node.settings_parsers import parse_bool
from interledger.node.settings_routes import RouteSettings, is_of_routes
from interledger.node.settings_rows import Setting, setting
from interledger.node.settings_state import is_of_state

__all__ = ["AccessSettings", "stands_last"]

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?")
_OWN: Final = ("forget_lost_secrets", "host_names")


def _parse_names(text: str) -> tuple[str, ...]:
    """Names of hosts, with spaces or commas between."""
    names = tuple(text.lower().replace(",", " ").split())
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise InvalidRequestError(f"“{name}” is not the name of a host. Write  hub.example")
    return names


@dataclass(frozen=True, kw_only=True)
class AccessSettings(RouteSettings):
    """When the seed is lost; under which names the API is served."""

    forget_lost_secrets: bool = setting(
        parse_bool,
        "false",
        "BOOL",
        "Whether to start without the outgoing tokens and secrets that were sealed with another secret_seed, which is",
        "lost: give them to the accounts again. With false the node does not start then.",
    )
    host_names: tuple[str, ...] = setting(
        _parse_names,
        "",
        "NAMES",
        "Under which further names a node that listens on this machine only is called, through a proxy: hub.example.",
        "It answers requests for localhost and for the host of public_url, and refuses all others, so that no web page",
        "reaches it under a name of its own.",
    )


def stands_last(row: Setting) -> int:
    """Where a row stands in the table: those of other modules behind those of `settings`, routes at the end."""
    return (
        2
        if is_of_routes(row)
        else int(row.attribute in _OWN or is_of_state(row) or row.key.startswith(("settle", "otel", "log_")))
    )
