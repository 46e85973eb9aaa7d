"""Can the tests of the money core fail? `python -m tools.mutants` changes its code in every small way there is.

mutmut's rules say what is changed (`changes.py`); `forks.py` makes one change at a time, in a fork of a process that
has collected the tests once, and runs those that reach the changed line, the quick ones first. A change that no test
notices is a survivor: it is killed by a new test, or it stands in `surviving_mutants.toml` with the reason why it may
live. The files and the tests are in pyproject.toml, `[tool.mutants]`. Results stay in `mutants/`, to go on from.
"""

from __future__ import annotations

from tools.mutants.survivors import SURVIVORS_FILE, Survivor, is_harmless, justified

__all__ = ["SURVIVORS_FILE", "Survivor", "is_harmless", "justified"]
