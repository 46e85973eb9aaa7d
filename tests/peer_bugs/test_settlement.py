"""Settlement: what goes wrong elsewhere, and that it does not here. Each test says what would fail it."""

from __future__ import annotations

import asyncio
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.node import settlements
from interledger.settlement.book import SettlementBook
from interledger.store.memory import MemoryStore
from tests.support.engines import (
    USD,
    DyingStore,
    Engine,
    net,
    node_at,
    owe,
    payable,
    quick,
    served,
    tell,
    until,
    with_bob,
)

THIRTY_DAYS = 30 * 86_400_000


class Clock:
    """The time, moved by the test."""

    def __init__(self) -> None:
        self.at = Timestamp(1_795_262_400_000)

    def now(self) -> Timestamp:
        return self.at


async def test_peer_bug_RS1_a_settlement_that_was_made_and_not_answered_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where a retry makes a key of its own: the engine pays each time."""
    quick(monkeypatch)
    engine = Engine()
    engine.fails(10, after_paying=True)
    async with served(engine) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_threshold=500)
        owe(node, 500)
        await until(lambda: engine.asked and not node.settlements.book.open())
        assert len(engine.asked) == 11
        assert len({key for _, key, _ in engine.asked}) == 1
        assert engine.total == 500
        assert (payable(node), net(node, "peer/bob/transit"), net(node, "external/bob")) == (0, 0, -500)


@pytest.mark.parametrize("amount", [2**53 - 1, 2**53 + 1, 10**17 + 1, 2**63, 2**64 - 1, 2**80 + 1])
async def test_peer_bug_RS4_no_unit_of_a_large_settlement_vanishes(amount: int) -> None:
    """Fails where an amount passes through a double: 2^53 + 1 is settled as 2^53, and the balance set to zero."""
    engine = Engine()
    async with served(engine) as url, node_at(None) as node:
        await with_bob(node, url, settle_threshold=2**53 - 1)
        owe(node, amount)
        await until(lambda: engine.total == amount)
        await until(lambda: net(node, "external/bob") == -amount)
        assert payable(node) == 0


async def test_peer_bug_RS7_a_death_between_two_credits_keeps_what_is_left_over() -> None:
    """Fails where leftovers are read and deleted, and written back in another step: a crash between loses them."""
    store = DyingStore()
    async with node_at(None, store) as node:
        await with_bob(node, "http://127.0.0.1:1")
        assert (await tell(node, "a", "1999999999", 18)).status == 201
        store.writes_left = 0
        assert (await tell(node, "b", "1", 18)).status == 503
    store.writes_left = 10**9
    async with node_at(None, store) as node:
        assert node.settlements.book.leftover(node.account("bob").id, USD) == (999999999, 18)
        assert net(node, "peer/bob") == -1
        assert (await tell(node, "b", "1", 18)).status == 201
        assert net(node, "peer/bob") == -2


async def test_peer_bug_RS8_a_call_that_fails_is_no_refund(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where a failed call gives the amount back: the engine may have paid, and it is paid again."""
    quick(monkeypatch)
    engine = Engine()
    engine.status = 500
    async with served(engine) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_threshold=500)
        owe(node, 700)
        await until(lambda: len(engine.asked) >= 20)
        assert (payable(node), net(node, "peer/bob/transit")) == (0, -700)
        owe(node, 600)
        await node.commit()
        assert payable(node) == 600  # for the next one
        engine.status = 201
        await until(lambda: engine.total == 1_300)


async def test_peer_bug_RS8_JV2_a_death_behind_the_debit_loses_nothing() -> None:
    """Fails where balance and request are written apart: after a crash the amount is in neither."""
    store = MemoryStore()
    async with node_at(None, store) as node:
        await with_bob(node, "http://127.0.0.1:1", settle_threshold=500)
        owe(node, 500)
        await node.commit()
        [before] = node.settlements.book.open()
    engine = Engine()
    async with served(engine) as url, node_at(None, store) as node:
        [settlement] = node.settlements.book.open()
        assert (settlement.key, settlement.amount, net(node, "peer/bob/transit")) == (before.key, 500, -500)
        settlement.engine = url  # it comes back at another port
        engine.accounts["bob"] = "open"
        node.settlements.retry(settlement.id)
        await until(lambda: not node.settlements.book.open())
        assert engine.paid[before.key].amount == 500


async def test_peer_bug_RS10_a_key_counts_after_thirty_days(tmp_path: Path) -> None:
    """Fails where a key is forgotten after a day: who retries for ever is credited twice."""
    clock = Clock()
    for _ in range(3):
        async with node_at(tmp_path) as node:
            node.clock = clock  # type: ignore[assignment]  # only what is asked of settlements
            if not node.accounts():
                await with_bob(node, "http://127.0.0.1:1")
            assert (await tell(node, "key", "700")).status == 201
            assert net(node, "peer/bob") == -700
            assert (await tell(node, "key", "701")).status == 409
        clock.at = Timestamp(clock.at + THIRTY_DAYS)


