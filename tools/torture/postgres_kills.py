"""kill -9 of a PostgreSQL server under a store that writes, again and again; what is found afterwards is judged.

A real ledger lives on the real store, as in `life`. At some moment all processes of the server are killed at once, or
one of them is, or the server is told to stop without finishing. In half of the lives the node goes on when the server
is there again: it has to find out by itself what became of the commit that it was waiting for. In the other half the
node dies too, and the next life begins with what a start finds.

What a crashed server keeps is PostgreSQL's own promise (its log is on the disk before it says that a commit is done).
Power cuts are not tried here: no file system of ours can be put under the server.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Final
from unittest.mock import patch

from interledger.accounts.ledger import Ledger
from interledger.errors import StoreError
from interledger.store import group_commit
from interledger.store.base import Durability
from interledger.store.postgres import PostgresStore
from tools.torture.cuts import BrokenError
from tools.torture.disk import Disk
from tools.torture.life import COMMITS_KEPT, SNAPSHOT_OCTETS, Life, State, digest
from tools.torture.postgres_server import PostgresServer

__all__ = ["KINDS", "ServerKillReport", "kill_servers"]

STEPS: Final = 100_000
"""More than a life has time for."""

LIFE_KILLS_MAX: Final = 4

KINDS: Final = ("server", "unanswered", "backend", "unwritten", "immediate stop")
"""What is done, one after the other. Before the kill `unanswered` waits for a commit that is durable and nobody is told
of, `unwritten` for one that the server has not looked at: whatever the machine's speed, there is something to guess."""

_IN_STEPS: Final = ("unanswered", "unwritten")

WAIT_S: Final = 5.0
"""How long a commit is waited for; a life that is in its last step may have none."""

STILL_S: Final = 0.1
"""A server that stands still: an answer that it gave before is read by then, and the next step begun."""


@dataclass(slots=True)
class ServerKillReport:
    """What was done. `found_written`: commits whose answer was lost, and which turned out to be there."""

    kills: int = 0
    lives: int = 0
    steps: int = 0
    found_written: int = 0
    written_again: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


class _Life(Life):
    """On a database instead of a disk. `node_dies`: it does not wait for the server after the last kill."""

    def live(self, store: PostgresStore, steps: int) -> None:
        self.states, self.promises, self.failures, self.disk = [], [], [], Disk()
        with patch.object(group_commit, "SNAPSHOT_OCTETS", SNAPSHOT_OCTETS):
            store.open()
            self._work(store, steps)

    def _change_documents(self, store: Any) -> None:
        if self.over:
            raise _OverError
        super()._change_documents(store)

    over = False


class _OverError(Exception):
    """The life has had its kills."""


def kill_servers(server: PostgresServer, seed: int, kills: int, report: ServerKillReport) -> None:
    """Kill so many times, with what `seed` says. Raises `BrokenError`."""
    dice = random.Random(seed)
    schema = f"torture_{seed}"
    with server.connect() as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
    url = f"{server.url()}&options=-csearch_path%3D{schema}"
    until = report.kills + kills
    try:
        while report.kills < until:
            _live_once(server, url, dice, min(LIFE_KILLS_MAX, until - report.kills), report, f"seed {seed}")
    finally:
        with server.connect() as admin:
            admin.execute(f"DROP SCHEMA {schema} CASCADE")


def _live_once(
    server: PostgresServer, url: str, dice: random.Random, kills_max: int, report: ServerKillReport, where: str
) -> None:
    before = load(url, where)
    store = _store(url, report)
    node_dies = dice.random() < 0.5
    life = _Life(server.place, Durability.POWER, dice, {})
    kills, own_dice = dice.randint(1, kills_max), random.Random(dice.random())
    report.lives += 1
    killer = Thread(target=_kill, args=(server, store, life, report, kills, own_dice), kwargs={"node_dies": node_dies})
    killer.start()
    try:
        life.live(store, STEPS)
    except _OverError:
        pass
    except StoreError:  # killed in the middle of the start
        if life.states:
            raise
        life.states = [before]
    finally:
        life.over = True
        killer.join()
        store.close()
    report.steps += len(life.states)
    if life.failures and not node_dies:
        raise BrokenError(f"{where}: a server that comes back ended the node: {life.failures[0]}")
    state = load(url, where)
    promised = max((number for _, number in life.promises), default=0)
    if state not in life.states[promised:]:
        known = [number for number, one in enumerate(life.states) if one == state]
        raise BrokenError(
            f"{where}: state {known or 'of no step at all'} was found, an effect rests on state {promised} of "
            f"{len(life.states)}"
        )


def _kill(
    server: PostgresServer,
    store: PostgresStore,
    life: _Life,
    report: ServerKillReport,
    kills: int,
    dice: random.Random,
    *,
    node_dies: bool,
) -> None:
    for number in range(kills):
        kind = KINDS[report.kills % len(KINDS)]
        _until_it_has_worked(life, dice.choice((1, 3, 10) if kind in _IN_STEPS else (0, 3, 10)), dice)
        if life.over or life.failures:  # killed in the middle of its start, or it gave up, which is judged
            break
        last = number == kills - 1
        if last and node_dies:
            store._writer._give_up_at = 0.0  # what it waits for now, it does not get any more
        report.kills += 1
        report.kinds[kind] = report.kinds.get(kind, 0) + 1
        if kind == "server":
            server.kill()
            time.sleep(dice.choice((0, 0.05)))
            server.start()
        elif kind == "unanswered":
            server.never_answer_commits(True)
            server.until_a_commit_waits(WAIT_S)
            server.kill()
            server.never_answer_commits(False)
            server.start()
        elif kind == "unwritten":
            server.pause()
            _until_asked(store, life)
            server.kill()
            server.start()
        elif kind == "backend":
            server.kill_a_backend(dice)
        else:
            server.stop_at_once()
            server.start()
    life.over = True


def _until_it_has_worked(life: _Life, steps: int, dice: random.Random) -> None:
    """So many steps, and then a little: the kill comes in the middle of something."""
    until = time.monotonic() + WAIT_S
    number = len(life.states) + steps
    while len(life.states) < number and time.monotonic() < until and not life.over and not life.failures:
        time.sleep(0.005)
    time.sleep(0.02 * dice.random())


def _until_asked(store: PostgresStore, life: _Life) -> None:
    """Until a step waits for the answer of a server that stands still."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and not life.over:
        asked = store._writer._asked
        time.sleep(STILL_S)
        if asked is not None and store._writer._asked == asked:
            return


def _store(url: str, report: ServerKillReport) -> PostgresStore:
    """One that counts how the questions after a lost answer ended."""
    store = PostgresStore(url, reserve_octets=0, commits_kept=COMMITS_KEPT)
    is_written = store._writer._is_written

    def counted(*arguments: Any) -> bool:
        found = is_written(*arguments)
        if found:
            report.found_written += 1
        else:
            report.written_again += 1
        return found

    store._writer._is_written = counted  # type: ignore[method-assign,assignment]  # what is counted is not changed
    return store


def load(url: str, where: str) -> State:
    """What a start finds."""
    store, ledger = PostgresStore(url, reserve_octets=0), Ledger()
    try:
        store.open()
        version = store.load(ledger).facts.get("version", 0)
    except StoreError as error:
        raise BrokenError(f"{where}: a start is refused: {error}") from error
    finally:
        store.close()
    faults = ledger.check()
    if faults:
        raise BrokenError(f"{where}: the books are not sound: {faults}")
    return digest(ledger), version
