"""Paying: our channel to a peer is opened, topped up and closed, and claims over all that was ever paid are sent.

What is kept of an account: `out` (our channel to it, what was paid over it, and whether that is known to the peer).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, final

from interledger.errors import DecodeError
from interledger.link.btp.messages import ContentType, ProtocolData, find_entry
from interledger.link.btp.subprotocols import Refusal
from interledger.settlement.engine.base import CannotPayError, EngineAccount, EngineHost, Payment
from interledger.settlement.engines.xrp.claims import (
    Claim,
    LastClaim,
    channel_id,
    claim_message,
    drops_of,
    units_of,
)
from interledger.settlement.engines.xrp.keys import XrpKey, account_octets, is_signed
from interledger.settlement.engines.xrp.ledger import Channel, XrpLedger, ripple_time

__all__ = ["OutgoingChannels", "OutgoingTerms"]

TRANSFER_MAX: Final = 1 << 63
"""Units of one claim more than the last: a Transfer's amount has 64 bits (RFC 23)."""

CLOSE: Final = 0x0002_0000
"""tfClose of PaymentChannelClaim."""

_OLD: Final = re.compile(r"\bold=([0-9]{1,38})\b")
"""How npm ilp-plugin-xrp-paychan says which claim it has, when ours is not more."""


class OutgoingTerms(NamedTuple):
    """`deposit`: drops that a channel is opened with, and that are added when it is not enough."""

    scale: int
    deposit: int
    settle_delay_s: int


