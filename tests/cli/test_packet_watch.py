"""`ilp packet watch`: a line a packet, a line a second where there are too many, and connections that are lost."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from interledger.api.live_calls import StreamedEvent
from interledger.cli.console import Console
from interledger.cli.packet_watch import Watch, packet_line
from interledger.errors import LinkError

Ilp = Callable[..., Any]


def packet(outcome: str = "fulfilled", **changes: Any) -> StreamedEvent:
    usd, eur = ({"amount": "550000000", "asset_code": code, "asset_scale": 9} for code in ("USD", "EUR"))
    document = {
        "id": "f9cccf91", "at": "2026-11-21T11:52:07.059Z", "outcome": outcome, "code": None, "message": None,
        "incoming": "alice", "outgoing": "bob", "amount_in": usd, "amount_out": eur, "answered_after_us": 3_100,
    }  # fmt: skip
    return StreamedEvent("packet", None, document | changes)


def missed(count: int) -> StreamedEvent:
    return StreamedEvent("missed", None, {"packets": count})


class Api:
    """Connections, each of which ends after its events."""

    def __init__(self, *connections: list[StreamedEvent]) -> None:
        self.connections = list(connections)

    async def packets(self, **_: Any) -> dict[str, Any]:
        return {"items": []}

    async def tail_packets(self, **_: Any) -> AsyncIterator[StreamedEvent]:
        for event in self.connections.pop(0):
            yield event
        raise LinkError("lost")


async def follow(api: Api, limit: int, **options: Any) -> list[str]:
    out = io.StringIO()
    console = Console(out, out)

    async def sleep(seconds: float) -> None:
        return None

    def put(document: Any) -> None:
        console.print(packet_line(document, console))

    await Watch(put, console, limit=limit, sleep=sleep, **options).run(api, {})  # type: ignore[arg-type]  # all that is asked of it
    return out.getvalue().splitlines()


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


async def test_a_line_a_packet() -> None:
    refused = packet("rejected", code="T04", outgoing=None, amount_out=None, message="no \x1b[2Jroom")
    lines = await follow(Api([packet(), refused]), 2)
    assert [line.partition("  ")[2] for line in lines] == [
        "f9cccf91  ✓ fulfilled  0.55 USD = 0.55 EUR  alice → bob  3.1 ms",
        "f9cccf91  ✗ T04  0.55 USD  alice → –  3.1 ms  no \\x1b[2Jroom",
    ]
    assert all(line.endswith(".059") for line in (line.partition("  ")[0] for line in lines))


async def test_above_200_a_second_a_line_a_second() -> None:
    moments = iter([0.0, *([0.5] * 4), *([9.0] * 9)])
    events = [packet(), missed(1_300), packet(), packet("rejected", code="T04"), missed(1_500), packet()]
    lines = [line.partition("  ")[2] for line in await follow(Api(events), 4, monotonic=lambda: next(moments))]
    assert lines[0].startswith("f9cccf91  ✓ fulfilled")
    assert lines[1] == "· 1,300 packets in a second"
    assert lines[2] == "· 1,502 packets in a second   of 2 looked at: 1 fulfilled, 1 rejected"
    assert lines[3].startswith("f9cccf91  ✓ fulfilled")


async def test_what_is_read_by_programs_is_never_summed_up() -> None:
    lines = await follow(Api([missed(1_300), packet(), packet()]), 2, counts=False)
    assert lines[0] == "— 1,300 packets more in this second —"
    assert len(lines) == 3


async def test_a_connection_that_is_lost() -> None:
    lines = await follow(Api([packet()], [], [packet()]), 2)
    assert lines[1] == "— the connection was lost; packets until it is back are missed —"
    assert len(lines) == 3


def test_packets_of_a_network(ilp: Ilp, bob: str) -> None:
    """Watched while alice pays, then traced: the way, the steps, and what was inside."""
    words = [sys.executable, "-m", "interledger", "packet", "watch", "--outcome", "fulfilled", "--limit", "2"]
    watching = subprocess.Popen([*words, "-o", "ndjson", "--node", "hub"], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(20):  # until somebody listens
            assert ilp("pay", "--from", "alice", bob, "1 USD", "-q").code == 0
            if watching.poll() is not None:
                break
        out, _ = watching.communicate(timeout=20)
    finally:
        watching.kill()
        watching.wait()
    packets = [json.loads(line) for line in out.splitlines()]
    assert [one["outcome"] for one in packets] == ["fulfilled"] * 2
    traced = ilp("packet", "trace", packets[0]["id"])
    assert traced.code == 0
    for words in (
        "  alice   sent      0.50 USD",
        "    │ BTP, ",
        "  hub     ✓ admit   account alice",
        "          ✓ route   test.bob → bob, longest prefix",
        "          ✓ convert 0.50 USD × 9185361/10000000 = 0.45926805 EUR",
        "    │ HTTP, ",
        "  bob     ✓ fulfilled",
        "  STREAM (decrypted: this node has the secret)",
        "Fulfill, arrived 0.459268050 EUR",
    ):
        assert words in traced.out
    document = ilp("packet", "trace", packets[0]["id"], "-o", "json").json
    assert [hop["node"] for hop in document["hops"]] == ["alice", "hub", "bob"]
    assert document["stream"]["frames"][0]["frame"] == "StreamMoney"
    refused = ilp("packet", "list", "--code", "F08", "-q").out.split()[0]
    text = ilp("packet", "trace", refused, "--node", "hub").out
    assert "in one packet, this has" in text
    assert "    ╎ not sent" in text
    assert ilp("packet", "trace", "00000000").code == 4
    assert ilp("packet", "watch", "--node", "http://127.0.0.1:9").code == 3
    assert ilp("packet", "watch", "--outcome", "lost").code == 2
