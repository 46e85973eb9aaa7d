"""The settlement engines that come with this package, by the name that `ilp engine run` takes.

Another package's engine is named `module:Class`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from interledger.errors import InvalidRequestError, SettingsError
from interledger.settlement.engine.base import SettlementEngine

__all__ = ["ENGINES", "EngineEntry", "find_engine", "make_engine"]


class EngineEntry(NamedTuple):
    """Where an engine is, and what it does in a line."""

    place: str
    summary: str


ENGINES: Final[Mapping[str, EngineEntry]] = {
    "bank": EngineEntry(
        "interledger.settlement.engines.bank.engine:BankEngine", "Payment files and statements of any bank (ISO 20022)"
    ),
    "folder": EngineEntry(
        "interledger.settlement.engines.folder:FolderEngine", "A ledger that is a folder, for trying things"
    ),
    "evm": EngineEntry(
        "interledger.settlement.engines.evm.engine:EvmEngine",
        "Payment channels on Ethereum and its kind; ether, tokens",
    ),
    "litecoin": EngineEntry(
        "interledger.settlement.engines.litecoin:LitecoinEngine", "Transactions on Litecoin, by a node and its wallet"
    ),
    "xrp": EngineEntry(
        "interledger.settlement.engines.xrp.engine:XrpEngine", "Payment channels on the XRP Ledger, claims over BTP"
    ),
}
"""Imported when they are asked for: each may need libraries of its own."""

_PLACE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*")


def find_engine(name: str) -> type[SettlementEngine]:
    """The engine's class. Raises `InvalidRequestError` for a name that nobody has, or a library that is missing."""
    entry = ENGINES.get(name)
    place = name if entry is None else entry.place
    if _PLACE.fullmatch(place) is None:
        known = "  ".join(ENGINES)
        raise InvalidRequestError(f"There is no engine “{name}”. There are  {known}  and those of others, module:Class")
    module, _, attribute = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError as error:
        raise InvalidRequestError(f"The engine “{name}” cannot be loaded: {error}") from None
    if not (isinstance(found, type) and issubclass(found, SettlementEngine)):
        raise InvalidRequestError(f"{place} is no settlement engine")
    return found


def make_engine(kind: type[SettlementEngine], given: Mapping[str, str]) -> SettlementEngine:
    """The engine with these options. Raises `SettingsError` for one that it does not have, or that is missing."""
    known = {option.name: option for option in kind.options}
    for name in given:
        if name not in known:
            names = "  ".join(known) or "none"
            raise SettingsError(f"{name} is not an option of {kind.name}. It has  {names}")
    values = {name: option.default for name, option in known.items() if option.default is not None} | dict(given)
    for name, option in known.items():
        if name not in values:
            raise SettingsError(f"{kind.name} needs  {name}: {option.help}")
    return kind(values)
