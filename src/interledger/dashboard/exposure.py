"""Who owes whom, as the bars of the pages show it: shares of each side's own limit, in percent of the bar's width.

The centre is zero. What they owe us grows to the right, what we owe to the left; in a full half no room is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from interledger.dashboard.numbers import units_of

__all__ = ["NEAR_PERCENT", "Bar", "Exposure", "exposure_of", "percent_text"]

NEAR_PERCENT: Final = 80
"""From here on an account is near its limit: there is still time to do something."""

HALF: Final = 5_000
"""Half a bar, in hundredths of a percent."""


class Bar(NamedTuple):
    """A piece of a bar: where it begins and how wide it is, as SVG has it (`50%`)."""

    x: str
    width: str


class Exposure(NamedTuple):
    """One account. `side`: owes-us, we-owe or even; amounts in units, never negative."""

    side: str
    amount: int
    in_flight: int
    """What would be added to `amount` if all of it were fulfilled."""
    limit: int | None
    other_limit: int | None
    solid: Bar
    hatched: Bar
    settle_at: str | None
    """Where we settle, on the left half."""
    is_near: bool


def exposure_of(account: Mapping[str, Any]) -> Exposure:
    """Of an account's document."""
    net = int(account["position"]["net"])
    limits, pending = account["limits"], account["pending"]
    owes_us_max, we_owe_max = (_limit(limits[name]) for name in ("owes_us_max", "we_owe_max"))
    side = "owes-us" if net > 0 else "we-owe" if net < 0 else "even"
    # Nobody owes: what is in flight from them is the more usual.
    rightwards = net > 0 or (net == 0 and int(pending["in"]) >= int(pending["out"]))
    in_flight = int(pending["in" if rightwards else "out"])
    limit, other = (owes_us_max, we_owe_max) if rightwards else (we_owe_max, owes_us_max)
    amount = abs(net)
    solid, more = _share(amount, limit, amount), _share(amount + in_flight, limit, amount)
    if rightwards:
        bars = Bar(percent_text(HALF), percent_text(solid)), Bar(percent_text(HALF + solid), percent_text(more - solid))
    else:
        bars = (
            Bar(percent_text(HALF - solid), percent_text(solid)),
            Bar(percent_text(HALF - more), percent_text(more - solid)),
        )
    threshold = account["settle_threshold"]
    settle_at = None
    if threshold is not None:
        settle_at = percent_text(HALF - _share(units_of(threshold), we_owe_max, units_of(threshold)))
    near = limit is not None and limit > 0 and (amount + in_flight) * 100 >= limit * NEAR_PERCENT
    return Exposure(side, amount, in_flight, limit, other, *bars, settle_at, near)


def percent_text(hundredths: int) -> str:
    """4116 -> `41.16%`"""
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def _share(amount: int, limit: int | None, scale: int) -> int:
    """Of half a bar. Without a limit the amount itself fills half of the half."""
    whole = limit if limit is not None else 2 * scale
    if amount <= 0:
        return 0
    return HALF if whole <= 0 else min(HALF, max(amount * HALF // whole, 20))


def _limit(text: str | None) -> int | None:
    return None if text is None else int(text)
