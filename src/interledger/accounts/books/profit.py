"""Profit and loss: fees and losses of each asset, and what every pair of assets brought and took. Exact, unvalued.

What a position is worth depends on rates; whoever shows it multiplies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.past import Past, Posting, PostingKind
from interledger.clock import Timestamp

__all__ = ["AssetResult", "PairResult", "Profit", "ProfitReport"]


class AssetResult(NamedTuple):
    """One asset in the time asked for. `position`: what we hold of it by exchange in the end (above zero: long)."""

    asset: Asset
    fees: int
    losses: int
    corrections: int
    taken: int
    given: int
    position: int


class PairResult(NamedTuple):
    """Packets that came in one asset and left in another: `taken` of the first, `given` of the second."""

    taken_asset: Asset
    given_asset: Asset
    packets: int
    taken: int
    given: int


class ProfitReport(NamedTuple):
    """All assets and pairs, by name. `kept_from`: nothing before it is in here."""

    kept_from: Timestamp
    assets: Sequence[AssetResult]
    pairs: Sequence[PairResult]


@final
class Profit:
    """Feed it every posting after an opening, then `finish`."""

    def __init__(self, *, start: int | None = None, end: int | None = None) -> None:
        """`start` and `end` in ms UTC; `end` is not included."""
        self._start = start or 0
        self._end = end
        self._assets: dict[Asset, dict[str, int]] = {}
        self._pairs: dict[tuple[Asset, Asset], list[int]] = {}

    def feed(self, posting: Posting) -> None:
        """Add what it earned, lost or exchanged."""
        if posting.at < self._start or (self._end is not None and posting.at >= self._end):
            return
        taken: tuple[Asset, int] | None = None
        given: tuple[Asset, int] | None = None
        for debited, credited, amount in posting.legs:
            asset = debited.asset
            for account, signed in ((debited, -amount), (credited, amount)):
                kind = account.name.partition("/")[0]
                if kind in ("fee", "loss", "correction"):
                    self._of(asset)[kind] += signed
            if credited.name.startswith("fx/"):
                self._of(asset)["taken"] += amount
                taken = (asset, amount)
            if debited.name.startswith("fx/"):
                self._of(asset)["given"] += amount
                given = (asset, amount)
        if taken is not None and given is not None and posting.kind is PostingKind.PACKET:
            pair = self._pairs.setdefault((taken[0], given[0]), [0, 0, 0])
            pair[0] += 1
            pair[1] += taken[1]
            pair[2] += given[1]

    def finish(self, past: Past) -> ProfitReport:
        """All postings were fed; `past` is where they lead."""
        assets = []
        for asset in sorted({account.asset for account in past.ledger.accounts}):
            sums = self._of(asset)
            position = past.ledger.find(f"fx/{asset}", asset)
            assets.append(
                AssetResult(
                    asset, sums["fee"], -sums["loss"], -sums["correction"], sums["taken"], sums["given"],
                    0 if position is None else -position.net,
                )
            )  # fmt: skip
        pairs = [PairResult(*pair, *sums) for pair, sums in sorted(self._pairs.items())]
        return ProfitReport(past.opening.at, [result for result in assets if any(_amounts(result))], pairs)

    def _of(self, asset: Asset) -> dict[str, int]:
        return self._assets.setdefault(asset, dict.fromkeys(("fee", "loss", "correction", "taken", "given"), 0))


def _amounts(result: AssetResult) -> Sequence[Any]:
    return result[1:]
