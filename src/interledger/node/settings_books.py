"""The settings of the books: rows of the table in `settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from interledger.node.settings_parsers import parse_bool, whole_number
from interledger.node.settings_rows import setting

__all__ = ["BooksSettings"]

WEEK_MINUTES: Final = 10_080


@dataclass(frozen=True, kw_only=True)
class BooksSettings:
    """How often the books are compared with those of peers, and what is kept of packets."""

    statement_minutes: int = setting(
        whole_number(0, WEEK_MINUTES),
        "60",
        "MINUTES",
        "How often each peer that runs such a node is asked what it counts, so that both agree and what is unknown",
        "is resolved; also after a restart or a reconnect that left unknown amounts. 0: never; peers are told nothing.",
        key="ledger.statement_minutes",
    )
    packet_log: bool = setting(
        parse_bool,
        "false",
        "BOOL",
        "Whether the latest packets are kept for people to look at, also while nobody does: up to 200 a second, in",
        "memory. Packets that this node rejects itself are always kept.",
    )
