"""The development network: several nodes in one process, linked, with rates, limits and wallets; state in `.ilp/`.

Every node is a real one, with its own database, port and API; they speak BTP and ILP over HTTP over sockets. Started
again in the same directory, the network goes on with the balances it had.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.clock import SystemClock, SystemEntropy, Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.timestamp import format_rfc3339
from interledger.daemon.authority import DevAuthority
from interledger.daemon.breaking import Breaking
from interledger.daemon.dev_settlement import DevSettlement, settlement_secret
from interledger.daemon.neighbours import Neighbours
from interledger.daemon.ports import find_listener, port_is_taken
from interledger.daemon.serve import certificate_path, node_url, open_node
from interledger.daemon.topology import PACKET_USD, DevLink, DevNode, Topology, credit_limit
from interledger.errors import ConflictError, InterledgerError
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.node.settings import Settings
from interledger.node.settings_load import keep_secret

__all__ = [
    "TLS_DIRECTORY",
    "DevNetwork",
    "PortTakenError",
]

TLS_DIRECTORY: Final = "tls"
"""Below the state directory: the authority, and the certificates that it signed."""

HOST: Final = "127.0.0.1"

LINKS_UP_S: Final = 5.0
"""All is on this machine: a link that is not up by then will not come up."""


class PortTakenError(InterledgerError):
    """Another program has one of the ports. `port`, `program` and `pid`, where they are known."""

    def __init__(self, port: int) -> None:
        self.port = port
        found = find_listener(port)
        self.program = None if found is None else found.program
        self.pid = None if found is None else found.pid
        who = "" if found is None else f" ({found.program}, pid {found.pid})"
        super().__init__(f"Port {port} is taken by another program{who}.")


@final
class DevNetwork:
    """All nodes of a topology. `directory`: where their state is kept, one folder a node.

    `tls`: they speak TLS, by certificates of an authority that is made in the directory. `settlement`: the kind of
    ledger that they settle on (`daemon.ledgers.table`); None: they do not.
    """

    def __init__(
        self,
        topology: Topology,
        directory: Path,
        *,
        durability: str = "power",
        tls: bool = False,
        settlement: str | None = None,
    ) -> None:
        """Raises `InvalidRequestError` for a ledger that is not there."""
        self.settlement = None if settlement is None else DevSettlement(settlement, topology, directory)
        self.topology = topology if self.settlement is None else self.settlement.topology
        self.directory = directory
        self.nodes: dict[str, Node] = {}
        self.breaking = Breaking(self)
        self.neighbours = Neighbours(self.nodes, self.breaking)
        self._ports: dict[str, int] = {}
        self.started_at = Timestamp(0)
        self._durability = durability
        self._tls = tls

    async def start(self) -> None:
        """Start every node, then link them, then connect what settles.

        Raises `PortTakenError` before anything is started, `ConflictError`, `MissingProgramError`, `LedgerError`.
        """
        if self.settlement is not None:
            self.settlement.ledger.check()
        for spec in self.topology.nodes:
            for port in (spec.port, spec.port + 1)[: 1 if self.settlement is None else 2]:
                if spec.port and port_is_taken(HOST, port):
                    raise PortTakenError(port)
        try:
            for spec in self.topology.nodes:
                await self._open(spec)
            # The left end of a BTP link dials, so the right one has to know it by then.
            for spec in reversed(self.topology.nodes):
                await self._configure(spec)
            await self._wait_for_links()
            if self.settlement is not None:
                await self._connect_engines(self.settlement)
        except BaseException:
            await self.stop()
            raise
        self.started_at = SystemClock().now()

    async def stop(self) -> None:
        """Stop all nodes, the last one first; before them the engines, which would miss them."""
        if self.settlement is not None:
            await self.settlement.stop()
        for name in reversed(list(self.nodes)):
            await self.nodes.pop(name).stop()

    async def _open(self, spec: DevNode) -> None:
        """With the port it had, where it ran before: its links' urls name it."""
        settings = self._settings(replace(spec, port=self._ports.get(spec.name, spec.port)))
        node = self.nodes[spec.name] = await open_node(settings, self.neighbours.pages_of(spec.name))
        self._ports[spec.name] = node.port

    async def stop_node(self, name: str) -> None:
        """One node, while the others go on."""
        await self.nodes.pop(name).stop()

    async def start_nodes(self, names: Collection[str]) -> None:
        """Nodes that were stopped, with the books they had; where those were in memory, with new ones.

        Raises `ConflictError` for a neighbour that stays stopped: its token and its port have to be known.
        """
        for name in names:
            for neighbour in self.topology.neighbours(name):
                if neighbour not in self.nodes and neighbour not in names:
                    raise ConflictError(f"Start {neighbour} first: {name} is linked with it.")
        for name in names:
            await self._open(self.topology.node(name))
        for name in names:
            await self._configure(self.topology.node(name))

    def pointer(self, name: str) -> str:
        """The payment pointer of a holder: `$localhost:7780/bob`"""
        place = f"localhost:{self._ports[name]}/{name}"
        return f"https://{place}" if self._tls else f"${place}"

    def document(self) -> dict[str, object]:
        """dev.json: what a program needs to use the network."""
        nodes: dict[str, object] = {}
        for spec in self.topology.nodes:
            node = self.nodes[spec.name]
            nodes[spec.name] = {
                "url": node_url(node),
                "token": node.settings.admin_auth_token,
                "certificate": certificate_path(node),
                "account": None if spec.asset is None else spec.name,
                "address": node.address,
                "asset": None if spec.asset is None else str(spec.asset),
                "wallet": None if spec.asset is None else self.pointer(spec.name),
            }
        return {
            "pid": os.getpid(),
            "started_at": format_rfc3339(self.started_at),
            "margin": str(self.topology.margin),
            "nodes": nodes,
            "links": [[link.left, link.right, link.kind, str(link.asset)] for link in self.topology.links],
            "settlement": None if self.settlement is None else self.settlement.document(),
        }

    # ------------------------------------------------------------------ one node

    def _settings(self, spec: DevNode) -> Settings:
        place = self.directory / spec.name
        keep = None if self._durability == "memory" else place
        more: dict[str, Any] = self._certificates(spec) if self._tls else {}
        if self.settlement is not None:
            port = spec.port + 1 if spec.port else 0
            more |= {"settlement_api_bind_address": f"{HOST}:{port}", "settlement_token": settlement_secret(place)}
        return Settings(
            **more,
            ilp_address=Address(spec.address),
            http_bind_address=f"{HOST}:{spec.port}",
            data_dir=str(place),
            durability=self._durability,
            secret_seed=bytes.fromhex(keep_secret(keep, "secret_seed", SystemEntropy())),
            admin_auth_token=keep_secret(keep, "admin_token", SystemEntropy()),
            default_spsp_account=None if spec.asset is None else AccountId(spec.name),
            packet_log=True,
            development=True,
            spread=self.topology.margin if spec.asset is None else Fraction(0),  # what a holder sends is what it said
        )

    def _certificates(self, spec: DevNode) -> dict[str, Any]:
        """The settings for TLS: a new certificate at every start, of the authority that was made at the first."""
        now = SystemClock().now()
        authority = DevAuthority(self.directory / TLS_DIRECTORY, now)
        issued = authority.issue(spec.name, now)
        return {"tls_certificate": str(issued.certificate), "tls_key": str(issued.key), "tls_ca": str(authority.path)}

    async def _configure(self, spec: DevNode) -> None:
        """Accounts, routes and rates as the topology says; what is there already stays, with its balances."""
        node = self.nodes[spec.name]
        wanted = {account.id: account for account in self._accounts_of(spec)}
        for account in node.accounts():
            if account.id not in wanted:
                await node.delete_account(account.id)
        there = {account.id: account for account in node.accounts()}
        for account in wanted.values():
            if account.id not in there:
                await node.create_account(account)
                continue
            before = there[account.id]
            if self.settlement is not None:  # what is settled is said when the engines run; until then as it was
                account = replace(
                    account,
                    settlement_engine_url=before.settlement_engine_url,
                    settle_threshold=before.settle_threshold,
                    settle_to=before.settle_to,
                )
            if before != account:
                await node.replace_account(account)
        await node.set_static_routes(self.topology.routes_of(spec.name))
        await node.set_rates(self.topology.values)

    async def _connect_engines(self, settlement: DevSettlement) -> None:
        """The links are up by then, so that engines can talk to each other at once."""
        await settlement.start(self.nodes)
        # All at once: an engine that is told says who it is, and the peer's node has to know its own by then.
        for spec in self.topology.nodes:
            for account in self._accounts_of(spec):
                settled = settlement.settled(spec, account)
                if settled != self.nodes[spec.name].account(account.id):
                    self.nodes[spec.name].changes.replace(settled)
        for node in self.nodes.values():
            await node.commit()
        await settlement.wait_until_known(self.nodes)

    def _accounts_of(self, spec: DevNode) -> Iterator[Account]:
        if spec.asset is not None:
            name = AccountId(spec.name)
            yield Account(id=name, asset=spec.asset, ilp_address=Address(f"{spec.address}.{name}"))
        for link in self.topology.links:
            if spec.name in (link.left, link.right):
                yield self._peer(spec, link)

    def _peer(self, spec: DevNode, link: DevLink) -> Account:
        """The account that one end of a link keeps of the other end."""
        other = self.topology.node(link.right if spec.name == link.left else link.left)
        takes_packets_of_holder = spec.asset is None and other.asset is not None
        return Account(
            id=AccountId(other.name),
            asset=link.asset,
            ilp_address=Address(other.address),
            relation=Relation.PEER,
            owes_us_max=credit_limit(link.asset),
            we_owe_max=credit_limit(link.asset),
            packet_amount_max=credit_limit(link.asset, PACKET_USD) if takes_packets_of_holder else UINT64_MAX,
            link=self._link_settings(spec, other, link),
        )

    def _link_settings(self, spec: DevNode, other: DevNode, link: DevLink) -> LinkSettings:
        outgoing, incoming = self._token(spec.name, other.name), self._token(other.name, spec.name)
        place = f"{HOST}:{self.nodes[other.name].port}/accounts/{spec.name}/ilp"
        digest = hashlib.sha256(incoming.encode("ascii")).hexdigest()
        s = "s" if self._tls else ""
        if link.kind == "HTTP":
            return LinkSettings(
                http_url=f"http{s}://{place}", http_outgoing_token=outgoing, http_incoming_token_digest=digest
            )
        if spec.name == link.left:
            return LinkSettings(btp_url=f"ws{s}://{place}/btp", btp_outgoing_token=outgoing)
        return LinkSettings(btp_incoming_token_digest=digest)

    def _token(self, sender: str, receiver: str) -> str:
        """What `sender` presents to `receiver`: from the receiver's seed, so that it is the same at every start."""
        seed = self.nodes[receiver].settings.secret_seed
        return hmac.new(seed, b"development link of " + sender.encode("utf-8"), hashlib.sha256).hexdigest()

    async def _wait_for_links(self) -> None:
        """Until every link is up, from both ends."""
        ends = [(link.left, link.right) for link in self.topology.links]
        waiting = [*ends, *((right, left) for left, right in ends)]
        with suppress(TimeoutError):
            async with asyncio.timeout(LINKS_UP_S):
                while waiting:
                    waiting = [(a, b) for a, b in waiting if not self.nodes[a].link_status(b).up]
                    if waiting:
                        await asyncio.sleep(0.005)
        if waiting:
            raise ConflictError(f"The link from {waiting[0][0]} to {waiting[0][1]} does not come up.")
