"""`/api/backups`: a copy of the books, on the node's own machine. For the operator only."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.operations import Call, Operation, json_response
from interledger.codec.timestamp import format_rfc3339

__all__ = ["OPERATIONS"]


async def make_backup(call: Call) -> Response:
    """The file stays in the data directory: books and sealed tokens do not travel over this API."""
    made = await call.node.books.backup()
    at = format_rfc3339(made.at) if made.at else None
    return json_response({"file": str(made.path), "octets": made.octets, "commit": made.commit, "at": at}, 201)


OPERATIONS: Final = (
    Operation(
        method="POST", path="/api/backups", access=Access.ADMIN, handler=make_backup, status=201,
        summary="Copy the books into a file of the data directory, while packets pass", answer="Backup",
        problems=(409, 503), tags=("ledger",),
    ),
)  # fmt: skip
"""The operations of this module."""
