"""The rate as an interval, and the largest packet."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.ilp.error_codes import AmountTooLarge
from interledger.transport.stream.rate import PathLimit, RateEstimate

RATES = st.fractions(Fraction(1, 10**6), Fraction(10**6))
AMOUNTS = st.integers(1, 10**12)


@given(RATES, st.lists(AMOUNTS, min_size=1, max_size=10), AMOUNTS)
def test_H5_the_interval_holds_the_rate_and_its_bounds_hold(rate, sents, amount):
    estimate = RateEstimate(sents[0], int(sents[0] * rate))
    for sent in sents[1:]:
        estimate.observe(sent, int(sent * rate))
    assert estimate.low <= rate < estimate.high
    assert estimate.arrived_max == max(int(sent * rate) for sent in sents)
    assert estimate.arrives_at_least(amount) <= int(amount * rate) <= estimate.arrives_at_most(amount)


@given(RATES, AMOUNTS, AMOUNTS)
def test_source_for_and_within_are_the_nearest_amounts(rate, sent, wanted):
    estimate = RateEstimate(sent, int(sent * rate))
    source = estimate.source_for(wanted)
    assert estimate.arrives_at_most(source) >= wanted
    assert estimate.arrives_at_most(source - 1) <= wanted
    within = estimate.source_within(wanted)
    assert estimate.arrives_at_most(within) <= wanted < estimate.arrives_at_most(within + 1)


def test_nothing_for_nothing():
    estimate = RateEstimate(10, 9)
    assert (estimate.source_for(0), estimate.source_within(0), estimate.arrives_at_most(0)) == (0, 0, 0)


def test_small_packets_that_round_badly_are_not_believed():
    estimate = RateEstimate(1000, 900)
    estimate.observe(10, 7)
    estimate.observe(10, 12)
    assert (estimate.low, estimate.high) == (Fraction(900, 1000), Fraction(901, 1000))


@pytest.mark.parametrize("arrived", [700, 1200])
def test_large_ones_are_the_rate_has_changed(arrived):
    estimate = RateEstimate(1000, 900)
    estimate.observe(1000, arrived)
    assert (estimate.low, estimate.high) == (Fraction(arrived, 1000), Fraction(arrived + 1, 1000))


@pytest.mark.parametrize(
    ("events", "maximum"),
    [
        ([], None),
        ([("F08", 1000, (1000, 100))], 100),
        ([("F08", 1000, (500, 100))], 200),
        ([("F08", 1000, (500, 0))], 0),
        ([("F08", 1000, None)], 500),
        ([("F08", 1000, (0, 0))], 500),
        ([("F08", 1000, (5, 5))], 500),
        ([("F08", 1000, None), ("F08", 500, None)], 250),
        ([("F08", 1000, None), ("passed", 500), ("F08", 500, None)], 250),
        ([("F08", 1000, None), ("F08", 1000, None)], 500),
        ([("passed", 800), ("F08", 1600, None)], 1200),
        ([("passed", 800), ("F08", 880, None)], 800),
        ([("F08", 1, None)], 0),
    ],
)
def test_the_largest_packet(events, maximum):
    path = PathLimit()
    for what, amount, *data in events:
        if what == "passed":
            path.reached(amount)
        else:
            path.refused(amount, AmountTooLarge(*data[0]).encode() if data[0] else b"")
    assert path.maximum == maximum
    assert path.ceiling == (2**64 - 1 if maximum is None else maximum)


def test_H15_a_limit_that_shrinks_by_one_for_ever_is_met_by_halving():
    path, amount, steps = PathLimit(), 10**18, 0
    while amount:
        path.refused(amount, AmountTooLarge(amount, amount - 1).encode())
        amount, steps = path.ceiling, steps + 1
    assert steps < 80
