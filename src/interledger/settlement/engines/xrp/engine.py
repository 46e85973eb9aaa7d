"""Settlement by XRP payment channels: a transaction opens one, claims over BTP pay, a transaction redeems the last one.

    asym      as npm ilp-plugin-xrp-asym-client and -server: whoever dials opens a channel, shows that it is its own,
              and asks the other to open one back
    paychan   as npm ilp-plugin-xrp-paychan: both do the same

What is kept of an account: `peer` (its address), `out` (our channel to it), `in` (its channels to us; `book`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from interledger.errors import DecodeError, SettingsError
from interledger.link.btp.messages import ContentType, Entries, ProtocolData, find_entry
from interledger.link.btp.subprotocols import Answer, Refusal
from interledger.settlement.btp import BtpRequest
from interledger.settlement.engine.base import (
    CannotPayError,
    EngineAccount,
    EngineHost,
    Payment,
    SettlementEngine,
)
from interledger.settlement.engines.xrp.claims import (
    CHANNEL_OCTETS,
    LastClaim,
    PeerInfo,
    channel_proof,
    parse_channel,
)
from interledger.settlement.engines.xrp.incoming import INVALID, NOT_ACCEPTED, IncomingChannels, IncomingTerms
from interledger.settlement.engines.xrp.keys import XrpKey, is_address, read_key
from interledger.settlement.engines.xrp.ledger import XrpLedger
from interledger.settlement.engines.xrp.options import OPTIONS, read_numbers
from interledger.settlement.engines.xrp.outgoing import OutgoingChannels, OutgoingTerms
from interledger.settlement.shell import CallError

__all__ = ["XrpEngine"]

logger = logging.getLogger("interledger.engine")

INFO_ALL: Final = b"\x02"

CLOSING: Final = "closing"
"""The name under which the host keeps the channels of accounts that are gone."""

SCALE_MAX: Final = 18

MEET_MS: Final = 10_000
"""Between two attempts to find a peer that is away, or not ready."""


class XrpEngine(SettlementEngine):
    """All peers of one engine have the same scale and dialect."""

    name = "xrp"
    subprotocols = ("info", "channel", "last_claim", "fund_channel", "xrp_address", "ripple_channel_id")
    options = OPTIONS

    def __init__(self, options: Mapping[str, str]) -> None:
        self._numbers = read_numbers(options)
        self.scale = self._numbers["scale"]
        self._dialect = options["dialect"]
        self._server = options["server"]
        if self.scale > SCALE_MAX:
            raise SettingsError(f"scale is from 0 to {SCALE_MAX}, not {self.scale}")
        if self._dialect not in ("asym", "paychan"):
            raise SettingsError(f"dialect is asym or paychan, not “{self._dialect}”")
        if not self._server.startswith(("ws://", "wss://")):
            raise SettingsError(f"server begins with ws:// or wss://, not “{self._server}”")
        self._key_file = Path(options["key_file"])
        self._meeting: dict[str, asyncio.Lock] = {}
        self._answering = asyncio.Lock()
        self._told: dict[str, str] = {}
        self._meet_at: dict[str, int] = {}
        self._host: EngineHost
        self._key: XrpKey
        self._ledger: XrpLedger
        self._in: IncomingChannels
        self._out: OutgoingChannels

    @property
    def address(self) -> str:
        """Ours on the ledger, once it has started."""
        return self._key.address

    async def start(self, host: EngineHost) -> None:
        numbers = self._numbers
        self._host, self._key = host, read_key(self._key_file, host.random)
        self._ledger = XrpLedger(self._server, self._key, host, look_ms=numbers["look_ms"])
        in_terms = IncomingTerms(self.scale, numbers["settle_delay_s"], numbers["claim_every_ms"])
        out_terms = OutgoingTerms(self.scale, numbers["deposit"], numbers["settle_delay_s"])
        self._in = IncomingChannels(host, self._ledger, self._key, in_terms)
        self._out = OutgoingChannels(host, self._ledger, self._key, out_terms)
        logger.info("our address on the XRP Ledger is %s", self._key.address)
        host.spawn("watching the channels", self._watch)

    async def stop(self) -> None:
        await self._ledger.close()

    async def close_account(self, account: EngineAccount) -> None:
        """Claims are redeemed, channels closed; the ledger takes its time, beside all else."""
        theirs = [{"id": known.channel, "ours": False} for known in self._in.book.all_of(account)]
        out = account.details.get("out")
        more = theirs if out is None else [*theirs, {"id": out["id"], "ours": True}]
        self._host.put(CLOSING, [*(self._host.get(CLOSING) or ()), *more])

    # ------------------------------------------------------------------ who is who

    async def _meet(self, account: EngineAccount) -> None:
        """Have channels both ways, as far as it is ours to begin. Raises when the peer does not answer."""
        async with self._meeting.setdefault(account.id, asyncio.Lock()):
            account = self._host.account(account.id)
            if self._dialect == "paychan":
                await self._meet_peer(account)
            else:
                await self._meet_server(account)

    async def _meet_server(self, account: EngineAccount) -> None:
        try:
            answer = await self._ask(account, ProtocolData("info", ContentType.OCTETS, INFO_ALL))
        except CallError as error:
            if error.is_refusal:
                return  # we are the server: the peer begins
            raise
        try:
            info = PeerInfo.decode(_data_of(answer, "info"))
        except DecodeError as error:
            raise CannotPayError(f"{account.id} does not say how it settles in XRP, or not yet ({error})") from None
        if info.scale != self.scale:
            raise CannotPayError(f"{account.id} has scale {info.scale}, this engine {self.scale}")
        self._learn(account, info.address)
        more = []
        if account.details.get("out") is None and not await self._adopt(account, info.channel):
            await self._out.open(account, info.address, self._numbers["deposit"])
        out = account.details["out"]["id"]
        if info.channel is None or info.channel.hex().upper() != out:
            more += self._shown(out, info.account)
        if info.client_channel is None:
            more.append(ProtocolData("fund_channel", ContentType.TEXT, self._key.address.encode()))
        back = info.client_channel
        if more:
            answer = await self._ask(account, *more)
            entry = find_entry(answer, "fund_channel")
            if back is None and entry is not None and len(entry.data) == CHANNEL_OCTETS:
                back = entry.data
        account.remember(account=info.account)
        if back is not None:
            await self._take_in(account, back.hex().upper())

    async def _meet_peer(self, account: EngineAccount) -> None:
        ours = ProtocolData("xrp_address", ContentType.TEXT, self._key.address.encode())
        self._learn(account, _data_of(await self._ask(account, ours), "xrp_address").decode("ascii", "replace"))
        out = await self._out.open(account, account.details["peer"], self._numbers["deposit"])
        answer = await self._ask(account, ProtocolData("ripple_channel_id", ContentType.TEXT, out.encode()))
        text = _data_of(answer, "ripple_channel_id").decode("ascii", "replace")
        if text:
            await self._take_in(account, parse_channel(text).hex().upper())

    async def _adopt(self, account: EngineAccount, told: bytes | None) -> bool:
        """The peer knows a channel of ours that we do not: our state is of another life."""
        if told is None:
            return False
        channel = told.hex().upper()
        found = await self._out.is_ours(channel)
        if found is None or found.destination != account.details["peer"] or found.expiration is not None:
            return False
        answer = await self._ask(account, ProtocolData("last_claim", ContentType.OCTETS, b""))
        paid = self._out.paid_by(channel, found, LastClaim.decode(_data_of(answer, "last_claim")))
        if paid is None:
            raise CannotPayError(f"{account.id} says what was paid over {channel}, without our signature for it")
        self._out.use(account, channel, paid)
        return True

    async def _take_in(self, account: EngineAccount, channel: str) -> None:
        known = self._in.book.current(account)
        if known is not None and known.channel == channel and not known.done:
            return
        refusal = await self._in.accept(account, channel, None)
        if refusal is not None:
            raise CannotPayError(f"the channel of {account.id} is not good: {refusal.message}")

    def _learn(self, account: EngineAccount, address: str) -> None:
        """The peer's address on the ledger. Raises `CannotPayError` for another one than before."""
        known = account.details.get("peer")
        if not is_address(address) or address == self._key.address:
            raise CannotPayError(f"{account.id} names an address that is none, or ours: {address[:64]}")
        if known is not None and known != address:
            raise CannotPayError(f"{account.id} names the address {address}; until now it was {known}. Ask it yourself")
        if known is None:
            account.remember(peer=address)

    def _shown(self, channel: str, ilp_address: str) -> list[ProtocolData]:
        """A channel, with the proof that it is ours."""
        octets = bytes.fromhex(channel)
        signature = self._key.sign(channel_proof(octets, ilp_address))
        return [
            ProtocolData("channel", ContentType.OCTETS, octets),
            ProtocolData("channel_signature", ContentType.OCTETS, signature),
        ]

    async def _ask(self, account: EngineAccount, *entries: ProtocolData) -> Entries:
        answer = await self._host.send_btp(account.id, entries)
        if isinstance(answer, Refusal):
            raise CannotPayError(f"{account.id} refuses “{entries[0].name}”: {answer.message}")
        return answer

    # ------------------------------------------------------------------ paying

    async def pay(self, payment: Payment) -> int | None:
        """One claim; done when the peer has taken it."""
        account = payment.account
        if payment.note is None:
            if account.details.get("out") is None:
                await self._meet(account)
                account.details = self._host.account(account.id).details
            if account.details.get("out") is None:
                await self._open_back(account)
            self._out.begin(payment)
        room = await self._out.with_room(payment)
        if room is None:
            return await self._out.paid_before_closing(payment)
        if room:
            await self._announce(account)
        return await self._out.send_claim(payment)

    async def _open_back(self, account: EngineAccount) -> None:
        """To a client that we know of: it opened a channel, and ours was closed."""
        if "peer" not in account.details:
            raise CannotPayError(f"{account.id} has not opened a channel to us yet, so we do not know its address")
        await self._out.open(account, account.details["peer"], self._numbers["deposit_back"])

    async def _announce(self, account: EngineAccount) -> None:
        """There is more in our channel than the peer knows."""
        out = account.details["out"]["id"]
        if self._dialect == "paychan":
            await self._ask(account, ProtocolData("ripple_channel_id", ContentType.TEXT, out.encode()))
        elif "account" in account.details:
            await self._ask(account, *self._shown(out, account.details["account"]))
        else:
            await self._ask(account, ProtocolData("channel", ContentType.OCTETS, bytes.fromhex(out)))

    # ------------------------------------------------------------------ what the peer asks

    async def receive_btp(self, account: EngineAccount, request: BtpRequest) -> Answer:
        if request.amount is not None:
            return await self._in.take(account, request.entries)
        name = request.name
        if name == "info":
            return self._info(account)
        if name == "last_claim":
            return (ProtocolData(name, ContentType.JSON, self._in.last_claim(account).encode()),)
        try:
            # Another lock than that of `_meet`: the peer may ask while we wait for its answer.
            async with self._answering:
                return await self._receive_channel(self._host.account(account.id), request)
        except DecodeError as error:
            return Refusal(INVALID, str(error))
        except CannotPayError as error:
            return Refusal(NOT_ACCEPTED, str(error))

    async def _receive_channel(self, account: EngineAccount, request: BtpRequest) -> Answer:
        entries, name = request.entries, request.name
        if name in ("xrp_address", "ripple_channel_id") and self._dialect == "paychan":
            return await self._receive_paychan(account, entries[0])
        channel, fund = find_entry(entries, "channel"), find_entry(entries, "fund_channel")
        if channel is not None:
            refusal = await self._receive_shown(account, channel.data, request)
            if refusal is not None:
                return refusal
        if fund is not None:
            return await self._fund(self._host.account(account.id), fund.data.decode("ascii", "replace"))
        if channel is not None:
            return ()
        return Refusal(NOT_ACCEPTED, f"“{name}” is not of the dialect {self._dialect}")

    async def _receive_shown(self, account: EngineAccount, channel: bytes, request: BtpRequest) -> Refusal | None:
        if len(channel) != CHANNEL_OCTETS:
            return Refusal(INVALID, f"a channel's id has {CHANNEL_OCTETS} octets")
        known, name = self._in.book.current(account), channel.hex().upper()
        if known is not None and known.channel == name and not known.done:
            return None  # what is in it is looked up at each claim
        signature = find_entry(request.entries, "channel_signature")
        if signature is None:
            return Refusal(NOT_ACCEPTED, "a channel comes with the signature that shows whose it is")
        proof = channel_proof(channel, request.ilp_address), signature.data
        return await self._in.accept(account, name, proof)

    async def _fund(self, account: EngineAccount, address: str) -> Answer:
        """The peer, who has opened a channel to us, wants one back."""
        known = self._in.book.current(account)
        if known is None or known.done or account.details.get("peer") != address:
            return Refusal(NOT_ACCEPTED, "open a channel from this address first, and show it")
        channel = await self._ledger.channel(known.channel)
        if channel is None or channel.amount < self._numbers["deposit_min"]:
            return Refusal(NOT_ACCEPTED, f"put {self._numbers['deposit_min']} drops into your channel first")
        made = await self._out.open(account, address, self._numbers["deposit_back"])
        return (ProtocolData("fund_channel", ContentType.OCTETS, bytes.fromhex(made)),)

    async def _receive_paychan(self, account: EngineAccount, entry: ProtocolData) -> Answer:
        text = entry.data.decode("ascii", "replace")
        if entry.name == "xrp_address":
            self._learn(account, text)
            return (ProtocolData(entry.name, ContentType.TEXT, self._key.address.encode()),)
        await self._take_in(account, parse_channel(text).hex().upper())
        out = account.details.get("out")
        said = "" if out is None else str(out["id"])
        return (ProtocolData(entry.name, ContentType.TEXT, said.encode()),)

    def _info(self, account: EngineAccount) -> Answer:
        info: dict[str, Any] = {"currencyScale": self.scale}
        known, out = self._in.book.current(account), account.details.get("out")
        if self._dialect == "asym":
            info["address"] = self._key.address
            if known is not None and not known.done:
                info["channel"] = known.channel
                if out is not None:
                    info["clientChannel"] = out["id"]
        return (ProtocolData("info", ContentType.JSON, json.dumps(info).encode()),)

    # ------------------------------------------------------------------ watching

    async def _watch(self) -> None:
        try:
            await self._ledger.sequence()
        except CannotPayError as error:
            self._host.alarm(str(error))
        while True:
            for account in self._host.accounts:
                try:
                    await self._look_at(account)
                except (CallError, CannotPayError, DecodeError) as error:
                    self._tell(account.id, f"no channels with {account.id} as they should be: {error}")
            for closing in self._host.get(CLOSING) or ():
                name, ours = closing["id"], closing["ours"]
                if await (self._out.close(name) if ours else self._in.redeem(name, close=True)):
                    self._host.put(CLOSING, [other for other in self._host.get(CLOSING) if other != closing])
            await self._host.sleep(self._numbers["look_ms"])

    async def _look_at(self, account: EngineAccount) -> None:
        await self._in.look_at(account)
        known = self._in.book.current(account)
        is_met = account.details.get("out") is not None and known is not None and not known.done
        if is_met or self._meet_at.get(account.id, 0) > self._host.now():
            return
        self._meet_at[account.id] = self._host.now() + max(MEET_MS, self._numbers["look_ms"])
        await self._meet(account)
        self._told.pop(account.id, None)

    def _tell(self, account_id: str, text: str) -> None:
        """The operator, once as long as it is the same."""
        if self._told.get(account_id) != text:
            self._told[account_id] = text
            self._host.alarm(text)


def _data_of(entries: Entries, name: str) -> bytes:
    entry = find_entry(entries, name)
    if entry is None:
        raise DecodeError(f"there is no {name} in the answer")
    return entry.data
