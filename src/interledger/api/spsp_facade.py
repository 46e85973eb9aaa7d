"""What SPSP needs of a node: a fresh address and secret for each payer. `interledger.node` implements it."""

from __future__ import annotations

from typing import Protocol

from interledger.ilp.address import Address
from interledger.transport.stream.receipts import ReceiptKey

__all__ = ["SpspFacade", "SpspView"]


class SpspView(Protocol):
    """A fresh address and secret for one client."""

    @property
    def destination_account(self) -> Address: ...
    @property
    def shared_secret(self) -> bytes: ...


class SpspFacade(Protocol):
    """The receivers of a node."""

    def spsp_details(self, account_id: str, receipts: ReceiptKey | None = None, /) -> SpspView:
        """`receipts`: what the receipts of this connection are signed with (RFC 39). Raises `NotFoundError`."""
        ...
