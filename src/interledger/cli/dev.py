"""`ilp dev`: a network of nodes on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from interledger.cli.dev_settlement import (
    assets_for,
    ledger_errors,
    settled_document,
    settled_lines,
    settlement_option,
)
from interledger.cli.dev_view import already_running_lines, port_taken_lines, started_lines, status_lines
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State, Target, trusted
from interledger.cli.tree import command

__all__ = ["down", "status", "up"]

STOP_S: Final = 15.0
"""A network drains for two seconds; one that takes longer is told about."""

START_S: Final = 30.0

OTHER_PORTS: Final = 1_000
"""How far away the suggested ports are."""


@command("up")
@click.option("--topology", default="line:3", metavar="SHAPE", help="line:3, star:4, or the name of a TOML file.")
@click.option("--assets", metavar="A,B", help="What the holders keep, in turn; USD/9,EUR/9 on most ledgers.")
@click.option("--port", type=click.IntRange(0, 65_535), help="The hub's port; the others are below it. 0: free ones.")
@click.option("--fresh", is_flag=True, help="Stop what runs, forget all balances, and start anew.")
@click.option("--detach", is_flag=True, help="Return once it runs, and leave it running.")
@click.option("--tls", is_flag=True, help="https and wss between all, by an authority of this directory.")
@settlement_option
@click.pass_obj
def up(
    state: State,
    topology: str,
    assets: str | None,
    port: int | None,
    fresh: bool,
    detach: bool,
    tls: bool,
    settlement: str | None,
) -> int:
    """Start a network of nodes on this machine: alice (USD), a hub, bob (EUR).

    \b
      ilp dev up
      ilp dev up --topology star:5 --detach

    It runs until Ctrl-C or `ilp dev down`. Balances are kept in ./.ilp and are there again at the next start.
    """
    from interledger.daemon.dev import PortTakenError
    from interledger.daemon.dev_directory import AlreadyRunningError
    from interledger.daemon.topology import parse_assets, parse_topology
    from interledger.errors import StoreError

    began = time.monotonic()
    shape = parse_topology(topology, parse_assets(assets_for(assets, settlement)), port)
    if fresh:
        _stop_running(state)
    if detach:
        return _start_detached(state, began)
    try:
        with ledger_errors():
            _run_network(state, shape, fresh=fresh, tls=tls, settlement=settlement, began=began)
    except AlreadyRunningError as error:
        _say_running(state, error.document or {})
        return ExitCode.DONE
    except StoreError as error:
        raise CliError(
            ExitCode.FAILED, f"{error}.", "Nothing was started. Forget all balances:  ilp dev up --fresh"
        ) from None
    except PortTakenError as error:
        hub = shape.nodes[0].port if port is None else port
        other = max(node.port for node in shape.nodes) + OTHER_PORTS if hub else 0
        raise CliError(ExitCode.FAILED, *port_taken_lines(error.port, error.program, error.pid, other)) from None
    return ExitCode.DONE


def _run_network(state: State, shape: Any, *, fresh: bool, tls: bool, settlement: str | None, began: float) -> None:
    """Until a signal: the network, its dev.json, and the lines that say so."""
    from interledger.daemon.dev import DevNetwork
    from interledger.daemon.dev_directory import announce, only_one, wipe
    from interledger.daemon.logs import start_logging
    from interledger.daemon.process import run, settle_garbage, stop_on_signals

    async def main() -> None:
        stop = asyncio.Event()
        network = DevNetwork(shape, state.directory, tls=tls, settlement=settlement)
        await network.start()
        stop_on_signals(stop)
        try:
            announce(network.directory, network.document())
            settle_garbage()
            dashboard = network.neighbours.operators_url(_middle(shape.nodes).name)
            _say_started(state, network.document(), began, detached=False, dashboard=dashboard)
            sys.stdout.flush()
            await stop.wait()
            state.console.note("  Stopping")
        finally:
            (state.directory / "dev.json").unlink(missing_ok=True)
            await network.stop()

    start_logging("warning")
    with only_one(state.directory):
        if fresh:
            wipe(state.directory)
        run(main())


def _start_detached(state: State, began: float) -> int:
    """The same command in a process of its own, that nobody has to keep a terminal for."""
    from interledger.daemon.dev_directory import running_network

    running = running_network(state.directory)
    if running is not None:
        _say_running(state, running)
        return ExitCode.DONE
    arguments = [part for part in sys.argv[1:] if part != "--detach"]
    state.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = state.directory / "dev.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(  # noqa: S603 - our own program with the arguments we were given
            [sys.executable, "-m", "interledger.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    document = None
    while document is None and process.poll() is None and time.monotonic() - began < START_S:
        time.sleep(0.02)
        found = running_network(state.directory)
        document = found if found is not None and found.get("pid") == process.pid else None
    if document is not None:
        process.returncode = 0  # it goes on without us; Popen would warn that it does
        nodes = document["nodes"].values()
        hub = next((node for node in nodes if node["account"] is None), next(iter(nodes)))
        target = Target(hub["url"], hub["token"], certificate=hub.get("certificate"))
        login = state.call(lambda api: api.create_login(), target)
        _say_started(state, document, began, detached=True, dashboard=hub["url"] + login["path"])
        return ExitCode.DONE
    lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    raise CliError(
        ExitCode.FAILED, *([line.removeprefix("✗ ") for line in lines[:3]] or ["The network did not start."])
    )


def _say_started(
    state: State, document: dict[str, Any], began: float, *, detached: bool, dashboard: str | None
) -> None:
    seconds = time.monotonic() - began
    place = _shown(state.directory)
    state.emit(
        _without_tokens(document),
        lambda: started_lines(
            document, state.console, seconds=seconds, directory=place, detached=detached, dashboard=dashboard
        ),
        identifier="pid",
    )


def _middle(nodes: Any) -> Any:
    """The node whose pages are opened first: a hub, for it sees both sides."""
    return next((node for node in nodes if node.asset is None), nodes[0])


def _without_tokens(document: dict[str, Any]) -> dict[str, Any]:
    """What may be shown, logged and piped."""
    nodes = {name: {k: v for k, v in node.items() if k != "token"} for name, node in document["nodes"].items()}
    return {**document, "nodes": nodes}


def _say_running(state: State, document: dict[str, Any]) -> None:
    shown = _without_tokens(document) if document else {}
    state.emit({"running": True, **shown}, lambda: already_running_lines(document), identifier="pid")


@command("down")
@click.pass_obj
def down(state: State) -> int:
    """Stop the network of this directory. Balances are kept.

    \b
      ilp dev down
    """
    document = _stop_running(state)
    if document is None:
        state.emit({"stopped": False}, lambda: ["  Nothing was running here."])
        return ExitCode.DONE
    mark = state.console.mark("✓", "Stopped")
    state.emit(
        {"stopped": True, "pid": document["pid"]}, lambda: [f"  {mark}. Balances are kept in {_shown(state.directory)}"]
    )
    return ExitCode.DONE


def _stop_running(state: State) -> dict[str, Any] | None:
    """Ask what runs to stop, and wait until it has. The directory's lock says that it is ours, and when it is gone."""
    from interledger.daemon.dev_directory import running_network

    document = running_network(state.directory)
    if document is None:
        return None
    pid = int(str(document["pid"]))
    os.kill(pid, signal.SIGTERM)
    began = time.monotonic()
    while running_network(state.directory) is not None:
        if time.monotonic() - began > STOP_S:
            raise CliError(
                ExitCode.FAILED, f"The network (pid {pid}) does not stop.", f"End it yourself:  kill -9 {pid}"
            )
        time.sleep(0.02)
    return document


