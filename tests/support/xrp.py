"""Nodes that settle by XRP payment channels on a simulated ledger, their engines in the test's own process."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import Asset, parse_asset
from interledger.api.app import create_app
from interledger.api.engine_calls import create_settlement_app
from interledger.ilp.address import Address
from interledger.link.btp.messages import ProtocolData
from interledger.node.node import Node
from interledger.node.settings import Settings
from interledger.settlement.engine import shell as engine_shell
from interledger.settlement.engine.shell import EngineProcess, EngineSettings
from interledger.settlement.engine.state import EngineState
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.xrp import engine as xrp_engine
from interledger.settlement.engines.xrp.claims import Claim, channel_id, channel_proof, claim_message, drops_of
from interledger.settlement.engines.xrp.engine import XrpEngine
from interledger.settlement.engines.xrp.keys import XrpKey, account_octets
from interledger.settlement.engines.xrp.sim import XrpSimulator
from interledger.settlement.engines.xrp.sim_ledger import SimLedger
from tests.support.engines import quick as quick_node

XRP = 1_000_000
"""Drops."""

TOKEN = "a-token-that-both-sides-know-0123456789abcdef"
LOOK_MS = 20


def quick(monkeypatch: Any) -> None:
    """Retries at once, on both sides."""
    quick_node(monkeypatch)
    monkeypatch.setattr(engine_shell, "retry_delay_ms", lambda attempts, random: 20)
    monkeypatch.setattr(engine_shell, "CANNOT_PAY_MS", 20)
    monkeypatch.setattr(xrp_engine, "MEET_MS", 50)


@asynccontextmanager
async def node_at(address: str, place: Path | None = None, **more: Any) -> AsyncIterator[Node]:
    """A node with a port for its engine. With a place: its books are there after a restart."""
    values: dict[str, Any] = {
        "ilp_address": Address(address),
        "secret_seed": hashlib.sha256(address.encode()).digest(),
        "admin_auth_token": "admin-token",
        "http_bind_address": "127.0.0.1:0",
        "settlement_api_bind_address": "127.0.0.1:0",
        "data_dir": str(place or "nowhere"),
        "durability": "memory" if place is None else "process",
        "development": True,
        "spread": Fraction(0),
        "rates": {"XRP": "1"},
        "route_broadcast": False,
    }
    node = Node(Settings(**(values | more)))
    await node.start(create_app(node), create_settlement_app(node))
    try:
        yield node
    finally:
        await node.stop()
        assert node.ledger.check() == []


@asynccontextmanager
async def engine_at(place: Path, node: Node, simulator: XrpSimulator, **options: Any) -> AsyncIterator[EngineProcess]:
    """An engine beside `node`, its state in `place`; at the same port after a restart."""
    given = {"server": simulator.url, "key_file": f"{place}-key", "look_ms": LOOK_MS, **options}
    state = EngineState(place)
    engine = make_engine(find_engine("xrp"), {name: str(value) for name, value in given.items()})
    url, port = f"http://127.0.0.1:{node.settlements.port}", state.get("test port") or 0
    process = EngineProcess(engine, state, EngineSettings(url, ("127.0.0.1", port)))
    try:
        await process.start()
        state.put("test port", process.port)
        assert isinstance(engine, XrpEngine)
        if engine.address not in simulator.ledger.validated.accounts:
            simulator.ledger.fund(engine.address, 1_000 * XRP)
        yield process
    finally:
        await process.stop()
        state.close()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def peer(name: str, address: str, engine: EngineProcess, *, asset: str = "XRP/6", **more: Any) -> Account:
    """A peer's account that the engine settles. `url`: we dial it; else it dials us."""
    url = more.pop("url", None)
    link = (
        LinkSettings(btp_incoming_token_digest=digest(TOKEN))
        if url is None
        else LinkSettings(btp_url=url, btp_outgoing_token=TOKEN)
    )
    relation = more.pop("relation", Relation.PEER)
    return Account(
        id=AccountId(name), asset=parse_asset(asset), ilp_address=Address(address), relation=relation, link=link,
        settlement_engine_url=engine.url, **more,
    )  # fmt: skip


def owe(node: Node, name: str, amount: int, asset: Asset | None = None) -> None:
    """The account fulfilled packets worth `amount`: posted, as packets are."""
    ledger, asset = node.ledger, asset or node.account(name).asset
    ledger.post(((ledger.account("local/x", asset), ledger.account(f"peer/{name}", asset), amount),), "a packet")


def net(node: Node, name: str) -> int:
    """What the account owes us, less what we owe it."""
    return node.position(name).net


def claimed(process: EngineProcess, name: str) -> int:
    """Units of all claims that its engine holds of the account."""
    engine = process.engine
    assert isinstance(engine, XrpEngine)
    known = engine._in.book.current(process.account(name))
    return 0 if known is None else known.amount


def has_channels(process: EngineProcess, name: str) -> bool:
    details: dict[str, Any] = next((dict(one.details) for one in process.accounts if one.id == name), {})
    return bool(details.get("out")) and bool(details.get("in"))


class Somebody:
    """A key with XRP on a simulated ledger, who does what the test says."""

    def __init__(self, ledger: SimLedger, seed: int = 1, drops: int = 1_000 * XRP) -> None:
        self.ledger, self.key = ledger, XrpKey(bytes([seed]) * 16)
        if drops:
            ledger.fund(self.address, drops)

    @property
    def address(self) -> str:
        return self.key.address

    @property
    def balance(self) -> int:
        return int(self.ledger.validated.accounts[self.address]["Balance"])

    def signed(self, kind: str, **fields: Any) -> str:
        """A transaction of the next sequence."""
        account = self.ledger.open.accounts.get(self.address, {"Sequence": 1})
        common = {"TransactionType": kind, "Sequence": account["Sequence"], "Fee": "10"}
        return self.key.sign_transaction(common | fields).blob

    def transact(self, kind: str, **fields: Any) -> str:
        """What came of it; a ledger has it."""
        result = self.ledger.submit(self.signed(kind, **fields)).result
        self.ledger.close(self.ledger.closed_at + 4)
        return result

    def open(self, destination: str, drops: int = 10 * XRP, delay: int = 3_600, **more: Any) -> str:
        """A channel; its id."""
        sequence = self.ledger.open.accounts[self.address]["Sequence"]
        fields = {"Amount": str(drops), "Destination": destination, "SettleDelay": delay, "PublicKey": self.key.public}
        assert self.transact("PaymentChannelCreate", **(fields | more)) == "tesSUCCESS"
        octets = channel_id(account_octets(self.address), account_octets(destination), sequence)
        return octets.hex().upper()

    def claim(self, channel: str, amount: int, scale: int = 6) -> Claim:
        return Claim(amount, self.key.sign(claim_message(bytes.fromhex(channel), drops_of(amount, scale))))

    def shown(self, channel: str, ilp_address: str) -> tuple[ProtocolData, ...]:
        """The channel, with the proof whose it is."""
        octets = bytes.fromhex(channel)
        signature = self.key.sign(channel_proof(octets, ilp_address))
        return (ProtocolData("channel", 0, octets), ProtocolData("channel_signature", 0, signature))
