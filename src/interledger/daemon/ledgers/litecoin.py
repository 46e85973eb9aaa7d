"""A Litecoin chain of one's own: litecoind's regtest, which mines a block whenever something waits for one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final, final

from interledger.accounts.asset import Asset
from interledger.daemon.ledgers.base import DevLedger, Moved
from interledger.daemon.ledgers.programs import KeptProgram, LedgerError, MissingProgramError, find_program
from interledger.settlement.engine.base import SettlementEngine
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.core_rpc import core_rpc
from interledger.settlement.engines.json_rpc import RpcError
from interledger.settlement.quantity import NOTHING, Quantity

__all__ = ["LitecoinLedger"]

START_S: Final = 60.0
SCALE: Final = 8
MINER: Final = "miner"
MATURE_BLOCKS: Final = 101
"""What is mined can be spent a hundred blocks later."""

FUNDS: Final = "10"
"""Coins for each engine's wallet."""

MINE_MS: Final = 200
EXISTS: Final = -4
LOADED: Final = -35
INSTALL: Final = "apt install litecoind   (Debian, Ubuntu; or https://litecoin.org)"


@final
class LitecoinLedger(DevLedger):
    """One node, with a wallet for each engine and one that mines. One confirmation is enough."""

    kind: ClassVar[str] = "litecoin"
    assets: ClassVar[str] = "LTC/8,LTC/8"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._program: KeptProgram | None = None
        self._mining: asyncio.Task[None] | None = None
        self._url = ""

    def check(self) -> None:
        self._find()

    def _find(self) -> str:
        program = find_program("litecoind")
        if program is None:
            raise MissingProgramError("litecoind, a node of Litecoin, is not installed.", INSTALL)
        return program

    async def start(self, assets: Sequence[Asset]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        port = _free_port()
        self._url = f"http://127.0.0.1:{port}"
        # The cookie of the last run would be taken for this one's.
        self._cookie.unlink(missing_ok=True)
        options = ["-regtest", "-server", "-listen=0", "-fallbackfee=0.0001", f"-rpcport={port}"]
        command = [self._find(), f"-datadir={self.directory.absolute()}", *options]
        self._program = KeptProgram(command, self.directory / "litecoind.log")
        await self._wait_until_it_answers(self._program)
        await self._open_wallet(MINER)
        if int(await self._ask("getblockcount")) < MATURE_BLOCKS:
            await self._mine(MATURE_BLOCKS)
        self._mining = asyncio.ensure_future(self._mine_what_waits())

    async def stop(self) -> None:
        if self._mining is not None:
            self._mining.cancel()
            await asyncio.gather(self._mining, return_exceptions=True)
            self._mining = None
        if self._program is not None:
            program, self._program = self._program, None
            await asyncio.to_thread(program.stop)

    def settles(self, asset: Asset) -> bool:
        return asset.code == "LTC"

    async def engine(self, directory: Path, name: str, asset: Asset) -> SettlementEngine:
        wallet = directory.name
        await self._open_wallet(wallet)
        if not Decimal(await self._ask("getbalance", wallet=wallet)):
            address = await self._ask("getnewaddress", "", "bech32", wallet=wallet)
            await self._ask("sendtoaddress", address, FUNDS, wallet=MINER)
            await self._mine(1)
        options = {
            "rpc_url": self._url,
            "rpc_cookie": str(self._cookie),
            "wallet": wallet,
            "confirmations": "1",
            "look_ms": "200",
        }
        return make_engine(find_engine("litecoin"), options)

    def text(self) -> str:
        return f"litecoind, a chain of its own (regtest) at {self._url}"

    def document(self) -> dict[str, Any]:
        return {**super().document(), "url": self._url}

    def attach(self, document: Mapping[str, Any]) -> None:
        self._url = str(document["url"])

    async def moved(self, asset: Asset, payer: Mapping[str, Any], payee: Mapping[str, Any]) -> Moved:
        """What lies in blocks at the address that the payee gave this payer: the whole chain is read for it."""
        address = payer.get("pay_to")
        if address is None:
            return Moved(NOTHING, None)
        for wallet in await self._ask("listwallets"):
            found = await self._ask("listreceivedbyaddress", 1, False, False, address, wallet=wallet)
            if found:
                units = int(Decimal(found[0]["amount"]).scaleb(SCALE))
                return Moved(Quantity(units, SCALE), str(found[0]["txids"][-1]))
        return Moved(NOTHING, None)

    # ------------------------------------------------------------------ the chain

    @property
    def _cookie(self) -> Path:
        return self.directory.absolute() / "regtest" / ".cookie"

    async def _ask(self, method: str, *parameters: Any, wallet: str = "") -> Any:
        try:
            return await core_rpc(self._url, cookie=str(self._cookie), wallet=wallet).call(method, *parameters)
        except RpcError as error:
            raise LedgerError(f"litecoind: {error}") from error

    async def _wait_until_it_answers(self, program: KeptProgram) -> None:
        for _ in range(int(START_S * 20)):
            if not program.runs:
                break
            try:
                await core_rpc(self._url, cookie=str(self._cookie)).call("uptime")
            except RpcError:
                await asyncio.sleep(0.05)
            else:
                return
        raise LedgerError(f"litecoind did not start: {program.last_words()}. All it said: {program.log}")

    async def _open_wallet(self, name: str) -> None:
        """Made at the first start, loaded at later ones."""
        rpc = core_rpc(self._url, cookie=str(self._cookie))
        try:
            await rpc.call("createwallet", name)
        except RpcError as error:
            if error.code != EXISTS:
                raise LedgerError(f"litecoind: {error}") from None
            try:
                await rpc.call("loadwallet", name)
            except RpcError as again:
                if again.code not in (LOADED, EXISTS):
                    raise LedgerError(f"litecoind: {again}") from None

    async def _mine(self, blocks: int) -> None:
        address = await self._ask("getnewaddress", "", "bech32", wallet=MINER)
        await self._ask("generatetoaddress", blocks, address)

    async def _mine_what_waits(self) -> None:
        while True:
            await asyncio.sleep(MINE_MS / 1000)
            try:
                if await self._ask("getrawmempool"):
                    await self._mine(1)
            except LedgerError:
                if self._program is None or not self._program.runs:
                    return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
