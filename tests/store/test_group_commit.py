"""Write before you speak: nothing leaves before the record that explains it is written, whatever the disk does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.snapshot import Snapshot
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.ilp.packet import Fulfill
from interledger.store import quick_writes
from interledger.store.base import SNAPSHOT_OCTETS, Change, Documents, StoredState
from interledger.store.group_commit import GroupCommit
from interledger.store.memory import MemoryStore
from interledger.store.quick_writes import QUICK_US, SLOW_TIMES

USD = Asset("USD", 9)
PROOF = bytes(range(32))


class FixedClock:
    def now(self) -> Timestamp:
        return Timestamp(1_700_000_000_000)


class Disk(Documents):
    """A store whose writes can be made to wait, and to fail with the errors of `faults`, one per attempt."""

    def __init__(self, *, waits: bool = False) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.documents: list[Change] = []
        self.snapshots: list[Snapshot] = []
        self.faults: list[Exception | None] = []
        self.attempts = 0
        self.reserve = True
        self.octets_since_snapshot = 0
        self.threads: set[int] = set()
        self._gate = threading.Semaphore(0) if waits else None
        self.arrived = threading.Semaphore(0)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def load(self, ledger: Ledger) -> StoredState:
        return StoredState()

    def let_one_through(self) -> None:
        if self._gate is not None:
            self._gate.release()

    def stop_waiting(self) -> None:
        self.let_one_through()
        self._gate = None

    def write(
        self,
        records: bytes,
        at: Timestamp,
        changes: Sequence[Change] = (),
        snapshot: Snapshot | None = None,
    ) -> None:
        self.threads.add(threading.get_ident())
        self.arrived.release()
        if self._gate is not None:
            self._gate.acquire()
        self.attempts += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.written.append(records)
        self.documents += changes
        self.octets_since_snapshot += len(records)
        if snapshot is not None:
            self.snapshots.append(snapshot)
            self.octets_since_snapshot = 0

    def release_reserve(self) -> None:
        self.reserve = False

    def has(self, record: bytes) -> bool:
        return any(record in octets for octets in self.written)


class Node:
    """A ledger with two accounts, its group commit on a `Disk`, and a log of the effects in their order."""

    def __init__(self, disk: Disk, **options: Any) -> None:
        self.disk = disk
        self.ledger = Ledger()
        self.failures: list[StoreError] = []
        self.effects: list[str] = []
        self.commits = GroupCommit(self.ledger, disk, FixedClock(), self.failures.append, **options)
        self.alice = self.ledger.account("peer/alice", USD)
        self.bob = self.ledger.account("peer/bob", USD)

    def prepare(self, name: str) -> Hold:
        hold = self.ledger.hold(((self.alice, self.bob, 1),), bytes(32), 1000, True)
        assert isinstance(hold, Hold)
        self.ledger.prepare_after_commit(self.effect("prepare"), self.effect("cancel"), name, None)
        return hold

    def fulfill(self, name: str, hold: Hold) -> None:
        self.ledger.execute(hold, PROOF)
        self.ledger.reply_after_commit(self.effect("reply"), name, None)

    def wait(self, name: str) -> None:
        self.ledger.call_after_commit(lambda error: self.effects.append(f"waiter {name} {error}"))

    def effect(self, what: str) -> Callable[[Any, Any], None]:
        return lambda request_id, packet: self.effects.append(f"{what} {request_id}")


@pytest.fixture(autouse=True)
async def no_callback_raises() -> AsyncIterator[None]:
    """The loop would only log it."""
    raised: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context))
    yield
    assert raised == []


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    made = Disk()
    yield made
    made.stop_waiting()


@pytest.fixture
async def node(disk: Disk) -> AsyncIterator[Node]:
    made = Node(disk)
    await made.commits.commit()
    yield made
    disk.stop_waiting()
    await made.commits.close()


@pytest.fixture
async def slow() -> AsyncIterator[Node]:
    """A node whose disk answers only when it is let."""
    disk = Disk(waits=True)
    made = Node(disk)
    disk.let_one_through()
    await made.commits.commit()
    yield made
    disk.stop_waiting()
    await made.commits.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in a thread
            await asyncio.sleep(0)


# ---------------------------------------------------------------------- order


async def test_RK_02_replies_then_prepares_then_waiters(node: Node) -> None:
    node.wait("w")
    node.prepare("p1")
    node.fulfill("r1", node.prepare("p2"))
    assert node.effects == []
    await node.commits.commit()
    assert node.effects == ["reply r1", "prepare p1", "prepare p2", "waiter w None"]


async def test_one_commit_is_written_while_the_next_fills(slow: Node) -> None:
    slow.prepare("p1")
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    slow.prepare("p2")
    slow.prepare("p3")
    for _ in range(10):
        await asyncio.sleep(0)
    assert slow.effects == []
    slow.disk.let_one_through()
    await until(lambda: slow.effects == ["prepare p1"])
    slow.disk.let_one_through()
    await until(lambda: len(slow.effects) == 3)
    assert slow.effects == ["prepare p1", "prepare p2", "prepare p3"]
    assert len(slow.disk.written) == 3  # the accounts, p1, and p2 with p3


async def test_a_batch_with_nothing_to_write_waits_its_turn(slow: Node) -> None:
    """A waiter that comes while a commit is written must not overtake that commit's effects."""
    slow.prepare("p1")
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    slow.wait("w")
    slow.disk.let_one_through()
    await until(lambda: len(slow.effects) == 2)
    assert slow.effects == ["prepare p1", "waiter w None"]
    assert len(slow.disk.written) == 2


