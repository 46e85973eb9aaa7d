"""Are the tests of the money core able to fail? `python -m tools.mutants` changes its code in every small way there is.

mutmut makes the changes, one at a time, and runs the tests that reach the changed function. A change that no test
notices is a survivor: it is killed by a new test, or it stands in `surviving_mutants.toml` with the reason why it may
live. The files and the tests are in pyproject.toml, `[tool.mutmut]`. Results stay in `mutants/`, to go on from.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections import Counter
from typing import NamedTuple

from tools.source import ROOT

__all__ = ["SURVIVORS_FILE", "Survivor", "change_of", "is_harmless", "justified", "main"]

SURVIVORS_FILE = ROOT / "tools" / "surviving_mutants.toml"

_RESULT = re.compile(r" *(?P<name>\S+): (?P<status>[a-z ]+)")
_SENTENCE = re.compile(r'"[^"]+ [^"]+"')
_KILLED = ("killed", "timeout", "segfault", "caught by type check")


class Survivor(NamedTuple):
    """A change that no test noticed."""

    where: str
    """Module and function: `interledger.accounts.ledger.Ledger.hold`."""
    change: str
    """`line before -> line after`."""


def justified() -> dict[Survivor, str]:
    """The changes that may live, each with its reason."""
    listed = tomllib.loads(SURVIVORS_FILE.read_text(encoding="utf-8"))
    return {Survivor(where, change): reason for where, changes in listed.items() for change, reason in changes.items()}


def change_of(name: str, diff: str) -> Survivor:
    """What mutmut's `show` says of the mutant `name`, as an entry of the list."""
    where = re.sub(r"__mutmut_\d+$", "", name)
    where = re.sub(r"\.xǁ(\w+?)ǁ", r".\1.", where)
    where = re.sub(r"\.x_(\w+)$", r".\1", where)
    lines = diff.splitlines()
    before = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    after = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return Survivor(where, f"{' '.join(before)} -> {' '.join(after)}")


def is_harmless(survivor: Survivor) -> bool:
    """Whether nothing depends on what was changed, by its kind: the wording of a sentence for people; `"big"` left out,
    which has been the default since Python 3.11.
    """
    before, _, after = survivor.change.partition(" -> ")
    other_words = bool(_SENTENCE.search(before)) and after.replace("XX", "").lower() == before.lower()
    return other_words or before.replace(', "big")', ", )") == after.replace(', "big")', ", )")


def main() -> int:
    """Run what was not run yet, count, and show the survivors that nobody justified. Exit status 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", help="names of mutants, with *; all of them if left out")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--no-run", action="store_true", help="only judge what the last run found")
    asked = parser.parse_args()
    if not asked.no_run:
        subprocess.run([*_MUTMUT, "run", "--max-children", str(asked.jobs), *asked.only], cwd=ROOT, check=True)
    found = [match for match in map(_RESULT.fullmatch, _output("results", "--all", "true").splitlines()) if match]
    statuses = Counter(match["status"] for match in found)
    alive = [match["name"] for match in found if match["status"] not in (*_KILLED, "not checked")]
    reasons = justified()
    survivors = [change_of(name, _output("show", name)) for name in alive]
    unexplained = [each for each in survivors if each not in reasons and not is_harmless(each)]
    for where, change in unexplained:
        print(f"{where}\n    {change}")
    killed = sum(statuses[status] for status in _KILLED)
    print(
        f"{killed} mutants killed, {len(survivors) - len(unexplained)} may live, {len(unexplained)} have survived, "
        f"{statuses['not checked']} were not run"
    )
    return 1 if unexplained else 0


_MUTMUT = (sys.executable, "-m", "mutmut")


def _output(*arguments: str) -> str:
    return subprocess.run([*_MUTMUT, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
