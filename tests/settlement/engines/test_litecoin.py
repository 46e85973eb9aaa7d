"""Payments on a real Litecoin Core node, alone on a chain of its own (regtest): mined, unmined, stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from kit import Carrier, call, connector_of, quick, running, until

from interledger.errors import SettingsError
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.core_rpc import core_rpc
from interledger.settlement.engines.json_rpc import JsonRpc

CONFIRMATIONS = 3
BUMP_BLOCKS = 2

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("litecoind") is None and "ILP_REQUIRE_INTEROP" not in os.environ,
        reason="litecoind is not installed (Debian: apt install litecoind)",
    ),
]


class Chain:
    """A litecoind of our own with a wallet for each engine, and one that mines."""

    def __init__(self, place: Path) -> None:
        self.place = place
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        for wallet in ("miner", "left", "right"):
            self("createwallet", wallet)
        self.miner = self("getnewaddress", "", "bech32", wallet="miner")
        self("generatetoaddress", 110, self.miner)

    def start(self) -> None:
        command = ["litecoind", f"-datadir={self.place}", "-regtest", f"-rpcport={self.port}", "-listen=0", "-server"]
        self._process = subprocess.Popen([*command, "-fallbackfee=0.0001"], stdout=subprocess.DEVNULL)
        asked = ["litecoin-cli", f"-datadir={self.place}", "-regtest", f"-rpcport={self.port}", "-rpcwait", "uptime"]
        subprocess.run(asked, check=True, timeout=60, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def options(self, wallet: str) -> dict[str, str]:
        return {
            "rpc_url": self.url,
            "rpc_cookie": str(self.place / "regtest" / ".cookie"),
            "wallet": wallet,
            "confirmations": str(CONFIRMATIONS),
            "bump_blocks": str(BUMP_BLOCKS),
            "look_ms": "10",
        }

    def __call__(self, method: str, *parameters: Any, wallet: str = "") -> Any:
        """From outside of the loop of a test, so that it can be asked anywhere."""
        rpc = core_rpc(self.url, cookie=self.options("")["rpc_cookie"], wallet=wallet)
        answer: list[Any] = []

        async def ask() -> None:
            answer.append(await rpc.call(method, *parameters))

        errors: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(ask())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return answer[0]

    def mine(self, blocks: int = 1) -> None:
        self("generatetoaddress", blocks, self.miner)

    def mine_empty(self) -> None:
        self("generateblock", self.miner, [])

    def fund(self, wallet: str, coins: str = "10") -> None:
        self("sendtoaddress", self("getnewaddress", "", "bech32", wallet=wallet), coins, wallet="miner")
        self.mine()

    def empty(self, wallet: str) -> None:
        if Decimal(self("getbalance", wallet=wallet)):
            balance = self("getbalance", wallet=wallet)
            self("sendtoaddress", self.miner, balance, "", "", True, wallet=wallet)
            self.mine()

    def received(self, address: str, depth: int = 1) -> Decimal:
        return Decimal(self("getreceivedbyaddress", address, depth, wallet="right"))

    @property
    def mempool(self) -> list[str]:
        return list(self("getrawmempool"))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    made = Chain(tmp_path_factory.mktemp("litecoin"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, chain: Chain) -> Iterator[None]:
    quick(monkeypatch)
    yield
    monkeypatch.undo()
    chain.empty("left")


@asynccontextmanager
async def two(place: Path, chain: Chain) -> AsyncIterator[tuple[EngineProcess, EngineProcess, Carrier]]:
    """Two engines that know each other: left, which pays here, and right with its node."""
    async with AsyncExitStack() as stack:
        nodes = (Carrier(), Carrier())
        urls = [await stack.enter_async_context(connector_of(node)) for node in nodes]
        engines = [make_engine(find_engine("litecoin"), chain.options(wallet)) for wallet in ("left", "right")]
        left = await stack.enter_async_context(running(place / "left", engines[0], urls[0]))
        right = await stack.enter_async_context(running(place / "right", engines[1], urls[1]))
        nodes[0].peer, nodes[1].peer = lambda: right.url, lambda: left.url
        if not right.accounts:
            right.state.open_account("peer", right.now())
            assert (await call(left, "POST", "/accounts", {"id": "peer"})).status == 201
        yield left, right, nodes[1]


async def settle(engine: EngineProcess, amount: int, key: str = "k", scale: int = 8) -> None:
    body = {"amount": str(amount), "scale": scale}
    assert (await call(engine, "POST", "/accounts/peer/settlements", body, key=key)).status == 201


def address_of(engine: EngineProcess) -> str:
    return str(engine.account("peer").details["receive_at"])


async def test_a_payment_is_final_when_it_lies_deep_enough_and_not_before(tmp_path: Path, chain: Chain) -> None:
    chain.fund("left")
    async with two(tmp_path, chain) as (left, right, right_node):
        assert left.account("peer").details["pay_to"] == address_of(right)
        await settle(left, 123456789, scale=9)  # 0.12345678, and 9 billionths wait
        await until(lambda: chain.mempool)
        chain.mine(CONFIRMATIONS - 1)
        await asyncio.sleep(0.1)
        assert (right_node.total, len(left.state.open_payments())) == (0, 1)
        chain.mine()
        await until(lambda: right_node.total and not left.state.open_payments())
        assert right_node.total * 10**8 == 12345678
        assert (left.state.owed("peer").amount, left.state.owed("peer").scale) == (9, 9)
        assert chain.received(address_of(right)) == Decimal("0.12345678")


async def test_a_fee_that_is_too_low_is_raised_by_a_child_that_pays_for_both(tmp_path: Path, chain: Chain) -> None:
    chain.fund("left")
    async with two(tmp_path, chain) as (left, right, right_node):
        await settle(left, 150_000_000)
        await until(lambda: chain.mempool)
        for size in (2, 3):  # and again, when that was not enough
            for _ in range(BUMP_BLOCKS):
                chain.mine_empty()
            await until(lambda: len(chain.mempool) == size)  # noqa: B023  # called before it changes
        (payment,) = left.state.open_payments()
        fees = {txid: chain("getmempoolentry", txid)["fees"] for txid in chain.mempool}
        parent, child = (payment.note or {})["txid"], (payment.note or {})["child"]["txid"]
        assert Decimal(fees[child]["ancestor"]) >= 9 * Decimal(fees[parent]["base"])
        chain.mine(CONFIRMATIONS)
        await until(lambda: right_node.total and not left.state.open_payments())
        assert right_node.total * 10 == 15
        assert chain.received(address_of(right)) == Decimal("1.5")
        assert list(left.alarms) == []


async def test_what_a_reorganisation_took_back_is_sent_again(tmp_path: Path, chain: Chain) -> None:
    chain.fund("left")
    async with two(tmp_path, chain) as (left, right, right_node):
        await settle(left, 100_000_000)
        await until(lambda: chain.mempool)
        chain.mine(CONFIRMATIONS - 1)
        undone = chain("getblockhash", int(chain("getblockcount")) - CONFIRMATIONS + 2)
        chain("invalidateblock", undone)
        for _ in range(CONFIRMATIONS):
            chain.mine_empty()  # another branch, without the payment
        await asyncio.sleep(0.1)
        assert right_node.total == 0
        await until(lambda: chain.mempool)
        chain.mine(CONFIRMATIONS)
        await until(lambda: right_node.total and not left.state.open_payments())
        assert (right_node.total, chain.received(address_of(right))) == (1, 1)


async def test_a_node_that_is_stopped_meanwhile(tmp_path: Path, chain: Chain) -> None:
    chain.fund("left")
    async with two(tmp_path, chain) as (left, right, right_node):
        await settle(left, 100_000_000)
        await until(lambda: chain.mempool)
        chain.stop()
        await settle(left, 200_000_000, key="another")
        chain.start()
        chain("loadwallet", "miner")
        for _ in range(2):
            await until(lambda: "left" in chain("listwallets") or chain("loadwallet", "left"))
            await until(lambda: "right" in chain("listwallets") or chain("loadwallet", "right"))
            await until(lambda: chain.mempool)
            chain.mine(CONFIRMATIONS)
        await until(lambda: right_node.total == 3 and not left.state.open_payments())
        assert chain.received(address_of(right)) == 3


async def test_I3_a_death_after_any_call_pays_once(
    tmp_path: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node did it, and the engine dies before it knows: at the first call, the second, and so on."""
    ask, calls, dies_at = JsonRpc.call, 0, 0

    async def call_and_die(self: JsonRpc, method: str, *parameters: Any) -> Any:
        nonlocal calls
        answer = await ask(self, method, *parameters)
        if self is getattr(left.engine, "_rpc", None) and method not in ("listsinceblock", "gettransaction"):
            calls += 1
            if calls == dies_at:
                raise OSError("cut")
        return answer

    chain.fund("left", "30")
    async with two(tmp_path, chain) as (left, right, right_node):
        monkeypatch.setattr(JsonRpc, "call", call_and_die)
        for payments in range(1, 10):
            calls, dies_at = 0, payments
            await settle(left, 100_000_000, key=f"k{payments}")
            await until(lambda: chain.mempool)
            chain.mine(CONFIRMATIONS)
            await until(lambda: right_node.total == payments and not left.state.open_payments())  # noqa: B023  # as above
        assert calls > 0
        assert chain.received(address_of(right)) == 9


