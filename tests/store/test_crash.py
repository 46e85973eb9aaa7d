"""Real processes, a real disk: kill -9, a second process on the directory, and a file system of 2 MiB that fills up."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.recovery import recover
from interledger.clock import SystemClock
from interledger.errors import StoreError
from interledger.store.base import Durability
from interledger.store.group_commit import GroupCommit
from interledger.store.sqlite import SqliteStore

USD = Asset("USD", 9)
CONDITION = bytes(32)
PROOF = bytes(range(32))
LOG_OCTETS = 128 * 1024

WRITER = """
import asyncio, sys
from pathlib import Path
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.recovery import recover
from interledger.clock import SystemClock
from interledger.store.base import Durability
from interledger.store.group_commit import GroupCommit
from interledger.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), Durability(sys.argv[2]), reserve_octets=65536)
    store.open()
    ledger = Ledger()
    state = store.load(ledger)
    commits = GroupCommit(ledger, store, SystemClock())
    recover(ledger)
    usd = Asset("USD", 9)
    alice, bob = ledger.account("peer/alice", usd), ledger.account("peer/bob", usd)
    await commits.commit()
    relayed = state.facts.get("relayed", 0)
    sent = 0
    while True:
        for _ in range(5):
            hold = ledger.hold(((alice, bob, 1),), bytes(32), 1000, True)
            relayed += 1
            store.put_fact("relayed", relayed)
            ledger.execute(hold, bytes(range(32)))
            ledger.reply_after_commit(lambda n, r: print("relayed", n, flush=True), relayed, None)
        ledger.hold(((alice, bob, 1),), bytes(32), 1000, True)
        ledger.hold(((alice, bob, 1),), bytes(32), 1000, False)
        sent += 1
        ledger.prepare_after_commit(lambda n, p: print("sent", n, flush=True), None, sent, None)
        await asyncio.sleep(0)

asyncio.run(main())
"""


def run_and_kill(directory: Path, durability: str, lines: int) -> dict[str, int]:
    """Start a writer, kill it after so many lines; the last number it said of each kind."""
    said: dict[str, int] = {"relayed": 0, "sent": 0}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), durability], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in itertools.islice(process.stdout, lines):
            kind, number = line.split()
            said[kind] = int(number)
        with pytest.raises(StoreError, match=f"in use by another node \\(process {process.pid}\\)"):
            SqliteStore(directory).open()
        process.kill()
        # What it said between our last look and its end counts too: it was acknowledged. The last line may be cut.
        for line in process.stdout:
            if line.endswith("\n"):
                kind, number = line.split()
                said[kind] = int(number)
    return said


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["power", "process"])
def test_J1_J8_after_kill_9_every_acknowledged_effect_is_in_the_books(tmp_path: Path, durability: str) -> None:
    sent_before = 0
    for lines in (1, 97):
        said = run_and_kill(tmp_path, durability, lines)
        store = SqliteStore(tmp_path, Durability(durability), reserve_octets=65_536)
        store.open()
        ledger = Ledger()
        state = store.load(ledger)
        store.close()
        alice = ledger.find("peer/alice", USD)
        assert alice is not None
        assert alice.debits_posted >= said["relayed"]
        assert state.facts.get("relayed", 0) == alice.debits_posted  # a fact and its posting are one step
        recover(ledger)
        assert len(ledger.unknown) >= sent_before + said["sent"]  # what may have left is never dropped
        assert ledger.holds == {}
        assert ledger.check() == []
        sent_before = len(ledger.unknown)


# ---------------------------------------------------------------------- a disk that fills up


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB, where this process may mount one."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
        pytest.skip("needs to be root on Linux, to mount a small file system")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("this machine does not let us mount")
    yield path
    subprocess.run(["umount", str(path)], check=True)


class FullDisk:
    """A node that writes on a small disk until it is full."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path / "node", reserve_octets=512 * 1024, log_octets=LOG_OCTETS)
        self.store.open()
        self.ledger = Ledger()
        self.store.load(self.ledger)
        self.failures: list[StoreError] = []
        self.commits = GroupCommit(self.ledger, self.store, SystemClock(), self.failures.append)
        self.alice = self.ledger.account("peer/alice", USD)
        self.bob = self.ledger.account("peer/bob", USD)
        self.held: list[Hold] = []
        self.sent = 0
        self.cancelled = 0

    def send(self, request_id: object, prepare: object) -> None:
        self.sent += 1

    def cancel(self, request_id: object, prepare: object) -> None:
        self.cancelled += 1

    async def fill(self) -> None:
        """New packets in batches of 40, as long as the connector would take them."""
        async with asyncio.timeout(30):
            while not self.ledger.read_only:
                for _ in range(40):
                    hold = self.ledger.hold(((self.alice, self.bob, 1),), CONDITION, 1000, True)
                    assert isinstance(hold, Hold)
                    self.held.append(hold)
                    self.ledger.prepare_after_commit(self.send, self.cancel, None, None)
                await self.commits.commit()


@pytest.mark.slow
async def test_J3_on_a_full_disk_what_is_in_flight_is_still_written(small_disk: Path) -> None:
    node = FullDisk(small_disk)
    await node.fill()
    assert [str(error) for error in node.failures] == [f"{node.store.path} cannot be written: the disk is full"]
    assert node.cancelled == 0
    assert node.sent == len(node.held)
    assert not (small_disk / "node" / "reserve").exists()
    relayed: list[object] = []
    for hold in node.held[-1_000:]:  # a peer's whole window of packets, one commit each
        node.ledger.execute(hold, PROOF)
        node.ledger.reply_after_commit(lambda n, r: relayed.append(n), hold.id, None)
        if len(relayed) % 10 == 0:
            await node.commits.commit()
    await node.commits.commit()
    assert len(relayed) == 1_000
    # Killed here, without a word: everything that left is in the journal.
    node.store.close()
    assert node.store._db is None
    again = SqliteStore(small_disk / "node", reserve_octets=0, log_octets=LOG_OCTETS)
    again.open()
    ledger = Ledger()
    again.load(ledger)
    again.close()
    assert ledger.accounts[0].debits_posted == 1_000
    assert len(ledger.holds) == len(node.held) - 1_000
    node.commits.error = StoreError("over")
    await node.commits.close()


@pytest.mark.slow
async def test_J3_when_the_reserve_is_used_up_replies_still_leave_and_prepares_do_not(small_disk: Path) -> None:
    node = FullDisk(small_disk)
    await node.fill()
    node.ledger.read_only = False  # a connector that does not listen
    with pytest.raises(StoreError, match="the disk is full"):
        await asyncio.wait_for(fill_on(node), 30)
    assert node.cancelled > 0
    relayed: list[object] = []
    node.ledger.execute(node.held[0], PROOF)
    node.ledger.reply_after_commit(lambda n, r: relayed.append(n), 1, None)
    with pytest.raises(StoreError, match="the disk is full"):
        await node.commits.commit()
    assert relayed == [1]
    assert len(node.failures) == 1
    await node.commits.close()
    node.store.close()
    again = SqliteStore(small_disk / "node", reserve_octets=0, log_octets=LOG_OCTETS)
    again.open()
    ledger = Ledger()
    again.load(ledger)
    assert len(ledger.holds) >= node.sent
    again.close()


async def fill_on(node: FullDisk) -> None:
    while True:
        node.ledger.read_only = False
        await node.fill()
        await asyncio.sleep(0)
