"""The two timestamp forms of the suite (RFC 30), as integers of milliseconds since the Unix epoch, UTC.

* interledger form: 17 ASCII digits `YYYYMMDDHHMMSSmmm`, used in ILP packets;
* generalized form: `YYYYMMDDHHMMSS[.f{1,3}]Z` behind a length, used in the BTP Error only.

Both keep a bounded cache of minutes, so that no calendar arithmetic runs per packet.
"""

from __future__ import annotations

import calendar
import datetime

from interledger.errors import DecodeError, InvalidRequestError

__all__ = [
    "decode_generalized_time",
    "decode_interledger_time",
    "encode_generalized_time",
    "encode_interledger_time",
    "format_rfc3339",
    "known_texts",
    "known_times",
]

_CACHED_MINUTES = 4096
"""Both caches are emptied at this many entries: packets of an honest peer touch one or two minutes."""

_CACHED_TIMES = 1024
"""The same of whole times. A busy link has many packets per millisecond, and those of a burst expire together."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: the year has four digits, and the calendar no year 0.
_MIN_MS = -62_135_596_800_000
_MAX_MS = 253_402_300_799_999

_ms_of_minute: dict[bytes, int] = {}
_text_of_minute: dict[int, bytes] = {}

known_times: dict[bytes, int] = {}
"""What `decode_interledger_time` returned for these 17 octets. Only for whoever reads a packet's fields in one go."""
known_texts: dict[int, bytes] = {}
"""The same of `encode_interledger_time`."""


def decode_interledger_time(text: bytes) -> int:
    """17 ASCII digits -> ms UTC. Raises `DecodeError` for anything that is not a moment of the calendar (D-02)."""
    known = known_times.get(text)
    if known is not None:
        return known
    base = _ms_of_minute.get(text[:12])
    if base is None:
        base = _parse_minute(text[:12])
    rest = text[12:]
    if len(rest) != 5 or not rest.isdigit():
        raise DecodeError("a timestamp is not 17 digits")
    milliseconds = int(rest)
    if milliseconds > 59_999:
        raise DecodeError("a timestamp has more than 59 seconds in its minute")
    if len(known_times) >= _CACHED_TIMES:
        known_times.clear()
    known_times[text] = base + milliseconds
    return base + milliseconds


def encode_interledger_time(ms: int) -> bytes:
    """ms UTC -> 17 ASCII digits. Raises `InvalidRequestError` outside of the years 1 to 9999."""
    known = known_texts.get(ms)
    if known is not None:
        return known
    minute = ms // 60_000
    text = _text_of_minute.get(minute)
    if text is None:
        text = _format_minute(minute)
    if len(known_texts) >= _CACHED_TIMES:
        known_texts.clear()
    known = known_texts[ms] = text + b"%05d" % (ms - minute * 60_000)
    return known


def decode_generalized_time(text: bytes) -> int:
    """`YYYYMMDDHHMMSS[.f{1,3}]Z` -> ms UTC. Raises `DecodeError`.

    Reads 0 to 3 decimals, trailing zeros too; a second of 60 counts as 59 (D-03).
    """
    digits, dot, decimals = text[:-1].partition(b".")
    if text[-1:] != b"Z" or len(digits) != 14 or not digits.isdigit():
        raise DecodeError("not a generalized time")
    if dot and not (1 <= len(decimals) <= 3 and decimals.isdigit()):
        raise DecodeError("a generalized time has between one and three decimals, or none")
    if digits[12:] == b"60":
        digits = digits[:12] + b"59"
    return decode_interledger_time(digits + decimals.ljust(3, b"0"))


def encode_generalized_time(ms: int) -> bytes:
    """ms UTC -> `YYYYMMDDHHMMSS.mmmZ`, always three decimals: btp-packet reads no other form (D-03)."""
    digits = encode_interledger_time(ms)
    return digits[:14] + b"." + digits[14:] + b"Z"


def format_rfc3339(ms: int) -> str:
    """ms UTC -> `2026-11-21T11:52:07.059Z`, as JSON shows it."""
    digits = encode_interledger_time(ms).decode("ascii")
    date = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    return f"{date}T{digits[8:10]}:{digits[10:12]}:{digits[12:14]}.{digits[14:]}Z"


def _parse_minute(text: bytes) -> int:
    if len(text) != 12 or not text.isdigit():
        raise DecodeError("a timestamp is not 17 digits")
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute = int(text[8:10]), int(text[10:12])
    try:
        datetime.date(year, month, day)
    except ValueError:
        raise DecodeError("a timestamp has a date that does not exist") from None
    if hour > 23 or minute > 59:
        raise DecodeError("a timestamp has a time that does not exist")
    ms = calendar.timegm((year, month, day, hour, minute, 0)) * 1000
    if len(_ms_of_minute) >= _CACHED_MINUTES:
        _ms_of_minute.clear()
    _ms_of_minute[text] = ms
    return ms


def _format_minute(minute: int) -> bytes:
    if not _MIN_MS <= minute * 60_000 <= _MAX_MS:
        raise InvalidRequestError(f"{minute * 60_000} ms is outside of the years 1 to 9999", "expires_at")
    moment = _EPOCH + datetime.timedelta(minutes=minute)
    # Not `%Y`: it drops the leading zeros of early years.
    text = b"%04d%02d%02d%02d%02d" % moment.timetuple()[:5]
    if len(_text_of_minute) >= _CACHED_MINUTES:
        _text_of_minute.clear()
    _text_of_minute[minute] = text
    return text
