"""`/api/drain`, `/api/resume` and `/api/stop`."""

from __future__ import annotations

from typing import Any

from interledger.accounts.credentials import Scope


async def test_a_node_is_drained_resumed_and_stopped(call: Any, node: Any) -> None:
    for path, status, expected in (
        ("/api/drain", 200, (False, False)),
        ("/api/drain", 200, (False, False)),
        ("/api/resume", 200, (True, False)),
        ("/api/stop", 202, (False, True)),
    ):
        answer = await call("POST", path)
        assert (answer.status, answer.json["taking_packets"], answer.json["stopping"]) == (status, *expected), path
        assert answer.json["in_flight"] == 2
    assert (await call("POST", "/api/resume")).problem == "conflict"
    assert (await call("GET", "/api/status")).json["taking_packets"] is False


async def test_who_may_look_may_not_stop_it(call: Any, node: Any) -> None:
    made = await call("POST", "/api/tokens", {"label": "grafana", "may": [Scope.READ.value]})
    for path in ("/api/drain", "/api/resume", "/api/stop"):
        assert (await call("POST", path, token=made.json["token"])).status == 403
    assert node.intake.is_open
