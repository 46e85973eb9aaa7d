"""Invariant: any octets are rates that are positive and finite, in each form that we read, or a DecodeError."""

from __future__ import annotations

import contextlib
from fractions import Fraction

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.routing.exchange import Quotes
from interledger.routing.rate_sources import (
    MAGNITUDE_MAX,
    format_rate,
    parse_decimal_rate,
    parse_ecb_xml,
    parse_rates_json,
    parse_spread,
)

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    b'{"base": "USD", "rates": {"EUR": 0.92, "XRP": "1.5", "JPY": 1e2}}',
    b'<Envelope><Cube><Cube time="2026-11-20"><Cube currency="USD" rate="1.08"/><Cube currency="JPY" rate="163.2"/>'
    b"</Cube></Cube></Envelope>",
    b"0.003",
    b"0.3%",
    b"1.0843e-12",
)
LEAST, MOST = Fraction(1, 10**MAGNITUDE_MAX), Fraction(10**MAGNITUDE_MAX)


def check(octets: bytes) -> None:
    for read in (
        lambda: parse_rates_json(octets, source="fuzz", as_of=Timestamp(1)),
        lambda: parse_ecb_xml(octets, source="fuzz"),
    ):
        try:
            check_quotes(read())
        except DecodeError:
            continue
    text = octets.decode("utf-8", "replace")
    try:
        rate = parse_decimal_rate(text)
    except DecodeError:
        pass
    else:
        assert LEAST <= rate <= MOST
        shown = parse_decimal_rate(format_rate(rate))
        assert 0 <= rate - shown < rate / 10**5  # rounded down, six digits of it
    with contextlib.suppress(DecodeError):
        assert 0 <= parse_spread(text) < 1


def check_quotes(quotes: Quotes) -> None:
    assert all(LEAST <= value <= MOST for value in quotes.values.values())
    assert quotes.values[quotes.base or ""] == 1
    assert not quotes.values.keys() & quotes.refused.keys() - {quotes.base}


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
