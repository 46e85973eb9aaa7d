"""Packets of the node itself, one answer each: pings, and questions to a peer such as ILDCP's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import NO_CURRENCY
from interledger.clock import Clock, Entropy, Timestamp, stopwatch_us
from interledger.connector.forward import Connector
from interledger.errors import DecodeError, LinkError
from interledger.ilp.address import parse_address
from interledger.ilp.balance import PeerBalance, balance_request
from interledger.ilp.echo import PING_CONDITION, PING_FULFILLMENT, PingKind, encode_echo_request
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.ildcp import ChildConfig, config_request
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.link.local import LocalLink
from interledger.node.views import Hop, PeerPosition, PingResult, Position
from interledger.node.wallets import Wallets

__all__ = ["SELF", "OwnRequests"]

SELF: Final = AccountId("/self")
"""The name under which the node's own requests are attached: no account can have it."""

PING_LIFETIME_MS: Final = 30_000
"""Every hop there and back takes a second of it, however short the person waits. No money is held meanwhile."""


TRACE_STEP_MS: Final = 500
"""Half of what a node usually takes from a packet's time, so that none is stepped over."""

TOO_LATE: Final = (ErrorCode.R00_TRANSFER_TIMED_OUT, ErrorCode.R02_INSUFFICIENT_TIMEOUT)


@final
class OwnRequests:
    """The end that asks. A future per request: these are rare."""

    def __init__(self, connector: Connector, wallets: Wallets, clock: Clock, entropy: Entropy) -> None:
        self._connector = connector
        self._clock = clock
        self._entropy = entropy
        self._waiting: dict[RequestId, asyncio.Future[Reply]] = {}
        self._last_id = 0
        account = Account(id=SELF, asset=NO_CURRENCY, ilp_address=connector.address)
        self._link: LocalLink = wallets.attach_end(SELF, account, self, moves_money=False)

    async def ping(
        self,
        destination: str,
        timeout_ms: int = 10_000,
        *,
        over: AccountId | None = None,
        kind: PingKind = PingKind.ECHO,
        lifetime_ms: int = PING_LIFETIME_MS,
    ) -> PingResult:
        """Ask a node to answer, by the routes or over one account's link. Raises `TimeoutError`, `InvalidRequestError`.

        `kind`: an echo, which comes back to our address; or the Java connector's ping, which anybody can fulfill.
        """
        own, to = self._connector.address, parse_address(destination)
        fulfillment, condition = PING_FULFILLMENT, PING_CONDITION
        # An echo of oneself would go round in circles.
        if kind is PingKind.ECHO and to != own:
            fulfillment = self._entropy.octets(32)
            condition = sha256(fulfillment).digest()
        expires_at = Timestamp(self._clock.now() + lifetime_ms)
        prepare = Prepare(0, expires_at, condition, to, encode_echo_request(own))
        echo = self._connector.services.echo
        echo.expect(condition, fulfillment)
        try:
            start = stopwatch_us()
            async with asyncio.timeout(timeout_ms / 1000):
                reply = await self._send(
                    lambda request_id: (
                        self._link.send_prepare(request_id, prepare)
                        if over is None
                        else self._connector.ask_peer(over, SELF, request_id, prepare, self._clock.now())
                    )
                )
        finally:
            echo.forget(condition)
        took = (stopwatch_us() - start) / 1000
        if isinstance(reply, Fulfill):
            return PingResult(took)
        return PingResult(took, reply.code, reply.message, reply.triggered_by)

    async def trace(self, destination: str, timeout_ms: int = 10_000) -> list[Hop]:
        """The nodes on the way, each with the time of its answer, the nearest first. Raises as `ping`.

        A node refuses what has too little time left (R02), and says who it is. So packets with a little more time each
        come one node farther each. Who lets such packets pass is not seen.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_ms / 1000
        own = self._connector.address
        hops: dict[str, Hop] = {}
        for lifetime_ms in range(TRACE_STEP_MS, PING_LIFETIME_MS, TRACE_STEP_MS):
            left_ms = max(round((end - loop.time()) * 1000), 1)
            result = await self.ping(destination, left_ms, lifetime_ms=lifetime_ms)
            who = destination if result.code is None else result.triggered_by
            if result.code not in TOO_LATE:
                hops.pop(who, None)  # on the way back, the echo may have been refused there for its time
                hops[who] = Hop(who, result.round_trip_ms, result.code)
                break
            if who and who != own and who not in hops:
                hops[who] = Hop(who, result.round_trip_ms, result.code)
        return list(hops.values())

    async def fetch_config(self, parent: AccountId) -> ChildConfig:
        """Ask a parent who we are (ILDCP). Raises `LinkError` when it does not say."""
        data = await self.ask(parent, config_request(self._clock.now()))
        try:
            return ChildConfig.decode(data)
        except DecodeError as error:
            raise LinkError(f"{parent} configures us badly: {error}") from error

    async def peer_position(self, account: Account) -> PeerPosition:
        """An account as its peer's books have it (peer.balance), and ours. Raises `LinkError` when it does not say."""
        data = await self.ask(account.id, balance_request(self._clock.now()))
        try:
            balance = PeerBalance.decode(data)
        except DecodeError as error:
            raise LinkError(f"{account.id} answers badly: {error}") from error
        if (balance.asset_code, balance.asset_scale) != account.asset:
            asset = f"{balance.asset_code}/{balance.asset_scale}"
            raise LinkError(f"{account.id} keeps the account in {asset}, we keep it in {account.asset}")
        ours = Position.of(self._connector.ledger.find(account.ledger_name, account.asset))
        return PeerPosition(ours, balance.balance)

    async def ask(self, account_id: AccountId, request: Prepare) -> bytes:
        """Ask one peer something of `peer.*`: the data of its Fulfill. Raises `LinkError` for a Reject, or no link.

        That the answer's fulfillment is the one of such messages is proved by the condition it was sent with.
        """
        reply = await self.exchange(account_id, request)
        if isinstance(reply, Reject):
            raise LinkError(f"{account_id} does not answer {request.destination}: {reply.code} {reply.message}")
        return reply.data

    async def exchange(self, account_id: AccountId, request: Prepare) -> Reply:
        """The same, whatever the answer; R00 when there is none in time. Raises `LinkError` when there is no link."""
        if account_id not in self._connector.peers:
            raise LinkError(f"{account_id} has no link")
        return await self._send(
            lambda request_id: self._connector.ask_peer(account_id, SELF, request_id, request, self._clock.now())
        )

    async def _send(self, send: Callable[[RequestId], None]) -> Reply:
        self._last_id += 1
        request_id = RequestId(self._last_id & 0xFFFFFFFF)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            send(request_id)
            return await future
        finally:
            del self._waiting[request_id]

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        """Nobody sends to this end."""
        return None

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        future = self._waiting.get(request_id)
        if future is not None and not future.done():
            future.set_result(reply)

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        self.receive_reply(account, request_id, reject, now)

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        """The requests end by their expiry."""
