"""A link of a development network that can be made slow, lossy or cut, to see what the nodes do about it.

It stands between a connector and the link that was there. Only a development network puts it there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Entropy
from interledger.connector.forward import Connector
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import Link, RequestId

__all__ = ["DELAY_MS_MAX", "WAITING_MAX", "Trouble", "TroubledLink"]

DELAY_MS_MAX: Final = 60_000
"""Twice what any packet lives: nothing is seen above it."""

WAITING_MAX: Final = 10_000
"""Packets that a slow link holds. One more is lost, as at any router whose queue is full."""

ONE_IN: Final = 100


class Trouble(NamedTuple):
    """What is wrong with a link, the same both ways."""

    delay_ms: int = 0
    loss_percent: int = 0
    cut: bool = False


NO_TROUBLE: Final = Trouble()


@final
class TroubledLink:
    """What a peer sends by. `trouble` may change at any time; what is under way keeps its delay."""

    def __init__(self, link: Link, connector: Connector, account: AccountId, clock: Clock, entropy: Entropy) -> None:
        """`account`: the name the link is attached by."""
        self.link = link
        self.trouble = NO_TROUBLE
        self._connector = connector
        self._account = account
        self._clock = clock
        self._entropy = entropy
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        if self.trouble.cut:
            reject = Reject("T01", Address(self._connector.address), "this link was cut by hand")
            asyncio.get_running_loop().call_soon(self._say, request_id, reject)
            return
        self._send(lambda: self.link.send_prepare(request_id, prepare))

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        if not self.trouble.cut:
            self._send(lambda: self.link.send_reply(request_id, reply))

    def ready(self) -> bool:
        return not self.trouble.cut and self.link.ready()

    def close(self) -> None:
        """What is under way is lost."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _say(self, request_id: RequestId, reject: Reject) -> None:
        self._connector.receive_reply(self._account, request_id, reject, self._clock.now())

    def _send(self, send: Callable[[], None]) -> None:
        """Now, later, or never. In order: what waits is not overtaken."""
        delay, loss, _ = self.trouble
        if loss and int.from_bytes(self._entropy.octets(4), "big") % ONE_IN < loss:
            return
        if not delay and not self._waiting:
            send()
        elif len(self._waiting) < WAITING_MAX:
            due = asyncio.get_running_loop().time() + delay / 1000
            self._waiting.append((max(due, self._waiting[-1][0]) if self._waiting else due, send))
            self._arm()

    def _arm(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._due)

    def _due(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting.popleft()[1]()
        self._arm()

    def __getattr__(self, name: str) -> Any:
        """Whatever else the link can do."""
        return getattr(self.link, name)
