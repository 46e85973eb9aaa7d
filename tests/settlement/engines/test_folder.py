"""The folder as a ledger: two engines that find each other, pay each other, and die on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import call, quick, two, until

from interledger.settlement.engine import Payment
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.folder import FolderEngine


def engine_of(place: Path, name: str) -> FolderEngine:
    found = make_engine(find_engine("folder"), {"directory": str(place / "ledger"), "address": name})
    assert isinstance(found, FolderEngine)
    return found


async def test_two_engines_meet_and_pay_each_other(tmp_path: Path) -> None:
    async with two(tmp_path, engine_of) as (left, right, left_node, right_node):
        assert left.account("peer").details == {"address": "right"}
        assert right.account("peer").details == {"address": "left"}
        for number in range(3):
            body = {"amount": "1234567891", "scale": 9}
            assert (await call(left, "POST", "/accounts/peer/settlements", body, key=f"k{number}")).status == 201
        body = {"amount": "5", "scale": 0}
        await call(right, "POST", "/accounts/peer/settlements", body, key="k")
        await until(lambda: left_node.total == 5 and right_node.total.numerator == 37)
        assert right_node.total * 10 == 37  # 3.70; 0.003703673 waits for more
        assert str(left.state.owed("peer").amount) == "3703673"


async def test_a_death_behind_the_payment_pays_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    pay = FolderEngine.pay
    deaths = 5

    async def pay_and_die(self: FolderEngine, payment: Payment) -> None:
        nonlocal deaths
        await pay(self, payment)
        if deaths:
            deaths -= 1
            raise OSError("cut")

    monkeypatch.setattr(FolderEngine, "pay", pay_and_die)
    async with two(tmp_path, engine_of) as (left, _, _, right_node):
        await call(left, "POST", "/accounts/peer/settlements", {"amount": "7", "scale": 0}, key="k")
        await until(lambda: not left.state.open_payments() and right_node.total)
    assert (right_node.total, deaths) == (7, 0)


async def test_what_the_peer_may_not_say(tmp_path: Path) -> None:
    async with two(tmp_path, engine_of) as (left, _, _, _):
        for bad in (b"", b"{}", b'{"address":"../x"}', b'{"address":7}'):
            answer = await call(left, "POST", "/accounts/peer/messages", bad, Content_Type="application/octet-stream")
            assert answer.status == 400
