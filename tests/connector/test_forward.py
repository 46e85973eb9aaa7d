"""The journey of a Prepare and of its reply, step by step. Whole stories are in tests/scenarios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from connector_kit import NOW, Hub, prepare, secret
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.connector import events, forward, next_hops, refusals
from interledger.connector.events import PacketRefused, Step
from interledger.connector.forward import Limits
from interledger.connector.guards import Compared, Refused
from interledger.connector.peer import Peer
from interledger.errors import ConflictError
from interledger.ilp.echo import encode_echo_reply, encode_echo_request
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.ildcp import config_request
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.link.base import RequestId
from interledger.routing.exchange import Quotes

FULFILL = Fulfill(secret())
REJECT = Reject("F99", "test.far", "no")
CONDITION = prepare(1, "test.x").execution_condition


def hub(limits: Limits | None = None, **more: str) -> Hub:
    made = Hub(limits or Limits(), **more)
    made.attach("alice")
    made.attach("bob")
    return made


# ---------------------------------------------------------------------- 1 admit


def test_a_packet_of_an_account_that_was_closed_is_T01() -> None:
    assert hub().send("carol", 5, "test.hub.bob") == Reject("T01", "test.hub", "this account was closed")


@pytest.mark.parametrize(("expires", "code"), [(0, "R00"), (-1, "R00"), (1, "R02"), (1_999, "R02"), (2_000, None)])
def test_CR_07_an_expired_packet_is_R00_one_with_too_little_time_R02(expires: int, code: str | None) -> None:
    reject = hub().send("alice", 5, "test.hub.bob", expires=expires)
    assert (None if reject is None else reject.code) == code


def test_CR_31_the_guards_of_the_account_are_asked() -> None:
    made = hub()
    made.attach("carol", packet_amount_max=10, packets_per_minute=2)
    reject = made.send("carol", 11, "test.hub.bob")
    assert (reject.code, AmountTooLarge.decode(reject.data)) == ("F08", (11, 10))
    assert made.send("carol", 10, "test.hub.bob") is None
    assert made.send("carol", 10, "test.hub.bob").code == "T05"


def close(made: Hub) -> None:
    made.ledger.read_only = True


def lose_rate(made: Hub) -> None:
    made.exchange.remove_source("says EUR")
    made.connector.rates_changed()


def use_up_credit(made: Hub) -> None:
    made.connector.peers[AccountId("alice")].ledger_account.debit_max = 4


def nothing(made: Hub) -> None:
    pass


@pytest.mark.parametrize(
    ("happens", "to", "expires", "step", "refused"),
    [
        (nothing, "test.hub.bob", 0, Step.ADMIT, refusals.EXPIRED),
        (nothing, "test.nowhere", 10_000, Step.ROUTE, refusals.NO_ROUTE),
        (nothing, "test.hub.bob", 1_500, Step.CONVERT, refusals.TOO_LITTLE_TIME),
        (lose_rate, "test.hub.bob", 10_000, Step.CONVERT, refusals.NO_RATE),
        (close, "test.hub.bob", 10_000, Step.HOLD, refusals.READ_ONLY),
        (use_up_credit, "test.hub.bob", 10_000, Step.HOLD, refusals.NO_CREDIT),
    ],
)
def test_a_refusal_is_told_and_remembered_whole(
    happens: Callable[[Hub], None], to: str, expires: int, step: Step, refused: Refused
) -> None:
    made = Hub()
    alice, _ = made.attach("alice"), made.attach("bob", "EUR/2")
    happens(made)
    for count in (1, 2):
        reject = made.send("alice", 5, to, expires=expires, now=count)
        assert reject == Reject(refused.code, "test.hub", refused.message, refused.data)
        remembered = made.connector.refusals.latest.pop()
        assert remembered._replace(compared=None, prepare=None) == PacketRefused(
            Timestamp(NOW + count), step, alice.id, to, 5, CONDITION, refused.code, refused.message
        )
        assert remembered.prepare is not None
        assert remembered.prepare.destination == to
        assert (alice.prepares, alice.refused) == (count, count)


@pytest.mark.parametrize(
    ("happens", "expires", "compared"),
    [
        (nothing, 1_500, Compared("min_message_window_ms", 500, 1_000, "ms")),
        (use_up_credit, 10_000, Compared("owes_us_max", 4, 5, "source", 4, 0, 0)),
    ],
)
def test_a_refusal_keeps_the_two_values_it_compared(
    happens: Callable[[Hub], None], expires: int, compared: Compared
) -> None:
    made = Hub()
    made.attach("alice")
    made.attach("bob", "EUR/2")
    happens(made)
    made.send("alice", 5, "test.hub.bob", expires=expires, now=0)
    assert made.connector.refusals.latest[-1].compared == compared


def test_what_a_guard_refuses_and_what_converts_to_nothing_are_remembered_too() -> None:
    made = Hub()
    made.attach("alice", packet_amount_max=10)
    made.attach("bob", "EUR/2")
    made.send("alice", 11, "test.hub.bob", now=1)
    made.send("alice", 1, "test.hub.bob", now=2)
    assert [(refusal.at - NOW, refusal.step, refusal.code) for refusal in made.connector.refusals.latest] == [
        (1, Step.ADMIT, "F08"),
        (2, Step.CONVERT, "R01"),
    ]


def test_the_last_thousand_refusals_are_remembered() -> None:
    made = hub()
    for _ in range(events.REFUSALS_KEPT + 1):
        made.send("alice", 5, "test.nowhere")
    assert len(made.connector.refusals.latest) == events.REFUSALS_KEPT


@pytest.mark.parametrize(
    ("is_local", "default", "asked_in_vain"), [(False, 1, 1), (True, 1, 0), (False, None, 0), (True, None, 0)]
)
def test_CR_31_the_default_rate_is_for_links_not_for_holders_here(
    is_local: bool, default: int | None, asked_in_vain: int
) -> None:
    made = hub(Limits(packets_per_minute=default))
    made.attach("carol", is_local=is_local)
    answers = [made.send("carol", 0, "test.hub.bob") for _ in range(2)]
    assert sum(answer is not None for answer in answers) == asked_in_vain


# ---------------------------------------------------------------------- 2 route


def test_CR_17_no_route_is_F02_a_link_that_is_down_T01_a_busy_one_T02() -> None:
    made = hub(Limits(in_flight_max=2))
    assert made.send("alice", 5, "test.nowhere").code == "F02"
    assert [made.send("alice", 5, "test.hub.bob", tag) for tag in "ab"] == [None, None]
    assert made.send("alice", 5, "test.hub.bob").code == "T02"
    made.wires["bob"].up = False
    assert made.send("alice", 5, "test.hub.bob").code == "T01"


def test_a_route_to_an_account_that_is_not_attached_is_T01() -> None:
    made = hub()
    made.route("test.gone", "carol")
    assert made.send("alice", 5, "test.gone.x").code == "T01"


@pytest.mark.parametrize("destination", ["g.far", "private.x", "example.x", "self.x", "local.x"])
def test_CR_11_CR_12_other_networks_and_narrow_scopes_are_F02_even_with_a_route(destination: str) -> None:
    made = hub()
    made.route(destination, "bob")
    assert made.send("alice", 5, destination + ".x").code == "F02"


def test_all_test_networks_are_one() -> None:
    made = hub()
    made.route("test2.far", "bob")
    assert made.send("alice", 5, "test2.far.x") is None


@pytest.mark.parametrize("destination", ["peer.config", "peer.route.control", "peer.nobody", "peer.settle"])
def test_CR_10_peer_protocols_are_never_forwarded(destination: str) -> None:
    made = hub()
    made.route("peer", "bob")
    made.route("", "bob")
    assert made.send("alice", 5, destination).code in ("F00", "F01")
    assert made.wires["bob"].prepares == []


def test_CR_14_a_child_is_told_its_address() -> None:
    made = hub()
    answer = made.connector.receive_prepare(AccountId("alice"), RequestId(1), config_request(NOW), NOW)
    assert isinstance(answer, Fulfill)
    assert made.connector.peers[AccountId("alice")].answered == 1


def test_CR_30_nothing_goes_back_where_it_came_from_though_the_next_hop_is_remembered() -> None:
    made = hub()
    assert made.send("alice", 5, "test.hub.bob.x") is None
    assert made.send("bob", 5, "test.hub.bob.x").code == "F02"
    assert made.send("alice", 5, "test.hub.bob.x", "again") is None


def test_remembered_next_hops_are_forgotten_when_they_are_too_many_or_routes_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(next_hops, "CACHED_DESTINATIONS", 1)
    made = hub()
    made.attach("carol")
    for destination in ("test.hub.bob.a", "test.hub.bob.b", "test.hub.bob.a"):
        assert made.send("alice", 1, destination) is None
    assert len(made.connector._hops) == 1
    made.route("test.hub.bob", "carol")
    assert made.send("alice", 1, "test.hub.bob.a") is None
    made.commit()
    assert (len(made.wires["bob"].prepares), len(made.wires["carol"].prepares)) == (3, 1)


def test_an_address_below_ours_leads_to_a_receiver_of_this_node() -> None:
    made = hub()
    assert made.send("alice", 5, "test.hub.token").code == "F02"
    made.receivers.name = AccountId("wallet")
    assert made.send("alice", 5, "test.hub.token").code == "T01"
    made.attach("wallet", is_local=True, relation=Relation.LOCAL)
    assert made.send("alice", 5, "test.hub.token") is None
    # It does not leave the process, so it need not wait for the disk.
    assert len(made.wires["wallet"].prepares) == 1


def test_an_echo_goes_on_to_its_return_address_with_the_same_condition() -> None:
    made = hub()
    request = prepare(0, "test.hub", data=encode_echo_request(made.connector.peers["bob"].account.ilp_address))  # type: ignore[index]
    assert made.connector.receive_prepare(AccountId("alice"), RequestId(3), request, NOW) is None
    ((_, onward),) = made.wires["bob"].prepares
    assert (onward.destination, onward.execution_condition) == ("test.hub.bob", request.execution_condition)
    made.answer("bob", FULFILL)
    assert made.wires["alice"].replies == [(3, FULFILL)]
    back = prepare(0, "test.hub", data=encode_echo_request(made.connector.peers["alice"].account.ilp_address))  # type: ignore[index]
    assert made.connector.receive_prepare(AccountId("alice"), RequestId(4), back, NOW) is None
    assert len(made.wires["alice"].prepares) == 1
    lost = prepare(0, "test.hub", data=encode_echo_request("test.nowhere"))  # type: ignore[arg-type]
    reject = made.connector.receive_prepare(AccountId("alice"), RequestId(5), lost, NOW)
    assert isinstance(reject, Reject)
    assert reject.code == "F02"


# ---------------------------------------------------------------------- 3 convert


@given(
    expires=st.integers(-1_000, 200_000),
    window=st.integers(1, 60_000),
    hold=st.integers(1_000, 600_000),
)
def test_CR_06_CR_08_the_onward_packet_expires_earlier_by_the_window_and_is_held_no_longer_than_allowed(
    expires: int, window: int, hold: int
) -> None:
    made = hub(Limits(min_message_window_ms=window, max_hold_ms=hold))
    reject = made.send("alice", 0, "test.hub.bob", expires=expires)
    if reject is not None:
        assert reject.code == ("R00" if expires <= 0 else "R02")
        assert expires < 2 * window or hold < window
        return
    ((_, onward),) = made.wires["bob"].prepares
    left = onward.expires_at - NOW
    assert window <= left <= min(expires - window, hold)


@given(
    amounts=st.lists(st.integers(0, 10**12), min_size=1, max_size=20),
    value=st.fractions(min_value=Fraction(1, 10**6), max_value=10**6),
    spread=st.sampled_from(["0", "0.002", "0.5"]),
    scales=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_CR_19_never_more_goes_on_than_the_rate_says_for_any_set_of_packets(
    amounts: list[int], value: Fraction, spread: str, scales: tuple[int, int]
) -> None:
    made = Hub(spread=spread)
    made.attach("alice", f"USD/{scales[0]}")
    made.attach("bob", f"EUR/{scales[1]}")
    made.exchange.remove_source("says EUR")
    made.rate("EUR", "1")
    made.exchange.update(Quotes("says USD", {"USD": value}, None, NOW), NOW)
    made.connector.rates_changed()
    rate = value * (1 - Fraction(spread)) * 10 ** scales[1] / 10 ** scales[0]
    taken = 0
    for amount in amounts:
        reject = made.send("alice", amount, "test.hub.bob")
        if reject is None:
            taken += amount
        else:
            assert (reject.code, int(amount * rate)) == ("R01", 0) or reject.code == "F08"
    made.commit()
    given_on = sum(onward.amount for _, onward in made.wires["bob"].prepares)
    accepted = len(made.wires["bob"].prepares)
    assert taken * rate - accepted < given_on or accepted == 0
    assert given_on <= taken * rate


def test_CR_20_more_than_64_bits_is_F08_with_the_most_that_would_pass() -> None:
    made = hub()
    made.attach("fine", "USD/4")
    reject = made.send("alice", UINT64_MAX, "test.hub.fine")
    assert reject.code == "F08"
    assert AmountTooLarge.decode(reject.data) == (UINT64_MAX, UINT64_MAX // 100)
    assert made.send("alice", UINT64_MAX // 100, "test.hub.fine") is None


def test_A17_the_limit_of_the_next_link_is_told_in_the_senders_units() -> None:
    made = hub()
    made.attach("carol", "EUR/2", packet_amount_max=100)
    reject = made.send("alice", 203, "test.hub.carol")
    assert (reject.code, AmountTooLarge.decode(reject.data)) == ("F08", (203, 200))
    assert made.send("alice", 201, "test.hub.carol") is None


def test_a_rate_that_expires_is_asked_for_again_and_none_is_T00() -> None:
    made = hub()
    made.rate("EUR", "4", max_age_ms=1_000)
    made.exchange.remove_source("says EUR")
    made.rate("EUR", "4", max_age_ms=1_000)
    made.attach("carol", "EUR/2")
    assert made.send("alice", 100, "test.hub.carol", now=999) is None
    assert made.send("alice", 100, "test.hub.carol", now=1_000).code == "T00"
    assert made.send("alice", 0, "test.hub.carol", now=1_000) is None
    made.rate("EUR", "5", max_age_ms=100_000)
    assert made.send("alice", 100, "test.hub.carol", now=1_000) is None
    made.commit()
    assert sorted(onward.amount for _, onward in made.wires["carol"].prepares) == [0, 20, 25]


def test_only_amount_and_expiry_change_on_the_way() -> None:
    made = hub()
    made.attach("carol", "EUR/2")
    made.send("alice", 100, "test.hub.carol.some.where")
    made.commit()
    ((_, onward),) = made.wires["carol"].prepares
    sent = prepare(100, "test.hub.carol.some.where")
    assert (onward.amount, onward.expires_at) == (50, NOW + 9_000)
    assert (onward.execution_condition, onward.destination, onward.data) == (
        sent.execution_condition, sent.destination, sent.data,
    )  # fmt: skip


# ---------------------------------------------------------------------- 4 hold, 5 forward


def test_CR_21_a_limit_refuses_and_changes_nothing() -> None:
    made = hub()
    made.connector.peers[AccountId("alice")].ledger_account.debit_max = 10
    assert made.send("alice", 11, "test.hub.bob").code == "T04"
    made.connector.peers[AccountId("bob")].ledger_account.credit_max = 5
    assert made.send("alice", 6, "test.hub.bob").code == "T04"
    assert (made.ledger.holds, made.ledger.check()) == ({}, [])
    assert made.send("alice", 5, "test.hub.bob") is None


def test_CR_22_nothing_leaves_before_its_hold_is_written() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    assert made.wires["bob"].prepares == []
    made.commit()
    assert [onward.amount for _, onward in made.wires["bob"].prepares] == [5]


def test_CR_27_amount_zero_makes_no_entry_and_waits_for_no_disk() -> None:
    made = hub()
    made.ledger.read_only = True
    assert made.send("alice", 0, "test.hub.bob") is None
    assert (len(made.wires["bob"].prepares), made.ledger.holds) == (1, {})
    made.answer("bob", FULFILL)
    assert made.wires["alice"].replies == [(7, FULFILL)]


def test_books_that_cannot_be_written_are_T03() -> None:
    made = hub()
    made.ledger.read_only = True
    assert made.send("alice", 5, "test.hub.bob").code == "T03"


def test_a_hold_that_could_not_be_written_is_released_and_T03() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    peer = made.connector.peers[AccountId("bob")]
    (request_id,) = peer.in_flight
    made.send("alice", 5, "test.hub.bob")
    made.commit(fails=True)
    assert made.wires["bob"].prepares == []
    assert made.wires["alice"].replies == [(7, Reject("T03", "test.hub", refusals.READ_ONLY.message))] * 2
    assert made.connector.peers[AccountId("alice")].rejected == 2
    assert (made.ledger.holds, peer.in_flight) == ({}, {})
    peer.cancel(request_id, None)
    assert len(made.wires["alice"].replies) == 2
    made.send("alice", 0, "test.hub.bob")
    peer.cancel(next(iter(peer.in_flight)), None)
    assert len(made.wires["alice"].replies) == 3


def test_J3_a_fulfill_of_our_own_receiver_that_could_not_be_written_never_leaves() -> None:
    """Nobody else has its fulfillment. One that a peer sent is relayed: that money has moved."""
    made = hub()
    made.attach("holder", is_local=True)
    made.send("alice", 5, "test.hub.holder")
    made.answer("holder", FULFILL)
    made.commit(fails=True)
    assert made.wires["alice"].replies == []
    made.send("alice", 5, "test.hub.bob", "x")
    made.commit()
    made.answer("bob", FULFILL)
    made.commit(fails=True)
    assert made.wires["alice"].replies == [(7, FULFILL)]


def test_request_ids_go_round_at_32_bits() -> None:
    made = hub()
    for tag in "abc":
        made.send("alice", 5, "test.hub.bob", tag)
    made.commit()
    assert [request_id for request_id, _ in made.wires["bob"].prepares] == [2**32 - 1, 0, 1]


@pytest.mark.parametrize("is_local", [False, True])
def test_J1_the_books_know_what_may_have_left_this_node(is_local: bool) -> None:
    made = hub()
    made.attach("carol", is_local=is_local, relation=Relation.LOCAL if is_local else Relation.CHILD)
    made.send("alice", 5, "test.hub.carol")
    (hold,) = made.ledger.holds.values()
    assert hold.remote is (not is_local)


# ---------------------------------------------------------------------- 6 match to 9 relay


def test_every_packet_is_counted_by_its_outcome() -> None:
    made = hub()
    alice = made.connector.peers[AccountId("alice")]
    for count in (1, 2):
        made.send("alice", 5, "test.hub.bob")
        made.send("alice", 5, "test.hub.bob")
        made.send("alice", 5, "test.hub.bob")
        made.commit()
        made.answer("bob", FULFILL, at=-3)
        made.answer("bob", REJECT, at=-2)
        made.answer("bob", Fulfill(bytes(32)), at=-1)
        made.commit()
        made.send("alice", 5, "test.hub.bob")
        made.commit()
        made.connector.handle_timer(Timestamp(NOW + 60_000))
        assert (alice.prepares, alice.fulfilled, alice.rejected) == (4 * count, count, 3 * count)
        made.connector.receive_prepare(AccountId("alice"), RequestId(1), config_request(NOW), NOW)
        assert alice.answered == count
        alice.prepares -= 1


@pytest.mark.parametrize("amount", [0, 5])
def test_what_became_of_a_packet_later_is_remembered_whole(amount: int) -> None:
    made = hub()
    made.send("alice", amount, "test.hub.bob")
    made.send("alice", amount, "test.hub.bob")
    made.commit()
    made.answer("bob", Fulfill(bytes(32)), now=2)
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    made.commit()
    wrong, late = refusals.WRONG_FULFILLMENT, refusals.TIMED_OUT
    alice = AccountId("alice")
    assert list(made.connector.refusals.latest) == [
        PacketRefused(Timestamp(NOW + 2), Step.VERIFY, alice, "", amount, CONDITION, wrong.code, wrong.message),
        PacketRefused(Timestamp(NOW + 60_000), Step.EXPIRE, alice, "", amount, CONDITION, late.code, late.message),
    ]
    assert made.wires["alice"].replies == [
        (7, Reject(wrong.code, "test.hub", wrong.message)),
        (7, Reject(late.code, "test.hub", late.message)),
    ]


def test_a_link_that_remembers_is_given_the_fulfill_in_the_commit_that_executes() -> None:
    made = hub()
    alice = made.connector.peers[AccountId("alice")]
    kept: list[tuple[object, object, int]] = []
    alice.keep_reply = lambda request_id, reply: kept.append((request_id, reply, alice.ledger_account.debits_posted))
    for reply in (REJECT, FULFILL):
        made.send("alice", 5, "test.hub.bob")
        made.commit()
        made.answer("bob", reply)
    assert kept == [(7, FULFILL, 5)]
    assert made.wires["alice"].replies == [(7, REJECT)]  # the other one is not written yet


def test_a_link_that_is_lost_is_asked_again_within_the_same_millisecond() -> None:
    made = hub()
    for _ in range(2):  # the first one finds the way
        assert made.send("alice", 5, "test.hub.bob") is None
    made.wires["bob"].up = False
    assert made.send("alice", 5, "test.hub.bob") is None  # it said yes for this millisecond
    made.connector.link_lost(AccountId("bob"), NOW)
    refused = made.send("alice", 5, "test.hub.bob")
    assert isinstance(refused, Reject)
    assert refused.code == refusals.PEER_DOWN.code


def test_a_link_that_remembers_is_given_the_prepare_in_the_commit_that_holds() -> None:
    made = hub()
    bob = made.connector.peers[AccountId("bob")]
    kept: list[tuple[int, object, int]] = []
    bob.keep_prepare = lambda hold_id, request_id, prepare: kept.append((hold_id, request_id, prepare.amount))
    made.send("alice", 5, "test.hub.bob")
    ((hold_id,), (request_id,)) = made.connector.ledger.holds, bob.in_flight
    assert kept == [(hold_id, request_id, 5)]
    assert made.wires["bob"].prepares == []  # it is not written yet


def test_CR_01_CR_23_a_fulfill_moves_both_balances_once_and_is_relayed_once_it_is_written() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.answer("bob", FULFILL)
    assert made.wires["alice"].replies == []
    made.commit()
    made.answer("bob", FULFILL)
    made.answer("bob", REJECT)
    made.commit()
    assert made.wires["alice"].replies == [(7, FULFILL)]
    assert (made.net("alice"), made.net("bob")) == (5, -5)
    assert made.connector.peers[AccountId("bob")].late == 2


def test_CR_22_a_reject_is_passed_on_at_once_as_it_came_and_everything_is_released() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.answer("bob", REJECT)
    assert made.wires["alice"].replies == [(7, REJECT)]
    made.commit()
    assert (made.net("alice"), made.net("bob"), made.ledger.holds) == (0, 0, {})


@pytest.mark.parametrize("amount", [0, 5])
def test_CR_09_a_fulfillment_that_does_not_fit_is_F05(amount: int) -> None:
    made = hub()
    made.send("alice", amount, "test.hub.bob")
    made.commit()
    made.answer("bob", Fulfill(bytes(32)))
    made.commit()
    ((_, reply),) = made.wires["alice"].replies
    assert isinstance(reply, Reject)
    assert (reply.code, reply.triggered_by) == ("F05", "test.hub")
    assert (made.net("alice"), made.net("bob")) == (0, 0)


def test_CR_04_no_reply_is_R00_before_the_incoming_expiry_and_unknown() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    assert made.connector.timer() == NOW + 9_500  # expiry 9,000, grace 500
    made.connector.handle_timer(Timestamp(NOW + 9_499))
    assert made.wires["alice"].replies == []
    made.connector.handle_timer(Timestamp(NOW + 9_500))
    ((_, reply),) = made.wires["alice"].replies
    assert isinstance(reply, Reject)
    assert reply.code == "R00"
    assert made.connector.timer() is None
    (unknown,) = made.ledger.unknown.values()
    assert (unknown.amount, unknown.account.name) == (5, "peer/bob")
    made.commit()


def test_the_wait_ends_while_the_incoming_expiry_can_still_be_met() -> None:
    made = hub(Limits(min_message_window_ms=400, grace_ms=5_000, relay_margin_ms=300))
    made.send("alice", 5, "test.hub.bob")
    assert made.connector.timer() == NOW + 9_700


def test_CR_05_a_late_fulfill_moves_nothing_and_is_kept_as_evidence() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    (unknown,) = made.ledger.unknown.values()
    made.answer("bob", REJECT)
    made.answer("bob", Fulfill(bytes(32)))
    assert unknown.fulfillment is None
    made.answer("bob", FULFILL)
    made.answer("bob", FULFILL)
    made.commit()
    assert unknown.fulfillment == secret()
    assert (made.net("alice"), made.net("bob")) == (0, 0)
    assert len(made.wires["alice"].replies) == 1


@pytest.mark.parametrize(("now", "is_relayed"), [(9_499, True), (9_500, False), (3_600_000, False)])
def test_J7_a_fulfill_read_before_the_timer_of_its_packet_could_run_is_late_all_the_same(
    now: int, is_relayed: bool
) -> None:
    """The clock was set forward, or the process stood still: what came meanwhile is read first."""
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.answer("bob", FULFILL, now=now)
    made.commit()
    ((_, reply),) = made.wires["alice"].replies
    assert isinstance(reply, Fulfill) is is_relayed
    assert made.net("alice") == (5 if is_relayed else 0)
    assert [item.fulfillment for item in made.ledger.unknown.values()] == ([] if is_relayed else [secret()])


def test_a_late_fulfill_of_what_is_resolved_already_changes_nothing() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    (unknown,) = made.ledger.unknown.values()
    made.ledger.resolve(unknown, delivered=False, memo="")
    made.answer("bob", FULFILL)
    assert unknown.fulfillment is None


@pytest.mark.pure
def test_the_ids_of_packets_that_were_given_up_are_forgotten_when_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forward, "GAVE_UP_KEPT", 2)
    made = hub()
    for tag in "abc":
        made.send("alice", 5, "test.hub.bob", tag)
    made.commit()
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    assert len(made.connector.peers[AccountId("bob")].gave_up) == 2
    assert len(made.ledger.unknown) == 3
    # The ids went round at 32 bits, so b had the lowest one and was given up first.
    made.answer("bob", Fulfill(secret("b")), at=1)
    made.answer("bob", Fulfill(secret("c")), at=2)
    assert [item.fulfillment for item in made.ledger.unknown.values() if item.fulfillment] == [secret("c")]


def test_what_never_left_the_process_is_released_not_unknown() -> None:
    made = hub()
    made.attach("wallet", is_local=True)
    made.send("alice", 5, "test.hub.wallet")
    made.send("alice", 0, "test.hub.wallet")
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    made.commit()
    assert (made.ledger.holds, made.ledger.unknown) == ({}, {})
    assert len(made.wires["alice"].replies) == 2


def test_a_link_that_gives_up_passes_its_reject_on_and_the_amount_is_unknown() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    ((request_id, _),) = made.wires["bob"].prepares
    for account, at in (("bob", 99), ("nobody", request_id), ("bob", request_id), ("bob", request_id)):
        made.connector.receive_no_reply(AccountId(account), RequestId(at), REJECT, NOW)
    assert made.wires["alice"].replies == [(7, REJECT)]
    assert [item.amount for item in made.ledger.unknown.values()] == [5]
    assert made.connector.timer() is None  # nobody is waited for any more
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    assert len(made.wires["alice"].replies) == 1


def test_a_link_that_went_down_is_found_out_in_the_next_millisecond_though_nobody_said_so() -> None:
    made = hub()
    assert made.send("alice", 5, "test.hub.bob") is None
    made.wires["bob"].up = False
    assert made.send("alice", 5, "test.hub.bob", now=1).code == "T01"


def test_a_link_that_was_lost_takes_nothing_more_in_the_same_millisecond() -> None:
    made = hub()
    assert made.send("alice", 5, "test.hub.bob") is None
    made.wires["bob"].up = False
    made.connector.link_lost(AccountId("bob"), NOW)
    assert made.send("alice", 5, "test.hub.bob").code == "T01"
    made.connector.link_lost(AccountId("nobody"), NOW)  # decides nothing, raises nothing


def test_J7_who_waits_for_a_fulfill_that_was_read_too_late_is_told_R00_and_it_is_remembered() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.answer("bob", FULFILL, now=20_000)
    assert made.wires["alice"].replies == [(RequestId(7), Reject("R00", "test.hub", refusals.TIMED_OUT.message))]
    (refused,) = made.connector.refusals.latest
    assert (refused.at, refused.step, refused.account, refused.amount) == (NOW + 20_000, Step.EXPIRE, "alice", 5)


def test_A8_wrong_fulfillments_of_a_peer_are_counted() -> None:
    made = hub()
    for count in (1, 2, 3):
        made.send("alice", 5, "test.hub.bob")
        made.commit()
        made.answer("bob", Fulfill(bytes(32)))
        assert made.connector.peers[AccountId("bob")].wrong == count


def test_who_watches_is_told_of_a_new_peer() -> None:
    made, told = Hub(), list[Peer]()
    made.connector.on_attach = told.append
    assert [made.attach("alice"), made.attach("bob")] == told


def test_a_lost_link_decides_nothing() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    made.wires["bob"].up = False
    made.connector.link_lost(AccountId("bob"), NOW)
    assert made.wires["alice"].replies == []
    made.answer("bob", FULFILL)
    made.commit()
    assert made.wires["alice"].replies == [(7, FULFILL)]


# ---------------------------------------------------------------------- who is there


def test_a_name_is_attached_once() -> None:
    made = hub()
    with pytest.raises(ConflictError, match="attached already"):
        made.attach("alice")


def test_a_peer_that_left_gets_its_packets_answered_by_expiry_and_is_still_counted() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    ends = ("fulfilled", "rejected", "refused", "answered")

    def counted() -> dict[str, int]:
        return made.connector.totals.with_those(made.connector.peers.values())

    assert counted()["prepares"] == 1
    made.connector.detach(AccountId("alice"))
    made.connector.detach(AccountId("alice"))
    assert (counted()["prepares"], sum(counted()[name] for name in ends)) == (1, 0)
    made.connector.detach(AccountId("bob"))
    made.answer("bob", FULFILL)
    made.connector.handle_timer(Timestamp(NOW + 60_000))
    assert (counted()["prepares"], counted()["rejected"]) == (1, 1)
    made.commit()
    assert made.ledger.holds == {}


def again(made: Hub, name: str) -> None:
    """The account is opened anew, as when its settings are changed."""
    made.connector.detach(AccountId(name))
    prepares = made.wires[name].prepares
    made.attach(name)
    made.wires[name].prepares = prepares


@pytest.mark.parametrize("when", ["while it is written", "while it is in flight", "after it was given up"])
def test_A11_what_was_in_flight_when_an_account_is_changed_still_gets_its_reply(when: str) -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    if when != "while it is written":
        made.commit()
    if when == "after it was given up":
        made.connector.handle_timer(Timestamp(NOW + 9_500))
    wire = made.wires["bob"]
    again(made, "bob")
    made.commit()
    made.wires["bob"].prepares = wire.prepares
    made.answer("bob", FULFILL)
    made.commit()
    ((_, reply),) = made.wires["alice"].replies
    if when == "after it was given up":
        assert [item.fulfillment for item in made.ledger.unknown.values()] == [secret()]
    else:
        assert reply == FULFILL
        assert (made.net("alice"), made.net("bob")) == (5, -5)
    assert made.ledger.holds == {}


def test_what_was_in_flight_when_an_account_is_changed_ends_by_expiry_too() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    made.commit()
    again(made, "bob")
    assert made.connector.timer() == NOW + 9_500
    made.connector.handle_timer(Timestamp(NOW + 9_500))
    assert [item.amount for item in made.ledger.unknown.values()] == [5]
    made.send("alice", 5, "test.hub.bob", "y")
    made.commit()
    assert len({request_id for request_id, _ in made.wires["bob"].prepares}) == 2


def test_a_hold_that_cannot_be_written_is_released_though_its_account_was_changed_meanwhile() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    again(made, "bob")
    made.commit(fails=True)
    assert made.ledger.holds == {}
    assert [reply.code for _, reply in made.wires["alice"].replies] == ["T03"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_fulfill_of_our_own_receiver_leaves_when_it_is_written_and_else_is_unsaid(fails: bool) -> None:
    made = hub()
    made.attach("wallet", is_local=True, relation=Relation.LOCAL)
    unsaid: list[tuple[object, object]] = []
    made.connector.peers[AccountId("alice")].unsay = lambda *said: unsaid.append(said)
    made.send("alice", 5, "test.hub.wallet")
    made.commit()
    made.answer("wallet", FULFILL)
    made.commit(fails=fails)
    assert (made.wires["alice"].replies, unsaid) == (([], [(7, FULFILL)]) if fails else ([(7, FULFILL)], []))


def test_an_echo_reply_is_known_by_the_echo_that_this_node_asked_for() -> None:
    made = hub()
    reply = Prepare(0, Timestamp(NOW + 5_000), CONDITION, "test.hub", encode_echo_reply())  # type: ignore[arg-type]
    reject = made.connector.receive_prepare(AccountId("alice"), RequestId(1), reply, NOW)
    assert isinstance(reject, Reject)
    assert (reject.code, reject.message) == ("F01", "an echo that nobody here waits for")


def test_the_books_have_a_line_for_who_moves_money() -> None:
    made = hub()
    assert [account.name for account in made.ledger.accounts] == ["peer/alice", "peer/bob"]


def test_who_only_asks_has_no_line_in_the_books() -> None:
    made = hub()
    account = replace(made.connector.peers[AccountId("alice")].account, id=AccountId("asker"))
    before = len(made.ledger.accounts)
    asker = made.connector.attach(
        AccountId("asker"), account, made.wires["alice"], is_local=True, first_request_id=0, moves_money=False
    )
    assert len(made.ledger.accounts) == before
    made.connector.ask_peer(AccountId("bob"), asker.id, RequestId(9), config_request(NOW), NOW)
    ((_, question),) = made.wires["bob"].prepares
    assert question.destination == "peer.config"
    assert made.connector.peers[AccountId("bob")].in_flight
    answer = Fulfill(bytes(32), b"answer")
    made.answer("bob", answer)
    assert made.wires["alice"].replies == [(9, answer)]


def test_a_question_nobody_answers_ends_at_its_expiry() -> None:
    made = hub()
    made.connector.ask_peer(AccountId("bob"), AccountId("alice"), RequestId(9), config_request(NOW), NOW)
    made.connector.handle_timer(Timestamp(NOW + 60_100))
    ((at, reply),) = made.wires["alice"].replies
    assert isinstance(reply, Reject)
    assert (at, reply.code) == (9, "R00")


def test_a_peer_tells_little_about_itself() -> None:
    made = hub()
    made.send("alice", 5, "test.hub.bob")
    assert repr(made.connector.peers[AccountId("bob")]) == "<Peer bob USD/2 in_flight=1>"


@given(st.binary(max_size=200))
def test_no_data_of_a_packet_to_our_own_address_raises(data: bytes) -> None:
    packet = Prepare(0, Timestamp(NOW + 5_000), bytes(32), "test.hub", data)  # type: ignore[arg-type]
    assert isinstance(hub().connector.receive_prepare(AccountId("alice"), RequestId(1), packet, NOW), Reject)


# ---------------------------------------------------------------------- what peers may try


@pytest.mark.parametrize("later", ["1", "4"])
def test_A7_the_rate_of_a_packet_is_that_of_its_prepare(later: str) -> None:
    """Whoever holds the Fulfill back until the rate is better gets the rate of before."""
    made = hub()
    made.attach("carol", "EUR/2")
    made.send("alice", 200, "test.hub.carol")
    made.commit()
    made.rate("EUR", later)
    made.answer("carol", FULFILL, now=9_000)
    made.commit()
    assert (made.net("alice"), made.net("carol")) == (200, -100)


@pytest.mark.parametrize("expires", [3_000, 10_000, 3_600_000])
def test_A23_a_loop_of_nodes_ends_in_thirty_hops(expires: int) -> None:
    """Each of two nodes believes the other to be the way: the packet goes to and fro until too little time is left."""
    one, two = hub(), hub()
    for made in (one, two):
        made.route("test.lost", "bob")
    now, hops = 0, 0
    reply = one.send("alice", 5, "test.lost", expires=expires)
    here, there = one, two
    while reply is None:
        hops += 1
        here.commit()
        _, onward = here.wires["bob"].prepares[-1]
        here, there = there, here
        reply = here.connector.receive_prepare(AccountId("alice"), RequestId(hops), onward, Timestamp(NOW + now))
    assert (reply.code, hops <= 30) == ("R02", True)


def test_B4_a_lack_of_credit_does_not_say_whose_nor_how_much() -> None:
    """T04 is the same for the payer's limit and for that of somebody else, near the limit and far beyond it."""
    replies = set()
    for limited in ("alice", "bob"):
        for amount in (101, 102, 10**6, UINT64_MAX):
            made = hub()
            account = made.connector.peers[AccountId(limited)].ledger_account
            account.debit_max, account.credit_max = (100, 10**30) if limited == "alice" else (10**30, 100)
            replies.add(made.send("alice", amount, "test.hub.bob").encode())
    assert len(replies) == 1
    assert Reject.decode(replies.pop()).data == b""
