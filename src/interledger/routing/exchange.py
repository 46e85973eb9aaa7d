"""Exchange rates, exact: what one unit of each asset is worth, and the integer ratio that converts a packet's amount.

No float is ever made. A price comes in as decimal text, is kept as a `Fraction` of a common base, and leaves as a pair
of integers that already holds the two scales and the spread; a packet is converted by one multiplication and one floor.

A value that cannot be trusted converts nothing: too old, or suddenly far from the last one (A21). The connector answers
T00 then (RK-09).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError

__all__ = [
    "AlarmKind",
    "ExchangeTable",
    "NoRate",
    "NoRateReason",
    "Quote",
    "Quotes",
    "RateAlarm",
    "Ratio",
    "UnitValue",
    "convert",
]

JUMP_FACTOR_MAX: Final = Fraction(2)
"""No currency people hold moved by more between two updates; a shifted decimal point does."""

CLOCK_SLACK_MS: Final = 300_000
"""How far a source's clock may be ahead of ours."""


class Ratio(NamedTuple):
    """Integer units out per integer units in, in lowest terms; scales and spread are in it."""

    numerator: int
    denominator: int
    expires_at: Timestamp | None = None
    """Not to be used from then on; None: while the table's `version` stays."""


def convert(amount: int, ratio: Ratio) -> int:
    """Incoming -> outgoing units, rounded down in our favour (CR-19). The caller judges 0 and more than 64 bits."""
    return amount * ratio.numerator // ratio.denominator


class NoRateReason(enum.StrEnum):
    """Why there is no rate."""

    UNKNOWN = "unknown"
    """No source has a value for one of the assets."""
    STALE = "stale"
    """The value is older than its source allows."""
    DOUBTFUL = "doubtful"
    """The last value was refused: too far from the one before, or no positive number."""


class NoRate(NamedTuple):
    """The answer where nothing can be converted: T00 for the packet, and the words for a person."""

    reason: NoRateReason
    code: str

    def __str__(self) -> str:
        return {
            NoRateReason.UNKNOWN: f"no source of rates has a value for {self.code}",
            NoRateReason.STALE: f"the value of {self.code} is too old",
            NoRateReason.DOUBTFUL: f"the last value of {self.code} was refused; {self.code} is stopped",
        }[self.reason]


@dataclass(frozen=True, slots=True)
class Quotes:
    """What one source said at one moment. Made by `rate_sources`, which lets only positive values through."""

    source: str
    values: Mapping[str, Fraction]
    """What one whole unit of each asset is worth, in whole units of `base`."""
    base: str | None
    """The asset that the values are counted in; None: that of the table they go to."""
    as_of: Timestamp
    max_age_ms: int | None = None
    """None: set by the operator, so neither old age nor a jump makes it doubtful."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Assets whose value cannot be used, and why. They are stopped until a good one comes."""


@dataclass(frozen=True, slots=True)
class UnitValue:
    """The worth of one whole unit of an asset, in whole units of the table's base."""

    code: str
    value: Fraction
    source: str
    as_of: Timestamp
    max_age_ms: int | None = None
    doubtful: bool = False
    """A later value was refused: this one is the last good one, and converts nothing meanwhile."""

    @property
    def expires_at(self) -> Timestamp | None:
        """When it is too old; None: never."""
        return None if self.max_age_ms is None else Timestamp(self.as_of + self.max_age_ms)

    def is_stale(self, now: Timestamp) -> bool:
        return self.max_age_ms is not None and now >= self.as_of + self.max_age_ms


class Quote(NamedTuple):
    """A ratio with what a person wants to know of it. Rates are whole units out per whole unit in, exact."""

    ratio: Ratio
    rate_before_spread: Fraction
    spread: Fraction
    rate: Fraction
    values: tuple[UnitValue, ...]
    """The two values it was made of: where from, how old. Empty for two assets of one code."""


class AlarmKind(enum.StrEnum):
    """What an operator has to hear about rates."""

    JUMP = "jump"
    REFUSED = "refused"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    RECOVERED = "recovered"


class RateAlarm(NamedTuple):
    """One thing to tell the operator. `code` is None where it is about the whole source."""

    kind: AlarmKind
    source: str
    code: str | None
    text: str


