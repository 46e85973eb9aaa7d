"""How long a client waits before it dials again."""

from __future__ import annotations

from typing import Final, final

from interledger.clock import Entropy

__all__ = ["ASKING_DELAY_MAX_MS", "RECONNECT_DELAYS_MS", "REFUSED_DELAY_MS", "Backoff"]

RECONNECT_DELAYS_MS: Final = (0, 100, 500, 1_000, 2_000, 5_000)
"""The waits of the JavaScript plugin, before the first attempt after a loss, the second, ...; the last one repeats."""

ASKING_DELAY_MAX_MS: Final = 250
"""No wait is longer while requests are open that the peer answers again on a new connection (BTP/2.0-I): each wait
costs packets their time. No new ones are taken without a connection: this lasts as long as the last of them lives."""

REFUSED_DELAY_MS: Final = 30_000
"""When the server refused our token: RFC 23 forbids to retry a final error, and yet its operator may correct it."""


@final
class Backoff:
    """Counts attempts. `delay_ms` before each, then `ended` when it is known what became of it."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._attempt = 0
        self._refused = False

    def delay_ms(self, *, asking: bool = False) -> int:
        """Milliseconds to wait now, a quarter more or less: the peers of a node that restarts must not dial at once.

        `asking`: requests are open that a new connection may bring the answers to.
        """
        base = RECONNECT_DELAYS_MS[min(self._attempt, len(RECONNECT_DELAYS_MS) - 1)]
        if asking:
            base = min(base, ASKING_DELAY_MAX_MS)
        if self._refused:
            base = REFUSED_DELAY_MS
        self._attempt += 1
        jitter = int.from_bytes(self._entropy.octets(2), "big")
        return base * 3 // 4 + base * jitter // (2 * 0xFFFF)

    def ended(self, *, opened_ms: int | None, refused: bool) -> None:
        """The attempt is over. `opened_ms`: how long the connection was of use, None if never. `refused`: for good.

        Only a connection that lasted counts as a success: two nodes with one name, each replacing the other's
        connection, would dial without a pause otherwise.
        """
        self._refused = refused
        if opened_ms is not None and opened_ms >= RECONNECT_DELAYS_MS[-1]:
            self._attempt = 0
