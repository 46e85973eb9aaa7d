"""What an operator of interledger-rs sets on a running node: settlement engines by asset, and what is logged."""

from __future__ import annotations

import logging
from typing import Final

from starlette.responses import Response

from interledger.accounts.asset import parse_asset
from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.operations import JSON_HEADERS, Call, Operation, json_response
from interledger.api.problems import Problem
from interledger.errors import InvalidRequestError

__all__ = ["OPERATIONS", "parse_directives"]

OURS: Final = "interledger"

LEVELS: Final = {
    "off": logging.CRITICAL + 1, "error": logging.ERROR, "warn": logging.WARNING, "warning": logging.WARNING,
    "info": logging.INFO, "debug": logging.DEBUG, "trace": logging.DEBUG,
}  # fmt: skip
"""Those of RUST_LOG -> those of Python, which has nothing below debug."""

QUIET: Final = frozenset({"interledger.handshake", "interledger.api.sockets"})
"""Loggers of a library that writes whole requests, tokens in them included, at debug. They stay as they are."""

_PARTS: Final = {"ilp_node": "interledger.node", "ilp-node": "interledger.node"}


def parse_directives(text: str) -> dict[str, int]:
    """`info,interledger_btp=trace` -> logger: level. Raises `InvalidRequestError`."""
    levels: dict[str, int] = {}
    for directive in text.split(","):
        target, equals, level = directive.strip().rpartition("=")
        number = LEVELS.get(level.lower())
        if number is None:
            raise InvalidRequestError(
                f"“{level[:40]}” is no level. Send  debug  or  info,interledger_btp=trace . Levels: {', '.join(LEVELS)}"
            )
        levels[_logger(target) if equals else OURS] = number
    return levels


def _logger(target: str) -> str:
    """A target of RUST_LOG as the name of a logger: `interledger_btp::server` -> `interledger.btp.server`."""
    name = _PARTS.get(target, target.replace("::", ".").replace("_", "."))
    if (name != OURS and not name.startswith(OURS + ".")) or name in QUIET:
        raise InvalidRequestError(f"“{target[:40]}” is not a part of this program: they begin with {OURS}")
    return name


async def put_level(call: Call) -> Response:
    """Until the next start."""
    text = await call.text()
    for name, level in parse_directives(text).items():
        logging.getLogger(name).setLevel(level)
    return Response(f"Logging level changed to: {text}", headers=JSON_HEADERS, media_type="text/plain")


async def get_engines(call: Call) -> Response:
    return json_response(dict(call.node.settlements.engines.defaults))


async def put_engines(call: Call) -> Response:
    """Replaces all of them."""
    fields = await call.compatible_fields()
    engines: dict[str, str] = {}
    for name in fields.as_mapping():
        code = parse_asset(f"{name}/0").code
        if code in engines:
            raise Problem("invalid-request", f"the engine of {code} comes twice", field=name)
        engines[code] = fields.required_text(name)
    await call.node.settlements.engines.set_defaults(engines)
    return json_response(engines)


OPERATIONS: Final = (
    Operation(
        method="GET", path="/settlement/engines", access=Access.ADMIN, handler=get_engines,
        summary="Settlement engines by asset code, for accounts that name none", answer="CompatibleEngines",
        tags=("interledger-rs",),
    ),
    Operation(
        method="PUT", path="/settlement/engines", access=Access.ADMIN, handler=put_engines,
        summary="Replace the settlement engines by asset code", body="CompatibleEngines", answer="CompatibleEngines",
        problems=(400,), tags=("interledger-rs",),
    ),
    Operation(
        method="PUT", path="/tracing-level", access=Access.ADMIN, handler=put_level,
        scope=Scope.OPERATE,
        summary="What is logged from now on, in the words of RUST_LOG", body="text", answer="text", problems=(400,),
        tags=("interledger-rs",),
    ),
)  # fmt: skip
"""The operations of this module."""
