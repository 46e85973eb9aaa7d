"""The lock and the reserve, on a real directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from interledger.errors import DiskFullError, StoreError
from interledger.store.files import (
    DirectoryLock,
    create_private,
    give_back_reserve,
    make_directory,
    make_reserve,
)


def test_J8_the_second_is_told_who_has_the_directory(tmp_path: Path) -> None:
    first, second = DirectoryLock(tmp_path / "lock"), DirectoryLock(tmp_path / "lock")
    first.take()
    with pytest.raises(StoreError, match=f"in use by another node \\(process {os.getpid()}\\)") as caught:
        second.take()
    assert str(tmp_path) in str(caught.value)
    first.release()
    first.release()
    second.take()
    second.release()


def test_J6_files_are_for_their_owner_only(tmp_path: Path) -> None:
    (tmp_path / "old").touch(mode=0o644)
    for name in ("new", "old"):
        os.close(create_private(tmp_path / name))
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    make_directory(tmp_path / "a" / "b")
    make_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_a_path_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file/x cannot be made"):
        make_directory(tmp_path / "file" / "x")
    with pytest.raises(StoreError, match="file/x cannot be opened"):
        create_private(tmp_path / "file" / "x")


def test_J3_the_reserve_takes_real_space_and_is_given_back(tmp_path: Path) -> None:
    reserve = tmp_path / "reserve"
    make_reserve(reserve, 100_000)
    make_reserve(reserve, 100_000)
    assert reserve.stat().st_size == 100_000
    assert reserve.stat().st_blocks * 512 >= 100_000
    give_back_reserve(reserve)
    give_back_reserve(reserve)
    assert not reserve.exists()


def test_the_reserve_without_fallocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    make_reserve(tmp_path / "reserve", 100_000)
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 100_000


def test_no_room_for_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, offset: int, octets: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(DiskFullError, match="no room for a reserve of 100000 octets: No space left"):
        make_reserve(tmp_path / "reserve", 100_000)
    assert not (tmp_path / "reserve").exists()