@command("status")
@click.pass_obj
def status(state: State) -> int:
    """What runs in this directory, whether every node answers, and what was settled.

    \b
      ilp dev status
    """
    from interledger.api.client import ApiClient
    from interledger.daemon.dev_directory import running_network
    from interledger.daemon.settled import Settled, compare_settled
    from interledger.errors import InterledgerError

    found = running_network(state.directory)
    if found is None:
        raise CliError(ExitCode.NO_NODE, "No network runs here.", "Start one:  ilp dev up")
    document: dict[str, Any] = found

    async def is_up(node: dict[str, Any]) -> bool:
        try:
            return await ApiClient(node["url"], tls=trusted(node.get("certificate"))).is_ready()
        except InterledgerError:
            return False

    async def ask() -> tuple[list[str], list[Settled]]:
        nodes = document["nodes"]
        answers = await asyncio.gather(*(is_up(node) for node in nodes.values()))
        up = [name for name, answers_now in zip(nodes, answers, strict=True) if answers_now]
        return up, await compare_settled(document) if len(up) == len(nodes) else []

    with ledger_errors():
        names, settled = asyncio.run(ask())
    shown = _without_tokens(document)
    for name, node in shown["nodes"].items():
        node["up"] = name in names
    shown["settled"] = settled_document(settled)

    def lines() -> list[str]:
        found = status_lines(document, state.console, names)
        return [*found, *settled_lines(settled, document, state.console)] if settled else found

    state.emit(shown, lines, identifier="pid")
    return ExitCode.DONE if len(names) == len(document["nodes"]) else ExitCode.NO_NODE


def _shown(directory: Path) -> str:
    return str(directory) if directory.is_absolute() else f"./{directory}"
