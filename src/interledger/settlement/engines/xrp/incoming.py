"""Being paid: channels that lead to us are looked at before they count, claims before they are credited, and the ledger
is asked for the money in time.

A claim is worth what it is above the best one before. It is kept, and the node will be told of it, before the peer gets
an answer; the same claim again counts nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, NamedTuple, final

from interledger.errors import DecodeError
from interledger.link.btp.messages import Entries, find_entry
from interledger.link.btp.subprotocols import Answer, Refusal
from interledger.settlement.engine.base import EngineAccount, EngineHost
from interledger.settlement.engines.xrp.book import CHANNELS_MAX, Incoming, IncomingBook
from interledger.settlement.engines.xrp.claims import Claim, LastClaim, claim_message, drops_of, units_of
from interledger.settlement.engines.xrp.keys import XrpKey, is_signed
from interledger.settlement.engines.xrp.ledger import Channel, XrpLedger, ripple_time

__all__ = ["INVALID", "NOT_ACCEPTED", "IncomingChannels", "IncomingTerms"]

NOT_ACCEPTED: Final = "F00"
INVALID: Final = "F01"

CLOSE: Final = 0x0002_0000
"""tfClose of PaymentChannelClaim."""

FEE_SHARE: Final = 100
"""A claim is redeemed when the fee is at most a hundredth of it, as the npm plugins do."""


class IncomingTerms(NamedTuple):
    """`settle_delay_s`: a channel's at least. `claim_every_ms`: so often a claim is redeemed that is worth the fee."""

    scale: int
    settle_delay_s: int
    claim_every_ms: int


