"""Exact exchange: ratios as a table, what stops a pair, and the properties that keep rounding in our favour."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError
from interledger.routing.exchange import (
    CLOCK_SLACK_MS,
    AlarmKind,
    ExchangeTable,
    NoRate,
    NoRateReason,
    Quote,
    Quotes,
    RateAlarm,
    Ratio,
    UnitValue,
    convert,
)

NOW = Timestamp(1_700_000_000_000)
UINT64_MAX = 2**64 - 1
NO_SPREAD = Fraction(0)


def quotes(
    source: str = "feed",
    base: str | None = None,
    at: int = NOW,
    max_age_ms: int | None = 60_000,
    refused: dict[str, str] | None = None,
    **values: str,
) -> Quotes:
    """Values as decimal text; a feed that ages unless `max_age_ms` is None."""
    exact = {code: Fraction(text) for code, text in values.items()}
    return Quotes(source, exact, base, Timestamp(at), max_age_ms, refused or {})


def table(*updates: Quotes, base: str = "USD") -> ExchangeTable:
    made = ExchangeTable(base)
    for update in updates:
        assert made.update(update, Timestamp(max(NOW, update.as_of))) == ()
    return made


def asset(text: str) -> Asset:
    code, _, scale = text.partition("/")
    return Asset(code, int(scale))


RATIOS = [
    # incoming, outgoing, spread, numerator, denominator
    ("USD/2", "EUR/2", "0", 4, 5),
    ("EUR/2", "USD/2", "0", 5, 4),
    ("USD/2", "EUR/9", "0", 8_000_000, 1),
    ("USD/9", "EUR/2", "0", 1, 12_500_000),
    ("USD/2", "EUR/2", "0.002", 499, 625),
    ("USD/0", "XAU/0", "0", 1, 2650),
    ("USD/9", "JPY/0", "0.3", 21, 200_000_000),
    ("EUR/2", "JPY/0", "0", 15, 8),
    # CR-18: the same code is never exchanged, and pays no spread.
    ("USD/2", "USD/2", "0.5", 1, 1),
    ("USD/2", "USD/9", "0.5", 10_000_000, 1),
    ("USD/9", "USD/2", "0.5", 1, 10_000_000),
    ("NOBODY_KNOWS/0", "NOBODY_KNOWS/255", "0", 10**255, 1),
]


@pytest.mark.parametrize(("incoming", "outgoing", "spread", "numerator", "denominator"), RATIOS)
def test_ratios(incoming: str, outgoing: str, spread: str, numerator: int, denominator: int) -> None:
    rates = table(quotes(USD="1", EUR="1.25", XAU="2650", JPY=str(Fraction(1, 150)), max_age_ms=None))
    found = rates.ratio(asset(incoming), asset(outgoing), Fraction(spread), NOW)
    assert found == Ratio(numerator, denominator, None)


CONVERSIONS = [
    (100, Ratio(4, 5), 80),
    (1, Ratio(4, 5), 0),
    (0, Ratio(4, 5), 0),
    (UINT64_MAX, Ratio(1, 1), UINT64_MAX),
    (UINT64_MAX, Ratio(10**7, 1), UINT64_MAX * 10**7),
    (2**60 + 1, Ratio(1, 1), 2**60 + 1),
    (2**63 + 1025, Ratio(999, 1000), (2**63 + 1025) * 999 // 1000),
]


@pytest.mark.parametrize(("amount", "ratio", "converted"), CONVERSIONS)
def test_CR_19_conversion_rounds_down(amount: int, ratio: Ratio, converted: int) -> None:
    assert convert(amount, ratio) == converted


@pytest.mark.parametrize("spread", ["-0.001", "1", "1.5"])
@pytest.mark.parametrize("outgoing", ["EUR/2", "USD/2"])
def test_spread_has_to_be_a_share(spread: str, outgoing: str) -> None:
    with pytest.raises(InvalidRequestError, match="0 or more and less than 1") as caught:
        table(quotes(USD="1", EUR="1.25")).ratio(asset("USD/2"), asset(outgoing), Fraction(spread), NOW)
    assert caught.value.field == "spread"


def test_quote_tells_people_how_it_came_about() -> None:
    rates = table(quotes(USD="1", at=NOW - 9), quotes("ecb", EUR="1.25", at=NOW - 5))
    found = rates.quote(asset("USD/9"), asset("EUR/2"), Fraction("0.003"), NOW)
    assert isinstance(found, Quote)
    assert (found.rate_before_spread, found.spread, found.rate) == (
        Fraction("0.8"),
        Fraction("0.003"),
        Fraction("0.7976"),
    )
    assert [(value.code, value.source, value.as_of) for value in found.values] == [
        ("USD", "feed", NOW - 9),
        ("EUR", "ecb", NOW - 5),
    ]
    assert rates.ratio(asset("USD/9"), asset("EUR/2"), Fraction("0.003"), NOW) == found.ratio


def test_quote_within_one_code() -> None:
    found = ExchangeTable().quote(asset("EUR/2"), asset("EUR/4"), Fraction("0.003"), NOW)
    assert found == Quote(Ratio(100, 1), Fraction(1), Fraction(0), Fraction(1), ())


@pytest.mark.parametrize(("incoming", "outgoing", "unknown"), [("USD/2", "EUR/2", "EUR"), ("EUR/2", "USD/2", "EUR")])
def test_unknown_asset(incoming: str, outgoing: str, unknown: str) -> None:
    found = table(quotes(USD="1")).ratio(asset(incoming), asset(outgoing), NO_SPREAD, NOW)
    assert found == NoRate(NoRateReason.UNKNOWN, unknown)
    assert str(found) == "no source of rates has a value for EUR"


# --- age --------------------------------------------------------------------------------------------------------------


def test_RK_09_a_value_is_used_until_it_is_too_old() -> None:
    rates = table(quotes(USD="1", max_age_ms=None), quotes("feed 2", EUR="1.25", max_age_ms=60_000))
    pair = asset("USD/2"), asset("EUR/2")
    assert rates.ratio(*pair, NO_SPREAD, Timestamp(NOW + 59_999)) == Ratio(4, 5, Timestamp(NOW + 60_000))
    stale = rates.ratio(*pair, NO_SPREAD, Timestamp(NOW + 60_000))
    assert stale == NoRate(NoRateReason.STALE, "EUR")
    assert str(stale) == "the value of EUR is too old"


def test_a_ratio_ends_with_the_older_of_its_values() -> None:
    rates = table(quotes(USD="1", max_age_ms=9_000), quotes("feed 2", EUR="1.25", max_age_ms=60_000))
    ends = [
        found.expires_at
        for found in (
            rates.ratio(asset(a), asset(b), NO_SPREAD, NOW) for a, b in [("USD/2", "EUR/2"), ("EUR/2", "USD/2")]
        )
        if isinstance(found, Ratio)
    ]
    assert ends == [NOW + 9_000] * 2


def test_what_the_operator_set_does_not_age() -> None:
    rates = table(quotes(USD="1", EUR="1.25", max_age_ms=None))
    assert rates.ratio(asset("USD/2"), asset("EUR/2"), NO_SPREAD, Timestamp(NOW * 2)) == Ratio(4, 5, None)


def test_a_later_source_stands_in_for_a_stale_one() -> None:
    rates = ExchangeTable()
    rates.add_source("first")
    rates.update(quotes("second", EUR="1.20", max_age_ms=600_000), NOW)
    rates.update(quotes("first", EUR="1.25"), NOW)
    assert value(rates, "EUR") == Fraction("1.25")
    assert value(rates, "EUR", NOW + 60_000) == Fraction("1.20")
    assert value(rates, "EUR", NOW + 600_000) == NoRateReason.STALE
    rates.remove_source("first")
    assert value(rates, "EUR") == Fraction("1.20")


def value(rates: ExchangeTable, code: str, now: int = NOW) -> Fraction | NoRateReason:
    found = rates.value_of(code, Timestamp(now))
    return found.reason if isinstance(found, NoRate) else found.value


def test_values_dated_in_the_future_are_refused() -> None:
    rates = ExchangeTable()
    (alarm,) = rates.update(quotes(EUR="1.25", at=NOW + CLOCK_SLACK_MS + 1), NOW)
    assert (alarm.kind, alarm.code, rates.values()) == (AlarmKind.REFUSED, None, ())
    assert "dated in the future" in alarm.text
    assert rates.update(quotes(EUR="1.25", at=NOW + CLOCK_SLACK_MS), NOW) == ()


def test_older_values_than_before_are_refused_from_feeds_only() -> None:
    rates = table(quotes(EUR="1.25"), quotes("hand", JPY="2", max_age_ms=None))
    (alarm,) = rates.update(quotes(EUR="1.20", at=NOW - 1), NOW)
    assert (alarm.kind, value(rates, "EUR")) == (AlarmKind.REFUSED, Fraction("1.25"))
    assert "older than the ones it gave before" in alarm.text
    assert rates.update(quotes("hand", JPY="3", at=NOW - 1, max_age_ms=None), NOW) == ()
    assert value(rates, "JPY") == 3


# --- jumps and refused values (A21) -----------------------------------------------------------------------------------

JUMPS = [
    ("1.25", "1.30", True),
    ("1.25", "2.50", True),
    ("1.25", "0.625", True),
    ("1.25", "2.5001", False),
    ("1.25", "0.6249", False),
    ("1.25", "12.5", False),
    ("1.25", "0.125", False),
    ("1.25", "1e30", False),
]


@pytest.mark.parametrize(("last", "new", "taken"), JUMPS)
def test_A21_jump_of_a_feed(last: str, new: str, taken: bool) -> None:
    rates = table(quotes(USD="1", EUR=last))
    alarms = rates.update(quotes(USD="1", EUR=new, at=NOW + 1), Timestamp(NOW + 1))
    if taken:
        assert (alarms, value(rates, "EUR")) == ((), Fraction(new))
        return
    text = "feed moved EUR by more than 2 times; EUR is stopped"
    assert alarms == (RateAlarm(AlarmKind.JUMP, "feed", "EUR", text),)
    stopped = rates.ratio(asset("USD/2"), asset("EUR/2"), NO_SPREAD, NOW)
    assert stopped == NoRate(NoRateReason.DOUBTFUL, "EUR")
    assert str(stopped) == "the last value of EUR was refused; EUR is stopped"
    assert value(rates, "USD") == 1
    # The last good value is kept, and the next one is measured by it.
    assert [v.value for v in rates.values() if v.code == "EUR"] == [Fraction(last)]
    assert rates.update(quotes(USD="1", EUR="1.26", at=NOW + 2), Timestamp(NOW + 2)) == ()
    assert value(rates, "EUR") == Fraction("1.26")


def test_A21_a_jump_that_stays_needs_somebody_who_confirms_it() -> None:
    rates = table(quotes(EUR="1.25"))
    for step in (1, 2, 3):
        assert rates.update(quotes(EUR="12.5", at=NOW + step), Timestamp(NOW + step)) != ()
    rates.confirm("feed", "EUR")
    assert value(rates, "EUR") is NoRateReason.DOUBTFUL
    assert rates.update(quotes(EUR="12.6", at=NOW + 4), Timestamp(NOW + 4)) == ()
    assert value(rates, "EUR") == Fraction("12.6")
    # Confirmed once is not confirmed for ever.
    assert rates.update(quotes(EUR="1.25", at=NOW + 5), Timestamp(NOW + 5)) != ()


def test_A21_refused_values_stop_their_asset_alone() -> None:
    rates = table(quotes(EUR="1.25", GBP="1.30"))
    alarms = rates.update(
        quotes(GBP="1.31", refused={"EUR": "“0” cannot be a value", "new": "no"}, at=NOW + 1), Timestamp(NOW + 1)
    )
    assert alarms == (
        RateAlarm(AlarmKind.REFUSED, "feed", "EUR", "“0” cannot be a value"),
        RateAlarm(AlarmKind.REFUSED, "feed", "new", "no"),
    )
    assert rates.values()[0] == UnitValue("EUR", Fraction("1.25"), "feed", NOW, 60_000, doubtful=True)
    assert [value(rates, code) for code in ("EUR", "GBP", "new")] == [
        NoRateReason.DOUBTFUL,
        Fraction("1.31"),
        NoRateReason.UNKNOWN,
    ]


def test_the_operator_may_jump() -> None:
    rates = table(quotes(EUR="1.25", max_age_ms=None))
    assert rates.update(quotes(EUR="125", max_age_ms=None), NOW) == ()
    assert value(rates, "EUR") == 125


def test_what_the_operator_leaves_out_is_gone_what_a_feed_forgets_stays() -> None:
    rates = table(quotes("hand", EUR="1", GBP="1", max_age_ms=None), quotes("feed", JPY="1", KES="1"))
    rates.update(quotes("hand", EUR="1", max_age_ms=None), NOW)
    rates.update(quotes("feed", JPY="1"), NOW)
    assert [v.code for v in rates.values()] == ["EUR", "JPY", "KES"]


def test_a_source_in_doubt_is_not_replaced_by_the_next() -> None:
    rates = table(quotes("first", EUR="1.25"), quotes("second", EUR="1.25"))
    rates.update(quotes("first", EUR="125"), NOW)
    assert value(rates, "EUR") is NoRateReason.DOUBTFUL


# --- bases ------------------------------------------------------------------------------------------------------------


def test_another_base_is_brought_to_ours() -> None:
    rates = table(quotes("ecb", base="EUR", USD="0.8", GBP="1.2"))
    assert {v.code: v.value for v in rates.values()} == {"EUR": Fraction("1.25"), "USD": 1, "GBP": Fraction("1.5")}


def test_a_source_without_our_base_is_refused() -> None:
    rates = ExchangeTable()
    (alarm,) = rates.update(quotes("ecb", base="EUR", GBP="1.2"), NOW)
    assert (alarm.kind, alarm.source, alarm.code) == (AlarmKind.REFUSED, "ecb", None)
    assert "no value for USD, in which this node counts" in alarm.text


def test_a_jump_of_the_base_stops_all() -> None:
    rates = table(quotes("ecb", base="EUR", USD="0.8", GBP="1.2"))
    alarms = rates.update(quotes("ecb", base="EUR", USD="80", GBP="1.2"), NOW)
    assert [alarm.code for alarm in alarms] == ["EUR", "GBP"]
    assert isinstance(rates.ratio(asset("USD/2"), asset("GBP/2"), NO_SPREAD, NOW), NoRate)


def test_version_moves_with_every_change_only() -> None:
    rates = ExchangeTable()
    seen = [rates.version]
    for step in (
        lambda: rates.update(quotes(EUR="1"), NOW),
        lambda: rates.update(quotes(EUR="1", at=NOW * 2), NOW),
        lambda: rates.add_source("x"),
        lambda: rates.remove_source("feed"),
        lambda: rates.update(quotes(EUR="1"), NOW),
        lambda: rates.update(quotes(EUR="1"), NOW),
    ):
        step()
        seen.append(rates.version)
    assert seen == [0, 1, 1, 1, 2, 3, 4]


def test_removing_a_source_that_was_never_there_changes_no_value() -> None:
    rates = table(quotes(EUR="1"))
    rates.remove_source("nobody")
    assert value(rates, "EUR") == 1


def test_unit_value_without_age_never_expires() -> None:
    assert UnitValue("EUR", Fraction(1), "hand", NOW).expires_at is None


# --- properties (A16, A20) --------------------------------------------------------------------------------------------

amounts = st.integers(0, UINT64_MAX) | st.sampled_from([1, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, UINT64_MAX])
decimals = st.builds(lambda n, p: Fraction(n, 10**p), st.integers(1, 10**12), st.integers(0, 12))
spreads = st.builds(lambda n: Fraction(n, 1000), st.integers(0, 999))
scales = st.integers(0, 18)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Ratio, Ratio, Fraction]:
    """A ratio, that of the way back, and the exact rate computed apart from the table."""
    a, b, spread = draw(decimals), draw(decimals), draw(spreads)
    one, other = Asset("AAA", draw(scales)), Asset("BBB", draw(scales))
    rates = ExchangeTable()
    rates.update(Quotes("hand", {"AAA": a, "BBB": b}, None, NOW), NOW)
    there, back = rates.ratio(one, other, spread, NOW), rates.ratio(other, one, spread, NOW)
    assert isinstance(there, Ratio)
    assert isinstance(back, Ratio)
    return there, back, a / b * (1 - spread) * Fraction(10) ** (other.scale - one.scale)


@given(pairs(), amounts)
def test_A16_conversion_is_the_floor_of_the_exact_product(pair: tuple[Ratio, Ratio, Fraction], amount: int) -> None:
    there, _, exact = pair
    converted = convert(amount, there)
    assert Fraction(there.numerator, there.denominator) == exact
    assert converted <= amount * exact < converted + 1
    assert converted >= 0


@given(pairs(), st.lists(amounts, max_size=20))
def test_A20_no_sequence_of_packets_gets_more_than_one(pair: tuple[Ratio, Ratio, Fraction], packets: list[int]) -> None:
    there, _, exact = pair
    converted = sum(convert(amount, there) for amount in packets)
    assert converted <= convert(sum(packets), there)
    assert converted <= sum(packets) * exact


@given(pairs(), amounts)
def test_A20_there_and_back_never_gains(pair: tuple[Ratio, Ratio, Fraction], amount: int) -> None:
    there, back, _ = pair
    assert Fraction(there.numerator, there.denominator) * Fraction(back.numerator, back.denominator) <= 1
    assert convert(convert(amount, there), back) <= amount


@given(pairs(), amounts, amounts)
def test_A20_more_in_is_never_less_out(pair: tuple[Ratio, Ratio, Fraction], one: int, other: int) -> None:
    there, _, _ = pair
    assert (convert(min(one, other), there)) <= convert(max(one, other), there)


@given(st.lists(decimals, min_size=3, max_size=3), spreads, amounts)
def test_A20_around_a_triangle_never_gains(values: list[Fraction], spread: Fraction, amount: int) -> None:
    rates = ExchangeTable()
    assets = [Asset("AAA", 2), Asset("BBB", 9), Asset("CCC", 0)]
    rates.update(Quotes("hand", dict(zip(("AAA", "BBB", "CCC"), values, strict=True)), None, NOW), NOW)
    left = amount
    for one, other in zip(assets, [*assets[1:], assets[0]], strict=True):
        ratio = rates.ratio(one, other, spread, NOW)
        assert isinstance(ratio, Ratio)
        left = convert(left, ratio)
    assert left <= amount
