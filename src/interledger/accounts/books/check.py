"""Are the books what the journal says? Every record from the opening balance on is judged and applied again.

Each commit of the journal says what its records add up to (`Counters`), and each snapshot is the node's memory of that
moment, so the first record that went another way is named, not only the balance that is wrong in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.chart import is_peer
from interledger.accounts.books.past import Commit, JournalError, Opening, Past, Posting
from interledger.accounts.claim_records import ClaimSetAside
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import EntryPosted, Evidence, Executed, Held, Record
from interledger.accounts.snapshot import AccountState, decode_snapshot
from interledger.clock import Timestamp
from interledger.errors import DecodeError, LedgerError

__all__ = ["BooksCheck", "CheckReport", "Fault", "TrialBalance", "trial_balances"]


class Fault(NamedTuple):
    """What is wrong. `seq` and `number`: the record where it first shows, None when no record is to blame."""

    text: str
    seq: int | None = None
    number: int | None = None
    at: Timestamp | None = None


class TrialBalance(NamedTuple):
    """The sums of one asset over all accounts: debits less credits, which are zero in sound books."""

    asset: Asset
    posted: int
    pending: int
    accounts: int


class CheckReport(NamedTuple):
    """What was checked and found. `opening`: the kept journal begins after that commit, with its balances."""

    opening_seq: int
    opening_at: Timestamp
    last_seq: int
    last_at: Timestamp
    commits: int
    records: int
    snapshots: int
    holds: int
    unknown: int
    unproven: int
    balances: Sequence[TrialBalance]
    faults: Sequence[Fault]

    @property
    def sound(self) -> bool:
        return not self.faults


class _StrictPast(Past):
    """Judges every record before it is applied."""

    def inspect(self, commit: Commit, number: int, record: Record) -> None:
        if isinstance(record, Executed):
            hold = self.ledger.holds.get(record.hold_id)
            if hold is not None and sha256(record.fulfillment).digest() != hold.condition:
                raise LedgerError(f"packet {record.hold_id} was executed without its fulfillment")
        elif isinstance(record, Evidence):
            unknown = self.ledger.unknown.get(record.hold_id)
            if unknown is not None and sha256(record.fulfillment).digest() != unknown.condition:
                raise LedgerError(f"the evidence for unknown item {record.hold_id} is not its fulfillment")
        elif isinstance(record, ClaimSetAside):
            accounts = self.ledger.accounts
            if record.account >= len(accounts) or not is_peer(accounts[record.account].name):
                raise LedgerError(f"the claim {record.item_id} is on account {record.account}, which is no peer's")
            if record.item_id in self.ledger.unproven.items:
                raise LedgerError(f"the claim {record.item_id} is set aside a second time")
        elif isinstance(record, Held | EntryPosted):
            accounts = self.ledger.accounts
            for debited, credited, amount in record.legs:
                if max(debited, credited) >= len(accounts):
                    raise LedgerError(f"a leg names account {max(debited, credited)}, {len(accounts)} are open")
                if accounts[debited].asset != accounts[credited].asset:
                    raise LedgerError(f"a leg of {amount} goes from one asset to another")
            if isinstance(record, Held) and record.hold_id in self.ledger.holds:
                raise LedgerError(f"packet {record.hold_id} is held a second time")


@final
class BooksCheck:
    """Feed it every commit after the first opening, then `finish`. It stops judging at the first fault of a record."""

    def __init__(self, openings: Sequence[Opening]) -> None:
        """`openings`: oldest first; those after the first are compared when their commit comes."""
        self._faults: list[Fault] = []
        self._snapshots = {opening.seq: opening for opening in openings[1:]}
        self._compared = 0
        self._first_change: dict[int, tuple[int, int, Timestamp]] = {}
        self._first = openings[0]
        self._past: Past
        try:
            self._past = _StrictPast(self._first)
        except (DecodeError, LedgerError) as error:
            self._past = Past(Opening(self._first.seq, self._first.at, None))
            self._add(Fault(f"the opening balance, a snapshot of commit {self._first.seq}, cannot be: {error}"))

    @property
    def ended(self) -> bool:
        """Whether reading on is pointless."""
        return bool(self._faults)

    def feed(self, commit: Commit) -> None:
        """Judge and apply one commit."""
        if self.ended:
            return
        try:
            for posting in self._past.feed(commit):
                self._note_changes(posting)
        except JournalError as error:
            self._add(Fault(str(error), error.seq, error.number, error.at))
            return
        snapshot = self._snapshots.get(commit.seq)
        if snapshot is not None:
            self._compare(snapshot)

    def finish(self) -> CheckReport:
        """All commits were fed."""
        past, ledger = self._past, self._past.ledger
        if not self.ended:
            self._faults += [Fault(text) for text in ledger.check()]
        return CheckReport(
            opening_seq=self._first.seq,
            opening_at=self._first.at,
            last_seq=past.seq,
            last_at=past.at,
            commits=past.commits,
            records=past.records,
            snapshots=self._compared,
            holds=len(ledger.holds),
            unknown=len(ledger.unknown),
            unproven=len(ledger.unproven.items),
            balances=trial_balances(ledger),
            faults=self._faults,
        )

    def _note_changes(self, posting: Posting) -> None:
        where = (posting.seq, posting.number, posting.at)
        for debited, credited, _ in posting.legs:
            self._first_change.setdefault(debited.index, where)
            self._first_change.setdefault(credited.index, where)

    def _compare(self, snapshot: Opening) -> None:
        """The node's memory of this moment, as it wrote it down, with what the journal makes."""
        try:
            stored = decode_snapshot(snapshot.state or b"")
        except DecodeError as error:
            self._add(Fault(f"the snapshot of commit {snapshot.seq}: {error}"))
            return
        self._compared += 1
        accounts = self._past.ledger.accounts
        if len(stored.accounts) != len(accounts):
            self._add(Fault(f"the snapshot of commit {snapshot.seq} has {len(stored.accounts)} accounts, the journal "
                            f"opened {len(accounts)}"))  # fmt: skip
        for account, state in zip(accounts, stored.accounts, strict=False):
            made = AccountState(
                account.name, account.asset, account.debits_posted, account.credits_posted, account.debits_pending,
                account.credits_pending,
            )  # fmt: skip
            if made != state:
                where = self._first_change.get(account.index, (None, None, None))
                text = (
                    f"{account.name} ({account.asset}): the snapshot of commit {snapshot.seq} has "
                    f"{_counters(state)}, the journal makes {_counters(made)}; it was first changed here"
                )
                self._add(Fault(text, *where))
        self._first_change.clear()

    def _add(self, fault: Fault) -> None:
        self._faults.append(fault)


def trial_balances(ledger: Ledger) -> list[TrialBalance]:
    """The sums of every asset, by code and scale."""
    sums: dict[Asset, list[int]] = {}
    for account in ledger.accounts:
        total = sums.setdefault(account.asset, [0, 0, 0])
        total[0] += account.net
        total[1] += account.debits_pending - account.credits_pending
        total[2] += 1
    return [TrialBalance(asset, *total) for asset, total in sorted(sums.items())]


def _counters(state: AccountState) -> str:
    return (
        f"{state.debits_posted} debits and {state.credits_posted} credits "
        f"({state.debits_pending} and {state.credits_pending} pending)"
    )
