"""Why a node takes no packets, from its start to its end."""

from __future__ import annotations

from interledger.node.node import Node
from interledger.node.watchdog import STEADY_MS
from tests.node.loopback import running, settings


async def test_from_start_to_end() -> None:
    assert reason(Node(settings("test.hub"))) == "starting"
    async with running(settings("test.hub")) as node:
        assert reason(node) is None
        node.watchdog.look(node.clock.now(), 1_000)
        node.watchdog.look(node.clock.now() + 60_000, 2_000)
        assert reason(node) == "clock"
        node.watchdog.look(node.clock.now() + 60_000 + STEADY_MS, 2_000 + STEADY_MS)
        assert reason(node) is None
        node.ledger.read_only = True
        assert reason(node) == "books"
        node.ledger.read_only = False
    assert reason(node) == "stopping"


def reason(node: Node) -> str | None:
    why = node.not_ready()
    return None if why is None else why.reason
