"""Payment channels on a real chain (anvil): opened, paid over, redeemed, closed, disputed, reorganised, interrupted."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from kit import Carrier, call, connector_of, quick, running, until

from interledger.errors import SettingsError
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.evm.claims import Claim
from interledger.settlement.engines.evm.contract import Channel, contract_code, encode_call, sign_claim
from interledger.settlement.engines.evm.engine import EvmEngine
from interledger.settlement.engines.json_rpc import JsonRpc
from interledger.settlement.shell import CallError

ROOT = Path(__file__).parents[4]
PACKAGE = ROOT / "tests" / "interop" / "node_modules" / "@foundry-rs" / "anvil-linux-amd64"
ANVIL = shutil.which("anvil") or str(PACKAGE / "bin" / "anvil")
CONFIRMATIONS = 2
DELAY_S = 1_000
ETHER = 10**18

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(ANVIL).exists() and "ILP_REQUIRE_INTEROP" not in os.environ,
        reason="anvil is not installed (cd tests/interop && npm ci)",
    ),
]


class Anvil:
    """A chain of our own, with whoever its first account is as the one that has all the money."""

    def __init__(self) -> None:
        command = [ANVIL, "--port", "0", "--slots-in-an-epoch", "1"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self._process.stdout or ():
            if line.startswith("Listening on"):
                self.url = "http://" + line.split()[-1]
                # It tells of every call, and stands still when nobody reads that.
                self._reader = threading.Thread(target=self._process.communicate)
                self._reader.start()
                return
        raise AssertionError("anvil did not start")

    def stop(self) -> None:
        self._process.terminate()
        self._reader.join(10)

    async def ask(self, method: str, *parameters: Any) -> Any:
        return await JsonRpc(self.url).call(method, *parameters)

    async def mine(self, blocks: int = CONFIRMATIONS) -> None:
        await self.ask("anvil_mine", hex(blocks))

    async def give(self, address: str, wei: int = 100 * ETHER) -> None:
        await self.ask("anvil_setBalance", address, hex(wei))

    async def transact(self, to: str | None, data: bytes) -> Any:
        rich = (await self.ask("eth_accounts"))[0]
        transaction = {"from": rich, "data": "0x" + data.hex(), **({} if to is None else {"to": to})}
        sent = await self.ask("eth_sendTransaction", transaction)
        async with asyncio.timeout(10):
            while (receipt := await self.ask("eth_getTransactionReceipt", sent)) is None:
                await self.mine(0)
        return receipt

    async def balance(self, address: str, token: str = "") -> int:
        if not token:
            return int(await self.ask("eth_getBalance", address, "latest"), 16)
        asked = {"to": token, "data": "0x" + encode_call("balanceOf(address)", address).hex()}
        return int(await self.ask("eth_call", asked, "latest"), 16)


@pytest.fixture
def chain() -> Iterator[Anvil]:
    made = Anvil()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


class Pair:
    """Two engines that know each other. `left` pays here, `node` is right's."""

    def __init__(self, chain: Anvil, left: EngineProcess, right: EngineProcess, node: Carrier) -> None:
        self.chain, self.left, self.right, self.node = chain, left, right, node

    async def settle(self, amount: int, key: str = "k", scale: int = 18) -> None:
        body = {"amount": str(amount), "scale": scale}
        assert (await call(self.left, "POST", "/accounts/peer/settlements", body, key=key)).status == 201

    async def mined_until(self, condition: Any) -> None:
        """Blocks come until it is so."""
        async with asyncio.timeout(20):
            while not condition():
                await self.chain.mine(1)
                await asyncio.sleep(0.01)

    async def transact(self, name: str, call: bytes) -> None:
        """A transaction of left's key, final."""
        sending = asyncio.ensure_future(self.engine._transact(name, call))
        await self.mined_until(sending.done)
        await sending

    async def paid(self, units: int, scale: int = 18) -> None:
        await self.mined_until(lambda: self.node.total * 10**scale == units and not self.left.state.open_payments())

    @property
    def engine(self) -> EvmEngine:
        assert isinstance(self.left.engine, EvmEngine)
        return self.left.engine

    @property
    def channel_name(self) -> str:
        return str(self.left.account("peer").details["out"]["id"])

    async def channel(self) -> Channel:
        return await self.engine._channel(bytes.fromhex(self.channel_name), final=False)


@asynccontextmanager
async def two(place: Path, chain: Anvil, **options: str) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        nodes = (Carrier(), Carrier())
        urls = [await stack.enter_async_context(connector_of(node)) for node in nodes]
        engines = []
        if "contract" not in options:
            options["contract"] = (await chain.transact(None, contract_code()))["contractAddress"]
        for name in ("left", "right"):
            key_file = place / f"{name}.key"
            given = {"rpc_url": chain.url, "key_file": str(key_file), "confirmations": str(CONFIRMATIONS)}
            given |= {"delay_s": str(DELAY_S), "look_ms": "5", "deposit": str(ETHER), **options}
            engines.append(make_engine(find_engine("evm"), given))
            if not key_file.exists():
                key_file.write_text(os.urandom(32).hex())
            await chain.give(Account.from_key(key_file.read_text()).address)
        await chain.mine()
        left = await stack.enter_async_context(running(place / "left", engines[0], urls[0]))
        right = await stack.enter_async_context(running(place / "right", engines[1], urls[1]))
        nodes[0].peer, nodes[1].peer = lambda: right.url, lambda: left.url
        if not right.accounts:
            right.state.open_account("peer", right.now())
            assert (await call(left, "POST", "/accounts", {"id": "peer"})).status == 201
        yield Pair(chain, left, right, nodes[1])


