"""Three nodes as three processes: alice (USD) over BTP to hub, over HTTP to bob (EUR), books in SQLite."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from interledger.accounts.account import HttpForm
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import Executed, Held, decode_records
from interledger.api.client import ApiClient
from interledger.store.base import Durability
from interledger.store.open import open_store

if TYPE_CHECKING:
    from tools.torture.postgres_server import PostgresServer

NAMES = ("alice", "hub", "bob")
START_S = 60
"""A busy machine takes a quarter of it."""
ADMIN = "an-admin-token-0123456789"

COMMON = """
ilp_address = "test.{name}"
admin_auth_token = "{admin}"
http_bind_address = "127.0.0.1:{port}"
data_dir = "{place}"
{keeping}
development = true
log_level = "warning"
[ledger]
statement_minutes = {statement_minutes}
[limits]
max_hold_ms = {hold_ms}
min_message_window_ms = 200
packets_per_minute = 10000000
[exchange_rate]
spread = "{spread}"
[rates]
USD = "1"
EUR = "1.25"
"""

ALICE = """
[accounts.alice]
asset = "USD/9"
[accounts.hub]
asset = "USD/9"
relation = "peer"
ilp_address = "test.hub"
{more}{to_hub}
[routes]
"test" = "hub"
"""

HUB = """
[accounts.alice]
asset = "USD/9"
relation = "peer"
ilp_address = "test.alice"
packet_amount_max = "0.001"
{more}{to_alice}
[accounts.bob]
asset = "EUR/9"
relation = "peer"
ilp_address = "test.bob"
{more}http_url = "http://127.0.0.1:{bob}/accounts/hub/ilp"
http_outgoing_token = "hub-to-bob"
http_incoming_token = "bob-to-hub"
http_form = "{form}"
"""

BOB = """
[accounts.bob]
asset = "EUR/9"
[accounts.hub]
asset = "EUR/9"
relation = "peer"
ilp_address = "test.hub"
{more}http_url = "http://127.0.0.1:{hub}/accounts/bob/ilp"
http_outgoing_token = "bob-to-hub"
http_incoming_token = "hub-to-bob"
http_form = "{form}"
"""

BTP_TO_HUB = """
btp_url = "ws://127.0.0.1:{hub}/accounts/alice/ilp/btp"
btp_outgoing_token = "alice-to-hub"
"""
BTP_TO_ALICE = """
btp_incoming_token = "alice-to-hub"
"""
HTTP_TO_HUB = """
http_url = "http://127.0.0.1:{hub}/accounts/alice/ilp"
http_outgoing_token = "alice-to-hub"
http_incoming_token = "hub-to-alice"
http_form = "{form}"
"""
HTTP_TO_ALICE = """
http_url = "http://127.0.0.1:{alice}/accounts/hub/ilp"
http_outgoing_token = "hub-to-alice"
http_incoming_token = "alice-to-hub"
http_form = "{form}"
"""


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago: a node has to come back on the one it had."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class Network:
    """The processes. `place`: where their settings, logs and books are.

    `form`: of ILP over HTTP, for both links; `sync` leaves alice on BTP.
    """

    place: Path
    form: HttpForm = HttpForm.SYNC
    statement_minutes: int = 0
    """0: nobody resolves what is unknown, so that the books can be judged as the kill left them."""
    more: str = ""
    """Of every account of a peer."""
    stores: dict[str, str] = field(default_factory=dict)
    """URLs of PostgreSQL databases by node; whoever has none keeps its books in `place`."""
    server: PostgresServer | None = None
    """Where those databases are."""
    ports: dict[str, int] = field(default_factory=lambda: dict(zip(NAMES, free_ports(3), strict=True)))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_btp = self.form is HttpForm.SYNC
        values = {"form": self.form.value, "more": self.more, **self.ports}
        values["to_hub"] = (BTP_TO_HUB if is_btp else HTTP_TO_HUB).format(**values)
        values["to_alice"] = (BTP_TO_ALICE if is_btp else HTTP_TO_ALICE).format(**values)
        for name, own in zip(NAMES, (ALICE, HUB, BOB), strict=True):
            spread = "0.002" if name == "hub" else "0"
            # A server that is killed takes along what it had not flushed: then every commit has to wait for it.
            keeping = f'store = "{self.stores[name]}"' if name in self.stores else 'durability = "process"'
            # Longer than a server is away, so that no fulfillment has to be relayed unwritten.
            hold_ms = 6_000 if name in self.stores else 1_500
            text = COMMON.format(
                name=name, admin=ADMIN, port=self.ports[name], place=self.place / name, spread=spread, keeping=keeping,
                hold_ms=hold_ms, statement_minutes=self.statement_minutes,
            )  # fmt: skip
            path = self.place / f"{name}.toml"
            path.write_text(text + own.format(**values))
            path.chmod(0o600)

    def let_statements_be_exchanged(self) -> None:
        """From the next start on: when the books were judged as the kills left them."""
        self.statement_minutes = 60
        for name in NAMES:
            path = self.place / f"{name}.toml"
            path.write_text(path.read_text().replace("statement_minutes = 0", "statement_minutes = 60"))

    async def start(self, *names: str) -> None:
        """Start nodes, and wait until they are ready."""
        for name in names:
            with (self.place / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(  # noqa: ASYNC220  # it returns at once
                    [sys.executable, "-m", "interledger", "node", "run", "--config", f"{name}.toml"],
                    cwd=self.place,
                    stdout=log,
                    stderr=log,
                    env={key: value for key, value in os.environ.items() if not key.startswith("ILP_")},
                )
        async with asyncio.timeout(START_S):
            for name in names:
                while not await self.is_ready(name):
                    assert self.running[name].poll() is None, (self.place / f"{name}.log").read_text()
                    await asyncio.sleep(0.02)

    async def is_ready(self, name: str) -> bool:
        """Whether the node takes packets."""
        try:
            return await self.api(name).is_ready()
        except Exception:
            return False

    def kill(self, name: str) -> None:
        """kill -9: the process gets no chance to write anything."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """In good order."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.running.items():
            assert process.wait(15) == 0, (self.place / f"{name}.log").read_text()
        self.running.clear()

    def clean_up(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def api(self, name: str) -> ApiClient:
        return ApiClient(f"http://127.0.0.1:{self.ports[name]}", ADMIN)

    def pointer(self) -> str:
        return f"$127.0.0.1:{self.ports['bob']}/bob"

    async def until_linked(self) -> None:
        """Until alice has the hub on the line, and the hub knows that bob answers again."""
        async with asyncio.timeout(START_S):
            for node, account in (("alice", "hub"), ("hub", "bob")):
                while not (await self.api(node).account(account))["link"]["up"]:  # noqa: ASYNC110  # another process
                    await asyncio.sleep(0.02)

    async def until_settled(self) -> None:
        """Until no node holds money for a packet. Raises `AssertionError` that says who still does.

        Requests without money (routes, balances) may wait longer for a peer that was killed.
        """
        try:
            async with asyncio.timeout(60):  # a packet lives 30 s, and the machine may be busy
                for name in NAMES:
                    while await self._holds_money(name):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        except TimeoutError:
            still = {name: await self._in_flight(name) for name in NAMES}
            raise AssertionError(f"packets stay in flight: {still}") from None

    async def _holds_money(self, name: str) -> bool:
        accounts = await self.api(name).accounts()
        return any(account["pending"] != {"in": "0", "out": "0"} for account in accounts)

    async def _in_flight(self, name: str) -> dict[str, object]:
        api = self.api(name)
        pending = {account["id"]: account["pending"] for account in await api.accounts()}
        return {"in_flight": (await api.status())["in_flight"], "pending": pending, "unknown": len(await api.unknown())}


@dataclass
class Books:
    """What a node wrote down, read after its end: the books as a start would find them, and each packet's outcome."""

    ledger: Ledger
    executed: dict[bytes, Held]

    @classmethod
    def read(cls, place: Path, url: str | None = None) -> Books:
        store = open_store(place, Durability.POWER, url)
        try:
            ledger = Ledger()
            store.load(ledger)
            commits = store.history.read_commits(0, 1_000_000)
        finally:
            store.close()
        held: dict[int, Held] = {}
        executed: dict[bytes, Held] = {}
        for commit in commits:
            for record in decode_records(commit.records):
                if isinstance(record, Held):
                    held[record.hold_id] = record
                elif isinstance(record, Executed):
                    executed[held[record.hold_id].condition] = held[record.hold_id]
        return cls(ledger, executed)

    def net(self, name: str) -> int:
        """What the account owes the node less what the node owes it; an account that was never opened: 0."""
        return sum(account.net for account in self.ledger.accounts if account.name == name)

    def executed_onward(self, name: str) -> set[bytes]:
        """Conditions of the packets that were delivered to the account."""
        return {c for c, held in self.executed.items() if self.ledger.accounts[held.legs[-1][1]].name == name}

    def executed_from(self, name: str) -> set[bytes]:
        """Conditions of the packets of the account that were delivered."""
        return {c for c, held in self.executed.items() if self.ledger.accounts[held.legs[0][0]].name == name}


def explain_link(left: Books, name_there: str, right: Books, name_here: str) -> int:
    """The books of both ends of a link over which `left` sent: alike but for what `left` knows to be unknown.

    Returns the units that `right` has and `left` does not, every one of them explained by an unknown item.
    """
    at_right = right.executed_from(name_here)
    assert left.executed_onward(name_there) <= at_right, "a fulfillment that the other end does not know of"
    unknown = [item for item in left.ledger.unknown.values() if item.account.name == name_there]
    assert at_right - left.executed_onward(name_there) <= {item.condition for item in unknown}
    explained = sum(item.amount for item in unknown if item.condition in at_right)
    assert right.net(name_here) == -left.net(name_there) + explained
    return explained
