"""The four counters as people read them."""

from __future__ import annotations

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.entries import NO_LIMIT, LedgerAccount


@pytest.mark.parametrize(
    ("debits", "credits_", "net", "receivable", "payable"),
    [(0, 0, 0, 0, 0), (10, 3, 7, 7, 0), (3, 10, -7, 0, 7), (2**64, 1, 2**64 - 1, 2**64 - 1, 0)],
)
def test_receivable_and_payable_are_views_of_one_balance(
    debits: int, credits_: int, net: int, receivable: int, payable: int
) -> None:
    account = LedgerAccount(0, "peer/bob", Asset("USD", 9))
    account.debits_posted, account.credits_posted = debits, credits_
    assert (account.net, account.receivable, account.payable) == (net, receivable, payable)


def test_B5_pending_credits_give_no_room() -> None:
    account = LedgerAccount(0, "peer/bob", Asset("USD", 9))
    assert account.room == NO_LIMIT
    account.debit_max, account.debits_posted, account.debits_pending = 100, 10, 20
    account.credits_pending = 1000
    assert account.room == 70
    account.credits_posted = 5
    assert account.room == 75


def test_a_ledger_account_shows_name_asset_and_state() -> None:
    assert repr(LedgerAccount(0, "peer/bob", Asset("USD", 9))) == "<peer/bob USD/9 net=0 pending=0/0>"


def test_without_a_limit_what_is_set_aside_takes_nothing_away() -> None:
    account = LedgerAccount(0, "peer/bob", Asset("USD", 9))
    assert account.settle_at == NO_LIMIT
    account.set_aside(debits=5, credits_=7)
    assert (account.debit_bound, account.credit_bound) == (NO_LIMIT, NO_LIMIT)
    account.debit_max = account.credit_max = 100
    assert (account.debit_bound, account.credit_bound) == (95, 93)
    assert (account.unproven, account.unknown) == (5, 7)
