"""A stop waits for what peers have, and not for ever; it says what is left."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from interledger.daemon.serve import finish_in_flight


class Stopping:
    """Looks like a node whose packets come back one a look."""

    def __init__(self, in_flight: int, *, answered: bool = True, come: int = 0) -> None:
        """`come`: how many packets come, one between two looks."""
        self.ready = True
        self.looks = 0
        self._come = come
        self._in_flight = in_flight
        self._answered = answered
        self.connector = SimpleNamespace(peers={"bob": SimpleNamespace(guards=())})

    def status(self) -> Any:
        assert not self.ready, "nobody shall send more here"
        seen = self._in_flight
        self._in_flight = max(seen - self._answered, 0)
        self.looks += 1
        return SimpleNamespace(in_flight=seen, packets={"prepares": min(self.looks, self._come)})


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
    [guard] = node.connector.peers["bob"].guards
    assert guard(cast("Any", None), cast("Any", 0)).code == "T03"


@pytest.mark.parametrize(("come", "looks"), [(0, 11), (5, 15), (1_000, 51)])
async def test_packets_that_were_on_their_way_are_answered_and_a_flood_holds_nothing_up(come: int, looks: int) -> None:
    node = Stopping(0, come=come)
    assert await finish_in_flight(cast("Any", node)) == 0
    assert node.looks == looks
