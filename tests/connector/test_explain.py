"""What is told beforehand is what happens: verdicts are compared with the journey itself, and nothing is changed."""

from __future__ import annotations

import hashlib

import pytest
from connector_kit import NOW, Hub
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.connector.explain import Explanation, explain
from interledger.connector.forward import Limits
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reject
from interledger.link.base import RequestId
from interledger.routing.table import Origin
from interledger.routing.targets import parse_targets


def hub(**routes: str) -> Hub:
    """alice (child, USD/2), bob (EUR/2), carol (USD/2), isp (parent, the default route)."""
    made = Hub()
    made.attach("alice", owes_us_max=1_000)
    made.attach("bob", "EUR/2", relation=Relation.PEER)
    made.attach("carol", relation=Relation.PEER)
    made.attach("isp", relation=Relation.PARENT)
    made.connector.peers[AccountId("alice")].ledger_account.debit_max = 1_000
    targets = {"test.far": "bob", "": "isp"} | {key.replace("_", "."): value for key, value in routes.items()}
    made.routes.replace_routes(
        Origin.STATIC, [route for prefix, text in targets.items() for route in parse_targets(prefix, text)]
    )
    made.routes.replace(Origin.ACCOUNT, {f"test.hub.{name}": AccountId(name) for name in ("alice", "bob", "carol")})
    made.connector.routes_changed()
    return made


def told(made: Hub, to: str, amount: int = 100, incoming: str = "alice", now: int = 0) -> Explanation:
    return explain(made.connector, AccountId(incoming), Address(to), amount, Timestamp(NOW + now))


def lines(explanation: Explanation) -> list[str]:
    return [
        f"{one.route.account} {one.route.prefix or '-'} {one.why_not or 'chosen'}" for one in explanation.candidates
    ]


def test_the_route_that_wins_and_what_the_others_lost_by() -> None:
    made = hub(test_far="bob/carol", test="carol")
    found = told(made, "test.far.x")
    assert (found.outgoing, found.outgoing_amount, found.less_ms) == ("bob", 50, 1_000)
    assert (found.refusal, found.incoming_room, found.outgoing_room) == (None, 1_000, None)
    assert lines(found) == [
        "bob test.far chosen",
        "carol test.far stands in for bob",
        "carol test shorter prefix",
        "isp - shorter prefix",
    ]


def test_a_link_that_is_down_and_the_account_it_came_from() -> None:
    made = hub(test_far="bob/carol")
    made.wires["bob"].up = False
    found = told(made, "test.far.x")
    assert (found.outgoing, found.outgoing_amount) == ("carol", 100)
    assert lines(found)[:2] == ["bob test.far its link is down", "carol test.far chosen"]
    back = told(made, "test.hub.alice.x")
    assert back.refusal is not None
    assert (back.outgoing, back.refusal.code, back.step) == (None, "F02", "route")
    assert lines(back)[0] == "alice test.hub.alice the packet came from there"
    made = hub(test_hub_carol="bob")
    assert lines(told(made, "test.hub.carol"))[1] == "carol test.hub.carol static routes go before account ones"


def test_a_share_is_told_for_the_packet_that_is_next() -> None:
    made = hub(test_far="bob:2,carol")
    for expected in ("bob", "carol", "bob", "bob"):
        assert told(made, "test.far.x").outgoing == told(made, "test.far.x").outgoing == expected
        assert made.send("alice", 1, "test.far.x", "pays at least 1 EUR cent" * 2 if expected == "bob" else "x") or True
    assert lines(told(made, "test.far.x"))[:2] == [
        "bob test.far shares: 2 of 3 packets, not this one",
        "carol test.far chosen",
    ]


def test_what_this_node_answers_itself() -> None:
    made = hub()
    for address in ("test.hub", "peer.config", "peer.route.update"):
        found = told(made, address)
        assert (found.answered_here, found.outgoing, found.refusal, found.candidates) == (True, None, None, ())


