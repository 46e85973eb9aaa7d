"""Two nodes, a link that fails between them, and an account of what became of every packet.

result = await send_over("oer-async", Faults(lose=0.5), seed=1, packets=100)
result.check()          # one outcome each, charged once, the books agree but for what is listed as unknown
result.share            # of the fulfills that the receiver made, how many the sender got
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from interledger.accounts.account import AccountId, BtpVersion, HttpForm, LinkSettings, Relation
from interledger.accounts.ledger import Hold
from interledger.clock import SystemClock, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.node.node import Node
from tests.node.loopback import account, btp_dialler, btp_listener, http_link, net, running, settings
from tests.support.fault_proxy import FaultProxy, Faults, fault_proxy

__all__ = ["KINDS", "Result", "send_over"]

LIFETIME_MS: Final = 4_000
"""Of every packet: long enough for some repetitions, short enough for a test."""

WINDOW_MS: Final = 300
"""Each node's message window: a packet that is late must have its outcome soon after."""

IN_FLIGHT: Final = 10
REJECT_EVERY: Final = 7
"""The receiver refuses each seventh packet: a Reject is an outcome too."""

KINDS: Final = ("http", "http-async", "http-oer-sync", "http-oer-async", "btp", "btp-2.0-i")
"""The links that can be asked for."""


@dataclass
class Result:
    """What both nodes and the sender saw. Packets are named by their conditions, amounts are in the units of USD/9."""

    sent: dict[bytes, int] = field(default_factory=dict)
    replies: dict[bytes, list[Reply]] = field(default_factory=dict)
    received: Counter[bytes] = field(default_factory=Counter)
    """How often the receiver got a packet."""
    charged_here: Counter[bytes] = field(default_factory=Counter)
    """How often the sender's node executed it."""
    charged_there: Counter[bytes] = field(default_factory=Counter)
    unknown: dict[bytes, int] = field(default_factory=dict)
    nets: tuple[int, int] = (0, 0)
    """What the peer owes: on the sender's node, and on the receiver's."""
    faults: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the fulfills that were made, how many arrived in time."""
        return len(self.charged_here) / len(self.charged_there) if self.charged_there else 1.0

    def check(self) -> None:
        """Raises AssertionError when money was made, lost, or moved twice."""
        assert all(len(replies) == 1 for replies in self.replies.values()), "a packet has two outcomes"
        assert self.replies.keys() == self.sent.keys(), "a packet has no outcome"
        for counts in (self.received, self.charged_here, self.charged_there):
            assert all(count == 1 for count in counts.values()), "a packet was taken twice"
        fulfilled = {c for c, (reply,) in self.replies.items() if isinstance(reply, Fulfill)}
        assert fulfilled == self.charged_here.keys()
        assert self.charged_here.keys() <= self.charged_there.keys()
        only_there = self.charged_there.keys() - self.charged_here.keys()
        assert only_there <= self.unknown.keys(), "the books differ by something that nobody lists"
        assert -self.nets[0] == sum(self.sent[c] for c in self.charged_here)
        assert self.nets[1] == sum(self.sent[c] for c in self.charged_there)


class _Receiver:
    """Fulfills, or refuses each seventh."""

    def __init__(self, node: Node, result: Result, preimages: dict[bytes, bytes]) -> None:
        self._preimages = preimages
        self._result = result
        self._link = node.wallets.attach_end(AccountId("receiver"), account("receiver", "USD/9", "test.bob"), self)

    def receive_prepare(self, name: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp) -> Reply:
        self._result.received[prepare.execution_condition] += 1
        if prepare.amount % REJECT_EVERY == 0:
            return Reject(ErrorCode.F99_APPLICATION_ERROR, "test.bob", "each seventh")
        return Fulfill(self._preimages[prepare.execution_condition], b"fulfilled")

    def receive_reply(self, *_: object) -> None: ...
    def receive_no_reply(self, *_: object) -> None: ...
    def link_lost(self, *_: object) -> None: ...

    def find(self, destination: str) -> AccountId:
        return AccountId("receiver")


class _Sender:
    """Sends one packet at a time per worker, and waits for what becomes of it."""

    def __init__(self, node: Node, result: Result, preimages: dict[bytes, bytes], lifetime_ms: int) -> None:
        self._preimages = preimages
        self._result = result
        self._lifetime_ms = lifetime_ms
        self._waiting: dict[RequestId, tuple[bytes, asyncio.Future[None]]] = {}
        self._link = node.wallets.attach_end(AccountId("sender"), account("sender", "USD/9", "test.alice.s"), self)

    async def send(self, number: int, seed: int) -> None:
        preimage = hashlib.sha256(f"{seed}/{number}".encode()).digest()
        condition = hashlib.sha256(preimage).digest()
        self._preimages[condition] = preimage
        self._result.sent[condition] = number
        expires_at = Timestamp(SystemClock().now() + self._lifetime_ms)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[RequestId(number)] = condition, future
        self._link.send_prepare(
            RequestId(number), Prepare(number, expires_at, condition, Address("test.bob.x"), b"data")
        )
        await future

    def receive_prepare(self, *_: object) -> None: ...

    def receive_reply(self, name: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        condition, future = self._waiting[request_id]
        self._result.replies.setdefault(condition, []).append(reply)
        if not future.done():
            future.set_result(None)

    def receive_no_reply(self, *_: object) -> None: ...
    def link_lost(self, *_: object) -> None: ...


async def send_over(
    kind: str,
    faults: Faults,
    *,
    seed: int,
    packets: int,
    both_ways: bool = True,
    settle_ms: int = 1_500,
    lifetime_ms: int = LIFETIME_MS,
) -> Result:
    """Send so many packets from one node to the other over a link of `kind` that has `faults`.

    `both_ways`: requests of the receiver's node meet the faults too, where the kind of link has such.
    """
    result, preimages = Result(), {}
    async with _pair(kind, faults if both_ways else Faults(), faults, seed) as (alice, bob, proxies):
        receiver, sender = _Receiver(bob, result, preimages), _Sender(alice, result, preimages, lifetime_ms)
        bob.wallets.find = receiver.find  # type: ignore[method-assign]  # one end, whatever the address
        await bob.set_static_routes({})
        _count(alice, result.charged_here)
        _count(bob, result.charged_there)
        numbers = iter(range(1, packets + 1))

        async def work() -> None:
            for number in numbers:
                await sender.send(number, seed)

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        async with asyncio.timeout(lifetime_ms / 1000 + 30):  # a busy machine sweeps late
            while alice.ledger.holds or bob.ledger.holds:  # noqa: ASYNC110  # what is waited for is not ours
                await asyncio.sleep(0.05)
        await asyncio.sleep(settle_ms / 1000 if alice.ledger.unknown else 0)
        for unknown in alice.ledger.unknown.values():
            result.unknown[unknown.condition] = unknown.amount
        assert not bob.ledger.unknown
        result.nets = net(alice, "bob"), net(bob, "alice")
        for proxy in proxies:
            for fault, count in proxy.drawn.items():
                result.faults[fault] = result.faults.get(fault, 0) + count
    return result


def _count(node: Node, executed: Counter[bytes]) -> None:
    """Count every execution of the node's books."""
    execute: Callable[[Hold, bytes], None] = node.ledger.execute

    def counted(hold: Hold, fulfillment: bytes) -> None:
        execute(hold, fulfillment)
        executed[hold.condition] += 1

    node.ledger.execute = counted  # type: ignore[method-assign]  # to watch it