async def test_coins_that_somebody_spent_otherwise_pay_with_others(tmp_path: Path, chain: Chain) -> None:
    chain.fund("left")
    async with two(tmp_path, chain) as (left, right, right_node):
        await settle(left, 100_000_000)
        await until(lambda: chain.mempool)
        (payment,) = left.state.open_payments()
        made = chain("decoderawtransaction", (payment.note or {})["hex"])
        inputs = [{"txid": each["txid"], "vout": int(each["vout"])} for each in made["vin"]]
        own = chain("getnewaddress", "", "bech32", wallet="left")
        raw = chain("createrawtransaction", inputs, [{own: "9.9"}])
        signed = chain("signrawtransactionwithwallet", raw, wallet="left")["hex"]
        chain("generateblock", chain.miner, [signed])  # a miner prefers it
        chain.mine(CONFIRMATIONS - 1)
        await until(lambda: chain.mempool)
        chain.mine(CONFIRMATIONS)
        await until(lambda: right_node.total == 1 and not left.state.open_payments())
        assert chain.received(address_of(right)) == 1
        assert any("spent by another transaction" in alarm for alarm in left.alarms)


async def test_an_empty_wallet_pays_when_it_is_filled(tmp_path: Path, chain: Chain) -> None:
    async with two(tmp_path, chain) as (left, _, right_node):
        await settle(left, 100_000_000)
        await until(lambda: any("the wallet says" in alarm for alarm in left.alarms))
        chain.fund("left")
        await until(lambda: chain.mempool)
        chain.mine(CONFIRMATIONS)
        await until(lambda: right_node.total == 1)


async def test_what_is_too_little_to_be_sent_waits_for_more(tmp_path: Path, chain: Chain) -> None:
    chain.fund("left")
    async with two(tmp_path, chain) as (left, _, right_node):
        await settle(left, 1)
        await asyncio.sleep(0.1)
        assert chain.mempool == []
        await settle(left, 100_000, key="more")
        await until(lambda: chain.mempool)
        chain.mine(CONFIRMATIONS)
        await until(lambda: right_node.total * 10**8 == 100_001)


async def test_what_the_peer_may_not_say(tmp_path: Path, chain: Chain) -> None:
    async with two(tmp_path, chain) as (left, _, _):
        for bad in (b"", b"{}", b'{"address":"nowhere"}', b'{"address":7}', b'{"address":"' + b"1" * 200 + b'"}'):
            answer = await call(left, "POST", "/accounts/peer/messages", bad, Content_Type="application/octet-stream")
            assert answer.status == 400


@pytest.mark.parametrize("bad", [{"confirmations": "0"}, {"bump_blocks": "-1"}, {"look_ms": "x"}, {"rpc_cookie": ""}])
def test_options(chain: Chain, bad: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        make_engine(find_engine("litecoin"), chain.options("left") | bad)
