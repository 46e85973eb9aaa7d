"""Exit codes: stable, because scripts depend on them. `ilp help exit-codes` prints this table."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["MEANINGS", "ExitCode"]


class ExitCode(IntEnum):
    """What the process ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_NODE = 3
    NOT_FOUND = 4
    OWN_LIMIT = 5
    NOT_ALLOWED = 6
    REJECTED = 7
    PARTLY_DONE = 8
    UNKNOWN = 9
    FAULT_FOUND = 10
    INTERRUPTED = 130


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed for a reason of its own (see the error)",
    ExitCode.USAGE: "wrong usage; nothing was done",
    ExitCode.NO_NODE: "no node answers",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.OWN_LIMIT: "refused by one of your own limits",
    ExitCode.NOT_ALLOWED: "not allowed with this token",
    ExitCode.REJECTED: "rejected by the network (an ILP code is printed)",
    ExitCode.PARTLY_DONE: "partly done (some was delivered)",
    ExitCode.UNKNOWN: "unknown: it may or may not have happened",
    ExitCode.FAULT_FOUND: "check found a fault",
    ExitCode.INTERRUPTED: "interrupted; what happened is printed first",
}
