"""A development network on the simulated XRP Ledger; all links are BTP, because claims go over them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_kit import network, pay, settled

from interledger.accounts.asset import Asset
from interledger.daemon.dev import DevNetwork
from interledger.daemon.ledgers import xrp_sim
from interledger.daemon.ledgers.programs import LedgerError, MissingProgramError
from interledger.daemon.ledgers.xrp_sim import XrpSimLedger
from interledger.daemon.topology import parse_assets, parse_topology

XRP = 10**6

pytestmark = [pytest.mark.slow]


async def test_books_and_simulator_agree_to_the_unit(tmp_path: Path) -> None:
    pytest.importorskip("xrpl")
    async with network("xrp-sim", tmp_path, "XRP/6,XRP/6") as line:
        assert {link.kind for link in line.topology.links} == {"BTP"}
        await pay(line, "alice", "bob", 20 * XRP)
        rows = await settled(line)
        assert 9 * XRP <= rows["alice", "hub"].moved <= 20 * XRP
        assert 9 * XRP <= rows["hub", "bob"].moved <= 20 * XRP
        assert (rows["hub", "bob"].transaction or "").startswith("channel ")
    again = DevNetwork(parse_topology("line:3", parse_assets("XRP/6,XRP/6"), 0), tmp_path, settlement="xrp-sim")
    with pytest.raises(LedgerError, match="--fresh"):
        await again.start()
    assert again.nodes == {}


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(xrp_sim, "find_spec", lambda _: None)
    with pytest.raises(MissingProgramError, match="XRP") as caught:
        XrpSimLedger(tmp_path / "none").check()
    assert caught.value.install == "pip install 'interledger-py[xrp]'"


def test_it_has_one_asset(tmp_path: Path) -> None:
    ledger = XrpSimLedger(tmp_path)
    assert [ledger.settles(Asset(code, scale)) for code, scale in (("XRP", 6), ("XRP", 9), ("USD", 6))] == [
        True,
        False,
        False,
    ]
