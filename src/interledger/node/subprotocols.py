"""What a node says over BTP besides ILP packets: questions it answers, requests it sends, Transfers it takes.

Handlers are ordinary coroutines. Which side asks what follows the server-roles document: a server answers `auth`,
`info` and `balance`, and never asks for them; requests of a ledger (`paychan`, `claim`, ...) go both ways.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import AccountId
from interledger.errors import InvalidRequestError, LinkError, RefusedError
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import BtpError, BtpResponse, ContentType, Entries, ProtocolData
from interledger.link.btp.requests import OnAnswer
from interledger.link.btp.subprotocols import (
    RESERVED,
    Answer,
    Handler,
    Refusal,
    Respond,
    SubprotocolRequest,
)

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["ANSWER_TIMEOUT_MS", "ASKED_OF_SERVERS", "HANDLER_TIMEOUT_MS", "NodeSubprotocols", "SubprotocolHandler"]

ANSWER_TIMEOUT_MS: Final = 35_000
"""How long we wait for an answer: as long as the JavaScript plugin does."""

HANDLER_TIMEOUT_MS: Final = 30_000
"""How long a handler may take, so that the peer still waits when it is done. Then it is cancelled."""

ASKED_OF_SERVERS: Final = frozenset(("info", "balance"))
"""What only the side that dials asks for."""

INFO_FULL: Final = 2
"""The octet that asks `info` for everything; any other asks for the account's name alone."""

SubprotocolHandler = Callable[[SubprotocolRequest], Awaitable[Answer]]
"""The entries of the Response, or a `Refusal`. For a Transfer, entries say that it is applied, for good."""

logger = logging.getLogger("interledger.btp")


