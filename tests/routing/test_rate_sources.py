"""Every format of rates: what is read exactly, what is refused (A21), and any octets at all."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.routing.exchange import ExchangeTable, Quotes
from interledger.routing.rate_sources import (
    format_rate,
    parse_decimal_rate,
    parse_ecb_xml,
    parse_rates_json,
    parse_spread,
    parse_value_table,
)

NOW = Timestamp(1_700_000_000_000)

DECIMALS = [
    ("1", Fraction(1)),
    ("1.1602", Fraction(11602, 10_000)),
    ("0.1", Fraction(1, 10)),
    ("1.10", Fraction(11, 10)),
    ("2e-7", Fraction(2, 10**7)),
    ("1.5E+3", Fraction(1500)),
    ("1e30", Fraction(10**30)),
    ("123456789012345678901234567890", Fraction(123456789012345678901234567890)),
    ("0.000000000000000000000000000001", Fraction(1, 10**30)),
]


@pytest.mark.parametrize(("text", "exact"), DECIMALS, ids=[row[0][:20] for row in DECIMALS])
def test_decimals(text: str, exact: Fraction) -> None:
    assert parse_decimal_rate(text) == exact == Fraction(Decimal(text))


# fmt: off
REFUSED_DECIMALS = [
    "0", "0.0", "0e9", "-1", "-0.5", "+1", "NaN", "nan", "Infinity", "inf", "1e400", "1e31", "1e-31", "1e99",
    "1e-99", "1e100", "1e999999999", ".5", "5.", "1.2.3", "1,5", "1_000", "0x10", "00.5", "01", "１", "١", "²", "1e",
    "1e+", "e5", "1/2", "1%", "$1", "true", "null",
    "", " 1", "1 ", "1\n", "1 000", "9" * 61, "0." + "1" * 61, "1" * 50_000,
]
# fmt: on


@pytest.mark.parametrize("text", REFUSED_DECIMALS, ids=[ascii(text[:20]) for text in REFUSED_DECIMALS])
def test_A21_refused_decimals(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_decimal_rate(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


SPREADS = [
    ("0", "0"),
    ("0.00", "0"),
    ("0%", "0"),
    ("0.003", "3/1000"),
    ("0.3%", "3/1000"),
    ("0.3 %", "3/1000"),
    ("99.99%", "9999/10000"),
]


@pytest.mark.parametrize(("text", "share"), SPREADS)
def test_spreads(text: str, share: str) -> None:
    assert parse_spread(text) == Fraction(share)


@pytest.mark.parametrize("text", ["1", "100%", "101 %", "-0.1", "", "%", "0.3%%", "two", "1e400"])
def test_refused_spreads(text: str) -> None:
    with pytest.raises(DecodeError):
        parse_spread(text)


# --- tables of values -------------------------------------------------------------------------------------------------


def test_value_table() -> None:
    found = parse_value_table({"USD": "1", "EUR": "1.08"}, source="static", now=NOW)
    assert found == Quotes("static", {"USD": Fraction(1), "EUR": Fraction("1.08")}, None, NOW, None)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"USD": "0"}, "rate of “USD” cannot be used"),
        ({"USD": 1}, "not a number"),
        ({"USD": 1.5}, "not a number"),
        ({"USD": True}, "not a number"),
        ({"USD": None}, "not a number"),
        ({"US D": "1"}, "“US D” is not an asset code"),
        ({"": "1"}, "not an asset code"),
        ({"USD\n": "1"}, r"“USD\\n” is not an asset code"),
        ({"É": "1"}, "not an asset code"),
        ({"A" * 33: "1"}, "not an asset code"),
        ({f"C{n}": "1" for n in range(1001)}, "1001 rates"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_operators_table_is_refused_as_a_whole(table: dict[str, object], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        parse_value_table(table, source="static", now=NOW)


# --- {"base", "rates"} ------------------------------------------------------------------------------------------------


def read(body: bytes, base: str | None = None) -> Quotes:
    return parse_rates_json(body, source="feed", as_of=NOW, max_age_ms=60_000, base=base)


def test_rates_json_is_exact() -> None:
    """0.1 is a tenth, not 0.1000000000000000055511151231257827."""
    found = read(
        b'{"base": "USD", "rates": {"EUR": 0.1, "JPY": 150, "BTC": 2e-5, "GBP": "0.8", "USD": 1.0}, "date": "x"}'
    )
    assert found.values == {
        "USD": 1,
        "EUR": 10,
        "JPY": Fraction(1, 150),
        "BTC": 50_000,
        "GBP": Fraction("1.25"),
    }
    assert (found.base, found.as_of, found.max_age_ms, found.refused) == ("USD", NOW, 60_000, {})


@pytest.mark.parametrize(
    "rate",
    ["0", "-1", "-0.0", "1e400", "1e-400", '"NaN"', '"1e400"', '""', "null", "true", "[1]", '{"value": 1}', "0.0e5"],
)
def test_A21_one_bad_rate_is_listed_and_the_others_are_taken(rate: str) -> None:
    found = read(b'{"base": "USD", "rates": {"EUR": %s, "GBP": 0.8}}' % rate.encode())
    assert found.values == {"USD": 1, "GBP": Fraction("1.25")}
    assert list(found.refused) == ["EUR"]
    assert found.refused["EUR"].startswith("the rate of “EUR”")


def test_A21_bad_codes_and_a_base_that_is_not_itself() -> None:
    found = read(b'{"base": "USD", "rates": {"a b": 1, "%s": 1, "USD": 2}}' % (b"x" * 99))
    assert found.values == {"USD": 1}
    assert found.refused == {
        "a b": "“a b” is not an asset code",
        "x" * 32: f"“{'x' * 40}” is not an asset code",
        "USD": "the document says that one USD is not worth one USD",
    }


HOSTILE = [
    ("empty", b"", "not JSON"),
    ("NaN", b'{"base": "USD", "rates": {"EUR": NaN}}', "NaN"),
    ("Infinity", b'{"base": "USD", "rates": {"EUR": -Infinity}}', "Infinity"),
    ("a rate twice", b'{"base": "USD", "rates": {"EUR": 1, "EUR": 2}}', "same key twice"),
    ("a list", b"[]", "not an object"),
    ("no base", b'{"rates": {"EUR": 1}}', "no “base”"),
    ("base is a number", b'{"base": 1, "rates": {"EUR": 1}}', "no “base”"),
    ("base is a sentence", b'{"base": "US dollars", "rates": {"EUR": 1}}', "no “base”"),
    ("no rates", b'{"base": "USD"}', "no “rates”"),
    ("rates are a list", b'{"base": "USD", "rates": [1]}', "no “rates”"),
    ("empty rates", b'{"base": "USD", "rates": {}}', "0 rates"),
    ("too many rates", json.dumps({"base": "USD", "rates": {f"C{n}": 1 for n in range(1001)}}).encode(), "1001 rates"),
    ("deep", b'{"base": "USD", "rates": ' + b"[" * 30_000, "deeper"),
    ("long", b" " * 65_537, "65537 octets"),
]


@pytest.mark.parametrize(("name", "body", "reason"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_A21_hostile_documents(name: str, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read(body)


def test_A21_another_base_than_asked_for() -> None:
    body = b'{"base": "EUR", "rates": {"USD": 1.1}}'
    assert read(body, base="EUR").base == "EUR"
    with pytest.raises(DecodeError, match="for one EUR, asked was for one USD"):
        read(body, base="USD")


# --- the European Central Bank ----------------------------------------------------------------------------------------

ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time='2023-11-14'>
<Cube currency='USD' rate='1.0724'/><Cube currency='JPY' rate='162.36'/>
</Cube></Cube></gesmes:Envelope>
"""
DAY = "<Cube time='2023-11-14'>"


