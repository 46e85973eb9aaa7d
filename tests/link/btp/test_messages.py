"""The wire format of BTP: vectors, round trips, and everything that is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.codec.oer import encode_octets
from interledger.errors import DecodeError, InvalidRequestError
from interledger.link.btp.messages import (
    ENTRIES_MAX,
    ERROR_DATA_MAX,
    TYPE_MESSAGE,
    TYPE_RESPONSE,
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    ContentType,
    ProtocolData,
    decode_btp,
    encode_ilp,
    find_entry,
    split_ilp,
)

FOUR = (
    ProtocolData("ilp", ContentType.OCTETS, b""),
    ProtocolData("foo", ContentType.OCTETS, b"bar"),
    ProtocolData("beep", ContentType.TEXT, b"boop"),
    ProtocolData("json", ContentType.JSON, b"{}"),
)
FOUR_HEX = "010403696c70000003666f6f000362617204626565700104626f6f70046a736f6e02027b7d"

# From btp-packet and interledger-rs, by way of conformance/vectors.
VECTORS: dict[str, tuple[str, BtpPacket]] = {
    "response": ("010000000125" + FOUR_HEX, BtpResponse(1, FOUR)),
    "error": (
        "02000000014a4c3133096572726f724e616d651332303137303832383138333230302e3030305a03626f6f" + FOUR_HEX,
        BtpError(1, "L13", "errorName", Timestamp(1_503_945_120_000), b"boo", FOUR),
    ),
    "transfer": ("07000000012d0000000000000064" + FOUR_HEX, BtpTransfer(1, 100, FOUR)),
    "message": (
        "060000000217010204746573740002ffff0474657874010568656c6c6f",
        BtpMessage(2, (ProtocolData("test", 0, b"\xff\xff"), ProtocolData("text", 1, b"hello"))),
    ),
    "empty": ("0600000007020100", BtpMessage(7)),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_both_ways(name: str) -> None:
    octets, packet = VECTORS[name]
    assert decode_btp(bytes.fromhex(octets)) == packet
    assert packet.encode().hex() == octets


NAMES = st.text(st.characters(max_codepoint=127), max_size=130)
ENTRIES = st.lists(st.builds(ProtocolData, NAMES, st.integers(0, 255), st.binary(max_size=300)), max_size=4).map(tuple)
IDS = st.integers(0, 2**32 - 1)
TIMES = st.integers(0, 253_402_300_799_999).map(Timestamp)
CODES = st.text(st.characters(max_codepoint=127), min_size=3, max_size=3)
PACKETS = st.one_of(
    st.builds(BtpResponse, IDS, ENTRIES),
    st.builds(BtpMessage, IDS, ENTRIES),
    st.builds(BtpTransfer, IDS, st.integers(0, 2**64 - 1), ENTRIES),
    st.builds(BtpError, IDS, CODES, NAMES, TIMES, st.binary(max_size=300), ENTRIES),
)


@given(PACKETS)
def test_round_trip(packet: BtpPacket) -> None:
    assert decode_btp(packet.encode()) == packet


@given(PACKETS, st.binary(min_size=1, max_size=5))
def test_octets_behind_are_ignored_and_BT_15_never_written(packet: BtpPacket, more: bytes) -> None:
    octets = packet.encode()
    assert decode_btp(octets + more) == packet
    content = octets[5:]
    inner = content[1:] if content[0] < 128 else content[1 + (content[0] & 0x7F) :]
    assert encode_octets(inner) == content
    assert decode_btp(octets[:5] + encode_octets(inner + more)) == packet


@given(PACKETS, st.data())
def test_a_packet_that_is_cut_is_refused(packet: BtpPacket, data: st.DataObject) -> None:
    octets = packet.encode()
    with pytest.raises(DecodeError):
        decode_btp(octets[: data.draw(st.integers(0, len(octets) - 1))])


@given(st.binary(max_size=100))
def test_octets_of_any_kind_raise_nothing_else(octets: bytes) -> None:
    for kind in (1, 2, 6, 7):
        with contextlib.suppress(DecodeError):
            decode_btp(bytes((kind, 0, 0, 0, 1)) + encode_octets(octets))
    split_ilp(octets)


def error_with_time(time: bytes) -> bytes:
    content = b"T00" + encode_octets(b"name") + encode_octets(time) + encode_octets(b"") + b"\x01\x00"
    return b"\x02\x00\x00\x00\x01" + encode_octets(content)


@pytest.mark.parametrize(
    "time", [b"20170828183200Z", b"20170828183200.0Z", b"20170828183200.00Z", b"20170828183200.000Z"]
)
def test_BT_14_zero_to_three_decimals_are_read(time: bytes) -> None:
    packet = decode_btp(error_with_time(time))
    assert isinstance(packet, BtpError)
    assert packet.triggered_at == 1_503_945_120_000
    assert b"20170828183200.000Z" in packet.encode()


REFUSED = {
    "nothing": b"",
    "BTP/1 prepare": bytes.fromhex("0300000001020100"),
    "BTP/1 fulfill": bytes.fromhex("0400000001020100"),
    "BTP/1 reject": bytes.fromhex("0500000001020100"),
    "an unknown type": bytes.fromhex("0800000001020100"),
    "no request id": bytes.fromhex("060000"),
    "no content": bytes.fromhex("0600000001"),
    "a count without octets": bytes.fromhex("060000000100"),
    "more entries than octets": bytes.fromhex("0600000001020105"),
    "a length that is not minimal": bytes.fromhex("060000000181020100"),
    "a name that is not ASCII": BtpMessage(1, (ProtocolData("ab", 0, b""),)).encode().replace(b"ab", b"\xc3\xa9"),
    "a code that is not ASCII": error_with_time(b"20170828183200Z").replace(b"T00", b"T\xff0"),
    "a time that is none": error_with_time(b"20171328183200Z"),
    "an invalid date of JavaScript": error_with_time(b"Invalid Date"),
    "too many entries": BtpMessage(1, (ProtocolData("", 0, b""),) * (ENTRIES_MAX + 1)).encode(),
    "an error with too much data": error_with_time(b"20170828183200Z")[:5]
    + encode_octets(
        b"T00\x00\x0f20170828183200Z" + encode_octets(bytes(ERROR_DATA_MAX + 1)) + b"\x01\x00",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    with pytest.raises(DecodeError):
        decode_btp(REFUSED[name])


@pytest.mark.parametrize(
    "packet",
    [
        BtpTransfer(1, -1),
        BtpTransfer(1, 2**64),
        BtpError(1, "T0", "name", Timestamp(0)),
        BtpError(1, "Té0", "name", Timestamp(0)),
        BtpError(1, "T00", "name", Timestamp(0), bytes(ERROR_DATA_MAX + 1)),
        BtpMessage(1, (ProtocolData("é", 0, b""),)),
    ],
)
def test_what_cannot_be_written(packet: BtpPacket) -> None:
    with pytest.raises(InvalidRequestError):
        packet.encode()


# Around every size at which a length gets one octet more.
ILP_SIZES = [*range(4), *range(110, 140), *range(240, 275), 32_767, 33_900, 65_525]


@pytest.mark.parametrize("size", ILP_SIZES)
def test_BT_16_the_common_shape_is_the_general_one_with_ilp_first_and_content_type_0(size: int) -> None:
    ilp = b"\x0c" * size
    entries = (ProtocolData("ilp", ContentType.OCTETS, ilp),)
    for kind, packet in ((TYPE_MESSAGE, BtpMessage(9, entries)), (TYPE_RESPONSE, BtpResponse(9, entries))):
        assert encode_ilp(kind, 9, ilp) == packet.encode()
        assert split_ilp(packet.encode()) == (kind, 9, ilp)


@given(PACKETS)
def test_any_other_shape_is_left_to_the_general_reader(packet: BtpPacket) -> None:
    is_common = isinstance(packet, BtpMessage | BtpResponse) and [e[:2] for e in packet.entries] == [("ilp", 0)]
    assert (split_ilp(packet.encode()) is not None) == is_common


@pytest.mark.parametrize("size", [10, 300])
@pytest.mark.parametrize("flip", range(18))
def test_one_octet_of_the_head_changed(size: int, flip: int) -> None:
    """The fast reader says the same as the general one, or leaves the packet to it."""
    octets = bytearray(encode_ilp(TYPE_MESSAGE, 1, bytes(size)))
    octets[flip] ^= 0x01
    fast = split_ilp(bytes(octets))
    if fast is not None:
        packet = decode_btp(bytes(octets))
        assert fast == (TYPE_MESSAGE, packet.request_id, packet.entries[0].data)


def test_find_entry() -> None:
    assert find_entry(FOUR, "beep") == FOUR[2]
    assert find_entry(FOUR, "nope") is None
    assert find_entry((ProtocolData("a", 0, b"1"), ProtocolData("a", 0, b"2")), "a") == ("a", 0, b"1")
