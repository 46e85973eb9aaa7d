"""Where a static route leads, as people write it: one account, several that share, and who stands in for them.

bob                  everything to bob
bob:3,carol:1        three packets of four to bob, one to carol
bob,carol/dave       to bob and carol in turn; to dave while neither can take a packet
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from interledger.accounts.account import parse_account_id
from interledger.errors import InvalidRequestError
from interledger.routing.table import Origin, Route

__all__ = ["TARGETS_MAX", "WEIGHT_MAX", "format_targets", "parse_targets"]

TARGETS_MAX: Final = 16
"""Accounts of one prefix: each is looked at, at worst, for every packet."""

WEIGHT_MAX: Final = 100
"""A share is a number of turns, and the order of turns is kept in memory."""

_WEIGHT: Final = re.compile(r"[1-9][0-9]{0,2}")


def parse_targets(prefix: str, text: str) -> tuple[Route, ...]:
    """The static routes of `prefix`. Raises `InvalidRequestError`, which says what is wrong."""
    routes: list[Route] = []
    for priority, group in enumerate(text.split("/")):
        for member in group.split(","):
            name, colon, weight = member.partition(":")
            if colon and (_WEIGHT.fullmatch(weight.strip()) is None or int(weight) > WEIGHT_MAX):
                raise InvalidRequestError(f"“{member}”: a weight is a number from 1 to {WEIGHT_MAX}", prefix)
            account = parse_account_id(name.strip())
            routes.append(Route(prefix, account, Origin.STATIC, int(weight) if colon else 1, priority))
    names = [route.account for route in routes]
    if len(set(names)) < len(names):
        raise InvalidRequestError(f"“{text}” names an account twice", prefix)
    if len(names) > TARGETS_MAX:
        raise InvalidRequestError(f"“{text}” has more than {TARGETS_MAX} accounts", prefix)
    return tuple(routes)


def format_targets(routes: Iterable[Route]) -> str:
    """The text again, in one form: `parse_targets` reads the same routes from it."""
    groups: dict[int, list[str]] = {}
    for route in sorted(routes, key=lambda one: (one.priority, one.account)):
        weight = "" if route.weight == 1 else f":{route.weight}"
        groups.setdefault(route.priority, []).append(route.account + weight)
    return "/".join(",".join(members) for _, members in sorted(groups.items()))
