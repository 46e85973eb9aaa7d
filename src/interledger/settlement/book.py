"""A node's settlements: those under way, the latest of those that are done, and what is left over of a unit.

Pure state. Whoever changes it makes the ledger's entry and stores the documents in the same commit:
`take_documents` says which. Keys of what came in count for ever, so they are in the store for ever, and here only as
many as are looked at: whoever is told of money asks the store for a key that is not here (`missing_key`, `found`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import NO_LIMIT
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.settlement.policy import DailyCap, Prepaid
from interledger.settlement.quantity import NOTHING, Quantity
from interledger.settlement.records import (
    ARCHIVE,
    Direction,
    Settlement,
    SettlementState,
    incoming_id,
    incoming_key,
    outgoing_id,
)

__all__ = ["SettlementBook"]

FINISHED_KEPT: Final = 1_000
"""Settlements that are done, for people to look at, and for engines that ask twice. The store has all."""


@final
class SettlementBook:
    """See above. Ids and (account, key) find settlements."""

    def __init__(self, finished_kept: int = FINISHED_KEPT) -> None:
        self._finished_kept = finished_kept
        self._by_id: dict[str, Settlement] = {}
        self._incoming: dict[tuple[AccountId, str], Settlement] = {}
        self._sending: dict[AccountId, Settlement] = {}
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._leftovers: dict[tuple[AccountId, str], Quantity] = {}
        self._prepaid: dict[tuple[AccountId, str], Prepaid] = {}
        self._caps: dict[AccountId, DailyCap] = {}
        self._documents: dict[str, Any] = {}

    def load(self, documents: Mapping[str, Any]) -> None:
        """What the store kept: `take_documents` of all the past, of what is done the latest at least.

        Raises `KeyError`, `ValueError`, `DecodeError`.
        """
        for key, body in documents.items():
            kind, _, rest = key.removeprefix(ARCHIVE).partition("/")
            if kind == "leftover":
                account, _, code = rest.partition("/")
                self._leftovers[AccountId(account), code] = Quantity.read(body)
            elif kind == "prepaid":
                account, _, code = rest.partition("/")
                self._prepaid[AccountId(account), code] = Prepaid.decode(body)
            elif kind == "cap":
                self._caps[AccountId(rest)] = DailyCap.decode(body)
            elif kind in ("out", "in"):
                settlement = Settlement.decode(body)
                self._add(settlement)
                if settlement.document_key != key:  # as older programs kept it
                    self._documents[key] = None
                    self._documents[settlement.document_key] = body

    def _add(self, settlement: Settlement) -> None:
        self._by_id[settlement.id] = settlement
        if settlement.direction is Direction.IN:
            self._incoming[settlement.account, settlement.key] = settlement
        elif settlement.state is SettlementState.SENDING:
            self._sending[settlement.account] = settlement
        if not settlement.state.is_open:
            self.written(settlement)

    def take_documents(self) -> dict[str, Any]:
        """What has to be stored with the entries that were made since the last call."""
        documents, self._documents = self._documents, {}
        return documents

    # ------------------------------------------------------------------ looking

    def get(self, settlement_id: str) -> Settlement:
        """Raises `NotFoundError`."""
        found = self._by_id.get(settlement_id)
        if found is None:
            raise NotFoundError(f"There is no settlement “{settlement_id}”.")
        return found

    def knows(self, settlement_id: str) -> bool:
        """Whether it is remembered here."""
        return settlement_id in self._by_id

    def latest(self, account: AccountId | None = None) -> list[Settlement]:
        """Newest first; of one account, or of all."""
        found = [one for one in self._by_id.values() if account in (None, one.account)]
        return sorted(found, key=lambda one: (one.made_at, one.id), reverse=True)

    def open(self) -> list[Settlement]:
        """Those that somebody still has to do something about, oldest first."""
        return [one for one in reversed(self.latest()) if one.state.is_open]

    def sending(self, account: AccountId) -> Settlement | None:
        """The one that is on its way to the account's engine: there is one at a time."""
        return self._sending.get(account)

    def leftover(self, account: AccountId, asset: Asset) -> Quantity:
        """What came in and is less than a unit of the account."""
        return self._leftovers.get((account, asset.code), NOTHING)

    def prepaid(self, account: AccountId, asset: Asset) -> Prepaid | None:
        """What the peer has paid in advance; None: nothing is known of it."""
        return self._prepaid.get((account, asset.code))

    def set_prepaid(self, account: AccountId, asset: Asset, prepaid: Prepaid) -> None:
        """Something came in."""
        self._prepaid[account, asset.code] = prepaid
        self._documents[f"prepaid/{account}/{asset.code}"] = prepaid.encode()

    # ------------------------------------------------------------------ out

    def send(
        self, account: Account, amount: int, key: str, cause: str, now: Timestamp, engine: str | None = None
    ) -> Settlement:
        """A new settlement of ours, by `engine` (None: the account's own).

        Raises `ConflictError` while another one of the account is on its way.
        """
        before = self._sending.get(account.id)
        if before is not None:
            raise ConflictError(f"{before.id} to “{account.id}” is on its way: its engine has not answered yet.")
        settlement = Settlement(
            id=outgoing_id(key),
            direction=Direction.OUT,
            account=account.id,
            asset=account.asset,
            amount=amount,
            quantity=Quantity(amount, account.asset.scale),
            key=key,
            state=SettlementState.SENDING,
            made_at=now,
            engine=engine or account.settlement_engine_url or "",
            cause=cause,
        )
        self._by_id[settlement.id] = self._sending[account.id] = settlement
        self._keep(settlement)
        return settlement

    def acknowledge(self, settlement: Settlement, now: Timestamp) -> None:
        """The engine has it."""
        self._end_sending(settlement, SettlementState.SETTLED, now)

    def void(self, settlement: Settlement, now: Timestamp) -> None:
        """The operator takes it back, or refuses what is held. Raises `ConflictError` when it is done."""
        if settlement.direction is Direction.OUT:
            self._end_sending(settlement, SettlementState.VOID, now)
        else:
            self._end_held(settlement, SettlementState.VOID, now)

    def _end_sending(self, settlement: Settlement, state: SettlementState, now: Timestamp) -> None:
        if self._sending.get(settlement.account) is not settlement:
            raise ConflictError(f"{settlement.id} is {settlement.state}: that does not change any more.")
        del self._sending[settlement.account]
        before = settlement.document_key
        settlement.state, settlement.done_at, settlement.next_at = state, now, None
        self._keep(settlement, before)

    def written(self, settlement: Settlement) -> None:
        """It is done, and the store has it: it may be forgotten here, the oldest first."""
        if settlement.state.is_open:
            return
        self._finished[settlement.id] = None
        while len(self._finished) > self._finished_kept:
            oldest = self._by_id.pop(self._finished.popitem(last=False)[0])
            self._incoming.pop((oldest.account, oldest.key), None)

    # ------------------------------------------------------------------ in

    def missing_key(self, account: AccountId, key: str) -> str | None:
        """Which document of the store has this key, if one has; None when it is not needed, because it is here."""
        return None if (account, key) in self._incoming else incoming_key(account, key)

    def found(self, body: Any) -> None:
        """The store has had it: `missing_key`'s document. Raises `KeyError`, `ValueError`, `DecodeError`."""
        self._add(Settlement.decode(body))

    def find_incoming(self, account: AccountId, key: str, quantity: Quantity) -> Settlement | None:
        """The one that has this key, of those that are here. Raises `ConflictError` when it was of another quantity
        (SE-02)."""
        known = self._incoming.get((account, key))
        if known is not None and known.quantity != quantity:
            raise ConflictError("this Idempotency-Key was used with another quantity")
        return known

    def receive(self, account: Account, key: str, quantity: Quantity, cap: int | None, now: Timestamp) -> Settlement:
        """Money that came in under a new key: credited, or held when it is more than `cap` in a day.

        `amount` of the answer is for the ledger, which may be 0: the rest is kept to the last part of a unit. Raises
        `InvalidRequestError` for more than any account can have.
        """
        total = self.leftover(account.id, account.asset).plus(quantity)
        amount, leftover = total.split(account.asset.scale)
        if amount >= NO_LIMIT:
            raise InvalidRequestError("that is more than an account can hold", "amount")
        within = self._cap(account.id).allows(amount, cap, now)
        settlement = Settlement(
            id=incoming_id(account.id, key),
            direction=Direction.IN,
            account=account.id,
            asset=account.asset,
            amount=amount,
            quantity=quantity,
            key=key,
            state=SettlementState.CREDITED if within else SettlementState.HELD,
            made_at=now,
            done_at=now if within else None,
        )
        if within:
            self._count(account.id, amount, now)
            self._set_leftover(account.id, account.asset, leftover)
        else:
            # Of what is held nothing is mixed with what is not: the operator may refuse it.
            settlement.amount = quantity.split(account.asset.scale)[0]
        self._by_id[settlement.id] = self._incoming[account.id, key] = settlement
        self._keep(settlement)
        return settlement

    def approve(self, settlement: Settlement, now: Timestamp) -> int:
        """The operator agrees to what is held: how much the ledger credits now. Raises `ConflictError`."""
        total = self.leftover(settlement.account, settlement.asset).plus(settlement.quantity)
        amount, leftover = total.split(settlement.asset.scale)
        self._end_held(settlement, SettlementState.CREDITED, now)
        settlement.amount = amount
        self._count(settlement.account, amount, now)
        self._set_leftover(settlement.account, settlement.asset, leftover)
        self._keep(settlement)
        return amount

    def _end_held(self, settlement: Settlement, state: SettlementState, now: Timestamp) -> None:
        if settlement.state is not SettlementState.HELD:
            raise ConflictError(f"{settlement.id} is {settlement.state}: that does not change any more.")
        before = settlement.document_key
        settlement.state, settlement.done_at = state, now
        self._keep(settlement, before)

    def _set_leftover(self, account: AccountId, asset: Asset, leftover: Quantity) -> None:
        if leftover != self.leftover(account, asset):
            self._leftovers[account, asset.code] = leftover
            self._documents[f"leftover/{account}/{asset.code}"] = leftover.as_document()

    def _cap(self, account: AccountId) -> DailyCap:
        return self._caps.setdefault(account, DailyCap())

    def _count(self, account: AccountId, amount: int, now: Timestamp) -> None:
        cap = self._cap(account)
        cap.add(amount, now)
        self._documents[f"cap/{account}"] = cap.encode()

    def _keep(self, settlement: Settlement, before: str | None = None) -> None:
        """`before`: under which it was kept until now."""
        if before not in (None, settlement.document_key):
            self._documents[before or ""] = None
        self._documents[settlement.document_key] = settlement.encode()
