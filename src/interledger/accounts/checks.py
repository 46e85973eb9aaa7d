"""Are the books sound? Invariants that hold between any two records (money.md: 1, 2 and 5), and what a replay says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from interledger.accounts.asset import Asset
from interledger.accounts.entries import LedgerAccount, Leg
from interledger.accounts.records import Counters
from interledger.accounts.unproven import Unproven, unproven_name
from interledger.errors import LedgerError

__all__ = ["check_counters", "faults_of"]

_UNPROVEN: Final = unproven_name("")


def faults_of(
    accounts: Sequence[LedgerAccount], open_legs: Iterable[Leg], unproven: Iterable[Unproven] = ()
) -> list[str]:
    """What is wrong, in sentences. `open_legs`: of open holds and unknown items; they explain what is pending, as
    `unproven` explains the accounts of that name."""
    faults = []
    sums: dict[Asset, list[int]] = {}
    pending = [[0, 0] for _ in accounts]
    for debited, credited, amount in open_legs:
        pending[debited.index][0] += amount
        pending[credited.index][1] += amount
    claims: dict[tuple[str, Asset], int] = {}
    for claim in unproven:
        key = (unproven_name(claim.account.name), claim.account.asset)
        claims[key] = claims.get(key, 0) + claim.amount
    for account in accounts:
        if account.name.endswith(_UNPROVEN) and account.net != claims.pop((account.name, account.asset), 0):
            faults.append(f"{account.name} ({account.asset}) is not the sum of its claims")
        counters = (account.debits_posted, account.credits_posted, account.debits_pending, account.credits_pending)
        if min(counters) < 0:
            faults.append(f"{account.name} ({account.asset}) has a counter below zero")
        if counters[2:] != tuple(pending[account.index]):
            faults.append(f"{account.name} ({account.asset}) has pending amounts that no open hold explains")
        total = sums.setdefault(account.asset, [0, 0])
        total[0] += counters[0] - counters[1]
        total[1] += counters[2] - counters[3]
    for asset, (posted, held) in sums.items():
        if posted or held:
            faults.append(f"{asset} does not sum to zero: {posted} posted, {held} pending")
    return faults


def check_counters(account: LedgerAccount, counters: Counters) -> None:
    """Raises `LedgerError` when a replay did not arrive at what the journal says of an account."""
    if (account.debits_posted, account.credits_posted) != (counters.debits_posted, counters.credits_posted):
        raise LedgerError(
            f"{account.name} ({account.asset}) had {counters.debits_posted} debits and {counters.credits_posted} "
            f"credits then, the journal's records make {account.debits_posted} and {account.credits_posted}"
        )
