"""From one peer to another: the ratio of their assets, and the entries that a packet makes on the way."""

from __future__ import annotations

from typing import Final, final

from interledger.accounts.ledger import Ledger, LedgerAccount, Leg
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.routing.exchange import Ratio

__all__ = ["Crossing", "make_crossing"]

FOREVER: Final = Timestamp(1 << 62)


@final
class Crossing:
    """Made once per pair of peers, and again when its rate expires. `amount_max`: the most the outgoing one takes."""

    __slots__ = ("amount_max", "denominator", "expires_at", "fee", "fx_in", "fx_out", "numerator", "source", "target")

    def __init__(
        self,
        source: LedgerAccount,
        target: LedgerAccount,
        middle: tuple[LedgerAccount, LedgerAccount | None],
        ratio: Ratio,
        amount_max: int,
    ) -> None:
        """`middle`: the fee account when both peers count in the same asset, else our positions in the two."""
        self.source = source
        self.target = target
        self.fee = self.fx_in = middle[0]
        self.fx_out = middle[1]
        self.numerator = ratio.numerator
        self.denominator = ratio.denominator
        self.expires_at = FOREVER if ratio.expires_at is None else ratio.expires_at
        self.amount_max = min(amount_max, UINT64_MAX)

    def legs(self, amount: int, outgoing_amount: int) -> tuple[Leg, ...]:
        """The entries of one packet. The last one leads onward: recovery relies on it."""
        if self.fx_out is not None:
            return ((self.source, self.fx_in, amount), (self.fx_out, self.target, outgoing_amount))
        if amount == outgoing_amount:
            return ((self.source, self.target, amount),)
        return ((self.source, self.fee, amount - outgoing_amount), (self.source, self.target, outgoing_amount))


def make_crossing(
    ledger: Ledger, source: LedgerAccount, target: LedgerAccount, ratio: Ratio, amount_max: int
) -> Crossing:
    """The crossing between two peers' accounts; opens the accounts that stand between them."""
    if source.asset == target.asset:
        return Crossing(source, target, (ledger.account(f"fee/{source.asset}", source.asset), None), ratio, amount_max)
    taken_in, given_out = (ledger.account(f"fx/{asset}", asset) for asset in (source.asset, target.asset))
    return Crossing(source, target, (taken_in, given_out), ratio, amount_max)
