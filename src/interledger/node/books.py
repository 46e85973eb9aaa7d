"""The books of a running node: what can be asked of them, and the little that may be done to them by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, final

from interledger.accounts.asset import Asset, format_amount
from interledger.accounts.books.chart import is_peer, row_of
from interledger.accounts.books.check import BooksCheck, CheckReport, Fault
from interledger.accounts.books.export import ExportFormat, writer_of
from interledger.accounts.books.memo import Memo, parse_reason
from interledger.accounts.books.past import Opening
from interledger.accounts.books.period import Period
from interledger.accounts.books.profit import Profit, ProfitReport
from interledger.accounts.books.readings import (
    ExportReading,
    ItemHistory,
    ProfitReading,
    Reading,
    StatementReading,
    UnknownReading,
)
from interledger.accounts.books.statement import By, Statement, StatementReport, find_accounts
from interledger.accounts.books.transactions import Transactions
from interledger.accounts.ledger import LedgerAccount, Unknown
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, LedgerError, NotFoundError, StoreError
from interledger.node.comparison import Comparison, Comparisons
from interledger.node.decisions import Decision, Decisions, Effect
from interledger.node.statements import Reconciliation, Statements
from interledger.node.unproven import Claims
from interledger.node.views import AtRisk
from interledger.store.backup import new_backup
from interledger.store.follow import follow_slowly
from interledger.store.history import Backup

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Books"]

T = TypeVar("T")

OVERDUE_MS: Final = 60_000
"""Far more than any hold may outlive its expiry: a hold that old was forgotten by whoever should end it."""

EXPORT_CHARS_MAX: Final = 8_000_000
"""Of one answer. A longer export is made of less time, or of the data directory of a stopped node."""


@final
class Books:
    """Reads one thing at a time, slowly enough for packets to pass; writes only what was decided in two steps."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.comparisons = Comparisons(node)
        self.decisions = Decisions(node.clock, node.entropy)
        self.statements = Statements(node)
        self.claims = Claims(node, self.decisions)
        self._reading = asyncio.Lock()

    # ------------------------------------------------------------------ reading

    def now(self) -> Timestamp:
        """The node's time."""
        return self._node.clock.now()

    def accounts(self) -> Sequence[LedgerAccount]:
        """All ledger accounts, as they stand."""
        return self._node.ledger.accounts

    def at_risk(self) -> list[AtRisk]:
        """The peers with whom something could be lost now, by name."""
        found = []
        for account in self._node.ledger.accounts:
            if is_peer(account.name):
                one = AtRisk(
                    account.name.partition("/")[2], account.asset, account.receivable, account.credits_pending,
                    account.unknown, account.unproven,
                )  # fmt: skip
                if any(one[2:]):
                    found.append(one)
        return sorted(found)

    async def check(self) -> CheckReport:
        """Judge the journal as far as it is kept, and the accounts in memory."""
        await self._settle()
        openings = await asyncio.to_thread(self._node.store.history.read_openings)
        report = await self._follow(lambda opening: BooksCheck([o for o in openings if o.seq >= opening.seq]))
        now = self._node.clock.now()
        live = [Fault(f"in memory: {text}") for text in self._node.ledger.check()]
        overdue = [hold for hold in self._node.ledger.holds.values() if hold.expires_at + OVERDUE_MS < now]
        if overdue:
            live.append(Fault(f"{len(overdue)} holds are older than they may be; the first is packet {overdue[0].id}"))
        return report._replace(faults=[*report.faults, *live])

    async def backup(self) -> Backup:
        """Copy the books into a new file of the data directory. Raises `ConflictError` (not SQLite), `StoreError`."""
        await self._settle()
        place = new_backup(Path(self._node.settings.data_dir), self._node.clock.now())
        return await asyncio.to_thread(self._node.store.history.backup, place)

    async def compare(self) -> list[Comparison]:
        """Our books beside those of every peer that says."""
        return await self.comparisons.compare_all()

    async def reconcile(self, account_id: str) -> Reconciliation:
        """Exchange statements with a peer, and resolve what can be. Raises `NotFoundError`, `InvalidRequestError`."""
        return await self.statements.reconcile(self._node.account(account_id))

    async def statement(self, name: str, asset: Asset | None, period: Period, by: By) -> StatementReport:
        """Of one account: its full name, or a peer's alone. Raises `NotFoundError`, `InvalidRequestError`."""
        account = find_accounts(self.accounts(), name, asset)
        await self._settle()
        statement = Statement(account.name, account.asset, start=period.start, end=period.end, by=by)
        return await self._follow(lambda opening: StatementReading(opening, statement))

    async def profit(self, period: Period) -> ProfitReport:
        """Fees, losses and exchange positions."""
        await self._settle()
        profit = Profit(start=period.start, end=period.end)
        return await self._follow(lambda opening: ProfitReading(opening, profit))

    async def export(self, form: ExportFormat, period: Period, by: By) -> str:
        """The books as text. Raises `InvalidRequestError` when that is too much for one answer."""
        await self._settle()
        parts: list[str] = []
        made: list[ExportReading] = []

        def make(opening: Opening) -> ExportReading:
            parts.clear()
            made.append(
                ExportReading(opening, writer_of(form), Transactions(by=by, start=period.start, end=period.end))
            )
            return made[-1]

        def take() -> None:
            parts.append(made[-1].take())
            if sum(map(len, parts)) > EXPORT_CHARS_MAX:
                raise InvalidRequestError("this is too much for one answer: ask for less time, or by hour or day", "by")

        parts.append(await self._follow(make, take))
        return "".join(parts)

    async def _settle(self) -> None:
        """What was just decided is part of what is read."""
        if not self._node.read_only:
            await self._node.commit()

    async def _follow(self, make: Callable[[Opening], Reading[T]], on_slice: Callable[[], object] = lambda: None) -> T:
        history = self._node.store.history
        async with self._reading:
            try:
                return await follow_slowly(history, make, on_slice)
            except LedgerError as error:
                raise StoreError(f"the journal cannot be followed: {error}. Look:  ilp ledger check") from error
            except StoreError:
                # The oldest commits may have been dropped while they were read: the opening is another one then.
                return await follow_slowly(history, make, on_slice)

    # ------------------------------------------------------------------ unknown amounts

    def unknown(self) -> list[Unknown]:
        """All that nobody has proved, oldest first."""
        return sorted(self._node.ledger.unknown.values(), key=lambda item: (item.expires_at, item.id))

    def unknown_item(self, item_id: int) -> Unknown:
        """Raises `NotFoundError`."""
        item = self._node.ledger.unknown.get(item_id)
        if item is None:
            raise NotFoundError(f"There is no unknown item {item_id}; it may be resolved already.")
        return item

    async def unknown_history(self, item: Unknown) -> ItemHistory:
        """What the kept journal says of where it came from."""
        return (await self._follow(lambda opening: UnknownReading(opening, [item])))[item.id]

    async def prove(self, item_id: int, fulfillment: bytes) -> Unknown:
        """Keep a fulfillment as evidence. Raises `InvalidRequestError` when it is not that of the item."""
        item = self.unknown_item(item_id)
        if sha256(fulfillment).digest() != item.condition:
            raise InvalidRequestError("this is not the fulfillment of the item's condition", "fulfillment")
        if item.fulfillment is None:
            self._check_writable()
            self._node.ledger.add_evidence(item, fulfillment)
            await self._node.commit()
        return item

    def propose_resolution(self, item_ids: Sequence[int], *, delivered: bool, reason: str, by: str) -> Decision:
        """The first step of calling unknown amounts delivered or not. Raises `ConflictError` against a proof."""
        items = [self.unknown_item(item_id) for item_id in item_ids]
        self._check_resolvable(items, delivered)
        memo = Memo("resolution", by, parse_reason(reason), self.decisions.new_id())
        totals: dict[LedgerAccount, int] = {}
        for item in items:
            totals[item.account] = totals.get(item.account, 0) + item.amount
        parts, effects = [], []
        for account, amount in totals.items():
            asset, loss = account.asset, self._net(f"loss/{account.asset}", account.asset)
            parts.append(f"{format_amount(amount, asset)} {asset.code} to {account.name}")
            effects.append(Effect(account.name, asset, account.net, account.net - amount))
            effects.append(Effect(f"loss/{asset}", asset, loss, loss + amount))
        count = f"{len(items)} amounts, " if len(items) > 1 else ""
        verdict = "delivered: we owe it, and it is our loss" if delivered else "not delivered: it is released"
        return self.decisions.propose(
            f"{count}{' and '.join(parts)}: {verdict}",
            memo,
            tuple(effects) if delivered else (),
            partial(self._resolve, tuple(item_ids), delivered, memo),
        )

    def _resolve(self, item_ids: tuple[int, ...], delivered: bool, memo: Memo) -> None:
        items = [self.unknown_item(item_id) for item_id in item_ids]
        self._check_writable()
        self._check_resolvable(items, delivered)
        for item in items:
            self._node.ledger.resolve(item, delivered=delivered, memo=memo.encode())

    def _check_resolvable(self, items: Sequence[Unknown], delivered: bool) -> None:
        proven = [item for item in items if item.fulfillment is not None]
        if proven and not delivered:
            raise ConflictError(
                f"The fulfillment of unk_{proven[0].id} is known, so it was delivered: nobody can say otherwise."
            )

    # ------------------------------------------------------------------ corrections

    def propose_correction(
        self, debit: str, credit: str, amount: int, asset: Asset, *, reason: str, by: str
    ) -> Decision:
        """The first step of an entry by hand. Names as `statement` takes them; those of our own accounts may be new.

        Raises `NotFoundError` and `InvalidRequestError`.
        """
        names = [self._correctable(name, asset, field) for name, field in ((debit, "debit"), (credit, "credit"))]
        if names[0] == names[1]:
            raise InvalidRequestError("the two accounts of a correction are different", "credit")
        if amount <= 0:
            raise InvalidRequestError(
                "an amount is above zero; exchange the accounts for the other direction", "amount"
            )
        memo = Memo("correction", by, parse_reason(reason), self.decisions.new_id())
        before = [self._net(name, asset) for name in names]
        effects = (
            Effect(names[0], asset, before[0], before[0] + amount),
            Effect(names[1], asset, before[1], before[1] - amount),
        )
        text = f"Debit {names[0]} and credit {names[1]} with {format_amount(amount, asset)} {asset.code}"
        carry_out = partial(self._correct, names[0], names[1], amount, asset, memo)
        return self.decisions.propose(text, memo, effects, carry_out)

    def _correct(self, debit: str, credit: str, amount: int, asset: Asset, memo: Memo) -> None:
        self._check_writable()
        ledger = self._node.ledger
        ledger.post(((ledger.account(debit, asset), ledger.account(credit, asset), amount),), memo.encode())

    def _correctable(self, text: str, asset: Asset, field: str) -> str:
        """The full name of an account that a correction may touch."""
        row = row_of(text)
        kind, _, rest = text.partition("/")
        if row.may_correct and rest and (kind == "external" or rest == str(asset)):
            return text
        try:
            name = find_accounts(self.accounts(), text, asset).name
        except NotFoundError:
            raise NotFoundError(f"There is no account “{text}” in {asset}. All:  ilp ledger accounts") from None
        if name.endswith(("/suspense", "/unproven")):
            raise InvalidRequestError(f"{name} is the sum of its items: resolve those instead", field)
        return name

    async def confirm(self, decision_id: str) -> Decision:
        """The second step of any decision. Durable when it returns; safe to call again."""
        decision = self.decisions.confirm(decision_id)
        await self._node.commit()
        return decision

    def _check_writable(self) -> None:
        if self._node.read_only:
            raise StoreError("the books cannot be written now, so nothing can be decided")

    def _net(self, name: str, asset: Asset) -> int:
        account = self._node.ledger.find(name, asset)
        return 0 if account is None else account.net
