"""Settlements page by page: all that the store has, each once, whatever memory has forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from interledger.accounts.account import AccountId
from interledger.api.client import ApiClient, ApiError
from interledger.errors import InvalidRequestError, NotFoundError
from interledger.node import settlement_history
from interledger.settlement.book import SettlementBook
from tests.support.engines import Engine, node_at, owe, served, tell, until, with_bob


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_every_settlement_is_on_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(settlement_history, "READ_AT_ONCE", 2)
    monkeypatch.setattr(SettlementBook.__init__, "__defaults__", (2,))
    engine = Engine()
    async with served(engine) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_in_max=10**9)
        made = []
        for number in range(4):
            owe(node, 100)
            made.append((await node.settlements.create("bob", 100, by="me")).id)
            await until(lambda: not node.settlements.book.open())
            assert (await tell(node, f"key-{number}", "5")).status == 201
        await node.commit()
        assert len(node.settlements.book.latest()) == 2
        history, cursor, seen = node.settlements.history, None, []
        while True:
            page = await history.page(None, limit, cursor)
            assert len(page.items) <= limit
            seen += [one.id for one in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 8
        assert set(made) < set(seen)
        assert (await history.page(None, 100, None)).items[0].id == seen[0]
        assert [one.id for one in (await history.page(AccountId("alice"), 100, None)).items] == []
        for settlement_id in seen:
            assert (await history.find(settlement_id)).id == settlement_id
        api = ApiClient(f"http://localhost:{node.port}", "admin-token")
        assert [one["id"] async for one in api.all_settlements("bob")] == seen
        assert (await api.settlement(seen[-1]))["account"] == "bob"
        with pytest.raises(NotFoundError):
            await history.find("set_0")
        for wrong in ("set_0", "done/out/set_0", "?"):
            with pytest.raises(InvalidRequestError, match="of no settlement"):
                await history.page(None, 1, wrong)
        with pytest.raises(ApiError) as refused:
            await api.settlements_page(cursor="set_0")
        assert refused.value.status == 400


async def test_one_page_reads_so_much_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_history, "READ_MAX", 2)
    monkeypatch.setattr(SettlementBook.__init__, "__defaults__", (1,))
    async with served(Engine()) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_in_max=10**9)
        for number in range(5):
            assert (await tell(node, f"key-{number}", "5")).status == 201
        await node.commit()
        page = await node.settlements.history.page(AccountId("alice"), 100, None)
        assert (page.items, page.cursor is None) == ([], False)
        assert (await node.settlements.history.page(AccountId("alice"), 100, page.cursor)).cursor is not None
