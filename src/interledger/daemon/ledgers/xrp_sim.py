"""The simulated XRP Ledger: no ledger, and it forgets everything when it stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, final

from interledger.accounts.asset import Asset
from interledger.clock import SystemEntropy
from interledger.daemon.ledgers.base import DevLedger, Moved
from interledger.daemon.ledgers.programs import LedgerError, MissingProgramError
from interledger.settlement.engine.base import SettlementEngine
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.quantity import NOTHING, Quantity

if TYPE_CHECKING:
    from interledger.settlement.engines.xrp.sim import XrpSimulator

__all__ = ["XrpSimLedger"]

SCALE: Final = 6
DROPS: Final = 10**SCALE
FUNDS: Final = 100_000 * DROPS
DEPOSIT: Final = 100 * DROPS
CLOSE_MS: Final = 500
CLAIM_EVERY_MS: Final = 1_000
ASK_S: Final = 10.0
INSTALL: Final = "pip install 'interledger-py[xrp]'"


@final
class XrpSimLedger(DevLedger):
    """Claims of payment channels over BTP, redeemed at once, on a simulator in this process."""

    kind: ClassVar[str] = "xrp-sim"
    assets: ClassVar[str] = "XRP/6,XRP/6"
    needs_btp: ClassVar[bool] = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._simulator: XrpSimulator | None = None
        self._url = ""

    def check(self) -> None:
        if not find_spec("xrpl"):
            raise MissingProgramError("The library for the XRP Ledger is not installed.", INSTALL)
        if self.directory.exists():
            raise LedgerError(
                "The simulated XRP Ledger has forgotten all when it stopped, and the nodes' engines have not."
                " Start anew:  ilp dev up --settlement xrp-sim --fresh"
            )

    async def start(self, assets: Sequence[Asset]) -> None:
        from interledger.settlement.engines.xrp.sim import XrpSimulator

        self.directory.mkdir(parents=True, mode=0o700)
        self._simulator = XrpSimulator(close_ms=CLOSE_MS)
        await self._simulator.start()
        self._url = self._simulator.url

    async def stop(self) -> None:
        if self._simulator is not None:
            await self._simulator.stop()
            self._simulator = None

    def settles(self, asset: Asset) -> bool:
        return asset == Asset("XRP", SCALE)

    async def engine(self, directory: Path, name: str, asset: Asset) -> SettlementEngine:
        key_file = directory / "xrp.key"
        if self._simulator is not None:
            self._simulator.ledger.fund(_address(key_file), FUNDS)
        options = {
            "server": self._url,
            "key_file": str(key_file),
            "scale": str(SCALE),
            "deposit": str(DEPOSIT),
            "deposit_back": str(DEPOSIT),
            "deposit_min": "1",
            "claim_every_ms": str(CLAIM_EVERY_MS),
            "look_ms": "200",
        }
        return make_engine(find_engine("xrp"), options)

    def text(self) -> str:
        return f"a simulator of the XRP Ledger (no real ledger) at {self._url}"

    def document(self) -> dict[str, Any]:
        return {**super().document(), "url": self._url}

    def attach(self, document: Mapping[str, Any]) -> None:
        self._url = str(document["url"])

    async def moved(self, asset: Asset, payer: Mapping[str, Any], payee: Mapping[str, Any]) -> Moved:
        """What was redeemed from the payer's channel."""
        out = payer.get("out")
        if out is None:
            return Moved(NOTHING, None)
        answer = await self._ask({"command": "ledger_entry", "payment_channel": out["id"]})
        drops = int(answer["node"]["Balance"]) if answer is not None else 0
        return Moved(Quantity(drops, SCALE), f"channel {out['id']}" if drops else None)

    async def _ask(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result; None when there is none of the kind."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        try:
            async with asyncio.timeout(ASK_S), connect(self._url) as connection:
                await connection.send(json.dumps({"id": 1, **request}))
                answer = json.loads(await connection.recv())
        except (OSError, WebSocketException) as error:
            raise LedgerError(f"the simulator does not answer: {error}") from None
        result = answer.get("result")
        return dict(result) if answer.get("status") == "success" and isinstance(result, dict) else None


def _address(key_file: Path) -> str:
    """Of the key in the file, which is made where there is none."""
    from interledger.settlement.engines.xrp.keys import read_key

    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return read_key(key_file, SystemEntropy().octets).address
