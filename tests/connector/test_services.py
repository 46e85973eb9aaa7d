"""What a node answers itself: `peer.*`, and packets to its own address. ILDCP byte for byte with the vectors."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

import pytest
from connector_kit import NOW, Hub, prepare, secret
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.connector import services
from interledger.connector.guards import Refused
from interledger.connector.services import Echo, answer_own_address, answer_peer_protocol
from interledger.ilp.address import Address
from interledger.ilp.balance import PeerBalance, balance_request
from interledger.ilp.echo import PING_CONDITION, PING_FULFILLMENT, encode_echo_reply, encode_echo_request
from interledger.ilp.ildcp import config_request
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.ilp.peer import EMPTY_CONDITION, PEER_CONDITION, PEER_FULFILLMENT
from interledger.link.base import RequestId


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


KNOWN = ("peer.config", "peer.balance", "peer.settle", "peer.heartbeat", "peer.route.control", "peer.route.update")
NAMES = st.one_of(st.sampled_from(KNOWN), st.from_regex(r"peer(\.[a-z~_0-9-]{1,8}){1,3}", fullmatch=True))


@given(
    name=NAMES,
    amount=st.sampled_from([0, 1, 2, 2**64 - 1]),
    condition=st.sampled_from([PEER_CONDITION, EMPTY_CONDITION, bytes(32), hashlib.sha256(bytes(32)).digest()]),
    data=st.binary(max_size=40),
    relation=st.sampled_from(Relation),
    route=st.sampled_from(["peer", "peer.config", ""]),
)
def test_CR_10_SE_07_no_packet_to_any_peer_address_is_forwarded_or_charged(
    name: str, amount: int, condition: bytes, data: bytes, relation: Relation, route: str
) -> None:
    """Whatever the operator routes where: the packet ends here, at once, and the books stay as they were."""
    made = Hub()
    made.attach("kid", relation=relation, peer_balance=True)
    made.attach("bob")
    made.route(route, "bob")
    packet = Prepare(amount, Timestamp(NOW + 5_000), condition, Address(name), data)
    reply = made.connector.receive_prepare(AccountId("kid"), RequestId(7), packet, NOW)
    made.commit()
    assert isinstance(reply, Fulfill | Reject)
    assert made.wires["bob"].prepares == []
    assert made.ledger.holds == {}
    assert [account.debits_posted for account in made.ledger.accounts] == [0] * len(made.ledger.accounts)
    if isinstance(reply, Fulfill):
        assert amount <= (name == "peer.config")
        assert reply.matches(condition)
    elif name not in KNOWN:
        assert reply.code == "F01"


def test_a_heartbeat_is_fulfilled_by_its_own_data() -> None:
    beat = hashlib.sha256(b"beat").digest() + b"more"
    packet = Prepare(0, Timestamp(NOW + 1), hashlib.sha256(beat[:32]).digest(), Address("peer.heartbeat"), beat)
    assert answer_peer_protocol(account(), packet, NOW) == Fulfill(beat[:32], beat)
    for wrong in (beat[:31], bytes(32), b""):
        packet = Prepare(0, Timestamp(NOW + 1), packet.execution_condition, Address("peer.heartbeat"), wrong)
        assert code(answer_peer_protocol(account(), packet, NOW)) == "F01"


# ---------------------------------------------------------------------- peer.balance


def ask_balance(made: Hub, name: str) -> object:
    return made.connector.receive_prepare(AccountId(name), RequestId(7), balance_request(NOW), NOW)


def test_a_peer_is_told_what_we_owe_it_where_that_is_allowed() -> None:
    made = Hub()
    made.attach("alice", peer_balance=True)
    made.attach("bob", peer_balance=True)
    made.attach("carol")
    made.send("alice", 700, "test.hub.bob")
    made.commit()
    made.answer("bob", Fulfill(secret()))
    for name, balance in (("alice", -700), ("bob", 700)):
        reply = ask_balance(made, name)
        assert isinstance(reply, Fulfill)
        assert PeerBalance.decode(reply.data) == PeerBalance(balance, 2, "USD")
        assert reply.matches(PEER_CONDITION)
    refused = ask_balance(made, "carol")
    assert isinstance(refused, Reject)
    assert (refused.code, refused.message) == ("F01", "unknown peer protocol")


def test_a_balance_beyond_64_bits_is_not_told_wrongly() -> None:
    made = Hub()
    peer = made.attach("alice", peer_balance=True)
    peer.ledger_account.debits_posted = 2**63
    reply = ask_balance(made, "alice")
    assert isinstance(reply, Reject)
    assert reply.code == "T00"


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