@final
class OutgoingChannels:
    """Those of all accounts."""

    def __init__(self, host: EngineHost, ledger: XrpLedger, key: XrpKey, terms: OutgoingTerms) -> None:
        self._host = host
        self._ledger = ledger
        self._key = key
        self._terms = terms
        self._opening = asyncio.Lock()

    # ------------------------------------------------------------------ the channel

    async def open(self, account: EngineAccount, destination: str, deposit: int) -> str:
        """Our channel to the account, made where there is none; its id in hex.

        Raises `CannotPayError`, `LedgerError`."""
        async with self._opening:
            account.details = self._host.account(account.id).details  # as it is after the waiting
            out = account.details.get("out")
            return await self._open(account, destination, deposit) if out is None else str(out["id"])

    async def _open(self, account: EngineAccount, destination: str, deposit: int) -> str:
        number = int(account.details.get("opened", 0))
        step = f"open {account.id} {number} to {destination}"
        fields = {
            "TransactionType": "PaymentChannelCreate",
            "Amount": str(deposit),
            "Destination": destination,
            "SettleDelay": self._terms.settle_delay_s,
            "PublicKey": self._key.public,
        }
        sent = await self._ledger.send(step, fields)
        octets = channel_id(account_octets(self._key.address), account_octets(destination), sent.sequence)
        channel = octets.hex().upper()
        account.remember(out={"id": channel, "paid": "0"}, opened=number + 1)
        self._ledger.forget(step)
        return channel

    def use(self, account: EngineAccount, channel: str, paid: int) -> None:
        """This is our channel to the account; so many units were paid over it."""
        account.remember(out={"id": channel, "paid": str(paid)})

    async def is_ours(self, channel: str) -> Channel | None:
        """The channel, when it leads from us and is signed with our key: one that we opened in another life."""
        found = await self._ledger.channel(channel)
        if found is None or (found.source, found.public) != (self._key.address, self._key.public):
            return None
        return found

    def paid_by(self, channel: str, found: Channel, last: LastClaim) -> int | None:
        """What was paid over it, when the peer says so and our signature shows it, or the ledger does."""
        on_ledger = units_of(found.balance, self._terms.scale)
        if last.amount <= on_ledger:
            return on_ledger
        try:
            message = claim_message(bytes.fromhex(channel), drops_of(last.amount, self._terms.scale))
        except DecodeError:
            return None
        if last.signature is None or not is_signed(self._key.public, message, last.signature):
            return None
        return last.amount

    # ------------------------------------------------------------------ paying

    def begin(self, payment: Payment) -> None:
        """Decide what is claimed, and keep it: the same for ever, however often it is sent."""
        out = payment.account.details["out"]
        amount = int(out["paid"]) + min(payment.amount, TRANSFER_MAX)
        payment.remember({"channel": out["id"], "before": out["paid"], "amount": str(amount)})

    async def with_room(self, payment: Payment) -> bool | None:
        """Whether the channel was topped up for this payment; None when it is closed or closing."""
        note: Mapping[str, Any] = payment.note or {}
        channel = await self._ledger.channel(note["channel"])
        if channel is None or channel.expiration is not None:
            return None
        needed = drops_of(int(note["amount"]), self._terms.scale)
        if needed <= channel.amount:
            return False
        step = f"fund {note['channel']} at {channel.amount}"
        fields = {
            "TransactionType": "PaymentChannelFund",
            "Channel": note["channel"],
            "Amount": str(max(needed - channel.amount, self._terms.deposit)),
        }
        await self._ledger.send(step, fields)
        self._ledger.forget(step)
        return True

    async def send_claim(self, payment: Payment) -> int | None:
        """Hand the claim over. What of the payment is paid (None: all) when the peer has it; raises when it has not, or
        nobody knows."""
        note: Mapping[str, Any] = payment.note or {}
        before, amount = int(note["before"]), int(note["amount"])
        message = claim_message(bytes.fromhex(note["channel"]), drops_of(amount, self._terms.scale))
        entry = ProtocolData("claim", ContentType.JSON, Claim(amount, self._key.sign(message)).encode())
        answer = await self._host.send_btp(payment.account.id, (entry,), amount - before)
        if isinstance(answer, Refusal) and not await self._has_it(payment.account, answer, amount):
            raise CannotPayError(f"the peer does not take the claim: {answer.message}")
        out = self._host.account(payment.account.id).details["out"]
        payment.account.remember(out={**out, "paid": note["amount"]})
        return None if amount - before == payment.amount else amount - before

    async def _has_it(self, account: EngineAccount, refusal: Refusal, amount: int) -> bool:
        """Whether the peer refused a claim because it has it: an answer of before was lost."""
        said = _OLD.search(refusal.message)
        if said is not None:
            return int(said[1]) >= amount
        answer = await self._host.send_btp(account.id, (ProtocolData("last_claim", ContentType.OCTETS, b""),))
        entry = None if isinstance(answer, Refusal) else find_entry(answer, "last_claim")
        try:
            return entry is not None and LastClaim.decode(entry.data).amount >= amount
        except DecodeError:
            return False

    async def paid_before_closing(self, payment: Payment) -> int:
        """The channel is closed: what the peer redeemed of this payment is paid, the rest is owed again."""
        note: Mapping[str, Any] = payment.note or {}
        if await self._ledger.channel(note["channel"]) is not None:
            raise CannotPayError(f"channel {note['channel']} is closing; a new one is opened when it is closed")
        last = await self._ledger.last_of(note["channel"])
        if last is None:
            raise CannotPayError(
                f"channel {note['channel']} is gone, and the server does not know what was redeemed of it: use a server"
                " that has the ledgers of that time"
            )
        payment.account.remember(out=None)
        paid = units_of(last.balance, self._terms.scale) - int(note["before"])
        return min(max(paid, 0), payment.amount)

    # ------------------------------------------------------------------ closing

    async def close(self, name: str) -> bool:
        """Do the next step to have back what is left in a channel of ours. Whether it is closed."""
        channel = await self._ledger.channel(name)
        if channel is None:
            return True
        if channel.expiration is not None and channel.expiration >= ripple_time(self._host.now()):
            return False
        fields: dict[str, Any] = {"TransactionType": "PaymentChannelClaim", "Channel": name, "Flags": CLOSE}
        step = f"close {name} of {channel.expiration}"
        await self._ledger.send(step, fields)
        self._ledger.forget(step)
        return await self._ledger.channel(name) is None
