"""A STREAM payment of many packets over BTP: sender, node and receiver, each a process, all ours or all npm's.

    python bench/stream.py [--packets 20000] [--js-packets 5000] [--round-trip-ms 0,50] [--rounds 1] [--json FILE]

The figures are CPU microseconds per packet (user and system, all threads) of each process and of the three together,
and packets per second. The round trip lies between sender and node: a proxy keeps every octet half of it, each way.
npm: client and server of ilp-protocol-stream, ilp-connector 23 with balances in memory. A packet carries 1,000 units.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nodes import PEERS, IlpConnector, OurNode

FOLDER = Path(__file__).parent
UNITS = 1_000


class Process:
    """One end. Says its events; `cpu` is its CPU so far, in seconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: list[str], options: dict[str, object]) -> Process:
        environment = dict(os.environ, NODE_PATH=str(PEERS), NODE_ENV="production")
        return cls(
            await asyncio.create_subprocess_exec(
                *command, json.dumps(options), stdout=asyncio.subprocess.PIPE, env=environment
            )
        )

    async def event(self, name: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 180)
        document = json.loads(line or "{}")
        if document.get("event") != name:
            raise RuntimeError(f"“{name}” was expected, not {document}")
        return dict(document)

    def cpu(self) -> float:
        return cpu_seconds(self._process.pid)

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Delay:
    """A TCP proxy that holds every octet for a while."""

    def __init__(self, port: int, delay_s: float) -> None:
        self._port, self._delay_s = port, delay_s

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, onward[1]), self._pump(onward[0], writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError, asyncio.CancelledError):
            while octets := await reader.read(1 << 16):
                loop.call_later(self._delay_s, writer.write, octets)
        loop.call_later(self._delay_s, writer.close)


def with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.hostname}:{port}").geturl()


async def ours(packets: int, round_trip_ms: int, python: str) -> dict[str, float]:
    node = OurNode("btp", python=python, packet_amount_max=UNITS)
    end = [python, str(FOLDER / "stream_end.py")]
    receiving = {"role": "receive", "url": node.receiver_url, "token": node.receiver_token}
    try:
        receiver = await Process.start(end, {**receiving, "address": "test.connie.receiver"})
        ready = await receiver.event("ready")
        url = await delayed(node.sender_url, round_trip_ms)
        sending = {"role": "send", "url": url, "token": node.sender_token, "amount": packets * UNITS}
        sender = await Process.start(end, {**sending, "address": ready["address"], "secret": ready["secret"]})
        return await measure(sender, node, receiver, packets)
    finally:
        node.stop()


async def npm(packets: int, round_trip_ms: int, python: str) -> dict[str, float]:
    node = IlpConnector("btp", packet_amount_max=UNITS)
    try:
        link = {"btp": plugin_url(node.receiver_url, node.receiver_token)}
        receiver = await Process.start(["node", str(FOLDER / "stream_server.js")], {"link": link})
        ready = await receiver.event("ready")
        url = await delayed(node.sender_url, round_trip_ms)
        options = {
            "link": {"btp": plugin_url(url, node.sender_token)},
            "warm_up": min(packets, 1_000) * UNITS,
            "amount": packets * UNITS,
            "address": ready["address"],
            "secret": ready["secret"],
        }
        if round_trip_ms:
            options["warm_up"] = 20 * UNITS
        sender = await Process.start(["node", str(FOLDER / "stream_client.js")], options)
        return await measure(sender, node, receiver, packets)
    finally:
        node.stop()


def plugin_url(url: str, token: str) -> str:
    """As ilp-plugin-btp wants it."""
    return "btp+" + url.replace("://", f"://:{token}@")


async def delayed(url: str, round_trip_ms: int) -> str:
    if not round_trip_ms:
        return url
    return with_port(url, await Delay(urlsplit(url).port or 80, round_trip_ms / 2000).start())


async def measure(sender: Process, node: Any, receiver: Process, packets: int) -> dict[str, float]:
    try:
        await sender.event("begin")
        began = asyncio.get_running_loop().time()
        before = sender.cpu(), node.cpu_seconds(), receiver.cpu()
        paid = await sender.event("paid")
        elapsed = asyncio.get_running_loop().time() - began
        after = sender.cpu(), node.cpu_seconds(), receiver.cpu()
        if int(paid["delivered"]) < packets * UNITS:
            raise RuntimeError(f"not all arrived: {paid}")
    finally:
        await sender.stop()
        await receiver.stop()
    spent = [(b - a) / packets * 1e6 for a, b in zip(before, after, strict=True)]
    return {
        "cpu_us": sum(spent),
        "sender_us": spent[0],
        "node_us": spent[1],
        "receiver_us": spent[2],
        "packets_per_s": packets / elapsed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=20_000)
    parser.add_argument("--js-packets", type=int, default=5_000, help="npm's ends are slower")
    parser.add_argument("--round-trip-ms", default="0,50")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--python", default=sys.executable, help="the interpreter of our three processes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for round_trip_ms in map(int, options.round_trip_ms.split(",")):
        medians = {}
        for name, run in (("interledger-py (power)", ours), ("ilp-protocol-stream, ilp-connector 23", npm)):
            packets = options.packets if run is ours else options.js_packets
            if round_trip_ms:  # one packet per round trip takes its time
                packets = packets if run is ours else min(packets, 20_000 // round_trip_ms)
            runs = [asyncio.run(run(packets, round_trip_ms, options.python)) for _ in range(options.rounds)]
            medians[name] = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
            rows.append({"round_trip_ms": round_trip_ms, "who": name, "runs": runs, "median": medians[name]})
        slowest = max(m["cpu_us"] for m in medians.values())
        for name, m in medians.items():
            print(
                f"{round_trip_ms:3} ms  {name:38} {m['cpu_us']:7.1f} us CPU/packet  {slowest / m['cpu_us']:5.1f}x"
                f"  (sender {m['sender_us']:.1f}, node {m['node_us']:.1f}, receiver {m['receiver_us']:.1f})"
                f"  {m['packets_per_s']:8,.0f}/s",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
