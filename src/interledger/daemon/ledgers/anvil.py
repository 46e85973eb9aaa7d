"""An Ethereum chain of one's own: anvil, which mines each transaction at once. All assets but ether are tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final, final

from interledger.accounts.asset import Asset
from interledger.clock import SystemEntropy
from interledger.daemon.ledgers.base import DevLedger, Moved
from interledger.daemon.ledgers.programs import KeptProgram, LedgerError, MissingProgramError, find_program
from interledger.daemon.process import read_private_json, write_private_json
from interledger.daemon.topology import credit_limit
from interledger.node.settings_load import keep_secret
from interledger.settlement.engine.base import SettlementEngine
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.json_rpc import JsonRpc, RpcError
from interledger.settlement.quantity import NOTHING, Quantity

__all__ = ["AnvilLedger"]

START_S: Final = 20.0
RECEIPT_LOOKS: Final = 1_000
"""A transaction is mined at once, yet not before it is answered."""

ETHER: Final = 10**18
ETHER_SCALE: Final = 18
GAS_WEI: Final = 1_000 * ETHER
"""What each engine has for fees, and to pay with where ether is settled."""

SUPPLY: Final = 10**30
FUNDS_USD: Final = 1_000_000
"""What each engine has of its token."""

DEPOSIT_USD: Final = 100
"""A channel is opened with about so much: most settlements are then claims without a transaction of the payer."""

PACKAGE: Final = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
INSTALL: Final = "npm install @foundry-rs/anvil-linux-amd64   (here; or Foundry: https://getfoundry.sh)"
INSTALL_EVM: Final = "pip install 'interledger-py[evm]'"


@final
class AnvilLedger(DevLedger):
    """Payment channels of the engine `evm`; each claim is redeemed at once, so that the chain says what was paid."""

    kind: ClassVar[str] = "anvil"
    assets: ClassVar[str] = "USD/9,EUR/9"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._program: KeptProgram | None = None
        self._url = ""
        self._made: dict[str, str] = {}
        """Addresses: `contract`, and a token for each asset."""

    def check(self) -> None:
        if not (find_spec("eth_account") and find_spec("eth_abi")):
            raise MissingProgramError("The libraries for Ethereum are not installed.", INSTALL_EVM)
        self._find()

    def _find(self) -> str:
        program = find_program("anvil", PACKAGE, Path("tests/interop") / PACKAGE)
        if program is None:
            raise MissingProgramError("anvil, a chain for development, is not installed.", INSTALL)
        return program

    async def start(self, assets: Sequence[Asset]) -> None:
        from interledger.settlement.engines.evm.contract import contract_code

        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = self.directory / "state.json"
        command = [self._find(), "--port", "0", "--state", str(state), "--state-interval", "5"]
        self._program = KeptProgram(command, self.directory / "anvil.log")
        self._url = await self._listening(self._program)
        # What was made on a chain whose state is gone is gone, too.
        kept = (read_private_json(self.directory / "made.json") or {}) if state.exists() else {}
        self._made = {str(name): str(address) for name, address in kept.items()}
        if "contract" not in self._made:
            self._made["contract"] = await self._make(contract_code())
        for asset in assets:
            if asset.code != "ETH" and str(asset) not in self._made:
                self._made[str(asset)] = await self._make(_token_code(asset))
        write_private_json(self.directory / "made.json", self._made)

    async def stop(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            await asyncio.to_thread(program.stop)

    def settles(self, asset: Asset) -> bool:
        return asset.scale <= (ETHER_SCALE if asset.code == "ETH" else 77)

    async def engine(self, directory: Path, name: str, asset: Asset) -> SettlementEngine:
        from eth_account import Account

        token = self._made.get(str(asset), "")
        secret = keep_secret(directory, "evm.key", SystemEntropy())
        address = Account.from_key(secret).address
        await self._fund(address, token, asset)
        unit = asset if token else Asset("ETH", ETHER_SCALE)
        options = {
            "rpc_url": self._url,
            "key_file": str(directory / "evm.key"),
            "contract": self._made["contract"],
            "token": token,
            "deposit": str(credit_limit(unit, DEPOSIT_USD)),
            "redeem": "1",
            "confirmations": "1",
            "look_ms": "100",
        }
        return make_engine(find_engine("evm"), options)

    def text(self) -> str:
        return f"anvil, an Ethereum chain at {self._url}"

    def document(self) -> dict[str, Any]:
        return {**super().document(), "url": self._url, "made": self._made}

    def attach(self, document: Mapping[str, Any]) -> None:
        self._url, self._made = str(document["url"]), dict(document["made"])

    async def moved(self, asset: Asset, payer: Mapping[str, Any], payee: Mapping[str, Any]) -> Moved:
        """What was redeemed from the payer's channel: the contract says so, and has an event of each time."""
        from eth_utils.crypto import keccak

        from interledger.settlement.engines.evm.contract import Channel, encode_call

        out = payer.get("out")
        if out is None:
            return Moved(NOTHING, None)
        asked = {"to": self._made["contract"], "data": _hex(encode_call("channels(bytes32)", bytes.fromhex(out["id"])))}
        channel = Channel.decode(bytes.fromhex((await self._ask("eth_call", asked, "latest"))[2:]))
        topics = [_hex(keccak(text="Redeemed(bytes32,uint256)")), "0x" + out["id"]]
        events = await self._ask(
            "eth_getLogs",
            {"address": self._made["contract"], "fromBlock": "0x0", "toBlock": "latest", "topics": topics},
        )
        scale = asset.scale if str(asset) in self._made else ETHER_SCALE
        return Moved(Quantity(channel.paid, scale), str(events[-1]["transactionHash"]) if events else None)

    # ------------------------------------------------------------------ the chain

    async def _listening(self, program: KeptProgram) -> str:
        """Its URL, once it says that it listens."""
        async with asyncio.timeout(START_S):
            while program.runs:
                for line in program.log.read_text(encoding="utf-8", errors="replace").splitlines():
                    if line.startswith("Listening on "):
                        return f"http://{line.split()[-1]}"
                await asyncio.sleep(0.02)
        raise LedgerError(f"anvil did not start: {program.last_words()}. All it said: {program.log}")

    async def _ask(self, method: str, *parameters: Any) -> Any:
        try:
            return await JsonRpc(self._url).call(method, *parameters)
        except RpcError as error:
            raise LedgerError(f"anvil: {error}") from None

    async def _transact(self, to: str | None, data: bytes) -> Mapping[str, Any]:
        """By the account that has all there is; anvil signs for it."""
        rich = (await self._ask("eth_accounts"))[0]
        transaction = {"from": rich, "data": _hex(data), **({} if to is None else {"to": to})}
        sent = await self._ask("eth_sendTransaction", transaction)
        for _ in range(RECEIPT_LOOKS):
            receipt = await self._ask("eth_getTransactionReceipt", sent)
            if receipt is not None and receipt["status"] == "0x1":
                return dict(receipt)
            await asyncio.sleep(0.01)
        raise LedgerError(f"anvil: transaction {sent} is not mined, or failed")

    async def _make(self, code: bytes) -> str:
        return str((await self._transact(None, code))["contractAddress"])

    async def _fund(self, address: str, token: str, asset: Asset) -> None:
        """Once: what an engine has at a later start, it has."""
        from interledger.settlement.engines.evm.contract import encode_call

        if int(await self._ask("eth_getBalance", address, "latest"), 16):
            return
        if token:
            amount = credit_limit(asset, FUNDS_USD)
            await self._transact(token, encode_call("transfer(address,uint256)", address, amount))
        await self._ask("anvil_setBalance", address, hex(GAS_WEI))


def _token_code(asset: Asset) -> bytes:
    """What a transaction makes the token of: its code, then what its constructor is called with."""
    from eth_abi.abi import encode

    text = resources.files(__package__).joinpath("token.bin").read_text(encoding="ascii").strip()
    arguments = encode(
        ("string", "string", "uint8", "uint256"),
        (f"{asset.code} of a development network", asset.code[:16], asset.scale, SUPPLY * 10**asset.scale),
    )
    return bytes.fromhex(text.removeprefix("0x")) + arguments


def _hex(octets: bytes) -> str:
    return "0x" + octets.hex()
