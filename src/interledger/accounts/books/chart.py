"""The chart of accounts: what the names of ledger accounts mean, and where an accountant would put them.

`docs/explanation/money.md` has the same table; a test compares them.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

__all__ = ["CHART", "AccountClass", "ChartRow", "is_peer", "row_of"]


class AccountClass(enum.StrEnum):
    """The five classes of double-entry bookkeeping."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class ChartRow(NamedTuple):
    """One kind of account. `pattern` is its name with `<...>` for what varies."""

    pattern: str
    account_class: AccountClass
    meaning: str
    may_correct: bool = True
    """Whether a correction may open it: the others are opened by what they belong to."""


CHART: Final = (
    ChartRow("peer/<id>", AccountClass.ASSET, "what the peer owes us, or, below zero, we owe it", False),
    ChartRow("peer/<id>/transit", AccountClass.ASSET, "settlements handed out, not yet acknowledged", False),
    ChartRow("peer/<id>/suspense", AccountClass.ASSET, "amounts of `unknown` packets; only ever pending", False),
    ChartRow(
        "peer/<id>/unproven", AccountClass.ASSET, "what the peer got, and does not count or did not hear of", False
    ),
    ChartRow("local/<id>", AccountClass.LIABILITY, "what a holder on this node has", False),
    ChartRow("local/<id>/suspense", AccountClass.LIABILITY, "as that of a peer", False),
    ChartRow(
        "fx/<asset>", AccountClass.EQUITY, "our position in an asset: what packets brought in less what they took"
    ),
    ChartRow("fee/<asset>", AccountClass.INCOME, "what the node keeps of packets that stay in one asset"),
    ChartRow(
        "loss/<asset>",
        AccountClass.EXPENSE,
        "what was paid onward and not got: resolved `unknown` and unproven amounts",
    ),
    ChartRow("correction/<asset>", AccountClass.EXPENSE, "the other side of corrections by hand"),
    ChartRow("external/<id>", AccountClass.ASSET, "money that came from the peer, or went to it, by settlement"),
)
"""More than one row may fit the beginning of a name; the last part decides."""

_OTHER: Final = ChartRow("<name>", AccountClass.EQUITY, "opened by hand")


def row_of(name: str) -> ChartRow:
    """The row of a ledger account's name."""
    first, *rest = name.split("/")
    for row in CHART:
        kind, *parts = row.pattern.split("/")
        if kind != first:
            continue
        if kind in ("peer", "local"):
            if rest[1:] == parts[1:]:
                return row
        else:
            return row
    return _OTHER


def is_peer(name: str) -> bool:
    """Whether it is the account of what a peer owes, none beside it."""
    kind, _, rest = name.partition("/")
    return kind == "peer" and bool(rest) and "/" not in rest
