"""ilp-connector and its plugins: their known bugs, and that we do not have them. Each test says what would fail it."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.account import AccountId, Relation
from interledger.accounts.asset import parse_amount
from interledger.connector.forward import Limits
from interledger.errors import InvalidRequestError
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.node.children import TOKEN_LENGTH_MIN, Children, name_of_token
from interledger.routing.ccp.messages import CONTROL_DESTINATION, RouteUpdate
from interledger.transport.stream.payment import FixedDelivery
from tests.api.conftest import call, node  # noqa: F401  # fixtures
from tests.connector.connector_kit import NOW, Hub, secret
from tests.link.btp.sockets import Side, dial, eventually, serve
from tests.node.loopback import account, net, pointer, running, settings
from tests.support.ccp_kit import Net, Node, walk
from tests.transport.stream.conftest import World, at_most, at_rate

ALICE, BOB = AccountId("alice"), AccountId("bob")
TO_BOB = "test.hub.bob"


def hub(limits: Limits = Limits(), **bob: Any) -> Hub:  # noqa: B008  # an immutable tuple
    made = Hub(limits)
    for name, more in (("alice", {}), ("carol", {}), ("bob", bob)):
        made.attach(name, **more)
    return made


# ---------------------------------------------------------------------- balances


async def test_peer_bug_JS1_a_restart_forgets_no_debt(tmp_path: Path) -> None:
    """Fails where balances are a Map in memory."""
    of = settings("test.hub", tmp_path)
    async with running(of) as made:
        for name in ("alice", "bob"):
            await made.create_account(account(name, "USD/9", f"test.hub.{name}", owes_us_max=10**12))
        await made.pay("alice", pointer(made, "bob"), send=10**9).done()
        assert (net(made, "alice"), net(made, "bob")) == (10**9, -(10**9))
    async with running(of) as made:
        assert (net(made, "alice"), net(made, "bob")) == (10**9, -(10**9))


@pytest.mark.parametrize("second", ["alice", "carol"])
def test_peer_bug_JS2_the_same_packet_again_is_another_packet(second: str) -> None:
    """Fails where a cache of packets answers the second with the Fulfill of the first, below the balances."""
    made = hub()
    for name in ("alice", second):
        assert made.send(name, 5, TO_BOB) is None
        made.commit()
    assert [onward.amount for _, onward in made.wires["bob"].prepares] == [5, 5]
    made.answer("bob", Fulfill(secret()), at=0)
    made.commit()
    assert sum(len(made.wires[name].replies) for name in {"alice", second}) == 1, "only who was answered"
    assert made.net("bob") == -5
    made.answer("bob", Reject("T00", "test.bob"), at=1)
    made.commit()
    assert made.net("bob") == -5


@pytest.mark.parametrize("limit", [0, 1])
def test_peer_bug_JS3_a_fulfill_is_relayed_whatever_the_limits_are_by_then(limit: int) -> None:
    """Fails where a limit is looked at when the Fulfill comes: it is not relayed, and we have paid."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit()
    for name in (ALICE, BOB):
        made.connector.peers[name].ledger_account.debit_max = limit
        made.connector.peers[name].ledger_account.credit_max = limit
    made.answer("bob", Fulfill(secret()))
    made.commit()
    assert [type(reply) for _, reply in made.wires["alice"].replies] == [Fulfill]
    assert (made.net("alice"), made.net("bob")) == (5, -5)


def test_peer_bug_JS3_what_is_only_pending_cannot_be_spent() -> None:
    """Fails where a Prepare gives credit before it is fulfilled: colluding peers take it and reject (493)."""
    made = hub()
    made.connector.peers[BOB].ledger_account.debit_max = 0
    made.send("alice", 100, TO_BOB)
    made.commit()
    assert made.send("bob", 1, "test.hub.carol").code == "T04"
    made.answer("bob", Fulfill(secret()))
    assert made.send("bob", 100, "test.hub.carol") is None


