"""Power cuts on the real store: a few thousand here, as many as one likes with `python -m tools.torture`."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.sim.books import Books
from interledger.store import sqlite
from tools.torture import results, vfs
from tools.torture.__main__ import main
from tools.torture.cuts import BrokenError, cut_seeds
from tools.torture.disk import Disk, DiskFaultError, Op

pytestmark = pytest.mark.skipif(not vfs.is_available(), reason="this Python's SQLite cannot be given a file system")

CUTS = 2_000


@pytest.mark.slow
def test_J1_J2_after_a_power_cut_the_books_are_those_of_a_step_that_no_effect_is_ahead_of() -> None:
    report = cut_seeds(0, CUTS)
    assert report.cuts >= CUTS
    # What never was cut was not tested.
    assert {"kill", "write db-wal", "sync db-wal", "write db", "write commits.log", "sync commits.log"} <= set(
        report.kinds
    )


# ---------------------------------------------------------------------- without a rule, promises break


def no_write_through(patch: pytest.MonkeyPatch) -> None:
    """Commits that do not wait for the disk."""
    write = Disk.write
    patch.setattr(Disk, "write", lambda *a, through=False: write(*a))


def no_sync(patch: pytest.MonkeyPatch) -> None:
    """A disk that says it has synced, and has not."""
    patch.setattr(Disk, "sync", lambda *a: None)


def log_cleared_too_early(patch: pytest.MonkeyPatch) -> None:
    """The commit log begins anew before the database has what was in it."""
    write = sqlite.SqliteStore._write_all

    def early(self: Any, *arguments: Any) -> None:
        self._log.clear()
        commits = [commit for commit in arguments[1] if commit.seq == arguments[2]]
        write(self, arguments[0], commits, *arguments[2:])

    patch.setattr(sqlite.SqliteStore, "_write_all", early)


@pytest.mark.parametrize("without", [no_write_through, no_sync, log_cleared_too_early])
def test_the_judge_finds_what_is_wrong(without: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without(patch)
        with pytest.raises(BrokenError, match="seed"):
            cut_seeds(0, 1_500)


# ---------------------------------------------------------------------- the disk


def cut(disk: Disk, count: int, seed: int) -> dict[str, bytes]:
    return disk.cut_at(count, random.Random(seed))


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    disk = Disk()
    disk.create("a")
    disk.write("a", b"1" * 1024, 0)
    disk.sync("a")
    disk.write("a", b"2" * 1024, 512)
    disk.write("a", b"3", 0)
    found = [cut(disk, 4, seed)["a"] for seed in range(200)]
    assert all(octets[1:512] == b"1" * 511 for octets in found)
    assert {octets[:1] for octets in found} == {b"1", b"3"}
    assert {len(octets) for octets in found} >= {1024, 1536}
    # Some of the sectors of one write, the later without the earlier.
    assert any(octets[512:513] == b"1" and octets[1024:1025] == b"2" for octets in found)


def test_a_write_through_is_there_when_it_has_returned() -> None:
    disk = Disk()
    disk.create("a")
    disk.write("a", b"12", 0, through=True)
    disk.write("a", b"34", 2, through=True)
    assert all(cut(disk, 2, seed)["a"] == b"1234" for seed in range(50))
    assert {cut(disk, 1, seed)["a"] for seed in range(50)} >= {b"12", b"123", b"1234"}
    assert disk.killed_at(1) == {"a": b"12"}


def test_a_file_that_was_removed_may_come_back() -> None:
    disk = Disk.of({"a": b"x"})
    disk.delete("a", through=False)
    assert {tuple(cut(disk, 1, seed)) for seed in range(50)} == {(), ("a",)}
    disk.ops[0].through = True
    assert {tuple(cut(disk, 1, seed)) for seed in range(50)} == {()}


def test_a_disk_that_refuses_keeps_what_it_has() -> None:
    def refuse(op: Op, number: int) -> None:
        raise DiskFaultError(28, "full")

    disk = Disk.of({"a": b"x"})
    disk.on_op = refuse
    with pytest.raises(DiskFaultError):
        disk.write("a", b"y", 0)
    assert (disk.files["a"], disk.ops) == (b"x", [])


# ---------------------------------------------------------------------- the command


def test_a_run_is_recorded_and_the_next_one_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "results.csv"
    for _ in range(2):
        assert main(["--cuts", "30", "--record", "--results", str(path)]) == 0
    first, second = results.read(path)
    assert (first.outcome, second.outcome, first.first_seed) == ("ok", "ok", 0)
    assert second.first_seed == first.last_seed + 1
    assert results.next_seed("cuts", path) == second.last_seed + 1
    assert results.next_seed("kills", path) == 0
    assert results.totals(path) == {"cuts": first.times + second.times}
    assert "power cuts" in capsys.readouterr().out


def test_a_broken_promise_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    no_write_through(monkeypatch)
    assert main(["--cuts", "1500", "--seed", "0"]) == 1
    assert "BROKEN: seed" in capsys.readouterr().err


def test_seeds_of_the_simulation_are_recorded_and_the_next_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    for _ in range(2):
        assert main(["--seeds", "2", "--processes", "1", "--record", "--results", str(path)]) == 0
    assert [(run.kind, run.first_seed, run.last_seed, run.times, run.outcome) for run in results.read(path)] == [
        ("sim", 2_000, 2_001, 2, "ok"),
        ("sim", 2_002, 2_003, 2, "ok"),
    ]


def test_a_seed_that_breaks_something_is_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Books, "net", lambda books, name: 1)
    path = tmp_path / "results.csv"
    assert main(["--seeds", "1", "--seed", "7", "--processes", "1", "--record", "--results", str(path)]) == 1
    assert results.read(path)[0].outcome.startswith("seed 7: ")
    assert "make sim SEED=7" in capsys.readouterr().err
