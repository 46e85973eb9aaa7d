"""The waits between attempts (BT-17)."""

from __future__ import annotations

import pytest

from interledger.link.btp.reconnect import ASKING_DELAY_MAX_MS, RECONNECT_DELAYS_MS, REFUSED_DELAY_MS, Backoff


class Fixed:
    def __init__(self, octet: int) -> None:
        self.octet = octet

    def octets(self, count: int) -> bytes:
        return bytes((self.octet,)) * count


@pytest.mark.parametrize(
    ("octet", "expected"),
    [
        (0x00, [0, 75, 375, 750, 1500, 3750, 3750]),
        (0xFF, [0, 125, 625, 1250, 2500, 6250, 6250]),
    ],
)
def test_BT_17_waits_grow_and_stay_within_a_quarter(octet: int, expected: list[int]) -> None:
    backoff = Backoff(Fixed(octet))
    waits = []
    for _ in expected:
        waits.append(backoff.delay_ms())
        backoff.ended(opened_ms=None, refused=False)
    assert waits == expected


def test_BT_18_while_requests_are_open_no_wait_is_long_unless_the_server_refused_us() -> None:
    backoff = Backoff(Fixed(0x80))
    waits = []
    for _ in range(6):
        waits.append(backoff.delay_ms(asking=True))
        backoff.ended(opened_ms=None, refused=False)
    assert waits[0] == 0
    assert all(100 <= wait <= ASKING_DELAY_MAX_MS * 5 // 4 for wait in waits[1:])
    assert backoff.delay_ms() > 4_000
    backoff.ended(opened_ms=None, refused=True)
    assert backoff.delay_ms(asking=True) > REFUSED_DELAY_MS // 2


def test_only_a_connection_that_lasted_starts_them_anew() -> None:
    backoff = Backoff(Fixed(0))
    backoff.delay_ms()
    backoff.ended(opened_ms=RECONNECT_DELAYS_MS[-1] - 1, refused=False)
    assert backoff.delay_ms() == 75
    backoff.ended(opened_ms=RECONNECT_DELAYS_MS[-1], refused=False)
    assert backoff.delay_ms() == 0


def test_BT_10_after_a_final_error_the_wait_is_long() -> None:
    backoff = Backoff(Fixed(0))
    backoff.delay_ms()
    backoff.ended(opened_ms=None, refused=True)
    assert backoff.delay_ms() == REFUSED_DELAY_MS * 3 // 4
    backoff.ended(opened_ms=None, refused=False)
    assert backoff.delay_ms() == 375
