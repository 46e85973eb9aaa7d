"""What came of checking the link to a peer: a line per question, for people and for programs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from interledger.accounts.account import AccountId

__all__ = ["CheckItem", "CheckReport", "Verdict"]


class Verdict(enum.StrEnum):
    """How one question was answered."""

    OK = "ok"
    WARNING = "warning"
    """It works; somebody should look at it."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """The peer does not offer it, or something before it failed."""


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One question: its name, the verdict, and a sentence."""

    name: str
    verdict: Verdict
    detail: str

    def as_document(self) -> dict[str, str]:
        """For JSON."""
        return {"name": self.name, "verdict": self.verdict.value, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All questions about one account's link, in the order they were asked."""

    account: AccountId
    items: tuple[CheckItem, ...]

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return all(item.verdict is not Verdict.FAILED for item in self.items)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {"account": self.account, "good": self.good, "items": [item.as_document() for item in self.items]}
