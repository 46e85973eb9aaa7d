"""Pay with a running node from a program without asyncio: `connect.connect`, method for method.

with interledger.connect_sync("alice") as alice:
    payment = alice.pay("$localhost:7780/bob", "10 USD")
    print(payment.delivered, payment.rate)
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, final

from interledger.api.connect import Connection, PaymentResult, QuoteResult, connect
from interledger.api.sync_client import SyncApiClient

if TYPE_CHECKING:
    from interledger.accounts.asset import Money

__all__ = ["SyncConnection", "connect_sync"]


def connect_sync(
    name_or_url: str, token: str | None = None, *, account: str | None = None, directory: str | Path = "."
) -> SyncConnection:
    """As `connect`, to be used with `with`. Raises `NotFoundError` for a name."""
    return SyncConnection(connect(name_or_url, token, account=account, directory=directory))


@final
class SyncConnection:
    """One account at one node. Use it with `with`; `api` is the whole client, closed with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.api = SyncApiClient.of(connection.api)

    def __enter__(self) -> SyncConnection:
        """Raises `LinkError` when nobody answers, `ApiError` for a token that is not known."""
        try:
            self.api._run(self._connection.__aenter__())
        except BaseException:
            self.api.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()

    @property
    def account(self) -> str | None:
        """Who pays; None before the connection is open, where it was not said."""
        return self._connection.account

    def balance(self) -> Money:
        """What the node owes this account; below zero when the account owes the node."""
        return self.api._run(self._connection.balance())

    def quote(
        self, receiver: str, amount: str | None = None, *, deliver: str | None = None, max_fee: str | None = None
    ) -> QuoteResult:
        """What it costs to pay `receiver`. Amounts as `"10 USD"`; `max_fee` as `pay`'s."""
        return self.api._run(self._connection.quote(receiver, amount, deliver=deliver, max_fee=max_fee))

    def pay(
        self, receiver: str, amount: str | None = None, *, deliver: str | None = None, max_fee: str | None = None
    ) -> PaymentResult:
        """Send `amount`, or as much as is needed to `deliver` another; wait for the end. See `Connection.pay`."""
        return self.api._run(self._connection.pay(receiver, amount, deliver=deliver, max_fee=max_fee))
