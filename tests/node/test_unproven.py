"""Claims on peers that exchange no statements: the operator is told, and sets them aside in two steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from loopback import account, btp_listener, running, settings

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.accounts.books.export import ExportFormat
from interledger.accounts.books.period import Period
from interledger.accounts.books.statement import By
from interledger.accounts.ledger import Hold
from interledger.errors import ConflictError, NotFoundError
from interledger.link.base import RequestId
from interledger.node.node import Node

USD = Asset("USD", 9)
GONE = RequestId(1 << 40)
"""A request of a connection that is no more."""


def proof(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def condition(number: int) -> bytes:
    return sha256(proof(number)).digest()


@asynccontextmanager
async def hub_of_alice(place: Path | None = None) -> AsyncIterator[Node]:
    async with running(settings("test.hub", place)) as hub:
        if not hub.accounts():
            link = btp_listener("hub", "alice")
            await hub.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, link))
        yield hub


async def fulfilled(hub: Node, number: int, amount: int = 5) -> None:
    """Alice sent a packet, and it was fulfilled."""
    ledger = hub.ledger
    legs = ((ledger.account("peer/alice", USD), ledger.account("peer/carol", USD), amount),)
    hold = ledger.hold(legs, condition(number), 1_000, True)
    assert isinstance(hold, Hold)
    ledger.execute(hold, proof(number))
    await hub.commit()


def claims(hub: Node) -> list[tuple[int, bytes]]:
    return [(item.amount, item.fulfillment) for item in hub.books.claims.all()]


async def test_A6_an_operator_sets_aside_in_two_steps() -> None:
    async with hub_of_alice() as hub:
        await fulfilled(hub, 1, 7)
        begin = hub.books.claims.propose_beginning
        decision = await begin("alice", condition(1), reason="by mail", by="me")
        assert [(effect.name, effect.after) for effect in decision.effects] == [
            ("peer/alice", 0),
            ("peer/alice/unproven", 7),
        ]
        assert claims(hub) == []
        await hub.books.confirm(decision.id)
        assert (claims(hub), hub.position("alice").net) == ([(7, proof(1))], 0)
        with pytest.raises(ConflictError, match="already"):
            await begin("alice", condition(1), reason="again", by="me")
        with pytest.raises(NotFoundError, match="fulfilled"):
            await begin("alice", condition(2), reason="which", by="me")
        # Who did it and why is in the journal.
        text = await hub.books.export(ExportFormat.HLEDGER, Period(), By.PACKET)
        assert "by mail" in text
