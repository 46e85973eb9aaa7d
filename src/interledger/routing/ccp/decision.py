"""Which route a node uses for each prefix, and what it announces of it: decided prefix by prefix, a few at a time.

Everything that changes something only marks prefixes (`reconsider`); `decide` works them off. What comes out is a
function of what is known then, not of the order in which it came.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.routing.ccp.log import Export, ForwardingLog
from interledger.routing.ccp.policy import LearnedRoute, LocalRoute, ancestors, best_of, export_of, is_covered

__all__ = ["Decisions", "Heard"]

NOBODY: Final = AccountId("/nobody")
"""Whose a prefix is that anybody may announce. No account can have the name."""


class Heard(NamedTuple):
    """What a peer announces now, and what it is to us."""

    relation: Relation
    routes: Mapping[str, LearnedRoute]


@final
class Decisions:
    """`heard(account)`: what it announces, None for one that announces nothing. `on_best(prefix, account, route)` hears
    of every change in what was learned; no route: there is none any more. `on_theft(account, prefix, owner)`: a peer
    announces what is ours (None) or a child's. `secret`: from which the auth of our own routes is derived.
    """

    def __init__(
        self,
        own_address: str,
        secret: bytes,
        log: ForwardingLog,
        *,
        heard: Callable[[AccountId], Heard | None],
        on_best: Callable[[str, AccountId | None, LearnedRoute | None], None],
        on_theft: Callable[[AccountId, str, AccountId | None, Timestamp], None],
    ) -> None:
        self._own = own_address
        self._secret = secret
        self._log = log
        self._heard = heard
        self._on_best = on_best
        self._on_theft = on_theft
        self._down: set[AccountId] = set()
        self._local: dict[str, tuple[LocalRoute, ...]] = {}
        self._led: dict[AccountId, list[str]] = {}
        """Account -> prefixes of local routes that lead to it."""
        self._owners: dict[str, AccountId | None] = {}
        self._holders: dict[str, dict[AccountId, None]] = {}
        """Who announces, or lately announced, a prefix."""
        self._best: dict[str, tuple[AccountId, LearnedRoute]] = {}
        self._below: dict[str, dict[str, None]] = {}
        """Prefix -> known prefixes that it covers."""
        self._waiting: dict[str, None] = {}
        self._batches: deque[Iterator[str]] = deque()

    # ------------------------------------------------------------------ what changes

    def set_address(self, own_address: str) -> None:
        """Our address changed: every path does."""
        self._own = own_address
        self.reconsider(list({**self._holders, **self._local}))

    def set_local(self, routes: Mapping[str, Sequence[LocalRoute]], owners: Mapping[str, AccountId | None]) -> None:
        """All routes that begin here, the preferred one of a prefix first.

        `owners`: prefixes that are ours (None) or a child's, which nobody else may announce, nor anything below.
        """
        old, self._local = self._local, {prefix: tuple(several) for prefix, several in routes.items()}
        self._waiting.update((p, None) for p in {**old, **self._local} if old.get(p) != self._local.get(p))
        self._led = {}
        for prefix, several in self._local.items():
            for route in several:
                if route.account is not None:
                    self._led.setdefault(route.account, []).append(prefix)
        if owners != self._owners:
            self._owners = dict(owners)
            self.reconsider(list(self._holders))

    def set_down(self, account: AccountId, *, is_down: bool) -> None:
        """Whether packets reach the account. While they do not, local routes over it are not announced."""
        if is_down != (account in self._down):
            (self._down.add if is_down else self._down.discard)(account)
            self.reconsider(list(self._led.get(account, ())))

    def announced(self, account: AccountId, prefixes: Iterable[str]) -> None:
        """The account says something new of these."""
        for prefix in prefixes:
            self._holders.setdefault(prefix, {})[account] = None
            self._waiting[prefix] = None

    def reconsider(self, prefixes: Collection[str]) -> None:
        """Something may be different about these. They are not copied: let nobody change them."""
        if prefixes:
            self._batches.append(iter(prefixes))

    # ------------------------------------------------------------------ working it off

    @property
    def is_busy(self) -> bool:
        """Whether prefixes wait."""
        return bool(self._waiting or self._batches)

    def decide(self, count: int, now: Timestamp) -> None:
        """Decide on at most `count` prefixes."""
        for _ in range(count):
            prefix = self._next()
            if prefix is None:
                return
            self._decide(prefix, now)

    def _next(self) -> str | None:
        while self._batches:
            prefix = next(self._batches[0], None)
            if prefix is not None:
                self._waiting.pop(prefix, None)
                return prefix
            self._batches.popleft()
        if not self._waiting:
            return None
        prefix = next(iter(self._waiting))
        del self._waiting[prefix]
        return prefix

    def _decide(self, prefix: str, now: Timestamp) -> None:
        best, before = self._best_learned(prefix, now), self._best.get(prefix)
        if best is None and before is not None:
            del self._best[prefix]
            self._on_best(prefix, None, None)
        elif best is not None and best != before:
            self._best[prefix] = best
            self._on_best(prefix, *best)
        self._index(prefix)
        if self._log.put(prefix, self._export_of(prefix, best)):
            self._waiting.update(self._below.get(prefix, {}))

    # ------------------------------------------------------------------ the best that was learned

    def _best_learned(self, prefix: str, now: Timestamp) -> tuple[AccountId, LearnedRoute] | None:
        candidates = self._candidates(prefix)
        if not candidates:
            return None
        owner = self._owner_of(prefix)
        if owner != NOBODY:
            for account, (_, route) in candidates.items():
                if account != owner and self._own not in route.path:
                    self._on_theft(account, prefix, owner, now)
            candidates = {account: found for account, found in candidates.items() if account == owner}
        return best_of(candidates, self._own)

    def _candidates(self, prefix: str) -> dict[AccountId, tuple[Relation, LearnedRoute]]:
        """What is announced of `prefix`. Whoever announces it no longer is forgotten on the way."""
        holders = self._holders.get(prefix, {})
        candidates: dict[AccountId, tuple[Relation, LearnedRoute]] = {}
        for account in list(holders):
            heard = self._heard(account)
            route = None if heard is None else heard.routes.get(prefix)
            if heard is None or route is None:
                del holders[account]
            else:
                candidates[account] = heard.relation, route
        if not holders:
            self._holders.pop(prefix, None)
        return candidates

    def _owner_of(self, prefix: str) -> AccountId | None:
        """C1: whose the prefix is, ours (None) or a child's; else `NOBODY`."""
        for cover in (prefix, *ancestors(prefix)):
            if cover in self._owners:
                return self._owners[cover]
        return NOBODY

    # ------------------------------------------------------------------ what is announced

    def _export_of(self, prefix: str, best: tuple[AccountId, LearnedRoute] | None) -> Export | None:
        """Of the first local route whose link is up, else of the best that was learned."""
        export: Export | None = None
        for local in self._local.get(prefix, ()):
            if local.account not in self._down:
                auth = hmac.digest(self._secret, prefix.encode(), "sha256")
                export = export_of(prefix, (local.account, local.relation), local.path, auth, (), self._own)
                break
        else:
            if best is not None:
                account, route = best
                heard = self._heard(account)
                if heard is not None:
                    over = account, heard.relation
                    export = export_of(prefix, over, route.path, route.auth, route.props, self._own)
        if export is None or export.account is None:
            return export
        return None if is_covered(prefix, export.relation, self._log.get, self._is_known) else export

    def _is_known(self, prefix: str) -> bool:
        return prefix in self._best or prefix in self._local

    def _index(self, prefix: str) -> None:
        known = self._is_known(prefix)
        for cover in ancestors(prefix):
            if known:
                self._below.setdefault(cover, {})[prefix] = None
            elif (below := self._below.get(cover)) is not None:
                below.pop(prefix, None)
                if not below:
                    del self._below[cover]
