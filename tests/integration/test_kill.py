"""kill -9 of each node in the middle of a payment: no money is made or lost, and what is not known is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from interledger.accounts.account import HttpForm
from tools.torture.network import NAMES, Books, Network, explain_link

RATE = Fraction("0.8") * (1 - Fraction("0.002"))
AMOUNT = 20 * 10**9
"""20,000 packets: the payment takes longer than the test lets it."""


@pytest.fixture
def form() -> HttpForm:
    """Of the links over HTTP."""
    return HttpForm.SYNC


@pytest.fixture
def network(tmp_path: Path, form: HttpForm) -> Iterator[Network]:
    made = Network(tmp_path, form)
    try:
        yield made
    finally:
        made.clean_up()


async def pay_until_under_way(network: Network) -> str:
    """Start a payment at alice. Returns its id when hundreds of packets have arrived and more are in flight."""
    alice = network.api("alice")
    paying = asyncio.create_task(alice.pay(network.pointer(), account="alice", send=amount(AMOUNT)))
    try:
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.02)
                items, _ = await alice.payments()
                if items and items[0]["packets"]["fulfilled"] >= 300:
                    return items[0]["id"]
    finally:
        paying.cancel()
        await asyncio.gather(paying, return_exceptions=True)


def amount(units: int) -> dict[str, object]:
    return {"amount": str(units), "asset_code": "USD", "asset_scale": 9}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "form"),
    [
        *((name, HttpForm.SYNC) for name in NAMES),
        ("hub", HttpForm.OER_SYNC),
        ("hub", HttpForm.OER_ASYNC),
        ("bob", HttpForm.OER_ASYNC),
    ],
)
async def test_kill_in_the_middle_of_a_payment(network: Network, victim: str) -> None:
    await network.start(*NAMES)
    await network.until_linked()
    payment_id = await pay_until_under_way(network)
    network.kill(victim)
    await asyncio.sleep(0.2)  # the others notice
    await network.start(victim)
    if victim == "alice":
        payment = await network.api("alice").payment(payment_id)
        assert payment["state"] == "unknown"
    else:
        await network.api("alice").cancel_payment(payment_id)
    await network.until_settled()
    await network.until_linked()
    # It is as good as new: on the same books another payment arrives whole.
    again = await network.api("alice").pay(network.pointer(), account="alice", send=amount(10**9))
    assert again["state"] == "delivered", again["error"]
    assert again["delivered"]["amount"] == str(int(10**9 * RATE))
    await network.until_settled()
    payments, _ = await network.api("alice").payments()
    network.stop()

    alice, hub, bob = (Books.read(network.place / name) for name in NAMES)
    for books in (alice, hub, bob):
        assert books.ledger.check() == []
        assert books.ledger.holds == {}
    # Both ends of each link agree, but for what one end has on record as unknown.
    owed_by_alice = explain_link(alice, "peer/hub", hub, "peer/alice")
    owed_by_hub = explain_link(hub, "peer/bob", bob, "peer/hub")
    # Over the whole network, per asset: what the holders paid and got is what the nodes between them moved.
    assert hub.net("peer/alice") == alice.net("local/alice") + owed_by_alice
    assert -bob.net("local/bob") == -hub.net("peer/bob") + owed_by_hub
    assert hub.net("fx/USD/9") == -hub.net("peer/alice")
    assert hub.net("fx/EUR/9") == -hub.net("peer/bob")
    assert -hub.net("peer/bob") <= hub.net("peer/alice") * RATE
    # The sender's own account of it: never more delivered than arrived, never less sent than it knows of.
    assert all(payment["delivered"] for payment in payments)
    assert 0 < sum(int(payment["delivered"]["amount"]) for payment in payments) <= -bob.net("local/bob")
    told = sum(int(payment["sent"]["amount"]) for payment in payments)
    assert told <= alice.net("local/alice") if victim == "alice" else told == alice.net("local/alice")
    if victim == "bob":
        assert owed_by_alice == 0
