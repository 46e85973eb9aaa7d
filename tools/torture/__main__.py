"""Power cuts and kills, for as long as one likes.

    python -m tools.torture --cuts 20000            # a store, cut at any of its requests of the disk
    python -m tools.torture --cuts 20000 --record   # and add the run to docs/reliability-results.csv
    python -m tools.torture --cuts 100 --seed 4711  # the same seeds give the same cuts
    python -m tools.torture --kills 200             # three real nodes under load, kill -9
    python -m tools.torture --seeds 20000           # the simulated network, 500 seeds a line
    python -m tools.torture --server-kills 500      # a PostgreSQL server under a store, kill -9
    python -m tools.torture --kills 50 --postgres   # three real nodes on PostgreSQL; the server is killed too
    python -m tools.torture --matrix                # a node dies at every single step of some packets' journeys
    python -m tools.torture --flips                 # a flipped bit in every octet of a store's files

Without `--seed` a run goes on where the last recorded one ended. Exit code 1 when something broke.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from interledger.sim.campaign import Campaign, run_campaign
from tools.torture import results
from tools.torture.cuts import BrokenError, CutReport, cut_seeds, quick_place
from tools.torture.flips import flip_bits
from tools.torture.kills import kill_nodes
from tools.torture.matrix import run_matrix
from tools.torture.sim_storage import make_storage

__all__ = ["main"]

CHUNK = 1_000
"""Cuts between two lines of progress, each a run of its own in the results."""

SEEDS_CHUNK = 500
"""The same for seeds of the simulation."""

SEEDS_TESTED = 2_000
"""Seeds that every `make test` runs: long runs begin after them."""

SERVER_KILLS = 20
"""Kills of a server for each seed: several lives on one set of tables."""


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tools.torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cuts", type=int, default=0, help="so many power cuts")
    parser.add_argument("--kills", type=int, default=0, help="so many kill -9 of running nodes")
    parser.add_argument("--seeds", type=int, default=0, help="so many seeds of the simulation")
    parser.add_argument("--processes", type=int, help="of the simulation, at a time; default: one for each core")
    parser.add_argument("--flips", action="store_true", help="a flipped bit in every octet of a store's files")
    parser.add_argument("--postgres", action="store_true", help="the nodes of --kills have their books in PostgreSQL")
    parser.add_argument("--server-kills", type=int, default=0, help="so many kill -9 of a PostgreSQL server")
    parser.add_argument("--matrix", action="store_true", help="all cases of the failpoint matrix")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th case of the matrix, or octet")
    parser.add_argument("--seed", type=int, help="the first seed")
    parser.add_argument("--record", action="store_true", help="add the run to the results")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="where they are, if not in docs/")
    options = parser.parse_args(arguments)
    sound = True
    if options.cuts:
        sound = _cuts(options.cuts, options.seed, options.results, record=options.record) and sound
    if options.kills:
        sound = (
            _kills(options.kills, options.seed, options.results, record=options.record, postgres=options.postgres)
            and sound
        )
    if options.server_kills:
        sound = _server_kills(options.server_kills, options.seed, options.results, record=options.record) and sound
    if options.seeds:
        path, record = options.results, options.record
        sound = _seeds(options.seeds, options.seed, path, options.processes, record=record) and sound
    if options.matrix:
        sound = _matrix(options.every, options.seed, options.results, record=options.record) and sound
    if options.flips:
        sound = _flips(options.every, options.results, record=options.record) and sound
    return 0 if sound else 1


def _cuts(count: int, seed: int | None, path: Path, *, record: bool) -> bool:
    first = results.next_seed("cuts", path) if seed is None else seed
    done = 0
    while done < count:
        began = time.monotonic()
        report, outcome = CutReport(), "ok"
        try:
            report = cut_seeds(first, min(CHUNK, count - done))
        except BrokenError as broken:
            outcome = str(broken)
        seconds = round(time.monotonic() - began)
        last = first + max(report.seeds, 1) - 1
        if record:
            results.append("cuts", (first, last), report.cuts, seconds, outcome, path)
        if outcome != "ok":
            print(f"BROKEN: {outcome}", file=sys.stderr)
            return False
        done += report.cuts
        first = last + 1
        print(f"{done:,} power cuts, {report.lives} lives, seeds to {last}, {seconds} s", flush=True)
    return True


def _kills(count: int, seed: int | None, path: Path, *, record: bool, postgres: bool) -> bool:
    kind = "kills on PostgreSQL" if postgres else "kills"
    first = results.next_seed(kind, path) if seed is None else seed
    began = time.monotonic()
    outcome = "ok"
    done = 0
    try:
        for done in kill_nodes(count, first, postgres=postgres):  # used after the loop
            print(f"{done} kills, books agree", flush=True)
    except (AssertionError, TimeoutError) as broken:
        outcome = str(broken) or type(broken).__name__
        print(f"BROKEN: {outcome}", file=sys.stderr)
    if record:
        results.append(kind, (first, first + max(done, 1) - 1), done, round(time.monotonic() - began), outcome, path)
    return outcome == "ok"


def _server_kills(count: int, seed: int | None, path: Path, *, record: bool) -> bool:
    # The driver is an extra.
    from tools.torture.postgres_kills import ServerKillReport, kill_servers
    from tools.torture.postgres_server import postgres_server

    kind = "server kills"
    first = results.next_seed(kind, path) if seed is None else seed
    began, report, outcome, last = time.monotonic(), ServerKillReport(), "ok", first
    try:
        with postgres_server(quick_place()) as server:
            while report.kills < count:
                kill_servers(server, last, min(SERVER_KILLS, count - report.kills), report)
                print(f"{report.kills} kills of the server, seeds to {last}, {report}", flush=True)
                last += 1
    except BrokenError as broken:
        outcome = str(broken)
        print(f"BROKEN: {outcome}", file=sys.stderr)
    if record:
        seconds = round(time.monotonic() - began)
        results.append(kind, (first, max(first, last - 1)), report.kills, seconds, outcome, path)
    return outcome == "ok"


def _seeds(count: int, seed: int | None, path: Path, processes: int | None, *, record: bool) -> bool:
    first = max(results.next_seed("sim", path), SEEDS_TESTED) if seed is None else seed
    end = first + count
    while first < end:
        began, campaign = time.monotonic(), Campaign()
        size = min(SEEDS_CHUNK, end - first)
        for done in run_campaign(first, size, make_storage, processes):
            campaign = done
        seconds = round(time.monotonic() - began)
        outcome = str(campaign.breaches[0]).partition("\n")[0] if campaign.breaches else "ok"
        if record:
            results.append("sim", (first, first + size - 1), size, seconds, outcome, path)
        for breach in campaign.breaches:
            print(f"BROKEN: {breach}", file=sys.stderr)
        if campaign.breaches:
            return False
        first += size
        print(f"to {first - 1:,}: {campaign}, {seconds} s", flush=True)
    return True


def _matrix(every: int, seed: int | None, path: Path, *, record: bool) -> bool:
    seed = results.next_seed("matrix", path) if seed is None else seed
    began = time.monotonic()
    try:
        report = run_matrix(every, seed=seed)
    except AssertionError as broken:
        print(f"BROKEN: {broken}", file=sys.stderr)
        if record:
            results.append("matrix", (seed, seed), 0, round(time.monotonic() - began), str(broken), path)
        return False
    seconds = round(time.monotonic() - began)
    if record:
        results.append("matrix", (seed, seed), report.cases, seconds, "ok", path)
    found = report.verdict
    print(
        f"{report.cases:,} cases of the matrix, {report.died_again} of them died in the recovery too, {seconds} s: "
        f"{found.executed:,} packets executed, {found.released:,} released, {found.unknown:,} unknown",
        flush=True,
    )
    return True


def _flips(every: int, path: Path, *, record: bool) -> bool:
    began = time.monotonic()
    flipped, outcome = 0, "ok"
    with tempfile.TemporaryDirectory() as place:
        for killed in (True, False):
            try:
                report = flip_bits(Path(place), killed=killed, every=every)
            except AssertionError as broken:
                outcome = str(broken)
                print(f"BROKEN: {broken}", file=sys.stderr)
                break
            flipped += sum(report.flipped.values())
            for name, count in report.flipped.items():
                print(f"{count:,} bits flipped in {name}: {report.found[name]:,} found, the rest harmless", flush=True)
    if record:
        results.append("flips", (0, 0), flipped, round(time.monotonic() - began), outcome, path)
    return outcome == "ok"


if __name__ == "__main__":
    sys.exit(main())
