"""A development network on a real Ethereum chain: what is owed becomes tokens that moved, over restarts too."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from ledger_kit import network, pay, settled

from interledger.accounts.asset import Asset
from interledger.daemon.ledgers import anvil
from interledger.daemon.ledgers.anvil import AnvilLedger
from interledger.daemon.ledgers.programs import LedgerError, MissingProgramError

UNIT = 10**9


def is_there() -> bool:
    try:
        AnvilLedger(Path()).check()
    except MissingProgramError:
        return False
    return True


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not is_there() and "ILP_REQUIRE_INTEROP" not in os.environ,
        reason="anvil is not installed (cd tests/interop && npm ci)",
    ),
]


async def test_books_and_chain_agree_to_the_unit_and_go_on_after_a_restart(tmp_path: Path) -> None:
    async with network("anvil", tmp_path, "USD/9,EUR/9") as line:
        await pay(line, "alice", "bob", 10 * UNIT)
        first = await settled(line)
        assert 5 * UNIT <= first["alice", "hub"].moved <= 10 * UNIT
        assert 5 * UNIT <= first["hub", "bob"].moved <= 10 * UNIT
        assert first["hub", "alice"].moved == first["bob", "hub"].moved == 0
        assert (first["alice", "hub"].transaction or "").startswith("0x")
        alice, hub = (line.nodes["alice"].position("hub").net, line.nodes["hub"].position("alice").net)
        assert -alice == hub == 10 * UNIT - first["alice", "hub"].moved
        assert [alarm for node in line.nodes.values() for alarm in node.alarms] == []
        assert line.settlement is not None
        assert [alarm for process in line.settlement.engines.values() for alarm in process.alarms] == []

    async with network("anvil", tmp_path, "USD/9,EUR/9") as line:
        assert await settled(line) == first
        await pay(line, "bob", "alice", 20 * UNIT)
        second = await settled(line)
        assert second["alice", "hub"].moved == first["alice", "hub"].moved
        # The peers owed each other something already, so it is not all that was paid.
        assert second["bob", "hub"].moved > 10 * UNIT
        assert second["hub", "alice"].moved > 10 * UNIT


async def test_ether_is_paid_as_it_is_and_scales_may_differ(tmp_path: Path) -> None:
    async with network("anvil", tmp_path, "ETH/9,KES/2") as line:
        await pay(line, "alice", "bob", 3 * 10**6)
        rows = await settled(line)
        assert 2 * 10**6 <= rows["alice", "hub"].moved <= 3 * 10**6
        assert rows["hub", "bob"].moved > 600_00


async def test_a_hub_with_several_peers_in_one_asset_has_one_engine(tmp_path: Path) -> None:
    async with network("anvil", tmp_path, "USD/6", "star:3") as star:
        assert star.settlement is not None
        assert len(star.settlement.engines) == 4
        await pay(star, "alice", "bob", 8 * 10**6)
        await pay(star, "carol", "bob", 8 * 10**6)
        rows = await settled(star)
        assert rows["alice", "hub"].moved
        assert rows["carol", "hub"].moved
        assert rows["hub", "bob"].moved > rows["carol", "hub"].moved


async def test_a_program_that_does_not_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\necho the chain is broken\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(anvil, "find_program", lambda *_: str(program))
    ledger = AnvilLedger(tmp_path / "ledger")
    with pytest.raises(LedgerError, match="the chain is broken"):
        await ledger.start([Asset("USD", 9)])
    await ledger.stop()
    await ledger.stop()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anvil, "find_program", lambda *_: None)
    with pytest.raises(MissingProgramError, match="anvil") as caught:
        AnvilLedger(Path()).check()
    assert caught.value.install.startswith("npm install @foundry-rs/anvil")
    monkeypatch.setattr(anvil, "find_spec", lambda _: None)
    with pytest.raises(MissingProgramError, match="libraries") as caught:
        AnvilLedger(Path()).check()
    assert caught.value.install == "pip install 'interledger-py[evm]'"


def test_the_tokens_code_is_that_of_its_source() -> None:
    pytest.importorskip("vyper")
    folder = resources.files("interledger.daemon.ledgers")
    command = [sys.executable, "-W", "ignore", "-m", "vyper.cli.vyper_compile", "-f", "bytecode"]
    made = subprocess.run(
        [*command, str(folder.joinpath("token.vy"))], check=True, capture_output=True, text=True
    ).stdout
    assert made == folder.joinpath("token.bin").read_text()
