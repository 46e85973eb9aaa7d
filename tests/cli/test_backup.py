"""`ilp node backup` and `ilp node restore`, of a network that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from interledger.cli.main import run
from tests.cli.conftest import NetworkThread

Ilp = Callable[..., Any]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("kept")
    with NetworkThread(directory / ".ilp", durability="process"):
        yield directory


@pytest.fixture
def place(kept: Path) -> Path:
    """The network of `ilp`."""
    return kept


def test_a_backup_is_made_checked_and_put_in_place(ilp: Ilp, bob: str, tmp_path: Path) -> None:
    assert ilp("pay", "--from", "alice", bob, "3 USD").code == 0
    assert "Would copy" in ilp("node", "backup", "--dry-run").out
    made = ilp("node", "backup", "-o", "json")
    file = made.json["file"]
    assert (made.code, made.json["commit"] > 0, Path(file).is_file()) == (0, True, True)
    assert "ilp node restore" in ilp("node", "backup").out

    assert "Nothing was changed" in ilp("node", "restore", file, "--data-dir", str(tmp_path / "new"), "--dry-run").out
    put = ilp("node", "restore", file, "--data-dir", str(tmp_path / "new"))
    assert (put.code, "The books are sound" in put.out, "no  secret_seed" in put.out) == (0, True, True)
    assert ("ilp settlement resume" in put.out, (tmp_path / "new" / "restored").exists()) == (True, True)
    assert ilp("ledger", "check", "--data-dir", str(tmp_path / "new")).code == 0
    again = ilp("node", "restore", file, "--data-dir", str(tmp_path / "new"))
    assert (again.code, "--replace" in again.err) == (1, True)
    assert "before-restore-1" in ilp("node", "restore", file, "--data-dir", str(tmp_path / "new"), "--replace").out
    assert (
        ilp("node", "backup", "--data-dir", str(tmp_path / "new"), "-o", "json").json["commit"] == made.json["commit"]
    )


def test_a_directory_that_a_node_uses_is_left_alone(ilp: Ilp) -> None:
    file = ilp("node", "backup", "-o", "json").json["file"]
    refused = ilp("node", "restore", file, "--data-dir", ".ilp/hub", "--replace")
    assert (refused.code, "in use by another node" in refused.err) == (1, True)


@pytest.mark.parametrize("words", [("backup", "--data-dir", "none"), ("restore", "none.db", "--data-dir", "none")])
def test_what_is_not_there(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(("node", *words), {}) == 4
    assert "There" in capsys.readouterr().err
