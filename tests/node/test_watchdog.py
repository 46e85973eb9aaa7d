"""A clock that is set, a loop that stands still, a peer whose fulfillments do not fit: what a node does then."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from loopback import account, running, settings

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.node import watchdog
from interledger.node.node import Node
from interledger.node.watchdog import Watchdog

NOW = 1_700_000_000_000


class Wire:
    """A link that is up and keeps what is sent."""

    def __init__(self) -> None:
        self.prepares: list[RequestId] = []
        self.replies: list[Reply] = []

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.prepares.append(request_id)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self.replies.append(reply)

    def ready(self) -> bool:
        return True


class Rig:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.dog = Watchdog(node)
        self.wires = {name: Wire() for name in ("alice", "bob")}
        for name, wire in self.wires.items():
            node.connector.detach(AccountId(name))
            node.connector.attach(
                AccountId(name), node.account(name), wire, is_local=False, first_request_id=1
            )  # fmt: skip

    def send(self) -> Reply | None:
        """A packet of no amount from alice to bob."""
        now = self.node.clock.now()
        prepare = Prepare(0, Timestamp(now + 20_000), bytes(32), Address("test.bob.x"), b"")
        return self.node.connector.receive_prepare(AccountId("alice"), RequestId(7), prepare, now)

    def answer_wrongly(self) -> Reply:
        """Bob answers the last packet with a fulfillment that does not fit."""
        request_id, now = self.wires["bob"].prepares[-1], self.node.clock.now()
        self.node.connector.receive_reply(AccountId("bob"), request_id, Fulfill(bytes(32), b""), now)
        return self.wires["alice"].replies[-1]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running(settings("test.hub")) as node:
        for name in ("alice", "bob"):
            await node.create_account(account(name, "USD/9", f"test.{name}", Relation.PEER))
        yield Rig(node)


@pytest.mark.parametrize(
    ("step_ms", "alarms", "refused"),
    [(900, 0, False), (-900, 0, False), (1_100, 1, False), (-1_100, 1, False), (3_600_000, 1, True), (-5_100, 1, True)],
)
async def test_J7_a_clock_that_is_set(rig: Rig, step_ms: int, alarms: int, refused: bool) -> None:
    rig.dog.look(NOW, 0)
    rig.dog.look(NOW + 1_000 + step_ms, 1_000)
    assert len(rig.node.alarms) == alarms
    answer = rig.send()
    assert (isinstance(answer, Reject) and answer.code == ErrorCode.T03_CONNECTOR_BUSY) is refused
    for second in range(2, 40):  # it runs evenly from now on
        rig.dog.look(NOW + second * 1_000 + step_ms, second * 1_000)
    assert rig.send() is None
    assert len(rig.node.alarms) == alarms


async def test_J7_small_steps_add_up_within_a_minute(rig: Rig) -> None:
    for second in range(12):
        rig.dog.look(NOW + second * 1_100, second * 1_000)
    assert len(rig.node.alarms) == 1


async def test_J7_a_clock_that_is_kept_right_is_no_trouble(rig: Rig) -> None:
    """By 500 parts per million, as clocks are slewed."""
    for second in range(3_600):
        rig.dog.look(NOW + second * 1_000 + second // 2, second * 1_000)
    assert rig.node.alarms == []


async def test_J7_who_comes_while_packets_are_refused_is_refused_too(rig: Rig) -> None:
    rig.dog.look(NOW, 0)
    rig.dog.look(NOW + 60_000, 1_000)
    rig.node.connector.detach(AccountId("alice"))
    rig.node.connector.attach(
        AccountId("alice"), rig.node.account("alice"), rig.wires["alice"], is_local=False, first_request_id=1
    )
    rig.dog.look(NOW + 61_000, 2_000)
    assert isinstance(rig.send(), Reject)


@pytest.mark.parametrize(("lag_ms", "logged", "alarms"), [(0, 0, 0), (900, 0, 0), (1_100, 1, 0), (5_100, 0, 1)])
async def test_K10_a_loop_that_stands_still_is_told(
    rig: Rig, caplog: pytest.LogCaptureFixture, lag_ms: int, logged: int, alarms: int
) -> None:
    rig.dog.look(NOW, 0)
    rig.dog.look(NOW + 1_000 + lag_ms, 1_000 + lag_ms)
    assert rig.dog.worst_lag_ms == lag_ms
    assert sum("was blocked for" in record.message for record in caplog.records) == logged
    assert len(rig.node.alarms) == alarms
    assert rig.send() is None


async def test_A8_a_peer_whose_fulfillments_do_not_fit_is_left_alone_for_a_while(rig: Rig) -> None:
    rig.dog.look(NOW, 0)
    for _ in range(watchdog.WRONG_MAX - 1):
        assert rig.send() is None
        answer = rig.answer_wrongly()
        assert isinstance(answer, Reject)
        assert answer.code == ErrorCode.F05_WRONG_CONDITION
    rig.dog.look(NOW + 1_000, 1_000)
    assert (rig.node.alarms, rig.send()) == ([], None)
    rig.answer_wrongly()
    rig.dog.look(NOW + 2_000, 2_000)
    assert "do not fit" in rig.node.alarms[0]
    refused = rig.send()
    assert isinstance(refused, Reject)
    assert refused.code[:1] == "T"  # it may come back
    rig.dog.look(NOW + 61_000, 61_000)
    assert isinstance(rig.send(), Reject)
    rig.dog.look(NOW + 62_000, 62_000)
    assert rig.send() is None
    assert sum("do not fit" in alarm for alarm in rig.node.alarms) == 1


async def test_A8_a_few_in_an_hour_break_nothing(rig: Rig) -> None:
    for minute in range(60):
        assert rig.send() is None
        rig.answer_wrongly()
        rig.dog.look(NOW + minute * 60_000, minute * 60_000)
    assert not any("do not fit" in alarm for alarm in rig.node.alarms)
