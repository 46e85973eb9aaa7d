"""Fetches the public keys by which peers' signed tokens are checked: in the background, bounded, from public places."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, final

from interledger.clock import Clock
from interledger.errors import DecodeError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import FetchError, fetch

if TYPE_CHECKING:
    from interledger.link.jwt.protocol import JwtVerifier, KeySets

__all__ = ["KeyFetcher"]

logger = logging.getLogger("interledger.node")

FETCH_TIMEOUT_MS: Final = 5_000
KEY_SET_OCTETS_MAX: Final = 65_536
"""A key has 500 octets, one with its certificates some thousand."""


@final
class KeyFetcher:
    """Owns the requests. A packet never waits for one."""

    def __init__(self, clock: Clock, *, development: bool) -> None:
        self._clock = clock
        self._egress = EgressPolicy(development=development)
        self._key_sets: KeySets | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def verifier(self) -> JwtVerifier:
        """What checks signed tokens, with the keys that are fetched here."""
        from interledger.link.jwt.protocol import JwtVerifier, KeySets

        self._key_sets = KeySets(self._ask)
        return JwtVerifier(self._key_sets)

    async def stop(self) -> None:
        """Ask no more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ask(self, url: str) -> None:
        task = asyncio.get_running_loop().create_task(self._fetch(url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, url: str) -> None:
        from interledger.link.jwt.messages import parse_key_set

        key_sets = self._key_sets
        if key_sets is None:
            return
        try:
            answer = await fetch(
                "GET", url, timeout_ms=FETCH_TIMEOUT_MS, limit_octets=KEY_SET_OCTETS_MAX, egress=self._egress
            )
            if answer.status != 200:
                raise DecodeError(f"HTTP {answer.status}")
            key_sets.put(url, parse_key_set(answer.body), self._clock.now())
        except (FetchError, DecodeError) as error:
            logger.warning("the keys of %s cannot be had: %s", url, error)
        finally:
            key_sets.failed(url)
