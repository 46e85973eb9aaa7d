"""`python -m tools.mutants [MODULE ...]`: see `tools.mutants`."""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tools.mutants import is_harmless, justified
from tools.mutants.changes import Change, changes_of
from tools.mutants.forks import KILLED, NO_TESTS, SURVIVED, TIMEOUT, Forks
from tools.source import ROOT
from tools.torture import results

__all__ = ["main"]

_PACKAGE = ROOT / "src" / "interledger"
_RESULTS = ROOT / "mutants" / "results.json"
_SAVED_EVERY_S = 20
_OPTIONS = ("-s", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""`tools` is imported before pytest can rewrite what it asserts."""
_MAY_LIVE = "may live"
_NOT_RUN = "not run"


class _Results:
    """What is known of each change, in a file to go on from."""

    def __init__(self, changes: Sequence[Change], path: Path) -> None:
        self._path = path
        old: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.outcomes = {change.key: old[change.key] for change in changes if change.key in old}
        self.other = {key: outcome for key, outcome in old.items() if key not in self.outcomes}
        self._done = 0
        self._began = self._saved = time.monotonic()

    def report(self, change: Change, outcome: str) -> None:
        self.outcomes[change.key] = outcome
        self._done += 1
        if outcome in (SURVIVED, NO_TESTS):
            print(f"{outcome}: {change.survivor.where}\n    {change.survivor.change}", flush=True)
        if time.monotonic() - self._saved > _SAVED_EVERY_S:
            self._saved = time.monotonic()
            self.save()
            sys.stderr.write(f"{self._done} run, {self._done / (self._saved - self._began):.1f} a second\n")

    def save(self) -> None:
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(json.dumps(self.other | self.outcomes, indent=0), encoding="utf-8")


def main() -> int:
    """Run what was not run yet, count, and show the survivors that nobody justified. Exit status 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "only", nargs="*", help="modules or functions, with *: 'interledger.accounts.*'; all if left out"
    )
    parser.add_argument("--tests", nargs="+", help="those to run, if not the ones in pyproject.toml")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time (1)")
    parser.add_argument("--again", action="store_true", help="run also what was killed before, and what may live")
    parser.add_argument("--no-run", action="store_true", help="only judge what is known")
    parser.add_argument("--results", type=Path, default=_RESULTS, help="where they are kept, if not in mutants/")
    parser.add_argument("--record", action="store_true", help="add a line to docs/reliability-results.csv")
    asked = parser.parse_args()
    chosen = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutants"]
    changes = [change for path in chosen["modules"] for change in _changes_of(path, asked.only)]
    known = _Results(changes, asked.results)
    reasons = justified()
    may_live = {change.key for change in changes if change.survivor in reasons or is_harmless(change.survivor)}
    waiting = [
        change
        for change in changes
        if asked.again or (known.outcomes.get(change.key) not in (KILLED, TIMEOUT) and change.key not in may_live)
    ]
    began = time.monotonic()
    if waiting and not asked.no_run:
        forks = Forks(waiting, known.report, asked.jobs)
        status = pytest.main([*(asked.tests or chosen["tests"]), "-m", chosen["marks"], *_OPTIONS], [forks])
        known.save()
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return int(status)
    survived = _show(changes, known.outcomes, may_live)
    if asked.record:
        outcome = f"{survived} survived" if survived else "ok"
        results.append("mutants", (0, 0), len(waiting), round(time.monotonic() - began), outcome)
    return 1 if survived else 0


def _changes_of(path: str, only: Sequence[str]) -> list[Change]:
    module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    if only and not any(fnmatch(module, name) or name.startswith(module) for name in only):
        return []
    changes = changes_of(ROOT / path)
    return [c for c in changes if not only or any(fnmatch(c.survivor.where, name + "*") for name in only)]


def _outcome(change: Change, outcomes: dict[str, str], may_live: set[str]) -> str:
    outcome = outcomes.get(change.key, _NOT_RUN)
    if outcome in (KILLED, TIMEOUT):
        return KILLED
    return _MAY_LIVE if change.key in may_live else SURVIVED if outcome == NO_TESTS else outcome


def _show(changes: Sequence[Change], outcomes: dict[str, str], may_live: set[str]) -> int:
    """What has survived, then the figures of each module; how many survived."""
    by_module: dict[str, Counter[str]] = {}
    for change in changes:
        outcome = _outcome(change, outcomes, may_live)
        by_module.setdefault(change.path.relative_to(_PACKAGE).as_posix(), Counter())[outcome] += 1
        if outcome == SURVIVED:
            place = f"{change.path.relative_to(ROOT)}:{change.lines.start}"
            print(f"{place} {change.survivor.where}\n    {change.survivor.change}")
    columns = (KILLED, _MAY_LIVE, SURVIVED, _NOT_RUN)
    print(f"| module | mutants | {' | '.join(columns)} |\n|---|{'---:|' * (len(columns) + 1)}")
    for module, counts in by_module.items():
        print(f"| `{module}` | {counts.total()} | {' | '.join(str(counts[column]) for column in columns)} |")
    sums = sum(by_module.values(), Counter[str]())
    print(f"| all | {sums.total()} | {' | '.join(str(sums[column]) for column in columns)} |")
    return sums[SURVIVED]


if __name__ == "__main__":
    sys.exit(main())
