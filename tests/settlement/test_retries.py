"""When a settlement's request is sent again."""

from __future__ import annotations

import pytest

from interledger.settlement.retries import LAST_DELAY_MS, retry_delay_ms


@pytest.mark.parametrize(
    ("attempts", "least", "most"),
    [
        (1, 500, 1_000),
        (2, 1_000, 2_000),
        (10, 256_000, 512_000),
        (13, 1_800_000, 3_600_000),
        (10**6, 1_800_000, 3_600_000),
    ],
)
def test_SE_04_the_wait_doubles_up_to_an_hour(attempts: int, least: int, most: int) -> None:
    assert retry_delay_ms(attempts, b"\x00\x00") == least
    assert retry_delay_ms(attempts, b"\xff\xff") == most <= LAST_DELAY_MS
    assert least < retry_delay_ms(attempts, b"\x80\x00") < most


def test_the_wait_is_a_whole_number_whatever_is_left_over_of_the_random_octets() -> None:
    assert type(retry_delay_ms(3, b"\x12\x34")) is int
    assert retry_delay_ms(1, b"\xff\xff\xff") == 1_000
