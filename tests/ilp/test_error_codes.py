"""The table of error codes is whole, and F08 says how much would have passed."""

from __future__ import annotations

import pytest

from interledger.codec.oer import UINT64_MAX
from interledger.ilp.error_codes import ERROR_CODES, AmountTooLarge, ErrorCode


def test_every_code_has_a_name_and_a_meaning() -> None:
    assert list(ERROR_CODES) == [code.value for code in ErrorCode]
    assert all(info.meaning.endswith(".") for info in ERROR_CODES.values())


@pytest.mark.parametrize("code", ErrorCode)
def test_the_member_is_called_as_the_rfc_calls_the_code(code: ErrorCode) -> None:
    assert code.name == f"{code.value}_{ERROR_CODES[code].name.upper().replace(' ', '_')}"


def test_the_codes_are_those_of_the_rfc() -> None:
    final, temporary, relative = "00 01 02 03 04 05 06 07 08 99", "00 01 02 03 04 05 99", "00 01 02 99"
    expected = [letter + n for letter, ns in (("F", final), ("T", temporary), ("R", relative)) for n in ns.split()]
    assert list(ERROR_CODES) == expected


@pytest.mark.parametrize(
    ("received", "maximum", "octets"),
    [
        (0, 0, "00000000000000000000000000000000"),
        (1000, 10, "00000000000003e8000000000000000a"),
        (UINT64_MAX, UINT64_MAX, "ffffffffffffffffffffffffffffffff"),
    ],
)
def test_PK_07_amount_too_large_carries_both_amounts(received: int, maximum: int, octets: str) -> None:
    assert AmountTooLarge(received, maximum).encode().hex() == octets
    assert AmountTooLarge.decode(bytes.fromhex(octets)) == (received, maximum)


def test_PK_07_a_maximum_above_64_bits_is_written_as_the_largest() -> None:
    assert AmountTooLarge(5, 1 << 80).encode() == AmountTooLarge(5, UINT64_MAX).encode()


@pytest.mark.parametrize("size", range(16))
def test_PK_07_the_data_may_be_missing_or_too_short(size: int) -> None:
    assert AmountTooLarge.decode(b"\x01" * size) is None


def test_PK_11_octets_behind_the_two_amounts_are_ignored() -> None:
    assert AmountTooLarge.decode(AmountTooLarge(3, 2).encode() + b"more") == (3, 2)
