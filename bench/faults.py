"""What links of each kind deliver when the network fails: `python -m bench.faults [packets [seeds]]`.

Every row is a network that fails in one way, every column a kind of link, every figure the share of the fulfills made
by the receiver that the sender got before expiry. Each run also checks that every packet has one outcome, is charged
once, and that both books agree but for what is listed as unknown. Prints the table of docs/explanation/links.md.
"""

from __future__ import annotations

import asyncio
import sys

from tests.support.fault_proxy import Faults
from tests.support.faulty_links import KINDS, send_over

NETWORKS = {
    "no faults": Faults(),
    "answers get lost": Faults(lose=1.0),
    "connections are cut": Faults(cut=1.0),
    "half of a connection closes": Faults(half_close=1.0),
    "silence (1 in 5), refusals (1 in 5)": Faults(drop=0.2, refuse=0.2, lose=0.1),
    "all that is sent comes twice": Faults(duplicate=1.0),
    "all of these, and delays": Faults(drop=0.1, refuse=0.1, cut=0.25, lose=0.25, half_close=0.15, delay=0.15),
}


WITHOUT_IDS = ("http", "btp")
"""Kinds of link on which nothing tells a repetition from another packet: they are not asked to."""


async def share(kind: str, faults: Faults, packets: int, seeds: int) -> tuple[int, int, int]:
    """(fulfills made, fulfills delivered, packets sent) over all seeds."""
    made = delivered = 0
    for seed in range(seeds):
        result = await send_over(kind, faults, seed=seed, packets=packets)
        result.check()
        made += len(result.charged_there)
        delivered += len(result.charged_here)
    return made, delivered, packets * seeds


async def main(packets: int, seeds: int) -> None:
    """The table, a row at a time."""
    sys.stdout.write(f"| the network | {' | '.join(KINDS)} |\n|---|{'---|' * len(KINDS)}\n")
    for name, faults in NETWORKS.items():
        cells = []
        for kind in KINDS:
            if faults.duplicate and kind in WITHOUT_IDS:
                cells.append("no ids")
                continue
            made, delivered, sent = await share(kind, faults, packets, seeds)
            cells.append(f"{delivered / made:.0%} of {made}" if made else f"none of {sent} arrived")
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:3]]
    asyncio.run(main(*(given + [100, 2][len(given) :])))
