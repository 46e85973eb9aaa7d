"""Wrong credentials, counted by where they come from: how long the next refusal to such a source is held back.

One `Attempts` serves a whole node: ILP over HTTP, BTP and the API count wrong credentials here, and only those. A good
token is never held back, so that an honest peer behind the same address as a guesser gets in at once. What a source can
guess is therefore not bounded by refusing to look, but by how many refusals may be on their way to it: a refusal that
waits holds its connection, and a source with too many of them is cut off without an answer.
"""

from __future__ import annotations

from typing import Final, final

from interledger.clock import Timestamp
from interledger.link.throttle import Throttle

__all__ = ["CUT", "DELAY_MS", "FREE_PER_MINUTE", "WAITING_ALL_MAX", "WAITING_MAX", "Attempts"]

FREE_PER_MINUTE: Final = 5
"""Wrong tokens of one source that are answered at once: more than a person mistypes (reliability D1)."""

DELAY_MS: Final = 2_000
"""How long a refusal waits from then on."""

WAITING_MAX: Final = 16
"""Refusals of one source that wait at a time: with the delay, eight guesses a second."""

WAITING_ALL_MAX: Final = 256
"""Refusals of all sources that wait: a quarter of the connections that a port takes."""

CUT: Final = -1
"""In place of a delay: end the connection without an answer."""


@final
class Attempts:
    """See above. Every wrong credential: `delay = wrong(source, now)`; above 0, `done(source)` once it is answered.

    `failures` counts; whoever slows a source down before it has presented anything asks it.
    """

    def __init__(self) -> None:
        self.failures = Throttle(FREE_PER_MINUTE)
        self.wrong_count = 0
        """Wrong credentials so far."""
        self.cut_count = 0
        """Connections that were to be cut."""
        self._waiting: dict[str, int] = {}
        """Source -> refusals that wait."""

    def wrong(self, source: str, now: Timestamp) -> int:
        """How long, in ms, the refusal has to wait: 0 for at once, or `CUT`. `source`: what `source_of` says."""
        self.wrong_count += 1
        is_over = self.failures.is_over(source, now)
        self.failures.count(source, now)
        if not is_over:
            return 0
        waiting = self._waiting.get(source, 0)
        if waiting >= WAITING_MAX or sum(self._waiting.values()) >= WAITING_ALL_MAX:
            self.cut_count += 1
            return CUT
        self._waiting[source] = waiting + 1
        return DELAY_MS

    def done(self, source: str) -> None:
        """A refusal that had to wait has left, or its client did."""
        waiting = self._waiting.pop(source, 0)
        if waiting > 1:
            self._waiting[source] = waiting - 1
