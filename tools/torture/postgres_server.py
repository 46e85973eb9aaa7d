"""A PostgreSQL server of one's own, to be killed and started again: a new directory, a Unix socket in it, no port.

PostgreSQL refuses to run as root, so root runs it as `postgres` (or `nobody`).
"""

from __future__ import annotations

import contextlib
import math
import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final, final

import psycopg

__all__ = ["PostgresServer", "find_programs", "postgres_server"]

SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "log_min_messages": "warning",
}
"""Nobody but who can enter the directory can connect. All that durability rests on stays as it is by default."""

START_S: Final = 30
SUPERUSER: Final = "ilp"


def find_programs() -> Path | None:
    """The directory of `initdb` and `postgres`, the newest where there are several; None without PostgreSQL."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    if found:
        return found[0].parent
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


@final
class PostgresServer:
    """The processes of one server, whose data is in `place`."""

    def __init__(self, place: Path, programs: Path, settings: dict[str, str] | None = None) -> None:
        self.place = place
        self.settings = SETTINGS | (settings or {})
        self._programs = programs
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = _unprivileged()
            self._user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(place, owner.pw_uid, owner.pw_gid)
        place.chmod(0o700)
        self._run(
            "initdb", "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )

    @property
    def _data(self) -> Path:
        return self.place / "data"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    @property
    def log(self) -> str:
        """What the server said."""
        return (self.place / "log").read_text(encoding="utf-8", errors="replace")

    def start(self, **settings: str) -> None:
        """Start it, and wait until it answers."""
        flags = [f"-c{name}={value}" for name, value in {**self.settings, **settings}.items()]
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self.place), *flags],
                stdout=log, stderr=log, cwd=self.place, **self._user,
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while True:
            with contextlib.suppress(psycopg.OperationalError), self.connect():
                return
            if self._process is None or self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"PostgreSQL does not start:\n{self.log}")
            time.sleep(0.01)

    def stop(self) -> None:
        """In good order; nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(START_S)

    @property
    def has_ended(self) -> bool:
        """Whether it gave up by itself."""
        return self._process is not None and self._process.poll() is not None

    def revive(self) -> None:
        """Start it if it has ended by itself; wait until it answers."""
        if self.has_ended:
            self.start()
        else:
            self._wait()

    def kill(self) -> None:
        """kill -9 of all its processes at one moment: none of them gets a chance to write anything."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGSTOP)  # so that it starts no others meanwhile
        for child in self.children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait(START_S)

    def end_sessions(self) -> None:
        """Close all connections, as a network does that fails, and wait until the server has ended them."""
        with self.connect() as admin:
            others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            admin.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")

    def kill_a_backend(self, dice: random.Random) -> None:
        """kill -9 of the process behind some connection: the server ends all others, and starts again."""
        with contextlib.suppress(psycopg.OperationalError), self.connect() as admin:
            pids = [row[0] for row in admin.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )]  # fmt: skip
            if not pids:
                return
            os.kill(dice.choice(pids), signal.SIGKILL)
            until = time.monotonic() + 2
            while time.monotonic() < until:
                admin.execute("SELECT 1")  # until this one is ended too
                time.sleep(0.005)
        self._wait()

    def stop_at_once(self) -> None:
        """An immediate shutdown: nothing is finished, and the next start recovers as after a crash."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(START_S)

    def never_answer_commits(self, never: bool) -> None:
        """Let every commit be written and flushed, and then wait for a stand-by that does not exist: nobody is told."""
        text = "synchronous_standby_names = 'absent'\n" if never else ""
        (self._data / "postgresql.auto.conf").write_text(text, encoding="utf-8")
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)
            time.sleep(0.1)

    def until_a_commit_waits(self, at_most_s: float = math.inf) -> None:
        """Until one is written and flushed, and nobody was told; or so long."""
        until = time.monotonic() + at_most_s
        with self.connect() as admin:
            while not admin.execute("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchall():
                if time.monotonic() > until:
                    return
                time.sleep(0.01)

    def cpu_seconds(self) -> float:
        """What all its processes have used since they began."""
        pids = [] if self._process is None else [self._process.pid, *self.children(self._process.pid)]
        ticks = 0
        for pid in pids:
            with contextlib.suppress(FileNotFoundError):
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def pause(self) -> None:
        """Let every process stand still: the server neither answers nor closes a connection."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `pause`."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        if self._process is not None:
            for pid in [self._process.pid, *self.children(self._process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    @staticmethod
    def children(pid: int) -> list[int]:
        """The processes that `pid` started."""
        try:
            return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except FileNotFoundError:
            return []

    def url(self, database: str = "postgres") -> str:
        """Where a client finds the database."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.place}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """As the owner of everything."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5)

    def new_database(self, template: str = "template0") -> str:
        """A database that nobody has used, or a copy of one that nobody uses now. Its name."""
        name = f"ilp_{next(self._names)}"
        with self.connect() as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def dump(self, database: str) -> bytes:
        """What `pg_dump` makes of it."""
        return self._run("pg_dump", "-h", str(self.place), "-U", SUPERUSER, "-Fc", database)

    def restore(self, database: str, dump: bytes) -> None:
        """Put it into an empty database, by `pg_restore`."""
        self._run("pg_restore", "-h", str(self.place), "-U", SUPERUSER, "-d", database, octets=dump)

    def _run(self, program: str, *arguments: str, octets: bytes | None = None) -> bytes:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            [str(self._programs / program), *arguments], input=octets, capture_output=True, cwd=self.place, **self._user
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{program} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout


@contextlib.contextmanager
def postgres_server(base: str | None = None, **settings: str) -> Iterator[PostgresServer]:
    """A running server, whose data is in a new directory below `base` and goes with it.

    Raises `FileNotFoundError` where PostgreSQL is not installed.
    """
    programs = find_programs()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed. On Debian and Ubuntu:  apt install postgresql")
    place = Path(tempfile.mkdtemp(prefix="ilp-pg-", dir=base))
    server = PostgresServer(place, programs, settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(place, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise FileNotFoundError("PostgreSQL refuses to run as root, and there is no user  postgres  or  nobody")
