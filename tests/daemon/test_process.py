"""The loop, signals and private files."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interledger.daemon.process import read_private_json, run, settle_garbage, stop_on_signals, write_private_json


@pytest.fixture
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.parametrize("installed", [True, False])
def test_run_on_uvloop_where_it_is_installed(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if installed:
        pytest.importorskip("uvloop")
    else:
        monkeypatch.setitem(sys.modules, "uvloop", None)

    async def main() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(main()).startswith("uvloop") is installed


def test_a_signal_stops() -> None:
    async def main() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 5)

    before = signal.getsignal(signal.SIGINT)
    try:
        run(main())
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_garbage(thresholds: None) -> None:
    settle_garbage()
    assert gc.get_threshold()[0] == 50_000
    assert gc.get_freeze_count() > 0


def test_private_files(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dev.json"
    write_private_json(path, {"token": "x"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_private_json(path) == {"token": "x"}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "[1]", "{", "x" * 1_048_577])
def test_files_that_are_not_ours(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(text)
    assert read_private_json(path) is None
    assert read_private_json(tmp_path / "none") is None
