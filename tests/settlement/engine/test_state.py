"""What an engine keeps: every key for ever, what is owed to the last part of a unit, one payment at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import ConflictError, LedgerError, NotFoundError, StoreError
from interledger.settlement.engine.state import DATABASE, EngineState, Requested
from interledger.settlement.quantity import NOTHING, Quantity

NOW, LATER = Timestamp(1_000), Timestamp(2_000)
YEARS_LATER = Timestamp(10**12)
KEYS = count()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[EngineState]:
    found = EngineState(tmp_path)
    found.open_account("bob", NOW)
    yield found
    found.close()


def reopened(state: EngineState) -> EngineState:
    state.close()
    return EngineState(state.path.parent)


def test_SE_01_a_request_counts_once_for_ever(state: EngineState) -> None:
    five = Quantity(5, 0)
    assert state.request("bob", "key", five, NOW) is Requested.NEW
    assert state.request("bob", "key", five, NOW) is Requested.KNOWN
    state = reopened(state)
    assert state.request("bob", "key", five, YEARS_LATER) is Requested.KNOWN
    assert state.owed("bob") == five
    state.close()


def test_SE_02_a_key_with_another_quantity_is_a_conflict(state: EngineState) -> None:
    state.request("bob", "key", Quantity(5, 0), NOW)
    assert state.request("bob", "key", Quantity(6, 0), NOW) is Requested.CONFLICT
    assert state.request("bob", "key", Quantity(5, 1), NOW) is Requested.CONFLICT
    assert state.owed("bob") == Quantity(5, 0)


def test_I13_a_key_belongs_to_its_account(state: EngineState) -> None:
    state.open_account("key", NOW)
    assert state.request("bob", "key", Quantity(5, 0), NOW) is Requested.NEW
    assert state.request("key", "key", Quantity(7, 0), NOW) is Requested.NEW
    assert (state.owed("bob"), state.owed("key")) == (Quantity(5, 0), Quantity(7, 0))


def test_an_account_that_nobody_opened(state: EngineState) -> None:
    with pytest.raises(NotFoundError):
        state.request("eve", "key", Quantity(5, 0), NOW)
    with pytest.raises(NotFoundError):
        state.account("eve")
    with pytest.raises(NotFoundError):
        state.add_incoming("eve", "tx1", "key", Quantity(5, 0), NOW)
    assert state.owed("eve") == NOTHING
    assert state.next_payment("eve", 2, NOW) is None


def test_I7_parts_of_a_unit_wait_for_more(state: EngineState) -> None:
    state.request("bob", "a", Quantity(999, 5), NOW)  # 0.00999
    assert state.next_payment("bob", 2, NOW) is None
    state.request("bob", "b", Quantity(1, 5), NOW)
    payment = state.next_payment("bob", 2, NOW)
    assert payment is not None
    assert payment.quantity == Quantity(1, 2)
    assert state.owed("bob") == NOTHING


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**30), st.integers(0, 255)), max_size=8), st.integers(0, 30))
def test_I7_all_that_was_asked_is_paid_or_owed(state: EngineState, asked: list[tuple[int, int]], scale: int) -> None:
    state.open_account("dora", NOW)
    before = state.owed("dora")
    paid = Fraction(0)
    for amount, its_scale in asked:
        assert state.request("dora", str(next(KEYS)), Quantity(amount, its_scale), NOW) is Requested.NEW
        payment = state.next_payment("dora", scale, NOW)
        if payment is not None:
            state.finish_payment(payment, None, NOW)
            paid += Fraction(payment.amount, 10**payment.scale)
    total = sum(Fraction(a, 10**s) for a, s in asked) + Fraction(before.amount, 10**before.scale)
    owed = state.owed("dora")
    assert paid + Fraction(owed.amount, 10**owed.scale) == total


def test_a_payment_stays_the_same_until_it_is_done(state: EngineState) -> None:
    state.request("bob", "a", Quantity(5, 2), NOW)
    first = state.next_payment("bob", 2, NOW)
    assert first is not None
    first.remember({"tx": "0xab"})
    state.request("bob", "b", Quantity(6, 2), NOW)
    state = reopened(state)
    again = state.next_payment("bob", 2, LATER)
    assert again is not None
    assert (again.id, again.amount, again.note, again.made_at) == (first.id, 5, {"tx": "0xab"}, NOW)
    state.finish_payment(again, None, LATER)
    second = state.next_payment("bob", 2, LATER)
    assert second is not None
    assert (second.amount, second.note) == (6, None)
    assert [(p.id, at, paid) for p, at, paid in state.payments(9)] == [(second.id, None, None), (first.id, LATER, 5)]
    state.close()


def test_what_was_not_paid_is_owed_again(state: EngineState) -> None:
    state.request("bob", "a", Quantity(5, 2), NOW)
    payment = state.next_payment("bob", 2, NOW)
    assert payment is not None
    with pytest.raises(LedgerError, match="cannot have been paid"):
        state.finish_payment(payment, 6, NOW)
    state.finish_payment(payment, 2, NOW)
    assert state.owed("bob") == Quantity(3, 2)
    with pytest.raises(LedgerError, match="done already"):
        state.finish_payment(payment, 2, NOW)
    with pytest.raises(LedgerError, match="not open"):
        payment.remember({})


def test_an_event_of_the_ledger_counts_once(state: EngineState) -> None:
    assert state.add_incoming("bob", "tx1:0", "key1", Quantity(5, 2), NOW)
    assert not state.add_incoming("bob", "tx1:0", "key2", Quantity(5, 2), NOW)
    state = reopened(state)
    assert not state.add_incoming("bob", "tx1:0", "key3", Quantity(5, 2), LATER)
    [one] = state.open_incoming()
    assert (one.key, one.quantity, one.account) == ("key1", Quantity(5, 2), "bob")
    state.finish_incoming(one, LATER)
    assert state.open_incoming() == []
    assert not state.add_incoming("bob", "tx1:0", "key4", Quantity(5, 2), YEARS_LATER)
    assert state.incoming(5)[0].done_at == LATER
    state.close()


def test_details_and_facts_are_kept(state: EngineState) -> None:
    account = state.account("bob")
    account.remember(address="0x1", nonce=7)
    account.remember(nonce=None)
    state.put("block", {"height": 10**30})
    state = reopened(state)
    assert state.account("bob").details == {"address": "0x1"} == dict(account.details)
    assert state.get("block") == {"height": 10**30}
    assert state.get("nothing") is None
    state.close()


def test_closing_an_account(state: EngineState) -> None:
    state.request("bob", "a", Quantity(5, 3), NOW)
    with pytest.raises(ConflictError):
        state.close_account("bob", 3, NOW)
    state.close_account("bob", 2, NOW)  # less than a unit stays on record
    with pytest.raises(NotFoundError):
        state.account("bob")
    assert state.accounts() == []
    assert state.open_account("bob", LATER).id == "bob"
    assert state.owed("bob") == Quantity(5, 3)
    assert state.request("bob", "a", Quantity(5, 3), LATER) is Requested.KNOWN


def test_approving(state: EngineState) -> None:
    state.request("bob", "a", Quantity(5, 2), NOW)
    payment = state.next_payment("bob", 2, NOW)
    assert payment is not None
    assert state.approve_payment(payment.id, LATER).approved_at == LATER
    assert state.approve_payment(payment.id, YEARS_LATER).approved_at == LATER
    state.finish_payment(payment, None, LATER)
    with pytest.raises(NotFoundError):
        state.approve_payment(payment.id, LATER)


def test_two_engines_cannot_share_a_state(state: EngineState, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="another engine has it open"):
        EngineState(tmp_path)
    assert (tmp_path / DATABASE).stat().st_mode & 0o077 == 0


def test_a_state_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    state = EngineState(tmp_path)
    state._db.execute("PRAGMA user_version = 2")
    state.close()
    with pytest.raises(StoreError, match="of version 2"):
        EngineState(tmp_path)