def ecb(text: str = ECB, encoding: str = "utf-8") -> Quotes:
    return parse_ecb_xml(text.encode(encoding), source="ecb", max_age_ms=1_000)


def test_ecb() -> None:
    found = ecb()
    assert found == Quotes(
        "ecb",
        {"EUR": Fraction(1), "USD": 1 / Fraction("1.0724"), "JPY": 1 / Fraction("162.36")},
        "EUR",
        Timestamp(1_699_920_000_000),
        1_000,
    )
    rates = ExchangeTable("USD")
    assert rates.update(found, NOW) == ()
    assert {value.code: value.value for value in rates.values()}["EUR"] == Fraction("1.0724")


def test_ecb_one_bad_rate_is_listed() -> None:
    found = ecb(ECB.replace("162.36", "N/A"))
    assert (list(found.values), list(found.refused)) == (["EUR", "USD"], ["JPY"])


BAD_ECB = [
    ("empty", "", "not XML"),
    ("a web page", "<html><br></html>", "not XML"),
    ("cut off", ECB[:-20], "not XML"),
    ("no rates", "<Cube time='2023-11-14'/>", "0 rates"),
    ("other XML", "<a/>", "rates of 0 days"),
    ("no day", ECB.replace(" time='2023-11-14'", ""), "rates of 0 days"),
    ("ninety days", ECB.replace(DAY, DAY + "<Cube time='2023-11-13'/>"), "rates of 2 days"),
    ("no such day", ECB.replace("2023-11-14", "2023-02-30"), "not a date"),
    ("day in another form", ECB.replace("2023-11-14", "20231114"), "not a date"),
    ("day in other digits", ECB.replace("2023-11-14", "２０２３-11-14"), "not a date"),
    ("a rate twice", ECB.replace("'JPY'", "'USD'"), "“USD” twice"),
    ("document type", ECB.replace("<gesmes:Envelope", "<!DOCTYPE x><gesmes:Envelope", 1), "document type"),
    (
        "billion laughs",
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
        "document type",
    ),
    ("file inclusion", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "document type"),
    ("undeclared entity", "<x>&a;</x>", "not XML"),
    ("many elements", "<x>" + "<y/>" * 2_001 + "</x>", "more than 2000 elements"),
    ("unknown encoding", '<?xml version="1.0" encoding="x-none"?><x/>', "not XML"),
    ("odd encoding", '<?xml version="1.0" encoding="utf-7"?><x/>', "not XML"),
    ("null octet", "<x>\0</x>", "not XML"),
    ("long", ECB + " " * 65_536, "octets"),
]


