"""Both ways to mask agree, and the slow one is used when the fast one is not to be trusted."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.link.masking import apply_mask, apply_mask_slowly, find_mask


@given(st.binary(max_size=70), st.binary(min_size=4, max_size=4))
def test_the_mask_without_c_code_is_the_same(data: bytes, mask: bytes) -> None:
    expected = bytes(octet ^ mask[i % 4] for i, octet in enumerate(data))
    assert apply_mask_slowly(data, mask) == apply_mask(data, mask) == expected


def test_without_the_c_code_or_with_a_changed_one_our_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    assert find_mask() is apply_mask_slowly

    class Changed:
        @staticmethod
        def apply_mask(data: bytes, mask: bytes) -> bytes:
            return data

    monkeypatch.setitem(sys.modules, "websockets.speedups", Changed)
    assert find_mask() is apply_mask_slowly
