"""Frames: one example of each, unknown ones, broken ones, and a round trip of any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.codec.oer import UINT64_MAX
from interledger.errors import DecodeError
from interledger.transport.stream import frames as f

UINTS = st.integers(0, UINT64_MAX)
UINT8S = st.integers(0, 255)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
OCTETS = st.binary(max_size=200)
FIELDS = {f._UINT8: UINT8S, f._UINT: UINTS, f._LIMIT: UINTS, f._TEXT: TEXTS, f._OCTETS: OCTETS}
ANY_FRAME = st.one_of([st.builds(cls, *[FIELDS[field] for field in fields]) for cls, fields in f.FRAME_TYPES.values()])


@pytest.mark.parametrize(
    ("frame", "octets"),
    [
        (f.ConnectionClose(1, "bye"), "01 05 01 03 627965"),
        (f.ConnectionNewAddress("test.a"), "02 07 06 746573742e61"),
        (f.ConnectionNewAddress(""), "02 01 00"),
        (f.ConnectionMaxData(300), "03 03 02 012c"),
        (f.ConnectionDataBlocked(1), "04 02 01 01"),
        (f.ConnectionMaxStreamId(20), "05 02 01 14"),
        (f.ConnectionStreamIdBlocked(20), "06 02 01 14"),
        (f.ConnectionAssetDetails("EUR", 6), "07 05 03 455552 06"),
        (f.StreamClose(3, 9, ""), "10 04 01 03 09 00"),
        (f.StreamMoney(1, 1), "11 04 01 01 01 01"),
        (f.StreamMaxMoney(1, 256, 0), "12 07 01 01 02 0100 01 00"),
        (f.StreamMoneyBlocked(1, 2, 3), "13 06 01 01 01 02 01 03"),
        (f.StreamData(1, 0, b"x"), "14 06 01 01 01 00 01 78"),
        (f.StreamMaxData(1, 9), "15 04 01 01 01 09"),
        (f.StreamDataBlocked(1, 9), "16 04 01 01 01 09"),
        (f.StreamReceipt(1, b"\xff"), "17 04 01 01 01 ff"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, tuple) else "",
)
def test_each_frame_is_written_and_read(frame, octets):
    encoded = bytes.fromhex(octets)
    assert f.encode_frame(frame) == encoded
    assert f.read_frames(b"\x01\x01" + encoded, 0) == ((frame,), len(encoded) + 2)


@given(st.lists(ANY_FRAME, max_size=8))
def test_frames_round_trip(frames):
    encoded = f.encode_frames(frames)
    assert f.read_frames(encoded, 0) == (tuple(frames), len(encoded))


@given(st.integers(1, 1000), UINTS, UINTS)
def test_the_quick_max_money_is_the_table_s(stream_id, receive_max, total):
    assert f.encode_max_money(stream_id, receive_max, total) == f.encode_frame(
        f.StreamMaxMoney(stream_id, receive_max, total)
    )


def test_ST_06_unknown_frames_are_skipped():
    octets = bytes.fromhex("01 03  ff 02 0102  11 04 01 01 01 01  99 00")
    assert f.read_frames(octets, 0) == ((f.StreamMoney(1, 1),), len(octets))


def test_extra_octets_inside_a_frame_are_ignored():
    assert f.read_frames(bytes.fromhex("01 01  05 04 01 14 ffff"), 0)[0] == (f.ConnectionMaxStreamId(20),)


@pytest.mark.parametrize(
    ("octets", "frame"),
    [
        ("01 01  12 0f 01 01 09 010000000000000000 02 01c8", f.StreamMaxMoney(1, UINT64_MAX, 456)),
        ("01 01  13 0f 01 01 09 010000000000000000 02 01c8", f.StreamMoneyBlocked(1, UINT64_MAX, 456)),
    ],
)
def test_ST_13_limits_saturate(octets, frame):
    assert f.read_frames(bytes.fromhex(octets), 0)[0] == (frame,)


def test_a_close_with_a_broken_message_still_closes():
    assert f.read_frames(bytes.fromhex("01 01  01 03 01 01 ff"), 0)[0] == (f.ConnectionClose(1, "�"),)


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "01 01",
        "01 01 11",
        "01 01 11 05 01 01 01 01",
        "01 01 11 02 01 01",
        "01 02 11 04 01 01 01 01",
        "01 01 11 0b 09 010000000000000000 01",
        "01 01 07 04 03 455552",
        "02 0101" + "ff00" * 257,
        "04 ffffffff 0000",
    ],
)
def test_broken_frames_are_refused(octets):
    """H8: more than 256 frames too, and counts that cannot be there."""
    with pytest.raises(DecodeError):
        f.read_frames(bytes.fromhex(octets), 0)
