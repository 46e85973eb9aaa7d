"""What a node answers itself: `peer.*`, and packets to its own address. ILDCP byte for byte with the vectors."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from connector_kit import NOW, prepare, secret

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.connector import services
from interledger.connector.guards import Refused
from interledger.connector.services import Echo, answer_own_address, answer_peer_protocol
from interledger.ilp.address import Address
from interledger.ilp.echo import PING_CONDITION, PING_FULFILLMENT, encode_echo_reply, encode_echo_request
from interledger.ilp.ildcp import config_request
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT


def _ms(text: str) -> Timestamp:
    return Timestamp(int(datetime.fromisoformat(text).timestamp()) * 1000)


VECTORS = json.loads((Path(__file__).parents[2] / "conformance" / "vectors" / "ildcp.json").read_text(encoding="utf-8"))
REQUESTS = [vector for vector in VECTORS if vector["layer"] == "ildcp.request"]


def account(relation: Relation = Relation.CHILD) -> Account:
    return Account(
        id=AccountId("kid"), asset=Asset("XAM", 13), ilp_address=Address("example.client"), relation=relation
    )


def code(answer: object) -> str:
    assert isinstance(answer, Refused)
    return str(answer.code)


# ---------------------------------------------------------------------- peer.*


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["name"])
def test_PC_01_requests_of_the_vectors(vector: dict[str, str]) -> None:
    packet = Prepare.decode(bytes.fromhex(vector["octets"]))
    answer = answer_peer_protocol(account(), packet, _ms(vector["now"]))
    assert isinstance(answer, Refused if "error" in vector else Fulfill)


def test_PC_01_PC_02_PC_03_the_answer_is_that_of_the_vectors() -> None:
    """The child's address lies where the account says; the fulfillment is the one that everybody knows."""
    (response,) = [vector for vector in VECTORS if vector["name"] == "response"]
    answer = answer_peer_protocol(account(), config_request(NOW), NOW)
    assert isinstance(answer, Fulfill)
    assert answer.data.hex() == response["octets"]
    assert answer.fulfillment == PEER_FULFILLMENT
    assert answer.matches(PEER_CONDITION)


@pytest.mark.parametrize(
    ("relation", "answered"),
    [(Relation.CHILD, True), (Relation.LOCAL, True), (Relation.PEER, False), (Relation.PARENT, False)],
)
def test_CR_14_only_children_and_holders_are_configured(relation: Relation, answered: bool) -> None:
    answer = answer_peer_protocol(account(relation), config_request(NOW), NOW)
    assert isinstance(answer, Fulfill) is answered
    if not answered:
        assert code(answer) == "F00"


@pytest.mark.parametrize(("amount", "answered"), [(0, True), (1, True), (2, False), (2**64 - 1, False)])
def test_a_peer_protocol_moves_no_money(amount: int, answered: bool) -> None:
    packet = Prepare(amount, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.config"))
    answer = answer_peer_protocol(account(), packet, NOW)
    assert isinstance(answer, Fulfill) is answered


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (Prepare(0, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.settle")), "F01"),
        (Prepare(0, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.config.more")), "F01"),
        (Prepare(2, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.config")), "F00"),
        (Prepare(0, Timestamp(NOW + 1), bytes(32), Address("peer.config")), "F01"),
        (Prepare(0, NOW, PEER_CONDITION, Address("peer.config")), "R00"),
    ],
)
def test_CR_10_what_is_refused(packet: Prepare, expected: str) -> None:
    assert code(answer_peer_protocol(account(), packet, NOW)) == expected


# ---------------------------------------------------------------------- our own address


def to_us(data: bytes, amount: int = 0) -> Prepare:
    return prepare(amount, "test.hub", data=data)


def test_a_ping_of_the_Java_connector_is_fulfilled_with_its_data() -> None:
    packet = Prepare(0, Timestamp(NOW + 5), PING_CONDITION, Address("test.hub"), b"hello")
    assert answer_own_address(Echo(), packet) == Fulfill(PING_FULFILLMENT, b"hello")


def test_a_ping_with_money_is_no_ping() -> None:
    packet = Prepare(1, Timestamp(NOW + 5), PING_CONDITION, Address("test.hub"), b"hello")
    assert code(answer_own_address(Echo(), packet)) == "F02"


def test_an_echo_request_becomes_a_packet_to_the_return_address() -> None:
    packet = to_us(encode_echo_request(Address("test.alice")), amount=7)
    answer = answer_own_address(Echo(), packet)
    assert isinstance(answer, Prepare)
    assert (answer.destination, answer.amount, answer.data) == ("test.alice", 7, encode_echo_reply())
    assert (answer.execution_condition, answer.expires_at) == (packet.execution_condition, packet.expires_at)


def test_an_echo_to_oneself_would_never_end() -> None:
    assert code(answer_own_address(Echo(), to_us(encode_echo_request(Address("test.hub"))))) == "F01"


def test_an_echo_reply_is_fulfilled_by_who_chose_the_condition() -> None:
    echo, packet = Echo(), to_us(encode_echo_reply())
    assert code(answer_own_address(echo, packet)) == "F01"
    echo.expect(packet.execution_condition, secret())
    assert answer_own_address(echo, packet) == Fulfill(secret())
    echo.forget(packet.execution_condition)
    echo.forget(packet.execution_condition)
    assert code(answer_own_address(echo, packet)) == "F01"


@pytest.mark.parametrize("data", [b"", b"payment", b"ECHOECHOECHOECHO", b"ECHOECHOECHOECHO\x05"])
def test_the_address_itself_receives_nothing(data: bytes) -> None:
    assert code(answer_own_address(Echo(), to_us(data))) == "F02"


def test_pings_that_are_out_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PINGS_MAX", 2)
    echo = Echo()
    for number in range(3):
        echo.expect(bytes([number]) * 32, secret())
    assert [echo.fulfillment_of(bytes([number]) * 32) for number in range(3)] == [None, secret(), secret()]


def test_CR_10_a_node_may_answer_more_peer_protocols_and_none_of_them_is_paid() -> None:
    def answer(asked: Account, packet: Prepare, now: Timestamp) -> Fulfill | Refused:
        return Fulfill(PEER_FULFILLMENT, asked.id.encode() + packet.data)

    protocols = {**services.PEER_PROTOCOLS, "peer.hello": answer}
    packet = Prepare(0, Timestamp(NOW + 1_000), PEER_CONDITION, Address("peer.hello"), b"!")
    assert answer_peer_protocol(account(), packet, NOW, protocols) == Fulfill(PEER_FULFILLMENT, b"kid!")
    assert code(answer_peer_protocol(account(), packet, NOW)) == "F01"
    paid = Prepare(1, packet.expires_at, PEER_CONDITION, packet.destination)
    assert code(answer_peer_protocol(account(), paid, NOW, protocols)) == "F00"
    assert code(answer_peer_protocol(account(), packet, packet.expires_at, protocols)) == "R00"
