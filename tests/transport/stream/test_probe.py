"""The questions before a payment: what is asked next, and what is concluded."""

from __future__ import annotations

import pytest

from interledger.ilp.error_codes import AmountTooLarge
from interledger.transport.stream.payment import FixedDelivery, FixedSend, PaymentFailure
from interledger.transport.stream.probe import PROBES_MAX, SEND_ONLY_ADDRESS, AssetDiscovery, RateProbe, failure_for

T = 1_000


def answers(target, way, *, limit=200):
    """All amounts asked on a way (amount -> arrived | (code, data)), and the probe at its end."""
    probe, asked, now = RateProbe(target), [], T
    while not probe.done and probe.failure is None and len(asked) < limit:
        now = max(now, probe.resume_at)
        amount = probe.take(now)
        asked.append(amount)
        answer = way(amount)
        if isinstance(answer, tuple):
            probe.refused(amount, *answer, now)
        else:
            probe.arrived(amount, answer)
    return asked, probe


def limited(maximum, code="F08", *, data=True):
    def way(amount):
        if amount <= maximum:
            return amount
        return code, AmountTooLarge(amount, maximum).encode() if data and code == "F08" else b""

    return way


@pytest.mark.parametrize(
    ("target", "way", "asked", "packet_max"),
    [
        (FixedSend(10**6), lambda a: a, [10**6], None),
        (FixedSend(5), lambda a: a * 92 // 100, [5, 5000], None),
        (FixedSend(10**6), limited(1000), [10**6, 1000], 1000),
        (FixedSend(10**6), limited(50), [10**6, 50], 50),
        (FixedSend(1000), limited(600, data=False), [1000, 500], 500),
        (FixedDelivery(10**9), lambda a: a // 2, [10**6, 2 * 10**9 - 3999], None),
        (FixedDelivery(500), lambda a: a // 2, [10**6], None),
        (FixedSend(5), lambda a: 0 if a < 10**4 else a // 10**4, [5, 5000, 5000000, 5000000000], None),
        (FixedSend(5), lambda a: ("R01", b"") if a < 10**4 else a // 10**4, [5, 5000, 5 * 10**6, 5 * 10**9], None),
    ],
)
def test_amounts_asked(target, way, asked, packet_max):
    got, probe = answers(target, way)
    assert probe.failure is None
    assert got == asked
    assert probe.packet_max == packet_max
    assert probe.credit_max is None


def test_T04_finds_what_credit_there_is():
    asked, probe = answers(FixedSend(1000), limited(300, "T04"))
    assert asked == [1000, 500, 250]
    assert (probe.credit_max, probe.packet_max) == (250, None)


@pytest.mark.parametrize(
    ("way", "failure"),
    [
        (lambda a: ("F02", b""), PaymentFailure.NO_ROUTE),
        (lambda a: ("F06", b""), PaymentFailure.NOT_EXPECTED),
        (lambda a: ("F00", b""), PaymentFailure.REFUSED),
        (lambda a: ("F08", b""), PaymentFailure.PACKETS_TOO_SMALL),
        (lambda a: ("F08", AmountTooLarge(a, 0).encode()), PaymentFailure.PACKETS_TOO_SMALL),
        (lambda a: ("T04", b""), PaymentFailure.NO_LIQUIDITY),
        (lambda a: ("R01", b""), PaymentFailure.AMOUNT_TOO_SMALL),
        (lambda a: 0, PaymentFailure.AMOUNT_TOO_SMALL),
        (lambda a: ("T05", b""), PaymentFailure.BUSY),
        (lambda a: ("T01", b""), PaymentFailure.NODE_UNREACHABLE),
        (lambda a: ("R00", b""), PaymentFailure.TIMED_OUT),
        (lambda a: ("", b""), PaymentFailure.NO_ANSWER),
    ],
)
def test_H15_ways_that_carry_nothing_end_the_probe(way, failure):
    asked, probe = answers(FixedSend(10**6), way)
    assert probe.failure is failure
    assert len(asked) <= 70 if failure is PaymentFailure.PACKETS_TOO_SMALL else PROBES_MAX


def test_temporary_trouble_is_waited_out():
    probe = RateProbe(FixedSend(10**6))
    assert probe.take(T) == 10**6
    assert probe.take(T) is None
    assert not probe.waiting_to_send
    probe.refused(10**6, "T02", b"", T)
    assert probe.waiting_to_send
    assert (probe.take(T + 99), probe.take(T + 100)) == (None, 10**6)
    probe.refused(10**6, "T02", b"", T)
    assert (probe.take(T + 199), probe.take(T + 200)) == (None, 10**6)


def test_when_time_is_up_what_is_known_must_do():
    probe = RateProbe(FixedSend(5))
    probe.take(T)
    probe.arrived(5, 4)
    probe.give_up()
    assert probe.done
    probe = RateProbe(FixedSend(5))
    probe.give_up()
    assert probe.failure is PaymentFailure.NO_ANSWER


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("", PaymentFailure.NO_ANSWER),
        ("T99", PaymentFailure.BUSY),
        ("R99", PaymentFailure.BUSY),
        ("F00", PaymentFailure.REFUSED),
        ("X00", PaymentFailure.REFUSED),
    ],
)
def test_codes_as_failures(code, failure):
    assert failure_for(code) is failure


REAL = "test.bob.token"
SECOND = "test.bob._.token"


def discover(*answers):
    """Feed (which probe, code | 'silent') and return the discovery."""
    discovery = AssetDiscovery(REAL, "")
    discovery.take(T)
    for which, code in answers:
        destination = (REAL, SECOND)[which]
        if code == "silent":
            discovery.answered_without_asset(destination)
        else:
            discovery.refused(destination, code, T)
    return discovery


def test_ST_22_two_probes():
    assert AssetDiscovery(REAL, "").take(T) == [(REAL, ""), (SECOND, SEND_ONLY_ADDRESS)]
    assert AssetDiscovery(REAL, "test.me").take(T)[0] == (REAL, "test.me")
    long = "test." + "a" * 1017
    assert AssetDiscovery(long, "").take(T) == [(long, "")], "no room for another segment"


@pytest.mark.parametrize(
    ("answers", "failure", "code"),
    [
        ([(1, "F06")], None, ""),
        ([(0, "F02"), (1, "F02")], PaymentFailure.NO_ROUTE, "F02"),
        ([(1, "F06"), (0, "F02")], PaymentFailure.NO_ROUTE, "F02"),
        ([(0, "F06"), (1, "F02")], PaymentFailure.NOT_EXPECTED, "F06"),
        ([(0, "silent"), (1, "F06")], PaymentFailure.ASSET_UNKNOWN, "F06"),
        ([(1, "F06"), (0, "T01"), (0, "T01"), (0, "T01")], PaymentFailure.NODE_UNREACHABLE, "T01"),
        ([(0, ""), (1, ""), (0, ""), (1, ""), (0, ""), (1, "")], PaymentFailure.NO_ANSWER, ""),
    ],
)
def test_ST_22_conclusions(answers, failure, code):
    discovery = discover(*answers)
    assert (discovery.failure, discovery.code) == (failure, code)


def test_ST_22_only_what_may_help_is_asked_again():
    discovery = discover((1, "F06"), (0, "T01"))
    assert discovery.waiting_to_send
    assert discovery.take(T + 199) == []
    assert discovery.take(T + 200) == [(REAL, "")]
    assert not discovery.waiting_to_send
