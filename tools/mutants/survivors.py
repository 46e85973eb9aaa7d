"""Changes that no test notices, and those that may be: `tools/surviving_mutants.toml`."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

from tools.source import ROOT

__all__ = ["SURVIVORS_FILE", "Survivor", "is_harmless", "justified"]

SURVIVORS_FILE = ROOT / "tools" / "surviving_mutants.toml"

_SENTENCE = re.compile(r'"[^"]+ [^"]+"')


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


def is_harmless(survivor: Survivor) -> bool:
    """Whether nothing depends on what was changed, by its kind: the wording of a sentence for people; `"big"` left out,
    which has been the default since Python 3.11.
    """
    before, _, after = survivor.change.partition(" -> ")
    other_words = bool(_SENTENCE.search(before)) and after.replace("XX", "").lower() == before.lower()
    return other_words or before.replace(', "big")', ", )") == after.replace(', "big")', ", )")
