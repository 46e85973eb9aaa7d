"""Two nodes of ours that settle by XRP payment channels over BTP, on a simulated ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from interledger.errors import SettingsError, StoreError
from interledger.link.btp.subprotocols import Refusal
from interledger.node.node import Node
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engine.state import EngineState
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.xrp.engine import XrpEngine
from interledger.settlement.engines.xrp.ledger import XrpLedger
from interledger.settlement.engines.xrp.sim import XrpSimulator
from interledger.settlement.shell import CallError
from tests.support.engines import until
from tests.support.xrp import XRP, claimed, engine_at, has_channels, net, node_at, owe, peer, quick


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


class Pair:
    """alice dials hub."""

    def __init__(self, place: Path, simulator: XrpSimulator, **options: Any) -> None:
        self.place, self.simulator, self.options = place, simulator, options
        self.terms: dict[str, Any] = {}
        self.hub_options: dict[str, Any] = {}
        self.asset = "XRP/6"
        self.alice: Node
        self.hub: Node
        self.alice_engine: EngineProcess
        self.hub_engine: EngineProcess

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Pair]:
        """Both nodes and both engines; again with the same place: after a restart of all."""
        async with AsyncExitStack() as stack:
            enter, place = stack.enter_async_context, self.place
            self.hub = await enter(node_at("test.hub", place / "hub"))
            self.alice = await enter(node_at("test.alice", place / "alice"))
            self.hub_engine = await enter(
                engine_at(place / "hub-engine", self.hub, self.simulator, **self.options, **self.hub_options)
            )
            self.alice_engine = await enter(
                engine_at(place / "alice-engine", self.alice, self.simulator, **self.options)
            )
            await self._accounts()
            yield self

    async def _accounts(self) -> None:
        for node, account in (
            (self.hub, peer("alice", "test.alice", self.hub_engine, asset=self.asset)),
            (
                self.alice,
                peer(
                    "hub", "test.hub", self.alice_engine, asset=self.asset,
                    url=f"ws://127.0.0.1:{self.hub.port}/accounts/alice/ilp/btp", **self.terms,
                ),
            ),
        ):  # fmt: skip
            known = {one.id for one in node.accounts()}
            await (node.replace_account if account.id in known else node.create_account)(account)

    async def met(self) -> None:
        await until(lambda: has_channels(self.alice_engine, "hub") and has_channels(self.hub_engine, "alice"))

    async def settled(self, total: int) -> None:
        """All that alice owed came to the hub: in its engine's claims, and in its books."""
        await until(lambda: not self.alice.settlements.book.open() and net(self.hub, "alice") == -total)
        assert claimed(self.hub_engine, "alice") == total
        assert net(self.alice, "hub") == 0


@asynccontextmanager
async def simulated(**more: Any) -> AsyncIterator[XrpSimulator]:
    async with XrpSimulator(close_ms=30, **more) as simulator:
        yield simulator


async def test_a_threshold_is_reached_a_claim_is_sent_and_credited_once_over_restarts(tmp_path: Path) -> None:
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator)
        pair.terms = {"settle_threshold": 500}
        async with pair.up():
            await pair.met()
            owe(pair.alice, "hub", 700)
            await pair.settled(700)
            owe(pair.alice, "hub", 499)
        async with pair.up():
            await until(lambda: net(pair.alice, "hub") == -499)
            assert net(pair.hub, "alice") == -700
            owe(pair.alice, "hub", 1)
            await pair.settled(1_200)
            [channel] = [
                c
                for c in simulator.ledger.validated.channels.values()
                if c["Destination"] == pair.hub_engine.engine.address
            ]
            assert (channel["Amount"], channel["Balance"]) == (str(10 * XRP), "0")


def channel_of(pair: Pair, payer: EngineProcess) -> dict[str, Any]:
    """The one that the payer has opened, as the last ledger has it."""
    assert isinstance(payer.engine, XrpEngine)
    [found] = [c for c in pair.simulator.ledger.validated.channels.values() if c["Account"] == payer.engine.address]
    return found


