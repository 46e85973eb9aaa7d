"""What a link over HTTP tells of each request: the handler what became of it, the operator what only one can mend."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Reject
from interledger.link.base import PacketHandler, RequestId
from interledger.link.http.messages import Failure

__all__ = ["BUSY", "CLOSED", "NO_URL", "UNREACHABLE", "UNSENT_LATE", "Outcomes"]

logger = logging.getLogger("interledger.http")

ALARM_QUIET_MS: Final = 60_000
"""An alarm is logged at most this often: a peer that fails now and then must not fill the log."""

UNSENT_LATE: Final = Failure(ErrorCode.R00_TRANSFER_TIMED_OUT, "the packet expired before it could be sent", True)
UNREACHABLE: Final = Failure(ErrorCode.T01_PEER_UNREACHABLE, "the next node cannot be reached", True)
BUSY: Final = Failure(ErrorCode.T02_PEER_BUSY, "too many packets wait for the next node", True)
CLOSED: Final = Failure(ErrorCode.T01_PEER_UNREACHABLE, "the link to the next node is closed", True)
NO_URL: Final = Failure(ErrorCode.T01_PEER_UNREACHABLE, "no address is known at which to call the next node", True)


class Outcomes(ABC):
    """`own_address`: what our own Rejects name as `triggered_by`; change it when the node's address changes."""

    def __init__(self, handler: PacketHandler, account: AccountId, clock: Clock, own_address: str) -> None:
        self.handler = handler
        self.account = account
        self.own_address = own_address
        self.clock = clock
        self.alarm: str | None = None
        """What only an operator can mend, while it lasts: a refused token, a wrong url."""
        self.prepares = 0
        self.unknown = 0
        """Prepares whose outcome we do not know."""
        self._quiet_until = 0

    @abstractmethod
    def receive_response(self, request_id: RequestId, status: int, body: bytes, now: Timestamp) -> None:
        """A whole answer."""

    def fail(self, request_id: RequestId, failure: Failure, now: Timestamp) -> None:
        """No answer: tell the handler what `failure` means for its packet, and the operator where one is needed."""
        self.raise_alarm(failure, now)
        reject = Reject(failure.code, self.own_address, failure.message)
        if failure.known:
            self.handler.receive_reply(self.account, request_id, reject, now)
        else:
            self.unknown += 1
            self.handler.receive_no_reply(self.account, request_id, reject, now)

    def raise_alarm(self, failure: Failure, now: Timestamp) -> None:
        """Tell the operator of a failure that only one can mend."""
        if failure.alarm and self.alarm != failure.message:
            self.alarm = failure.message
            if now >= self._quiet_until:
                self._quiet_until = now + ALARM_QUIET_MS
                logger.error("%s: %s", self.account, failure.message)
