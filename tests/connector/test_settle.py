"""peer.settle: handed to the engine, answered once and later, refused in RFC 38's words (SE-07, SE-08, SE-10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from connector_kit import NOW, Hub

from interledger.accounts.account import Account, AccountId
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.connector.settle import MESSAGES_MAX
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.ilp.peer import EMPTY_CONDITION, PEER_CONDITION
from interledger.link.base import RequestId

Answer = Callable[[bytes | Refused], None]


class Engine:
    """Keeps what it is asked; answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Account, bytes, Timestamp]] = []
        self.answers: list[Answer] = []
        self.refuses: Refused | None = None

    def receive_message(
        self, account: Account, message: bytes, expires_at: Timestamp, answer: Answer
    ) -> Refused | None:
        self.asked.append((account, message, expires_at))
        self.answers.append(answer)
        return self.refuses


def send(made: Hub, *, request_id: int = 7, condition: bytes = PEER_CONDITION, amount: int = 0) -> Reply | None:
    packet = Prepare(amount, Timestamp(NOW + 30_000), condition, Address("peer.settle"), b"hello")
    return made.connector.receive_prepare(AccountId("bob"), RequestId(request_id), packet, NOW)


def hub() -> tuple[Hub, Engine]:
    made, engine = Hub(), Engine()
    made.attach("bob")
    made.connector.services.settlement.engine = engine
    return made, engine


@pytest.mark.parametrize("condition", [PEER_CONDITION, EMPTY_CONDITION])
def test_SE_10_the_engine_is_asked_and_its_answer_fulfills_with_zeros(condition: bytes) -> None:
    made, engine = hub()
    assert send(made, condition=condition) is None
    ((account, message, expires_at),) = engine.asked
    assert (account.id, message, expires_at) == ("bob", b"hello", NOW + 30_000)
    assert made.wires["bob"].replies == []
    engine.answers[0](b"good day")
    engine.answers[0](b"once more")
    assert made.wires["bob"].replies == [(7, Fulfill(bytes(32), b"good day"))]
    assert made.connector.peers[AccountId("bob")].answered == 1
    send(made)
    engine.answers[1](b"good night")
    assert made.connector.peers[AccountId("bob")].answered == 2


def test_SE_08_what_the_engine_refuses_is_a_reject_of_peer_settle() -> None:
    made, engine = hub()
    send(made)
    engine.answers[0](Refused(ErrorCode.F00_BAD_REQUEST, "no such account"))
    assert made.wires["bob"].replies == [(7, Reject("F00", "peer.settle", "no such account"))]
    assert made.connector.peers[AccountId("bob")].refused == 1
    send(made)
    engine.answers[1](Refused(ErrorCode.T00_INTERNAL_ERROR, "it is down", b"data"))
    assert made.wires["bob"].replies[1] == (7, Reject("T00", "peer.settle", "it is down", b"data"))
    assert made.connector.peers[AccountId("bob")].refused == 2
    engine.refuses = Refused(ErrorCode.F02_UNREACHABLE, "not this one")
    reply = send(made)
    assert isinstance(reply, Reject)
    assert (reply.code, reply.message) == ("F02", "not this one")
    engine.answers[2](b"too late")
    assert len(made.wires["bob"].replies) == 2


def test_without_an_engine_it_is_F02() -> None:
    made = Hub()
    made.attach("bob")
    reply = send(made)
    assert isinstance(reply, Reject)
    assert (reply.code, reply.message) == ("F02", "no settlement engine for this account")


@pytest.mark.parametrize(("field", "code"), [({"amount": 1}, "F00"), ({"condition": bytes(32)}, "F01")])
def test_what_has_the_wrong_form_never_reaches_the_engine(field: dict[str, object], code: str) -> None:
    made, engine = hub()
    reply = send(made, **field)  # type: ignore[arg-type]  # one of the two
    assert isinstance(reply, Reject)
    assert (reply.code, engine.asked) == (code, [])


def test_only_so_many_messages_of_a_peer_wait() -> None:
    made, engine = hub()
    for number in range(MESSAGES_MAX):
        assert send(made, request_id=number) is None
    reply = send(made)
    assert isinstance(reply, Reject)
    assert reply.code == "T05"
    engine.answers[3](b"done")
    assert send(made) is None
    for answer in engine.answers:
        answer(b"done")
    assert made.connector.services.settlement._waiting == {}
