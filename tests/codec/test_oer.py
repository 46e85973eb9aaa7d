"""OER: canonical out; in, everything RFC 30 allows and nothing it forbids."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.codec import oer
from interledger.errors import DecodeError

LENGTHS = [  # octets counted, determinant
    (0, "00"),
    (1, "01"),
    (7, "07"),
    (126, "7e"),
    (127, "7f"),
    (128, "8180"),
    (130, "8182"),
    (255, "81ff"),
    (256, "820100"),
    (0x1234, "821234"),
    (65_535, "82ffff"),
    (65_536, "83010000"),
    (0xABCDE, "830abcde"),
]


@pytest.mark.parametrize(("length", "determinant"), LENGTHS)
def test_a_length_is_written_in_its_shortest_form(length: int, determinant: str) -> None:
    octets = oer.encode_octets(b"\xaa" * length)
    assert octets[: len(determinant) // 2].hex() == determinant
    assert len(octets) == len(determinant) // 2 + length
    assert oer.read_length(octets, 0) == (length, len(determinant) // 2)
    assert oer.read_octets(octets, 0) == (b"\xaa" * length, len(octets))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "a length was expected"),
        ("80", "a length without an end"),
        ("80aa0000", "a length without an end"),
        ("8100", "shortest form"),
        ("817f" + "aa" * 127, "shortest form"),
        ("820080" + "aa" * 128, "shortest form"),
        ("82007f" + "aa" * 127, "shortest form"),
        ("88000000000000000100", "shortest form"),
        ("81", "a length of 1 octets was announced"),
        ("8201", "a length of 2 octets was announced"),
        ("ff00", "a length of 127 octets was announced"),
        ("01", "1 octets were announced at octet 1, 0 are there"),
        ("05aaaaaaaa", "5 octets were announced at octet 1, 4 are there"),
        ("8180" + "aa" * 127, "128 octets were announced"),
        ("88ffffffffffffffff", "18446744073709551615 octets were announced"),
        ("84ffffffff00", "4294967295 octets were announced"),
    ],
)
def test_PK_01_indefinite_overlong_and_exceeding_lengths_are_refused(octets: str, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        oer.read_octets(bytes.fromhex(octets), 0)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "0100"),
        (1, "0101"),
        (127, "017f"),
        (128, "0180"),
        (255, "01ff"),
        (256, "020100"),
        (65_535, "02ffff"),
        (1 << 32, "050100000000"),
        (oer.UINT64_MAX, "08ffffffffffffffff"),
    ],
)
def test_an_integer_takes_the_fewest_octets(value: int, octets: str) -> None:
    assert oer.encode_uint(value).hex() == octets
    assert oer.read_uint(bytes.fromhex(octets), 0) == (value, len(octets) // 2)


@pytest.mark.parametrize(
    ("octets", "value"), [("020001", 1), ("0900ffffffffffffffff", oer.UINT64_MAX), ("0a" + "00" * 10, 0)]
)
def test_leading_zeros_inside_an_integer_are_read(octets: str, value: int) -> None:
    assert oer.read_uint(bytes.fromhex(octets), 0) == (value, len(octets) // 2)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("00", "an integer without octets"),
        ("09010000000000000000", "larger than 64 bits"),
        ("0201", "2 octets were announced"),
    ],
)
def test_integers_that_are_refused(octets: str, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        oer.read_uint(bytes.fromhex(octets), 0)


@pytest.mark.parametrize(
    ("octets", "value"), [("0105", 5), ("08ffffffffffffffff", oer.UINT64_MAX), ("09010000000000000000", oer.UINT64_MAX)]
)
def test_a_saturated_integer_stops_at_64_bits(octets: str, value: int) -> None:
    assert oer.read_uint_saturated(bytes.fromhex(octets), 0) == (value, len(octets) // 2)


def test_a_saturated_integer_needs_octets_too() -> None:
    with pytest.raises(DecodeError):
        oer.read_uint_saturated(b"\x00", 0)


@pytest.mark.parametrize(
    ("count", "octets_each", "left", "refused"),
    [(0, 5, 0, False), (3, 5, 15, False), (3, 5, 14, True), (1 << 63, 1, 100, True)],
)
def test_PK_12_a_count_is_bounded_by_the_octets_that_are_left(
    count: int, octets_each: int, left: int, refused: bool
) -> None:
    octets = oer.encode_uint(count) + b"\x00" * left
    if refused:
        with pytest.raises(DecodeError, match=f"{count} items were announced, {left} octets are left"):
            oer.read_count(octets, 0, octets_each)
    else:
        assert oer.read_count(octets, 0, octets_each) == (count, len(octets) - left)


FIXED = [(oer.read_uint8, 1), (oer.read_uint16, 2), (oer.read_uint32, 4), (oer.read_uint64, 8)]


@pytest.mark.parametrize(("read", "size"), FIXED)
def test_fixed_integers(read: Callable[[bytes, int], tuple[int, int]], size: int) -> None:
    octets = bytes(range(1, size + 1))
    assert read(b"\xff" + octets, 1) == (int.from_bytes(octets, "big"), size + 1)
    with pytest.raises(DecodeError, match=f"{size} octets were expected at octet 1"):
        read(octets, 1)


def test_fixed_octets() -> None:
    assert oer.read_fixed(b"abcd", 1, 2) == (b"bc", 3)
    with pytest.raises(DecodeError, match="5 octets were expected at octet 0, 4 are there"):
        oer.read_fixed(b"abcd", 0, 5)


@given(st.binary(max_size=700))
def test_octets_come_back(value: bytes) -> None:
    assert oer.read_octets(b"\x00" + oer.encode_octets(value), 1) == (value, len(oer.encode_octets(value)) + 1)


@given(st.integers(0, oer.UINT64_MAX))
def test_integers_come_back(value: int) -> None:
    octets = oer.encode_uint(value)
    assert oer.read_uint(octets, 0) == (value, len(octets))
    assert oer.read_uint_saturated(octets, 0) == (value, len(octets))


@given(st.binary(max_size=40), st.integers(0, 45))
def test_any_octets_are_read_or_refused(octets: bytes, offset: int) -> None:
    readers = [oer.read_length, oer.read_octets, oer.read_uint, oer.read_uint_saturated, *(read for read, _ in FIXED)]
    for read in readers:
        try:
            _, end = read(octets, offset)  # type: ignore[operator]
        except DecodeError:
            continue
        assert offset < end <= len(octets)