@final
@dataclass(slots=True)
class ExchangeTable:
    """The values of all sources, and the ratios made of them.

    A source that was added first is asked first; the next one stands in where the first has no fresh value.
    """

    base: str = "USD"
    jump_factor_max: Fraction = JUMP_FACTOR_MAX
    version: int = 0
    """Counts changes. Whoever keeps a ratio throws it away when this moved, or at `expires_at`."""
    _sources: dict[str, dict[str, UnitValue]] = field(default_factory=dict)
    _confirmed: set[tuple[str, str]] = field(default_factory=set)

    def add_source(self, source: str) -> None:
        """Give `source` its place in the order, before it said anything. `update` adds an unknown one at the end."""
        self._sources.setdefault(source, {})

    def update(self, quotes: Quotes, now: Timestamp) -> tuple[RateAlarm, ...]:
        """Take a source's values. The alarms say what was refused; the last good value stays, marked as in doubt."""
        if quotes.as_of > now + CLOCK_SLACK_MS:
            return (_refused(quotes, "its values are dated in the future"),)
        present = self._sources.get(quotes.source, {})
        fixed = quotes.max_age_ms is None
        if not fixed and any(value.as_of > quotes.as_of for value in present.values()):
            return (_refused(quotes, "its values are older than the ones it gave before"),)
        values = self._in_own_base(quotes)
        if values is None:
            return (_refused(quotes, f"it has no value for {self.base}, in which this node counts"),)
        # What an operator set is a whole table: a code left out is gone. A feed that forgets a code keeps its last
        # value until that is too old.
        taken = {} if fixed else dict(present)
        alarms = [RateAlarm(AlarmKind.REFUSED, quotes.source, code, why) for code, why in quotes.refused.items()]
        taken.update({code: _marked(present[code]) for code in quotes.refused if code in present})
        for code, value in values.items():
            alarm = self._check_jump(quotes, present.get(code), code, value)
            if alarm is None:
                taken[code] = UnitValue(code, value, quotes.source, quotes.as_of, quotes.max_age_ms)
            else:
                taken[code] = _marked(present[code])
                alarms.append(alarm)
        self._sources[quotes.source] = taken
        self.version += 1
        return tuple(alarms)

    def confirm(self, source: str, code: str) -> None:
        """An operator believes a jump: the source's next value of `code` is taken, however far it is from the last."""
        self._confirmed.add((source, code))

    def remove_source(self, source: str) -> None:
        """Forget all that a source said."""
        self._sources.pop(source, None)
        self.version += 1

    def ratio(self, incoming: Asset, outgoing: Asset, spread: Fraction, now: Timestamp) -> Ratio | NoRate:
        """Integer units of `outgoing` per integer unit of `incoming`, less `spread` (0 <= spread < 1)."""
        found = self.quote(incoming, outgoing, spread, now)
        return found if isinstance(found, NoRate) else found.ratio

    def quote(self, incoming: Asset, outgoing: Asset, spread: Fraction, now: Timestamp) -> Quote | NoRate:
        """The ratio and how it came about.

        Two assets of one code are not exchanged, only their scales are (CR-18): no rate, no spread, no age.
        Raises `InvalidRequestError` for a spread that cannot be.
        """
        if not 0 <= spread < 1:
            raise InvalidRequestError(f"a spread of {spread} cannot be: 0 or more and less than 1 can", "spread")
        if incoming.code == outgoing.code:
            ratio = _with_scales(Fraction(1), incoming, outgoing, None)
            return Quote(ratio, Fraction(1), Fraction(0), Fraction(1), ())
        value_in, value_out = self.value_of(incoming.code, now), self.value_of(outgoing.code, now)
        if isinstance(value_in, NoRate):
            return value_in
        if isinstance(value_out, NoRate):
            return value_out
        before = value_in.value / value_out.value
        rate = before * (1 - spread)
        expiries = [value.expires_at for value in (value_in, value_out) if value.expires_at is not None]
        ratio = _with_scales(rate, incoming, outgoing, min(expiries, default=None))
        return Quote(ratio, before, spread, rate, (value_in, value_out))

    def value_of(self, code: str, now: Timestamp) -> UnitValue | NoRate:
        """What one whole unit is worth now: the first source's fresh value, unless that is in doubt."""
        reason = NoRateReason.UNKNOWN
        for values in self._sources.values():
            value = values.get(code)
            if value is None:
                continue
            if value.doubtful:
                return NoRate(NoRateReason.DOUBTFUL, code)
            if not value.is_stale(now):
                return value
            reason = NoRateReason.STALE
        return NoRate(reason, code)

    def values(self) -> tuple[UnitValue, ...]:
        """Everything that is known, for people: by source, then in the source's order."""
        return tuple(value for values in self._sources.values() for value in values.values())

    def _in_own_base(self, quotes: Quotes) -> dict[str, Fraction] | None:
        """Values counted in the table's base. None where the source cannot be brought to it."""
        if quotes.base is None:
            return dict(quotes.values)
        values = {quotes.base: Fraction(1), **quotes.values}
        if self.base not in values:
            return None
        one = values[self.base]
        return {code: value / one for code, value in values.items()}

    def _check_jump(self, quotes: Quotes, last: UnitValue | None, code: str, value: Fraction) -> RateAlarm | None:
        if last is None or quotes.max_age_ms is None:
            return None
        factor = max(value / last.value, last.value / value)
        if factor <= self.jump_factor_max:
            return None
        if (quotes.source, code) in self._confirmed:
            self._confirmed.discard((quotes.source, code))
            return None
        text = f"{quotes.source} moved {code} by more than {self.jump_factor_max} times; {code} is stopped"
        return RateAlarm(AlarmKind.JUMP, quotes.source, code, text)


def _with_scales(rate: Fraction, incoming: Asset, outgoing: Asset, expires_at: Timestamp | None) -> Ratio:
    exact = rate * 10**outgoing.scale / 10**incoming.scale
    return Ratio(exact.numerator, exact.denominator, expires_at)


def _marked(value: UnitValue) -> UnitValue:
    return UnitValue(value.code, value.value, value.source, value.as_of, value.max_age_ms, doubtful=True)


def _refused(quotes: Quotes, why: str) -> RateAlarm:
    return RateAlarm(AlarmKind.REFUSED, quotes.source, None, f"the rates of {quotes.source} were refused: {why}")