@asynccontextmanager
async def _pair(
    kind: str, back: Faults, there: Faults, seed: int
) -> AsyncIterator[tuple[Node, Node, list[FaultProxy]]]:
    """alice and bob with an account for each other, whose link leads through proxies."""
    more: dict[str, Any] = {"min_message_window_ms": WINDOW_MS}
    async with AsyncExitStack() as stack:
        alice = await stack.enter_async_context(running(settings("test.alice", **more)))
        bob = await stack.enter_async_context(running(settings("test.bob", **more)))
        to_bob = await stack.enter_async_context(fault_proxy(bob.port, there, seed))
        to_alice = await stack.enter_async_context(fault_proxy(alice.port, back, seed + 1))
        here, over_there = _links(kind, alice, bob, to_alice, to_bob)
        await bob.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, over_there))
        await alice.create_account(account("bob", "USD/9", "test.bob", Relation.PEER, here))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not alice.link_status("bob").up:  # noqa: ASYNC110  # as above
                    await asyncio.sleep(0.01)
        yield alice, bob, [to_bob, to_alice]


def _links(
    kind: str, alice: Node, bob: Node, to_alice: FaultProxy, to_bob: FaultProxy
) -> tuple[LinkSettings, LinkSettings]:
    if kind.startswith("btp"):
        version = BtpVersion.REPEATING if kind == "btp-2.0-i" else BtpVersion.PLAIN
        dialler = btp_dialler("alice", bob, "bob")
        url = (dialler.btp_url or "").replace(f":{bob.port}/", f":{to_bob.port}/")
        listener = replace(btp_listener("bob", "alice"), btp_version=version)
        return replace(dialler, btp_url=url, btp_version=version), listener
    form = HttpForm.SYNC if kind == "http" else HttpForm(kind.removeprefix("http-"))
    here = _through(http_link("alice", bob, "bob"), bob, to_bob)
    over_there = _through(http_link("bob", alice, "alice"), alice, to_alice)
    if form is HttpForm.ASYNC:
        here = replace(here, http_callback_url=over_there.http_url)
        over_there = replace(over_there, http_callback_url=here.http_url)
    return replace(here, http_form=form), replace(over_there, http_form=form)


def _through(link: LinkSettings, node: Node, proxy: FaultProxy) -> LinkSettings:
    return replace(link, http_url=(link.http_url or "").replace(f":{node.port}/", f":{proxy.port}/"))
