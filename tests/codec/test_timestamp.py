"""Timestamps: the examples of RFC 30, both forms, and every moment of four-digit years."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.codec import timestamp
from interledger.codec.timestamp import (
    decode_generalized_time,
    decode_interledger_time,
    encode_generalized_time,
    encode_interledger_time,
    format_rfc3339,
)
from interledger.errors import DecodeError, InvalidRequestError

FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
MOMENTS = st.integers(FIRST_MS, LAST_MS)


def ms(text: str) -> int:
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20171224161432279", "2017-12-24T16:14:32.279Z"),
        ("20171224161432270", "2017-12-24T16:14:32.270Z"),
        ("20171224161432200", "2017-12-24T16:14:32.200Z"),
        ("20171224161432000", "2017-12-24T16:14:32.000Z"),
        ("20161231235959852", "2016-12-31T23:59:59.852Z"),
        ("20171225000000000", "2017-12-25T00:00:00.000Z"),
        ("20240229120000000", "2024-02-29T12:00:00.000Z"),
        ("99991224161432279", "9999-12-24T16:14:32.279Z"),
        ("00010101000000000", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_the_interledger_form(text: str, moment: str) -> None:
    assert decode_interledger_time(text.encode()) == ms(moment)
    assert encode_interledger_time(ms(moment)) == text.encode()
    assert format_rfc3339(ms(moment)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "20171224235312.431+0200",
        "201712242153124318",
        "20171324161432200",
        "20171224230000000.",
        "20171224240000000",
        "20171224215300",
        "2017122421531",
        "201712242153",
        "2017122421",
        "20161231235960852",
    ],
)
def test_the_ten_invalid_forms_of_RFC_30(text: str) -> None:
    with pytest.raises(DecodeError):
        decode_interledger_time(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"20170229000000000",  # no leap year
        b"20170001000000000",
        b"20170132000000000",
        b"00000101000000000",  # there is no year 0
        b"20171224236000000",
        b"2017122423590x000",
        b"2017122423590-1000",
        b"20171224 35900000",
        b"+0171224235900000",
        b"2017_12242359 000",
        b"20171224235900_00",
        b"2017122423590000\n",
        "２0171224235900".encode(),
        b"\xff" * 17,
    ],
)
def test_other_texts_that_are_no_moment(text: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_interledger_time(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20171224161432.279Z", "2017-12-24T16:14:32.279Z"),
        ("20171224161432.27Z", "2017-12-24T16:14:32.270Z"),
        ("20171224161432.2Z", "2017-12-24T16:14:32.200Z"),
        ("20171224161432Z", "2017-12-24T16:14:32.000Z"),
        ("20171224161432.000Z", "2017-12-24T16:14:32.000Z"),
        ("20171224230000.20Z", "2017-12-24T23:00:00.200Z"),  # RFC 30 forbids the zero, btp-packet writes it (D-03)
        ("20161231235960.852Z", "2016-12-31T23:59:59.852Z"),  # RFC 30: leap seconds must be allowed
        ("20171225000000Z", "2017-12-25T00:00:00.000Z"),
        ("99991224161432.279Z", "9999-12-24T16:14:32.279Z"),
    ],
)
def test_the_generalized_form_is_read_widely(text: str, moment: str) -> None:
    assert decode_generalized_time(text.encode()) == ms(moment)


def test_the_generalized_form_is_written_with_three_decimals() -> None:
    assert encode_generalized_time(ms("2017-12-24T16:14:32.2Z")) == b"20171224161432.200Z"
    assert encode_generalized_time(ms("2017-12-24T16:14:32Z")) == b"20171224161432.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "20171224235312.431+0200",
        "20171224215312.4318Z",
        "20171224161432,279Z",
        "20171324161432.279Z",
        "20171224230000.Z",
        "20171224240000Z",
        "2017122421531Z",
        "201712242153Z",
        "2017122421Z",
        "20171224215312",
        "20171224215312z",
        "20171224215361Z",
        "20171224215312.2.3Z",
        "2017122421531-.1Z",
        "Z",
        "",
    ],
)
def test_what_the_generalized_form_is_not(text: str) -> None:
    with pytest.raises(DecodeError):
        decode_generalized_time(text.encode())


@pytest.mark.parametrize("moment", [FIRST_MS - 1, LAST_MS + 1, 1 << 70])
def test_a_moment_without_a_four_digit_year_cannot_be_written(moment: int) -> None:
    for write in (encode_interledger_time, encode_generalized_time, format_rfc3339):
        with pytest.raises(InvalidRequestError, match="years 1 to 9999"):
            write(moment)


@given(MOMENTS)
def test_every_moment_comes_back(moment: int) -> None:
    assert decode_interledger_time(encode_interledger_time(moment)) == moment
    assert decode_generalized_time(encode_generalized_time(moment)) == moment


@given(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)))
def test_the_calendar_is_the_standard_library_s(naive: datetime.datetime) -> None:
    moment = naive.replace(tzinfo=datetime.UTC, microsecond=naive.microsecond // 1000 * 1000)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    written = encode_interledger_time((moment - epoch) // datetime.timedelta(milliseconds=1))
    assert written.decode() == moment.isoformat(timespec="milliseconds").translate(str.maketrans("", "", "-:.T"))[:17]


@given(st.one_of(st.binary(max_size=24), st.text("0123456789.Z+ -", max_size=20).map(str.encode)))
def test_any_octets_are_a_moment_or_refused(text: bytes) -> None:
    for read in (decode_interledger_time, decode_generalized_time):
        try:
            moment = read(text)
        except DecodeError:
            continue
        assert FIRST_MS <= moment <= LAST_MS


def test_the_caches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamp, "_CACHED_MINUTES", 4)
    for minute in range(50):
        assert decode_interledger_time(encode_interledger_time(minute * 60_000)) == minute * 60_000
    assert len(timestamp._ms_of_minute) <= 4
    assert len(timestamp._text_of_minute) <= 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026112100000000", "a timestamp is not 17 digits"),
        ("20261121000000000x", "a timestamp is not 17 digits"),
        ("2026112100x000000", "a timestamp is not 17 digits"),
        ("20261121000060000", "a timestamp has more than 59 seconds in its minute"),
        ("20261121000099999", "a timestamp has more than 59 seconds in its minute"),
        ("20261301000000000", "a timestamp has a date that does not exist"),
        ("20261121240000000", "a timestamp has a time that does not exist"),
        ("20261121006000000", "a timestamp has a time that does not exist"),
    ],
)
def test_G4_a_refusal_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_interledger_time(text.encode())
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026112100000Z", "not a generalized time"),
        ("2026112100000xZ", "not a generalized time"),
        ("202611210000000Z", "not a generalized time"),
        ("20261121000000", "not a generalized time"),
        ("20261121000000.Z", "a generalized time has between one and three decimals, or none"),
        ("20261121000000.1234Z", "a generalized time has between one and three decimals, or none"),
        ("20261121000000.1xZ", "a generalized time has between one and three decimals, or none"),
    ],
)
def test_D_03_a_refusal_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_generalized_time(text.encode())
    assert str(caught.value) == says


def test_a_moment_that_no_packet_can_have_names_the_field() -> None:
    with pytest.raises(InvalidRequestError, match=r"^253402300800000 ms is outside of the years 1 to 9999$") as caught:
        encode_interledger_time(LAST_MS + 1)
    assert caught.value.field == "expires_at"
