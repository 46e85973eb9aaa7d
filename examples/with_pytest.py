"""Tests of a program that moves money, with a network in memory:  pytest examples/with_pytest.py

`ilp_network` is there as soon as interledger-py and pytest are installed. Nothing listens, nothing waits.
"""

import subprocess
import sys

from interledger.testing import MemoryNetwork

RATES = {"USD": "1", "EUR": "1.25"}


def test_ten_dollars_are_eight_euros(ilp_network: MemoryNetwork) -> None:
    alice, _, bob = ilp_network("USD", "USD", "EUR", rates=RATES)
    paid = alice.pay(bob, "10 USD")
    assert paid.complete
    assert str(bob.received) == "8.00 EUR"


def test_a_connector_that_dies_loses_nothing(ilp_network: MemoryNetwork) -> None:
    alice, hub, bob = ilp_network("USD", "USD", "EUR", rates=RATES, delay_ms=20)
    ilp_network.after(200, lambda: hub.crash(power=True))
    ilp_network.after(1_000, hub.restart)
    paid = alice.pay(bob, "10 USD")
    assert paid.sent.amount + paid.unknown.amount <= 10 * 10**9
    # When a test is over, the books of all nodes are compared: a unit lost or made fails it.


if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", "-q", __file__]))  # noqa: S603  # itself
