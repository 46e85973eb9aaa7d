"""How much slower an honest peer gets beside hostile ones: p50 and p99 of its packets, alone and under each attack.

    python bench/hostile.py [--attacks idle,slowloris,...] [--seconds 5] [--rounds 3] [--sources 1,2000] [--json FILE]

The node is `ilp node run`, durable, alone on core 0; 200 honest packets a second go through it over HTTP/1.1. Sender
and sink are on core 1. So is the attack, a process of its own that runs as fast as it can with the least right to the
core (nice 19 above ours): it has what the honest peer leaves, and takes little time from it. What the honest peer loses
is then what the node takes from it, not what the machine does. Before each attack the honest peer is alone; medians of
the rounds.

The attacks come from 127.0.0.2 and on, as many addresses as `--sources` says, or with 0 from the honest peer's own; all
attacks with the first figure, then with the next. The table of docs/explanation/performance.md is printed at the end. A
turn is what the node's loop does between two looks at its sockets: the longest one, in CPU time, is what an honest
packet may have to wait for several times. Packets that open their connection are shown by themselves: the slowest one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

import turns
from attacks import ATTACKS, HOSTILE_ACCOUNT, Target, addresses_of
from http_load import HttpGenerator, HttpSink
from nodes import OurNode, cpu_seconds

CONNECTIONS = 4
PAUSE_S = 0.02
"""Of each honest connection behind an answer: together 200 packets a second."""


# ---------------------------------------------------------------------- the honest peer


class Honest:
    """Packets at an even pace. `latencies` in seconds, `first` of those that opened their connection; `failed`: not
    fulfilled, or cut off."""

    def __init__(self, requests: HttpGenerator, port: int) -> None:
        self.latencies: list[float] = []
        self.first: list[float] = []
        self.failed = 0
        self._requests = requests
        self._port = port

    async def run(self) -> None:
        await asyncio.gather(*(self._connection() for _ in range(CONNECTIONS)))

    async def _connection(self) -> None:
        connection = None
        while True:
            began = time.perf_counter()
            durations = self.latencies
            try:
                async with asyncio.timeout(5):
                    if connection is None:
                        durations = self.first
                        connection = await asyncio.open_connection("127.0.0.1", self._port)
                    reader, writer = connection
                    writer.write(self._requests.request())
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                    if (await reader.readexactly(length))[:1] != b"\x0d":
                        raise ConnectionError(head)
                durations.append(time.perf_counter() - began)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                self.failed += 1
                connection = None
            await asyncio.sleep(PAUSE_S)


async def measure(node: OurNode, seconds: float, attack: subprocess.Popen[bytes] | None = None) -> dict[str, float]:
    """The honest peer for so long, beside `attack`."""
    url = urlsplit(node.sender_url)
    honest = Honest(HttpGenerator(node.sender_url, node.sender_token, node.destination, 0), int(url.port or 0))
    before, cpu = turns.read(node.turns_file), node.cpu_seconds()
    attack_cpu = cpu_seconds(attack.pid) if attack else 0.0
    with suppress(TimeoutError):
        await asyncio.wait_for(honest.run(), seconds)
    latencies = sorted(honest.latencies)
    longest = max((i for i, n in enumerate(turns.read(node.turns_file)) if n > before[i]), default=0)
    return {
        "packets": len(latencies),
        "failed": honest.failed,
        "p50_ms": latencies[len(latencies) // 2] * 1e3 if latencies else float("inf"),
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3 if latencies else float("inf"),
        "first_ms": max(honest.first, default=float("inf")) * 1e3,
        "turn_ms": turns.microseconds(longest) / 1e3,
        "cpu_share": (node.cpu_seconds() - cpu) / seconds,
        "attack_cpu_share": (cpu_seconds(attack.pid) - attack_cpu) / seconds if attack else 0.0,
        "resident_mib": node.resident_mib(),
    }


async def beside(node: OurNode, name: str, sources: int, options: argparse.Namespace) -> dict[str, float]:
    """The honest peer while the attack runs."""
    command = [sys.executable, __file__, "--attack", name, "--port", str(urlsplit(node.sender_url).port)]
    command += ["--token", options.token, "--sources", str(sources)]
    attack = subprocess.Popen(command)  # noqa: ASYNC220
    try:
        await asyncio.sleep(1)
        return await measure(node, options.seconds, attack)
    finally:
        attack.kill()
        attack.wait()


class Row(NamedTuple):
    """One attack. `rounds`: the honest peer alone, and beside it."""

    attack: str
    sources: int
    rounds: list[tuple[dict[str, float], dict[str, float]]]


def table(rows: list[Row]) -> str:
    """In Markdown: an attack a line, what it does from each number of addresses side by side."""
    attacks, numbers = list(dict.fromkeys(row.attack for row in rows)), list(dict.fromkeys(row.sources for row in rows))
    head = "".join(f" {n} addresses: p99 ms | | turn | new | CPU | fulfilled |" for n in numbers)
    lines = [f"| attack |{head}", "|---|" + "---:|" * 6 * len(numbers)]
    for attack in attacks:
        cells = ""
        for row in (row for row in rows if row.attack == attack):
            alone, under = (median_of([each[i] for each in row.rounds]) for i in (0, 1))
            share = under["packets"] / max(1, under["packets"] + under["failed"])
            cells += f" {alone['p99_ms']:.1f} -> {under['p99_ms']:.1f} | {under['p99_ms'] / alone['p99_ms']:.1f}x |"
            cells += f" {under['turn_ms']:.1f} | {under['first_ms']:.0f} | {under['cpu_share']:.0%} | {share:.1%} |"
        lines.append(f"| {(next(a for a in ATTACKS if a.__name__ == attack).__doc__ or attack).strip('.')} |{cells}")
    return "\n".join(lines)


def median_of(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(each[key] for each in rounds) for key in rounds[0]}


async def run(sources: int, options: argparse.Namespace) -> list[Row]:
    server = await asyncio.get_running_loop().create_server(HttpSink, "127.0.0.1", 0)
    sink_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ilp"
    options.token = secrets.token_hex(32)
    node = OurNode("http", sink_url, turns=True, more=HOSTILE_ACCOUNT.format(token=options.token))
    rows: list[Row] = []
    try:
        await measure(node, 2)
        for name in options.attacks.split(","):
            rounds: list[tuple[dict[str, float], dict[str, float]]] = []
            for _ in range(options.rounds):
                alone = await measure(node, options.seconds)
                rounds.append((alone, await beside(node, name, sources, options)))
                await asyncio.sleep(1)
            rows.append(Row(name, sources, rounds))
            show(name, median_of([alone for alone, _ in rounds]), median_of([under for _, under in rounds]))
    finally:
        node.stop()
        server.close()
    return rows


def show(name: str, alone: dict[str, float], under: dict[str, float]) -> None:
    share = under["packets"] / max(1, under["packets"] + under["failed"])
    print(
        f"{name:18} p50 {alone['p50_ms']:6.2f} -> {under['p50_ms']:6.2f} ms"
        f"  p99 {alone['p99_ms']:6.2f} -> {under['p99_ms']:6.2f} ms  {under['p99_ms'] / alone['p99_ms']:5.1f}x"
        f"  longest turn {alone['turn_ms']:5.1f} -> {under['turn_ms']:5.1f} ms  fulfilled {share:7.2%}"
        f"  new connection {alone['first_ms']:.0f} -> {under['first_ms']:.0f} ms"
        f"  node {alone['cpu_share']:4.0%} -> {under['cpu_share']:4.0%} CPU {under['resident_mib']:4.0f} MiB"
        f"  attack {under['attack_cpu_share']:4.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attacks", default=",".join(attack.__name__ for attack in ATTACKS))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sources", default="1", help="numbers of addresses the attack comes from; 0: the honest peer's own"
    )
    parser.add_argument(
        "--realtime", action="store_true", help="before all other programs of a shared machine; root only"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--attack", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    if options.attack:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.nice(19)
        attack = next(attack for attack in ATTACKS if attack.__name__ == options.attack)
        asyncio.run(attack(Target(options.port, options.token, addresses_of(int(options.sources)))))
        return
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    rows = [row for sources in options.sources.split(",") for row in asyncio.run(run(int(sources), options))]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([row._asdict() for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
