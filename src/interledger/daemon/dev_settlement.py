"""Settlement in a development network: a ledger of its own, and beside each node an engine for each asset it owes.

Engines keep their ports over restarts: a settlement belongs to the engine that it was given to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.clock import SystemClock, SystemEntropy
from interledger.daemon.engine import ENGINE_FILE
from interledger.daemon.ledgers.base import DevLedger
from interledger.daemon.ledgers.programs import LedgerError
from interledger.daemon.ledgers.table import find_ledger
from interledger.daemon.ports import port_is_taken
from interledger.daemon.process import read_private_json, write_private_json
from interledger.daemon.topology import DevNode, Topology, credit_limit
from interledger.node.node import Node
from interledger.node.settings_load import keep_secret
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState
from interledger.settlement.messages import path_of_account

__all__ = ["PORTS_FILE", "SETTLEMENT_DIRECTORY", "THRESHOLD_USD", "DevSettlement", "settlement_secret"]

SETTLEMENT_DIRECTORY: Final = "settlement"
"""Below the state directory: the ledger, and a folder for each engine."""

PORTS_FILE: Final = "ports.json"

THRESHOLD_USD: Final = 5
"""What is owed is settled from about so much on: a payment of 10 USD shows it."""

HOST: Final = "127.0.0.1"

ENGINE_PORTS: Final = 2
"""A node's engines come after its own port and the one where engines call."""

SET_UP_S: Final = 30.0
"""For the engines of all peers to have told each other who they are."""


def settlement_secret(place: Path) -> str:
    """What a node and its engines show each other."""
    return keep_secret(place, "settlement_token", SystemEntropy())


@final
class DevSettlement:
    """`kind` as in `DEV_LEDGERS`. `directory`: the network's."""

    def __init__(self, kind: str, topology: Topology, directory: Path) -> None:
        """Raises `InvalidRequestError` for a ledger that is not there, or that has none of the network's assets."""
        self._place = directory / SETTLEMENT_DIRECTORY
        self.ledger: DevLedger = find_ledger(kind)(self._place / kind)
        self.topology = topology
        if self.ledger.needs_btp:
            self.topology = replace(topology, links=tuple(replace(link, kind="BTP") for link in topology.links))
        self.links = [link for link in self.topology.links if self.ledger.settles(link.asset)]
        self.engines: dict[tuple[str, Asset], EngineProcess] = {}
        self._states: list[EngineState] = []

    async def start(self, nodes: Mapping[str, Node]) -> None:
        """The ledger, then the engines. Raises what the ledger raises, `PortTakenError` of `daemon.dev`."""
        await self.ledger.start(list(dict.fromkeys(link.asset for link in self.links)))
        for spec in self.topology.nodes:
            assets = [link.asset for link in self.links if spec.name in (link.left, link.right)]
            for number, asset in enumerate(dict.fromkeys(assets)):
                await self._start_engine(spec, nodes[spec.name], asset, number)

    async def _start_engine(self, spec: DevNode, node: Node, asset: Asset, number: int) -> None:
        name = _engine_name(spec.name, asset)
        place = self._place / name
        port = self._port(name, spec.port + ENGINE_PORTS + number if spec.port else 0)
        engine = await self.ledger.engine(place, spec.name, asset)
        state = EngineState(place)
        self._states.append(state)
        settings = EngineSettings(
            f"http://{HOST}:{node.settlements.port}", (HOST, port), node.settings.settlement_token
        )
        process = EngineProcess(engine, state, settings)
        self.engines[spec.name, asset] = process
        # Before any peer's engine says who it is.
        for account_id in self._peers(spec.name, asset):
            state.open_account(path_of_account(account_id), SystemClock().now())
        await process.start()
        write_private_json(place / ENGINE_FILE, {"url": process.url, "engine": engine.name, "token": settings.token})

    def _peers(self, name: str, asset: Asset) -> list[AccountId]:
        ends = [
            (link.left, link.right) for link in self.links if link.asset == asset and name in (link.left, link.right)
        ]
        return [AccountId(right if name == left else left) for left, right in ends]

    def _port(self, name: str, wanted: int) -> int:
        """The one that it had; else the wanted one, or a free one."""
        kept = read_private_json(self._place / PORTS_FILE) or {}
        port = int(kept.get(name) or wanted or _free_port())
        if port_is_taken(HOST, port):
            raise LedgerError(f"Port {port}, where the settlement engine {name} has to listen, is taken")
        write_private_json(self._place / PORTS_FILE, {**kept, name: port})
        return port

    def settled(self, spec: DevNode, account: Account) -> Account:
        """The account, settled by its engine where there is one."""
        process = self.engines.get((spec.name, account.asset))
        if process is None or account.id not in self._peers(spec.name, account.asset):
            return account
        threshold = credit_limit(account.asset, THRESHOLD_USD)
        return replace(account, settlement_engine_url=process.url, settle_threshold=threshold, settle_to=0)

    async def wait_until_known(self, nodes: Mapping[str, Node]) -> None:
        """Until every engine knows the account that it is to settle. Raises `LedgerError` when one does not."""
        waiting = [(name, peer) for name, asset in self.engines for peer in self._peers(name, asset)]
        with suppress(TimeoutError):
            async with asyncio.timeout(SET_UP_S):
                while waiting:
                    waiting = [
                        (name, peer)
                        for name, peer in waiting
                        if not nodes[name].settlements.engines.is_set_up(nodes[name].account(peer))
                    ]
                    if waiting:
                        await asyncio.sleep(0.01)
        if waiting:
            name, peer = waiting[0]
            raise LedgerError(f"{name}'s engine does not come to know {peer}'s: look at the alarms of  ilp status")

    async def stop(self) -> None:
        """Engines first, then what they speak with. What is under way goes on at the next start."""
        for process in self.engines.values():
            await process.stop()
        for (name, asset), _ in self.engines.items():
            (self._place / _engine_name(name, asset) / ENGINE_FILE).unlink(missing_ok=True)
        for state in self._states:
            state.close()
        self.engines.clear()
        self._states.clear()
        await self.ledger.stop()

    def document(self) -> dict[str, Any]:
        """For dev.json: the ledger, what each link settles at, and where each engine keeps its state."""
        return {
            "ledger": self.ledger.document(),
            "engines": {
                _engine_name(name, asset): {
                    "node": name,
                    "asset": str(asset),
                    "url": process.url,
                    "data_dir": str(self._place / _engine_name(name, asset)),
                }
                for (name, asset), process in self.engines.items()
            },
            "links": [
                {
                    "left": link.left,
                    "right": link.right,
                    "asset": str(link.asset),
                    "threshold": str(credit_limit(link.asset, THRESHOLD_USD)),
                }
                for link in self.links
            ],
        }


def _engine_name(name: str, asset: Asset) -> str:
    """`hub-usd-9`: also the name of its folder."""
    return f"{name}-{str(asset).lower().replace('/', '-')}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
