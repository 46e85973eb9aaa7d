"""Settlement by payment channels: a transaction opens one, a signed claim pays, a transaction redeems the last claim.

    pay      a channel with room enough, opened or topped up; a claim over all that was paid so far; the peer takes it
    receive  a claim that the chain backs is credited with what is new in it, and kept: it is worth money
    watch    redeem when enough has come together, and at once when the peer begins to close

What is kept of an account: `peer` (its greeting), `out` (our channel to it), `in` (its channels to us, by id).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import is_address, to_checksum_address

from interledger.errors import SettingsError
from interledger.settlement.engine.base import (
    CannotPayError,
    EngineAccount,
    EngineHost,
    EngineOption,
    MessageRefusedError,
    Payment,
    SettlementEngine,
)
from interledger.settlement.engines.evm.chain import Chain
from interledger.settlement.engines.evm.claims import Claim, Greeting, decode_message
from interledger.settlement.engines.evm.contract import (
    NO_TOKEN,
    Channel,
    channel_id,
    contract_code,
    encode_call,
    sign_claim,
    signer_of,
)
from interledger.settlement.engines.json_rpc import JsonRpc
from interledger.settlement.quantity import Quantity

__all__ = ["EvmEngine"]

CHANNELS_MAX: Final = 16
"""Of one peer: it may open another when one is closed, not a new one for every claim."""

CLOSING: Final = "closing"
"""The name under which the host keeps the channels of accounts that are gone."""

GWEI: Final = 10**9


class EvmEngine(SettlementEngine):
    """Ether, or one token, of one chain."""

    name = "evm"
    scale = 18
    options = (
        EngineOption("rpc_url", "The JSON-RPC port of a node of the chain.", "http://127.0.0.1:8545"),
        EngineOption("key_file", "The private key of our account, as hex; made when there is none.", secret=True),
        EngineOption("contract", "The address of the channels' contract; empty: a new one is made.", ""),
        EngineOption("token", "The address of an ERC-20 token; empty for ether.", ""),
        EngineOption(
            "deposit", "What a channel is opened with, in the smallest units; more when that is not enough.", "0"
        ),
        EngineOption("redeem", "Claims are redeemed when so many units have come together; 0: on closing only.", "0"),
        EngineOption("delay_s", "How long we leave a peer to redeem when we close, and ask of it at least.", "86400"),
        EngineOption("confirmations", "Blocks until something is final.", "12"),
        EngineOption("fee_max_gwei", "No transaction offers more for a unit of gas.", "500"),
        EngineOption("bump_ms", "A higher fee for a transaction that has waited so long.", "120000"),
        EngineOption("look_ms", "Between two looks at the chain.", "5000"),
    )

    def __init__(self, options: Mapping[str, str]) -> None:
        self._numbers = {
            name: _whole(options, name)
            for name in ("deposit", "redeem", "delay_s", "confirmations", "fee_max_gwei", "bump_ms", "look_ms")
        }
        self._rpc = JsonRpc(options["rpc_url"])
        self._key_file = Path(options["key_file"])
        self._contract = _address(options, "contract")
        self._token = _address(options, "token") or NO_TOKEN
        self._crediting = asyncio.Lock()
        self._key: LocalAccount
        self._host: EngineHost
        self._chain: Chain

    async def start(self, host: EngineHost) -> None:
        numbers = self._numbers
        self._host, self._key = host, _read_key(self._key_file, host)
        self._chain = Chain(
            self._rpc,
            self._key,
            host,
            confirmations=numbers["confirmations"],
            look_ms=numbers["look_ms"],
            bump_ms=numbers["bump_ms"],
            fee_max_wei=numbers["fee_max_gwei"] * GWEI,
        )
        await self._chain.start()
        if self._token != NO_TOKEN:
            octets = await self._chain.read(self._token, encode_call("decimals()"), final=False)
            self.scale = int.from_bytes(octets, "big")
        if not self._contract:
            made = await self._chain.send("make the contract", None, contract_code())
            self._contract = to_checksum_address(made.contract or "")
        host.spawn("watching the channels", self._watch)

    # ------------------------------------------------------------------ who is who

    async def setup_account(self, account: EngineAccount) -> None:
        self._learn(account, decode_message(await self._host.send_message(account.id, self._greeting().encode())))

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        said = decode_message(message)
        if isinstance(said, Greeting):
            self._learn(account, said)
            return self._greeting().encode()
        async with self._crediting:
            await self._take_claim(account, said)
        return said.encode()

    def _greeting(self) -> Greeting:
        return Greeting(self._key.address, self._chain.id, self._contract, self._token)

    def _learn(self, account: EngineAccount, said: Greeting | Claim) -> None:
        ours = self._greeting()
        if not isinstance(said, Greeting) or (said.chain, said.token.lower()) != (ours.chain, ours.token.lower()):
            raise MessageRefusedError(f"we settle with token {ours.token} on chain {ours.chain}")
        account.remember(peer={"address": to_checksum_address(said.address), "contract": said.contract})

    async def close_account(self, account: EngineAccount) -> None:
        """What the peer's channels are worth is redeemed, ours is closed; the chain takes its time, beside all else."""
        theirs = [{"id": name, "claim": kept} for name, kept in account.details.get("in", {}).items()]
        ours = account.details.get("out")
        more = theirs if ours is None else [*theirs, {"id": ours["id"], "claim": None}]
        self._host.put(CLOSING, [*(self._host.get(CLOSING) or ()), *more])

    # ------------------------------------------------------------------ paying

    async def pay(self, payment: Payment) -> int | None:
        """One claim; done when the peer has taken it."""
        if "peer" not in payment.account.details:
            await self.setup_account(payment.account)
        if payment.note is None:
            out = payment.account.details.get("out") or self._new_channel(payment.account)
            payment.remember(
                {"channel": out["id"], "before": out["paid"], "amount": str(int(out["paid"]) + payment.amount)}
            )
        note = payment.note or {}
        channel = await self._with_room(payment, bytes.fromhex(note["channel"]), int(note["amount"]))
        if channel is None:
            return self._paid_before_closing(payment, await self._channel(bytes.fromhex(note["channel"])))
        await self._hand_over(payment.account, bytes.fromhex(note["channel"]), int(note["amount"]))
        out = payment.account.details["out"]
        payment.account.remember(out={**out, "paid": note["amount"]})
        return None

    def _new_channel(self, account: EngineAccount) -> Mapping[str, Any]:
        """Decided and kept before anything is sent: opening it again is opening the same one."""
        salt, delay = self._host.random(32), self._numbers["delay_s"]
        made = channel_id(self._key.address, account.details["peer"]["address"], self._token, delay, salt)
        out = {"id": made.hex(), "salt": salt.hex(), "receiver": account.details["peer"]["address"], "paid": "0"}
        account.remember(out=out)
        return out

    async def _with_room(self, payment: Payment, channel_id: bytes, amount: int) -> Channel | None:
        """The channel with at least `amount` in it, opened or topped up. None when it was closed."""
        out = payment.account.details["out"]
        channel = await self._channel(channel_id)
        if int(channel.sender, 16) == 0:
            value = max(amount, self._numbers["deposit"])
            await self._approve(f"approve {channel_id.hex()}", value)
            arguments = (out["receiver"], self._token, self._numbers["delay_s"], bytes.fromhex(out["salt"]), value)
            call = encode_call("open(address,address,uint256,bytes32,uint256)", *arguments)
            await self._transact(f"open {channel_id.hex()}", call, value)
        elif channel.closed or channel.closes_at:
            return None
        elif channel.deposit < amount:
            value = max(amount - channel.deposit, self._numbers["deposit"])
            await self._approve(f"approve {payment.id} of {channel.deposit}", value)
            call = encode_call("deposit(bytes32,uint256)", channel_id, value)
            await self._transact(f"deposit {payment.id} at {channel.deposit}", call, value)
        else:
            return channel
        channel = await self._channel(channel_id)
        if channel.deposit < amount:  # a token that keeps a fee: once more
            raise CannotPayError(f"channel {channel_id.hex()} has {channel.deposit} units, {amount} are needed")
        return channel

    def _paid_before_closing(self, payment: Payment, channel: Channel) -> int:
        """The channel is closing or closed. What the peer redeemed of this payment is paid; the rest is owed again."""
        note = payment.note or {}
        if not channel.closed:
            raise CannotPayError(f"channel {note['channel']} is closing; a new one is opened when it is closed")
        payment.account.remember(out=None)
        return min(max(channel.paid - int(note["before"]), 0), payment.amount)

    async def _hand_over(self, account: EngineAccount, channel: bytes, amount: int) -> None:
        signature = sign_claim(self._key, self._chain.id, self._contract, channel, amount)
        claim = Claim(channel, amount, signature)
        if decode_message(await self._host.send_message(account.id, claim.encode())) != claim:
            raise CannotPayError(f"the peer of {account.id} did not take the claim")

    async def _approve(self, name: str, value: int) -> None:
        if self._token != NO_TOKEN:
            call = encode_call("approve(address,uint256)", self._contract, value)
            done = await self._chain.send(name, self._token, call)
            if not done.succeeded:
                raise CannotPayError("the token does not let the contract take it")

    async def _transact(self, name: str, call: bytes, value: int = 0) -> None:
        done = await self._chain.send(name, self._contract, call, value if self._token == NO_TOKEN else 0)
        if not done.succeeded:
            raise CannotPayError(f"{name}: the contract refused it")

    async def _channel(self, channel: bytes, *, final: bool = True) -> Channel:
        call = encode_call("channels(bytes32)", channel)
        return Channel.decode(await self._chain.read(self._contract, call, final=final))

    # ------------------------------------------------------------------ being paid

    async def _take_claim(self, account: EngineAccount, claim: Claim) -> None:
        """Credit what is new in it. First it is kept with what has to be credited, so that a death changes nothing."""
        self._credit(account)
        account = self._host.account(account.id)
        name = claim.channel.hex()
        known: Mapping[str, Any] = account.details.get("in", {})
        best = int(known[name]["amount"]) if name in known else 0
        if claim.amount <= best:
            return  # it has come before
        if name not in known and len(known) >= CHANNELS_MAX:
            raise MessageRefusedError("there are too many channels")
        await self._check(account, claim)
        known = self._host.account(account.id).details.get("in", {})  # as it is after the waiting
        kept = {"amount": str(claim.amount), "signature": claim.signature.hex(), "new": str(claim.amount - best)}
        account.remember(**{"in": {**known, name: {"redeemed": "0", **known.get(name, {}), **kept}}})
        self._credit(account)

    async def _check(self, account: EngineAccount, claim: Claim) -> None:
        if "peer" not in account.details:
            raise MessageRefusedError("say who you are first")
        channel = await self._channel(claim.channel)
        sender = account.details["peer"]["address"].lower()
        problem = None
        if (channel.sender.lower(), channel.receiver.lower()) != (sender, self._key.address.lower()):
            problem = "this channel does not lead from you to us, or is not final yet"
        elif channel.token.lower() != self._token.lower():
            problem = "this channel is of another token"
        elif channel.closed or channel.closes_at:
            problem = "this channel is closing"
        elif channel.delay < self._numbers["delay_s"]:
            problem = f"a channel's delay has to be {self._numbers['delay_s']} s at least"
        elif claim.amount > channel.deposit:
            problem = f"this channel has {channel.deposit} units"
        elif any(
            claim.channel.hex() in other.details.get("in", {})
            for other in self._host.accounts
            if other.id != account.id
        ):
            problem = "this channel is another account's"
        else:
            signer = signer_of(self._chain.id, self._contract, claim.channel, claim.amount, claim.signature)
            if signer is None or signer.lower() != sender:
                problem = "this is not your signature"
        if problem is not None:
            raise MessageRefusedError(problem)

    def _credit(self, account: EngineAccount) -> None:
        """Tell the node of claims that are kept and not yet credited."""
        for name, kept in account.details.get("in", {}).items():
            if kept["new"] != "0":
                self._host.received(account.id, f"{name}:{kept['amount']}", Quantity(int(kept["new"]), self.scale))
                self._keep(account.id, name, new="0")

    def _keep(self, account_id: str, name: str, **changes: str) -> None:
        """Of the account as it is now: a claim may have come since it was looked at."""
        account = self._host.account(account_id)
        known = account.details["in"]
        account.remember(**{"in": {**known, name: {**known[name], **changes}}})

    # ------------------------------------------------------------------ getting the money

    async def _watch(self) -> None:
        while True:
            for account in self._host.accounts:
                self._credit(account)
                for name in list(account.details.get("in", {})):
                    await self._look_at(account, name)
            for closing in self._host.get(CLOSING) or ():
                if await self._is_closed(closing["id"], closing["claim"]):
                    left = [other for other in self._host.get(CLOSING) if other != closing]
                    self._host.put(CLOSING, left)
            await self._host.sleep(self._numbers["look_ms"])

    async def _is_closed(self, name: str, claim: Mapping[str, str] | None) -> bool:
        """Do the next step to close a channel: the peer's, with our last claim, or ours (no claim), after its delay."""
        channel = await self._channel(bytes.fromhex(name), final=False)
        if channel.closed or int(channel.sender, 16) == 0:
            return True
        if claim is not None:
            await self._redeem(name, int(claim["amount"]), claim["signature"], channel)
        elif channel.closes_at == 0:
            await self._transact(f"start_close {name}", encode_call("start_close(bytes32)", bytes.fromhex(name)))
            return False
        elif self._host.now() <= channel.closes_at * 1_000:
            return False
        await self._transact(f"close {name}", encode_call("close(bytes32)", bytes.fromhex(name)))
        return True

    async def _redeem(self, name: str, amount: int, signature: str, channel: Channel) -> None:
        if channel.paid < amount:
            claim = (bytes.fromhex(name), amount, bytes.fromhex(signature))
            await self._transact(f"redeem {name}:{amount}", encode_call("redeem(bytes32,uint256,bytes)", *claim))

    async def _look_at(self, account: EngineAccount, name: str) -> None:
        """Redeem the best claim when it is worth it, or when it is high time."""
        kept = account.details["in"][name]
        amount = int(kept["amount"])
        waiting = amount - int(kept["redeemed"])
        if waiting == 0:
            return
        channel = await self._channel(bytes.fromhex(name), final=False)
        enough = 0 < self._numbers["redeem"] <= waiting
        if channel.paid >= amount or channel.closed:
            self._keep(account.id, name, redeemed=str(amount))
            if channel.paid < amount:
                self._host.alarm(f"channel {name} was closed before its last claim was redeemed")
        elif enough or channel.closes_at:
            await self._redeem(name, amount, kept["signature"], channel)
            self._keep(account.id, name, redeemed=str(amount))


def _whole(options: Mapping[str, str], name: str) -> int:
    text = options[name]
    if not (text.isascii() and text.isdigit() and len(text) < 30):
        raise SettingsError(f"{name} is a whole number, not “{text}”")
    return int(text)


def _address(options: Mapping[str, str], name: str) -> str:
    if not options[name]:
        return ""
    if not is_address(options[name]):
        raise SettingsError(f"{name} is no address: {options[name]}")
    return str(to_checksum_address(options[name]))


def _read_key(path: Path, host: EngineHost) -> LocalAccount:
    """The key in the file. Made, and the file with it (0600), where there is none. Raises `SettingsError`."""
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(host.random(32).hex() + "\n")
        account: LocalAccount = Account.from_key(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the key in {path} cannot be used: {type(error).__name__}") from None
    return account
