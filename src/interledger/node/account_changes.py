"""A change of an account with all that follows from it: links, wallet, routes, document. One commit makes it durable.

Nothing here waits, but for packets on links that are made anew: what a packet causes later is written behind a change,
so that none can overtake the one it rests on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, final

from interledger.accounts.account import Account
from interledger.errors import ConflictError
from interledger.link.btp.urls import take_token
from interledger.node.draining import drained
from interledger.node.settlement_engines import check_settlement

if TYPE_CHECKING:
    from interledger.node.accounts import Accounts
    from interledger.node.node import Node
    from interledger.node.tables import Routes

__all__ = ["AccountChanges", "with_token_apart"]


@final
class AccountChanges:
    """Each change is complete or has not happened. The caller commits."""

    def __init__(self, node: Node, accounts: Accounts, routes: Routes) -> None:
        self._node = node
        self._accounts = accounts
        self._routes = routes

    def open(self, account: Account) -> Account:
        """A new account. Raises as `Accounts.open`."""
        account = with_token_apart(account)
        check_settlement(account)
        self._accounts.open(account)
        self._node.live.reports.account_opened(account)
        return self._keep(account)

    async def replace_drained(self, account: Account) -> Account:
        """As `replace`, once nothing is in flight on links that are made anew.

        Raises `ConflictError` where somebody else changed the account meanwhile.
        """
        old = self._accounts.get(account.id)
        if self._accounts.changes_at_once(with_token_apart(account, old)):
            return self.replace(account)
        async with drained(self._node, account.id):
            if self._accounts.by_id.get(account.id) is not old:
                raise ConflictError(
                    f"“{account.id}” was changed while its packets were waited for. Look, and try again."
                )
            return self.replace(account)

    def replace(self, account: Account) -> Account:
        """The same account with other settings. Raises as `Accounts.replace`."""
        old = self._accounts.get(account.id)
        account = with_token_apart(account, old)
        check_settlement(account)
        self._accounts.replace(account)
        self._node.live.reports.account_changed(old, account)
        return self._keep(account)

    def rename(self, account: Account) -> Account:
        """The same account with another ILP address; its links and its packets in flight stay."""
        self._node.live.reports.account_changed(self._accounts.get(account.id), account)
        self._accounts.rename(account)
        return self._keep(account)

    def close(self, account_id: str) -> Account:
        """An account that is not needed any more. Raises as `Accounts.close`."""
        self._node.settlements.check_closable(account_id)
        account = self._accounts.close(account_id)
        self._node.settlements.forget(account.id)
        self._node.store.set_routes(self._routes.forget(account.id))
        self._node.derive_routes()
        self._node.store.delete_account(account.id)
        self._node.peering.forget(account.id)
        self._node.live.reports.account_closed(account)
        return account

    def _keep(self, account: Account) -> Account:
        self._node.intake.apply()
        self._node.derive_routes()
        self._node.store.put_account(account)
        self._node.settlements.follow(account)
        self._node.books.statements.look()
        return account


def with_token_apart(account: Account, old: Account | None = None) -> Account:
    """A token that came within the BTP URL is a secret, the URL is not: it is shown. It replaces that of `old`.

    A token that is given twice stays so, and is refused later.
    """
    link = account.link
    url, token = take_token(link.btp_url or "")
    if token is None or link.btp_outgoing_token not in (None, old and old.link.btp_outgoing_token):
        return account
    return replace(account, link=replace(link, btp_url=url, btp_outgoing_token=token))
