"""Two real nodes over BTP compare their books, and what was unknown is not any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from loopback import account, btp_dialler, btp_listener, running, settings, until

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger, Unknown
from interledger.application.statement.messages import STATEMENT_DESTINATION, Direction
from interledger.application.statement.resolving import Outcome
from interledger.errors import InvalidRequestError
from interledger.node import statements
from interledger.node.node import Node

USD = Asset("USD", 9)


def proof(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def held(ledger: Ledger, source: str, target: str, number: int, amount: int, expires_at: int) -> Hold:
    legs = ((ledger.account(source, USD), ledger.account(target, USD), amount),)
    hold = ledger.hold(legs, sha256(proof(number)).digest(), expires_at, True)
    assert isinstance(hold, Hold)
    return hold


def executed(node: Node, source: str, target: str, number: int, amount: int = 5, *, expires_at: int = 1_000) -> None:
    node.ledger.execute(held(node.ledger, source, target, number, amount, expires_at), proof(number))


def unknown(
    node: Node, target: str, number: int, amount: int = 5, *, interrupted: bool = False, expires_in: int = -60_000
) -> Unknown:
    hold = held(node.ledger, "peer/upstream", target, number, amount, node.clock.now() + expires_in)
    return node.ledger.give_up(hold, interrupted)


@asynccontextmanager
async def pair(place: Path | None = None, **of_alice: Any) -> AsyncIterator[tuple[Node, Node]]:
    """hub, and alice who dials it and sends it packets."""
    limits = {"late_claims_max": of_alice.pop("late_claims_max", 0)}
    places = (None, None) if place is None else (place / "hub", place / "alice")
    async with (
        running(settings("test.hub", places[0])) as hub,
        running(settings("test.alice", places[1], **of_alice)) as alice,
    ):
        if not hub.accounts():
            link = btp_listener("hub", "alice")
            await hub.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, link))
        made = account("hub", "USD/9", "test.hub", Relation.PEER, btp_dialler("alice", hub, "hub"), **limits)
        await (alice.replace_account(made) if alice.accounts() else alice.create_account(made))
        await until(lambda: hub.link_status("alice").up)
        yield hub, alice


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer rests unless a test wants it."""
    monkeypatch.setattr(statements, "LOOK_EVERY_S", 3_600)


async def outcomes(node: Node, name: str) -> dict[int, Outcome]:
    found = await node.books.reconcile(name)
    assert found.problem == ""
    return {one.item.id: one.outcome for one in found.resolutions}


def nets(hub: Node, alice: Node) -> tuple[int, int]:
    return hub.position("alice").net, alice.position("hub").net


async def test_unknown_amounts_are_resolved_by_word_and_by_proof() -> None:
    async with pair() as (hub, alice):
        executed(hub, "peer/alice", "peer/carol", 1)
        executed(hub, "peer/alice", "peer/carol", 3)
        ours = [unknown(alice, "peer/hub", 1, interrupted=True), unknown(alice, "peer/hub", 2)]
        late = unknown(alice, "peer/hub", 3)
        assert await outcomes(alice, "hub") == {
            ours[0].id: Outcome.DELIVERED,
            ours[1].id: Outcome.RELEASED,
            late.id: Outcome.LATE,  # its proof came when we had refunded: nobody but the operator takes that loss
        }
        assert list(alice.ledger.unknown.values()) == [late]
        assert late.fulfillment == proof(3)
        assert nets(hub, alice) == (10, -5)
        loss = alice.ledger.find("loss/USD/9", USD)
        assert loss is not None
        assert loss.net == 5
        # Why, and by whose word, is in the record.
        report = await alice.books.statement("hub", None, statements_period(), by_packet())
        [line] = report.lines
        assert (line.memo.kind, line.memo.by) == ("resolution", "statement of hub")
        assert proof(1).hex() in line.memo.reason


def statements_period() -> Any:
    from interledger.accounts.books.period import Period

    return Period()


def by_packet() -> Any:
    from interledger.accounts.books.statement import By

    return By.PACKET


