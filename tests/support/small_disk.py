"""A disk of one's own that can be filled to the last octet, with a PostgreSQL server on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

import pytest

from tests.support.postgres import missing_postgres
from tools.torture.postgres_server import PostgresServer, postgres_server

__all__ = ["SmallDisk", "small_disk"]

SIZE_MIB: Final = 128
"""A new server takes some 40 MiB, and its log of writes 16 MiB at a time."""


@final
class SmallDisk:
    """`server` keeps all that it has here. Full means: not one page more can be written."""

    def __init__(self, place: Path, server: PostgresServer) -> None:
        self.server = server
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Write until the system says that there is no room."""
        with self._ballast.open("ab") as file:
            for octets in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        os.write(file.fileno(), bytes(octets))

    def make_room(self) -> None:
        """As somebody does who deletes what is not needed."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """A file system in memory, for as long as this lasts. Skips where nobody may mount one."""
    why = missing_postgres()
    if why is not None:
        pytest.skip(why)
    place = Path(tempfile.mkdtemp(prefix="ilp-disk-"))
    try:
        if shutil.which("mount") is None or os.geteuid() != 0:
            pytest.skip("a disk that can be filled has to be mounted, which only root can")
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "tmpfs", str(place)]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no disk that can be filled: {mounted.stderr.strip()}")
        try:
            with postgres_server(str(place)) as server:
                yield SmallDisk(place, server)
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
    finally:
        place.rmdir()
