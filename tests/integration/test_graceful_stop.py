"""SIGTERM in the middle of a payment: nothing is lost or in doubt, and the payment goes on when the node is back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tools.torture.network import NAMES, Books, Network, explain_link

RATE = Fraction("0.8") * (1 - Fraction("0.002"))
AMOUNT = 6 * 10**9
"""6,000 packets."""

STOP_S = 15
"""Five seconds of patience, and a busy machine."""

PATIENT_S = 8
"""A payer waits ten seconds for a way that is gone; when the node was away for less, the payment arrives whole."""


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path)
    try:
        yield made
    finally:
        made.clean_up()


def usd(units: int) -> dict[str, object]:
    return {"amount": str(units), "asset_code": "USD", "asset_scale": 9}


async def until_fulfilled(network: Network, packets: int) -> str:
    """The id of alice's payment, once so many of its packets have arrived."""
    async with asyncio.timeout(30):
        while True:
            items, _ = await network.api("alice").payments()
            if items and items[0]["packets"]["fulfilled"] >= packets:
                return str(items[0]["id"])
            await asyncio.sleep(0.02)


async def stop(network: Network, name: str) -> None:
    process = network.running.pop(name)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOP_S):
        while process.poll() is None:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)
    log = (network.place / f"{name}.log").read_text()
    assert process.returncode == 0, log
    assert "stopping without the answers" not in log


def assert_at_rest(books: Books) -> None:
    """Every packet has its outcome: nothing is held, nothing is in doubt."""
    assert books.ledger.check() == []
    assert books.ledger.holds == {}
    assert books.ledger.unknown == {}


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["hub", "bob"])
async def test_a_node_that_is_told_to_stop_leaves_nothing_in_doubt_and_the_payment_goes_on(
    network: Network, victim: str
) -> None:
    await network.start(*NAMES)
    await network.until_linked()
    api = network.api("alice")
    paying = asyncio.create_task(api.pay(network.pointer(), account="alice", send=usd(AMOUNT)))
    try:
        payment_id = await until_fulfilled(network, 300)
        before = asyncio.get_running_loop().time()
        await stop(network, victim)
        assert_at_rest(Books.read(network.place / victim))
        at_stop = (await api.payment(payment_id))["packets"]["fulfilled"]
        await network.start(victim)
        away = asyncio.get_running_loop().time() - before
        payment = await paying
    finally:
        paying.cancel()
        await asyncio.gather(paying, return_exceptions=True)
    assert payment["id"] == payment_id
    if away < PATIENT_S:
        assert payment["state"] == "delivered", payment["error"]
        assert payment["packets"]["fulfilled"] > at_stop
        assert payment["delivered"]["amount"] == str(int(AMOUNT * RATE))
    await network.until_settled()
    network.stop()

    alice, hub, bob = (Books.read(network.place / name) for name in NAMES)
    for books in (alice, hub, bob):
        assert_at_rest(books)
    # Both ends of each link agree to the unit.
    assert explain_link(alice, "peer/hub", hub, "peer/alice") == 0
    assert explain_link(hub, "peer/bob", bob, "peer/hub") == 0
    assert alice.net("local/alice") == int(payment["sent"]["amount"])
    assert -bob.net("local/bob") == int(payment["delivered"]["amount"])
