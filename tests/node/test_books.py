"""The books of running nodes: they are read while packets pass, and changed only by decisions in two steps."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest
from loopback import account, line, net, pointer, running, settings, until

from interledger.accounts.account import AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.books.export import ExportFormat
from interledger.accounts.books.period import Period
from interledger.accounts.books.statement import By
from interledger.accounts.ledger import Hold, Unknown
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError, StoreError
from interledger.node.decisions import DECISION_LIFETIME_MS
from interledger.node.node import Node
from interledger.node.views import AtRisk
from interledger.store.base import Durability
from interledger.store.sqlite import SqliteStore

BILLION = 10**9
USD, EUR = Asset("USD", 9), Asset("EUR", 9)
PROOF = bytes(range(32))
ALWAYS = Period()


async def lose(node: Node, amount: int = 780) -> Unknown:
    """A packet of alice to bob that nobody ever answered."""
    ledger = node.ledger
    legs = ((ledger.account("peer/alice", USD), ledger.account("peer/bob", USD), amount),)
    held = ledger.hold(legs, sha256(PROOF).digest(), node.clock.now() - 5_000, True)
    assert isinstance(held, Hold)
    await node.commit()
    unknown = ledger.give_up(held)
    await node.commit()
    return unknown


async def with_peers(node: Node) -> None:
    for name in ("alice", "bob"):
        await node.create_account(account(name, "USD/9", f"test.{name}", Relation.PEER))


# ---------------------------------------------------------------------- reading


async def test_the_books_of_a_line_of_nodes_while_it_is_busy(tmp_path: Path) -> None:
    async with line(place=tmp_path) as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=5 * BILLION)
        await until(lambda: payment.fulfilled >= 5)
        assert (await hub.books.check()).faults == []
        assert "alice" in [risk.account for risk in hub.books.at_risk()]
        ended = await payment.done()
        for node in (alice, hub, bob):
            report = await node.books.check()
            assert report.faults == []
            assert report.holds == 0
        statement = await hub.books.statement("alice", None, ALWAYS, By.HOUR)
        assert statement.closing_net == net(hub, "alice") == ended.sent
        assert sum(line.packets for line in statement.lines) == ended.fulfilled
        profit = await hub.books.profit(ALWAYS)
        [pair] = profit.pairs
        assert (pair.taken, pair.given) == (ended.sent, ended.delivered)
        assert {result.asset: result.position for result in profit.assets} == {
            USD: ended.sent,
            EUR: -ended.delivered,
        }
        text = await hub.books.export(ExportFormat.HLEDGER, ALWAYS, By.DAY)
        assert "assets:peer:alice  0 USD = 5.000000000 USD" in text
        assert hub.books.at_risk()[0] == AtRisk("alice", USD, ended.sent, 0, 0, 0)


async def test_a_check_after_a_restart_covers_what_came_before(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        await lose(node)
    async with running(settings("test.hub", tmp_path)) as node:
        report = await node.books.check()
        assert report.sound
        assert (report.opening_seq, report.unknown, report.snapshots) == (0, 1, 1)


async def test_a_hold_that_nobody_ends_is_a_fault(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        legs = ((node.ledger.accounts[0], node.ledger.accounts[1], 5),)
        held = node.ledger.hold(legs, bytes(32), node.clock.now() - 100_000, True)
        assert isinstance(held, Hold)
        report = await node.books.check()
        assert [fault.text for fault in report.faults] == ["1 holds are older than they may be; the first is packet 1"]
        node.ledger.release(held)


async def test_memory_that_is_not_what_was_written_is_a_fault(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        node.ledger.accounts[0].debits_pending += 5
        report = await node.books.check()
        assert "in memory: peer/alice (USD/9) has pending amounts" in report.faults[0].text
        node.ledger.accounts[0].debits_pending -= 5


async def test_commits_that_are_dropped_meanwhile_do_not_matter(tmp_path: Path) -> None:
    """The journal is pruned between finding its opening and reading on: it is begun again from the new one."""
    store = SqliteStore(tmp_path, Durability.PROCESS, commits_kept=1)
    store.open()
    async with running(settings("test.hub", tmp_path), store) as node:
        await with_peers(node)
        await lose(node)
        openings = node.store.history.read_openings
        calls = []

        def slow() -> object:
            calls.append(openings())
            return calls[-1] if len(calls) > 1 else [calls[-1][0]._replace(seq=10_000)]

        node.store.history.read_openings = slow  # type: ignore[method-assign, assignment]  # a race, replayed
        assert (await node.books.profit(ALWAYS)).pairs == []
        assert len(calls) == 2


async def test_an_export_that_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.node.books.EXPORT_CHARS_MAX", 10)
    monkeypatch.setattr("interledger.store.follow.SLICE_OCTETS", 1)
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        await lose(node)
        with pytest.raises(InvalidRequestError, match="too much for one answer"):
            await node.books.export(ExportFormat.CSV, ALWAYS, By.PACKET)


# ---------------------------------------------------------------------- unknown amounts


async def test_an_unknown_item_and_where_it_came_from(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        item = await lose(node)
        assert node.books.unknown() == [item]
        history = await node.books.unknown_history(item)
        assert history.incoming == ("peer/alice", USD, 780)
        assert history.held_at is not None
        assert history.gave_up_at is not None
        assert node.books.at_risk() == [AtRisk("bob", USD, 0, 0, 780, 0)]
        with pytest.raises(NotFoundError):
            node.books.unknown_item(99)


async def test_B8_an_account_with_an_unknown_item_cannot_be_deleted(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        item = await lose(node)
        with pytest.raises(ConflictError, match="“bob” has 1 unknown item, so it cannot be deleted"):
            await node.delete_account("bob")
        decision = node.books.propose_resolution([item.id], delivered=False, reason="asked bob", by="me")
        assert decision.effects == ()
        await node.books.confirm(decision.id)
        await node.delete_account("bob")


async def test_delivered_is_what_we_owe_and_our_loss(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        item = await lose(node)
        decision = node.books.propose_resolution([item.id], delivered=True, reason="bob  shows\nit", by="me")
        assert [(e.name, e.before, e.after) for e in decision.effects] == [
            ("peer/bob", 0, -780),
            ("loss/USD/9", 0, 780),
        ]
        assert net(node, "bob") == 0
        await node.books.confirm(decision.id)
        again = await node.books.confirm(decision.id)  # the answer was lost: it happens once
        assert again.done_at is not None
        assert net(node, "bob") == -780
        with pytest.raises(NotFoundError):
            node.books.propose_resolution([item.id], delivered=True, reason="x", by="me")
    async with running(settings("test.hub", tmp_path)) as node:
        [line] = (await node.books.statement("bob", None, ALWAYS, By.PACKET)).lines
        assert (line.memo.kind, line.memo.by, line.memo.reason) == ("resolution", "me", "bob shows it")
        assert (await node.books.check()).sound


async def test_all_items_of_an_account_at_once_or_none(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        items = [await lose(node), await lose(node, 20)]
        ids = [item.id for item in items]
        decision = node.books.propose_resolution(ids, delivered=False, reason="asked", by="me")
        assert decision.text == "2 amounts, 0.0000008 USD to peer/bob: not delivered: it is released"
        await node.books.prove(items[1].id, PROOF)
        with pytest.raises(ConflictError):
            await node.books.confirm(decision.id)
        assert len(node.books.unknown()) == 2
        decision = node.books.propose_resolution(ids, delivered=True, reason="asked", by="me")
        assert [(e.name, e.after) for e in decision.effects] == [("peer/bob", -800), ("loss/USD/9", 800)]
        await node.books.confirm(decision.id)
        assert (net(node, "bob"), node.books.unknown()) == (-800, [])


async def test_what_is_proven_cannot_be_called_not_delivered(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        item = await lose(node)
        before = node.books.propose_resolution([item.id], delivered=False, reason="bob says so", by="me")
        with pytest.raises(InvalidRequestError, match="not the fulfillment"):
            await node.books.prove(item.id, bytes(32))
        assert (await node.books.prove(item.id, PROOF)).fulfillment == PROOF
        await node.books.prove(item.id, PROOF)
        with pytest.raises(ConflictError, match="The fulfillment of unk_1 is known"):
            node.books.propose_resolution([item.id], delivered=False, reason="still", by="me")
        with pytest.raises(ConflictError, match="The fulfillment of unk_1 is known"):
            await node.books.confirm(before.id)
        assert node.books.unknown() == [item]


# ---------------------------------------------------------------------- corrections


async def test_L5_a_correction_has_two_steps_a_reason_and_a_name(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        decision = node.books.propose_correction(
            "bob", "correction/USD/9", 5, USD, reason="paid twice", by="operator (me)"
        )
        assert [(e.name, e.before, e.after) for e in decision.effects] == [
            ("peer/bob", 0, 5),
            ("correction/USD/9", 0, -5),
        ]
        assert (net(node, "bob"), decision.done_at) == (0, None)
        await asyncio.gather(*(node.books.confirm(decision.id) for _ in range(3)))
        assert net(node, "bob") == 5
        [line] = (await node.books.statement("peer/bob", USD, ALWAYS, By.PACKET)).lines
        assert line.memo._asdict() == {
            "kind": "correction", "by": "operator (me)", "reason": "paid twice", "id": decision.id}  # fmt: skip


@pytest.mark.parametrize(
    ("debit", "credit", "amount", "reason", "error"),
    [
        ("bob", "bob", 5, "x", InvalidRequestError),
        ("bob", "peer/bob", 5, "x", InvalidRequestError),
        ("bob", "correction/USD/9", 0, "x", InvalidRequestError),
        ("bob", "correction/USD/9", 5, " ", InvalidRequestError),
        ("bob", "correction/EUR/9", 5, "x", NotFoundError),
        ("eve", "correction/USD/9", 5, "x", NotFoundError),
        ("bob", "peer/eve", 5, "x", NotFoundError),
        ("bob", "correction", 5, "x", NotFoundError),
        ("bob", "peer/bob/suspense", 5, "x", InvalidRequestError),
    ],
)
async def test_what_is_no_correction(
    tmp_path: Path, debit: str, credit: str, amount: int, reason: str, error: type[Exception]
) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        await lose(node)
        with pytest.raises(error):
            node.books.propose_correction(debit, credit, amount, USD, reason=reason, by="me")


async def test_a_decision_is_forgotten_when_nobody_confirms_it(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        decision = node.books.propose_correction("bob", "external/bank", 5, USD, reason="x", by="me")
        decision.made_at -= DECISION_LIFETIME_MS + 1  # type: ignore[assignment]  # as if time had passed
        with pytest.raises(NotFoundError, match="that waits"):
            await node.books.confirm(decision.id)
        with pytest.raises(NotFoundError):
            await node.books.confirm("dec_0")
        first = node.books.propose_correction("bob", "external/bank", 5, USD, reason="x", by="me")
        for _ in range(100):
            node.books.propose_correction("bob", "external/bank", 5, USD, reason="x", by="me")
        with pytest.raises(NotFoundError):
            await node.books.confirm(first.id)
        assert net(node, "bob") == 0


async def test_J3_nothing_is_decided_while_the_books_cannot_be_written(tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        await with_peers(node)
        item = await lose(node)
        decision = node.books.propose_correction("bob", "external/bank", 5, USD, reason="x", by="me")
        node.ledger.read_only = True
        for refused in (node.books.confirm(decision.id), node.books.prove(item.id, PROOF)):
            with pytest.raises(StoreError, match="cannot be written now"):
                await refused
        node.ledger.read_only = False
        await node.books.confirm(decision.id)
        assert node.position(AccountId("bob")).net == 5
