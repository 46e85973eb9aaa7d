"""Programs of others that a development network needs: found, or what to install; kept, and ended with us."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, final

from interledger.errors import InterledgerError

__all__ = ["KeptProgram", "LedgerError", "MissingProgramError", "find_program"]

STOP_S: Final = 20.0
"""To write down what it has."""

KEEPER: Final = """
exec 3<&0
"$@" </dev/null 2>&1 3<&- &
child=$!
{ read -r _ <&3; kill "$child"; } &
watcher=$!
wait "$child"
kill "$watcher"
"""
"""Ends the program when its own standard input ends: when we say so, and when we die in whatever way."""


class LedgerError(InterledgerError):
    """A ledger does not do what it should: `str()` says what."""


class MissingProgramError(InterledgerError):
    """Something is not installed. `str()` says what; `install` what to do about it."""

    def __init__(self, what: str, install: str) -> None:
        super().__init__(what)
        self.install = install


def find_program(name: str, *elsewhere: Path) -> str | None:
    """Where the program is: on the PATH, or one of the other places."""
    found = shutil.which(name)
    return found or next((str(place) for place in elsewhere if place.is_file()), None)


@final
class KeptProgram:
    """A program that runs as long as we do, in a session of its own: Ctrl-C is for us, who then stop it in order."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        self._log: IO[bytes] = log.open("wb")
        self._keeper = subprocess.Popen(  # noqa: S603 - the program that the ledger names
            ["/bin/sh", "-c", KEEPER, "keeper", *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.DEVNULL,  # of the keeper: its program's is in the log
            start_new_session=True,
        )

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself, as far as its keeper knows."""
        return self._keeper.poll() is None

    def last_words(self) -> str:
        """The last line of its log."""
        lines = [line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "it said nothing"

    def stop(self) -> None:
        """End it, and wait until it has written what it has."""
        if self._keeper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._log.close()
