"""Unsound books are called unsound, with the account's name."""

from __future__ import annotations

from interledger.accounts.asset import Asset
from interledger.accounts.checks import faults_of
from interledger.accounts.entries import LedgerAccount

USD = Asset("USD", 9)


def test_sound_books_have_no_faults_and_each_fault_its_sentence() -> None:
    alice, bob = LedgerAccount(0, "peer/alice", USD), LedgerAccount(1, "peer/bob", USD)
    legs = [(alice, bob, 5)]
    alice.debits_pending = bob.credits_pending = 5
    assert faults_of([alice, bob], legs) == []
    assert faults_of([alice, bob], []) == [
        "peer/alice (USD/9) has pending amounts that no open hold explains",
        "peer/bob (USD/9) has pending amounts that no open hold explains",
    ]
    alice.debits_posted = -1
    assert faults_of([alice, bob], legs) == [
        "peer/alice (USD/9) has a counter below zero",
        "USD/9 does not sum to zero: -1 posted, 0 pending",
    ]
