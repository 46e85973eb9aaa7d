"""Forwards over BTP, HTTP/1.1 and HTTP/2: our node beside npm ilp-connector, in turn on the same core, in one run.

    python bench/forward.py [--links btp,http,http2] [--in-flight 1,64] [--seconds 4] [--rounds 3] [--json FILE]

The figure is CPU microseconds (user and system, all threads) of the node per fulfilled packet, at the same pace of the
core for every node (see `pace`). Generator and sink run in this process, on the other core. Packets: amount 100, 64
octets of data, a fixed condition.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from btp_load import Generator, Sink, dial
from http2_load import Http2Generator, Http2Sink, make_certificate
from http_load import HttpGenerator, HttpSink
from nodes import COMPILED, IlpConnector, NodeUnderTest, OurNode
from pace import NOMINAL_US, Pace

WARM_UP_S = 2.0


async def measure(node: NodeUnderTest, generator: Any, seconds: float) -> dict[str, float]:
    """Let it warm up, then count packets and CPU for so long."""
    await asyncio.sleep(WARM_UP_S)
    pace = Pace()
    generator.sample = True
    cpu, count, began = node.cpu_seconds(), generator.fulfilled, time.perf_counter()
    await asyncio.sleep(seconds)
    packets, elapsed = generator.fulfilled - count, time.perf_counter() - began
    cpu = node.cpu_seconds() - cpu
    generator.sample = False
    pace_us = pace.stop()
    if generator.failed or not packets:
        raise RuntimeError(f"{node.name}: {packets} fulfilled, not fulfilled: {generator.failed[:3]}")
    latencies = sorted(generator.latencies)
    return {
        "cpu_us": cpu / packets * 1e6,
        "cpu_us_at_pace": cpu / packets * 1e6 * NOMINAL_US / pace_us,
        "pace_us": pace_us,
        "packets_per_s": packets / elapsed,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "resident_mib": node.resident_mib(),
    }


async def run_btp(
    make: Callable[[str, str], NodeUnderTest], in_flight: int, seconds: float
) -> tuple[str, dict[str, float]]:
    node = make("btp", "")
    try:
        await dial(lambda: Sink(node.receiver_url, node.receiver_token), node.receiver_url)
        generator = await dial(
            lambda: Generator(node.sender_url, node.sender_token, node.destination, in_flight), node.sender_url
        )
        assert isinstance(generator, Generator)
        generator.start()
        return node.name, await measure(node, generator, seconds)
    finally:
        node.stop()


async def run_http(
    make: Callable[[str, str], NodeUnderTest], in_flight: int, seconds: float
) -> tuple[str, dict[str, float]]:
    server = await asyncio.get_running_loop().create_server(HttpSink, "127.0.0.1", 0)
    node = make("http", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ilp")
    try:
        generator = HttpGenerator(node.sender_url, node.sender_token, node.destination, in_flight)
        await generator.start()
        return node.name, await measure(node, generator, seconds)
    finally:
        node.stop()
        server.close()


async def run_http2(make: Callable[..., NodeUnderTest], in_flight: int, seconds: float) -> tuple[str, dict[str, float]]:
    """HTTP/2 both ways, in TLS. The reference has none for what comes in: it runs with HTTP/1.1, without TLS."""
    if make is not OurNode:
        name, figures = await run_http(make, in_flight, seconds)
        return f"{name}, HTTP/1.1", figures
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder) / "localhost.pem")
        server = await Http2Sink.start(certificate)
        node = make("http", f"https://localhost:{server.sockets[0].getsockname()[1]}/ilp", certificate=certificate)
        try:
            generator = Http2Generator(node.sender_url, node.sender_token, node.destination, in_flight, certificate)
            await generator.start()
            return node.name, await measure(node, generator, seconds)
        finally:
            node.stop()
            server.close()


RUNNERS: dict[str, Any] = {"btp": run_btp, "http": run_http, "http2": run_http2}

NODES: dict[str, Callable[[str, str], NodeUnderTest]] = {
    "ours": OurNode,
    "compiled": partial(OurNode, python=COMPILED),
    "ilp-connector": IlpConnector,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--links", default="btp,http,http2")
    parser.add_argument("--in-flight", default="1,64")
    parser.add_argument(
        "--nodes", default="ours,compiled,ilp-connector" if Path(COMPILED).exists() else "ours,ilp-connector"
    )
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    rows = []
    for link in options.links.split(","):
        for in_flight in map(int, options.in_flight.split(",")):
            rows += compare(link, RUNNERS[link], in_flight, options)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def compare(link: str, runner: Any, in_flight: int, options: argparse.Namespace) -> list[dict[str, object]]:
    """Both nodes in turn, round by round; medians and the ratio of the medians."""
    results: dict[str, list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        for key in options.nodes.split(","):
            name, figures = uvloop.run(runner(NODES[key], in_flight, options.seconds))
            results.setdefault(name, []).append(figures)
    medians = {n: {k: statistics.median(r[k] for r in runs) for k in runs[0]} for n, runs in results.items()}
    slowest = max(m["cpu_us_at_pace"] for m in medians.values())
    rows = []
    for name, m in medians.items():
        ratio = slowest / m["cpu_us_at_pace"]
        figures = f"{m['cpu_us_at_pace']:7.1f} us CPU/packet  {ratio:5.1f}x  {m['packets_per_s']:8,.0f}/s"
        more = f"p50 {m['p50_ms']:6.2f} ms  p99 {m['p99_ms']:6.2f} ms  {m['resident_mib']:5.0f} MiB"
        print(f"{link:5} {in_flight:4} in flight  {name:40} {figures}  {more}", flush=True)
        rows.append({"link": link, "in_flight": in_flight, "node": name, "runs": results[name], "median": m})
    return rows


if __name__ == "__main__":
    main()
