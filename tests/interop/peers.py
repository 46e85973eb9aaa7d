"""Live peers written by others, as processes: one line of JSON per event on their standard output."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
START_TIMEOUT_S = 30
EVENT_TIMEOUT_S = 60


def missing() -> str | None:
    """Why the peers cannot run here, or None."""
    if shutil.which("node") is None:
        return "Node.js is not installed"
    if not (FOLDER / "node_modules").is_dir():
        return "the peers are not installed: run  npm ci  in tests/interop"
    return None


def free_port() -> int:
    """A port that was free a moment ago: the peers cannot choose one themselves and tell."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class JsPeer:
    """A running script of `peers/`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.events: list[dict[str, Any]] = []

    async def wait_for(self, event: str, **fields: object) -> dict[str, Any]:
        """The next event of that name with those fields. Fails with what the peer said instead."""
        assert self._process.stdout is not None
        async with asyncio.timeout(EVENT_TIMEOUT_S):
            while True:
                line = await self._process.stdout.readline()
                if not line:
                    raise AssertionError(f"the peer ended before “{event}”; it said {self.events[-5:]}")
                document = json.loads(line)
                self.events.append(document)
                if document["event"] == "error":
                    raise AssertionError(f"the peer failed: {document['error']}")
                if document["event"] == event and all(document[k] == v for k, v in fields.items()):
                    return dict(document)

    async def send(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def stop(self) -> None:
        """End it, whatever it is doing."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


@asynccontextmanager
async def js_peer(script: str, options: Mapping[str, object], *, trusted: str = "") -> AsyncIterator[JsPeer]:
    """Run `peers/<script>` with `options`; it is killed at the end. `trusted`: a file of certificates it believes."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(FOLDER / "peers" / script),
        json.dumps(options),
        env={**os.environ, "NODE_EXTRA_CA_CERTS": trusted},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 20,
    )
    peer = JsPeer(process)
    try:
        yield peer
    finally:
        await peer.stop()


class Connector:
    """A running npm ilp-connector."""

    def __init__(self, admin_port: int) -> None:
        self.admin_port = admin_port

    async def get(self, path: str) -> Any:
        """A document of its admin API."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.admin_port)
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    async def balance(self, account: str) -> int:
        """What the account owes it, in units."""
        document = await self.get("/balance")
        return int(document["accounts"][account]["balance"])


@asynccontextmanager
async def ilp_connector(
    address: str | None, accounts: Mapping[str, object], *, backend: str = "one-to-one", **settings: object
) -> AsyncIterator[Connector]:
    """Run npm ilp-connector; None for `address` lets it ask its parent (ILDCP). Ready when its admin API answers."""
    admin_port = free_port()
    environment = {
        "CONNECTOR_BACKEND": backend,
        "CONNECTOR_SPREAD": "0",
        "CONNECTOR_ADMIN_API": "true",
        "CONNECTOR_ADMIN_API_PORT": str(admin_port),
        "CONNECTOR_ACCOUNTS": json.dumps(accounts),
        "CONNECTOR_ENV": "test",
        **{key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()},
    }
    if address is not None:
        environment["CONNECTOR_ILP_ADDRESS"] = address
    process = await asyncio.create_subprocess_exec(
        "node",
        str(FOLDER / "node_modules" / "ilp-connector" / "dist" / "index.js"),
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1 << 20,
    )
    log: list[bytes] = []
    reading = asyncio.create_task(_keep(process.stdout, log))
    connector = Connector(admin_port)
    try:
        await _until_ready(process, connector, log)
        yield connector
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def _until_ready(process: asyncio.subprocess.Process, connector: Connector, log: list[bytes]) -> None:
    async with asyncio.timeout(START_TIMEOUT_S):
        while not any(b"connector ready" in line for line in log):
            if process.returncode is not None:
                raise AssertionError("ilp-connector ended: " + b"".join(log[-20:]).decode("utf-8", "replace"))
            await asyncio.sleep(0.02)


async def _keep(stream: asyncio.StreamReader | None, log: list[bytes]) -> None:
    assert stream is not None
    while line := await stream.readline():
        log.append(line)
