"""Payments beyond those in memory: of this life and of earlier ones, out of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import account, running, settings

from interledger.errors import NotFoundError
from interledger.node import payments


async def test_what_memory_forgets_the_store_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "PAYMENTS_KEPT", 2)
    async with running(settings("test.hub", tmp_path)) as node:
        await node.create_account(account("alice", "USD/9", "test.hub.alice"))
        made = [node.pay("alice", f"not a pointer {number}", send=1) for number in range(5)]
        for payment in made:
            await payment.done()
        await node.commit()
        ids = [payment.snapshot.id for payment in made]
        assert [one.snapshot.id for one in node.payments()] == ids[:2:-1]
        assert [one.id for one in await node.payment_history.older(ids[3], 2)] == [ids[2], ids[1]]
        assert [one.id for one in await node.payment_history.older(None, 9)] == ids[::-1]
        first = (await node.payment_history.find(ids[0].removeprefix("pay_"))).snapshot
        assert first == made[0].snapshot
        assert (await node.payment_history.find(ids[4])) is made[4]
        for wanted in (node.payment_history.find("pay_0"), node.payment_history.older("pay_0", 1)):
            with pytest.raises(NotFoundError):
                await wanted
    async with running(settings("test.hub", tmp_path)) as node:
        assert (await node.payment_history.find(ids[0])).snapshot == first
