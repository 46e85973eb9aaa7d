"""The three packets: byte-exact, strict about what costs money, patient with what does not."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX, encode_octets
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp import packet as packet_module
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ERROR_CODES
from interledger.ilp.packet import DATA_LENGTH_MAX, Fulfill, Packet, Prepare, Reject, decode_packet, decode_reply

NOW = Timestamp(1_513_992_100_549)  # 2017-12-23T01:21:40.549Z
CONDITION = bytes.fromhex("74e1136dc71c9e5f283bec83461cbf1261c4014f72d48f8dd65453a0b84e7de1")
BOB = Address("test.bob")

PREPARE = Prepare(107, NOW, CONDITION, Address("example.alice"), b"hello")
FULFILL = Fulfill(bytes(range(32)), b"thanks")
REJECT = Reject("F02", "test.hub", "no route", b"\x00\xff")
LONG = b"\xa5" * 257

SEGMENTS = st.lists(st.text("abcXYZ019_~-", min_size=1, max_size=40), min_size=1, max_size=8)
ADDRESSES = st.tuples(st.sampled_from(["g", "test", "test1", "example", "private", "peer"]), SEGMENTS).map(
    lambda parts: Address(".".join([parts[0], *parts[1]]))
)
DATA = st.binary(max_size=300)
PREPARES = st.builds(
    Prepare,
    st.integers(0, UINT64_MAX),
    st.integers(0, 253_402_300_799_999).map(Timestamp),
    st.binary(min_size=32, max_size=32),
    ADDRESSES,
    DATA,
)
FULFILLS = st.builds(Fulfill, st.binary(min_size=32, max_size=32), DATA)
REJECTS = st.builds(Reject, st.sampled_from([*ERROR_CODES, "F77", "Z00"]), ADDRESSES, st.text(max_size=100), DATA)
PACKETS = st.one_of(PREPARES, FULFILLS, REJECTS)

VALID = [
    PREPARE,
    FULFILL,
    REJECT,
    Prepare(0, NOW, CONDITION, Address("g." + "a" * 300), LONG),
    Prepare(UINT64_MAX, NOW, CONDITION, BOB),
    Fulfill(bytes(32), LONG),
    Reject("T04", "g." + "b" * 200, "x" * 300, LONG),
]


def envelope(kind: int, content: bytes) -> bytes:
    return bytes((kind,)) + encode_octets(content)


def prepare_content(
    amount: bytes = bytes(8),
    expires_at: bytes = b"20171223012140549",
    condition: bytes = CONDITION,
    destination: bytes = b"test.bob",
    data: bytes = b"",
) -> bytes:
    return amount + expires_at + condition + encode_octets(destination) + encode_octets(data)


# --------------------------------------------------------------------------- octets


def test_PK_01_lengths_in_another_form_are_refused() -> None:
    short = FULFILL.encode()
    assert short[1] < 128
    for octets in (
        b"\x0d\x81" + short[1:],  # a length below 128 in two octets
        b"\x0d\x82\x00" + short[1:],  # with a zero in front
        b"\x0d\x80" + short[2:] + b"\x00\x00",  # without an end
        b"\x0d\x7f" + short[2:],  # behind the end
    ):
        with pytest.raises(DecodeError):
            Fulfill.decode(octets)


@pytest.mark.parametrize(
    ("octets", "packet"),
    [
        (
            "0c4d000000000000006b323031373132323330313231343035343974e1136dc71c9e5f283bec83461cbf1261c4014f72d48f8dd654"
            "53a0b84e7de10d6578616d706c652e616c6963650568656c6c6f",
            PREPARE,
        ),
        ("0d27000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f067468616e6b73", FULFILL),
        ("0e1846303208746573742e687562086e6f20726f7574650200ff", REJECT),
    ],
    ids=["prepare", "fulfill", "reject"],
)
def test_PK_02_octets_are_those_of_the_rfc(octets: str, packet: Packet) -> None:
    """Those of other implementations are in conformance/vectors."""
    expected = bytes.fromhex(octets)
    kind = type(packet)
    assert packet.encode() == expected
    assert kind.decode(expected) == packet
    assert kind.decode(expected).encode() is expected


@pytest.mark.parametrize("packet", VALID, ids=lambda packet: type(packet).__name__)
def test_PK_02_a_packet_comes_back(packet: Packet) -> None:
    octets = packet.encode()
    again = decode_packet(octets)
    assert again == packet
    assert hash(again) == hash(packet)
    assert again.encode() == octets


@pytest.mark.parametrize("size", [0, 1, 66, 126, 127, 128, 129, 200, 255, 256, 257, 32_767])
@pytest.mark.parametrize("destination", ["test.bob", "g." + "a" * 125, "g." + "a" * 126])
def test_PK_02_every_form_of_a_length_is_read(size: int, destination: str) -> None:
    prepare = Prepare(1, NOW, CONDITION, Address(destination), b"x" * size)
    octets = prepare.encode()
    for _ in range(2):  # the second time the destination is remembered
        assert Prepare.decode(octets) == Prepare._decode_any(octets) == prepare
        assert Prepare.decode(octets).forwarded(amount=1, expires_at=NOW).encode() == octets
    fulfill = Fulfill(CONDITION, b"x" * size)
    assert Fulfill.decode(fulfill.encode()) == Fulfill._decode_any(fulfill.encode()) == fulfill


@given(PACKETS)
def test_PK_02_any_packet_comes_back(packet: Packet) -> None:
    octets = packet.encode()
    assert decode_packet(octets) == packet
    assert decode_packet(octets).encode() == octets


@pytest.mark.parametrize("packet", [PREPARE, FULFILL, REJECT], ids=lambda packet: type(packet).__name__)
def test_PK_03_data_ends_at_32767_octets(packet: Packet) -> None:
    packet = decode_packet(packet.encode())
    packet._octets = None
    packet.data = b"x" * DATA_LENGTH_MAX
    assert decode_packet(packet.encode()) == packet
    packet._octets = None
    packet.data += b"x"
    with pytest.raises(InvalidRequestError, match="at most 32767 octets, not 32768") as caught:
        packet.encode()
    assert caught.value.field == "data"


@pytest.mark.parametrize(
    "content",
    [
        (12, prepare_content(data=b"x" * (DATA_LENGTH_MAX + 1))),
        (13, bytes(32) + encode_octets(b"x" * (DATA_LENGTH_MAX + 1))),
        (14, b"F00" + b"\x00" + b"\x00" + encode_octets(b"x" * (DATA_LENGTH_MAX + 1))),
    ],
    ids=["prepare", "fulfill", "reject"],
)
def test_PK_03_more_data_is_refused_on_the_way_in(content: tuple[int, bytes]) -> None:
    with pytest.raises(DecodeError, match="at most 32767 octets, not 32768"):
        decode_packet(envelope(*content))


@pytest.mark.parametrize(
    "destination",
    [b"", b"g", b"g.", b"g.a.", b"nobody.a", b"g.a b", b"g.\xc3\xa4", b"g.a\n", b"\xff" * 5, b"g." + b"a" * 1022],
)
def test_PK_04_a_destination_that_is_no_address_is_refused(destination: bytes) -> None:
    for _ in range(2):  # the second time from what was remembered
        with pytest.raises(DecodeError, match="the destination is not an ILP address"):
            Prepare.decode(envelope(12, prepare_content(destination=destination)))
    with pytest.raises((InvalidRequestError, UnicodeDecodeError)):
        Prepare(0, NOW, CONDITION, Address(destination.decode())).encode()


@pytest.mark.pure
def test_PK_04_addresses_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_module, "_CACHED_ADDRESSES", 4)
    for n in range(20):
        octets = envelope(12, prepare_content(destination=b"test.n%d" % n))
        assert Prepare.decode(octets).destination == f"test.n{n}"
    assert len(packet_module._addresses) <= 4


@pytest.mark.parametrize("fresh", [True, False], ids=["made here", "off the wire"])
@given(
    packet=PREPARES, amount=st.integers(0, UINT64_MAX), expires_at=st.integers(0, 253_402_300_799_999).map(Timestamp)
)
def test_PK_05_forwarding_changes_amount_and_expiry_only(
    fresh: bool, packet: Prepare, amount: int, expires_at: Timestamp
) -> None:
    incoming = packet if fresh else Prepare.decode(packet.encode())
    outgoing = incoming.forwarded(amount=amount, expires_at=expires_at)
    expected = Prepare(amount, expires_at, packet.execution_condition, packet.destination, packet.data)
    assert outgoing == expected
    assert outgoing.encode() == expected.encode()
    assert Prepare.decode(outgoing.encode()) == expected
    assert outgoing.forwarded(amount=packet.amount, expires_at=packet.expires_at).encode() == packet.encode()


@pytest.mark.parametrize(("amount", "expires_at"), [(-1, NOW), (UINT64_MAX + 1, NOW), (1, 1 << 60)])
def test_PK_05_what_cannot_be_written_is_not_forwarded(amount: int, expires_at: int) -> None:
    with pytest.raises(InvalidRequestError):
        PREPARE.forwarded(amount=amount, expires_at=Timestamp(expires_at))


@pytest.mark.parametrize(
    "octets",
    [
        envelope(13, bytes(range(32)) + encode_octets(LONG)),
        envelope(14, b"F02" + encode_octets(b"") + encode_octets(b"\xff\xfe") + encode_octets(LONG)),
        envelope(14, b"zz9" + encode_octets(b"test.hub.") + encode_octets(b"x" * 9000) + encode_octets(b"")),
    ],
    ids=["fulfill", "reject that is not UTF-8", "reject with a long message"],
)
def test_PK_06_a_reply_is_relayed_as_it_came(octets: bytes) -> None:
    assert decode_reply(octets).encode() == octets


@pytest.mark.parametrize(
    ("triggered_by", "message", "seen"),
    [
        (b"", b"", ("", "")),
        (b"test.hub.", b"trailing dot", ("test.hub.", "trailing dot")),
        (b"not an address", b"", ("not an address", "")),
        (b"\xff", b"\xc3(", ("�", "�(")),
        ("g.ä".encode(), "für".encode(), ("g.ä", "für")),
    ],
)
def test_PK_08_an_odd_reject_is_still_a_reject(triggered_by: bytes, message: bytes, seen: tuple[str, str]) -> None:
    reject = Reject.decode(envelope(14, b"T01" + encode_octets(triggered_by) + encode_octets(message) + b"\x00"))
    assert (reject.triggered_by, reject.message) == seen


def test_PK_09_a_reject_says_who_made_it() -> None:
    assert Reject.decode(Reject("F02", "test.hub").encode()).triggered_by == "test.hub"


@pytest.mark.parametrize("kind", [*range(12), *range(15, 256)])
def test_PK_10_other_types_are_refused(kind: int) -> None:
    octets = bytes((kind,)) + PREPARE.encode()[1:]
    for decode in (decode_packet, decode_reply, Prepare.decode, Fulfill.decode, Reject.decode):
        with pytest.raises(DecodeError, match=rf"type {kind}\b|, not {kind}\b"):
            decode(octets)


def test_PK_10_nothing_is_no_packet() -> None:
    with pytest.raises(DecodeError, match="an empty packet"):
        decode_packet(b"")
    with pytest.raises(DecodeError, match="nothing is there"):
        Prepare.decode(b"")


def test_PK_10_a_prepare_is_no_reply() -> None:
    with pytest.raises(DecodeError, match="type 12"):
        decode_reply(PREPARE.encode())


@pytest.mark.parametrize("packet", VALID, ids=lambda packet: type(packet).__name__)
@pytest.mark.parametrize("where", ["in the envelope", "behind it", "both"])
def test_PK_11_octets_behind_the_known_fields_are_ignored_and_not_passed_on(packet: Packet, where: str) -> None:
    octets = packet.encode()
    kind, content = octets[0], octets[-_content_length(octets) :]
    longer = envelope(kind, content + (b"" if where == "behind it" else b"new field"))
    longer += b"" if where == "in the envelope" else b"junk"
    again = decode_packet(longer)
    assert again == packet
    assert again.encode() == octets


def test_PK_11_what_is_not_utf8_survives_that_too() -> None:
    content = b"F02" + encode_octets(b"\xfe") + encode_octets(b"\xff") + b"\x00"
    assert Reject.decode(envelope(14, content + b"new")).encode() == envelope(14, content)


def test_PK_11_a_prepare_with_more_is_forwarded_without() -> None:
    octets = PREPARE.encode()
    outgoing = Prepare.decode(octets + b"junk").forwarded(amount=5, expires_at=NOW)
    assert outgoing.encode() == Prepare(5, NOW, CONDITION, PREPARE.destination, PREPARE.data).encode()


@pytest.mark.parametrize(
    "octets",
    [
        "0c88ffffffffffffffff",
        "0c84ffffffff00",
        "0d8400ffffff",
        envelope(12, prepare_content()[:-1] + b"\x84\x7f\xff\xff\xff").hex(),
        envelope(14, b"F00\x84\x7f\xff\xff\xff").hex(),
    ],
)
def test_PK_12_a_length_is_bounded_before_anything_is_made(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_packet(bytes.fromhex(octets))


def _content_length(octets: bytes) -> int:
    if octets[1] < 128:
        return octets[1]
    return int.from_bytes(octets[2 : 2 + (octets[1] & 127)], "big")


# --------------------------------------------------------------------------- octets nobody meant


@pytest.mark.parametrize("packet", VALID, ids=lambda packet: type(packet).__name__)
def test_a_packet_that_is_cut_off_is_refused_wherever_it_is_cut(packet: Packet) -> None:
    octets = packet.encode()
    for size in range(len(octets)):
        with pytest.raises(DecodeError):
            decode_packet(octets[:size])


@pytest.mark.parametrize("packet", VALID, ids=lambda packet: type(packet).__name__)
def test_an_envelope_that_is_too_short_is_refused(packet: Packet) -> None:
    """The octets are all there, the envelope says that they belong to somebody else."""
    octets = packet.encode()
    size = _content_length(octets)
    content = octets[-size:]
    for shorter in {*range(min(size, 130)), size - 1}:
        with pytest.raises(DecodeError):
            decode_packet(bytes((octets[0],)) + encode_octets(content[:shorter]) + content[shorter:])


def test_a_destination_that_is_remembered_does_not_make_a_cut_off_packet_valid() -> None:
    octets = envelope(12, prepare_content(destination=b"test.bob"))
    assert Prepare.decode(octets).destination == BOB
    cut = envelope(12, prepare_content()[:57] + b"\x20" + b"test.bob")
    with pytest.raises(DecodeError):
        Prepare.decode(cut)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.sampled_from([12, 13, 14]), st.binary(max_size=150)).map(lambda t: envelope(*t)),
    )
)
def test_any_octets_are_a_packet_or_refused(octets: bytes) -> None:
    try:
        packet = decode_packet(octets)
    except DecodeError:
        return
    assert decode_packet(packet.encode()) == packet


@given(PACKETS, st.data())
def test_a_packet_with_a_wrong_octet_is_a_packet_or_refused(packet: Packet, data: st.DataObject) -> None:
    octets = bytearray(packet.encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode_packet(bytes(octets))
    except DecodeError:
        return
    assert decode_packet(changed.encode()) == changed


@pytest.mark.parametrize("expires_at", [b"20171323012140549", b"2017122301214054Z", b"20171223012160549", b"\x00" * 17])
def test_an_expiry_that_is_no_moment_is_refused(expires_at: bytes) -> None:
    with pytest.raises(DecodeError):
        Prepare.decode(envelope(12, prepare_content(expires_at=expires_at)))


def test_a_code_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(DecodeError, match="not ASCII"):
        Reject.decode(envelope(14, b"F\xc3\xa4\x00\x00\x00"))


# --------------------------------------------------------------------------- what our caller may ask for


@pytest.mark.parametrize(
    ("packet", "field"),
    [
        (Prepare(-1, NOW, CONDITION, BOB), "amount"),
        (Prepare(UINT64_MAX + 1, NOW, CONDITION, BOB), "amount"),
        (Prepare(1, Timestamp(1 << 60), CONDITION, BOB), "expires_at"),
        (Prepare(1, NOW, CONDITION[:31], BOB), "execution_condition"),
        (Prepare(1, NOW, CONDITION + b"x", BOB), "execution_condition"),
        (Fulfill(b"short"), "fulfillment"),
        (Reject("F2", "test.hub"), "code"),
        (Reject("F002", "test.hub"), "code"),
    ],
)
def test_a_field_that_cannot_be_written_is_named(packet: Packet, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        packet.encode()
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("x" * 9000, "x" * 8191),
        ("x" * 8190 + "ü", "x" * 8190),  # not half a letter
        ("half a pair: \ud83d", "half a pair: ?"),
        ("line\nbreak", "line\nbreak"),
    ],
)
def test_a_message_is_cut_to_a_whole_character(message: str, written: str) -> None:
    assert Reject.decode(Reject("F99", "test.hub", message).encode()).message == written


def test_who_triggered_is_cut_to_what_fits() -> None:
    assert len(Reject.decode(Reject("F99", "g." + "a" * 2000).encode()).triggered_by) == 1023


def test_a_fulfillment_matches_the_condition_it_hashes_to() -> None:
    fulfill = Fulfill(b"\x07" * 32)
    assert fulfill.matches(sha256(b"\x07" * 32).digest())
    assert not fulfill.matches(sha256(b"\x08" * 32).digest())


@pytest.mark.parametrize(
    ("code", "final"), [("F00", True), ("F77", True), ("T00", False), ("R01", False), ("Z00", False)]
)
def test_an_unknown_code_counts_by_its_first_letter(code: str, final: bool) -> None:
    assert Reject(code, "test.hub").is_final is final


def test_packets_are_compared_by_value() -> None:
    assert len({*VALID, *(decode_packet(packet.encode()) for packet in VALID)}) == len(VALID)
    assert all(packet != "something else" for packet in VALID)
    assert PREPARE.forwarded(amount=1, expires_at=NOW) != PREPARE


@pytest.mark.parametrize("packet", VALID, ids=lambda packet: type(packet).__name__)
def test_a_packet_in_a_log_does_not_show_its_data(packet: Packet) -> None:
    assert f"data=<{len(packet.data)} octets>" in repr(packet)
    assert "hello" not in repr(packet)
