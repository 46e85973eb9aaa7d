"""The share of the loop's time that those get who have not brought a packet yet.

A connection is a stranger's until a packet of a peer was answered on it. What strangers send is read in small pieces,
and all of them together get a quarter of the time, however many they are. What comes beyond that waits, and is not read
on meanwhile; its turn comes source by source, every other one for sources from which a peer's packets came lately. So a
flood costs a peer's packets a quarter of a millisecond here and there, and a stranger who has something to say is heard
between those who flood.

Accepting a connection, a TLS handshake and a request of the application cost time elsewhere. They have a price here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import Final, Protocol, final

from interledger.clock import stopwatch_us, worked_us

__all__ = [
    "ACCEPT_US",
    "APPLICATION_US",
    "DEBT_MAX_US",
    "DOOR",
    "HANDSHAKE_US",
    "PIECES_MAX",
    "PIECE_MAX_US",
    "PIECE_OCTETS",
    "PIECE_US",
    "READ_MAX",
    "READ_US",
    "SAVED_MAX_US",
    "SHARE_US",
    "SLOT_US",
    "TURN_US",
    "UPGRADE_US",
    "USELESS_MAX",
    "Stranger",
    "Strangers",
]

SLOT_US: Final = 2_000
"""Time is counted in slots of so many microseconds."""

SHARE_US: Final = 500
"""Of each, for strangers."""

TURN_US: Final = 250
"""No turn of the loop gives them more, but for the end of what has begun. A packet passes the loop five times on its
way, and takes 1.5 ms without them: five such delays are 1.25 ms."""

SAVED_MAX_US: Final = 8 * SHARE_US
"""What a quiet time, or a busy machine, leaves for later."""

DEBT_MAX_US: Final = 10_000
"""Time taken beyond the share is owed to the next slots, up to this: more is the machine's fault, not a stranger's."""

READ_MAX: Final = 2_048
"""Octets of a stranger's that are read at a time: a head and a packet, or 200 of the smallest frames of HTTP/2."""

PIECE_OCTETS: Final = 256
PIECES_MAX: Final = 8
PIECE_US: Final = 50_000
"""Whoever sends a request in more pieces than so many, each smaller than that, is not read for so long behind the
next one, and for as much longer behind each that follows, up to `PIECE_MAX_US`."""

PIECE_MAX_US: Final = 8 * PIECE_US
"""Nobody waits longer: a head that comes slowly takes little time to read then, and a slow line little longer."""

USELESS_MAX: Final = 8
"""Whoever had so many requests refused, without one that was of use, is read as seldom: answers to packets of others,
say."""

DEFERRED_US: Final = 15
"""What it costs to let something wait."""

READ_US: Final = 50
"""What it costs to read a connection again that was not read for a while, beside what is made of its octets."""

ACCEPT_US: Final = 250
"""What a connection costs beside what comes over it: to let it in, and to end it."""

HANDSHAKE_US: Final = 1_000
"""What a TLS handshake costs: a signature, and three turns of the loop."""

APPLICATION_US: Final = 500
"""What a request for the application costs, more or less."""

UPGRADE_US: Final = 500
"""What a WebSocket costs beside its handshake: to look at its first packet, and to end it when that opens nothing."""

DOOR: Final = "the door"
"""Where connections come in, in the place of a source."""

_Lane = dict[str, deque[Callable[[], None]]]


class Stranger(Protocol):
    """A connection that may have to wait."""

    source: str
    held: bool
    """It waits here, and is not to be read."""
    pieces: int
    """Small reads since its last whole request."""
    useless: int
    """Refused requests since the last that was of use."""

    def stop_reading(self) -> None:
        """Read nothing more for now."""

    def read_on(self) -> None:
        """Read again, unless there is another reason not to."""

    def receive(self, octets: memoryview | bytes) -> None:
        """Octets of the client."""


