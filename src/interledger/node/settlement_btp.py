"""Settlement engines that speak BTP: the node hands them the sub-protocols that they named, and all Transfers.

An account's engine says which when it is told of the account (`settlement.btp`). What it refuses, the peer gets as a
BTP Error; of a Transfer that it may or may not have applied, the peer hears nothing, and sends it again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.errors import ConflictError, InvalidRequestError, LinkError, RefusedError
from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest
from interledger.settlement.btp import decode_answer, decode_request, encode_answer, encode_request
from interledger.settlement.shell import CallError, SettlementCalls

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["SettlementBtp"]

INFO: Final = "info"
"""Answered by the node, with what the engine adds to it."""

logger = logging.getLogger("interledger.settlement")

EngineOf = Callable[[AccountId], tuple[SettlementCalls, str]]
"""How the account's engine is asked, and its id of the account. Raises `CallError` when there is none."""


@final
class SettlementBtp:
    """The sub-protocols of all engines of a node."""

    def __init__(self, node: Node, engine_of: EngineOf) -> None:
        self._node = node
        self._engine_of = engine_of
        self._names: dict[AccountId, tuple[str, ...]] = {}

    def bind(self, account: AccountId, names: Sequence[str]) -> None:
        """From now on these sub-protocols of the account are its engine's, and its Transfers; none: as without it."""
        self.unbind(account)
        if not names:
            return
        registry, handler = self._node.links.btp.subprotocols, self._node.subprotocols.as_task(self._ask_engine)
        taken = []
        for name in names:
            try:
                registry.register(name, handler, account)
            except (ConflictError, InvalidRequestError) as error:
                self._node.alarm(f"the settlement engine of {account} does not get “{name}” of BTP: {error}")
            else:
                taken.append(name)
        try:
            registry.set_settlement_hook(handler, account)
        except ConflictError as error:
            self._node.alarm(f"the settlement engine of {account} does not get its Transfers: {error}")
        self._names[account] = tuple(taken)

    def unbind(self, account: AccountId) -> None:
        """The engine gets nothing more of the account."""
        names = self._names.pop(account, None)
        if names is not None:
            registry = self._node.links.btp.subprotocols
            for name in names:
                registry.unregister(name, account)
            registry.set_settlement_hook(None, account)

    async def send(self, account: Account, octets: bytes) -> bytes:
        """A request of the account's engine to the peer, as BTP has it; the peer's answer.

        Raises `DecodeError` and `InvalidRequestError` for what may not be sent, `LinkError` and `TimeoutError` when
        nobody knows whether the peer has it.
        """
        entries, amount, _ = decode_request(octets)
        answer: Answer
        try:
            if amount is None:
                answer = await self._node.subprotocols.send_message(account.id, entries)
            else:
                answer = await self._node.subprotocols.send_transfer(account.id, amount, entries)
        except RefusedError as error:
            answer = Refusal(error.code, str(error))
        except TimeoutError:
            raise LinkError(f"“{account.id}” does not answer by BTP") from None
        return encode_answer(answer, self._node.clock.now())

    async def _ask_engine(self, request: SubprotocolRequest) -> Answer:
        """What the peer asks. Raises what leaves a Transfer without an answer."""
        account = self._node.account(request.account)
        octets = encode_request(request.entries, request.amount)
        try:
            calls, engine_id = self._engine_of(request.account)
            answer = decode_answer(await calls.send_btp(engine_id, octets, account.ilp_address))
        except CallError as error:
            if not error.is_refusal:
                if request.amount is not None:
                    raise
                logger.warning("%r of %s by BTP: %s", request.name, request.account, error)
                return Refusal("T00", "the settlement engine cannot be asked now")
            return Refusal("F00", "the settlement engine does not take this")
        if request.name == INFO and not isinstance(answer, Refusal):
            return self._with_info(request, answer)
        return answer

    def _with_info(self, request: SubprotocolRequest, answer: tuple[ProtocolData, ...]) -> Answer:
        """What every node says of itself, and what the engine adds to it."""
        found: list[Answer | None] = []
        self._node.subprotocols.answer_info(request, found.append)
        known = found[0]
        if known is None or isinstance(known, Refusal) or known[0].content_type != ContentType.JSON:
            return known or answer
        added = json.loads(answer[0].data if answer else b"{}")
        merged = {**json.loads(known[0].data), **added}
        return (ProtocolData(INFO, ContentType.JSON, json.dumps(merged).encode()), *answer[1:])
