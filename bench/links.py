"""Every kind of link side by side: two of our nodes, one link between them, packets through both, in one run.

    python bench/links.py [--links btp,http,...] [--in-flight 64] [--seconds 3] [--rounds 3] [--json FILE]

The figure is CPU microseconds (user and system, all threads) of both nodes together per fulfilled packet: each forwards
it once, durable. The outer sides speak BTP, so that the kinds differ in the link between the nodes alone. HTTP/2 needs
TLS, which a port speaks with everybody: its row stands beside one of BTP in TLS, both with the outer sides in TLS too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import ssl
import statistics
import sys
import tempfile
from pathlib import Path

import uvloop
from btp_load import Generator, Sink, dial
from forward import measure
from http2_load import make_certificate
from nodes import NodeUnderTest, free_port

KINDS = ("btp", "btp-2.0-i", "http", "http-async", "http-oer-sync", "http-oer-async", "btp-tls", "http2")
IN_TLS = ("btp-tls", "http2")
LIMITS = 'asset = "USD/9"\npackets_per_minute = 100000000\n'


class LinkedNode(NodeUnderTest):
    """A node with one child that speaks BTP, and one peer; `peer` is the peer's part of the settings file."""

    def __init__(self, name: str, port: int, peer: str, route: str, certificate: Path | None) -> None:
        self.name = name
        self.token = secrets.token_hex(32)
        self._folder = tempfile.mkdtemp(prefix="ilp-bench-")
        config = Path(self._folder) / "ilp.toml"
        child = f'[accounts.child]\nrelation = "child"\n{LIMITS}btp_incoming_token = "{self.token}"\n'
        config.write_text(f'{child}[accounts.peer]\nrelation = "peer"\n{LIMITS}{peer}[routes]\n"{route}" = "peer"\n')
        config.chmod(0o600)
        command = [sys.executable, "-m", "interledger", "node", "run", "--config", str(config)]
        command += ["--ilp-address", f"test.{name}", "--http-bind-address", f"127.0.0.1:{port}"]
        if certificate is not None:
            command += ["--tls-cert", str(certificate), "--tls-ca", str(certificate)]
        self._start([*command, "--data-dir", f"{self._folder}/data"], dict(os.environ), b"ready")
        self.child_url = f"ws{'' if certificate is None else 's'}://localhost:{port}/accounts/child/ilp/btp"

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Pair:
    """What `measure` asks of a node, of both together."""

    def __init__(self, name: str, nodes: list[LinkedNode]) -> None:
        self.name = name
        self._nodes = nodes

    def cpu_seconds(self) -> float:
        return sum(node.cpu_seconds() for node in self._nodes)

    def resident_mib(self) -> float:
        return max(node.resident_mib() for node in self._nodes)


def peer_settings(kind: str, own_port: int, other_port: int, token: str, *, dials: bool) -> str:
    """The account of the other node."""
    secure = "s" if kind in IN_TLS else ""
    if kind.startswith("btp"):
        version = "2.0-I" if kind.endswith("-i") else "2.0"
        url = f"ws{secure}://localhost:{other_port}/accounts/peer/ilp/btp"
        far = f'btp_url = "{url}"\nbtp_outgoing_token = "{token}"\n'
        return f'btp_version = "{version}"\n' + (far if dials else f'btp_incoming_token = "{token}"\n')
    form = "sync" if kind == "http2" else kind.removeprefix("http").removeprefix("-") or "sync"
    callback = f'http_callback_url = "http://127.0.0.1:{own_port}/accounts/peer/ilp"\n' if form == "async" else ""
    return (
        f'http_form = "{form}"\nhttp_url = "http{secure}://localhost:{other_port}/accounts/peer/ilp"\n{callback}'
        f'http_incoming_token = "{token}"\nhttp_outgoing_token = "{token}"\n'
    )


async def run(kind: str, in_flight: int, seconds: float) -> dict[str, float]:
    ports, token, nodes = (free_port(), free_port()), secrets.token_hex(32), []
    folder = tempfile.TemporaryDirectory()
    certificate = make_certificate(Path(folder.name) / "localhost.pem") if kind in IN_TLS else None
    tls = None if certificate is None else ssl.create_default_context(cafile=str(certificate))
    try:
        settings = peer_settings(kind, ports[1], ports[0], token, dials=False)
        nodes.append(LinkedNode("right", ports[1], settings, "test.left", certificate))
        settings = peer_settings(kind, ports[0], ports[1], token, dials=True)
        nodes.append(LinkedNode("left", ports[0], settings, "test.right", certificate))
        right, left = nodes
        await dial(lambda: Sink(right.child_url, right.token), right.child_url, tls)
        await asyncio.sleep(0.5)
        generator = await dial(
            lambda: Generator(left.child_url, left.token, "test.right.child.abc", in_flight), left.child_url, tls
        )
        assert isinstance(generator, Generator)
        generator.start()
        return await measure(Pair(kind, nodes), generator, seconds)
    finally:
        for node in nodes:
            node.stop()
        folder.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--links", default=",".join(KINDS))
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    kinds = options.links.split(",")
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(options.rounds):
        for kind in kinds:
            runs[kind].append(uvloop.run(run(kind, options.in_flight, options.seconds)))
    rows = []
    for kind in kinds:
        m = {key: statistics.median(r[key] for r in runs[kind]) for key in runs[kind][0]}
        figures = f"{m['cpu_us']:7.1f} us CPU/packet for two nodes  {m['packets_per_s']:8,.0f}/s"
        print(f"{kind:16} {figures}  p50 {m['p50_ms']:6.2f} ms  p99 {m['p99_ms']:6.2f} ms", flush=True)
        rows.append({"link": kind, "in_flight": options.in_flight, "runs": runs[kind], "median": m})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
