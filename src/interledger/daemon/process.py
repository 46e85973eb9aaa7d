"""What every program of ours does around its event loop: choose the loop, stop on a signal, calm the garbage collector,
and leave private files that say where it can be reached.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

__all__ = ["read_private_json", "run", "settle_garbage", "stop_on_signals", "write_private_json"]

T = TypeVar("T")

GC_THRESHOLDS: Final = (50_000, 50, 100)
"""Packets make and drop many objects without cycles: the default (700) would look for cycles all the time."""

JSON_OCTETS_MAX: Final = 1_048_576
"""The files below are some kilobytes; a larger one is another file."""


FILES_MAX: Final = 65_536
"""Open files that we ask the system for: a port takes 1,000 connections, and the usual limit for all files is 1,024."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on uvloop where it is installed, else on asyncio's own loop."""
    _ask_for_files()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _ask_for_files() -> None:
    """Raise our own limit of open files as far as we may. Where there is none, there is nothing to ask."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGINT and SIGTERM set `stop`. A second one ends the process at once, as if nothing had been asked."""
    loop = asyncio.get_running_loop()

    def first(number: signal.Signals) -> None:
        stop.set()
        for other in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(other)
            signal.signal(other, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, first, number)


def settle_garbage() -> None:
    """After the start: what lives now lives as long as the process, so the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def write_private_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file that only we can read, whole or not at all: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    os.replace(temporary, path)


def read_private_json(path: Path) -> dict[str, Any] | None:
    """What `write_private_json` wrote; None when it is not there or is not ours."""
    try:
        if path.stat().st_size > JSON_OCTETS_MAX:
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
