"""For tests of programs that use Interledger: networks of real nodes in memory, on a virtual clock.

With pytest there is a fixture, `ilp_network`, and nothing to import:

    def test_an_exchange(ilp_network):
        alice, hub, bob = ilp_network("USD/9", "USD/9", "EUR/9", rates={"USD": "1", "EUR": "1.25"})
        paid = alice.pay(bob, "10 USD")
        assert str(paid.delivered) == "8.00 EUR"

A minute of network takes some milliseconds. The same seed gives the same run.
"""

from __future__ import annotations

from interledger.testing.network import BooksError, MemoryLink, MemoryNetwork, MemoryNode, Paid

__all__ = ["BooksError", "MemoryLink", "MemoryNetwork", "MemoryNode", "Paid"]
