"""What a payment cost, beside what the node's rates say."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.api.payment_cost import cost_document
from tests.api.conftest import FakeNode, FakePayment

USD, EUR2 = Asset("USD", 9), Asset("EUR", 2)


@pytest.mark.parametrize(
    ("sent", "delivered", "destination", "values", "expected"),
    [
        (10_000, 9_000, USD, {}, ("1000", 100_000, "1", "1")),
        (10_000, 0, USD, {}, None),
        (0, 0, USD, {}, None),
        (10_000, 9_000, None, {}, None),
        (10_000, 9_000, EUR2, {"USD": "1"}, None),
        (10 * 10**9, 792, EUR2, {"USD": "1", "EUR": "1.25"}, ("100000000", 10_000, "1", "12500000")),
        (10 * 10**9, 801, EUR2, {"USD": "1", "EUR": "1.25"}, ("-12500000", -1_250, "1", "12500000")),
    ],
)
def test_what_was_kept(
    sent: int, delivered: int, destination: Asset | None, values: dict[str, str], expected: Any
) -> None:
    node, payment = FakeNode(), FakePayment("alice", "$bob.test", sent, None)
    node.values = values
    payment.sent, payment.delivered, payment.destination_asset = sent, delivered, destination
    cost = cost_document(node, payment)["cost"]  # type: ignore[arg-type]  # stands for a node
    found = cost and (
        cost["fee"]["amount"], cost["fee_per_million"], cost["market"]["numerator"], cost["market"]["denominator"]
    )  # fmt: skip
    assert found == expected
