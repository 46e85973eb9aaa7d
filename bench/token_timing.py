"""Whether the time of a refusal tells anything about a token: wrong tokens beside wrong tokens, by Welch's t.

Two groups of wrong tokens are presented in a random order: made up ones, and ones whose SHA-256 agrees with the good
token's in its first octets (as far as guessing goes). Were digests compared octet by octet, and could that be seen, the
second group would take longer. Each token has a time of its own (where its digest falls in the table), so tokens are
compared by their means, not samples: |t| stays below 4.5 where the groups cannot be told apart (2 x 10^5 samples).

    python bench/token_timing.py [samples]
"""

from __future__ import annotations

import hashlib
import random
import statistics
import sys
import time
from dataclasses import replace
from typing import Final

from interledger.accounts.account import Account, AccountId, LinkSettings
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.link.http.protocol import Presented
from interledger.node.credentials import Credentials

GOOD: Final = "the-token-that-is-good-0123456789abcdef"
T_MAX: Final = 4.5
TOKENS_MAX: Final = 64
"""In each group."""


def near_misses(count: int) -> list[str]:
    """Tokens whose digest begins like the good one's: two octets are what some seconds of guessing give."""
    wanted = hashlib.sha256(GOOD.encode()).digest()[:2]
    found: list[str] = []
    number = 0
    while len(found) < count:
        number += 1
        text = f"near-{number:036d}"
        if hashlib.sha256(text.encode()).digest()[:2] == wanted:
            found.append(text)
    return found


def welch(one: list[float], other: list[float]) -> float:
    """The t of two samples whose variances may differ."""
    variance = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.mean(one) - statistics.mean(other)) / variance**0.5


def main() -> int:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    base = Account(id=AccountId("a"), asset=Asset("USD", 9), ilp_address=Address("test.a"))
    credentials = Credentials(None, lambda: sys.exit("no signed tokens here"))
    for number in range(100):
        digest = hashlib.sha256((GOOD if not number else f"other-{number}").encode()).hexdigest()
        link = LinkSettings(http_incoming_token_digest=digest)
        credentials.add(replace(base, id=AccountId(f"peer{number}"), link=link), Timestamp(0))
    near, chance = near_misses(max(2, min(TOKENS_MAX, samples // 1_000))), random.Random(1)
    far = [f"fara-{chance.randrange(10**36):036d}" for _ in near]
    times: dict[str, list[int]] = {token: [] for token in (*near, *far)}
    tokens = list(times)
    clock, admit, now = time.perf_counter_ns, credentials.admit_http, Timestamp(0)
    for _ in range(samples):
        token = chance.choice(tokens)
        presented = Presented(token)
        began = clock()
        admit(presented, now)
        times[token].append(clock() - began)
    # The slowest hundredth is the machine's: interrupts, other programs.
    limit = statistics.quantiles([one for found in times.values() for one in found], n=100)[-1]
    means = {token: statistics.mean([one for one in found if one <= limit]) for token, found in times.items()}
    t = welch([means[token] for token in near], [means[token] for token in far])
    verdict = "cannot be told apart" if abs(t) < T_MAX else "differ"
    print(f"{samples} refusals of {statistics.median(means.values()):.0f} ns: t = {t:+.2f}, the two groups {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