async def test_writing_happens_in_one_other_thread(node: Node) -> None:
    for name in "abc":
        node.prepare(name)
        await node.commits.commit()
    assert len(node.disk.threads) == 1
    assert threading.get_ident() not in node.disk.threads


async def test_an_effect_that_raises_does_not_keep_the_others(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(*arguments: Any) -> None:
        raise RuntimeError("a bug")

    node.ledger.reply_after_commit(breaks, 1, None)
    node.ledger.prepare_after_commit(breaks, breaks, 1, None)
    node.ledger.call_after_commit(breaks)
    node.fulfill("r", node.prepare("p"))
    await node.commits.commit()
    assert node.effects == ["reply r", "prepare p"]
    assert len(caplog.records) == 3


async def test_an_effect_may_record_more(node: Node) -> None:
    """A link of this process answers at once."""
    hold = node.prepare("p1")
    node.ledger.prepare_after_commit(lambda i, p: node.fulfill("r1", hold), node.effect("cancel"), 1, None)
    await node.commits.commit()
    await node.commits.commit()
    assert node.effects == ["prepare p1", "reply r1"]


@pytest.mark.parametrize("seed", range(15))
async def test_never_before_its_commit(seed: int) -> None:
    """Random packets on a disk that answers at random times: at each effect, the record is in what was written."""
    dice = random.Random(seed)
    disk = Disk(waits=True)
    node = Node(disk)
    last = [0, 0]
    holds: list[Hold] = []
    seen: list[int] = []

    def check(kind: int) -> Callable[[Any, Any], None]:
        def effect(hold: Hold, sequence: int) -> None:
            seen.append(sequence)
            record = (b"\x02" if kind == 0 else b"\x03") + hold.id.to_bytes(8, "big")
            assert disk.has(record)
            assert sequence > last[kind]  # in the order in which it was asked for
            last[kind] = sequence

        return effect

    def never(hold: Hold, sequence: int) -> None:
        raise AssertionError("nothing fails here")

    wanted = 0
    for step in range(1, 150):
        match dice.randrange(5):
            case 0 | 1:
                hold = node.ledger.hold(((node.alice, node.bob, 1),), bytes(32), 1000, True)
                assert isinstance(hold, Hold)
                node.ledger.prepare_after_commit(check(0), never, hold, step)
                holds.append(hold)
                wanted += 1
            case 2 if holds:
                hold = holds.pop(dice.randrange(len(holds)))
                node.ledger.execute(hold, PROOF)
                node.ledger.reply_after_commit(check(1), hold, step)
                wanted += 1
            case 3:
                disk.let_one_through()
            case _:
                for _ in range(dice.randrange(4)):
                    await asyncio.sleep(0)
    disk.stop_waiting()
    await node.commits.commit()
    assert len(seen) == wanted
    await node.commits.close()


# ---------------------------------------------------------------------- documents, snapshots, end


async def test_I1_documents_go_with_the_records_of_the_same_moment(slow: Node) -> None:
    slow.prepare("p1")
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    slow.ledger.post(((slow.alice, slow.bob, 5),), "settlement")
    slow.disk.put_fact("settlement", "done")
    slow.disk.let_one_through()
    await until(lambda: len(slow.disk.written) == 2)
    assert slow.disk.documents == []
    slow.disk.let_one_through()
    await until(lambda: len(slow.disk.written) == 3)
    assert [change.key for change in slow.disk.documents] == ["settlement"]


async def test_a_document_alone_is_written_without_being_asked(node: Node) -> None:
    node.disk.put_fact("x", 1)
    await until(lambda: len(node.disk.documents) == 1)
    await node.commits.commit()
    assert node.disk.written[1:] == [b""]


async def test_commit_with_nothing_recorded_writes_nothing(node: Node) -> None:
    await node.commits.commit()
    await node.commits.commit()
    assert len(node.disk.written) == 1


async def test_a_snapshot_is_taken_when_much_was_written_and_at_the_end(node: Node) -> None:
    node.disk.octets_since_snapshot = SNAPSHOT_OCTETS
    node.prepare("p")
    await node.commits.commit()
    assert [len(snapshot.holds) for snapshot in node.disk.snapshots] == [1]
    node.prepare("p")
    await node.commits.commit()
    assert len(node.disk.snapshots) == 1
    await node.commits.close()
    assert [len(snapshot.holds) for snapshot in node.disk.snapshots] == [1, 2]
    await node.commits.close()
    assert len(node.disk.snapshots) == 2


async def test_a_large_snapshot_is_followed_by_as_much_journal_before_the_next(node: Node) -> None:
    """Else a node whose peers repeat their requests would write little but snapshots."""
    large = SNAPSHOT_OCTETS + 1_000
    journal = node.ledger.requests.of("alice")
    journal.receive(b"1", b"", 1_000, durable=True)
    journal.answer(b"1", bytes(large))
    node.disk.octets_since_snapshot = SNAPSHOT_OCTETS
    await node.commits.commit()
    assert len(node.disk.snapshots) == 1
    for octets, taken in ((large, 1), (large + 1_000, 2)):
        node.disk.octets_since_snapshot = octets
        node.prepare("p")
        await node.commits.commit()
        assert len(node.disk.snapshots) == taken
    await node.commits.close()


async def test_close_writes_what_is_left_and_ends_the_thread(node: Node) -> None:
    before = threading.active_count()
    node.fulfill("r", node.prepare("p"))
    await node.commits.close()
    assert node.effects == ["reply r", "prepare p"]
    assert threading.active_count() == before - 1
    hold = node.prepare("late")
    node.fulfill("late", hold)
    with pytest.raises(StoreError, match="closed"):
        await node.commits.commit()
    assert node.effects[2:] == ["reply late", "cancel late"]
    assert node.failures == []


async def test_close_goes_on_while_effects_record_more(node: Node) -> None:
    hold = node.prepare("p")
    again = node.effect("cancel")
    node.ledger.prepare_after_commit(lambda i, p: node.fulfill("r", hold), again, 1, None)
    closing = asyncio.ensure_future(node.commits.close())
    await closing
    assert node.effects == ["prepare p", "reply r"]
    assert node.commits.error is not None


async def test_close_of_a_node_that_never_wrote() -> None:
    node = Node(Disk(), inline=True)
    node.ledger.take_batch()
    await node.commits.close()
    assert node.disk.written == []


async def test_the_writer_survives_a_loop_that_is_gone() -> None:
    """The program ended without `close`: like kill -9, and no traceback of a thread."""
    disk = Disk(waits=True)

    def run() -> threading.Thread:
        async def die() -> threading.Thread:
            node = Node(disk)
            await asyncio.to_thread(lambda: None)
            assert node.commits._worker is not None
            return node.commits._worker

        return asyncio.run(die())

    thread = await asyncio.to_thread(run)
    disk.let_one_through()
    thread.join(5)
    assert not thread.is_alive()


# ---------------------------------------------------------------------- cancellation


async def test_K1_a_waiter_that_is_cancelled_takes_no_other_with_it(slow: Node) -> None:
    slow.prepare("p")
    waiters = [asyncio.ensure_future(slow.commits.commit()) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[1].cancel()
    slow.disk.stop_waiting()
    done = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(result) for result in done] == [type(None), asyncio.CancelledError, type(None)]
    assert slow.effects == ["prepare p"]


@pytest.mark.parametrize("steps", range(12))
async def test_K1_close_may_be_cancelled_anywhere_and_called_again(steps: int) -> None:
    disk = Disk()
    node = Node(disk)
    node.fulfill("r", node.prepare("p"))
    closing = asyncio.ensure_future(node.commits.close())
    for _ in range(steps):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    await node.commits.close()
    assert node.effects == ["reply r", "prepare p"]
    assert len(disk.snapshots) == 1
    gc.collect()


# ---------------------------------------------------------------------- failure


async def test_J3_disk_full_the_reserve_lets_the_batch_through_and_new_packets_are_refused(node: Node) -> None:
    full = DiskFullError("full")
    node.disk.faults = [full]
    hold = node.prepare("p1")
    await node.commits.commit()
    assert node.effects == ["prepare p1"]
    assert (node.ledger.read_only, node.disk.reserve, node.failures) == (True, False, [full])
    assert node.commits.error is None
    node.fulfill("r1", hold)  # outcomes of what is in flight are still written
    await node.commits.commit()
    assert node.disk.has(b"\x03" + hold.id.to_bytes(8, "big"))
    assert node.failures == [full]


async def test_J3_disk_full_again_ends_the_writing(node: Node) -> None:
    first, second = DiskFullError("full"), DiskFullError("still full")
    node.disk.faults = [first, second]
    hold = node.prepare("p0")
    with pytest.raises(DiskFullError, match="still full"):
        await node.commits.commit()
    assert node.effects == ["cancel p0"]
    assert node.disk.attempts == 3
    node.fulfill("r0", hold)
    with pytest.raises(DiskFullError):
        await node.commits.commit()
    assert node.effects == ["cancel p0", "reply r0"]
    assert node.disk.attempts == 3
    assert node.failures == [second]


async def test_J4_a_failure_is_never_tried_again(node: Node) -> None:
    error = StoreError("fsync failed")
    node.disk.faults = [error]
    hold = node.prepare("p1")
    node.fulfill("r2", node.prepare("p2"))
    node.wait("w")
    with pytest.raises(StoreError, match="fsync failed"):
        await node.commits.commit()
    assert node.effects == ["reply r2", "cancel p1", "cancel p2", "waiter w fsync failed"]
    assert (node.ledger.read_only, node.failures, node.commits.error) == (True, [error], error)
    assert (node.disk.attempts, node.disk.reserve) == (2, True)
    node.fulfill("r1", hold)
    with pytest.raises(StoreError, match="fsync failed"):
        await node.commits.commit()
    assert node.effects[4:] == ["reply r1"]
    assert node.disk.attempts == 2
    await node.commits.close()
    assert node.disk.snapshots == []
    assert node.failures == [error]


async def test_what_waits_behind_a_failing_commit_fails_with_it_in_order(slow: Node) -> None:
    slow.disk.faults = [StoreError("EIO")]
    slow.prepare("p1")
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    await until(lambda: slow.disk.arrived.acquire(blocking=False))
    slow.prepare("p2")
    slow.wait("w")
    slow.disk.let_one_through()
    await until(lambda: len(slow.effects) == 3)
    assert slow.effects == ["cancel p1", "cancel p2", "waiter w EIO"]


async def test_a_surprise_in_the_store_is_a_failure_too(node: Node) -> None:
    node.disk.faults = [ZeroDivisionError("a bug")]
    node.prepare("p")
    with pytest.raises(StoreError, match=r"the store failed: ZeroDivisionError\('a bug'\)"):
        await node.commits.commit()
    assert node.effects == ["cancel p"]


async def test_cancel_may_record(node: Node) -> None:
    """The connector releases the hold of a Prepare that could not be written; nobody writes that any more."""
    node.disk.faults = [StoreError("EIO")]
    hold = node.prepare("p")
    node.ledger.prepare_after_commit(node.effect("prepare"), lambda i, p: node.ledger.release(hold), "q", None)
    with pytest.raises(StoreError):
        await node.commits.commit()
    with pytest.raises(StoreError):
        await node.commits.commit()
    assert node.ledger.holds == {}
    assert node.disk.attempts == 2


# ---------------------------------------------------------------------- inline


async def test_inline_writes_in_this_thread_and_after_the_caller_is_done() -> None:
    node = Node(Disk(), inline=True)
    node.prepare("p")
    assert node.disk.written == []
    await node.commits.commit()
    assert node.effects == ["prepare p"]
    assert node.disk.threads == {threading.get_ident()}
    await node.commits.close()


def test_inline_needs_no_loop_when_it_is_given_a_scheduler() -> None:
    soon: list[Callable[[], None]] = []
    node = Node(Disk(), inline=True, call_soon=soon.append)
    node.prepare("p")
    assert len(soon) == 1
    node.commits.flush()
    assert node.effects == ["prepare p"]
    soon[0]()  # finds nothing left to do
    assert len(node.disk.written) == 1


async def test_with_the_memory_store() -> None:
    store = MemoryStore()
    ledger = Ledger()
    store.load(ledger)
    commits = GroupCommit(ledger, store, FixedClock(), inline=True)
    ledger.post(((ledger.account("a", USD), ledger.account("b", USD), 5),), "x")
    await commits.commit()
    again = Ledger()
    assert store.load(again).records_replayed == 3 + 2
    await commits.close()
    again = Ledger()
    assert store.load(again).records_replayed == 0
    assert [account.net for account in again.accounts] == [5, -5]


# ---------------------------------------------------------------------- how large a commit gets


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_one_packet_is_written_in_the_next_turn(slow: Node) -> None:
    assert slow.disk.arrived.acquire(timeout=5)  # the accounts
    slow.prepare("a")
    await _turns(1)
    assert slow.disk.arrived.acquire(timeout=5)


@pytest.mark.parametrize(
    ("arrivals", "in_the_first_commit"),
    [
        ((2, 0, 3), 2),  # a turn that brings nothing ends the wait
        ((64, 3, 3), 64),  # so many need no more
        ((2, 1, 1, 0, 3), 4),
        ((2, 1, 1, 1, 1, 1, 1, 1), 6),  # and four turns do
    ],
)
async def test_several_packets_wait_for_those_of_the_next_turns(
    arrivals: tuple[int, ...], in_the_first_commit: int
) -> None:
    node = Node(Disk())
    await node.commits.commit()
    node.disk.written.clear()
    for turn, count in enumerate(arrivals):
        for i in range(count):
            node.prepare(f"{turn}.{i}")
        await _turns(1)
    await node.commits.commit()
    assert len(node.disk.written[0]) == in_the_first_commit * 67
    assert sum(map(len, node.disk.written)) == sum(arrivals) * 67
    await node.commits.close()


class QuickDisk(Disk):
    octets_max = 1_000

    def is_quick(self, octets: int) -> bool:
        return octets <= self.octets_max


async def written_by(node: Node, name: str = "x") -> bool:
    """Whether the loop's thread wrote a packet."""
    node.disk.threads.clear()
    left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert isinstance(node.ledger.hold(((node.alice, node.bob, 1),), bytes(32), 1000, True), Hold)
    node.ledger.prepare_after_commit(lambda *_: left.set_result(None), lambda *_: left.cancel(), name, None)
    await left
    return node.disk.threads == {threading.get_ident()}


async def test_a_quick_disk_is_written_to_without_a_change_of_thread() -> None:
    node = Node(QuickDisk())
    await node.commits.commit()
    assert await written_by(node)
    node.fulfill("a", node.prepare("a"))
    await node.commits.commit()
    assert node.disk.threads == {threading.get_ident()}
    await node.commits.close()
    assert node.effects == ["reply a", "prepare a"]


async def test_effects_of_quick_writes_leave_behind_those_that_the_thread_writes() -> None:
    disk = QuickDisk()
    disk.octets_max = 0
    node = Node(disk)
    for name in "ab":
        node.prepare(name)
    await asyncio.sleep(0)
    disk.octets_max = 1_000
    node.prepare("c")
    await node.commits.close()
    assert node.effects == ["prepare a", "prepare b", "prepare c"]


async def test_what_a_quick_write_brings_is_written_after_its_effects() -> None:
    node = Node(QuickDisk())

    def send(*_: Any) -> None:
        node.effects.append("prepare a")
        node.fulfill("b", hold)

    hold = node.ledger.hold(((node.alice, node.bob, 1),), bytes(32), 1000, True)
    assert isinstance(hold, Hold)
    node.ledger.prepare_after_commit(send, send, "a", None)
    node.wait("c")
    await node.commits.close()
    assert node.effects == ["prepare a", "waiter c None", "reply b"]


async def test_behind_a_slow_write_the_thread_writes_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    node, ns = Node(QuickDisk()), 1
    monkeypatch.setattr(quick_writes, "perf_counter_ns", lambda: ns)

    def write_slowly(*_: Any) -> None:
        nonlocal ns
        ns += QUICK_US * 1000 + 1
        node.disk.threads.add(threading.get_ident())

    assert await written_by(node)
    with monkeypatch.context() as slow:
        slow.setattr(node.disk, "write", write_slowly)
        assert await written_by(node)
    assert not await written_by(node)
    ns += SLOW_TIMES * (QUICK_US * 1000 + 1) - 1
    assert not await written_by(node)
    ns += 1
    assert await written_by(node)
    await node.commits.close()


async def test_what_is_no_short_write_is_written_by_the_thread() -> None:
    disk = QuickDisk()
    disk.octets_max = 10
    node = Node(disk)
    assert not await written_by(node)
    await node.commits.close()


# ---------------------------------------------------------------------- what leaves, and what is told


@pytest.mark.parametrize("fails", [False, True])
async def test_each_effect_is_given_its_own_packet(node: Node, fails: bool) -> None:
    given: list[tuple[str, Any, Any]] = []
    if fails:
        node.disk.faults = [StoreError("EIO")]
    reply, prepare = object(), object()
    hold = node.prepare("p")
    node.ledger.execute(hold, PROOF)
    node.ledger.reply_after_commit(lambda name, packet: given.append(("reply", name, packet)), 1, reply)
    node.ledger.prepare_after_commit(
        lambda name, packet: given.append(("send", name, packet)),
        lambda name, packet: given.append(("cancel", name, packet)),
        2,
        prepare,
    )
    with contextlib.suppress(StoreError):
        await node.commits.commit()
    assert given == [("reply", 1, reply), ("cancel" if fails else "send", 2, prepare)]


async def test_a_quick_write_behind_one_of_the_thread_lets_its_effects_go_behind_those_of_the_first() -> None:
    """The thread has written the first; the second is written by the loop, and what it brings waits its turn."""
    disk = QuickDisk(waits=True)
    node = Node(disk)
    disk.octets_max = 0
    disk.let_one_through()
    await node.commits.commit()
    node.prepare("a")
    await until(lambda: node.commits._writing is not None)
    node.prepare("b")
    disk.octets_max = 1_000
    disk.threads.clear()
    disk.stop_waiting()
    await until(lambda: len(node.effects) == 2)
    assert node.effects == ["prepare a", "prepare b"]
    assert threading.get_ident() in disk.threads
    node.prepare("c")  # and it goes on
    await node.commits.close()
    assert node.effects == ["prepare a", "prepare b", "prepare c"]
    assert node.commits.written == len(disk.written)


async def test_a_disk_that_is_full_and_then_broken_is_told_once(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    full = DiskFullError("full")
    node.disk.faults = [full, None, StoreError("EIO")]
    hold = node.prepare("a")
    await node.commits.commit()
    node.fulfill("a", hold)
    with pytest.raises(StoreError, match="EIO"):
        await node.commits.commit()
    assert node.failures == [full]
    assert [r.getMessage() for r in caplog.records if "cannot be written" in r.getMessage()] == [
        "the books cannot be written: full"
    ]


async def test_J3_what_left_without_a_record_is_in_the_log_with_its_proof_and_what_was_withheld_is_not(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    relayed, withheld = node.prepare("a"), node.prepare("b")
    await node.commits.commit()
    node.disk.faults = [StoreError("EIO")]
    node.fulfill("a", relayed)
    own = Fulfill(bytes(32))
    node.ledger.execute(withheld, own.fulfillment)
    node.ledger.prepare_after_commit(node.effect("send"), node.effect("withheld"), "b", own)
    with pytest.raises(StoreError):
        await node.commits.commit()
    told = [record.getMessage() for record in caplog.records if "ilp unknown prove" in record.getMessage()]
    assert told == [f"relayed, but not written. After a restart:  ilp unknown prove unk_{relayed.id} {PROOF.hex()}"]
    assert node.effects[-2:] == ["reply a", "withheld b"]


async def test_what_cannot_be_handed_over_is_in_the_log(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    node.ledger.reply_after_commit(broken, 1, None)
    node.ledger.prepare_after_commit(broken, broken, 1, None)
    node.ledger.call_after_commit(broken)
    await node.commits.commit()
    assert [record.getMessage() for record in caplog.records] == [
        "a reply could not be handed to its link",
        "a Prepare could not be handed to its link, or be cancelled",
        "whoever waited for a commit failed",
    ]


async def test_how_many_steps_were_written_and_how_long_that_took(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(Disk())
    assert (node.commits.written, node.commits.written_ms) == (0, 0)
    now = 1_000
    monkeypatch.setattr(node.commits, "_clock", SimpleNamespace(now=lambda: Timestamp(now)))
    write = node.disk.write

    def write_later(*arguments: Any) -> None:
        nonlocal now
        now += 7
        write(*arguments)

    monkeypatch.setattr(node.disk, "write", write_later)
    for count in (1, 2, 3):
        node.prepare("x")
        await node.commits.commit()
        assert (node.commits.written, node.commits.written_ms) == (count, 7 * count)
    await node.commits.close()


async def test_the_thread_does_not_keep_a_process_from_ending(node: Node) -> None:
    node.prepare("x")
    await node.commits.commit()
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "interledger-store"]
    assert worker.daemon


async def test_what_a_document_says_is_written_by_the_thread() -> None:
    node = Node(QuickDisk())
    assert await written_by(node)
    node.disk.put_fact("settlement", "done")
    assert not await written_by(node)
    await node.commits.close()


async def test_the_end_takes_a_snapshot_of_what_was_recorded_since_the_last(node: Node) -> None:
    node.disk.octets_since_snapshot = 0
    node.prepare("x")
    await node.commits.close()
    assert len(node.disk.snapshots) == 1
