"""The ledgers that `ilp dev up --settlement KIND` can start. A new one is a class and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from interledger.daemon.ledgers.base import DevLedger
from interledger.errors import InvalidRequestError

__all__ = ["DEV_LEDGERS", "LedgerEntry", "attach_ledger", "find_ledger"]


class LedgerEntry(NamedTuple):
    """Where the class is, and what the ledger is in a line. `place` None: it is not there yet."""

    place: str | None
    summary: str


DEV_LEDGERS: Final[Mapping[str, LedgerEntry]] = MappingProxyType(
    {
        "anvil": LedgerEntry(
            "interledger.daemon.ledgers.anvil:AnvilLedger", "An Ethereum chain; a token for each currency"
        ),
        "litecoin": LedgerEntry("interledger.daemon.ledgers.litecoin:LitecoinLedger", "A Litecoin chain, by litecoind"),
        "bank": LedgerEntry(
            "interledger.daemon.ledgers.bank:BankLedger", "A bank in files; a person agrees to payments"
        ),
        "xrp-sim": LedgerEntry(
            "interledger.daemon.ledgers.xrp_sim:XrpSimLedger", "A simulated XRP Ledger, no real one"
        ),
    }
)
"""Imported when they are asked for: each may need libraries of its own."""


def find_ledger(kind: str) -> type[DevLedger]:
    """The class. Raises `InvalidRequestError` for a kind that nobody has, or that is not there yet."""
    entry = DEV_LEDGERS.get(kind)
    there = "  ".join(name for name, entry in DEV_LEDGERS.items() if entry.place is not None)
    if entry is None:
        raise InvalidRequestError(f"There is no ledger “{kind}” to settle on. There are  {there}", "settlement")
    if entry.place is None:
        raise InvalidRequestError(f"“{kind}” is not available yet. There are  {there}", "settlement")
    module, _, name = entry.place.partition(":")
    found: type[DevLedger] = getattr(importlib.import_module(module), name)
    return found


def attach_ledger(document: Mapping[str, Any]) -> DevLedger:
    """The ledger that another process has started, by what its `document` said."""
    ledger = find_ledger(str(document["kind"]))(Path(str(document["directory"])))
    ledger.attach(document)
    return ledger
