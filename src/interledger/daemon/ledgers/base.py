"""What a development network needs of a ledger: to be started, to pay the engines' fees, and to say what moved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from interledger.accounts.asset import Asset
from interledger.settlement.engine.base import SettlementEngine
from interledger.settlement.quantity import Quantity

__all__ = ["DevLedger", "Moved"]


class Moved(NamedTuple):
    """What the ledger says that one engine's owner has paid another, ever, and the latest transaction that did it."""

    quantity: Quantity
    transaction: str | None
    """Nothing has moved: None."""


class DevLedger(ABC):
    """One ledger of one development network; its state is in `directory`, so that it is there again at the next start.

    One process starts it; others, that only want to know what moved, `attach` by what its `document` said.
    """

    kind: ClassVar[str]
    """As in `--settlement KIND`."""

    assets: ClassVar[str]
    """What the holders keep when nobody says so, for `--assets`."""

    needs_btp: ClassVar[bool] = False
    """Whether its engines speak over the link itself, which has to be BTP then."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @abstractmethod
    def check(self) -> None:
        """Whether it can be started, before anything is. Raises `MissingProgramError`, `LedgerError`."""

    @abstractmethod
    async def start(self, assets: Sequence[Asset]) -> None:
        """Start it, with what is needed to settle in these assets. Raises `LedgerError`."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop it. May be called again, and after a start that failed."""

    @abstractmethod
    def settles(self, asset: Asset) -> bool:
        """Whether this ledger has such an asset."""

    @abstractmethod
    async def engine(self, directory: Path, name: str, asset: Asset) -> SettlementEngine:
        """An engine for the asset, not started, with enough on the ledger to pay with. `directory`: its own.

        `name` is its owner's on the ledger.
        """

    @abstractmethod
    def text(self) -> str:
        """What it is and where, in a few words."""

    def document(self) -> dict[str, Any]:
        """What `attach` needs. Nothing secret."""
        return {"kind": self.kind, "directory": str(self.directory), "text": self.text()}

    def attach(self, document: Mapping[str, Any]) -> None:  # noqa: B027  # a directory may be all that is needed
        """Know a ledger that another process has started."""

    @abstractmethod
    async def moved(self, asset: Asset, payer: Mapping[str, Any], payee: Mapping[str, Any]) -> Moved:
        """What is final. `payer` and `payee`: what the two engines keep of each other (`GET /accounts`)."""