async def test_peer_bug_RS10_a_key_counts_when_a_thousand_others_came_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where keys live in memory alone, or as long as there is room for them."""
    monkeypatch.setattr(settlements, "SettlementBook", lambda: SettlementBook(3))
    for _ in range(2):
        async with node_at(tmp_path) as node:
            if not node.accounts():
                await with_bob(node, "http://127.0.0.1:1")
            answers = await asyncio.gather(*(tell(node, f"k{number % 10}", "7") for number in range(40)))
            assert {answer.status for answer in answers} == {201}
            assert net(node, "peer/bob") == -70
            assert (await tell(node, "k0", "8")).status == 409
            assert len(node.settlements.book.latest()) <= 4


@pytest.mark.parametrize("key", ["accounts:bob", "in/bob/x", "out/set_1", "leftover/bob/USD", "engine/bob", "a/b/c"])
async def test_peer_bug_RS10_a_key_is_no_other_key(tmp_path: Path, key: str) -> None:
    """Fails where an idempotency key shares a name space with anything else: the credit is dropped."""
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1")
        assert (await tell(node, key, "700")).status == 201
        assert net(node, "peer/bob") == -700
    async with node_at(tmp_path) as node:
        assert (await tell(node, key, "700")).status == 201
        assert net(node, "peer/bob") == -700
        assert node.settlements.book.leftover(node.account("bob").id, USD) == (0, 0)


@pytest.mark.parametrize(
    ("threshold", "settle_to", "owed", "settled"),
    [
        (500, None, 499, 0),
        (500, None, 500, 500),
        (500, None, 501, 501),
        (500, 100, 500, 400),
        (500, 500, 500, 0),
        (500, 500, 501, 1),
        (500, -100, 500, 600),
        (0, 0, 1, 1),
        (None, None, 10**12, 0),
        (-50, -100, 0, 100),
        (-50, -100, 49, 100),
        (-50, -100, 50, 150),
    ],
)
async def test_peer_bug_RS11_RS12_what_is_settled_is_written_once(
    threshold: int | None, settle_to: int | None, owed: int, settled: int
) -> None:
    """Fails where a settlement is computed and the balance not written (160), or it is subtracted twice (125)."""
    engine = Engine()
    async with served(engine) as url, node_at(None) as node:
        await with_bob(node, url, settle_threshold=threshold, settle_to=settle_to)
        if owed:
            owe(node, owed)
        await node.commit()
        await until(lambda: not node.settlements.book.open())
        assert (engine.total, payable(node), net(node, "external/bob")) == (settled, owed - settled, -settled)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 10**24), st.integers(0, 255)), max_size=6), st.sampled_from([0, 2, 9, 18, 255])
)
async def test_peer_bug_RS16_JV3_what_came_in_is_credited_to_the_last_part_of_a_unit(
    notified: list[tuple[int, int]], scale: int
) -> None:
    """Fails where leftovers are dropped, or scaled the wrong way (581, 185, 342; 318, 373): invariant 15."""
    asset = Asset("USD", scale)
    async with node_at(None) as node:
        await with_bob(node, "http://127.0.0.1:1", asset=asset)
        total = Fraction(0)
        for number, (amount, its_scale) in enumerate(notified):
            answer = await tell(node, f"k{number}", str(amount), its_scale)
            if answer.status == 400:  # more than any counter can be
                assert Fraction(amount, 10**its_scale) * 10**scale + 1 >= 2**127
                continue
            assert json.loads(answer.body) == {"amount": str(amount), "scale": its_scale}
            total += Fraction(amount, 10**its_scale)
        leftover = node.settlements.book.leftover(node.account("bob").id, asset)
        credited = payable(node, asset)
        assert Fraction(credited, 10**scale) + Fraction(leftover.amount, 10**leftover.scale) == total
        assert Fraction(leftover.amount, 10**leftover.scale) < Fraction(1, 10**scale)


async def test_peer_bug_RS16_an_answer_without_a_quantity_is_an_answer(tmp_path: Path) -> None:
    """Fails where node and engine disagree about the body of a 2xx: paid, and never in the books (581)."""
    engine = Engine()
    for number, body in enumerate((b"", b"RECEIVED", b"{}", b'{"amount":"1","scale":0}', b"[]")):
        engine.body = body
        async with served(engine) as url, node_at(tmp_path / str(number)) as node:
            await with_bob(node, url, settle_threshold=500)
            owe(node, 500)
            await until(lambda node=node: net(node, "external/bob") == -500)


async def test_peer_bug_JS5_what_could_not_be_settled_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where a failure is only logged: the balance says paid, and the peer never is."""
    quick(monkeypatch)
    engine = Engine()
    engine.fails(5, after_paying=False)
    async with served(engine) as url, node_at(tmp_path) as node:
        await with_bob(node, url, settle_threshold=500)
        owe(node, 500)
        await until(lambda: engine.total == 500)
        await until(lambda: not node.settlements.book.open())


async def test_I3_a_request_without_a_key_is_a_bad_request(tmp_path: Path) -> None:
    """Fails where the header is taken for granted: the engine's API of interledger-rs panics."""
    async with node_at(tmp_path) as node:
        await with_bob(node, "http://127.0.0.1:1")
        assert (await tell(node, None, "700")).status == 400
        assert net(node, "peer/bob") == 0
