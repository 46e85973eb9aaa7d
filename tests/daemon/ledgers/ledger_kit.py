"""A development network that settles on a ledger, and what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from interledger.daemon.dev import DevNetwork
from interledger.daemon.settled import Settled, compare_settled
from interledger.daemon.topology import parse_assets, parse_topology

LIMIT_S = 60


@asynccontextmanager
async def network(kind: str, place: Path, assets: str, shape: str = "line:3") -> AsyncIterator[DevNetwork]:
    made = DevNetwork(parse_topology(shape, parse_assets(assets), 0), place, settlement=kind)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def pay(network: DevNetwork, source: str, destination: str, units: int) -> None:
    ended = await network.nodes[source].pay(source, network.pointer(destination), send=units).done()
    assert ended.state == "delivered"


async def settled(
    network: DevNetwork, until: Callable[[Settled], bool] = lambda row: row.is_quiet
) -> dict[tuple[str, str], Settled]:
    """When it is so for every direction: by payer and payee."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            rows = await compare_settled(network.document())
            if all(until(row) for row in rows):
                return {(row.payer, row.payee): row for row in rows}
            await asyncio.sleep(0.05)
