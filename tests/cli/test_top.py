"""`ilp top`: the ribbon, the whole screen in a real terminal, and the way out of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.cli.console import Console
from interledger.cli.top_view import ribbon

Ilp = Callable[..., Any]


def second(fulfilled: int, in_flight: int, rejected: int) -> dict[str, Any]:
    return {"fulfilled": fulfilled, "in_flight": in_flight, "rejected": rejected}


def test_a_column_a_second(pipe: Console) -> None:
    seconds = [second(0, 0, 0), second(10, 0, 0), second(2, 0, 2), second(4, 4, 2), second(0, 0, 1)]
    assert ribbon(seconds, pipe) == [
        "   █ █",
        "   █ █",
        "   █ ▒",
        "   ██▒",
        "  ·█xxx",
        "  5 s, at most 10 packets in one   █ fulfilled   ▒ in flight   x rejected",
    ]
    assert ribbon([], pipe)[-1].startswith("  0 s")


def test_once_where_there_is_no_terminal(ilp: Ilp, bob: str) -> None:
    assert ilp("pay", "--from", "alice", bob, "1 USD", "-q").code == 0
    lines = ilp("top", "--node", "hub").out.splitlines()
    assert lines[0].startswith("test.hub   ")
    assert "✓ books" in lines[3]
    assert any(line.startswith("  Now      ") for line in lines)
    assert any(line.startswith("alice") and "owes us" in line for line in lines)
    looks = ilp("top", "--count", "2", "-o", "ndjson", "--fields", "ilp_address")
    assert looks.out.splitlines() == ['{"ilp_address":"test.hub"}'] * 2
    assert ilp("top", "--node", "http://127.0.0.1:9").code == 3


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of Unix")
@pytest.mark.parametrize("ends", ["q", "Ctrl-C"])
def test_a_terminal_is_left_as_it_was(place: Path, ends: str) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "interledger", "top"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=place,
        env={**os.environ, "TERM": "xterm", "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        said = _read_until(ours, b"PACKETS/S")
        if ends == "q":
            os.write(ours, b"q")
        else:
            process.send_signal(signal.SIGINT)
        said += _read_until(ours, b"\x1b[?1049l")
        assert process.wait(10) in (0, 130)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert said.startswith(b"\x1b[?1049h")
    assert b"test.hub" in said
    assert b"Traceback" not in said


def _read_until(terminal: int, words: bytes) -> bytes:
    said, ends = b"", time.monotonic() + 20
    while words not in said and time.monotonic() < ends:
        if select.select([terminal], [], [], 0.2)[0]:
            said += os.read(terminal, 65_536)
    assert words in said[-8_192:]
    return said
