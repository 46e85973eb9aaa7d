"""The simulator of the XRP Ledger as a program, until a signal says stop. For trying things: it is no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from interledger.daemon.process import run, stop_on_signals
from interledger.settlement.engines.xrp.sim import XrpSimulator

__all__ = ["serve_simulator"]


def serve_simulator(simulator: XrpSimulator, on_ready: Callable[[XrpSimulator], None]) -> None:
    """Run it until SIGINT or SIGTERM. Raises `LinkError` when its port cannot be had."""
    run(_serve(simulator, on_ready))


async def _serve(simulator: XrpSimulator, on_ready: Callable[[XrpSimulator], None]) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with simulator:
        on_ready(simulator)
        await stop.wait()
