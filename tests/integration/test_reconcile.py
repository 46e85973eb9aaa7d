"""kill -9 in the middle of a payment; then nodes exchange statements, and both ends of every link agree to the unit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.torture.network import NAMES, Books, Network

LINKS = (("alice", "hub"), ("hub", "bob"))
AMOUNT = {"amount": str(20 * 10**9), "asset_code": "USD", "asset_scale": 9}


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path, statement_minutes=60, more='late_claims_max = "1000"\n')
    try:
        yield made
    finally:
        made.clean_up()


async def pay_until_under_way(network: Network) -> str:
    """The id of a payment that is in the middle."""
    alice = network.api("alice")
    paying = asyncio.create_task(alice.pay(network.pointer(), account="alice", send=AMOUNT))
    try:
        async with asyncio.timeout(30):
            while True:
                await asyncio.sleep(0.02)
                items, _ = await alice.payments()
                if items and items[0]["packets"]["fulfilled"] >= 200:
                    return items[0]["id"]
    finally:
        paying.cancel()
        await asyncio.gather(paying, return_exceptions=True)


async def reconciled(network: Network, node: str, peer: str) -> dict[str, Any]:
    """Until nothing is open: a packet may still have time at the peer."""
    async with asyncio.timeout(30):
        while True:
            found = await network.api(node).reconcile(peer)
            if not found["left"] and not found["problem"]:
                return found
            await asyncio.sleep(0.5)


@pytest.mark.slow
@pytest.mark.parametrize("victim", NAMES)
async def test_after_a_kill_both_ends_agree(network: Network, victim: str) -> None:
    await network.start(*NAMES)
    await network.until_linked()
    payment_id = await pay_until_under_way(network)
    network.kill(victim)
    await asyncio.sleep(0.2)
    await network.start(victim)
    if victim != "alice":
        await network.api("alice").cancel_payment(payment_id)
    await network.until_linked()
    await network.until_settled()  # what is still held then would become unknown after the statements
    for left, right in LINKS:
        assert (await reconciled(network, left, right))["agrees"]
        assert (await reconciled(network, right, left))["agrees"]
    for name in NAMES:
        assert (await network.api(name).ledger_check())["sound"]
        assert await network.api(name).unknown() == []
    network.stop()
    books = {name: Books.read(network.place / name) for name in NAMES}
    for left, right in LINKS:
        assert books[left].net(f"peer/{right}") == -books[right].net(f"peer/{left}") != 0
