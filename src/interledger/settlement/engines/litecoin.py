"""Settlement on a ledger of unspent outputs: a transaction per payment, by a Litecoin Core node and its wallet.

    pay    sign, remember, send; then wait until it lies deep enough. Not mined for a while: another transaction spends
           its change and pays the fee of both. (Litecoin's nodes take no replacement with a higher fee by default.)
    watch  each account's peer pays to an address of its own; an output there that lies deep enough was received

Nothing is final before `confirmations` blocks lie on it, so a reorganisation that is not deeper undoes nothing here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, SettingsError
from interledger.settlement.engine.base import (
    CannotPayError,
    EngineAccount,
    EngineHost,
    EngineOption,
    MessageRefusedError,
    Payment,
    SettlementEngine,
)
from interledger.settlement.engines.core_rpc import core_rpc
from interledger.settlement.engines.json_rpc import RpcError
from interledger.settlement.quantity import Quantity

__all__ = ["LitecoinEngine"]

SCALE: Final = 8

ADDRESS_MAX: Final = 128

# The node's numbers for what can go wrong (its rpc/protocol.h).
_WALLET: Final = -4
_NO_FUNDS: Final = -6
_NO_SUCH_WALLET: Final = -18
_LOCKED: Final = -13
_UNKNOWN: Final = -5
_VERIFY: Final = -25
_REJECTED: Final = -26
_IN_CHAIN: Final = -27

CHILD_VSIZE: Final = 111
"""Of a transaction with one input and one output, both of an address of the wallet (witness version 0)."""

CHANGE_MIN: Final = 10_000
"""What has to be left of the change when a fee was taken from it: less is dust to some node."""

KILO: Final = 1_000
"""Fee rates are for so many virtual octets."""


class LitecoinEngine(SettlementEngine):
    """Needs a node with a wallet that nobody else spends from while a payment is under way."""

    name = "litecoin"
    scale = SCALE
    options = (
        EngineOption("rpc_url", "The node's JSON-RPC port.", "http://127.0.0.1:9332"),
        EngineOption("rpc_cookie", "The file .cookie in the node's data directory.", ""),
        EngineOption("rpc_user", "The node's rpcuser, where there is no cookie.", ""),
        EngineOption("rpc_password", "The node's rpcpassword.", "", secret=True),
        EngineOption("wallet", "The wallet's name; empty for the default one.", ""),
        EngineOption("confirmations", "Blocks until a transaction is final.", "6"),
        EngineOption("bump_blocks", "A higher fee after so many blocks without it.", "6"),
        EngineOption("look_ms", "Between two looks at the ledger.", "5000"),
    )

    def __init__(self, options: Mapping[str, str]) -> None:
        self._confirmations = _whole(options, "confirmations")
        self._bump_blocks = _whole(options, "bump_blocks")
        self._look_ms = _whole(options, "look_ms")
        self._rpc = core_rpc(
            options["rpc_url"],
            user=options["rpc_user"],
            password=options["rpc_password"],
            cookie=options["rpc_cookie"],
            wallet=options["wallet"],
        )
        self._wallet = options["wallet"]
        self._told: dict[int, str] = {}
        self._one_at_a_time = asyncio.Lock()
        """From the choice of coins until they are spent. The wallet's own lock would outlive a payment that fails."""
        self._host: EngineHost

    async def start(self, host: EngineHost) -> None:
        self._host = host
        try:
            await self._rpc.call("getwalletinfo")
        except RpcError as error:
            if error.code != _NO_SUCH_WALLET:
                raise
            await self._rpc.call("loadwallet", self._wallet)
        host.spawn("reading the ledger", self._watch)

    # ------------------------------------------------------------------ who is paid where

    async def setup_account(self, account: EngineAccount) -> None:
        """Each tells the other an address that is for it alone: so it is known who paid, whatever it was paid from."""
        greeting = await self._greeting(account)
        await self._learn(account, await self._host.send_message(account.id, greeting))

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        await self._learn(account, message)
        return await self._greeting(account)

    async def _greeting(self, account: EngineAccount) -> bytes:
        if "receive_at" not in account.details:
            account.remember(receive_at=await self._rpc.call("getnewaddress", f"ilp {account.id}", "bech32"))
        return json.dumps({"address": account.details["receive_at"]}).encode()

    async def _learn(self, account: EngineAccount, message: bytes) -> None:
        try:
            address = parse_json_object(message).get("address")
        except DecodeError as error:
            raise MessageRefusedError(str(error)) from None
        if type(address) is not str or len(address) > ADDRESS_MAX:
            raise MessageRefusedError("address is the text of an address")
        verdict = await self._rpc.call("validateaddress", address)
        if not verdict["isvalid"] or verdict.get("ismweb"):
            raise MessageRefusedError("address is none of this ledger, or one whose outputs nobody can see")
        account.remember(pay_to=address)

    # ------------------------------------------------------------------ paying

    async def pay(self, payment: Payment) -> int | None:
        """One transaction; done when it lies deep enough."""
        if payment.note is None:
            if "pay_to" not in payment.account.details:
                await self.setup_account(payment.account)
            async with self._one_at_a_time:
                if not await self._sign(payment):
                    return 0  # so little that no node would carry it: it waits for more
                await self._send(payment, payment.note or {})
        while not await self._is_final(payment):
            await self._host.sleep(self._look_ms)
        self._told.pop(payment.id, None)
        return None

    async def _sign(self, payment: Payment) -> bool:
        """Choose inputs, sign, and remember. False for an amount that is too small to be sent."""
        outputs = [{payment.account.details["pay_to"]: _text(payment.amount)}]
        try:
            raw = await self._rpc.call("createrawtransaction", [], outputs)
            funded = await self._rpc.call("fundrawtransaction", raw)
            signed = await self._rpc.call("signrawtransactionwithwallet", funded["hex"])
        except RpcError as error:
            if "too small" in str(error) or "dust" in str(error):
                return False
            if error.code in (_NO_FUNDS, _LOCKED, _WALLET):
                raise CannotPayError(f"the wallet says: {error}") from None
            raise
        decoded = await self._rpc.call("decoderawtransaction", signed["hex"])
        place = int(funded["changepos"])
        change = None if place < 0 else {"vout": place, "value": _units(decoded["vout"][place]["value"])}
        made = {"txid": str(decoded["txid"]), "hex": signed["hex"], "change": change}
        payment.remember({**made, "height": await self._height(), "child": None})
        return True

    async def _is_final(self, payment: Payment) -> bool:
        """Look at the transaction, and do what is due: send it (again), raise the fee, begin anew."""
        note: Mapping[str, Any] = payment.note or {}
        depth = await self._depth(note["txid"])
        if depth is not None and depth > 0:
            return depth >= self._confirmations
        if depth is not None and depth <= -self._confirmations:
            await self._begin_anew(payment)
        elif await self._send(payment, note) and await self._height() >= note["height"] + self._bump_blocks:
            await self._bump(payment, note)
        return False

    async def _begin_anew(self, payment: Payment) -> None:
        """Somebody spent the inputs otherwise, for good: it can never be mined, so nothing was paid."""
        self._tell(payment, "its coins were spent by another transaction; it is made anew")
        if not await self._sign(payment):
            raise CannotPayError("the amount is too small to be sent")

    async def _depth(self, txid: str) -> int | None:
        """How many blocks: 0 before it is mined, negative when something that spends its inputs lies so deep. None: the
        wallet never had it."""
        try:
            return int((await self._rpc.call("gettransaction", txid))["confirmations"])
        except RpcError as error:
            if error.code != _UNKNOWN:
                raise
            return None

    async def _height(self) -> int:
        return int(await self._rpc.call("getblockcount"))

    async def _send(self, payment: Payment, note: Mapping[str, Any]) -> bool:
        """Whether it waits to be mined."""
        try:
            await self._rpc.call("sendrawtransaction", note["hex"])
        except RpcError as error:
            if error.code == _IN_CHAIN:
                return False
            if error.code not in (_VERIFY, _REJECTED):
                raise
            self._tell(payment, f"the node does not take it: {error}")
            if error.code == _VERIFY:
                await self._lose(payment)
            return False
        if note["child"] is not None:
            with contextlib.suppress(RpcError):  # it only helps
                await self._rpc.call("sendrawtransaction", note["child"]["hex"])
        return True

    async def _lose(self, payment: Payment) -> None:
        """Its inputs are spent, and the wallet may know nothing of it: it never left, or the wallet lost it. Made anew
        when whatever spent them is final."""
        note, height = payment.note or {}, await self._height()
        if "lost_at" not in note:
            payment.remember({**note, "lost_at": height})
        elif height >= note["lost_at"] + self._confirmations:
            await self._begin_anew(payment)

    async def _bump(self, payment: Payment, note: Mapping[str, Any]) -> None:
        """Spend what is left of the change in a transaction that pays for all before it, twice as much as until now."""
        last = note["child"] or {"txid": note["txid"], **(note["change"] or {"vout": 0, "value": 0})}
        try:
            entry = await self._rpc.call("getmempoolentry", last["txid"])
            info = await self._rpc.call("getnetworkinfo")
            octets, paid = int(entry["ancestorsize"]), _units(entry["fees"]["ancestor"])
            least = _units(info["relayfee"]) * CHILD_VSIZE // KILO + 1
            value = last["value"] - max(2 * paid * (octets + CHILD_VSIZE) // octets - paid, least)
            if value < CHANGE_MIN:
                self._tell(payment, "it is not mined, and its change is too little to raise the fee")
                return
            own = await self._rpc.call("getrawchangeaddress", "bech32")
            inputs = [{"txid": last["txid"], "vout": last["vout"]}]
            raw = await self._rpc.call("createrawtransaction", inputs, [{own: _text(value)}])
            signed = (await self._rpc.call("signrawtransactionwithwallet", raw))["hex"]
            txid = str((await self._rpc.call("decoderawtransaction", signed))["txid"])
        except RpcError as error:
            self._tell(payment, f"the fee cannot be raised: {error}")
            return
        child = {"txid": txid, "hex": signed, "vout": 0, "value": value}
        payment.remember({**note, "child": child, "height": await self._height()})
        await self._send(payment, payment.note or {})

    def _tell(self, payment: Payment, text: str) -> None:
        """The operator, once as long as it is the same."""
        if self._told.get(payment.id) != text:
            self._told[payment.id] = text
            self._host.alarm(f"payment {payment.id} to {payment.account.id}: {text}")

    # ------------------------------------------------------------------ being paid

    async def _watch(self) -> None:
        while True:
            await self._look()
            await self._host.sleep(self._look_ms)

    async def _look(self) -> None:
        """Everything since the block that lay deep enough at the last look."""
        seen = self._host.get("seen") or ""
        found = await self._rpc.call("listsinceblock", seen, self._confirmations)
        owners = {account.details.get("receive_at"): account for account in self._host.accounts}
        for entry in found["transactions"]:
            account = owners.get(entry.get("address"))
            if account is None or entry["category"] != "receive" or int(entry["confirmations"]) < self._confirmations:
                continue
            received = Quantity(_units(entry["amount"]), SCALE)
            self._host.received(account.id, f"{entry['txid']}:{entry['vout']}", received)
        for entry in found.get("removed", ()):
            if entry.get("address") in owners and entry["category"] == "receive":
                self._host.alarm(f"the ledger took back {entry['txid']}, which was {self._confirmations} blocks deep")
        self._host.put("seen", found["lastblock"])


def _whole(options: Mapping[str, str], name: str) -> int:
    text = options[name]
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text) > 0):
        raise SettingsError(f"{name} is a whole number from 1 on, not “{text}”")
    return int(text)


def _units(coins: str) -> int:
    """What the node says, which is a number as text here."""
    return int(Decimal(coins).scaleb(SCALE))


def _text(units: int) -> str:
    """Coins, as the node wants them: exact text."""
    coins, rest = divmod(units, 10**SCALE)
    return f"{coins}.{rest:0{SCALE}d}"
