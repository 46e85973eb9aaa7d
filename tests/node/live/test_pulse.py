"""The pulse beats while something moves or somebody looks, and not otherwise."""

from __future__ import annotations

import asyncio

import pytest

from interledger.clock import Timestamp
from interledger.node.live import pulse as module
from interledger.node.live.pulse import Pulse


class Clock:
    def now(self) -> Timestamp:
        return Timestamp(1_000_000)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_MS", 4)


async def beats(pulse: Pulse, seconds: float = 0.06) -> int:
    seen: list[Timestamp] = []
    pulse.on_beat.append(seen.append)
    await asyncio.sleep(seconds)
    pulse.on_beat.remove(seen.append)
    return len(seen)


async def test_an_idle_node_is_idle() -> None:
    pulse = Pulse(Clock())
    pulse.start()
    assert await beats(pulse) == 2  # what moved before the start
    assert await beats(pulse) == 0
    pulse.stir()
    pulse.stir()
    assert await beats(pulse) == 2
    pulse.stop()
    pulse.stir()
    assert await beats(pulse) == 0


async def test_it_beats_as_long_as_somebody_looks() -> None:
    pulse = Pulse(Clock())
    pulse.start()
    leave, leave_too = pulse.watch(), pulse.watch()
    assert await beats(pulse) > 3
    leave()
    leave()
    assert await beats(pulse) > 3
    leave_too()
    await beats(pulse)
    assert await beats(pulse) == 0
    pulse.stop()
