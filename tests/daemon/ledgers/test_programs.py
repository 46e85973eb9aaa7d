"""A program of others lives as long as we do, and ends when we do, however that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from interledger.daemon.ledgers.programs import KeptProgram, find_program

DUMPER = "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.02; done"


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_it_is_stopped_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = KeptProgram(["/bin/sh", "-c", DUMPER], log)
    until(lambda: "ready" in log.read_text())
    assert program.runs
    program.stop()
    assert (program.runs, program.last_words()) == (False, "saved")


def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "from interledger.daemon.ledgers.programs import *; from pathlib import Path; import time\n"
    code += f"KeptProgram(['/bin/sh', '-c', {DUMPER!r}], Path({str(log)!r})); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: log.exists() and "ready" in log.read_text())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: "saved" in log.read_text())


def test_one_that_says_nothing(tmp_path: Path) -> None:
    program = KeptProgram(["/bin/true"], tmp_path / "log")
    program.stop()
    assert program.last_words() == "it said nothing"


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    assert find_program("sh") is not None
    assert find_program("no-such-program", tmp_path / "x") is None
    (tmp_path / "x").touch()
    assert find_program("no-such-program", tmp_path / "none", tmp_path / "x") == str(tmp_path / "x")
