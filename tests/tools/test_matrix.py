"""The failpoint matrix: a share of its cases here, all of them with `python -m tools.torture --matrix`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.ledger import Hold, Ledger
from interledger.connector.forward import Connector
from tests.support.at_once import send_at_once
from tools.torture import trio, vfs
from tools.torture.__main__ import main
from tools.torture.disk import Disk
from tools.torture.matrix import WORKLOADS, MatrixReport, cases_of, run_case, run_matrix
from tools.torture.verdict import BreachError

pytestmark = pytest.mark.skipif(not vfs.is_available(), reason="this Python's SQLite cannot be given a file system")

EVERY = 7
"""Odd, so that each kind of death meets each kind of recovery."""


@pytest.mark.slow
def test_J1_J2_wherever_a_node_dies_the_books_agree_or_differ_by_unknown_items() -> None:
    report = run_matrix(EVERY)
    assert report.cases > 700
    # What never happened was not tested.
    assert report.died_again > 100
    assert {"before turn", "before octets", "a Prepare leaves", "a reply leaves", "write commits.log"} <= set(
        report.whats
    )
    verdict = report.verdict
    assert min(verdict.executed, verdict.released, verdict.unknown, verdict.differing, verdict.posted) > 100


def test_the_points_of_a_run_are_the_same_every_time(tmp_path: Path) -> None:
    first, again = MatrixReport(), MatrixReport()
    for report in (first, again):
        for case in cases_of("journal", "hub", tmp_path)[::50]:
            run_case(case, tmp_path, report)
    assert first == again


# ---------------------------------------------------------------------- without a rule, the judge finds it


def restart_releases(patch: pytest.MonkeyPatch) -> None:
    """A restart voids what was held: the rule of interledger-rs."""

    def recover(self: Ledger) -> None:
        for hold in list(self.holds.values()):
            self.release(hold)

    patch.setattr(trio, "recover", recover)


def timeout_is_a_rejection(patch: pytest.MonkeyPatch) -> None:
    def give_up(self: Connector, flight: Any, reject: Any) -> None:
        self.ledger.release(flight.hold)
        flight.incoming.link.send_reply(flight.request_id, reject)

    patch.setattr(Connector, "_give_up", give_up)


def speak_before_you_write(patch: pytest.MonkeyPatch) -> None:
    send_at_once(patch, "prepares")


def relay_before_you_write(patch: pytest.MonkeyPatch) -> None:
    send_at_once(patch, "replies")


def no_write_through(patch: pytest.MonkeyPatch) -> None:
    write = Disk.write
    patch.setattr(Disk, "write", lambda *a, through=False: write(*a))


def forgotten_hold(patch: pytest.MonkeyPatch) -> None:
    """A restart that drops what it does not know."""

    def recover(self: Ledger) -> None:
        for hold in list(self.holds.values()):
            if isinstance(hold, Hold):
                self.release(hold)
        for item in list(self.unknown.values()):
            self.unknown.remove(item)

    patch.setattr(trio, "recover", recover)


@pytest.mark.parametrize(
    ("without", "breach"),
    [
        (restart_releases, "17 "),
        (timeout_is_a_rejection, "17 "),
        (speak_before_you_write, "17 "),
        (relay_before_you_write, "(10|17) "),
        (no_write_through, "1[078] |start is refused"),
        (forgotten_hold, "17 "),
    ],
)
def test_the_judge_finds_what_is_wrong(without: Callable[[pytest.MonkeyPatch], None], breach: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without(patch)
        with pytest.raises(BreachError, match=breach):
            run_matrix(3, ["cut off", "forward"])


def test_a_case_that_breaks_is_named(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        restart_releases(patch)
        with pytest.raises(BreachError, match=r"^Case\(workload='cut off', victim='alice', point=\d+, power=.*\): 17 "):
            run_matrix(1, ["cut off"])


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    assert main(["--matrix", "--every", "401", "--record", "--results", str(path)]) == 0
    assert "cases of the matrix" in capsys.readouterr().out
    assert "matrix," in path.read_text()
    assert len(WORKLOADS) == 5
