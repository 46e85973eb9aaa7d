"""What an engine takes of a peer who may do what it likes: only what is new in a claim that the ledger backs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interledger.errors import RefusedError
from interledger.link.btp.messages import Entries, ProtocolData
from interledger.node.node import Node
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engines.xrp import outgoing
from interledger.settlement.engines.xrp.claims import Claim, LastClaim
from interledger.settlement.engines.xrp.engine import XrpEngine
from interledger.settlement.engines.xrp.ledger import XrpLedger, ripple_time
from interledger.settlement.engines.xrp.sim import XrpSimulator
from tests.support.engines import until
from tests.support.xrp import LOOK_MS, XRP, Somebody, engine_at, net, node_at, peer, quick

CLOSE = 0x2_0000


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


class Scene:
    """`hub` has an engine. `mallory` is a node that dials it, and says what the test wants."""

    def __init__(self, simulator: XrpSimulator, hub: Node, process: EngineProcess, mallory: Node) -> None:
        self.simulator, self.hub, self.process, self.mallory = simulator, hub, process, mallory
        self.somebody = Somebody(simulator.ledger, 7)
        assert isinstance(process.engine, XrpEngine)
        self.engine = process.engine
        self.account_address = "test.mallory"

    async def say(self, *entries: ProtocolData) -> Entries:
        return await self.mallory.subprotocols.send_message("hub", entries)

    async def show(self, channel: str) -> Entries:
        return await self.say(*self.somebody.shown(channel, self.account_address))

    async def opened(self, drops: int = 10 * XRP, **more: Any) -> str:
        """A channel that the engine takes claims of."""
        channel = self.somebody.open(self.engine.address, drops, **more)
        await self.show(channel)
        return channel

    async def pay(self, claim: Claim | bytes, amount: int = 1) -> Entries:
        data = claim if isinstance(claim, bytes) else claim.encode()
        return await self.mallory.subprotocols.send_transfer("hub", amount, (ProtocolData("claim", 2, data),))

    @property
    def credited(self) -> int:
        return -net(self.hub, "mallory")


async def refused(call: Any, code: str, text: str) -> None:
    with pytest.raises(RefusedError, match=text) as caught:
        await call
    assert caught.value.code == code


@asynccontextmanager
async def scene(place: Path, **options: Any) -> AsyncIterator[Scene]:
    async with (
        XrpSimulator(close_ms=30) as simulator,
        node_at("test.hub") as hub,
        node_at("test.mallory") as mallory,
        engine_at(place, hub, simulator, **options) as process,
    ):
        scale = options.get("scale", 6)
        await hub.create_account(peer("mallory", "test.mallory", process, asset=f"XRP/{scale}"))
        url = f"ws://127.0.0.1:{hub.port}/accounts/mallory/ilp/btp"
        there = peer("hub", "test.hub", process, asset=f"XRP/{scale}", url=url)
        await mallory.create_account(without_engine(there))
        await until(lambda: mallory.link_status("hub").up and process.accounts)
        await until(lambda: hub.settlements.engines.is_set_up(hub.account("mallory")))
        yield Scene(simulator, hub, process, mallory)


def without_engine(account: Any) -> Any:
    return replace(account, settlement_engine_url=None)


async def test_only_what_is_new_in_a_claim_is_credited_whatever_the_transfer_says(tmp_path: Path) -> None:
    """Sentence 6.3; D-19."""
    async with scene(tmp_path) as it:
        channel = await it.opened()
        claim = it.somebody.claim(channel, 700)
        assert await it.pay(claim, amount=10**15) == ()
        assert await it.pay(claim, amount=10**15) == ()  # the same again: taken, nothing new
        await until(lambda: it.credited == 700)
        await refused(it.pay(it.somebody.claim(channel, 699)), "F01", "less than the last one")
        assert await it.pay(it.somebody.claim(channel, 701), amount=0) == ()
        await until(lambda: it.credited == 701)
        [answer] = await it.say(ProtocolData("last_claim", 0, b""))
        assert LastClaim.decode(answer.data) == LastClaim(701, it.somebody.claim(channel, 701).signature)
        assert [one.quantity.amount for one in it.process.state.incoming(10)] == [1, 700]


async def test_I1_the_same_claim_many_times_at_once_counts_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        channel = await it.opened()
        claims = [it.somebody.claim(channel, 100 * (n % 5 + 1)) for n in range(25)]
        answers = await asyncio.gather(*(it.pay(claim) for claim in claims), return_exceptions=True)
        assert all(answer == () or isinstance(answer, RefusedError) for answer in answers)
        await until(lambda: it.credited == 500)
        assert sum(one.quantity.amount for one in it.process.state.incoming(100)) == 500


async def test_I9_a_claim_that_the_ledger_does_not_back_is_refused(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await refused(it.pay(it.somebody.claim("00" * 32, 5)), "F00", "no channel of yours is known")
        channel = await it.opened(2 * XRP)
        good = it.somebody.claim(channel, 500)
        other = Somebody(it.simulator.ledger, 8)
        await refused(it.pay(it.somebody.claim(channel, 2 * XRP + 1)), "F00", "the channel has 2000000")
        await refused(it.pay(other.claim(channel, 500)), "F00", "invalid claim signature")
        await refused(it.pay(Claim(501, good.signature)), "F00", "invalid claim signature")
        await refused(it.pay(it.somebody.claim(it.somebody.open(other.address), 500)), "F00", "invalid claim signature")
        await refused(it.pay(b"{}"), "F01", "amount")
        await refused(it.mallory.subprotocols.send_transfer("hub", 5), "F01", "carries a claim")
        assert await it.pay(it.somebody.claim(channel, 2 * XRP)) == ()  # all of it, to the last drop
        await until(lambda: it.credited == 2 * XRP)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"delay": 3_599}, "the settle delay is 3599 s"),
        ({"CancelAfter": 2_000_000_000}, "cancelAfter"),
        ({"PublicKey": "02" + "11" * 32}, "Ed25519"),
    ],
)
async def test_a_channel_whose_source_could_be_quicker_than_we_is_refused(
    tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    async with scene(tmp_path) as it:
        channel = it.somebody.open(it.engine.address, **changes)
        await refused(it.show(channel), "F00", text)


async def test_a_channel_of_somebody_else_is_refused(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        other = Somebody(it.simulator.ledger, 8)
        await refused(it.show("AB" * 32), "F00", "no validated ledger")
        await refused(it.show(it.somebody.open(other.address)), "F00", "does not lead to")
        victim = other.open(it.engine.address)
        await refused(it.show(victim), "F00", "does not show that this channel is yours")
        await refused(it.say(*other.shown(victim, "test.victim")), "F00", "does not show")  # seen on another link
        [entry, _] = other.shown(victim, it.account_address)
        await refused(it.say(entry), "F00", "comes with the signature")
        await refused(it.say(ProtocolData("channel", 0, b"short")), "F01", "32 octets")
        channel = await it.opened()
        await refused(it.show(it.somebody.open(it.engine.address)), "F00", "you have a channel already")
        assert await it.show(channel) == ()  # to say that there is more in it


async def test_a_channel_that_begins_to_close_is_redeemed_in_time_and_another_may_follow(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        channel = await it.opened()
        await it.pay(it.somebody.claim(channel, 3 * XRP))
        before = int(it.simulator.ledger.validated.accounts[it.engine.address]["Balance"])
        assert it.somebody.transact("PaymentChannelClaim", Channel=channel, Flags=CLOSE) == "tesSUCCESS"
        await until(lambda: channel not in it.simulator.ledger.validated.channels)
        after = int(it.simulator.ledger.validated.accounts[it.engine.address]["Balance"])
        assert after - before == 3 * XRP - 10
        await until(lambda: next(iter(it.engine._in.book.all_of(it.process.account("mallory"))), None) is None)
        await refused(it.pay(it.somebody.claim(channel, 4 * XRP)), "F00", "no channel of yours is known")
        await refused(it.show(channel), "F00", "no validated ledger")
        another = await it.opened()
        await it.pay(it.somebody.claim(another, XRP))
        await until(lambda: it.credited == 4 * XRP)


async def test_a_claim_is_redeemed_when_it_is_worth_the_fee(tmp_path: Path) -> None:
    async with scene(tmp_path, claim_every_ms=1) as it:
        channel = await it.opened()
        await it.pay(it.somebody.claim(channel, 999))  # the fee of 10 is more than a hundredth
        await it.engine._host.sleep(5 * LOOK_MS)
        assert it.simulator.ledger.validated.channels[channel]["Balance"] == "0"
        await it.pay(it.somebody.claim(channel, 1_000))
        await until(lambda: it.simulator.ledger.validated.channels[channel]["Balance"] == "1000")
        # What the ledger has paid is not credited again by another name.
        assert (await it.pay(it.somebody.claim(channel, 1_000)), it.credited) == ((), 1_000)


async def test_an_account_that_goes_is_redeemed_and_both_channels_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as it:
        channel = await it.opened()
        await it.pay(it.somebody.claim(channel, XRP))
        [answer] = await it.say(ProtocolData("fund_channel", 1, it.somebody.address.encode()))
        ours = answer.data.hex().upper()
        await until(lambda: it.credited == XRP)
        before = int(it.simulator.ledger.validated.accounts[it.engine.address]["Balance"])
        await it.process.close_account(it.process.account("mallory"))
        await until(lambda: channel not in it.simulator.ledger.validated.channels)
        await until(lambda: "Expiration" in it.simulator.ledger.validated.channels[ours])
        it.simulator.skipped_s += 3_700
        closed_at = it.simulator.ledger.closed_at
        await until(lambda: it.simulator.ledger.closed_at >= closed_at + 3_700)  # too early would cost a fee more
        monkeypatch.setattr(outgoing, "ripple_time", lambda ms: ripple_time(ms) + 3_700)
        await until(lambda: ours not in it.simulator.ledger.validated.channels)
        after = int(it.simulator.ledger.validated.accounts[it.engine.address]["Balance"])
        assert after - before == 2 * XRP - 3 * 10  # what was claimed, what was left of ours, three fees


async def test_a_channel_back_needs_a_channel_with_enough_in_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        fund = ProtocolData("fund_channel", 1, it.somebody.address.encode())
        await refused(it.say(fund), "F00", "open a channel from this address first")
        channel = await it.opened(10 * XRP - 1)
        await refused(it.say(fund), "F00", "put 10000000 drops")
        await refused(it.say(ProtocolData("fund_channel", 1, b"rOther")), "F00", "open a channel from this address")
        assert it.somebody.transact("PaymentChannelFund", Channel=channel, Amount="1") == "tesSUCCESS"
        [first] = await it.say(fund)
        [again] = await it.say(fund)  # the answer was lost: no second one is opened
        assert first == again
        made = it.simulator.ledger.validated.channels[first.data.hex().upper()]
        assert (made["Amount"], made["Destination"]) == (str(XRP), it.somebody.address)
        [info] = await it.say(ProtocolData("info", 0, b"\x02"))
        assert channel.encode() in info.data
        assert b'"clientChannel": "' + first.data.hex().upper().encode() in info.data
        assert b'"account": "test.mallory"' in info.data
        assert b'"currencyScale": 6' in info.data


async def test_while_the_ledger_cannot_be_asked_a_claim_has_no_answer_and_counts_once_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as it:
        channel = await it.opened()
        claim = it.somebody.claim(channel, 700)
        ask = XrpLedger.request

        async def cut(self: XrpLedger, command: str, **fields: Any) -> Any:
            raise OSError("cut")

        monkeypatch.setattr(XrpLedger, "request", cut)
        with pytest.raises(TimeoutError):
            await it.mallory.subprotocols.send_transfer(
                "hub", 700, (ProtocolData("claim", 2, claim.encode()),), timeout_ms=300
            )
        assert it.credited == 0
        monkeypatch.setattr(XrpLedger, "request", ask)
        assert await it.pay(claim) == ()
        await until(lambda: it.credited == 700)
