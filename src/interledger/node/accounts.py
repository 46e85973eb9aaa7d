"""The accounts of a node, and what opening or closing one entails: its limits, its wallet, its links.

Nothing here is durable or routed yet: `Node` sees to that, so that one commit covers a whole change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.ledger import NO_LIMIT
from interledger.connector.forward import Connector
from interledger.connector.guards import guards_for
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.node.links import Links
from interledger.node.views import Position
from interledger.node.wallets import Wallets

__all__ = ["Accounts"]

RESERVED: Final = frozenset(("accounts", "api", "healthz", "livez", "rates", "readyz", "routes", "settlement", "ui"))
"""First segments of the node's own paths: an account of that name could not be paid at `$host/name`."""


@final
class Accounts:
    """Name -> account. Every change is complete or has not happened."""

    def __init__(self, connector: Connector, wallets: Wallets, links: Links) -> None:
        self._connector = connector
        self._wallets = wallets
        self._links = links
        self._accounts: dict[AccountId, Account] = {}

    @property
    def by_id(self) -> Mapping[AccountId, Account]:
        """All of them, alive."""
        return self._accounts

    def get(self, account_id: str) -> Account:
        """Raises `NotFoundError`."""
        account = self._accounts.get(AccountId(account_id))
        if account is None:
            raise NotFoundError(f"There is no account “{account_id}”.")
        return account

    def position(self, account: Account) -> Position:
        """Where an account stands."""
        return Position.of(self._connector.ledger.find(account.ledger_name, account.asset))

    def open(self, account: Account) -> None:
        """A new one. Raises `ConflictError`; `InvalidRequestError` for a url that no link can use."""
        if account.id in self._accounts:
            raise ConflictError(f"There is an account “{account.id}” already.")
        if account.id in RESERVED:
            raise InvalidRequestError(
                f"“{account.id}” is a path of the node itself, so no account can have it", "username"
            )
        self._check(account)
        try:
            self._open(account)
        except InvalidRequestError:
            self._close(account)
            raise

    def changes_at_once(self, account: Account) -> bool:
        """Whether nobody waits for packets when the account of this name becomes `account`: its links stay, or a token
        is taken back, which cannot wait. Raises `NotFoundError`."""
        old = self.get(account.id)
        return old.differs_only_in_limits(account) or (
            replace(old, link=account.link) == account and old.link.differs_only_in_presented(account.link)
        )

    def replace(self, account: Account) -> None:
        """The same account with other settings. Raises `NotFoundError`, and as `open`; the old one stays then.

        Where only what the counterpart presents is new, a limit, or how it is settled, its links and its packets in
        flight stay.
        Its line in the books cannot change while there is something on it: neither its asset, nor whether it is local.
        """
        old = self.get(account.id)
        if (old.asset, old.ledger_name) != (account.asset, account.ledger_name) and self._is_used(old):
            raise ConflictError(
                f"“{account.id}” has a position in {old.asset} as {old.relation}; neither can change until it is zero."
            )
        self._check(account)
        if old.differs_only_in_settlement(account):
            self.rename(account)
            return
        if old.differs_only_in_limits(account):
            self._change_limits(account)
            return
        if replace(old, link=account.link) == account and old.link.differs_only_in_credentials(account.link):
            self._links.change_credentials(old, account)
            self.rename(account)
            return
        self._close(old)
        try:
            self._open(account)
        except InvalidRequestError:
            self._close(account)
            self._open(old)
            raise

    def _change_limits(self, account: Account) -> None:
        """What is in flight was let in by the old ones and stays."""
        connector = self._connector
        self._open_line(account)
        self.rename(account)
        for peer in connector.peers.values():
            if peer.account is account:
                peer.change_limits(guards_for(account, None if peer.is_local else connector.limits.packets_per_minute))
        self._shut(account)
        connector.rates_changed()  # what is remembered of conversions knows the largest packet

    def rename(self, account: Account) -> None:
        """The same account with another ILP address and nothing else new: its links and its packets in flight stay."""
        self._accounts[account.id] = account
        for peer in self._connector.peers.values():
            if peer.account.id == account.id:
                peer.account = account

    def close(self, account_id: str) -> Account:
        """One that is not needed any more. Raises `NotFoundError`; `ConflictError` while something is on it (B8)."""
        account = self.get(account_id)
        if unknown := self._unknown(account):
            raise ConflictError(
                f"“{account_id}” has {unknown} unknown item{'' if unknown == 1 else 's'}, so it cannot be deleted. "
                "Resolve what nobody has proved first:  ilp unknown list"
            )
        if self._is_used(account):
            raise ConflictError(f"“{account_id}” has a balance or packets in flight, so it cannot be deleted.")
        self._close(account)
        return account

    def _is_used(self, account: Account) -> bool:
        position = self.position(account)
        return bool(position.net or position.pending_in or position.pending_out or self._unknown(account))

    def _unknown(self, account: Account) -> int:
        """How many unknown items it has."""
        ledger = self._connector.ledger
        line = ledger.find(account.ledger_name, account.asset)
        return sum(item.account is line for item in ledger.unknown.values())

    def _check(self, account: Account) -> None:
        self._links.credentials.check(account)
        parents = [a.id for a in self._accounts.values() if a.relation is Relation.PARENT and a.id != account.id]
        if account.relation is Relation.PARENT and parents:
            raise ConflictError(f"“{parents[0]}” is the parent of this node; there is one at most.")

    def _open(self, account: Account) -> None:
        self._accounts[account.id] = account
        self._open_line(account)
        self._wallets.open(account)
        self._links.attach(account)
        self._shut(account)

    def _shut(self, account: Account) -> None:
        """Nothing is sent to one that is paused. What is sent to others, the watchdog says."""
        for peer in self._connector.peers.values():
            if peer.account.id == account.id and peer.broken is not account.paused:
                peer.broken = account.paused
                self._connector.routes_changed()

    def _open_line(self, account: Account) -> None:
        """Its line in the books, with its limits."""
        ledger_account = self._connector.ledger.account(account.ledger_name, account.asset)
        ledger_account.debit_max = NO_LIMIT if account.owes_us_max is None else account.owes_us_max
        ledger_account.credit_max = NO_LIMIT if account.we_owe_max is None else account.we_owe_max

    def _close(self, account: Account) -> None:
        self._links.detach(account)
        self._wallets.close(account.id)
        del self._accounts[account.id]
