"""A stop waits for what peers have, and not for ever; it says what is left."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from interledger.daemon.serve import finish_in_flight


class Stopping:
    """Looks like a node whose packets come back one a look."""

    def __init__(self, in_flight: int, *, answered: bool = True) -> None:
        self.ready = True
        self._in_flight = in_flight
        self._answered = answered

    def status(self) -> Any:
        assert not self.ready, "nobody shall send more here"
        seen = self._in_flight
        self._in_flight = max(seen - self._answered, 0)
        return SimpleNamespace(in_flight=seen)


@pytest.mark.parametrize(
    ("node", "left", "says"),
    [
        (Stopping(0), 0, ["stopping packets_in_flight=0"]),
        (Stopping(2), 0, ["stopping packets_in_flight=2"]),
        (
            Stopping(3, answered=False),
            3,
            [
                "stopping packets_in_flight=3",
                "stopping without the answers to 3 packets; the next start waits for them",
            ],
        ),
    ],
)
async def test_what_is_in_flight_is_waited_for(
    node: Stopping, left: int, says: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="interledger.daemon")
    assert await finish_in_flight(cast("Any", node), 100) == left
    assert [record.getMessage() for record in caplog.records] == says
