"""How often something happened, per source."""

from __future__ import annotations

import pytest

from interledger.clock import Timestamp
from interledger.link.throttle import SOURCES_MAX, Throttle, source_of

NOW = Timestamp(1_700_000_000_000)


def test_a_limit_per_minute_and_source() -> None:
    throttle = Throttle(2)
    throttle.count("a", NOW)
    assert not throttle.is_over("a", NOW)
    throttle.count("a", Timestamp(NOW + 59_999))
    assert throttle.is_over("a", Timestamp(NOW + 59_999))
    assert not throttle.is_over("b", NOW)
    assert not throttle.is_over("a", Timestamp(NOW + 60_000))
    throttle.count("a", Timestamp(NOW + 60_000))
    assert not throttle.is_over("a", Timestamp(NOW + 60_000))


def test_sources_are_bounded_and_the_quiet_one_is_forgotten() -> None:
    throttle = Throttle(1)
    for i in range(SOURCES_MAX):
        throttle.count(str(i), NOW)
    throttle.count("0", NOW)
    throttle.count("new", NOW)
    assert len(throttle) == SOURCES_MAX
    assert throttle.is_over("0", NOW)
    assert not throttle.is_over("1", NOW)


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        (None, ""),
        ("a socket of the file system", ""),
        (("192.0.2.7", 443), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 443, 0, 0), "2001:db8:1:2::/64"),
        ((), ""),
    ],
)
def test_what_counts_as_one_source(host: object, source: str) -> None:
    assert source_of(host) == source
