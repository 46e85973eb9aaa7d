"""The tester tested: each violation that is planted into a journal is found, by its number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.records import (
    encode_account_opened,
    encode_counters,
    encode_entry,
    encode_evidence,
    encode_executed,
    encode_gave_up,
    encode_held,
    encode_released,
    encode_resolved,
)
from interledger.sim.books import Books, BreachError, Rates

FULFILLMENT = bytes(range(32))
CONDITION = sha256(FULFILLMENT).digest()
ALICE, BOB, FEE, EUROS, FX_USD, FX_EUR, SUSPENSE, LOSS = range(8)
OPENED = b"".join(
    encode_account_opened(index, name, code, scale)
    for index, (name, code, scale) in enumerate(
        [
            ("peer/alice", "USD", 2),
            ("peer/bob", "USD", 2),
            ("fee/USD/2", "USD", 2),
            ("peer/eve", "EUR", 2),
            ("fx/USD/2", "USD", 2),
            ("fx/EUR/2", "EUR", 2),
            ("peer/bob/suspense", "USD", 2),
            ("loss/USD/2", "USD", 2),
        ]
    )
)


def held(number: int = 1, amount: int = 10, source: int = ALICE, target: int = BOB) -> bytes:
    return encode_held(number, True, 1_000, CONDITION, ((source, target, amount),))


def books() -> Books:
    found = Books("test.n")
    found.limits["peer/alice"] = 100
    found.rates = [Rates({"USD": Fraction(1), "EUR": Fraction(2)}, Fraction(0))]
    found.follow(OPENED)
    return found


def counters(*changed: tuple[int, int, int]) -> bytes:
    return b"".join(encode_counters(*one) for one in changed)


def test_a_sound_journal_is_followed() -> None:
    one = books()
    one.follow(held() + encode_executed(1, FULFILLMENT) + counters((ALICE, 10, 0), (BOB, 0, 10)))
    one.follow(held(2) + held(3) + held(4))
    one.follow(encode_released(2) + encode_gave_up(3) + encode_gave_up(4))
    one.follow(encode_evidence(3, FULFILLMENT) + encode_resolved(3, True, "proved"))
    one.follow(encode_resolved(4, False, "no") + encode_entry("settled", ((BOB, ALICE, 10),)))
    assert one.counts == {"held": 4, "executed": 1, "released": 1, "unknown": 2}
    assert (one.net("peer/alice"), one.net("peer/bob"), one.net("loss/USD/2")) == (0, -10, 10)
    assert not one.held
    assert not one.unknown


PLANTED: list[tuple[str, Sequence[bytes]]] = [
    ("1", [encode_held(1, True, 1, CONDITION, ((ALICE, EUROS, 5),))]),
    ("1", [held() + encode_executed(1, FULFILLMENT) + counters((ALICE, 10, 0))]),
    ("3", [held(1, 60), held(2, 41)]),
    ("4", [b"\x63"]),
    ("4", [held()[:-3]]),
    ("4", [held() + encode_executed(1, FULFILLMENT) + counters((ALICE, 11, 0), (BOB, 0, 11))]),
    ("5", [encode_account_opened(9, "peer/carol", "USD", 2)]),
    ("5", [encode_held(1, True, 1, CONDITION, ())]),
    ("5", [encode_held(1, True, 1, CONDITION, ((ALICE, 77, 5),))]),
    ("5", [encode_entry("settled", ((ALICE, 77, 5),))]),
    ("5", [held(), held()]),
    ("5", [encode_released(1)]),
    ("5", [held(), encode_released(1), encode_executed(1, FULFILLMENT)]),
    ("5", [held(), encode_gave_up(1), encode_released(1)]),
    ("5", [encode_resolved(1, True, "")]),
    ("5", [held(), encode_gave_up(1), encode_evidence(1, FULFILLMENT), encode_resolved(1, False, "")]),
    ("5", [held(), encode_gave_up(1), encode_evidence(1, bytes(32))]),
    ("7", [held(), encode_executed(1, bytes(32))]),
    ("12", [encode_held(1, True, 1, CONDITION, ((ALICE, FX_USD, 10), (FX_EUR, EUROS, 6)))]),
    ("12", [encode_held(1, True, 1, CONDITION, ((EUROS, FX_EUR, 10), (FX_USD, BOB, 21)))]),
]


@pytest.mark.parametrize(("number", "commits"), PLANTED)
def test_a_planted_violation_is_found(number: str, commits: Sequence[bytes]) -> None:
    one = books()
    for records in commits[:-1]:
        one.follow(records)
    with pytest.raises(BreachError, match=f"^{number} test.n "):
        one.follow(commits[-1])


def test_12_what_is_fair_is_not_objected_to_and_without_a_rate_nothing_is() -> None:
    fair = encode_held(1, True, 1, CONDITION, ((ALICE, FX_USD, 11), (FX_EUR, EUROS, 5)))
    books().follow(fair)
    one = books()
    one.rates = [Rates(None, Fraction(0))]
    with pytest.raises(BreachError, match=r"^12 .* at most -1"):
        one.follow(fair)


def test_6_a_hold_that_outlives_its_packet_is_found() -> None:
    one = books()
    one.follow(held())
    one.check_age(1_400, 500)
    with pytest.raises(BreachError, match=r"^6 "):
        one.check_age(1_600, 500)


def ledger_and_books() -> tuple[Ledger, Books, Hold]:
    ledger, one = Ledger(), Books("test.n")
    alice, bob = (ledger.account(f"peer/{name}", Asset("USD", 2)) for name in ("alice", "bob"))
    hold = ledger.hold(((alice, bob, 10),), CONDITION, 1_000, True)
    assert isinstance(hold, Hold)
    return ledger, one, hold


def in_memory(ledger: Ledger) -> list[tuple[str, tuple[int, int, int, int]]]:
    return [(a.name, (a.debits_posted, a.debits_pending, a.credits_posted, a.credits_pending)) for a in ledger.accounts]


def write(ledger: Ledger, one: Books) -> None:
    batch = ledger.take_batch()
    assert batch is not None
    one.follow(b"".join(batch.records))


@pytest.mark.parametrize("end", ["execute", "release", "give_up", "resolve"])
def test_the_books_agree_with_a_real_ledger(end: str) -> None:
    ledger, one, hold = ledger_and_books()
    if end == "execute":
        ledger.execute(hold, FULFILLMENT)
    elif end == "release":
        ledger.release(hold)
    else:
        unknown = ledger.give_up(hold)
        if end == "resolve":
            ledger.resolve(unknown, delivered=True, memo="x")
    write(ledger, one)
    one.compare_memory(in_memory(ledger))


def test_4_memory_that_differs_from_the_journal_is_found() -> None:
    ledger, one, hold = ledger_and_books()
    write(ledger, one)
    ledger.accounts[0].debits_pending += 1
    with pytest.raises(BreachError, match=r"^4 "):
        one.compare_memory(in_memory(ledger))
    ledger.account("peer/carol", Asset("USD", 2))
    with pytest.raises(BreachError, match=r"^4 .* 3 accounts in memory, 2"):
        one.compare_memory(in_memory(ledger))
    assert hold.id == 1


def test_2_posted_amounts_that_fall_are_found() -> None:
    one = books()
    one.follow(held() + encode_executed(1, FULFILLMENT) + counters((ALICE, 10, 0), (BOB, 0, 10)))
    one.accounts[ALICE].debits = 4
    with pytest.raises(BreachError, match=r"^2 "):
        one.follow(counters((ALICE, 4, 0)))


def test_2_a_counter_below_zero_is_found() -> None:
    ledger, one, _ = ledger_and_books()
    write(ledger, one)
    one.accounts[0].debits_pending = ledger.accounts[0].debits_pending = -1
    with pytest.raises(BreachError, match=r"^2 "):
        one.compare_memory(in_memory(ledger))
