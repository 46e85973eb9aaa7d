"""A link within the process: two ends, each a `Link`; what one sends the other's handler receives.

Used for this node's own senders and receivers, and for tests. Packets are handed over in the next turn of whatever
`defer` schedules on, never from inside `send_*`, so that no answer can overtake the question's own call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from interledger.accounts.account import AccountId
from interledger.clock import Clock
from interledger.ilp.packet import Prepare, Reply
from interledger.link.base import PacketHandler, RequestId

__all__ = ["LocalLink", "connect_local"]


@final
class LocalLink:
    """One end. `handler` and `account` belong to the side that sends with it: they get what the other end sends."""

    def __init__(
        self, handler: PacketHandler, account: AccountId, clock: Clock, defer: Callable[[Callable[[], None]], object]
    ) -> None:
        self.handler = handler
        self.account = account
        self.other: LocalLink | None = None
        self._clock = clock
        self._defer = defer
        self._queue: list[tuple[RequestId, Prepare | Reply]] = []

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self._send(request_id, prepare)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._send(request_id, reply)

    def ready(self) -> bool:
        return self.other is not None

    def close(self) -> None:
        """Cut the link. What is queued is dropped, as on a real one."""
        other, self.other = self.other, None
        if other is not None and other.other is not None:
            other.close()
            other.handler.link_lost(other.account, self._clock.now())

    def _send(self, request_id: RequestId, packet: Prepare | Reply) -> None:
        if not self._queue:
            self._defer(self._deliver)
        self._queue.append((request_id, packet))

    def _deliver(self) -> None:
        queue, self._queue = self._queue, []
        other = self.other
        if other is None:
            return
        now = self._clock.now()
        handler, account = other.handler, other.account
        for request_id, packet in queue:
            if isinstance(packet, Prepare):
                reply = handler.receive_prepare(account, request_id, packet, now)
                if reply is not None:
                    other.send_reply(request_id, reply)
            else:
                handler.receive_reply(account, request_id, packet, now)


def connect_local(
    a: tuple[PacketHandler, AccountId],
    b: tuple[PacketHandler, AccountId],
    *,
    clock: Clock,
    defer: Callable[[Callable[[], None]], object],
) -> tuple[LocalLink, LocalLink]:
    """Two linked ends: the first is for `a` to send with, the second for `b`.

    Each pair is (the handler that receives on that side, the name under which that side knows this link).
    """
    end_a = LocalLink(a[0], a[1], clock, defer)
    end_b = LocalLink(b[0], b[1], clock, defer)
    end_a.other, end_b.other = end_b, end_a
    return end_a, end_b
