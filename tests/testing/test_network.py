"""`testing/network.py`: the kit for tests of others, tested by its own means."""

from __future__ import annotations

import pytest

from interledger.errors import InvalidRequestError
from interledger.testing import BooksError, MemoryNetwork

RATES = {"USD": "1", "EUR": "1.25"}


@pytest.mark.parametrize(
    ("assets", "spread", "amount", "delivered"),
    [
        (("USD/9", "USD/9"), "0", "10 USD", "10.00 USD"),
        (("USD", "EUR"), "0", "10 USD", "8.00 EUR"),
        (("USD/9", "USD/9", "EUR/9"), "0", "10 USD", "8.00 EUR"),
        (("EUR/9", "USD/9"), "0.01", "8 EUR", "9.90 USD"),
    ],
)
def test_a_payment_arrives_to_the_unit(
    ilp_network: MemoryNetwork, assets: tuple[str, ...], spread: str, amount: str, delivered: str
) -> None:
    nodes = ilp_network(*assets, rates=RATES, spread=spread)
    paid = nodes[0].pay(nodes[-1], amount)
    assert (paid.complete, str(paid.sent).split(".")[0], paid.error) == (True, amount.split()[0], "")
    assert str(paid.delivered) == delivered == str(nodes[-1].received)
    assert nodes[0].owed_by(nodes[1]).amount == -paid.sent.amount


def test_the_same_seed_is_the_same_run() -> None:
    def run(seed: int) -> list[object]:
        network = MemoryNetwork(seed)
        alice, hub, bob = network("USD", "USD", "EUR", rates=RATES)
        network.link(alice, hub).lose(0.1)
        return [alice.pay(bob, "10 USD"), network.world.events]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_credit_limits_what_may_be_owed(ilp_network: MemoryNetwork) -> None:
    alice, _, bob = ilp_network("USD", "USD", "USD", credit="5")
    paid = alice.pay(bob, "10 USD")
    assert (paid.complete, paid.code) == (False, "T04")
    assert 0 < paid.sent.amount <= 5 * 10**9


def test_a_cut_in_the_middle_loses_nothing(ilp_network: MemoryNetwork) -> None:
    alice, hub, bob = ilp_network("USD", "USD", "EUR", rates=RATES, delay_ms=20)
    link = ilp_network.link(hub, bob)
    ilp_network.after(200, link.swallow)
    ilp_network.after(400, link.mend)
    paid = alice.pay(bob, "10 USD")
    assert paid.sent.amount + paid.unknown.amount <= 10 * 10**9
    assert bob.received.amount >= paid.delivered.amount


@pytest.mark.parametrize("power", [False, True])
def test_a_node_that_dies_in_the_middle_and_comes_back(ilp_network: MemoryNetwork, power: bool) -> None:
    alice, hub, bob = ilp_network("USD", "USD", "USD", delay_ms=20)
    ilp_network.after(200, lambda: hub.crash(power=power))
    ilp_network.after(1_000, hub.restart)
    alice.pay(bob, "10 USD")


def test_rates_that_jump_in_the_middle(ilp_network: MemoryNetwork) -> None:
    """The slippage floor holds: packets that would bring too little are not accepted."""
    alice, _, bob = ilp_network("USD", "USD", "EUR", rates=RATES, delay_ms=20)
    ilp_network.after(150, lambda: bob.set_rates({"USD": "1", "EUR": "2"}))
    paid = alice.pay(bob, "10 USD")
    assert not paid.complete
    assert paid.delivered.amount * 125 >= paid.sent.amount * 99


def test_books_that_differ_are_told(ilp_network: MemoryNetwork) -> None:
    alice, hub = ilp_network("USD", "USD")
    alice.pay(hub, "1 USD")
    line = hub.node.ledger.find("peer/node0", alice.asset)
    assert line is not None
    line.debits_posted += 1
    with pytest.raises(BooksError, match=r"node0 says that node1 owes it -1\.00 USD"):
        ilp_network.check()
    line.debits_posted -= 1


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda net, a, b: a.pay(b, "10 EUR"), "node0 pays in USD, not in EUR"),
        (lambda net, a, b: net("USD"), "made once"),
        (lambda net, a, b: net.link(a, a), "not neighbours"),
    ],
)
def test_mistakes_are_told_at_once(ilp_network: MemoryNetwork, do: object, says: str) -> None:
    alice, bob = ilp_network("USD", "USD")
    with pytest.raises(InvalidRequestError, match=says):
        do(ilp_network, alice, bob)  # type: ignore[operator]  # a row of the table
