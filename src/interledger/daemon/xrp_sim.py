"""The simulator of the XRP Ledger as a program, until a signal says stop. For trying things: it is no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from interledger.daemon.process import run, stop_on_signals
from interledger.settlement.engines.xrp.sim import XrpSimulator

__all__ = ["serve_simulator"]


def serve_simulator(
    port: int, close_ms: int, funds: Mapping[str, int], on_ready: Callable[[XrpSimulator], None]
) -> None:
    """Run it on this machine. `funds`: address -> drops that it begins with. Raises `LinkError`."""
    run(_serve(port, close_ms, funds, on_ready))


async def _serve(port: int, close_ms: int, funds: Mapping[str, int], on_ready: Callable[[XrpSimulator], None]) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with XrpSimulator(port, close_ms=close_ms) as simulator:
        for address, drops in funds.items():
            simulator.ledger.fund(address, drops)
        on_ready(simulator)
        await stop.wait()
