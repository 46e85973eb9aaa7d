"""The double-entry ledger: hold, execute, release, in memory and at once; durable by the batch.

Every packet is one hold of all its legs, then one execution or one release of all of them. A leg debits one account and
credits another of the same asset, so each asset's trial balance is zero after every record. Amounts are integers in the
asset's units. A debit of `peer/bob` means that bob owes us more.

What was decided is written by whoever owns the ledger's batches (`take_batch`); what may only leave once it is written
waits in the batch: "write before you speak".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import error as StructError  # noqa: N812
from typing import Any, final

from interledger.accounts.asked import AskedJournal
from interledger.accounts.asset import Asset
from interledger.accounts.checks import check_counters, faults_of
from interledger.accounts.claim_records import ClaimClosed, ClaimSetAside
from interledger.accounts.entries import NO_LIMIT, Batch, Hold, LedgerAccount, Leg, Refusal, Unknown, make_hold
from interledger.accounts.records import (
    ENTRY_LEGS_MAX,
    AccountOpened,
    Counters,
    EntryPosted,
    Evidence,
    Executed,
    GaveUp,
    Held,
    Record,
    Released,
    Resolved,
    encode_account_opened,
    encode_counters,
    encode_entry,
    encode_evidence,
    encode_gave_up,
    encode_held,
    encode_released,
    encode_resolved,
    pack_executed,
    pack_held_one_leg,
)
from interledger.accounts.request_journal import RequestJournals
from interledger.accounts.request_records import Answered, PacketAsked, Requested
from interledger.accounts.unknown_items import UnknownItems
from interledger.accounts.unproven import UnprovenClaims
from interledger.errors import LedgerError

__all__ = ["NO_LIMIT", "Batch", "Hold", "Ledger", "LedgerAccount", "Leg", "Refusal", "Unknown"]


@final
class Ledger:
    """All accounts, open holds and unknown amounts of one node. One owner, no locks, nothing waits."""

    def __init__(self) -> None:
        self.accounts: list[LedgerAccount] = []
        self.holds: dict[int, Hold] = {}
        self.unknown = UnknownItems()
        self.requests = RequestJournals(self._record)
        self.asked = AskedJournal(self._record, self.holds, self.unknown)
        self.unproven = UnprovenClaims(self._take_id, self.account, self._move, self._record)
        self.read_only = False
        self.on_dirty: Callable[[], None] = lambda: None
        """Called when the batch gets its first record: the owner then takes it and writes it."""
        self.before_batch: Callable[[Iterable[LedgerAccount]], None] = lambda touched: None
        """Called with the accounts whose posted counters changed; what is recorded meanwhile is of the same batch."""
        self.on_unknown: Callable[[Unknown, bool | None], None] = lambda item, delivered: None
        """Called when an amount became unknown (None), and with whether it was delivered when that is known."""
        self._by_name: dict[tuple[str, Asset], LedgerAccount] = {}
        self._assets: dict[Asset, Asset] = {}
        self.next_id = 1
        """The id of the next hold or claim."""
        self.batch = Batch()
        """What is decided and not taken yet. Right behind a record an effect may be added, too, without a call."""
        self._dirty = False

    # ------------------------------------------------------------------ accounts

    def account(self, name: str, asset: Asset) -> LedgerAccount:
        """The account of that name and asset, opened when it is new."""
        found = self._by_name.get((name, asset))
        if found is not None:
            return found
        account = self._open(name, asset)
        self._record(encode_account_opened(account.index, name, asset.code, asset.scale))
        self.batch.touched[account] = None
        return account

    def find(self, name: str, asset: Asset) -> LedgerAccount | None:
        """The account, if it was ever opened."""
        return self._by_name.get((name, asset))

    def _open(self, name: str, asset: Asset) -> LedgerAccount:
        # One object per asset, so that `hold` can compare the assets of a leg by identity.
        account = LedgerAccount(len(self.accounts), name, self._assets.setdefault(asset, asset))
        self.accounts.append(account)
        self._by_name[name, asset] = account
        return account

    # ------------------------------------------------------------------ packets

    def hold(self, legs: tuple[Leg, ...], condition: bytes, expires_at: int, remote: bool) -> Hold | Refusal:
        """Hold all legs, or refuse and change nothing. `expires_at`: when the onward packet expires, ms UTC.

        Raises `LedgerError` for legs that no packet can have (two assets in one leg, an amount outside of UInt64)."""
        done = 0  # counted by hand: `enumerate` costs a tuple per leg
        for debited, credited, amount in legs:
            if debited.asset is not credited.asset or amount < 0:
                self._unhold(legs[:done])
                raise LedgerError(f"not a leg: {amount} from {debited.name} to {credited.name}")
            used = debited.debits_posted + debited.debits_pending - debited.credits_posted
            if used + amount > debited.debit_bound:
                self._unhold(legs[:done])
                return Refusal(debited, amount, max(debited.debit_bound - used, 0))
            used = credited.credits_posted + credited.credits_pending - credited.debits_posted
            if used + amount > credited.credit_bound:
                self._unhold(legs[:done])
                return Refusal(credited, amount, max(credited.credit_bound - used, 0))
            debited.debits_pending += amount
            credited.credits_pending += amount
            done += 1
        hold_id = self.next_id
        try:
            if done == 1:  # nearly every packet: its numbers are at hand
                record = pack_held_one_leg(
                    2, hold_id, remote, expires_at, condition, 1, debited.index, credited.index, amount
                )
            else:
                numbers = tuple([(one.index, other.index, part) for one, other, part in legs])
                record = encode_held(hold_id, remote, expires_at, condition, numbers)
        except StructError:
            self._unhold(legs)
            raise LedgerError(f"not a hold: an amount or the expiry {expires_at} is outside of UInt64") from None
        self.next_id = hold_id + 1
        hold = self.holds[hold_id] = Hold()
        hold.id, hold.legs, hold.condition, hold.expires_at, hold.remote = hold_id, legs, condition, expires_at, remote
        self.batch.records.append(record)
        if not self._dirty:
            self._wake()
        return hold

    def execute(self, hold: Hold, fulfillment: bytes) -> None:
        """Post all legs: the fulfillment is known. Raises `LedgerError` when the hold has an outcome already."""
        if self.holds.pop(hold.id, None) is not hold:
            raise _closed(hold)
        batch = self.batch
        self._post(hold.legs)
        batch.records.append(pack_executed(3, hold.id, fulfillment))
        batch.relay_by = hold.expires_at if hold.expires_at < batch.relay_by else batch.relay_by
        if not self._dirty:
            self._wake()

    def release(self, hold: Hold) -> None:
        """Void all legs: the packet was refused, or never left. Raises as `execute`."""
        if self.holds.pop(hold.id, None) is not hold:
            raise _closed(hold)
        self._unhold(hold.legs)
        self._record(encode_released(hold.id))

    def give_up(self, hold: Hold, interrupted: bool = False) -> Unknown:
        """No answer came: void the legs, set the onward amount aside as unknown. Raises as `execute`. `interrupted`: it
        may have come while this node was not there."""
        if self.holds.pop(hold.id, None) is not hold:
            raise _closed(hold)
        unknown = self._set_aside(hold, interrupted)
        self._record(encode_gave_up(hold.id, interrupted))
        self.on_unknown(unknown, None)
        return unknown

    def add_evidence(self, unknown: Unknown, fulfillment: bytes) -> None:
        """A fulfillment came too late to be relayed: keep it as proof. Raises `LedgerError` once it is resolved."""
        self._check_open(unknown)
        unknown.fulfillment = fulfillment
        self._record(encode_evidence(unknown.id, fulfillment))

    def resolve(self, unknown: Unknown, *, delivered: bool, memo: str) -> None:
        """Close an unknown amount: delivered means we owe it to the counterpart, and lost it ourselves.
        Raises `LedgerError` when it is resolved already, or is proven and said not to be delivered."""
        self._check_open(unknown)
        if unknown.fulfillment is not None and not delivered:
            raise LedgerError(f"unknown item {unknown.id} was delivered: its fulfillment is known")
        self._resolve(unknown, delivered)
        self._record(encode_resolved(unknown.id, delivered, memo))
        self.on_unknown(unknown, delivered)

    def post(self, legs: tuple[Leg, ...], memo: str) -> None:
        """A posting outside packets (settlement, deposit, correction): no limit applies, the money has moved already.
        Raises `LedgerError` when a leg is not a posting, and then changes nothing."""
        for debited, credited, amount in legs:
            if not 0 < amount <= NO_LIMIT or debited.asset is not credited.asset or debited is credited:
                raise LedgerError(f"not a posting: {amount} from {debited.name} to {credited.name}")
        if not 0 < len(legs) <= ENTRY_LEGS_MAX:
            raise LedgerError(f"an entry has 1 to {ENTRY_LEGS_MAX} legs, not {len(legs)}")
        self._move(legs)
        self._record(encode_entry(memo, tuple((d.index, c.index, a) for d, c, a in legs)))

    # ------------------------------------------------------------------ write before you speak

    def reply_after_commit(self, send: Callable[[Any, Any], None], request_id: Any, reply: Any) -> None:
        """Let `send(request_id, reply)` happen once all that is recorded now is written."""
        self.batch.replies.append((send, request_id, reply))
        if not self._dirty:
            self._wake()

    def prepare_after_commit(
        self, send: Callable[[Any, Any], None], cancel: Callable[[Any, Any], None], request_id: Any, prepare: Any
    ) -> None:
        """The same for a Prepare, or a Fulfill of our own receiver; unwritten, it is `cancel(request_id, prepare)`."""
        self.batch.prepares.append((send, cancel, request_id, prepare))
        if not self._dirty:
            self._wake()

    def call_after_commit(self, waiter: Callable[[Exception | None], None]) -> None:
        """Call `waiter(error or None)` once all that is recorded now is written."""
        self.batch.waiters.append(waiter)
        if not self._dirty:
            self._wake()

    def take_batch(self) -> Batch | None:
        """What has been recorded since the last call, or None when there is nothing."""
        if not self._dirty:
            return None
        self.before_batch(self.batch.touched)
        batch, self.batch, self._dirty = self.batch, Batch(), False
        # So that every commit says what its records add up to, and a replay can tell where it went another way.
        batch.records += [encode_counters(a.index, a.debits_posted, a.credits_posted) for a in batch.touched]
        return batch

    def _record(self, record: bytes) -> None:
        self.batch.records.append(record)
        if not self._dirty:
            self._wake()

    def _wake(self) -> None:
        self._dirty = True
        self.on_dirty()

    # ------------------------------------------------------------------ arithmetic, used live and in replay

    def _hold_unchecked(self, legs: Iterable[Leg]) -> None:
        for debited, credited, amount in legs:
            debited.debits_pending += amount
            credited.credits_pending += amount

    def _unhold(self, legs: Iterable[Leg]) -> None:
        for debited, credited, amount in legs:
            debited.debits_pending -= amount
            credited.credits_pending -= amount

    def _post(self, legs: Iterable[Leg]) -> None:
        touched = self.batch.touched
        for debited, credited, amount in legs:
            debited.debits_pending -= amount
            debited.debits_posted += amount
            credited.credits_pending -= amount
            credited.credits_posted += amount
            touched[debited] = touched[credited] = None

    def _move(self, legs: tuple[Leg, ...]) -> None:
        self._hold_unchecked(legs)
        self._post(legs)

    def _take_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def _set_aside(self, hold: Hold, interrupted: bool) -> Unknown:
        self._unhold(hold.legs)
        _, peer, amount = hold.legs[-1]
        unknown = Unknown(hold.id, peer, amount, hold.condition, hold.expires_at, None, interrupted, hold.legs)
        self._keep_unknown(unknown)
        return unknown

    def _keep_unknown(self, unknown: Unknown) -> None:
        self.unknown.add(unknown)
        self._hold_unchecked(self._suspense_legs(unknown))
        unknown.account.set_aside(credits_=unknown.amount)

    def _resolve(self, unknown: Unknown, delivered: bool) -> None:
        self.unknown.remove(unknown)
        self._unhold(self._suspense_legs(unknown))
        unknown.account.set_aside(credits_=-unknown.amount)
        if delivered:
            loss = self.account(f"loss/{unknown.account.asset}", unknown.account.asset)
            self._move(((loss, unknown.account, unknown.amount),))

    def _suspense_legs(self, unknown: Unknown) -> tuple[Leg, ...]:
        name, asset = unknown.account.name, unknown.account.asset
        return ((self.account(f"loss/{asset}", asset), self.account(f"{name}/suspense", asset), unknown.amount),)

    def _check_open(self, unknown: Unknown) -> None:
        if self.unknown.get(unknown.id) is not unknown:
            raise LedgerError(f"unknown item {unknown.id} is resolved already")

    # ------------------------------------------------------------------ replay

    def apply(self, record: Record) -> None:
        """Do again what a record of the journal says. Raises `LedgerError` when it does not fit what came before."""
        try:
            self._apply(record)
        except (KeyError, IndexError):
            raise LedgerError(f"the journal has a record that fits nothing before it: {record!r}") from None

    def _apply(self, record: Record) -> None:
        if isinstance(record, AccountOpened):
            self._apply_opened(record)
        elif isinstance(record, Held):
            legs = tuple((self.accounts[d], self.accounts[c], amount) for d, c, amount in record.legs)
            self._hold_unchecked(legs)
            hold_id = record.hold_id
            self.holds[hold_id] = make_hold(hold_id, legs, record.condition, record.expires_at, record.remote)
            self.next_id = max(self.next_id, hold_id + 1)
        elif isinstance(record, Executed):
            self._post(self.holds.pop(record.hold_id).legs)
        elif isinstance(record, Counters):
            check_counters(self.accounts[record.index], record)
        elif isinstance(record, Released):
            self._unhold(self.holds.pop(record.hold_id).legs)
        elif isinstance(record, GaveUp):
            self._set_aside(self.holds.pop(record.hold_id), record.interrupted)
        elif isinstance(record, Resolved):
            self._resolve(self.unknown[record.hold_id], record.delivered)
        elif isinstance(record, Evidence):
            self.unknown[record.hold_id].fulfillment = record.fulfillment
        elif isinstance(record, EntryPosted):
            self._move(tuple((self.accounts[d], self.accounts[c], amount) for d, c, amount in record.legs))
        elif isinstance(record, ClaimSetAside | ClaimClosed):
            self.unproven.apply(record, self.accounts)
            self.next_id = max(self.next_id, record.item_id + 1)
        elif isinstance(record, Requested | Answered):
            self.requests.restore(record)
        elif isinstance(record, PacketAsked):
            self.asked.restore(record)

    def _apply_opened(self, record: AccountOpened) -> None:
        asset = Asset(record.asset_code, record.asset_scale)
        if record.index != len(self.accounts):
            raise LedgerError(f"the journal opens account {record.index}, {len(self.accounts)} are open")
        if (record.name, asset) in self._by_name:
            raise LedgerError(f"the journal opens {record.name} ({asset}) a second time")
        self._open(record.name, asset)

    def restore(
        self,
        next_id: int,
        accounts: Iterable[tuple[str, Asset, int, int]],
        open_items: Iterable[Record],
        unknown: Iterable[tuple[int, int, int, bytes, int, bytes | None, bool]],
        unproven: Iterable[ClaimSetAside] = (),
    ) -> None:
        """Fill an empty ledger from a snapshot: (name, asset, debits posted, credits posted), records of open holds and
        requests, (id, account, amount, condition, expires_at, fulfillment, interrupted) of unknown items, claims."""
        for name, asset, debits, credits_ in accounts:
            account = self._open(name, asset)
            account.debits_posted, account.credits_posted = debits, credits_
        for record in open_items:
            self.apply(record)
        for item_id, index, amount, condition, expires_at, proof, interrupted in unknown:
            account = self.accounts[index]
            self._keep_unknown(Unknown(item_id, account, amount, condition, expires_at, proof, interrupted))
        for claim in unproven:
            self.unproven.restore(claim, self.accounts)
        self.next_id = next_id

    def end_replay(self) -> None:
        """After the last `apply`: nothing of the past waits to be written. Raises when the replay made news."""
        batch, self.batch, self._dirty = self.batch, Batch(), False
        if batch.records:
            raise LedgerError("the journal uses an account before it opens it")

    # ------------------------------------------------------------------ checks

    def check(self) -> list[str]:
        """What is wrong with the books, in sentences; empty when they are sound (invariants 1, 2 and 5)."""
        held = (leg for hold in self.holds.values() for leg in hold.legs)
        set_aside = (leg for unknown in self.unknown.values() for leg in self._suspense_legs(unknown))
        return faults_of(self.accounts, (*held, *set_aside), self.unproven.items.values())


def _closed(hold: Hold) -> LedgerError:
    return LedgerError(f"hold {hold.id} has an outcome already, or is not of this ledger")
