"""ST-11: parts round down, the remainder goes to the lowest stream, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.transport.stream.frames import StreamMoney
from interledger.transport.stream.shares import split_amount


@pytest.mark.parametrize(
    ("amount", "shares", "parts"),
    [
        (100, {2: 5, 4: 15, 6: 30}, {2: 10, 4: 30, 6: 60}),
        (100, {3: 1, 1: 1, 5: 1}, {3: 33, 1: 34, 5: 33}),
        (7, {1: 1}, {1: 7}),
        (0, {1: 1, 3: 1}, {1: 0, 3: 0}),
        (9, {1: 0, 3: 0}, {1: 9, 3: 0}),
        (9, {}, {}),
        (10, {1: 2**64 - 1, 3: 2**64 - 1}, {1: 5, 3: 5}),
    ],
)
def test_ST_11_examples(amount, shares, parts):
    assert split_amount(amount, [StreamMoney(*pair) for pair in shares.items()]) == parts


def test_frames_of_one_stream_count_together():
    assert split_amount(9, [StreamMoney(1, 1), StreamMoney(3, 1), StreamMoney(1, 1)]) == {1: 6, 3: 3}


@given(
    st.integers(0, 2**64 - 1),
    st.lists(st.builds(StreamMoney, st.integers(1, 9), st.integers(0, 2**64 - 1)), min_size=1),
)
def test_H11_the_parts_add_up(amount, money):
    parts = split_amount(amount, money)
    assert sum(parts.values()) == amount
    assert min(parts.values()) >= 0