def address_of(process: EngineProcess) -> str:
    assert isinstance(process.engine, EvmEngine)
    return process.engine._key.address


# ---------------------------------------------------------------------- the way it should go


async def test_claims_pay_off_the_chain_and_one_transaction_redeems_them(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain, redeem=str(6 * 10**17)) as pair:
        before = await chain.balance(address_of(pair.right))
        for number in range(1, 4):
            await pair.settle(2 * 10**17, f"k{number}")
            await pair.paid(number * 2 * 10**17)
        channel = await pair.channel()
        assert (channel.deposit, channel.delay) == (ETHER, DELAY_S)
        async with asyncio.timeout(10):
            while (await pair.channel()).paid == 0:
                await chain.mine(1)
        assert (await pair.channel()).paid == 6 * 10**17
        gas = before + 6 * 10**17 - await chain.balance(address_of(pair.right))
        assert 0 < gas < 10**15
        assert list(pair.left.alarms) + list(pair.right.alarms) == []


async def test_a_channel_that_is_too_small_is_topped_up(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await pair.settle(9 * 10**17)
        await pair.paid(9 * 10**17)
        await pair.settle(5 * ETHER, "k2")
        await pair.paid(59 * 10**17)
        assert (await pair.channel()).deposit == 59 * 10**17


@pytest.mark.parametrize(("fee", "paid"), [(0, 1_500_000), (1, 1_500_000)])
async def test_a_token_of_six_places(tmp_path: Path, chain: Anvil, fee: int, paid: int) -> None:
    """Also one that keeps a part of what moves: what arrived in the channel counts."""
    code = bytes.fromhex(Path(__file__).with_name("token.bin").read_text().strip()[2:])
    token = (await chain.transact(None, code + encode(("uint8", "uint256"), (6, fee))))["contractAddress"]
    async with two(tmp_path, chain, token=token, deposit="3000000") as pair:
        give = encode_call("transfer(address,uint256)", address_of(pair.left), 10**9)
        await chain.transact(token, give)
        await pair.settle(15, scale=1)
        await pair.paid(paid, 6)
        assert (await pair.channel()).deposit == 3_000_000 - 3_000_000 * fee // 1000
        assert pair.right.engine.scale == 6


async def test_accounts_that_are_closed_get_their_money_from_the_channel(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await pair.settle(4 * 10**17)
        await pair.paid(4 * 10**17)
        name, before = pair.channel_name, await chain.balance(address_of(pair.left))
        assert (await call(pair.right, "DELETE", "/accounts/peer")).status == 204
        await pair.mined_until(lambda: pair.right.get("closing") == [])
        channel = await pair.engine._channel(bytes.fromhex(name), final=False)
        assert (channel.paid, channel.closed) == (4 * 10**17, True)
        assert await chain.balance(address_of(pair.left)) == before + 6 * 10**17


async def test_the_sender_closes_after_the_delay(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain, delay_s="1") as pair:
        await pair.settle(4 * 10**17)
        await pair.paid(4 * 10**17)
        name = pair.channel_name
        assert (await call(pair.left, "DELETE", "/accounts/peer")).status == 204
        await pair.mined_until(lambda: pair.left.get("closing") == [])
        channel = await pair.engine._channel(bytes.fromhex(name), final=False)
        assert (channel.paid, channel.closed) == (4 * 10**17, True)  # right saw it and redeemed


# ---------------------------------------------------------------------- the way it should not


async def test_who_begins_to_close_early_is_redeemed_from_at_once(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await pair.settle(4 * 10**17)
        await pair.paid(4 * 10**17)
        begin = encode_call("start_close(bytes32)", bytes.fromhex(pair.channel_name))
        await pair.transact("cheat", begin)
        async with asyncio.timeout(10):
            while (await pair.channel()).paid == 0:
                await chain.mine(1)
        assert (await pair.channel()).paid == 4 * 10**17
        # The rest is the sender's when the time is up; what is owed then needs a new channel.
        await chain.ask("evm_increaseTime", DELAY_S + 1)
        await pair.transact("finish", encode_call("close(bytes32)", bytes.fromhex(pair.channel_name)))
        first = pair.channel_name
        await chain.mine(CONFIRMATIONS + 1)
        await pair.settle(10**17, "after")
        await pair.paid(5 * 10**17)
        assert pair.channel_name != first


async def test_a_reorganisation_below_a_new_channel_opens_it_again(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await chain.ask("evm_setAutomine", False)
        await pair.settle(10**17)
        async with asyncio.timeout(10):
            while (await chain.ask("txpool_status"))["pending"] == "0x0":
                await chain.mine(0)
        await chain.mine(1)
        assert (await pair.channel()).deposit == ETHER
        await chain.ask("anvil_reorg", 1, [])
        assert pair.node.total == 0
        await chain.ask("evm_setAutomine", True)
        await pair.paid(10**17)
        assert (await pair.channel()).deposit == ETHER


async def test_an_account_without_gas_says_so_and_goes_on_when_it_has_some(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await chain.give(address_of(pair.left), 0)
        await pair.settle(10**17)
        await until(lambda: pair.left.alarms)
        await chain.give(address_of(pair.left))
        await pair.paid(10**17)


async def test_somebody_who_sends_with_our_key_delays_and_changes_nothing(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await chain.ask("evm_setAutomine", False)
        await pair.settle(10**17)
        await until(lambda: pair.left.get("transaction") is not None)
        await chain.ask("anvil_dropAllTransactions")
        await chain.ask("anvil_setNonce", address_of(pair.left), "0x5")
        await chain.ask("evm_setAutomine", True)
        await pair.paid(10**17)
        assert any("somebody else sends with our key" in alarm for alarm in pair.left.alarms)


async def test_a_transaction_that_waits_too_long_offers_more_and_is_mined_once(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain, bump_ms="100") as pair:
        await chain.ask("evm_setAutomine", False)
        await pair.settle(10**17)
        await until(lambda: len((pair.left.get("transaction") or {"versions": ()})["versions"]) > 2)
        await chain.ask("evm_setAutomine", True)
        await pair.paid(10**17)
        assert (await pair.channel()).deposit == ETHER
        nonce = int(await chain.ask("eth_getTransactionCount", address_of(pair.left), "latest"), 16)
        assert nonce == 1


async def test_I3_a_death_after_any_call_of_either_side_pays_once(
    tmp_path: Path, chain: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain or the peer did it, and the engine dies before it knows: at the first call, the second, and so on."""
    ask, calls, dies_at = JsonRpc.call, 0, 0

    async def call_and_die(self: JsonRpc, method: str, *parameters: Any) -> Any:
        nonlocal calls
        answer = await ask(self, method, *parameters)
        if method not in ("anvil_mine",):
            calls += 1
            if calls == dies_at:
                raise OSError("cut")
        return answer

    async with two(tmp_path, chain, deposit="0", redeem="1") as pair:
        monkeypatch.setattr(JsonRpc, "call", call_and_die)
        for payments in range(1, 21):  # with a deposit and a redemption each time
            calls, dies_at = 0, payments
            await pair.settle(10**15, f"k{payments}")
            await pair.paid(payments * 10**15)
        assert calls > 0
        dies_at = 0
        async with asyncio.timeout(10):
            while (await pair.channel()).paid < 20 * 10**15:
                await chain.mine(1)
        assert (await pair.channel()).deposit == 20 * 10**15


async def test_I3_an_engine_that_is_started_again_goes_on(tmp_path: Path, chain: Anvil) -> None:
    contract = (await chain.transact(None, contract_code()))["contractAddress"]
    async with two(tmp_path, chain, contract=contract) as pair:
        await chain.ask("evm_setAutomine", False)
        await pair.settle(10**17)
        await until(lambda: pair.left.get("transaction") is not None)
    await chain.ask("evm_setAutomine", True)
    async with two(tmp_path, chain, contract=contract) as pair:
        await pair.paid(10**17)
        assert (await pair.channel()).deposit == ETHER


# ---------------------------------------------------------------------- what a peer may not say


async def test_only_a_claim_that_the_chain_backs_is_taken(tmp_path: Path, chain: Anvil) -> None:
    async with two(tmp_path, chain) as pair:
        await pair.settle(10**17)
        await pair.paid(10**17)
        engine, channel = pair.engine, bytes.fromhex(pair.channel_name)
        stranger = Account.from_key(b"\x07" * 32)

        def claim(amount: int, key: Any = engine._key, name: bytes = channel) -> bytes:
            signature = sign_claim(key, engine._chain.id, engine._contract, name, amount)
            return Claim(name, amount, signature).encode()

        good = claim(2 * 10**17)
        for bad in (
            b"", b"{}", b'{"type":"claim"}', good.replace(b"1", b"2"), claim(2 * 10**17, stranger), claim(ETHER + 1),
            claim(10**17, name=bytes(32)),
            b'{"type":"greeting","address":"0x0","chain":"1","contract":"","token":""}',
        ):  # fmt: skip
            with pytest.raises(CallError):
                await pair.left.send_message("peer", bad)
        for _ in range(3):
            await pair.left.send_message("peer", good)  # however often it comes
        await pair.left.send_message("peer", claim(10**17))  # an older one changes nothing
        await until(lambda: pair.node.total * 10 == 2)


@pytest.mark.parametrize("bad", [{"confirmations": "x"}, {"token": "0x1"}, {"contract": "nowhere"}])
def test_options(tmp_path: Path, bad: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        make_engine(find_engine("evm"), {"key_file": str(tmp_path / "key"), **bad})
