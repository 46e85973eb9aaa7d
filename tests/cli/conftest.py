"""Consoles that write into memory, accounts as the transcripts have them, and a network to run commands against."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from interledger.cli.console import Console
from interledger.cli.main import run
from interledger.daemon.dev import DevNetwork
from interledger.daemon.dev_directory import announce, only_one
from interledger.daemon.topology import parse_assets, parse_topology


@pytest.fixture
def terminal() -> Console:
    """A terminal without colour."""
    return Console(io.StringIO(), io.StringIO(), is_terminal=True, shows_progress=True, width=100)


@pytest.fixture
def pipe() -> Console:
    """Not a terminal."""
    return Console(io.StringIO(), io.StringIO())


def account_document(**changes: Any) -> dict[str, Any]:
    """An account document of the API."""
    limits = {"owes_us_max": None, "we_owe_max": None, "packet_amount_max": None, "packets_per_minute": None}
    document: dict[str, Any] = {
        "id": "bob",
        "relation": "peer",
        "asset_code": "EUR",
        "asset_scale": 9,
        "ilp_address": "test.bob",
        "position": {"receivable": "0", "payable": "0", "net": "0"},
        "pending": {"in": "0", "out": "0"},
        "limits": limits | {"amount_per_minute": None} | changes.pop("limits", {}),
        "room": None,
        "link": {"kind": "HTTP", "up": True, "since": "2026-11-21T11:00:00.000Z"} | changes.pop("link", {}),
        "settle_threshold": None,
        "settle_to": None,
    }
    net = int(changes.pop("net", 0))
    document["position"] = {"receivable": str(max(net, 0)), "payable": str(max(-net, 0)), "net": str(net)}
    return document | changes


@pytest.fixture
def make_account() -> Any:
    """`account_document`"""
    return account_document


# ---------------------------------------------------------------------- a network


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Ilp = Callable[..., Result]


class NetworkThread:
    """Started on free ports; its dev.json is in `directory`."""

    def __init__(self, directory: Path, topology: str = "line:3", durability: str = "memory") -> None:
        self.network = DevNetwork(
            parse_topology(topology, parse_assets("USD/9,EUR/9"), 0), directory, durability=durability
        )
        self.directory = directory
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> NetworkThread:
        self._thread.start()
        self._started.wait(10)
        if self._error is not None:
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._main())

    async def _main(self) -> None:
        with only_one(self.directory):
            try:
                await self.network.start()
                announce(self.network.directory, self.network.document())
            except BaseException as error:
                self._error = error
                raise
            finally:
                self._started.set()
            await self._stop.wait()
            await self.network.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which a network runs."""
    directory = tmp_path_factory.mktemp("network")
    with NetworkThread(directory / ".ilp"):
        yield directory


@pytest.fixture
def ilp(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ilp:
    """Run a command line there."""
    monkeypatch.chdir(place)

    def ilp_(*args: str, **environ: str) -> Result:
        code = run(args, environ)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return ilp_


@pytest.fixture
def bob(place: Path) -> str:
    """bob's payment pointer."""
    pointer: str = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]["bob"]["wallet"]
    return pointer