async def test_both_pay_each_other_and_channels_are_topped_up(tmp_path: Path) -> None:
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator, scale=9)
        pair.asset, pair.terms = "XRP/9", {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            owe(pair.alice, "hub", 25 * 10**9 + 1)
            await pair.settled(25 * 10**9 + 1)
            assert channel_of(pair, pair.alice_engine)["Amount"] == str(25 * XRP + 1)
            await pair.hub.replace_account(
                peer("alice", "test.alice", pair.hub_engine, asset="XRP/9", settle_threshold=1)
            )
            owe(pair.hub, "alice", 3 * 10**9)
            await until(lambda: net(pair.alice, "hub") == -3 * 10**9)
            assert claimed(pair.alice_engine, "hub") == 3 * 10**9


@pytest.mark.parametrize("scale", [0, 4, 12])
async def test_I7_parts_of_a_unit_wait_on_both_sides(tmp_path: Path, scale: int) -> None:
    """The node counts in 10^-9; the engine pays whole units of its own scale, and the rest waits for more."""
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator, scale=scale)
        pair.asset, pair.terms = "XRP/9", {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            for amount in (1_999_999_999, 999_999_999, 2):
                owe(pair.alice, "hub", amount)
                await until(lambda: net(pair.alice, "hub") == 0 and not pair.alice.settlements.book.open())
            await until(lambda: net(pair.hub, "alice") == -3 * 10**9)
            assert claimed(pair.hub_engine, "alice") == 3 * 10**scale


async def test_I4_a_call_that_is_cut_after_it_was_done_pays_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger or the peer did it, and nobody hears: at the first call of a payment, the second, and so on."""
    request, send_btp, calls, dies_at = XrpLedger.request, EngineProcess.send_btp, 0, 0

    def cut() -> bool:
        nonlocal calls
        calls += 1
        return calls == dies_at

    async def request_and_cut(self: XrpLedger, command: str, **fields: Any) -> Any:
        answer = await request(self, command, **fields)
        if cut():
            raise OSError("cut")
        return answer

    async def send_and_cut(self: EngineProcess, *args: Any) -> Any:
        answer = await send_btp(self, *args)
        if cut():
            raise CallError("cut")
        return answer

    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator, deposit=1, deposit_min=1, claim_every_ms=1)
        pair.terms = {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            monkeypatch.setattr(XrpLedger, "request", request_and_cut)
            monkeypatch.setattr(EngineProcess, "send_btp", send_and_cut)
            for payments in range(1, 13):
                calls, dies_at = 0, payments
                owe(pair.alice, "hub", 5_000)
                await pair.settled(5_000 * payments)
            monkeypatch.undo()
            quick(monkeypatch)
            await until(lambda: channel_of(pair, pair.alice_engine)["Balance"] == "60000")
            assert channel_of(pair, pair.alice_engine)["Amount"] == "60000"


@pytest.mark.slow
@pytest.mark.parametrize("writes", range(24))
async def test_I6_engines_that_die_at_any_write_settle_and_credit_once(
    tmp_path: Path, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its n-th write on an engine writes nothing any more, as if it had been killed. Then all start again."""
    left, transaction = writes, EngineState._transaction

    def dying(self: EngineState) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise StoreError("killed")
        return transaction(self)

    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator, deposit=1, deposit_min=1)
        pair.terms = {"settle_threshold": 500}
        async with pair.up():
            monkeypatch.setattr(EngineState, "_transaction", dying)
            owe(pair.alice, "hub", 700)
            await until(lambda: left < 0 or net(pair.hub, "alice") == -700)
            monkeypatch.setattr(EngineState, "_transaction", transaction)
        async with pair.up():
            await pair.settled(700)
            assert len(simulator.ledger.validated.channels) <= 2
            owe(pair.alice, "hub", 500)
            await pair.settled(1_200)


