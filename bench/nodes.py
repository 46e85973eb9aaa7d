"""The nodes under test: ours, and npm ilp-connector 23, each as one process pinned to one core."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

CORE = "0"
COMPILED = str(Path(__file__).parent.parent / ".venv-compiled" / "bin" / "python")
"""Made by `make compiled`."""
TURNS = str(Path(__file__).parent / "turns.py")
PEERS = Path(__file__).parent.parent / "tests" / "interop" / "node_modules"


def free_port() -> int:
    """Below those that the system gives to clients, so that nobody is given it before the node listens."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def on_core(command: list[str]) -> list[str]:
    """The command, to run on the core of the node under test where that can be said."""
    return ["taskset", "-c", CORE, *command] if shutil.which("taskset") else command


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class NodeUnderTest:
    """A process, where to reach it, and how much CPU it has used."""

    name = ""
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    sender_url = receiver_url = sender_token = receiver_token = ""
    destination = ""

    def cpu_seconds(self) -> float:
        """User and system time of all its threads."""
        return cpu_seconds(self.process.pid)

    def resident_mib(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _start(self, command: list[str], environment: dict[str, str], ready: bytes) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        self.process = subprocess.Popen(on_core(command), env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20
        while ready not in self._output():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self._output().decode('utf-8', 'replace')}")
            time.sleep(0.02)

    def _output(self) -> bytes:
        return os.pread(self.log.fileno(), 1 << 20, 0)


class IlpConnector(NodeUnderTest):
    """npm ilp-connector: one-to-one rate, all built-in middlewares, balances in memory, limits lifted for load."""

    name = "ilp-connector 23 (balances in memory)"

    def __init__(self, link: str, sink_url: str = "", packet_amount_max: int | None = None) -> None:
        self._packet_amount_max = packet_amount_max
        ports = [free_port(), free_port()]
        environment = {
            "PATH": os.environ["PATH"],
            "NODE_ENV": "production",
            "CONNECTOR_ILP_ADDRESS": "test.connie",
            "CONNECTOR_ENV": "test",
            "CONNECTOR_BACKEND": "one-to-one",
            "CONNECTOR_SPREAD": "0",
            "CONNECTOR_INITIAL_CONNECT_TIMEOUT": "0",
            "CONNECTOR_ACCOUNTS": json.dumps(
                {"sender": self._account(link, ports[0], ""), "receiver": self._account(link, ports[1], sink_url)}
            ),
        }
        self._start(["node", str(PEERS / "ilp-connector" / "dist" / "index.js")], environment, b"connector ready")
        scheme = "ws" if link == "btp" else "http"
        self.sender_url, self.receiver_url = (f"{scheme}://127.0.0.1:{port}/" for port in ports)
        self.sender_token = self.receiver_token = "secret"
        self.destination = "test.connie.receiver.abc"

    def _account(self, link: str, port: int, sink_url: str) -> dict[str, object]:
        if link == "btp":
            plugin = {"plugin": "ilp-plugin-btp", "options": {"listener": {"port": port, "secret": "secret"}}}
        else:
            options = {
                "incoming": {"port": port, "staticToken": "secret"},
                "outgoing": {"url": sink_url or "http://127.0.0.1:1/", "staticToken": "secret", "http2": False},
            }
            plugin = {"plugin": "ilp-plugin-http", "options": options}
        most = {} if self._packet_amount_max is None else {"maxPacketAmount": str(self._packet_amount_max)}
        return {
            **most,
            "relation": "child",
            "assetCode": "USD",
            "assetScale": 9,
            "balance": {"maximum": "1000000000000000", "minimum": "-1000000000000000"},
            "rateLimit": {"refillPeriod": 1000, "refillCount": 10_000_000, "capacity": 10_000_000},
            "sendRoutes": False,
            "receiveRoutes": False,
            **plugin,
        }


class OurNode(NodeUnderTest):
    """`ilp node run`, SQLite, durable; same rate, limits lifted for load."""

    def __init__(
        self,
        link: str,
        sink_url: str = "",
        durability: str = "power",
        python: str = sys.executable,
        packet_amount_max: int | None = None,
        certificate: Path | None = None,
        turns: bool = False,
        more: str = "",
    ) -> None:
        """`certificate`: a file with its key; the node speaks TLS then, and trusts it. `turns`: time its loop.
        `more`: of its settings file."""
        self._packet_amount_max = packet_amount_max
        compiled = python == COMPILED
        self.name = f"interledger-py ({durability}{', compiled' if compiled else ''})"
        self._folder = tempfile.mkdtemp(prefix="ilp-bench-")
        port = free_port()
        self.sender_token, self.receiver_token = secrets.token_hex(32), secrets.token_hex(32)
        config = Path(self._folder) / "ilp.toml"
        config.write_text(self._config(link, sink_url) + more)
        config.chmod(0o600)
        command = [python, *([TURNS] if turns else ["-m", "interledger"]), "node", "run", "--config", str(config)]
        command += ["--ilp-address", "test.connie", "--http-bind-address", f"127.0.0.1:{port}"]
        command += ["--data-dir", f"{self._folder}/data", "--durability", durability]
        if certificate is not None:
            command += ["--tls-cert", str(certificate), "--tls-ca", str(certificate)]
        self.turns_file = Path(self._folder) / "turns"
        environment = {**os.environ, "TURNS_FILE": str(self.turns_file)}
        if compiled:
            environment.pop("PYTHONPATH", None)
        self._start(command, environment, b"ready")
        if link == "btp":
            self.sender_url = f"ws://127.0.0.1:{port}/accounts/sender/ilp/btp"
            self.receiver_url = f"ws://127.0.0.1:{port}/accounts/receiver/ilp/btp"
        else:
            scheme = "http" if certificate is None else "https"
            self.sender_url = f"{scheme}://127.0.0.1:{port}/accounts/sender/ilp"
        self.destination = "test.connie.receiver.abc"

    def _config(self, link: str, sink_url: str) -> str:
        lines = []
        for name, token in (("sender", self.sender_token), ("receiver", self.receiver_token)):
            lines += [
                f"[accounts.{name}]",
                'asset_code = "USD"',
                "asset_scale = 9",
                'relation = "child"',
                "packets_per_minute = 100000000",
                f'{link}_incoming_token = "{token}"',
            ]
            if self._packet_amount_max is not None:
                lines.append(f"max_packet_amount = {self._packet_amount_max}")
            if name == "receiver" and sink_url:
                lines += [f'http_url = "{sink_url}"', f'http_outgoing_token = "{token}"']
        return "\n".join(lines) + "\n"

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self._folder, ignore_errors=True)
