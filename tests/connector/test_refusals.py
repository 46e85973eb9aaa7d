"""R01 and F08 of an amount: F08 tells the sender what would pass, and never as much as was sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.codec.oer import UINT64_MAX
from interledger.connector.crossing import Crossing, make_crossing
from interledger.connector.refusals import refuse_amount
from interledger.ilp.error_codes import AmountTooLarge
from interledger.routing.exchange import Ratio


def crossing(numerator: int, denominator: int, amount_max: int) -> Crossing:
    ledger = Ledger()
    accounts = ledger.account("peer/a", Asset("USD", 2)), ledger.account("peer/b", Asset("EUR", 2))
    return make_crossing(ledger, *accounts, Ratio(numerator, denominator, None), amount_max)


def test_D_15_what_converts_to_nothing_is_R01() -> None:
    assert refuse_amount(1, 0, crossing(1, 2, 10)).code == "R01"


@given(st.integers(1, UINT64_MAX), st.integers(1, 10**12), st.integers(1, 10**12), st.integers(1, UINT64_MAX))
def test_A17_what_F08_names_would_pass_or_is_one_less_than_what_came(
    amount: int, numerator: int, denominator: int, amount_max: int
) -> None:
    made = crossing(numerator, denominator, amount_max)
    outgoing = amount * numerator // denominator
    if outgoing <= made.amount_max:
        return
    refused = refuse_amount(amount, outgoing, made)
    told = AmountTooLarge.decode(refused.data)
    assert (refused.code, told[0]) == ("F08", amount)
    assert 0 <= told[1] < amount
    assert told[1] * numerator // denominator <= made.amount_max
