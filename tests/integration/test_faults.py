"""Over links that fail, every packet has one outcome and is charged once; the books differ by listed amounts only.

How much gets through is measured by `bench/faults.py`: on a busy machine a packet may run out of time.
"""

from __future__ import annotations

import pytest

from tests.support.fault_proxy import Faults
from tests.support.faulty_links import KINDS, send_over

WITH_IDS = ["http-async", "http-oer-sync", "http-oer-async", "btp-2.0-i"]
TIME_ENOUGH_MS = 25_000
"""For packets that nothing holds up: a busy machine is no fault."""
EVERYTHING = Faults(drop=0.05, refuse=0.1, cut=0.2, lose=0.3, half_close=0.15, delay=0.1)


@pytest.mark.parametrize("kind", KINDS)
async def test_without_faults_every_fulfill_arrives(kind: str) -> None:
    result = await send_over(kind, Faults(), seed=1, packets=50, lifetime_ms=TIME_ENOUGH_MS)
    result.check()
    assert len(result.charged_there) == len(result.charged_here) == 43
    assert not result.unknown


@pytest.mark.parametrize("kind", KINDS)
async def test_HT_10_BT_17_whatever_fails_each_packet_has_one_outcome_and_is_charged_once(kind: str) -> None:
    result = await send_over(kind, EVERYTHING, seed=2, packets=40)
    result.check()
    assert result.charged_there


@pytest.mark.parametrize("kind", WITH_IDS)
async def test_what_arrives_twice_is_taken_and_charged_once(kind: str) -> None:
    """Where packets have ids. On the two other links nothing tells a repetition from another packet."""
    result = await send_over(kind, Faults(duplicate=1.0), seed=4, packets=40, lifetime_ms=TIME_ENOUGH_MS)
    result.check()
    assert result.faults["duplicate"]
    assert len(result.charged_there) == len(result.charged_here) == 35


@pytest.mark.parametrize("kind", WITH_IDS)
async def test_an_answer_that_got_lost_is_asked_for_again(kind: str) -> None:
    """Of the links that repeat: the receiver saw each packet once, though many requests came twice. How many answers
    come in time says the bench: here it would say how busy the machine is."""
    result = await send_over(kind, Faults(lose=0.7), seed=3, packets=30)
    result.check()
    assert result.faults["lose"]
    assert result.charged_here
