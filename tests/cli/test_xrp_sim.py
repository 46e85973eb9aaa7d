"""`ilp engine xrp-sim`: what is asked for is what runs, and it says that it is no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from interledger.daemon import xrp_sim
from interledger.settlement.engines.xrp.sim import XrpSimulator

Ilp = Callable[..., Any]


def test_it_says_what_it_is_and_where(ilp: Ilp, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[XrpSimulator] = []

    def serve(simulator: XrpSimulator, on_ready: Callable[[XrpSimulator], None]) -> None:
        async def run() -> None:
            async with simulator:
                on_ready(simulator)

        ran.append(simulator)
        asyncio.run(run())

    monkeypatch.setattr(xrp_sim, "serve_simulator", serve)
    told = ilp("engine", "xrp-sim", "--port", "0", "--faucet", "7")
    assert "Simulated XRP Ledger (no real one) at ws://127.0.0.1:" in told.out
    assert ran[0].api._faucet == 7_000_000
    told = ilp("engine", "xrp-sim", "--port", "0", "-o", "json")
    assert told.json["simulator"] == "xrp-sim"


@pytest.mark.parametrize("given", [("--port", "70000"), ("--faucet", "-1"), ("--close-ms", "0")])
def test_what_cannot_be(ilp: Ilp, given: tuple[str, ...]) -> None:
    assert ilp("engine", "xrp-sim", *given).code == 2
