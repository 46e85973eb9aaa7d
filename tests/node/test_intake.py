"""Whether a node takes packets: by its operator's word for all, and by account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from loopback import account, running, settings

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.errors import ConflictError
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.node.node import Node


class Wire:
    """A link that is up and keeps what is sent."""

    def __init__(self) -> None:
        self.prepares: list[RequestId] = []

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.prepares.append(request_id)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        pass

    def ready(self) -> bool:
        return True


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with running(settings("test.hub")) as node:
        for name in ("alice", "bob"):
            await node.create_account(account(name, "USD/9", f"test.{name}", Relation.PEER))
            node.connector.attach(AccountId(name), node.account(name), Wire(), is_local=False, first_request_id=1)
        yield node


def answer(node: Node, source: str = "alice", to: str = "test.bob.x") -> Reply | None:
    """To a packet of no amount."""
    now = node.clock.now()
    prepare = Prepare(0, Timestamp(now + 20_000), bytes(32), Address(to), b"")
    return node.connector.receive_prepare(AccountId(source), RequestId(7), prepare, now)


def code(reply: Reply | None) -> str | None:
    return reply.code if isinstance(reply, Reject) else None


async def test_a_node_that_drains_refuses_new_packets_and_goes_on_when_it_is_told(node: Node) -> None:
    assert answer(node) is None
    node.intake.close()
    assert (code(answer(node)), node.not_ready()) == (
        ErrorCode.T03_CONNECTOR_BUSY, ("draining", "The node was told to take no new packets (T03)")
    )  # fmt: skip
    assert node.ready, "its pages and its API go on"
    assert node.intake.in_flight == 1
    node.intake.open()
    assert (answer(node), node.not_ready()) == (None, None)
    kinds = [event.kind for event in node.live.events.before(None, None, 10).events]
    assert kinds.count("node.draining") == kinds.count("node.resumed") == 1


async def test_who_comes_while_it_drains_is_refused_too(node: Node) -> None:
    node.intake.close()
    await node.create_account(account("carol", "USD/9", "test.carol", Relation.PEER))
    node.connector.attach(AccountId("carol"), node.account("carol"), Wire(), is_local=False, first_request_id=1)
    node.watchdog.look(node.clock.now(), 0)
    assert code(answer(node, "carol")) == ErrorCode.T03_CONNECTOR_BUSY


async def test_what_nobody_can_stop_says_so_and_a_stop_is_for_good(node: Node) -> None:
    with pytest.raises(ConflictError, match="the program that runs it"):
        node.intake.stop()
    assert node.intake.is_open
    stopped: list[bool] = []
    node.intake.stopper = lambda: stopped.append(True)
    node.intake.stop()
    node.intake.stop()
    assert (stopped, node.intake.is_open) == ([True], False)
    with pytest.raises(ConflictError, match="being stopped"):
        node.intake.open()


async def test_nothing_passes_to_or_from_an_account_that_is_paused(node: Node) -> None:
    alice = node.account("alice")
    await node.replace_account(replace(alice, paused=True))
    assert code(answer(node)) == ErrorCode.T03_CONNECTOR_BUSY
    assert code(answer(node, "bob", "test.alice.x")) == ErrorCode.T02_PEER_BUSY
    assert code(answer(node, "bob", "test.hub")) != ErrorCode.T03_CONNECTOR_BUSY, "others are not touched"
    await node.replace_account(replace(alice, paused=True, owes_us_max=5))
    assert code(answer(node)) == ErrorCode.T03_CONNECTOR_BUSY, "a change of limits is no end of it"
    await node.replace_account(replace(alice, owes_us_max=5))
    assert (answer(node), answer(node, "bob", "test.alice.x")) == (None, None)


async def test_a_pause_stays_over_a_restart_and_over_another_link(node: Node) -> None:
    await node.replace_account(replace(node.account("alice"), paused=True))
    await node.replace_account(replace(node.account("alice"), ilp_address=Address("test.alice2")))
    node.connector.attach(AccountId("alice"), node.account("alice"), Wire(), is_local=False, first_request_id=1)
    assert code(answer(node)) == ErrorCode.T03_CONNECTOR_BUSY