@pytest.mark.parametrize(("name", "text", "reason"), BAD_ECB, ids=[row[0] for row in BAD_ECB])
def test_A21_bad_ecb_documents(name: str, text: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        ecb(text)


def test_A21_document_type_in_another_encoding() -> None:
    with pytest.raises(DecodeError, match="document type"):
        ecb('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><x/>', "utf-16")


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        ("9185361/10000000", "0.918536"),
        ("1", "1"),
        ("150", "150"),
        ("7/2", "3.5"),
        ("1234567", "1234567"),
        ("2/3", "0.666666"),
        ("1/150", "0.00666666"),
        ("100001/100000", "1.00001"),
        ("9999999/10000000", "0.999999"),
        (f"1/{10**12}", "0.000000000001"),
    ],
)
def test_rates_for_people_are_rounded_down(rate: str, text: str) -> None:
    assert format_rate(Fraction(rate)) == text


@given(st.builds(Fraction, st.integers(1, 10**30), st.integers(1, 10**30)), st.integers(1, 12))
def test_a_shown_rate_is_never_better_than_the_real_one(rate: Fraction, digits: int) -> None:
    shown = Fraction(format_rate(rate, digits))
    assert shown <= rate
    assert rate - shown <= rate / 10 ** (digits - 1)


# --- any input --------------------------------------------------------------------------------------------------------


@given(st.integers(1, 10**20), st.integers(0, 10))
def test_decimal_text_is_read_exactly(number: int, places: int) -> None:
    text = str(number).rjust(places + 1, "0")
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    assert parse_decimal_rate(text) == Fraction(number, 10**places)


def check(found: Quotes) -> None:
    assert all(isinstance(value, Fraction) and value > 0 for value in found.values.values())
    assert found.base in found.values


json_values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50)
@given(
    st.binary(max_size=100)
    | st.dictionaries(st.text(max_size=4), json_values).map(lambda r: json.dumps({"base": "USD", "rates": r}).encode())
)
def test_any_json_gives_quotes_or_a_decode_error(body: bytes) -> None:
    try:
        check(read(body))
    except DecodeError:
        return


@given(
    st.binary(max_size=100)
    | st.tuples(st.integers(0, len(ECB)), st.binary(max_size=8)).map(
        lambda cut: ECB.encode()[: cut[0]] + cut[1] + ECB.encode()[cut[0] :]
    )
)
def test_any_xml_gives_quotes_or_a_decode_error(body: bytes) -> None:
    try:
        check(parse_ecb_xml(body, source="ecb"))
    except DecodeError:
        return
