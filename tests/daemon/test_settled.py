"""When two books and a ledger agree, and when nothing moves any more."""

from __future__ import annotations

import pytest

from interledger.accounts.asset import Asset
from interledger.daemon.settled import Settled, compare_settled


def row(given: int = 0, waiting: int = 0, moved: int = 0, taken: int = 0, is_busy: bool = False) -> Settled:
    return Settled("alice", "hub", Asset("USD", 9), given, waiting, moved, taken, 0, is_busy, None)


@pytest.mark.parametrize(
    ("what", "exact", "quiet"),
    [
        (row(), True, True),
        (row(5, 0, 5, 5), True, True),
        (row(5, 2, 3, 3), True, True),
        (row(5, 5, 0, 0, is_busy=True), True, False),
        (row(5, 0, 5, 4), False, False),
        (row(5, 0, 4, 4), False, False),
        (row(5, 0, 4, 5), False, False),
        (row(5, 1, 5, 5), False, False),
    ],
)
def test_one_unit_is_enough(what: Settled, exact: bool, quiet: bool) -> None:
    assert (what.is_exact, what.is_quiet) == (exact, quiet)


async def test_a_network_that_does_not_settle() -> None:
    assert await compare_settled({"settlement": None}) == []
