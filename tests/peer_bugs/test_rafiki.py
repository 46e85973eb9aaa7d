"""Rafiki: its known bugs, and that we do not have them. Each test says what would fail it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.account import AccountId, LinkSettings, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.errors import LedgerError
from interledger.ilp.packet import Fulfill, Reject
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.transport.stream.payment import FixedDelivery
from tests.api.conftest import call, node  # noqa: F401  # fixtures
from tests.connector.connector_kit import NOW, Hub, secret
from tests.node.loopback import account, net, pointer, running, settings
from tests.transport.stream.conftest import World, at_most

TO_BOB = "test.hub.bob"


def hub(*, bob_is_local: bool = False) -> Hub:
    made = Hub()
    made.attach("alice")
    made.attach("bob", is_local=bob_is_local)
    return made


@pytest.mark.parametrize("after_ms", [4_999, 5_001, 15_000, 28_900])
def test_peer_bug_RF1_a_hold_lives_as_long_as_its_packet(after_ms: int) -> None:
    """Fails where holds end by themselves after five seconds: the Fulfill is relayed and nothing is booked."""
    made = hub()
    made.send("alice", 5, TO_BOB, expires=30_000)
    made.commit()
    for now in range(0, after_ms, 500):
        made.connector.handle_timer(Timestamp(NOW + now))
    made.answer("bob", Fulfill(secret()), now=after_ms)
    assert made.wires["alice"].replies == []
    made.commit()
    assert [type(reply) for _, reply in made.wires["alice"].replies] == [Fulfill]
    assert (made.net("alice"), made.net("bob")) == (5, -5)


def test_peer_bug_RF1_what_expires_is_released() -> None:
    """Fails where an expiry is an exception that no `void` follows."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit()
    made.connector.handle_timer(Timestamp(NOW + 10_000))
    made.commit()
    line = made.connector.peers[AccountId("alice")].ledger_account
    assert (made.ledger.holds, line.net, line.debits_pending) == ({}, 0, 0)
    assert [reply.code for _, reply in made.wires["alice"].replies if isinstance(reply, Reject)] == ["R00"]


@pytest.mark.parametrize("written_between", [True, False])
def test_peer_bug_RF2_two_packets_do_not_pass_one_balance(written_between: bool) -> None:
    """Fails where the sum is read and the hold inserted later: the second reads the sum before the first is there."""
    made = hub()
    made.connector.peers[AccountId("alice")].ledger_account.debit_max = 100
    assert made.send("alice", 60, TO_BOB) is None
    if written_between:
        made.commit()
    assert made.send("alice", 60, TO_BOB, tag="y").code == "T04"
    assert made.send("alice", 40, TO_BOB, tag="z") is None


@pytest.mark.parametrize(("answer", "moved"), [(Fulfill(secret()), 5), (Reject("F99", "test.hub.bob"), 0)])
def test_peer_bug_RF3_a_payment_within_the_node_has_two_phases_too(answer: Any, moved: int) -> None:
    """Fails where a short cut in one phase is taken for accounts of the same node: amounts differ (2629)."""
    made = hub(bob_is_local=True)
    made.send("alice", 5, TO_BOB)
    assert len(made.ledger.holds) == 1
    assert (made.net("alice"), made.net("bob")) == (0, 0)
    made.answer("bob", answer)
    made.commit()
    assert (made.net("alice"), made.net("bob"), made.ledger.holds) == (moved, -moved, {})


def test_peer_bug_RF4_no_hold_is_without_an_end() -> None:
    """Fails where a pending transfer without a time-out can be made (2879)."""
    made = hub()
    made.send("alice", 5, TO_BOB, expires=10**9)
    assert made.connector.timer() is not None
    (hold,) = made.ledger.holds.values()
    assert NOW < hold.expires_at <= NOW + 30_000
    ledger = Ledger()
    alice, bob = ledger.account("peer/alice", Asset("USD", 2)), ledger.account("peer/bob", Asset("USD", 2))
    for expires_at in (-1, 2**64):
        with pytest.raises(LedgerError):
            ledger.hold(((alice, bob, 1),), bytes(32), expires_at, True)
    assert ledger.holds == {}


async def test_peer_bug_RF5_who_asks_again_gets_the_same_transfer(tmp_path: Path) -> None:
    """Fails where the id of a transfer is not durable before it is used: a second call is stuck, or pays again (221).

    Payments by `Idempotency-Key`; that of settlements is with settlement.
    """
    of = settings("test.hub", tmp_path)
    async with running(of) as made:
        await made.create_account(account("alice", "USD/9", "test.hub.alice"))
        payment = made.pay("alice", pointer(made, "alice"), send=5)
        made.payment_keys.keep("admin", "key", "digest of the body", payment.id)
        await made.commit()
        await payment.done()
    async with running(of) as made:
        kept = made.payment_keys.find("admin", "key")
        assert kept is not None
        assert (kept.payment, kept.body) == (payment.id, "digest of the body")
        assert made.paying.get(kept.payment).snapshot.state == payment.snapshot.state
        assert made.payment_keys.find("somebody else", "key") is None


@pytest.mark.parametrize("amount", [2**53 + 1, 10**17 + 1, 2**60 + 1])
def test_peer_bug_RF6_what_is_to_arrive_is_exact(amount: int) -> None:
    """Fails where the least delivery is computed by a float: `BigInt(Number)` of 2^53+1 is another amount (2165)."""
    world = World(at_most(2**61), target=FixedDelivery(amount)).pay()
    assert (world.ended.failure, world.ledger) == (None, amount)
    assert world.quoted.deliver_min == amount


@pytest.mark.parametrize("send", [0.1, 1e3, 10, True, None, "1e3", "0.1e1"])
async def test_peer_bug_RF6_money_is_no_number_of_JSON(call: Any, send: Any) -> None:  # noqa: F811
    answer = await call("POST", "/api/payments", {"account": "alice", "receiver": "$bob.example", "send": send})
    assert answer.status == 400


async def test_peer_bug_RF7_tokens_of_peers_are_not_in_the_database(tmp_path: Path) -> None:
    """Fails where a peer's token is a column of a table."""
    link = LinkSettings(http_url="http://localhost:9/x", http_outgoing_token="canary-outgoing")
    async with running(settings("test.hub", tmp_path)) as made:
        await made.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, link))
        admin, path = {"Authorization": "Bearer admin-token"}, f"http://127.0.0.1:{made.port}/api/accounts/bob/tokens"
        answer = await fetch(
            "POST", path, headers=admin | {"Content-Type": "application/json"}, body=b'{"use": "http"}',
            egress=EgressPolicy(development=True),
        )  # fmt: skip
        given = json.loads(answer.body)["token"]
        assert made.authenticate(given) == "bob"
        assert net(made, "bob") == 0
    files = octets_in(tmp_path)
    assert b"canary-outgoing" not in files
    assert given.encode() not in files


def octets_in(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.iterdir() if path.is_file())
