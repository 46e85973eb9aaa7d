"""What an account may send: the boundaries of each guard, and the buckets against a slow oracle."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from connector_kit import NOW, prepare
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.connector.guards import (
    Compared,
    Guard,
    Refused,
    guards_for,
    packet_amount_guard,
    packet_rate_guard,
    value_guard,
)
from interledger.ilp.address import Address
from interledger.ilp.error_codes import AmountTooLarge, ErrorCode


def asked(guard: Guard, amount: int = 1, at: int = 0) -> str | None:
    """The code of the refusal; None when the packet may pass. `at`: ms after NOW."""
    refused = guard(prepare(amount, "test.bob"), Timestamp(NOW + at))
    return None if refused is None else str(refused.code)


@pytest.mark.parametrize(
    ("limits", "default", "count"),
    [
        ({}, None, 0),
        ({}, 10_000, 1),
        ({"packets_per_minute": 5}, None, 1),
        ({"packets_per_minute": 5}, 10_000, 1),
        ({"packet_amount_max": 5}, None, 1),
        ({"packet_amount_max": UINT64_MAX}, None, 0),
        ({"amount_per_minute": 5}, None, 1),
        ({"packets_per_minute": 5, "packet_amount_max": 5, "amount_per_minute": 5}, None, 2),
    ],
)
def test_an_account_gets_the_guards_that_its_limits_ask_for(
    limits: dict[str, int], default: int | None, count: int
) -> None:
    account = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"), **limits)  # type: ignore[arg-type]
    guards = guards_for(account, default)
    assert len(guards) == count
    for guard in guards:
        assert [asked(guard) for _ in range(2)] == [
            None,
            None,
        ]  # each counts what it lets through, and lets this through


def test_an_accounts_own_rate_goes_before_the_nodes() -> None:
    account = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"), packets_per_minute=2)
    (guard,) = guards_for(account, 1)
    assert [asked(guard) for _ in range(3)] == [None, None, "T05"]


@pytest.mark.parametrize(("paused", "codes"), [(False, [None, None]), (True, ["T03", "T03"])])
def test_nothing_new_comes_from_a_peer_that_is_paused(paused: bool, codes: list[str | None]) -> None:
    account = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"), paused=paused)
    guards = guards_for(account, 10)
    assert [asked(guards[0]) for _ in range(2)] == codes
    assert len(guards) == 1 + paused


@pytest.mark.parametrize(("amount", "code"), [(0, None), (9, None), (10, None), (11, "F08"), (UINT64_MAX, "F08")])
def test_CR_31_packet_amount(amount: int, code: str | None) -> None:
    assert asked(packet_amount_guard(10), amount) == code
    assert asked(packet_rate_guard(60, 10), amount) == code


def test_a_packet_that_is_too_large_counts_as_one() -> None:
    guard = packet_rate_guard(2, 10)
    assert [asked(guard, 11), asked(guard, 11), asked(guard, 1)] == ["F08", "F08", "T05"]


def test_a_new_bucket_is_full_and_not_fuller() -> None:
    """Also where the clock stands still since it was made."""
    guard = value_guard(60)
    assert guard(prepare(61, "test.bob"), Timestamp(0)) == Refused(
        ErrorCode.T04_INSUFFICIENT_LIQUIDITY,
        "too much value in a short time",
        compared=Compared("amount_per_minute", 60, 61, "source", 60),
    )
    assert guard(prepare(60, "test.bob"), Timestamp(0)) is None
    assert guard(prepare(1, "test.bob"), Timestamp(999)) is not None
    assert guard(prepare(1, "test.bob"), Timestamp(1_000)) is None


@pytest.mark.parametrize("make", [packet_rate_guard, value_guard])
def test_only_a_packet_that_is_meant_counts(make: Callable[[int], Guard]) -> None:
    guard = make(1)
    assert [guard(prepare(1, "test.bob"), NOW, dry=True) for _ in range(3)] == [None] * 3
    assert asked(guard) is None
    assert guard(prepare(1, "test.bob"), NOW, dry=True) is not None


def test_PK_07_F08_says_what_came_and_what_would_pass() -> None:
    refused = packet_amount_guard(10)(prepare(25, "test.bob"), NOW)
    assert refused is not None
    assert AmountTooLarge.decode(refused.data) == (25, 10)
    assert refused.message == "the packet is larger than this account may send"


def test_CR_31_packets_a_minute_burst_then_steady() -> None:
    """60 a minute: sixty at once, then one a second."""
    guard = packet_rate_guard(60)
    assert [asked(guard) for _ in range(61)] == [None] * 60 + ["T05"]
    assert [asked(guard, at=at) for at in (999, 1_000, 1_000, 1_999, 2_000)] == ["T05", None, "T05", "T05", None]
    assert [asked(guard, at=100_000) for _ in range(61)] == [None] * 60 + ["T05"]


@pytest.mark.parametrize("per_minute", [7, 60, 10_000])
def test_a_minutes_packets_pass_at_once_also_when_the_clock_starts(per_minute: int) -> None:
    guard = packet_rate_guard(per_minute)
    answers = [guard(prepare(1, "test.bob"), Timestamp(0)) for _ in range(per_minute + 1)]
    assert answers == [None] * per_minute + [
        Refused(
            ErrorCode.T05_RATE_LIMITED,
            "too many packets, slow down",
            compared=Compared("packets_per_minute", 0, 1, "packets", per_minute),
        )
    ]


def test_CR_31_value_a_minute_burst_then_steady() -> None:
    """60 units a minute: sixty at once, then one a second; a packet above the burst never passes."""
    guard = value_guard(60)
    assert [asked(guard, 40), asked(guard, 21), asked(guard, 20), asked(guard, 1)] == [None, "T04", None, "T04"]
    assert [asked(guard, 1, at) for at in (999, 1_000, 1_000, 1_999, 2_000)] == ["T04", None, "T04", "T04", None]
    assert asked(guard, 61, 10**9) == "T04"
    assert asked(guard, 60, 10**9) is None
    assert asked(guard, 0, 10**9) is None


def test_the_largest_amounts_do_not_overflow() -> None:
    guard = value_guard(UINT64_MAX)
    assert [asked(guard, UINT64_MAX), asked(guard, 1), asked(guard, UINT64_MAX, 60_000)] == [None, "T04", None]


TRACES = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 50)), max_size=60)
"""(ms since the packet before, amount)"""


@given(st.integers(1, 600), TRACES)
def test_no_minute_sees_more_than_two_minutes_worth_of_packets(limit: int, trace: list[tuple[int, int]]) -> None:
    """A bucket's promise: a burst of one minute's worth on top of the steady rate, in any window of a minute."""
    guard = packet_rate_guard(limit)
    at, passed = 0, []
    for wait, amount in trace:
        at += wait
        if asked(guard, amount, at) is None:
            passed.append(at)
    for start in passed:
        assert sum(start <= when < start + 60_000 for when in passed) <= 2 * limit


@given(st.integers(1, 1_000), TRACES)
def test_value_follows_a_bucket_computed_in_fractions(limit: int, trace: list[tuple[int, int]]) -> None:
    guard, tokens, at, last = value_guard(limit), Fraction(limit), 0, 0
    for wait, amount in trace:
        at += wait
        tokens = min(tokens + Fraction((at - last) * limit, 60_000), Fraction(limit))
        last = at
        expected = None if amount <= tokens else "T04"
        assert asked(guard, amount, at) == expected
        if expected is None:
            tokens -= amount


@pytest.mark.parametrize(
    ("guard", "compared"),
    [
        (packet_amount_guard(10), Compared("packet_amount_max", 10, 11)),
        (packet_rate_guard(1_000, 10), Compared("packet_amount_max", 10, 11)),
        (value_guard(10), Compared("amount_per_minute", 10, 11, "source", 10)),
    ],
)
def test_a_refusal_says_what_was_compared(guard: Guard, compared: Compared) -> None:
    refused = guard(prepare(11, "test.bob"), NOW)
    assert refused is not None
    assert refused.compared == compared
    assert {type(number) for number in compared[1:3]} == {type(refused.compared.room)}  # type: ignore[union-attr]