async def test_a_peer_that_closes_our_channel_was_paid_what_it_redeemed(tmp_path: Path) -> None:
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator)
        pair.terms = {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            owe(pair.alice, "hub", 4_000)
            await pair.settled(4_000)
            name = channel_of(pair, pair.alice_engine)["index"]
            assert isinstance(pair.hub_engine.engine, XrpEngine)
            assert await pair.hub_engine.engine._in.redeem(name, close=True)
            await until(lambda: name not in simulator.ledger.validated.channels)
            owe(pair.alice, "hub", 500)  # over a channel of which the last claim was redeemed to the drop
            await until(lambda: net(pair.hub, "alice") == -4_500)
            await until(lambda: not pair.alice.settlements.book.open())
            assert channel_of(pair, pair.alice_engine)["index"] != name


async def test_an_engine_that_lost_its_state_goes_on_with_its_own_last_signature(tmp_path: Path) -> None:
    """As npm's client, which keeps nothing: the server says what it holds of us, and we believe our own signature."""
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator)
        pair.terms = {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            owe(pair.alice, "hub", 700)
            await pair.settled(700)
            name = channel_of(pair, pair.alice_engine)["index"]
            assert isinstance(pair.alice_engine.engine, XrpEngine)
            pair.alice_engine.account("hub").remember(out=None, **{"in": None})
            owe(pair.alice, "hub", 300)
            await pair.settled(1_000)
            assert channel_of(pair, pair.alice_engine)["index"] == name


async def test_paychan_peers_of_ours_pay_each_other(tmp_path: Path) -> None:
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator, dialect="paychan")
        pair.terms = {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            owe(pair.alice, "hub", 12 * XRP)
            await pair.settled(12 * XRP)


async def test_a_paychan_peer_that_refuses_what_it_has_was_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """npm ilp-plugin-xrp-paychan calls it an error when a claim comes again whose answer was lost."""
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator, dialect="paychan")
        pair.terms = {"settle_threshold": 1}
        async with pair.up():
            await pair.met()
            send_btp, sent = EngineProcess.send_btp, 0

            async def send(self: EngineProcess, account: str, entries: Any, amount: int | None = None) -> Any:
                nonlocal sent
                answer = await send_btp(self, account, entries, amount)
                if amount is None:
                    return answer
                sent += 1
                if sent == 1:
                    raise CallError("the answer was lost")
                return Refusal("F00", "new claim is less than old claim. new=700 old=700")

            monkeypatch.setattr(EngineProcess, "send_btp", send)
            owe(pair.alice, "hub", 700)
            await until(lambda: sent == 2 and not pair.alice_engine.state.open_payments())
            assert pair.alice_engine.account("hub").details["out"]["paid"] == "700"
            assert net(pair.hub, "alice") == -700


async def test_nothing_is_paid_to_a_peer_that_has_no_channel_yet(tmp_path: Path) -> None:
    """A server does not know where its client is; what is owed waits."""
    async with simulated() as simulator, node_at("test.hub") as hub, engine_at(tmp_path, hub, simulator) as process:
        await hub.create_account(peer("alice", "test.alice", process, settle_threshold=1))
        owe(hub, "alice", 700)
        await until(lambda: any("has not opened a channel to us yet" in alarm for alarm in process.alarms))
        assert len(process.state.open_payments()) == 1


async def test_a_peer_of_another_scale_is_not_met(tmp_path: Path) -> None:
    async with simulated() as simulator:
        pair = Pair(tmp_path, simulator)
        pair.hub_options = {"scale": 9}
        async with pair.up():
            await until(lambda: any("has scale 9, this engine 6" in one for one in pair.alice_engine.alarms))
            assert "out" not in pair.alice_engine.account("hub").details


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scale": "19"}, "scale is from 0 to 18"),
        ({"scale": "six"}, "scale is a whole number"),
        ({"dialect": "ripple"}, "asym or paychan"),
        ({"server": "http://127.0.0.1"}, "ws://"),
    ],
)
def test_options_that_cannot_be(options: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        make_engine(find_engine("xrp"), {"server": "ws://127.0.0.1:6006", "key_file": "key", **options})
