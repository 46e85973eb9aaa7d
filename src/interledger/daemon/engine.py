"""A settlement engine as a program: its state, its port, its ledger, until a signal says stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from interledger.daemon.logs import start_logging
from interledger.daemon.process import run, stop_on_signals, write_private_json
from interledger.settlement.engine.base import SettlementEngine
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState

__all__ = ["ENGINE_FILE", "serve_engine"]

logger = logging.getLogger("interledger.daemon")

ENGINE_FILE: Final = "engine.json"
"""In the data directory while the engine runs: where it listens. `ilp engine payments` and the like look there."""


def serve_engine(
    engine: SettlementEngine,
    directory: Path,
    settings: EngineSettings,
    on_ready: Callable[[EngineProcess], None],
    log_level: str = "info",
) -> None:
    """Run it until SIGINT or SIGTERM. Raises `StoreError`, `LinkError`, `SettingsError`, and what the engine raises."""
    start_logging(log_level)
    run(_serve(engine, directory, settings, on_ready))


async def _serve(
    engine: SettlementEngine, directory: Path, settings: EngineSettings, on_ready: Callable[[EngineProcess], None]
) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    state = EngineState(directory)
    place = directory / ENGINE_FILE
    process = EngineProcess(engine, state, settings)
    try:
        await process.start()
        write_private_json(place, {"url": process.url, "engine": engine.name, "token": settings.token})
        logger.info("engine %s started url=%s connector=%s", engine.name, process.url, settings.connector_url)
        on_ready(process)
        await stop.wait()
    finally:
        place.unlink(missing_ok=True)
        await process.stop()
        state.close()
    logger.info("stopped")
