"""ilpv4-connector (Java): its known bugs, and that we do not have them. Each test says what would fail it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from interledger.accounts.account import AccountId, LinkSettings, Relation
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.connector.forward import Limits
from interledger.errors import ConflictError, InvalidRequestError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.link.base import RequestId
from interledger.routing.ccp.messages import CONTROL_DESTINATION, RouteUpdate
from interledger.store.sqlite import SqliteStore
from tests.connector.connector_kit import NOW, Hub, prepare, secret
from tests.node.loopback import account, digest, running, settings
from tests.support.ccp_kit import Net, Node

TO_BOB = "test.hub.bob"


def hub(limits: Limits = Limits()) -> Hub:  # noqa: B008  # an immutable tuple
    made = Hub(limits)
    made.attach("alice")
    made.attach("bob")
    return made


@pytest.mark.parametrize("amount", [2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1])
def test_peer_bug_JV1_amounts_above_2_63_are_not_negative(tmp_path: Path, amount: int) -> None:
    """Fails where `longValue()` makes them negative: the debt is forgotten, or taken off. Also after a restart."""
    made = hub()
    assert made.send("alice", amount, TO_BOB) is None
    store = SqliteStore(tmp_path / "node", reserve_octets=4096)
    store.open()
    store.load(Ledger())
    batches = [made.ledger.take_batch()]
    assert batches[0] is not None
    for send, _, request_id, onward in batches[0].prepares:
        send(request_id, onward)
    made.answer("bob", Fulfill(secret()))
    batches.append(made.ledger.take_batch())
    assert (made.net("alice"), made.net("bob")) == (amount, -amount)
    for batch in batches:
        assert batch is not None
        store.write(b"".join(batch.records), NOW)
    store.close()
    store, again = SqliteStore(tmp_path / "node", reserve_octets=4096), Ledger()
    store.open()
    store.load(again)
    assert {line.name: line.net for line in again.accounts if line.net} == {"peer/alice": amount, "peer/bob": -amount}
    store.close()


@pytest.mark.parametrize(
    ("destination", "is_refused"),
    [("test.hub.bob", False), ("test2.hub.bob", False), ("g.hub.bob", True), ("private.bob", True), ("local.bob", True),
     ("example.bob", True), ("self.bob", True), ("peer.bob", True)],
)  # fmt: skip
def test_peer_bug_JV4_no_packet_crosses_to_another_network(destination: str, is_refused: bool) -> None:
    """Fails where a packet for `g.` goes out on a node of `test.`, because some route fits (574)."""
    made = hub()
    made.route("", "bob")  # the default route
    reply = made.send("alice", 5, destination)
    made.commit()
    assert (reply is not None) is is_refused
    assert len(made.wires["bob"].prepares) == (not is_refused)


def test_peer_bug_JV5_every_change_has_an_epoch_of_its_own() -> None:
    """Fails where the epoch does not move with a change: peers believe to know it already (PR 616)."""
    made = Net()
    left, right = made.node("test.left"), made.node("test.right")
    made.connect(left, right)
    updates: list[RouteUpdate] = []

    def listen(source: Node, target: Node, packet: Prepare) -> None:
        if source is left and packet.destination != CONTROL_DESTINATION:
            updates.append(RouteUpdate.decode(packet.data))

    made.tap = listen
    for step in range(5):
        left.originate(f"test.x{step}")
        made.run(2_000)
        assert set(right.best) == set(left.local)
    news = [update for update in updates if update.new_routes or update.withdrawn_routes]
    assert len(news) >= 5
    for before, after in itertools.pairwise(news):
        assert after.from_epoch == before.to_epoch
        assert after.to_epoch > after.from_epoch


@pytest.mark.parametrize("max_hold_ms", [5_000, 30_000])
def test_peer_bug_JV6_the_longest_hold_is_the_nodes_own(max_hold_ms: int) -> None:
    """Fails where there is no longest expiry (255)."""
    made = hub(Limits(max_hold_ms=max_hold_ms))
    made.send("alice", 5, TO_BOB, expires=10**9)
    made.commit()
    assert made.wires["bob"].prepares[0][1].expires_at == NOW + max_hold_ms


@pytest.mark.parametrize("settle_threshold", [None, 1, 10, 1_000])
async def test_peer_bug_JV7_credit_ends_at_its_limit_whatever_settles_when(settle_threshold: int | None) -> None:
    """Fails where the settlement threshold takes the limit's place: packets above it are accepted (259)."""
    async with running(settings("test.hub")) as node:
        listens = LinkSettings(btp_incoming_token_digest=digest("token of alice"))
        await node.create_account(
            account("alice", "USD/2", "test.alice", Relation.PEER, listens, owes_us_max=100,
                    settle_threshold=settle_threshold, settle_to=0)
        )  # fmt: skip
        bob = await node.create_account(account("bob", "USD/2", "test.hub.bob"))
        to_bob = node.spsp_details(bob.id).destination_account
        for amount, code in ((101, "T04"), (100, None)):
            packet = prepare(amount, str(to_bob))
            now = node.clock.now()
            packet = packet.forwarded(amount=amount, expires_at=Timestamp(now + 10_000))
            reply = node.connector.receive_prepare(AccountId("alice"), RequestId(amount), packet, now)
            assert getattr(reply, "code", None) == code


async def test_peer_bug_JV8_names_and_what_selects_an_account_are_unique() -> None:
    """Fails where a second account with the same id is accepted: settlements reach the wrong one (432)."""
    async with running(settings("test.hub")) as node:
        first = LinkSettings(http_incoming_token_digest=digest("one"), btp_incoming_token_digest=digest("two"))
        await node.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, first))
        for again in (
            account("alice", "EUR/9", "test.other"),
            account("bob", "USD/9", "test.bob", Relation.PEER, LinkSettings(http_incoming_token_digest=digest("one"))),
            account("bob", "USD/9", "test.bob", Relation.PEER, LinkSettings(btp_incoming_token_digest=digest("two"))),
        ):
            with pytest.raises(ConflictError):
                await node.create_account(again)
        assert [each.id for each in node.accounts()] == ["alice"]


@pytest.mark.parametrize("amount", [-1, 2**64, 10**30])
def test_peer_bug_JV9_an_amount_outside_of_64_bits_is_no_amount(amount: int) -> None:
    """Fails where bounds are not checked when the value is made, and a later conversion wraps (xrpl4j 728)."""
    with pytest.raises(InvalidRequestError):
        Prepare(amount, NOW, bytes(32), Address("test.bob")).encode()
    with pytest.raises(InvalidRequestError):
        prepare(1, TO_BOB).forwarded(amount=amount, expires_at=NOW)
