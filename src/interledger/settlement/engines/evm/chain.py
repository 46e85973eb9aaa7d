"""Transactions on the chain, each sent until it is final and never twice: one at a time, by name, on the disk first.

All versions of a transaction have the same nonce, so at most one of them is ever mined, whatever fee it pays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, final

from eth_account.signers.local import LocalAccount

from interledger.settlement.engine.base import CannotPayError, EngineHost
from interledger.settlement.engines.json_rpc import JsonRpc, RpcError

__all__ = ["Chain", "Receipt"]

OUTSTANDING: Final = "transaction"
"""The name under which the host keeps the one that is under way."""

PRIORITY_WEI: Final = 1_000_000_000
"""What a miner is offered beyond the base fee: 1 gwei."""


class Receipt(NamedTuple):
    """A transaction that is final. `succeeded`: False when the contract refused it; the fee is gone all the same."""

    hash: str
    succeeded: bool
    contract: str | None


@final
class Chain:
    """The chain seen from `key`'s account. Nothing is believed before `confirmations` blocks lie on it."""

    def __init__(
        self,
        rpc: JsonRpc,
        key: LocalAccount,
        host: EngineHost,
        *,
        confirmations: int,
        look_ms: int,
        bump_ms: int,
        fee_max_wei: int,
    ) -> None:
        self.rpc = rpc
        self.id = 0
        self._key = key
        self._host = host
        self._confirmations = confirmations
        self._look_ms = look_ms
        self._bump_ms = bump_ms
        self._fee_max = fee_max_wei
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Which chain is it? Raises `RpcError`."""
        self.id = _int(await self.rpc.call("eth_chainId"))

    async def read(self, to: str, data: bytes, *, final: bool = True) -> bytes:
        """What a function of a contract says, as of the last final block, or the last one. Raises `RpcError`."""
        height = _int(await self.rpc.call("eth_blockNumber"))
        block = hex(max(height - self._confirmations + 1, 0)) if final else "latest"
        return _octets(await self.rpc.call("eth_call", {"to": to, "data": "0x" + data.hex()}, block))

    async def send(self, name: str, to: str | None, data: bytes, value: int = 0) -> Receipt:
        """The transaction of that name, once: made when it is not, and waited for until it is final.

        `to`: None makes a contract of `data`. Raises `CannotPayError` when it cannot be made, `RpcError`.
        """
        async with self._one_at_a_time:
            done = self._host.get(f"done {name}")
            if done is None:
                outstanding = self._host.get(OUTSTANDING)
                if outstanding is not None and outstanding["name"] != name:
                    await self._finish(outstanding)
                    outstanding = None
                done = await self._finish(outstanding or await self._make(name, to, data, value))
            return Receipt(*done)

    # ------------------------------------------------------------------ making

    async def _make(self, name: str, to: str | None, data: bytes, value: int) -> Mapping[str, Any]:
        call = {"from": self._key.address, "data": "0x" + data.hex(), "value": hex(value)}
        try:
            gas = _int(await self.rpc.call("eth_estimateGas", call if to is None else {**call, "to": to}))
        except RpcError as error:
            if error.code is None:
                raise
            raise CannotPayError(f"{name}: the chain says: {error}") from None  # it would fail: better not sent
        nonce = _int(await self.rpc.call("eth_getTransactionCount", self._key.address, "latest"))
        made = {"name": name, "to": to, "data": data.hex(), "value": str(value), "gas": gas + gas // 4, "nonce": nonce}
        return await self._sign({**made, "versions": []})

    async def _sign(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        """Another version of it, kept before it is sent. Who replaces one has to offer a tenth more of both fees."""
        block = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        last = made["versions"][-1] if made["versions"] else {"fee": "0", "priority": "0"}
        priority = max(PRIORITY_WEI, _more(last["priority"]))
        fee = max(2 * _int(block["baseFeePerGas"]) + priority, _more(last["fee"]))
        if fee > self._fee_max:
            raise CannotPayError(f"{made['name']}: a fee of {fee} wei is more than fee_max_gwei allows")
        transaction = {
            "type": 2,
            "chainId": self.id,
            "nonce": made["nonce"],
            "gas": made["gas"],
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": priority,
            "value": int(made["value"]),
            "data": bytes.fromhex(made["data"]),
        }
        if made["to"] is not None:
            transaction["to"] = made["to"]
        signed = self._key.sign_transaction(transaction)
        version = {"hash": "0x" + bytes(signed.hash).hex(), "raw": "0x" + bytes(signed.raw_transaction).hex()}
        versions = [*made["versions"], {**version, "fee": str(fee), "priority": str(priority)}]
        kept = {**made, "versions": versions, "at": self._host.now()}
        self._host.put(OUTSTANDING, kept)
        return kept

    # ------------------------------------------------------------------ waiting

    async def _finish(self, made: Mapping[str, Any]) -> tuple[str, bool, str | None]:
        while True:
            receipt = await self._final_receipt(made)
            if receipt is not None:
                done = (receipt["transactionHash"], receipt["status"] == "0x1", receipt.get("contractAddress"))
                self._host.put(f"done {made['name']}", list(done))
                self._host.put(OUTSTANDING, None)
                if not done[1]:
                    self._host.alarm(f"{made['name']}: the contract refused transaction {done[0]}")
                return done
            made = await self._push(made)
            await self._host.sleep(self._look_ms)

    async def _final_receipt(self, made: Mapping[str, Any]) -> Mapping[str, Any] | None:
        height = _int(await self.rpc.call("eth_blockNumber"))
        for version in reversed(made["versions"]):
            receipt: Mapping[str, Any] | None = await self.rpc.call("eth_getTransactionReceipt", version["hash"])
            if receipt is not None and height - _int(receipt["blockNumber"]) + 1 >= self._confirmations:
                return receipt
        return None

    async def _push(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send it (again); with a higher fee when it has waited for long; with another nonce when its own is gone."""
        nonce = _int(await self.rpc.call("eth_getTransactionCount", self._key.address, "latest"))
        if nonce > made["nonce"]:
            return await self._renew(made)
        if self._host.now() >= made["at"] + self._bump_ms:
            made = await self._sign(made)
        for version in reversed(made["versions"]):
            try:
                await self.rpc.call("eth_sendRawTransaction", version["raw"])
            except RpcError as error:
                if error.code is None:
                    raise
                if "funds" in str(error):
                    raise CannotPayError(f"{made['name']}: {error}") from None
            else:
                break
        return made

    async def _renew(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its nonce was used. By one of its versions: wait. By somebody else with our key, for good: another nonce."""
        for version in made["versions"]:
            if await self.rpc.call("eth_getTransactionReceipt", version["hash"]) is not None:
                return made
        height = _int(await self.rpc.call("eth_blockNumber"))
        final = hex(max(height - self._confirmations + 1, 0))
        if _int(await self.rpc.call("eth_getTransactionCount", self._key.address, final)) <= made["nonce"]:
            return made  # a reorganisation may bring it back
        self._host.alarm(f"{made['name']}: somebody else sends with our key; it is made anew")
        nonce = _int(await self.rpc.call("eth_getTransactionCount", self._key.address, "latest"))
        return await self._sign({**made, "nonce": nonce, "versions": []})


def _more(fee: str) -> int:
    return int(fee) * 5 // 4 + 1 if int(fee) else 0


def _int(text: str) -> int:
    return int(text, 16)


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
