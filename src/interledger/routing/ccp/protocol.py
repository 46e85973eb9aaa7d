"""What both halves of CCP with one peer share: what it tells us (`receiver.py`), what we tell it (`sender.py`).

    receiver   asks with a RouteControl when the link comes up; takes updates; asks again after a gap, and when
               nothing was heard for the hold-down time, after which all the peer's routes are gone
    sender     idle until it is asked; then sends what the peer has not acknowledged, at most 50 entries an update, or
               an empty update now and then so that the routes stay alive

Neither knows what the routes are good for (`speaker.py`), a socket, or a clock: `now` comes in, messages go out.
"""

from __future__ import annotations

import enum
from typing import Final

__all__ = ["UPDATE_GAP_MS", "Answer", "Timing"]

UPDATE_GAP_MS: Final = 150
"""Between two updates to one peer (CC-11)."""


class Timing:
    """The times of the exchange, ms. The defaults are ilp-connector's."""

    __slots__ = ("expiry_ms", "interval_ms", "reply_ms")

    def __init__(self, interval_ms: int = 30_000, expiry_ms: int = 45_000) -> None:
        """`interval_ms`: between two signs of life. `expiry_ms`: how long our routes are good without one."""
        self.interval_ms = interval_ms
        self.expiry_ms = expiry_ms
        self.reply_ms = max(interval_ms // 3, UPDATE_GAP_MS)
        """When an update counts as lost: soon enough for another one before the routes expire."""


class Answer(enum.Enum):
    """How a request to a peer ended."""

    DONE = "done"
    REFUSED = "refused"
    """A final Reject: the peer does not do this."""
    LOST = "lost"
    """No reply, or a Reject for now."""
