"""Run seeds of the simulation, books in SQLite included: `make sim SEED=n`.

    python -m tools.simulate --seed 7                    # one run, what it is made of, and what it came to
    python -m tools.simulate --seeds 200 --first 1000    # many, on all cores, with the table of what they met

The same seed is the same run: its hash of all journals is the same on any machine. Exit code 1 when something broke.
"""

from __future__ import annotations

import argparse
import sys

from interledger.sim.campaign import Campaign, run_campaign, run_seeds
from interledger.sim.options import draw_options
from tools.torture.sim_storage import make_storage

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, help="one run, with all its figures")
    parser.add_argument("--seeds", type=int, default=200, help="that many runs")
    parser.add_argument("--first", type=int, default=0, help="from this seed on")
    parser.add_argument("--processes", type=int, help="how many at a time; default: one for each core")
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
    return 1 if campaign.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