async def test_late_claims_are_taken_up_to_what_the_operator_allows() -> None:
    async with pair(late_claims_max=12) as (hub, alice):
        for number in (1, 2, 3):
            executed(hub, "peer/alice", "peer/carol", number)
            unknown(alice, "peer/hub", number)
        found = list((await outcomes(alice, "hub")).values())
        assert found == [Outcome.LATE_ACCEPTED, Outcome.LATE_ACCEPTED, Outcome.LATE]
        # A day's limit, not a run's: what was taken is in the journal.
        executed(hub, "peer/alice", "peer/carol", 4, 2)
        unknown(alice, "peer/hub", 4, 2)
        unknown(alice, "peer/hub", 5, 3)
        executed(hub, "peer/alice", "peer/carol", 5, 3)
        await hub.books.reconcile("alice")  # the hub reads its journal: no packet is executed so long after its expiry
        found = list((await outcomes(alice, "hub")).values())
        assert found == [Outcome.LATE, Outcome.LATE_ACCEPTED, Outcome.LATE]


async def test_what_may_still_be_executed_stays() -> None:
    async with pair() as (hub, alice):
        open_there = held(hub.ledger, "peer/alice", "peer/carol", 1, 5, hub.clock.now() + 20_000)
        items = [unknown(alice, "peer/hub", 1), unknown(alice, "peer/hub", 2, expires_in=30_000)]
        found = await outcomes(alice, "hub")
        assert found == {item.id: Outcome.OPEN for item in items}
        hub.ledger.release(open_there)
        await hub.books.reconcile("alice")  # the hub reads its journal
        assert (await outcomes(alice, "hub"))[items[0].id] is Outcome.RELEASED


async def test_agreement_and_its_end() -> None:
    async with pair() as (hub, alice):
        expired = hub.clock.now() - 100_000
        for number in range(5):
            executed(hub, "peer/alice", "peer/carol", number, expires_at=expired)
            executed(alice, "peer/upstream", "peer/hub", number, expires_at=expired)
        for node in (hub, alice):
            await node.commit()
            node.store._commits[:] = [one._replace(at=expired) for one in node.store._commits]  # type: ignore[attr-defined]  # of the memory store
        found = await alice.books.reconcile("hub")
        assert found.agrees
        assert found.findings.compared == 5
        assert hub.books.statements.last(hub.account("alice")) is None
        assert (await hub.books.reconcile("alice")).agrees


async def test_differences_are_listed_and_told_once() -> None:
    async with pair() as (hub, alice):
        executed(hub, "peer/alice", "peer/carol", 1, 7)
        executed(alice, "peer/upstream", "peer/hub", 2, 3)
        await made_old(hub, alice)
        found = await alice.books.reconcile("hub")
        assert not found.agrees
        differences = {(one.direction, one.amount, one.ours, one.theirs) for one in found.findings.differences}
        assert differences == {(Direction.SENT, 7, 0, 1), (Direction.SENT, 3, 1, 0)}
        assert sum(one.total for one in found.findings.differences) == 4
        assert len(alice.alarms) == 1
        await alice.books.reconcile("hub")
        assert len(alice.alarms) == 1
        assert nets(hub, alice) == (7, -3)  # nothing is booked because a peer says something


async def made_old(*nodes: Node) -> None:
    """What is in their journals was written some time ago: statements leave out what is younger."""
    for node in nodes:
        await node.commit()
        past = node.clock.now() - 100_000
        node.store._commits[:] = [one._replace(at=past) for one in node.store._commits]  # type: ignore[attr-defined]  # of the memory store


async def test_A6_what_the_peer_heard_too_late_is_set_aside_until_it_counts_it() -> None:
    async with pair() as (hub, alice):
        executed(hub, "peer/alice", "peer/carol", 1, 7)
        executed(hub, "peer/alice", "peer/carol", 2, 3)
        late = [unknown(alice, "peer/hub", 1, 7), unknown(alice, "peer/hub", 2, 3)]
        await made_old(hub, alice)
        await alice.books.reconcile("hub")
        found = await hub.books.reconcile("alice")
        assert (found.agrees, nets(hub, alice)) == (True, (0, 0))
        claims = {item.amount: item for item in hub.books.claims.all()}
        assert {amount: item.fulfillment for amount, item in claims.items()} == {7: proof(1), 3: proof(2)}
        assert [(risk.account, risk.owed, risk.unproven) for risk in hub.books.at_risk()] == [("alice", 0, 10)]
        assert len(hub.alarms) == 1
        assert "ilp unproven list" in hub.alarms[0]
        # One of the two operators gives in, about one of the two; then the other one.
        alice.ledger.resolve(late[0], delivered=True, memo="")
        await alice.books.reconcile("hub")  # it reads its journal
        await hub.books.reconcile("alice")
        assert (nets(hub, alice), hub.books.claims.all()) == ((7, -7), [claims[3]])
        lost = hub.books.claims.propose_end([claims[3].id], owed=False, reason="gone", by="me")
        effects = [(effect.name, effect.after) for effect in lost.effects]
        assert effects == [("peer/alice/unproven", 0), ("loss/USD/9", 3)]
        assert hub.books.claims.all() == [claims[3]]
        await hub.books.confirm(lost.id)
        assert hub.books.claims.all() == []
        assert hub.ledger.check() == []


