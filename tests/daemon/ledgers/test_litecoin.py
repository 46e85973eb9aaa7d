"""A development network on a real Litecoin chain: what is owed becomes outputs in blocks, over restarts too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from ledger_kit import network, pay, settled

from interledger.accounts.asset import Asset
from interledger.daemon.ledgers import litecoin
from interledger.daemon.ledgers.litecoin import LitecoinLedger
from interledger.daemon.ledgers.programs import LedgerError, MissingProgramError

LTC_CENT = 10**6

needs_litecoind = pytest.mark.skipif(
    shutil.which("litecoind") is None and "ILP_REQUIRE_INTEROP" not in os.environ,
    reason="litecoind is not installed (Debian: apt install litecoind)",
)


@pytest.mark.slow
@needs_litecoind
async def test_books_and_chain_agree_to_the_unit_and_go_on_after_a_restart(tmp_path: Path) -> None:
    async with network("litecoin", tmp_path, "LTC/8,LTC/8") as line:
        await pay(line, "alice", "bob", 10 * LTC_CENT)
        first = await settled(line)
        assert 6 * LTC_CENT <= first["alice", "hub"].moved <= 10 * LTC_CENT
        assert 6 * LTC_CENT <= first["hub", "bob"].moved <= 10 * LTC_CENT
        assert first["hub", "alice"].moved == 0
        assert len(first["alice", "hub"].transaction or "") == 64
        assert line.nodes["hub"].position("alice").net == 10 * LTC_CENT - first["alice", "hub"].moved
        assert line.settlement is not None
        assert [alarm for process in line.settlement.engines.values() for alarm in process.alarms] == []

    async with network("litecoin", tmp_path, "LTC/8,LTC/8") as line:
        assert await settled(line) == first
        await pay(line, "bob", "alice", 20 * LTC_CENT)
        second = await settled(line)
        assert second["alice", "hub"].moved == first["alice", "hub"].moved
        assert second["bob", "hub"].moved > 10 * LTC_CENT


async def test_a_program_that_does_not_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "litecoind"
    program.write_text("#!/bin/sh\necho the disk is full\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(litecoin, "find_program", lambda *_: str(program))
    ledger = LitecoinLedger(tmp_path / "ledger")
    ledger.check()
    with pytest.raises(LedgerError, match="the disk is full"):
        await ledger.start([Asset("LTC", 8)])
    await ledger.stop()
    await ledger.stop()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litecoin, "find_program", lambda *_: None)
    with pytest.raises(MissingProgramError, match="litecoind") as caught:
        LitecoinLedger(Path()).check()
    assert caught.value.install.startswith("apt install litecoind")


def test_it_has_one_asset() -> None:
    assert [LitecoinLedger(Path()).settles(Asset(code, 8)) for code in ("LTC", "USD", "BTC")] == [True, False, False]
