"""One outcome per key while its work goes on; afterwards the node remembers (tests/node/test_payment_keys.py)."""

from __future__ import annotations

import asyncio

import pytest

from interledger.api.idempotency import Idempotency, check_key
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
    once: Idempotency[str] = Idempotency()
    work = Work()
    both = [asyncio.ensure_future(once.once("alice", "k", "body", work)) for _ in range(2)]
    await asyncio.sleep(0)
    both[0].cancel()
    work.outcome.set_result("done")
    assert await both[1] == "done"
    assert work.times == 1
    await asyncio.sleep(0)
    assert await once.once("alice", "k", "body", work) == "done"
    assert work.times == 2, "what has ended is not remembered here"


async def test_another_body_is_a_conflict_and_another_caller_is_not() -> None:
    once: Idempotency[str] = Idempotency()
    work = Work()
    first = asyncio.ensure_future(once.once("alice", "k", "body", work))
    await asyncio.sleep(0)
    with pytest.raises(Problem, match="another body"):
        await once.once("alice", "k", "other", work)
    second = asyncio.ensure_future(once.once("bob", "k", "other", work))
    work.outcome.set_result("done")
    assert await asyncio.gather(first, second) == ["done", "done"]
    assert work.times == 2


async def test_what_failed_may_be_tried_again() -> None:
    once: Idempotency[str] = Idempotency()
    work = Work()
    work.outcome.set_exception(ValueError("no"))
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await once.once("alice", "k", "body", work)
        await asyncio.sleep(0)
    assert work.times == 2


async def test_without_a_key_everything_is_new_and_goes_on_alone() -> None:
    once: Idempotency[str] = Idempotency()
    work = Work()
    caller = asyncio.ensure_future(once.once("alice", None, "body", work))
    await asyncio.sleep(0)
    caller.cancel()
    work.outcome.set_result("done")
    assert await once.once("alice", None, "body", work) == "done"
    assert work.times == 2


async def test_work_that_is_cancelled_is_forgotten() -> None:
    once: Idempotency[str] = Idempotency()
    work = Work()
    work.outcome.cancel()
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            await once.once("alice", "k", "body", work)
        await asyncio.sleep(0)
    assert work.times == 2


@pytest.mark.parametrize("key", ["", "a b", "é", "k" * 256, "k\n"])
def test_a_key_is_visible_ascii(key: str) -> None:
    with pytest.raises(Problem):
        check_key(key)
    assert check_key("k" * 255) == "k" * 255
    assert check_key(None) is None
