"""The auditor of settlements tested: each violation that is planted is found."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from interledger.accounts.records import encode_account_opened, encode_entry
from interledger.settlement.quantity import NOTHING, Quantity
from interledger.sim.auditor import Auditor
from interledger.sim.books import BreachError
from interledger.sim.engine import Transfer
from interledger.sim.settlement_audit import Side

NAMES = ("peer/bob", "peer/bob/transit", "external/bob")
PEER, TRANSIT, EXTERNAL = range(3)
TEN = Quantity(10, 2)


def side(cap: int | None = None, **moved: int) -> Side:
    """A node that has debited, settled and credited so many cents."""
    auditor = Auditor()
    station = auditor.station("test.n", lambda: 0)
    auditor.committed(station, b"".join(encode_account_opened(i, name, "USD", 2) for i, name in enumerate(NAMES)))
    legs = {"debited": (PEER, TRANSIT), "settled": (TRANSIT, EXTERNAL), "credited": (EXTERNAL, PEER)}
    for name, amount in moved.items():
        auditor.committed(station, encode_entry(name, ((*legs[name], amount),)))
    return Side(auditor, station, "bob", 2, cap)


def asks_too_much(one: Side) -> None:
    one.asked("k", Quantity(11, 2))


def uses_a_key_twice(one: Side) -> None:
    one.asked("k", Quantity(1, 2))
    one.asked("k", Quantity(2, 2))


def takes_what_is_not_written(one: Side) -> None:
    one.answered("k", Quantity(1, 2), done=True)


def takes_two_quantities(one: Side) -> None:
    one.answered("k", Quantity(1, 12), done=True)
    one.answered("k", Quantity(2, 12), done=True)


@pytest.mark.parametrize(
    ("plant", "number"),
    [
        (asks_too_much, "14"),
        (uses_a_key_twice, "16"),
        (takes_what_is_not_written, "15"),
        (takes_two_quantities, "16"),
        (lambda one: one.refused(True), "16"),
    ],
)
def test_what_is_wrong_while_it_runs_is_found(plant: Callable[[Side], None], number: str) -> None:
    with pytest.raises(BreachError, match=rf"^{number} test\.n"):
        plant(side(debited=10))


def test_I9_more_than_the_cap_is_found() -> None:
    with pytest.raises(BreachError, match=r"^15 test\.n"):
        side(5, credited=6).answered("k", Quantity(6, 2), done=True)


@pytest.mark.parametrize(
    ("moved", "sent", "came", "owed", "number"),
    [
        ({"debited": 10, "settled": 10}, [TEN], [], NOTHING, ""),
        ({"debited": 10, "settled": 10}, [Quantity(9, 2)], [], Quantity(1, 2), ""),
        ({"debited": 10, "settled": 9}, [TEN], [], NOTHING, "14"),
        ({"debited": 11, "settled": 11}, [TEN], [], NOTHING, "14"),
        ({"debited": 10, "settled": 10}, [TEN, TEN], [], NOTHING, "14"),
        ({"debited": 10, "settled": 10}, [], [], NOTHING, "14"),
        ({"debited": 10, "settled": 10}, [TEN], [TEN], NOTHING, "18"),
        ({"debited": 10, "settled": 10, "credited": 1}, [TEN], [], NOTHING, "15"),
    ],
)
def test_what_is_wrong_at_the_end_is_found(
    moved: dict[str, int], sent: list[Quantity], came: list[Quantity], owed: Quantity, number: str
) -> None:
    one = side(**moved)
    one.asked("k", TEN)

    def check() -> None:
        one.check([Transfer("us", q) for q in sent], [Transfer("them", q) for q in came], owed, NOTHING, Fraction(0))

    if number:
        with pytest.raises(BreachError, match=rf"^{number} test\.n"):
            check()
    else:
        check()
