"""The demonstration compares every balance, and says so when one is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.daemon.demo import Check, DemoReport, run_demo
from interledger.daemon.topology import parse_assets, parse_topology


class Watcher:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def started(self, network: Any) -> None:
        self.seen.append(f"started {len(network.nodes)}")

    def quoted(self, quote: Any) -> None:
        self.seen.append("quoted")

    def progress(self, payment: Any) -> None:
        self.seen.append(payment.state)


async def demo(tmp_path: Path, shape: str = "line:3") -> tuple[DemoReport, Watcher]:
    watcher = Watcher()
    topology = parse_topology(shape, parse_assets("USD/9,EUR/9"), 0)
    return await run_demo(topology, tmp_path, 10 * 10**9, watcher), watcher


async def test_the_books_agree(tmp_path: Path) -> None:
    report, watcher = await demo(tmp_path)
    assert report.is_sound
    assert watcher.seen[:2] == ["started 3", "quoted"]
    assert watcher.seen[-1] == "delivered"
    assert report.payment.sent == 10 * 10**9
    after = {(row.node, row.account): row.after for row in report.balances}
    assert after["alice", "alice"] == 10 * 10**9
    assert after["bob", "bob"] == -report.payment.delivered
    assert all(row.before == 0 for row in report.balances)
    assert {row.asset for row in report.balances} == {Asset("USD", 9), Asset("EUR", 9)}
    assert len(report.checks) == 2 + 2 + 2 * 3


async def test_what_is_kept_counts_from_where_it_was(tmp_path: Path) -> None:
    await demo(tmp_path)
    report, _ = await demo(tmp_path)
    assert report.is_sound
    assert any(row.before for row in report.balances)


async def test_a_star(tmp_path: Path) -> None:
    report, _ = await demo(tmp_path, "star:4")
    assert report.is_sound


@pytest.mark.parametrize("difference", [1, -1])
async def test_one_unit_is_enough(tmp_path: Path, difference: int) -> None:
    report, _ = await demo(tmp_path)
    assert not replace(report, checks=[*report.checks, Check("all is well", difference)]).is_sound
    assert not replace(report, payment=replace(report.payment, state="partial")).is_sound
