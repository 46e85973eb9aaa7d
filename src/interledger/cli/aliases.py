"""The commands of interledger-rs's `ilp-cli`, as they are spelled here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["ALIASES", "GONE", "translate"]

ALIASES: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("accounts", "list"): ("account", "list"),
    ("accounts", "create"): ("account", "create"),
    ("accounts", "info"): ("account", "show"),
    ("accounts", "balance"): ("balance",),
    ("accounts", "update"): ("account", "set"),
    ("accounts", "update-settings"): ("account", "set"),
    ("accounts", "delete"): ("account", "delete"),
    ("rates", "list"): ("rate", "list"),
    ("rates", "set-all"): ("rate", "set", "--replace"),
    ("routes", "list"): ("route", "list"),
    ("routes", "set"): ("route", "set"),
    ("routes", "set-all"): ("route", "set", "--replace"),
    ("accounts", "incoming-payments"): ("payment", "incoming"),
    ("payments", "incoming"): ("payment", "incoming"),
    ("settlement-engines", "set-all"): ("settlement", "engines", "--replace"),
    ("logs",): ("node", "log-level"),
}
"""`pay` and `status` are the same words in both; `pay` takes ilp-cli's options too."""

GONE: Final[dict[tuple[str, ...], str]] = {
    (
        "testnet",
        "setup",
    ): "The service that  testnet setup  asked does not exist any more. A network of your own:  ilp dev up"
}
"""What has no counterpart, and what to do."""

ASKS: Final = ("accounts",)
"""ilp-cli asks nothing: what asks here is answered for its users' scripts."""


def translate(args: Sequence[str]) -> tuple[list[str], str]:
    """The arguments in our spelling, and that spelling for a note; the same and nothing when they are ours already."""
    theirs = next((words for words in (tuple(args[:2]), tuple(args[:1])) if words in ALIASES), ())
    if not theirs:
        return list(args), ""
    ours = ALIASES[theirs]
    rest = [part for part in args[len(theirs) :] if part not in ("--pair", "--destination")]
    if args[0] in ASKS and args[1] in ("update", "update-settings", "delete"):
        rest.append("--yes")
    return [*ours, *rest], "ilp " + " ".join(word for word in ours if not word.startswith("--"))
