"""`ilp doctor`: every fault has a line, and a command that helps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interledger.cli.console import Console
from interledger.cli.doctor import Finding, finding_lines, node_findings

Ilp = Callable[..., Any]

NOW = datetime(2026, 11, 21, 12, 4, tzinfo=UTC)
UNIT = 10**9
GOOD = {"ready": True, "read_only": False, "unknown": 0, "alarms": []}


def findings(accounts: list[Any], rates: Any = (), settlements: Any = (), **status: Any) -> list[Finding]:
    return [one for one in node_findings(GOOD | status, accounts, rates, settlements, NOW) if one.verdict != "good"]


def test_faults_of_a_node(make_account: Callable[..., Any]) -> None:
    bob = make_account(link={"up": False, "since": "2026-11-21T12:00:00.000Z"})
    lago = make_account(id="lago", asset_code="MXN", net=82 * UNIT, limits={"owes_us_max": str(100 * UNIT)})
    full = make_account(id="kivu", net=-100 * UNIT, limits={"we_owe_max": str(100 * UNIT)})
    stuck = {"id": "set_4H2", "account": "bob", "error": "503\x1b", "done_at": None, "state": "sending"}
    held = {"id": "set_5", "account": "bob", "error": None, "done_at": None, "state": "held"}
    found = findings(
        [bob, lago, full], [{"code": "EUR"}], [stuck, held], read_only=True, unknown=2, alarms=["the disk is full"]
    )
    assert [(one.check, one.verdict, one.text) for one in found] == [
        ("ready", "bad", "read-only: its books cannot be written"),
        ("links", "bad", "bob is down for 4 min"),
        ("limits", "look", "lago has used 82 % of what it may owe us"),
        ("limits", "bad", "kivu has used 100 % of what we may owe it"),
        ("rates", "bad", "none of MXN: packets that need it are rejected"),
        ("settlement", "look", "set_4H2 with bob: 503\\x1b"),
        ("settlement", "look", "1 came in beyond what is credited by itself"),
        ("unknown", "unknown", "2 amounts that nobody has proved"),
        ("alarm", "bad", "the disk is full"),
    ]
    assert all(one.advice for one in found if one.check != "alarm")


def test_a_node_that_starts_and_one_without_peers(make_account: Callable[..., Any]) -> None:
    assert [one.check for one in findings([], ready=False)] == ["ready", "links"]
    down = [make_account(id=f"p{i}", link={"up": False, "since": None}) for i in range(5)]
    assert findings(down)[-1].text == "2 more are down"


def test_lines(pipe: Console) -> None:
    good, bad = Finding("links", "good", "all 2 up"), Finding("links", "bad", "bob is down", "Do it")
    assert finding_lines([good], pipe) == ["  ✓ links       all 2 up", "Nothing is wrong."]
    assert finding_lines([bad], pipe) == ["  ✗ links       bob is down", "                Do it", "1 thing to see to."]


def test_a_real_node_and_a_real_peer(ilp: Ilp, place: Path) -> None:
    node = ilp("doctor")
    assert (node.code, node.out.splitlines()[-1]) == (0, "Nothing is wrong.")
    assert "✓ links       all 2 up" in node.out
    peer = ilp("doctor", "peer", "bob")
    assert peer.out.startswith("bob   peer   EUR, scale 9   test.bob")
    assert ilp("doctor", "peer", "bob", "--json").json["checks"]
    assert ilp("doctor", "peer", "bbo").err == "✗ There is no account “bbo”. Did you mean  bob ?\n"
    assert ilp("doctor", "peer", "alice", "--node", "alice").code == 2
    assert ilp("doctor", "peers").code == 2
    assert ilp("doctor", "--node", "http://127.0.0.1:9").code == 3


def test_settings_of_this_directory(ilp: Ilp, place: Path) -> None:
    file = place / "ilp.toml"
    try:
        file.write_text("spred = 1\n")
        wrong = ilp("doctor")
        assert (wrong.code, "spred is not a setting" in wrong.out) == (10, True)
    finally:
        file.unlink()