@final
class Strangers:
    """The budget of one port. Used in the loop's thread only; its one timer runs while somebody waits."""

    def __init__(self, is_known: Callable[[str], bool] = lambda source: False) -> None:
        """`is_known`: whether a peer's packets came from a source lately. Those do not wait for all the others."""
        self._is_known = is_known
        self._left_us = SAVED_MAX_US
        self._turn_us = TURN_US
        """What this turn of the loop may still give."""
        self._turn_due = False
        self._slot = 0
        self._known: _Lane = {}
        self._others: _Lane = {}
        """What is to be done, by source, in the order of their turns. The two take turns too."""
        self._lanes = (self._known, self._others)
        self._timer: asyncio.TimerHandle | None = None
        self.deferred = 0
        """What had to wait so far."""
        self._paced: list[tuple[int, int, Stranger]] = []
        """A heap: until when, in microseconds of the stopwatch, who is not read; a number tells equals apart."""
        self._paced_count = 0

    def receive(self, connection: Stranger, octets: memoryview) -> None:
        """What was read of a stranger's connection: handed back at once, or when it is its turn."""
        if len(octets) < PIECE_OCTETS:
            connection.pieces += 1
        if self.may_run():
            self._do(partial(self._hand_back, connection, octets))
            return
        connection.held = True
        connection.stop_reading()
        self._wait(connection.source, partial(self._hand_back, connection, bytes(octets)))

    def run(self, source: str, job: Callable[[], None], price_us: int = 0) -> None:
        """Do `job` at once, or when it is the turn of `source`. `price_us`: what it costs beside its own time."""
        if price_us:
            job = partial(self._do_for, price_us, job)
        if self.may_run():
            self._do(job)
        else:
            self._wait(source, job)

    def may_run(self) -> bool:
        """Whether there is time for whoever comes next."""
        return not self._known and not self._others and self._has_time()

    def charge(self, microseconds: int) -> None:
        """So much was, or will be, used for strangers."""
        self._left_us = max(self._left_us - microseconds, -DEBT_MAX_US)
        self._turn_us -= microseconds
        if not self._turn_due:
            self._turn_due = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def close(self) -> None:
        """Forget who waits."""
        self._known.clear()
        self._others.clear()
        self._paced.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _has_time(self) -> bool:
        slot = stopwatch_us() // SLOT_US
        if slot != self._slot:
            self._left_us = min(SAVED_MAX_US, self._left_us + (slot - self._slot) * SHARE_US)
            self._slot = slot
        return self._left_us > 0 and self._turn_us > 0

    def _next_turn(self) -> None:
        self._turn_due = False
        self._turn_us = TURN_US
        if self._known or self._others:
            self._take_turns()

    def _do(self, job: Callable[[], None]) -> None:
        began = worked_us()
        try:
            job()
        finally:
            self.charge(worked_us() - began)

    def _do_for(self, price_us: int, job: Callable[[], None]) -> None:
        self.charge(price_us)
        job()

    def _hand_back(self, connection: Stranger, octets: memoryview | bytes) -> None:
        if connection.held:
            _read_on(connection)  # first, because it may hand its socket over to somebody else
        connection.receive(octets)
        if connection.pieces > PIECES_MAX or connection.useless > USELESS_MAX:
            connection.held = True
            connection.stop_reading()
            self._paced_count += 1
            heappush(self._paced, (stopwatch_us() + _pace_us(connection), self._paced_count, connection))
            self._set_timer()

    def _wait(self, source: str, job: Callable[[], None]) -> None:
        self.deferred += 1
        self.charge(DEFERRED_US)
        self._queue(source, job)
        self._set_timer()

    def _queue(self, source: str, job: Callable[[], None]) -> None:
        lane = self._known if source == DOOR or self._is_known(source) else self._others
        lane.setdefault(source, deque()).append(job)

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SLOT_US / 1e6, self._take_turns)

    def _take_turns(self) -> None:
        """One thing of each source that waits, as long as there is time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_us = stopwatch_us()
        while self._paced and self._paced[0][0] <= now_us:
            connection = heappop(self._paced)[2]
            self._queue(connection.source, partial(self._do_for, READ_US, partial(_read_on, connection)))
        try:
            while self._has_time() and (lane := self._next_lane()):
                source, jobs = next(iter(lane.items()))
                del lane[source]
                job = jobs.popleft()
                if jobs:
                    lane[source] = jobs
                self._do(job)
        finally:
            if self._known or self._others or self._paced:
                self._set_timer()

    def _next_lane(self) -> _Lane:
        self._lanes = self._lanes[::-1]
        return self._lanes[0] or self._lanes[1]


def _pace_us(connection: Stranger) -> int:
    too_many = max(connection.pieces - PIECES_MAX, connection.useless - USELESS_MAX)
    return min(PIECE_US * too_many, PIECE_MAX_US)


def _read_on(connection: Stranger) -> None:
    connection.held = False
    connection.read_on()
