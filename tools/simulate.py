"""Run seeds of the simulation, books in SQLite included: `make sim SEED=n`.

    python -m tools.simulate --seed 7                    # one run, what it is made of, and what it came to
    python -m tools.simulate --seeds 200 --first 1000    # many, on all cores, with the table of what they met
    python -m tools.simulate --seeds 2000 --page         # and the table as docs/reference/simulation-coverage.md

The same seed is the same run: its hash of all journals is the same on any machine. Exit code 1 when something broke.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from interledger.sim.campaign import Campaign, run_campaign, run_seeds
from interledger.sim.options import draw_options
from tools.source import ROOT
from tools.torture.results import revision
from tools.torture.sim_storage import make_storage

__all__ = ["PAGE", "main", "page_of"]

PAGE = ROOT / "docs" / "reference" / "simulation-coverage.md"


def main(arguments: list[str] | None = None) -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, help="one run, with all its figures")
    parser.add_argument("--seeds", type=int, default=200, help="that many runs")
    parser.add_argument("--first", type=int, default=0, help="from this seed on")
    parser.add_argument("--processes", type=int, help="how many at a time; default: one for each core")
    parser.add_argument("--page", nargs="?", type=Path, const=PAGE, help="write the table to this page; default: docs/")
    options = parser.parse_args(arguments)
    campaign = Campaign()
    if options.seed is not None:
        print(f"seed {options.seed}: {draw_options(options.seed)}")
        campaign = run_seeds([options.seed], make_storage)
    else:
        for campaign in run_campaign(options.first, options.seeds, make_storage, options.processes):  # used after it
            if sys.stderr.isatty():
                print(f"\r{campaign.seeds:,} seeds", end="", file=sys.stderr, flush=True)
    for breach in campaign.breaches:
        print(breach, file=sys.stderr)
    print(campaign)
    if options.seed is not None:
        print(f"journals {''.join(campaign.fingerprints.values())}")
    else:
        print(campaign.coverage.table())
    if options.page is not None:
        options.page.write_text(page_of(str(campaign), campaign.coverage.table(), revision()), encoding="utf-8")
    return 1 if campaign.breaches else 0


def page_of(summary: str, table: str, at: str) -> str:
    """What seeds met, as a page: the sum of their figures, and the table. `at`: the revision that ran."""
    return f"""# What the simulation met

The seeds of the test ([Reliability](../reliability.md#simulated-networks)), counted packet by packet at revision {at}.
Written by `python -m tools.simulate --seeds 2000 --page`.

{summary}.

A packet that was never held had no money, was refused, or never arrived. “Executed” as a state: the fulfillment was
written when the fault came; with adversaries, also that the packet had its outcome before.

{table.strip()}
"""


if __name__ == "__main__":
    sys.exit(main())