@pytest.mark.parametrize(
    ("to", "amount", "code", "step"),
    [
        ("g.far", 1, "F02", "route"),
        ("test.far.x", 1, "R01", "convert"),
        ("test.far.x", 1_001, "T04", "hold"),
        ("test.hub.none", 1, "F02", "route"),
    ],
)
def test_the_reject_and_its_step(to: str, amount: int, code: str, step: str) -> None:
    made = hub()
    made.routes.replace(Origin.OWN, {"test.hub": AccountId("/own")})
    found = told(made, to, amount)
    assert found.refusal is not None
    assert (found.refusal.code, found.step, found.outgoing_amount) == (code, step, 0)
    assert (found.outgoing == "bob") == (step in ("convert", "hold"))
    assert found.why == found.refusal.message


NAMES = ("alice", "bob", "carol", "isp")


@given(
    incoming=st.sampled_from(NAMES),
    to=st.sampled_from(
        ["test.far.x", "test.hub.bob.x", "test.hub.alice", "test.elsewhere", "g.far", "test.hub.none", "test.shared.x"]
    ),
    amount=st.one_of(st.sampled_from([0, 1, 2, 99, 100, 500, 501, 1_001, 2**64 - 1]), st.integers(0, 2_000)),
    down=st.sets(st.sampled_from(NAMES)),
    before=st.lists(st.integers(0, 600), max_size=4),
    in_flight_max=st.sampled_from([1, 1_000]),
    packets=st.sampled_from([1, 3, None]),
    read_only=st.booleans(),
)
def test_it_is_what_happens_and_it_changes_nothing(
    incoming: str,
    to: str,
    amount: int,
    down: set[str],
    before: list[int],
    in_flight_max: int,
    packets: int | None,
    read_only: bool,
) -> None:
    made = Hub(Limits(in_flight_max=in_flight_max, packets_per_minute=packets))
    for name, asset in (("alice", "USD/2"), ("bob", "EUR/2"), ("carol", "USD/2"), ("isp", "JPY/0")):
        made.attach(name, asset, relation=Relation.PEER, packet_amount_max=500, amount_per_minute=1_500)
        made.connector.peers[AccountId(name)].ledger_account.debit_max = 1_000
    made.routes.replace_routes(
        Origin.STATIC,
        [
            route
            for prefix, text in {"test.far": "bob/carol", "test.shared": "bob:2,carol,isp", "": "isp"}.items()
            for route in parse_targets(prefix, text)
        ],
    )
    made.routes.replace(Origin.ACCOUNT, {"test.hub.alice": AccountId("alice"), "test.hub.bob": AccountId("bob")})
    made.connector.routes_changed()
    for number, value in enumerate(before):
        made.send(incoming, value, "test.shared.x", f"before {number}")
    made.commit()
    for name in down:
        made.wires[name].up = False
    made.ledger.read_only = read_only
    books = [str(vars_of(account)) for account in made.ledger.accounts]
    found = told(made, to, amount, incoming)
    assert told(made, to, amount, incoming) == found
    assert [str(vars_of(account)) for account in made.ledger.accounts][: len(books)] == books
    assert made.ledger.take_batch() is None
    sent = {name: len(made.wires[name].prepares) for name in NAMES}
    packet = Prepare(amount, Timestamp(NOW + 30_000), hashlib.sha256(b"c").digest(), Address(to))
    reply = made.connector.receive_prepare(
        AccountId(incoming), RequestId(9), Prepare.decode(packet.encode()), Timestamp(NOW)
    )
    made.commit()
    if isinstance(reply, Reject):
        assert found.refusal == reply
        assert made.connector.refusals.latest[-1].step == found.step
    else:
        assert found.refusal is None
        (gone,) = [name for name in NAMES if len(made.wires[name].prepares) > sent[name]]
        onward = made.wires[gone].prepares[-1][1]
        assert (found.outgoing, found.outgoing_amount) == (gone, onward.amount)
        assert packet.expires_at - onward.expires_at == found.less_ms


def vars_of(account: object) -> dict[str, object]:
    return {name: getattr(account, name) for name in ("debits_posted", "debits_pending", "credits_pending")}
