"""A PostgreSQL server that is killed under a store that writes: some here, more with `python -m tools.torture`."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.support.postgres import missing_postgres
from tools.torture.cuts import BrokenError

KILLS = 24


@pytest.fixture(autouse=True)
def _needs_postgres() -> None:
    why = missing_postgres()
    if why is not None:
        pytest.skip(why)
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)


@pytest.mark.slow
def test_J1_after_a_kill_of_the_server_the_books_are_those_of_a_step_that_no_effect_is_ahead_of(postgres: Any) -> None:
    from tools.torture.postgres_kills import KINDS, ServerKillReport, kill_servers

    report = ServerKillReport()
    for seed in range(3):
        kill_servers(postgres, seed, KILLS // 3, report)
    assert report.kills >= KILLS
    assert report.steps > 50
    # What never occurred was not tested.
    assert set(report.kinds) == set(KINDS)
    assert report.found_written > 0
    assert report.written_again > 0


@pytest.mark.slow
@pytest.mark.parametrize(("guess", "kind"), [(True, "unwritten"), (False, "unanswered")])
def test_the_judge_finds_a_store_that_guesses(
    postgres: Any, monkeypatch: pytest.MonkeyPatch, guess: bool, kind: str
) -> None:
    """A lost answer taken for yes loses commits; taken for no, it writes one twice, or believes that it may not."""
    from interledger.store.postgres_writer import Writer
    from tools.torture import postgres_kills

    monkeypatch.setattr(Writer, "_is_written", lambda *arguments: guess)
    monkeypatch.setattr(postgres_kills, "KINDS", (kind,))
    with pytest.raises(BrokenError):
        # Each of these kills makes it guess wrong, unless the node dies with the server: about one of three does.
        postgres_kills.kill_servers(postgres, 100 + guess, 60, postgres_kills.ServerKillReport())
