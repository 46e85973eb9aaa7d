"""Reads a journal to its end for a `Reading`: at once, or a little at a time beside a node that works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from interledger.accounts.books.past import Commit, Opening
from interledger.accounts.books.readings import Reading
from interledger.store.history import HistoryReader

__all__ = ["follow", "follow_commits", "follow_slowly"]

T = TypeVar("T")

COMMITS_AT_ONCE: Final = 64
"""Read in one call, during which nothing can be written: less than a millisecond."""

SLICE_OCTETS: Final = 16_384
"""Octets of records that are followed before the loop gets its turn: some 250 records, about two milliseconds."""


def follow(history: HistoryReader, make: Callable[[Opening], Reading[T]]) -> T:
    """What the reading that `make` makes of the opening finds. Raises `StoreError`, `LedgerError`, `DecodeError`."""
    opening = history.read_openings()[0]
    reading = make(opening)
    for commits in _parts(history, opening.seq):
        for commit in commits:
            reading.feed(commit)
    return reading.finish()


async def follow_slowly(
    history: HistoryReader, make: Callable[[Opening], Reading[T]], on_slice: Callable[[], object] = lambda: None
) -> T:
    """The same in the loop of a running node, which goes on meanwhile: up to what is written when the end is reached.

    `on_slice` is called before each turn of the loop.
    """
    opening = (await asyncio.to_thread(history.read_openings))[0]
    reading = make(opening)
    await follow_commits(history, opening.seq, reading.feed, on_slice)
    return reading.finish()


async def follow_commits(
    history: HistoryReader,
    after: int,
    feed: Callable[[Commit], object],
    on_slice: Callable[[], object] = lambda: None,
) -> None:
    """Feed every commit after number `after`, in the same way. Raises `StoreError` when it is not kept any more."""
    parts = _parts(history, after)
    octets = 0
    while (commits := await asyncio.to_thread(next, parts, None)) is not None:
        for commit in commits:
            feed(commit)
            octets += len(commit.records)
            if octets >= SLICE_OCTETS:
                octets = 0
                on_slice()
                await asyncio.sleep(0)


def _parts(history: HistoryReader, after: int) -> Iterator[list[Commit]]:
    while commits := history.read_commits(after, COMMITS_AT_ONCE):
        yield commits
        after = commits[-1].seq
        if len(commits) < COMMITS_AT_ONCE:
            return
