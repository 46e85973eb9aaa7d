"""Interledger in Python: the protocol suite as a library, a node, and a network on one machine.

What most programs need is here by name. It is loaded when it is first used: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from interledger.accounts.asset import Asset, Money
    from interledger.api.client import ApiClient, ApiError
    from interledger.api.connect import Connection, PaymentIncompleteError, PaymentResult, QuoteResult, connect
    from interledger.api.sync_client import SyncApiClient
    from interledger.api.sync_connect import SyncConnection, connect_sync
    from interledger.application.payment_pointer import PaymentPointer, parse_payment_pointer
    from interledger.errors import (
        ConflictError,
        DecodeError,
        InterledgerError,
        InvalidRequestError,
        LinkError,
        NotFoundError,
        PaymentError,
        ProtocolError,
        ResolveError,
    )
    from interledger.ilp.address import Address, is_address, parse_address
    from interledger.ilp.error_codes import ERROR_CODES, ErrorCode
    from interledger.ilp.packet import Fulfill, Prepare, Reject, decode_packet

__all__ = [
    "ERROR_CODES",
    "Address",
    "ApiClient",
    "ApiError",
    "Asset",
    "ConflictError",
    "Connection",
    "DecodeError",
    "ErrorCode",
    "Fulfill",
    "InterledgerError",
    "InvalidRequestError",
    "LinkError",
    "Money",
    "NotFoundError",
    "PaymentError",
    "PaymentIncompleteError",
    "PaymentPointer",
    "PaymentResult",
    "Prepare",
    "ProtocolError",
    "QuoteResult",
    "Reject",
    "ResolveError",
    "SyncApiClient",
    "SyncConnection",
    "connect",
    "connect_sync",
    "decode_packet",
    "is_address",
    "parse_address",
    "parse_payment_pointer",
]

_MODULES: Final = {
    "accounts.asset": ("Asset", "Money"),
    "api.client": ("ApiClient", "ApiError"),
    "api.connect": ("Connection", "PaymentIncompleteError", "PaymentResult", "QuoteResult", "connect"),
    "api.sync_client": ("SyncApiClient",),
    "api.sync_connect": ("SyncConnection", "connect_sync"),
    "application.payment_pointer": ("PaymentPointer", "parse_payment_pointer"),
    "errors": (
        "ConflictError",
        "DecodeError",
        "InterledgerError",
        "InvalidRequestError",
        "LinkError",
        "NotFoundError",
        "PaymentError",
        "ProtocolError",
        "ResolveError",
    ),
    "ilp.address": ("Address", "is_address", "parse_address"),
    "ilp.error_codes": ("ERROR_CODES", "ErrorCode"),
    "ilp.packet": ("Fulfill", "Prepare", "Reject", "decode_packet"),
}
"""Where each name lives, below this package."""

_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name of `__all__` when it is first asked for."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
