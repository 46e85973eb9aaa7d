"""PostgreSQL's errors as ours: no room, no server, or something that does not get better by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final, final

import psycopg

from interledger.errors import DiskFullError, StoreError

__all__ = ["PASSING", "ServerLostError", "postgres_errors", "store_error"]

PASSING: Final = (
    "08",  # the connection failed
    "57P",  # the server stops, crashed, or is starting
    "57014",  # the statement took longer than it may, and was undone
    "53300",  # too many connections
    "53200",  # out of memory
    "55P03",  # somebody locks a table for long
    "25006",  # this server only reads: it is the stand-by, which may become the other one
    "25P0",  # a transaction was left idle for too long, and undone
    "40",  # serialization failure, deadlock: undone
)
"""Beginnings of the codes (SQLSTATE) of what passes when one waits, perhaps on a new connection."""


@final
class ServerLostError(StoreError):
    """There is no answer from the server. What became of a transaction under way is not known from that."""


def store_error(where: object, what: str, code: str | None, text: str, *, lost: bool) -> StoreError:
    """The error for a failed statement. `lost`: the connection is gone too."""
    text = " ".join(text.split())
    if code == "53100":
        return DiskFullError(f"{where} cannot be {what}: the server's disk is full ({text})")
    if lost or (code is not None and code.startswith(PASSING)):
        return ServerLostError(f"{where} cannot be {what}: {text}" + (f" ({code})" if code else ""))
    return StoreError(f"{where} cannot be {what}: {text} ({code})")


@contextlib.contextmanager
def postgres_errors(where: object, what: str) -> Iterator[None]:
    """Turns psycopg's errors into `StoreError`: the database `where` cannot be `what` (opened, read, written)."""
    try:
        yield
    except psycopg.Error as error:
        # Without a code an OperationalError comes from the client's side: there is no connection (any more).
        lost = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
        raise store_error(where, what, error.sqlstate, str(error), lost=lost) from None
