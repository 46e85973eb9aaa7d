"""One outcome per key: joined while it runs, kept when it is good, tried again when it failed."""

from __future__ import annotations

import asyncio

import pytest

from interledger.api import idempotency
from interledger.api.idempotency import KEY_LIFETIME_S, Idempotency
from interledger.api.problems import Problem


class Work:
    """Counts how often it is done; the test says when it ends and how."""

    def __init__(self) -> None:
        self.times = 0
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.times += 1
        return await asyncio.shield(self.outcome)


async def test_who_comes_while_it_runs_joins() -> None:
    once: Idempotency[str] = Idempotency(lambda: 0.0)
    work = Work()
    both = [asyncio.ensure_future(once.once("alice", "k", b"body", work)) for _ in range(2)]
    await asyncio.sleep(0)
    both[0].cancel()
    work.outcome.set_result("done")
    assert await both[1] == "done"
    assert await once.once("alice", "k", b"body", work) == "done"
    assert work.times == 1


async def test_another_body_is_a_conflict_and_another_caller_is_not() -> None:
    once: Idempotency[str] = Idempotency(lambda: 0.0)
    work = Work()
    work.outcome.set_result("done")
    await once.once("alice", "k", b"body", work)
    with pytest.raises(Problem, match="another body"):
        await once.once("alice", "k", b"other", work)
    await once.once("bob", "k", b"other", work)
    assert work.times == 2


async def test_what_failed_may_be_tried_again() -> None:
    once: Idempotency[str] = Idempotency(lambda: 0.0)
    work = Work()
    work.outcome.set_exception(ValueError("no"))
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await once.once("alice", "k", b"body", work)
        await asyncio.sleep(0)
    assert work.times == 2


async def test_without_a_key_everything_is_new_and_goes_on_alone() -> None:
    once: Idempotency[str] = Idempotency(lambda: 0.0)
    work = Work()
    caller = asyncio.ensure_future(once.once("alice", None, b"body", work))
    await asyncio.sleep(0)
    caller.cancel()
    work.outcome.set_result("done")
    assert await once.once("alice", None, b"body", work) == "done"
    assert work.times == 2


async def test_work_that_is_cancelled_is_forgotten() -> None:
    once: Idempotency[str] = Idempotency(lambda: 0.0)
    work = Work()
    work.outcome.cancel()
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            await once.once("alice", "k", b"body", work)
        await asyncio.sleep(0)
    assert work.times == 2


async def test_keys_are_kept_for_a_day_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    once: Idempotency[str] = Idempotency(lambda: now)
    work = Work()
    work.outcome.set_result("done")
    monkeypatch.setattr(idempotency, "KEYS_MAX", 2)
    for key in ("a", "b", "a"):
        await once.once("alice", key, b"body", work)
    assert work.times == 2
    for key in ("c", "b", "a"):
        await once.once("alice", key, b"body", work)
    assert work.times == 4, "c pushed a out, a pushes b out"
    now = KEY_LIFETIME_S + 1.0
    await once.once("alice", "a", b"body", work)
    assert work.times == 5
