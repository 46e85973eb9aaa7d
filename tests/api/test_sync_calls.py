"""The event loop in a thread: what it gives back, what it raises, and that it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from interledger.api.sync_calls import LoopThread, SyncCalls
from interledger.errors import InvalidRequestError, NotFoundError


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    made = LoopThread()
    yield made
    made.close()


def alive() -> int:
    return sum(one.name == "interledger-client" for one in threading.enumerate())


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def count(to: int, ended: list[str]) -> AsyncIterator[int]:
    try:
        for number in range(to):
            yield number
    finally:
        ended.append("closed")


def test_it_waits_and_gives_back(thread: LoopThread) -> None:
    assert thread.run(answer(7)) == 7
    assert thread.run(answer(8)) == 8


def test_an_error_comes_out_as_it_is(thread: LoopThread) -> None:
    async def refuse() -> None:
        raise NotFoundError("nobody")

    with pytest.raises(NotFoundError, match="nobody"):
        thread.run(refuse())


def test_an_iterator_gives_one_by_one_and_ends(thread: LoopThread) -> None:
    ended: list[str] = []
    assert list(thread.iterate(count(3, ended))) == [0, 1, 2]
    assert ended == ["closed"]


def test_who_leaves_an_iterator_closes_it(thread: LoopThread) -> None:
    ended: list[str] = []
    for number in thread.iterate(count(3, ended)):
        if number == 1:
            break
    gc.collect()
    assert ended == ["closed"]


def test_many_threads_use_one(thread: LoopThread) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda n: thread.run(answer(n)), range(50))) == list(range(50))
    assert alive() == 1


async def test_a_program_with_a_loop_of_its_own_may_use_it(thread: LoopThread) -> None:
    """As in a notebook."""
    assert thread.run(answer(7)) == 7


def test_it_ends_once_and_cancels_what_is_under_way(thread: LoopThread) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def waiting() -> None:
        with pytest.raises(BaseException):  # noqa: B017, PT011  # cancelled, in either library's word
            thread.run(wait())

    waiter = threading.Thread(target=waiting)
    waiter.start()
    assert begun.wait(5)
    thread.close()
    thread.close()
    assert ended.wait(5)
    waiter.join(5)
    assert alive() == 0


def test_who_interrupts_the_wait_cancels_the_work(thread: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupt(self: object, timeout: float | None = None) -> None:
        raise KeyboardInterrupt

    thread.run(answer(1))
    with monkeypatch.context() as patched:
        patched.setattr("concurrent.futures.Future.result", interrupt)
        with pytest.raises(KeyboardInterrupt):
            thread.run(wait())
    assert cancelled.wait(5)


def test_a_closed_one_says_so(thread: LoopThread) -> None:
    ended: list[str] = []
    items = thread.iterate(count(3, ended))
    assert next(items) == 0
    thread.close()
    with pytest.raises(InvalidRequestError, match="closed"):
        thread.run(answer(7))
    items.close()  # type: ignore[attr-defined]  # a generator


def test_a_forgotten_one_ends() -> None:
    thread = LoopThread()
    thread.run(answer(1))
    assert alive() == 1
    del thread
    gc.collect()
    assert alive() == 0


def test_one_that_was_never_used_has_no_thread() -> None:
    with SyncCalls("http://127.0.0.1:1/") as calls:
        assert repr(calls) == "SyncCalls('http://127.0.0.1:1')"
        assert alive() == 0
