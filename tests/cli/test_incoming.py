"""`ilp payment incoming`, engines by asset and the level of the log: what interledger-rs's command line has too."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.api.client import ApiClient
from interledger.cli.incoming import incoming_line
from interledger.cli.main import run

Ilp = Callable[..., Any]

PACKET = {
    "to_username": "bob",
    "from_username": "hub",
    "amount": 500_000_000,
    "timestamp": "2026-11-21T12:00:27.212Z",
    "sequence": 7,
    "connection_closed": False,
}


def test_a_line_a_packet() -> None:
    assert incoming_line(PACKET, Asset("EUR", 9)).endswith("  ✓ bob  0.50 EUR from hub")
    assert incoming_line(PACKET, None).endswith("  ✓ bob  500000000 from hub")
    assert incoming_line(PACKET | {"connection_closed": True}, None).endswith("  · bob  the payer is done")


def test_what_comes_in_is_told_as_it_comes(ilp: Ilp, bob: str, place: Path) -> None:
    nodes = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]

    told = threading.Event()

    def pay() -> None:
        api = ApiClient(nodes["alice"]["url"], nodes["alice"]["token"])
        while not told.is_set():
            asyncio.run(api.pay(bob, account="alice", send="0.01 USD"))

    payer = threading.Thread(target=pay)
    payer.start()
    result = ilp("payments", "incoming", "bob", "--limit", "2", "-o", "ndjson")
    told.set()
    payer.join()
    assert result.code == 0
    assert result.err == "  This is spelled  ilp payment incoming  now.\n"
    packets = [json.loads(line) for line in result.out.splitlines()]
    assert [packet["to_username"] for packet in packets] == ["bob", "bob"]


def test_who_may_not_watch(ilp: Ilp) -> None:
    assert ilp("payment", "incoming", "nobody").code == 4
    assert ilp("payment", "incoming", "bob", "--auth", "wrong").code == 6
    assert ilp("payment", "incoming", "--node", "http://127.0.0.1:9").code == 3


def test_engines_by_asset(ilp: Ilp) -> None:
    assert ilp("settlement", "engines").out.startswith("No asset has an engine.")
    made = ilp("settlement-engines", "set-all", "--pair", "EUR", "http://127.0.0.1:3000")
    assert (made.code, made.out.splitlines()[1].split()) == (0, ["EUR", "http://127.0.0.1:3000"])
    more = ilp("settlement", "engines", "USD", "http://127.0.0.1:3001", "-q")
    assert set(more.out.split()) == {"EUR", "USD"}
    assert ilp("settlement", "engines", "USD").code == 2
    assert ilp("settlement", "engines", "--replace", "-q").out == ""


def test_the_level_of_the_log(ilp: Ilp) -> None:
    assert ilp("node", "log-level", "debug", "--dry-run").out.splitlines()[1] == '    PUT /tracing-level  "debug"'
    assert ilp("logs", "warning").out == "✓ Logging level changed to: warning\n"
    loud = ilp("node", "log-level", "loud")
    assert (loud.code, "“loud” is no level" in loud.err) == (2, True)


def test_what_is_gone_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["testnet", "setup", "xrp"], {}) == 2
    assert "does not exist any more. A network of your own:  ilp dev up" in capsys.readouterr().err