@final
class IncomingChannels:
    """Those of all accounts."""

    def __init__(self, host: EngineHost, ledger: XrpLedger, key: XrpKey, terms: IncomingTerms) -> None:
        self.book = IncomingBook(host, terms.scale)
        self._host = host
        self._ledger = ledger
        self._key = key
        self._terms = terms
        self._crediting = asyncio.Lock()
        self._redeemed_at: dict[str, int] = {}

    # ------------------------------------------------------------------ channels

    async def accept(self, account: EngineAccount, name: str, proof: tuple[bytes, bytes] | None) -> Refusal | None:
        """Take the claims of this channel from now on. `proof`: what has to be signed with its key, and the signature.

        None without `proof` is for a channel that comes from the peer's known address.
        """
        channel = await self._ledger.channel(name)
        if channel is None:
            return Refusal(NOT_ACCEPTED, "no validated ledger has this channel")
        problem = self._problem(channel)
        known = self.book.find(name)
        peer = account.details.get("peer")
        if problem is not None:
            return Refusal(NOT_ACCEPTED, problem)
        if proof is not None and not is_signed(channel.public, *proof):
            return Refusal(NOT_ACCEPTED, "the signature does not show that this channel is yours")
        if proof is None and peer != channel.source:
            return Refusal(NOT_ACCEPTED, "this channel does not come from your address")
        if known is not None and (known.account != account.id or known.done):
            return Refusal(NOT_ACCEPTED, "this channel is another account's, or was closed")
        before = self.book.current(account)
        if before is not None and before.channel != name:
            if await self._is_good(before):
                return Refusal(NOT_ACCEPTED, "you have a channel already")
            if len(list(self.book.all_of(account))) >= CHANNELS_MAX:
                return Refusal(NOT_ACCEPTED, "there are too many channels")
        if peer != channel.source:
            account.remember(peer=channel.source)
        self.book.add(account, name, units_of(channel.balance, self._terms.scale), channel.balance)
        return None

    def _problem(self, channel: Channel) -> str | None:
        """Why a channel cannot be relied on: its source could have the money back before we have redeemed a claim."""
        if channel.destination != self._key.address:
            return f"this channel does not lead to {self._key.address}"
        if channel.settle_delay < self._terms.settle_delay_s:
            return f"the settle delay is {channel.settle_delay} s; it has to be {self._terms.settle_delay_s} s at least"
        if channel.cancel_after is not None:
            return "a channel must not have a cancelAfter"
        if channel.expiration is not None:
            return "this channel is closing"
        if not channel.public.startswith("ED"):
            return "claims are signed with an Ed25519 key here"
        return None

    async def _is_good(self, known: Incoming) -> bool:
        channel = None if known.done else await self._ledger.channel(known.channel)
        return channel is not None and self._problem(channel) is None

    # ------------------------------------------------------------------ claims

    async def take(self, account: EngineAccount, entries: Entries) -> Answer:
        """A Transfer: credit what its claim is worth. Raises what leaves it without an answer."""
        entry = find_entry(entries, "claim")
        if entry is None:
            return Refusal(INVALID, "a transfer carries a claim")
        try:
            claim = Claim.decode(entry.data)
            message_drops = drops_of(claim.amount, self._terms.scale)
        except DecodeError as error:
            return Refusal(INVALID, str(error))
        async with self._crediting:
            account = self._host.account(account.id)
            known = self.book.current(account)
            if known is None or known.done:
                return Refusal(NOT_ACCEPTED, "no channel of yours is known here")
            self.book.credit(account.id, known.channel)
            if claim.amount == known.amount:
                return ()  # it has come before
            if claim.amount < known.amount:
                return Refusal(INVALID, f"this claim is less than the last one. new={claim.amount} old={known.amount}")
            problem = await self._refusal(known, claim, message_drops)
            if problem is not None:
                return problem
            known = self.book.find(known.channel) or known
            self.book.take(known, claim)
            self.book.credit(account.id, known.channel)
            return ()

    async def _refusal(self, known: Incoming, claim: Claim, drops: int) -> Refusal | None:
        channel = await self._ledger.channel(known.channel)
        if channel is None:
            return Refusal(NOT_ACCEPTED, "this channel is closed")
        problem = self._problem(channel)
        if problem is not None:
            return Refusal(NOT_ACCEPTED, problem)
        if drops > channel.amount:
            return Refusal(NOT_ACCEPTED, f"this claim is of {drops} drops, the channel has {channel.amount}")
        if not is_signed(channel.public, claim_message(bytes.fromhex(known.channel), drops), claim.signature):
            return Refusal(NOT_ACCEPTED, "invalid claim signature")
        return None

    def last_claim(self, account: EngineAccount) -> LastClaim:
        """What we hold of the peer."""
        known = self.book.current(account)
        if known is None:
            return LastClaim(0)
        return LastClaim(known.amount, None if known.claim is None else known.claim.signature)

    # ------------------------------------------------------------------ getting the money

    async def look_at(self, account: EngineAccount) -> None:
        """Tell the node what it was not told, and redeem what is due."""
        for known in list(self.book.all_of(account)):
            self.book.credit(account.id, known.channel)
            await self.redeem(known.channel)

    async def redeem(self, name: str, *, close: bool = False) -> bool:
        """Redeem the best claim when it is due, and close the channel (`close`, or its source does). Whether it is
        closed."""
        known, channel = self.book.find(name), await self._ledger.channel(name)
        if known is None or channel is None:
            return self._is_gone(known)
        owed = 0 if known.claim is None else drops_of(known.amount, self._terms.scale)
        waiting = max(owed - channel.balance, 0)
        if channel.balance > known.redeemed:
            self.book.redeem(name, channel.balance)
        closing = close or channel.expiration is not None or channel.cancel_after is not None
        if not (closing or (waiting and await self._is_worth_it(name, waiting))):
            return False
        fields: dict[str, Any] = {"TransactionType": "PaymentChannelClaim", "Channel": name}
        if waiting and known.claim is not None:
            signature = known.claim.signature.hex().upper()
            fields |= {"Balance": str(owed), "Amount": str(owed), "Signature": signature, "PublicKey": channel.public}
        elif self._has_expired(channel):
            return False  # its source gets the rest when anybody touches it
        if closing:
            fields["Flags"] = CLOSE
        step = f"redeem {name}:{owed}{' and close' if closing else ''}"
        await self._ledger.send(step, fields)
        self._redeemed_at[name] = self._host.now()
        self.book.redeem(name, owed if waiting else channel.balance, done=closing)
        self._ledger.forget(step)
        return closing

    def _has_expired(self, channel: Channel) -> bool:
        return channel.expiration is not None and channel.expiration < ripple_time(self._host.now())

    async def _is_worth_it(self, name: str, waiting: int) -> bool:
        at = self._redeemed_at.setdefault(name, self._host.now())
        if self._host.now() - at < self._terms.claim_every_ms:
            return False
        return await self._ledger.fee() * FEE_SHARE <= waiting

    def _is_gone(self, known: Incoming | None) -> bool:
        """The ledger has it no longer."""
        if known is not None and not known.done:
            owed = 0 if known.claim is None else drops_of(known.amount, self._terms.scale)
            if known.redeemed < owed:
                self._host.alarm(
                    f"channel {known.channel} of {known.account} was closed before its last claim was redeemed:"
                    f" {owed - known.redeemed} drops"
                )
            self.book.redeem(known.channel, known.redeemed, done=True)
        return True
