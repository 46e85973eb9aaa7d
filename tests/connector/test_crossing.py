"""The entries of a packet between two peers: each leg in one asset, the last one onward, nothing lost on the way."""

from __future__ import annotations

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.connector.crossing import FOREVER, Crossing, make_crossing
from interledger.routing.exchange import Ratio

USD, EUR = Asset("USD", 2), Asset("EUR", 4)


def crossing(ledger: Ledger, source: Asset, target: Asset, ratio: Ratio, amount_max: int = UINT64_MAX) -> Crossing:
    accounts = ledger.account("peer/alice", source), ledger.account("peer/bob", target)
    return make_crossing(ledger, *accounts, ratio, amount_max)


def named(legs: tuple[object, ...]) -> list[tuple[str, str, int]]:
    return [(debited.name, credited.name, amount) for debited, credited, amount in legs]  # type: ignore[attr-defined]


def test_one_asset_without_a_fee_is_one_leg() -> None:
    ledger = Ledger()
    made = crossing(ledger, USD, USD, Ratio(1, 1, None))
    assert named(made.legs(100, 100)) == [("peer/alice", "peer/bob", 100)]


def test_one_asset_with_a_fee_is_two() -> None:
    made = crossing(Ledger(), USD, USD, Ratio(99, 100, None))
    assert named(made.legs(100, 99)) == [("peer/alice", "fee/USD/2", 1), ("peer/alice", "peer/bob", 99)]


def test_two_assets_go_through_our_positions() -> None:
    ledger = Ledger()
    made = crossing(ledger, USD, EUR, Ratio(92, 1, None))
    assert named(made.legs(100, 9_200)) == [("peer/alice", "fx/USD/2", 100), ("fx/EUR/4", "peer/bob", 9_200)]
    assert ledger.find("fee/USD/2", USD) is None


@pytest.mark.parametrize(("expires_at", "expected"), [(None, FOREVER), (Timestamp(5), 5)])
def test_it_lasts_as_long_as_its_rate(expires_at: Timestamp | None, expected: int) -> None:
    assert crossing(Ledger(), USD, EUR, Ratio(1, 1, expires_at)).expires_at == expected


@pytest.mark.parametrize(("amount_max", "expected"), [(10, 10), (UINT64_MAX, UINT64_MAX), (1 << 70, UINT64_MAX)])
def test_no_more_goes_on_than_64_bits_hold(amount_max: int, expected: int) -> None:
    assert crossing(Ledger(), USD, EUR, Ratio(1, 1, None), amount_max).amount_max == expected


def test_the_legs_can_be_held_and_executed() -> None:
    ledger = Ledger()
    made = crossing(ledger, USD, EUR, Ratio(92, 1, None))
    hold = ledger.hold(made.legs(100, 9_200), bytes(32), 1, True)
    ledger.execute(hold, bytes(32))  # type: ignore[arg-type]
    assert ledger.check() == []
