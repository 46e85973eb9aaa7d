"""The share of those who have brought no packet: spent, owed, and given out source by source."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interledger.link.http import strangers as module
from interledger.link.http.strangers import (
    DEBT_MAX_US,
    PIECE_MAX_US,
    PIECE_OCTETS,
    PIECE_US,
    PIECES_MAX,
    SAVED_MAX_US,
    SHARE_US,
    SLOT_US,
    TURN_US,
    USELESS_MAX,
    Strangers,
)


class Stopwatch:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.us = 0
        monkeypatch.setattr(module, "stopwatch_us", lambda: self.us)
        monkeypatch.setattr(module, "worked_us", lambda: self.us)


class Guest:
    """A connection: what it received, and whether it is read."""

    def __init__(self, source: str, watch: Stopwatch, costs_us: int = 0) -> None:
        self.source, self.held, self.pieces, self.useless = source, False, 0, 0
        self.is_read = True
        self.received: list[bytes] = []
        self._watch, self._costs_us = watch, costs_us

    def stop_reading(self) -> None:
        self.is_read = False

    def read_on(self) -> None:
        self.is_read = not self.held

    def receive(self, octets: memoryview | bytes) -> None:
        self.received.append(bytes(octets))
        self._watch.us += self._costs_us


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    return Stopwatch(monkeypatch)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch, watch: Stopwatch) -> Callable[[Strangers], None]:
    """Let time pass until a slot in which somebody may have a turn."""

    def pass_slot(strangers: Strangers) -> None:
        watch.us += SLOT_US
        if strangers._turn_due:
            strangers._next_turn()
        if strangers._timer is not None:
            strangers._take_turns()

    return pass_slot


WHOLE = bytes(PIECE_OCTETS)


async def test_within_the_share_nobody_waits(watch: Stopwatch) -> None:
    strangers, guest = Strangers(), Guest("a", watch, costs_us=TURN_US // 10)
    for _ in range(10):
        strangers.receive(guest, memoryview(WHOLE))
    assert len(guest.received) == 10
    assert guest.is_read
    assert strangers.deferred == 0


async def test_beyond_it_a_read_waits_and_nothing_more_is_read(
    watch: Stopwatch, turns: Callable[[Strangers], None]
) -> None:
    strangers, guest, other = Strangers(), Guest("a", watch, costs_us=SHARE_US), Guest("b", watch)
    strangers.receive(guest, memoryview(WHOLE))
    strangers.receive(other, memoryview(WHOLE))
    assert (other.received, other.held, other.is_read) == ([], True, False)
    turns(strangers)
    assert (other.received, other.held, other.is_read) == ([WHOLE], False, True)
    strangers.close()


async def test_sources_take_turns(watch: Stopwatch, turns: Callable[[Strangers], None]) -> None:
    strangers = Strangers()
    order: list[str] = []
    strangers.charge(SAVED_MAX_US + SHARE_US)
    for source in ("flood",) * 6 + ("quiet",):
        strangers.run(source, lambda source=source: order.append(source), SHARE_US)  # type: ignore[misc]
    for _ in range(16):
        turns(strangers)
    assert order == ["flood", "quiet", "flood", "flood", "flood", "flood", "flood"]


async def test_known_sources_wait_for_each_other_only(watch: Stopwatch, turns: Callable[[Strangers], None]) -> None:
    strangers = Strangers(lambda source: source.startswith("peer"))
    order: list[str] = []
    strangers.charge(SAVED_MAX_US + SHARE_US)
    for source in ("a", "b", "c", "d", "peer 1", "peer 2"):
        strangers.run(source, lambda source=source: order.append(source), SHARE_US)  # type: ignore[misc]
    for _ in range(16):
        turns(strangers)
    assert order in (["a", "peer 1", "b", "peer 2", "c", "d"], ["peer 1", "a", "peer 2", "b", "c", "d"])


async def test_what_was_taken_beyond_is_owed_but_not_for_ever(
    watch: Stopwatch, turns: Callable[[Strangers], None]
) -> None:
    strangers, done = Strangers(), list[int]()
    strangers.charge(1_000 * DEBT_MAX_US)
    strangers.run("a", lambda: done.append(1), 0)
    slots = 0
    while not done:
        turns(strangers)
        slots += 1
        assert slots <= DEBT_MAX_US // SHARE_US + 1
    assert slots >= DEBT_MAX_US // SHARE_US


async def test_what_a_quiet_time_saved_is_given_out_turn_by_turn(watch: Stopwatch) -> None:
    strangers, guests = Strangers(), [Guest(str(i), watch, costs_us=SHARE_US) for i in range(20)]
    watch.us += 1_000 * SLOT_US
    for guest in guests:
        strangers.receive(guest, memoryview(WHOLE))
    given = []
    for _ in range(20):
        given.append(sum(len(guest.received) for guest in guests))
        if strangers._turn_due:
            strangers._next_turn()
    assert given[:3] == [1, 2, 3]
    assert given[-1] <= 20
    strangers.close()


async def test_whoever_sends_octet_by_octet_is_read_seldom(
    watch: Stopwatch, turns: Callable[[Strangers], None]
) -> None:
    strangers, guest = Strangers(), Guest("a", watch)
    for _ in range(PIECES_MAX):
        strangers.receive(guest, memoryview(b"x"))
    assert guest.is_read
    strangers.receive(guest, memoryview(b"x"))
    assert (len(guest.received), guest.is_read) == (PIECES_MAX + 1, False)
    for _ in range(PIECE_US // SLOT_US):
        assert not guest.is_read
        turns(strangers)
    assert guest.is_read
    strangers.close()


async def test_whoever_goes_on_is_read_more_seldom_each_time(
    watch: Stopwatch, turns: Callable[[Strangers], None]
) -> None:
    strangers, guest, quick = Strangers(), Guest("a", watch), Guest("b", watch)
    guest.pieces = PIECES_MAX
    waited_us = []
    for _ in range(12):
        strangers.receive(guest, memoryview(b"x"))
        began = watch.us
        while not guest.is_read:
            turns(strangers)
        waited_us.append(watch.us - began)
    assert waited_us == [min(PIECE_US * count, PIECE_MAX_US) for count in range(1, 13)]
    strangers.receive(guest, memoryview(b"x"))
    quick.pieces = PIECES_MAX
    strangers.receive(quick, memoryview(b"x"))
    while not quick.is_read:  # does not wait behind one that has to wait for longer
        assert not guest.is_read
        turns(strangers)
    strangers.close()


async def test_whoever_is_refused_again_and_again_is_read_seldom(
    watch: Stopwatch, turns: Callable[[Strangers], None]
) -> None:
    strangers, guest = Strangers(), Guest("a", watch)
    guest.useless = USELESS_MAX
    strangers.receive(guest, memoryview(WHOLE))
    assert guest.is_read
    guest.useless += 1
    strangers.receive(guest, memoryview(WHOLE))
    assert not guest.is_read
    guest.useless = 0
    for _ in range(PIECE_US // SLOT_US):
        assert not guest.is_read
        turns(strangers)
    assert guest.is_read
    strangers.receive(guest, memoryview(WHOLE))
    assert guest.is_read
    strangers.close()


async def test_a_failure_of_one_holds_up_nobody_else(watch: Stopwatch, turns: Callable[[Strangers], None]) -> None:
    strangers, done = Strangers(), list[int]()
    strangers.charge(SAVED_MAX_US)
    strangers.run("a", lambda: 1 // 0, 0)
    strangers.run("b", lambda: done.append(1), 0)
    with pytest.raises(ZeroDivisionError):
        turns(strangers)
    turns(strangers)
    assert done == [1]
