"""peer.settle: what a peer's settlement engine says to ours (RFC 38). The node only carries it.

The engine answers later, so this is the one `peer.*` protocol whose reply does not leave at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

from interledger.accounts.account import Account
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.connector.peer import Peer
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.ilp.peer import PEER_FULFILLMENT, SETTLE_DESTINATION
from interledger.link.base import RequestId

__all__ = ["MESSAGES_MAX", "EngineRelay", "SettlementEngine"]

MESSAGES_MAX: Final = 100
"""Messages of one peer that wait for our engine; beyond, T05. Engines exchange a few per settlement."""

NO_ENGINE: Final = Refused(ErrorCode.F02_UNREACHABLE, "no settlement engine for this account")
TOO_MANY: Final = Refused(ErrorCode.T05_RATE_LIMITED, "too many settlement messages wait for an answer")


class SettlementEngine(Protocol):
    """Our settlement engine, as the connector sees it. Whoever runs the node provides one."""

    def receive_message(
        self, account: Account, message: bytes, expires_at: Timestamp, answer: Callable[[bytes | Refused], None]
    ) -> Refused | None:
        """A message of the engine of `account`'s peer. Call `answer` once, with our engine's own message or a refusal:
        F00 when it refused (4xx), T00 when it failed or cannot be reached. Returns at once; a refusal when there is
        no engine for this account. After `expires_at` nobody reads the answer.
        """
        ...


@final
class EngineRelay:
    """Hands messages to the engine and its answers back, each once, only so many at a time."""

    def __init__(self) -> None:
        self.engine: SettlementEngine | None = None
        self._waiting: dict[str, int] = {}

    def receive(self, incoming: Peer, request_id: RequestId, prepare: Prepare) -> Refused | None:
        """A packet to `peer.settle`, well formed. None: the answer follows on the link it came from."""
        account, engine = incoming.account, self.engine
        if engine is None:
            return NO_ENGINE
        waiting = self._waiting.get(incoming.id, 0)
        if waiting >= MESSAGES_MAX:
            return TOO_MANY
        self._waiting[incoming.id] = waiting + 1
        answered = False

        def finish() -> bool:
            nonlocal answered
            if answered:
                return False
            answered = True
            left = self._waiting.pop(incoming.id) - 1
            if left:
                self._waiting[incoming.id] = left
            return True

        def answer(reply: bytes | Refused) -> None:
            if not finish():
                return
            if isinstance(reply, Refused):
                incoming.refused += 1
                reject = Reject(reply.code, SETTLE_DESTINATION, reply.message, reply.data)
                incoming.link.send_reply(request_id, reject)
            else:
                incoming.answered += 1
                # RFC 38 prints a condition that nothing fulfills: zeros answer either one (D-18).
                incoming.link.send_reply(request_id, Fulfill(PEER_FULFILLMENT, reply))

        refused = engine.receive_message(account, prepare.data, prepare.expires_at, answer)
        if refused is not None:
            finish()
        return refused
