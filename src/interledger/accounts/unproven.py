"""What peers owe us and do not count: packets that were fulfilled, whose Fulfill did not reach the peer in time.

Such a claim is taken out of what the peer owes (`peer/<id>`) and kept in `peer/<id>/unproven` with its fulfillment: the
proof that we paid for it. It goes on using the peer's credit, else a peer that hangs up before each Fulfill could get
what it likes. It ends when the peer counts it after all, or as our loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, final

from interledger.accounts.asset import Asset
from interledger.accounts.claim_records import ClaimClosed, ClaimSetAside, encode_claim_closed, encode_claim_set_aside
from interledger.accounts.entries import LedgerAccount, Leg
from interledger.codec.digest import sha256
from interledger.errors import LedgerError

__all__ = ["Unproven", "UnprovenClaims", "unproven_name"]

_U64: Final = 1 << 64


@dataclass(frozen=True, slots=True, eq=False)
class Unproven:
    """A claim on a peer that the peer does not count. `since`: when it was set aside, ms UTC."""

    id: int
    account: LedgerAccount
    """Of the peer, not the one that the claim is in."""
    amount: int
    fulfillment: bytes
    since: int

    @property
    def condition(self) -> bytes:
        """Of its packet."""
        return sha256(self.fulfillment).digest()


def unproven_name(name: str) -> str:
    """Of the account beside that of a peer."""
    return f"{name}/unproven"


@final
class UnprovenClaims:
    """Those of one ledger, by id; `Ledger.unproven`. What it is given: see `Ledger.__init__`."""

    def __init__(
        self,
        take_id: Callable[[], int],
        open_account: Callable[[str, Asset], LedgerAccount],
        move: Callable[[tuple[Leg, ...]], None],
        record: Callable[[bytes], None],
    ) -> None:
        self.items: dict[int, Unproven] = {}
        self._take_id = take_id
        self._open_account = open_account
        self._move = move
        self._record = record

    def set_aside(
        self, account: LedgerAccount, amount: int, fulfillment: bytes, since: int, memo: str = ""
    ) -> Unproven:
        """The peer of `account` does not count a packet of this amount. `memo`: who says so and why, if not the peer.
        Raises `LedgerError` for an amount of none."""
        if not 0 < amount < _U64 or not 0 <= since < _U64 or len(fulfillment) != 32:
            raise LedgerError(f"not a claim: {amount} of {account.name}, since {since}")
        item = Unproven(self._take_id(), account, amount, fulfillment, since)
        self._move((self._leg(item),))
        self._keep(item)
        self._record(encode_claim_set_aside(item.id, account.index, amount, since, fulfillment, memo))
        return item

    def close(self, item: Unproven, *, owed: bool, memo: str) -> None:
        """The peer owes it after all, or it is lost. Raises `LedgerError` when that was decided already."""
        if self.items.get(item.id) is not item:
            raise LedgerError(f"the claim {item.id} is closed already")
        self._close(item, owed)
        self._record(encode_claim_closed(item.id, owed, memo))

    def legs_of_end(self, item: Unproven, *, owed: bool) -> tuple[Leg, ...]:
        """What `close` posts."""
        asset = item.account.asset
        other = item.account if owed else self._open_account(f"loss/{asset}", asset)
        return ((other, self._leg(item)[0], item.amount),)

    def legs_of_beginning(self, item: Unproven) -> tuple[Leg, ...]:
        """What `set_aside` posted."""
        return (self._leg(item),)

    # ------------------------------------------------------------------ replay

    def apply(self, record: ClaimSetAside | ClaimClosed, accounts: Sequence[LedgerAccount]) -> None:
        """Do again what a record of the journal says. Raises `KeyError` for a claim that is not open."""
        if isinstance(record, ClaimClosed):
            self._close(self.items[record.item_id], record.owed)
        else:
            self.restore(record, accounts)
            self._move((self._leg(self.items[record.item_id]),))

    def restore(self, record: ClaimSetAside, accounts: Sequence[LedgerAccount]) -> None:
        """From a snapshot, whose counters have it already."""
        account = accounts[record.account]
        self._keep(Unproven(record.item_id, account, record.amount, record.fulfillment, record.since))

    # ------------------------------------------------------------------ beneath

    def _leg(self, item: Unproven) -> Leg:
        account = item.account
        return (self._open_account(unproven_name(account.name), account.asset), account, item.amount)

    def _keep(self, item: Unproven) -> None:
        self.items[item.id] = item
        item.account.set_aside(debits=item.amount)

    def _close(self, item: Unproven, owed: bool) -> None:
        del self.items[item.id]
        item.account.set_aside(debits=-item.amount)
        self._move(self.legs_of_end(item, owed=owed))
