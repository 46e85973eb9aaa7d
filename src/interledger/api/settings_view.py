"""`/api/settings`: what the node runs with, who said so, and what has to happen before another value counts."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.operations import Call, Operation, json_response
from interledger.node.settings import SETTINGS
from interledger.node.settings_rows import Setting

__all__ = ["OPERATIONS", "setting_document"]

FROM_FILES: Final = frozenset({"tls.cert", "tls.key", "tls.client_ca", "tls.ca"})
"""Their files are read again when they change; which file it is, is said at the start."""


async def list_settings(call: Call) -> Response:
    settings = call.node.settings
    return json_response(list_document(setting_document(row, settings) for row in SETTINGS))


def setting_document(row: Setting, settings: Any) -> dict[str, Any]:
    """One setting, in the words of its source. Of a secret only whether there is one."""
    origin = settings.origins.get(row.key)
    value = getattr(settings, row.attribute)
    return {
        "key": row.key,
        "value": None if row.secret else _text(value, row, given=origin is not None),
        "is_set": value is not None,
        "default": row.default,
        "secret": row.secret,
        "set_by": _set_by(origin),
        "origin": origin,
        "takes_effect": "when its file changes, or after a restart" if row.key in FROM_FILES else "after a restart",
        "help": row.help,
        "flag": row.flag,
        "environment": row.environment,
    }


def _set_by(origin: str | None) -> str:
    if origin is None:
        return "default"
    if origin.startswith("--"):
        return "flag"
    return "environment" if origin.startswith("ILP_") else "file"


def _text(value: object, row: Setting, *, given: bool) -> str | None:
    """As somebody would write it."""
    if value is None:
        return None
    if not given and row.default is not None and value == row.parse(row.default):
        return row.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | frozenset):
        return ", ".join(sorted(str(one) for one in value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={amount}" for name, amount in value.items())
    return str(value)


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/settings", access=Access.ADMIN, handler=list_settings,
        summary="Every setting: its value, who set it, when a change takes effect", answer="Setting[]",
        tags=("status",),
    ),
)  # fmt: skip
"""The operations of this module."""