async def test_A6_what_was_written_off_is_not_set_aside_again() -> None:
    """Else each statement would take it out of what the peer owes once more."""
    async with pair() as (hub, alice):
        executed(hub, "peer/alice", "peer/carol", 1, 7)
        executed(hub, "peer/alice", "peer/carol", 2, 3)
        late = [unknown(alice, "peer/hub", 1, 7), unknown(alice, "peer/hub", 2, 3)]
        await made_old(hub, alice)
        await alice.books.reconcile("hub")
        await hub.books.reconcile("alice")
        lost = [item.id for item in hub.books.claims.all() if item.amount == 7]
        decision = hub.books.claims.propose_end(lost, owed=False, reason="gone", by="me")
        await hub.books.confirm(decision.id)
        for _ in range(2):
            found = await hub.books.reconcile("alice")
            assert (found.agrees, nets(hub, alice)) == (True, (0, 0))
            assert [item.amount for item in hub.books.claims.all()] == [3]
        # alice gives in after all: that is a difference, in our favour.
        alice.ledger.resolve(late[0], delivered=True, memo="")
        await alice.books.reconcile("hub")  # it reads its journal
        found = await hub.books.reconcile("alice")
        assert [(one.ours, one.theirs, one.total) for one in found.findings.differences] == [(0, 1, -7)]
        assert (await hub.books.check()).faults == []


async def test_after_a_restart_the_peer_is_asked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "LOOK_EVERY_S", 0.05)
    async with pair(tmp_path) as (hub, alice):
        executed(hub, "peer/alice", "peer/carol", 1)
        held(alice.ledger, "peer/upstream", "peer/hub", 1, 5, alice.clock.now() - 60_000)
        await hub.commit()
        await alice.commit()
    async with pair(tmp_path) as (hub, alice):  # the hold of before became unknown
        await until(lambda: alice.position("hub").net)
        assert nets(hub, alice) == (5, -5)
        assert alice.ledger.unknown == {}
        assert alice.ledger.check() == hub.ledger.check() == []


async def test_a_peer_without_statements_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "LOOK_EVERY_S", 0.02)
    async with pair() as (hub, alice):
        asked = []
        original = alice.requests.exchange

        async def exchange(account_id: Any, request: Any) -> Any:
            asked.append(request.destination)
            return await original(account_id, request)

        monkeypatch.setattr(alice.requests, "exchange", exchange)
        del hub.connector.services.peer_protocols[STATEMENT_DESTINATION]
        unknown(alice, "peer/hub", 1)
        await until(lambda: alice.books.statements.last(alice.account("hub")))
        found = alice.books.statements.last(alice.account("hub"))
        assert found is not None
        assert "F01" in found.problem
        assert asked == [STATEMENT_DESTINATION]
        for _ in range(3):
            await alice.commit()
        assert len(alice.ledger.unknown) == len(asked) == 1
        alice.books.statements.link_up(alice.account("hub").id)
        await until(lambda: len(asked) == 2)


async def test_switched_off() -> None:
    async with pair(statement_minutes=0) as (hub, alice):
        with pytest.raises(InvalidRequestError, match="switched off"):
            await alice.books.reconcile("hub")
        found = await hub.books.reconcile("alice")
        assert "does not exchange statements" in found.problem
        await alice.create_account(account("bob", "USD/9", "test.alice.bob"))
        with pytest.raises(InvalidRequestError):
            await alice.books.reconcile("bob")