def test_peer_bug_JS4_a_refund_never_fails() -> None:
    """Fails where giving back a rejected packet is refused by a limit: credit leaks away."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit()
    for name in (ALICE, BOB):
        made.connector.peers[name].ledger_account.debit_max = -1
        made.connector.peers[name].ledger_account.credit_max = -1
    made.answer("bob", Reject("T04", "test.bob"))
    made.commit()
    line = made.connector.peers[ALICE].ledger_account
    assert (line.net, line.debits_pending, made.ledger.holds) == (0, 0, {})
    assert [type(reply) for _, reply in made.wires["alice"].replies] == [Reject]


# ---------------------------------------------------------------------- routes


def ring_with_a_target() -> tuple[Net, list[Node], Any]:
    net_ = Net()
    ring = [net_.node(f"test.{name}") for name in "abc"]
    for left, right in zip(ring, [*ring[1:], ring[0]], strict=True):
        net_.connect(left, right)
    link = net_.connect(ring[0], net_.node("test.target"))
    net_.run(2_000)
    return net_, ring, link


def test_peer_bug_JS6_no_lasting_loop_when_a_target_is_gone() -> None:
    """Fails where a route is believed on whose path one stands oneself (430)."""
    made, ring, link = ring_with_a_target()
    assert [walk(each, "test.target", made.nodes.values())[-1] for each in ring] == ["test.target"] * 3
    made.set_up(link, is_up=False)
    made.run(10_000)
    assert [each.next_hop("test.target") for each in ring] == [None] * 3


def test_peer_bug_JS9_routes_are_not_told_to_their_owner_and_peer_routes_to_nobody() -> None:
    """Fails where a route is echoed to who announced it (391), or `peer.` is announced (333)."""
    net_ = Net()
    owner, we, other = (net_.node(f"test.{name}") for name in ("owner", "we", "other"))
    net_.connect(owner, we)
    net_.connect(we, other)
    told: dict[str, set[str]] = {"test.owner": set(), "test.other": set()}

    def listen(source: Node, target: Node, packet: Prepare) -> None:
        if source is we and packet.destination != CONTROL_DESTINATION:
            told[target.address] |= {route.prefix for route in RouteUpdate.decode(packet.data).new_routes}

    net_.tap = listen
    owner.originate("test.shop", "peer", "peer.x")
    net_.run(5_000)
    assert told == {"test.owner": {"test.we", "test.other"}, "test.other": {"test.we", "test.owner", "test.shop"}}


# ---------------------------------------------------------------------- amounts


@pytest.mark.parametrize("text", ["-1", "-0.01", "−1", "+1", "1e3", "0x1", " 1", "1_0", "١", "NaN", ""])
async def test_peer_bug_JS7_amounts_are_digits(call: Any, text: str) -> None:  # noqa: F811
    """Fails where a negative amount is quoted (191)."""
    with pytest.raises(InvalidRequestError):
        parse_amount(text, 2)
    for path in ("/api/quotes", "/api/payments"):
        body = {"account": "alice", "receiver": "$bob.example", "send": text}
        answer = await call("POST", path, body)
        assert (answer.status, answer.json.get("field")) == (400, "send")


@pytest.mark.parametrize("rate", [Fraction(2, 3), Fraction(1, 7), Fraction(10**9, 333_333_333)], ids=str)
@pytest.mark.parametrize("amount", [1_000, 99_999, 1_000_003])
def test_peer_bug_JS8_what_is_quoted_is_enough(rate: Fraction, amount: int) -> None:
    """Fails where a quote is rounded the other way than packets are: it asks for less than it takes (76, 200, 216)."""
    world = World(at_most(10_000), at_rate(rate), target=FixedDelivery(amount)).pay()
    assert world.ended.failure is None
    assert world.ledger >= amount
    assert world.charged <= world.quoted.send_max
    assert world.ledger <= world.charged * rate


# ---------------------------------------------------------------------- who may what


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/accounts", {"token": None}, 401),
        ("POST", "/accounts", {"token": "guess"}, 401),
        ("POST", "/accounts", {"content_type": "text/plain"}, 415),  # what a form of any page can send
        ("POST", "/accounts", {"content_type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/accounts", {"body": b"x" * 70_000}, 413),
        ("GET", "/accountsX", {}, 404),
        ("GET", "/api/status/more", {}, 404),
        ("POST", "/balance", {}, 405),
        ("POST", "/addAccount", {}, 405),
    ],
)
async def test_peer_bug_JS10_the_api_is_closed_and_reads_only_json(
    call: Any,  # noqa: F811
    method: str,
    path: str,
    more: dict[str, Any],
    status: int,
) -> None:
    """Fails where the admin API asks for no token and takes any type, size and beginning of a path."""
    headers = {"content_type": "application/json", **more}
    answer = await call(method, path, headers.pop("body", b"{}" if method == "POST" else None), **headers)
    assert answer.status == status


@pytest.mark.parametrize("first", ["fulfill", "reject", "time-out"])
@pytest.mark.parametrize("second", ["fulfill", "reject", "time-out"])
def test_peer_bug_JS11_a_packet_has_one_outcome(first: str, second: str) -> None:
    """Fails where expiry and answer are judged in two places: a Reject was said, and the Fulfill is booked."""
    made = hub()
    made.send("alice", 5, TO_BOB)
    made.commit()
    for what, now in ((first, 9_000), (second, 9_900)):
        if what == "time-out":
            made.connector.handle_timer(type(NOW)(NOW + 9_800))
        else:
            made.answer("bob", Fulfill(secret()) if what == "fulfill" else Reject("T00", "test.bob"), now=now)
        made.commit()
    assert len(made.wires["alice"].replies) == 1
    is_paid = isinstance(made.wires["alice"].replies[0][1], Fulfill)
    assert is_paid is (first == "fulfill")
    assert (made.net("alice"), made.net("bob")) == ((5, -5) if is_paid else (0, 0))


@pytest.mark.parametrize(
    ("username", "token", "is_let_in"),
    [
        (None, "password", False),
        (None, "x" * (TOKEN_LENGTH_MIN - 1), False),
        (name_of_token("password"), "password", False),
        (None, "q8Jz1uVt0yB7xkLrWm3NfA", True),
    ],
)
async def test_peer_bug_JS12_no_address_is_the_hash_of_a_weak_password(
    username: str | None, token: str, is_let_in: bool
) -> None:
    """Fails where any token makes an account whose address is its hash: everybody can look for it, far from us."""
    async with running(settings("test.hub", btp_children="users")) as made:
        await made.create_account(account("users", "USD/9", "test.hub.users", Relation.CHILD))
        assert (Children(made).admit(username, token, "10.0.0.1") is not None) is is_let_in


async def test_peer_bug_JS13_no_log_shows_a_token(caplog: pytest.LogCaptureFixture) -> None:
    """Fails where a wrong token is logged beside the right one, at debug."""
    caplog.set_level(logging.DEBUG)
    here, there = Side(), Side()
    async with serve(there) as url, dial(here, url.replace("secret", "canary-that-was-sent")):
        await eventually(lambda: "BTP error F00" in caplog.text)
    assert "canary" not in caplog.text
    assert "secret" not in caplog.text


def _down(made: Hub) -> None:
    made.wires["bob"].up = False


def _busy(made: Hub) -> None:
    for _ in range(2):
        made.send("alice", 1, TO_BOB)


def _poor(made: Hub) -> None:
    made.connector.peers[ALICE].ledger_account.debit_max = 4


def _written_out(made: Hub) -> None:
    made.ledger.read_only = True


def _nothing(made: Hub) -> None:
    """As it is."""


CODES: dict[str, tuple[Any, dict[str, Any], str]] = {
    # what is the matter: (what is done to the hub, the packet, the code)
    "larger than bob takes": (_nothing, {"amount": 101}, "F08"),
    "no credit": (_poor, {}, "T04"),
    "too many packets in flight": (_busy, {}, "T02"),
    "the link is down": (_down, {}, "T01"),
    "the books cannot be written": (_written_out, {}, "T03"),
    "nobody there": (_nothing, {"to": "test.nowhere"}, "F02"),
    "another network": (_nothing, {"to": "g.bob"}, "F02"),
    "expired": (_nothing, {"expires": 0}, "R00"),
    "too little time": (_nothing, {"expires": 1_500}, "R02"),
    "converts to nothing": (_nothing, {"to": "test.hub.yen", "amount": 1}, "R01"),
    "no rate": (_nothing, {"to": "test.hub.gold"}, "T00"),
}


@pytest.mark.parametrize("what", CODES)
def test_peer_bug_JS14_each_limit_has_the_code_that_senders_understand(what: str) -> None:
    """Fails where limits are final errors (F00, F02, F03): senders give up, or try for ever (rfcs 397)."""
    prepare_hub, packet, code = CODES[what]
    made = hub(Limits(in_flight_max=2), packet_amount_max=100)
    made.rate("JPY", "100000")
    made.attach("yen", "JPY/0")
    made.attach("gold", "XAU/2")
    prepare_hub(made)
    reply = made.send("alice", **{"amount": 5, "to": TO_BOB, **packet})
    assert isinstance(reply, Reject)
    assert (str(reply.code), made.ledger.check()) == (code, [])


def test_peer_bug_JS14_too_many_packets_a_minute_are_T05() -> None:
    made = Hub()
    made.attach("alice", packets_per_minute=1)
    made.attach("bob")
    codes = [getattr(made.send("alice", 1, TO_BOB), "code", None) for _ in range(3)]
    assert codes[0] is None
    assert str(codes[-1]) == "T05"