@final
class NodeSubprotocols:
    """`node.subprotocols`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._registry = registry = node.links.btp.subprotocols
        registry.register("info", self.answer_info)
        registry.register("balance", self._answer_balance)

    # ------------------------------------------------------------------ who answers

    def register(self, name: str, handler: SubprotocolHandler, account: str | None = None) -> None:
        """Messages whose primary sub-protocol is `name` go to `handler`: those of one account, or (None) of all.

        Raises `InvalidRequestError` for a name that BTP itself uses, `ConflictError`, `NotFoundError`.
        """
        self._registry.register(name, self.as_task(handler), self._account_id(account))

    def unregister(self, name: str, account: str | None = None) -> None:
        """Raises `NotFoundError`."""
        self._registry.unregister(name, None if account is None else AccountId(account))

    def set_settlement_hook(self, hook: SubprotocolHandler | None, account: str | None = None) -> None:
        """Transfers go to `hook`; without one each is refused with F00. Raises `ConflictError`, `NotFoundError`.

        `request.amount` is in the units of the account's asset, as the peers agreed. Once the hook has returned entries
        the peer counts the amount as settled: the books must have it durably by then.
        """
        self._registry.set_settlement_hook(
            None if hook is None else self.as_task(hook), None if account is None else self._account_id(account)
        )

    def _account_id(self, account: str | None) -> AccountId | None:
        return None if account is None else self._node.account(account).id

    def as_task(self, handler: SubprotocolHandler) -> Handler:
        """What the registry takes: the coroutine runs as a task of the node's, for a while at most."""

        def begin(request: SubprotocolRequest, respond: Respond) -> None:
            self._node.spawn(_run(handler, request, respond))

        return begin

    # ------------------------------------------------------------------ requests of ours

    async def send_message(self, account_id: str, entries: Entries, *, timeout_ms: int = ANSWER_TIMEOUT_MS) -> Entries:
        """Send a Message; the entries of its Response.

        Raises `NotFoundError`, `InvalidRequestError` for what we may not send, `LinkError` when it cannot leave,
        `RefusedError` for a BTP Error, `TimeoutError`.
        """
        link = self._link(account_id)
        self._check_primary(account_id, entries)
        return await _answer_of(lambda then: link.requests.send_message(entries, then), link, timeout_ms)

    async def send_transfer(
        self, account_id: str, amount: int, entries: Entries = (), *, timeout_ms: int = ANSWER_TIMEOUT_MS
    ) -> Entries:
        """Send a Transfer of `amount`, in units of the account's asset: the peer has applied it when this returns.

        `RefusedError`: it has not. `TimeoutError`: nobody knows; what is sent next must not count on either. Else as
        `send_message`.
        """
        link = self._link(account_id)
        return await _answer_of(lambda then: link.requests.send_transfer(amount, entries, then), link, timeout_ms)

    def _link(self, account_id: str) -> BtpLink:
        link = self._node.links.btp.find(self._node.account(account_id).id)
        if link is None:
            raise LinkError(f"“{account_id}” has no BTP link")
        return link

    def _check_primary(self, account_id: str, entries: Entries) -> None:
        name = entries[0].name if entries else ""
        if any(entry.name in RESERVED for entry in entries):
            raise InvalidRequestError("ILP packets and authentication are sent by the node itself", "entries")
        # RFC 23: "having two subprotos with the same name"
        if len({entry.name for entry in entries}) != len(entries):
            raise InvalidRequestError("two sub-protocols have the same name", "entries")
        if name in ASKED_OF_SERVERS and self._node.account(account_id).link.btp_url is None:
            raise InvalidRequestError(
                f"“{name}” is asked of a server, and here “{account_id}” is the client", "entries"
            )

    # ------------------------------------------------------------------ what every node answers

    def answer_info(self, request: SubprotocolRequest, respond: Respond) -> None:
        """As the JavaScript plugins do: JSON when everything is asked for, else the name of our account as text."""
        account = self._node.account(request.account)
        if request.entries[0].data[:1] != bytes((INFO_FULL,)):
            respond((ProtocolData("info", ContentType.TEXT, self._node.address.encode()),))
            return
        info = {
            "account": account.ilp_address,
            "prefix": f"{account.ilp_address}.",
            "connectors": [self._node.address],
            "currencyCode": account.asset.code,
            "currencyScale": account.asset.scale,
        }
        respond((ProtocolData("info", ContentType.JSON, json.dumps(info).encode()),))

    def _answer_balance(self, request: SubprotocolRequest, respond: Respond) -> None:
        """What the asker owes us (below zero: we owe it), as 8 octets with a sign: as the JavaScript plugins do."""
        net = self._node.position(request.account).net
        if not -(1 << 63) <= net < 1 << 63:
            respond(Refusal("F00", "the balance does not fit into 64 bits"))
            return
        respond((ProtocolData("balance", ContentType.OCTETS, net.to_bytes(8, "big", signed=True)),))


async def _run(handler: SubprotocolHandler, request: SubprotocolRequest, respond: Respond) -> None:
    # Whether a hook that failed has applied its Transfer nobody knows: a Response may be as wrong as an Error.
    answer: Answer | None = Refusal("T00", "this node could not answer") if request.amount is None else None
    try:
        async with asyncio.timeout(HANDLER_TIMEOUT_MS / 1000):
            answer = await handler(request)
    except Exception:
        what = "a message" if request.amount is None else f"a transfer of {request.amount}"
        logger.exception("the handler of %r failed with %s of %s", request.name, what, request.account)
    finally:
        respond(answer)


async def _answer_of(send: Callable[[OnAnswer], int], link: BtpLink, timeout_ms: int) -> Entries:
    answer: asyncio.Future[BtpResponse | BtpError] = asyncio.get_running_loop().create_future()

    def receive(packet: BtpResponse | BtpError) -> None:
        if not answer.done():
            answer.set_result(packet)

    request_id = send(receive)
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            packet = await answer
    finally:
        link.requests.forget(request_id)
    if isinstance(packet, BtpError):
        said = packet.data.decode("utf-8", "replace")[:200]
        raise RefusedError(f"{link.account} answered {packet.code} {packet.name}: {said}", packet.code)
    return packet.entries
