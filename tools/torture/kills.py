"""kill -9 of real nodes under load, again and again; after each one the books of all nodes agree.

They may differ by unknown items only, which the node that sent has on record. Every network is stopped in good order in
the end, its journals are compared packet by packet, and then its nodes exchange statements.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from interledger.api.calls import ApiError
from interledger.api.types import MoneyDocument
from tools.torture.cuts import quick_place
from tools.torture.network import NAMES, Books, Network, explain_link

__all__ = ["kill_nodes"]

KILLS_PER_NETWORK: Final = 25
"""Then the journals are compared whole, before any of them is long enough to be pruned."""

STATEMENTS_S: Final = 120

AMOUNT: Final[MoneyDocument] = {"amount": str(20 * 10**9), "asset_code": "USD", "asset_scale": 9}
"""20,000 packets: a payment lasts longer than the time between two kills."""

LINKS: Final = (("alice", "peer/hub", "hub", "peer/alice"), ("hub", "peer/bob", "bob", "peer/hub"))


def kill_nodes(count: int, seed: int, *, postgres: bool = False) -> Iterator[int]:
    """Kill so many times; yields how often after each. Raises `AssertionError` when books do not agree.

    `postgres`: the books are on one PostgreSQL server, which is among the victims.
    """
    done = 0
    with asyncio.Runner() as runner:
        while done < count:
            part = min(KILLS_PER_NETWORK, count - done)
            with (
                tempfile.TemporaryDirectory(prefix="ilp-kills-") as place,
                _network(Path(place), postgres=postgres) as network,
            ):
                runner.run(network.start(*NAMES))
                runner.run(network.until_linked())
                for number in range(part):
                    dice = random.Random(seed + done + number)
                    runner.run(_kill_once(network, dice))
                    yield done + number + 1
                network.stop()
                _compare_journals(network)
                network.let_statements_be_exchanged()
                runner.run(_exchange_statements(network))
                network.stop()
            done += part


@contextlib.contextmanager
def _network(place: Path, *, postgres: bool) -> Iterator[Network]:
    with contextlib.ExitStack() as stack:
        server, stores = None, {}
        if postgres:
            # The driver is an extra.
            from tools.torture.postgres_server import postgres_server

            server = stack.enter_context(postgres_server(quick_place()))
            stores = {name: server.url(server.new_database()) for name in NAMES}
        network = Network(place, stores=stores)
        network.server = server
        stack.callback(network.clean_up)
        yield network


async def _kill_once(network: Network, dice: random.Random) -> None:
    """Load, kill one node at some moment, or two; start it again, wait until nothing is in flight, compare."""
    under_way = asyncio.Event()
    paying = asyncio.create_task(_pay(network, under_way))
    try:
        await _until_under_way(network, dice.randint(1, 400))
        under_way.set()
        victims = dice.sample(NAMES, dice.choice((1, 1, 1, 2)))
        if network.server is not None and dice.random() < 0.4:
            network.server.kill()
            await asyncio.sleep(dice.choice((0, 0.3, 1)))
            victims = dice.choice(([], [], victims))
        for victim in victims:
            network.kill(victim)
        await asyncio.sleep(dice.choice((0, 0.05, 0.3)))
        if network.server is not None and not network.server.is_running:
            await asyncio.to_thread(network.server.start)
        await network.start(*victims)
        await _until_ready(network)
        await _stop_paying(network)
    finally:
        paying.cancel()
        await asyncio.gather(paying, return_exceptions=True)
    await network.until_settled()
    await network.until_linked()
    await _compare_positions(network)


async def _pay(network: Network, under_way: asyncio.Event) -> None:
    """Pay. Right after a restart there may be no route yet, so that the payment fails at once: then again."""
    while not under_way.is_set():
        with contextlib.suppress(ApiError):
            await network.api("alice").pay(network.pointer(), account="alice", send=AMOUNT)
        await asyncio.sleep(0.2)


async def _until_ready(network: Network) -> None:
    """The nodes that were not killed have their database again."""
    async with asyncio.timeout(20):
        for name in NAMES:
            while not await network.is_ready(name):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.02)


async def _until_under_way(network: Network, fulfilled: int) -> None:
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0.01)
            items, _ = await network.api("alice").payments(limit=1)
            if items and items[0]["ended_at"] is None and items[0]["packets"]["fulfilled"] >= fulfilled:
                return


async def _stop_paying(network: Network) -> None:
    items, _ = await network.api("alice").payments(limit=1)
    if items and items[0]["ended_at"] is None:
        await network.api("alice").cancel_payment(items[0]["id"])


async def _compare_positions(network: Network) -> None:
    """What each end of a link says differs by no more than the sender's unknown amounts; every ledger is sound."""
    for left, there, right, here in LINKS:
        nets = [await _net(network, left, there), await _net(network, right, here)]
        items = await network.api(left).unknown()
        unknown = sum(int(item["amount"]["amount"]) for item in items if item["ledger_account"] == there)
        difference = sum(nets)
        if not 0 <= difference <= unknown:
            raise AssertionError(f"{left} and {right} differ by {difference}, {left} has {unknown} unknown")
    for name in NAMES:
        report = await network.api(name).ledger_check()
        if not report["sound"]:
            raise AssertionError(f"{name}: {report['faults']}")


async def _exchange_statements(network: Network) -> None:
    """With what every account has by default: nothing that comes late is taken without being asked. Then both ends of
    every link agree to the unit, and what is late is unknown at the one and unproven at the other. A claim is set aside
    by the first run that looks at its time: statements leave the last 45 seconds out.
    """
    await network.start(*NAMES)
    await network.until_linked()
    sides = [(left, right) for left, _, right, _ in LINKS] + [(right, left) for left, _, right, _ in LINKS]
    found, unlike = [], [""]
    try:
        async with asyncio.timeout(STATEMENTS_S):
            while unlike:
                await asyncio.sleep(0.5)
                found = [await network.api(node).reconcile(peer) for node, peer in sides]
                unlike = [*filter(None, [await _unlike(network, *link) for link in LINKS])]
                unlike += [f"{one['account']}: {one}" for one in found if not _is_settled(one)]
    except TimeoutError:
        raise AssertionError(f"statements leave something open: {unlike}, {found}") from None


async def _unlike(network: Network, left: str, there: str, right: str, here: str) -> str:
    """In what the two ends of a link differ, if they do."""
    nets = [await _net(network, left, there), await _net(network, right, here)]
    late = _conditions(await network.api(left).unknown(), there)
    claimed = _conditions(await network.api(right).unproven(), here)
    agree = not sum(nets) and late == claimed
    return "" if agree else f"{left} and {right}: {nets}, {len(late)} late, {len(claimed)} unproven"


def _is_settled(found: Mapping[str, Any]) -> bool:
    """Nothing differs, and nothing is left but what came too late."""
    return not (found["problem"] or found["differences"]) and all(one["outcome"] == "late" for one in found["left"])


def _conditions(items: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return sorted(f"{one['condition']} {one['amount']['amount']}" for one in items if f"peer/{one['account']}" == name)


async def _net(network: Network, node: str, name: str) -> int:
    accounts = await network.api(node).ledger_accounts()
    return sum(int(account["net"]) for account in accounts if account["name"] == name)


def _compare_journals(network: Network) -> None:
    """Packet by packet."""
    books = {name: Books.read(network.place / name, network.stores.get(name)) for name in NAMES}
    for left, there, right, here in LINKS:
        explain_link(books[left], there, books[right], here)
    for name, one in books.items():
        faults = one.ledger.check()
        if faults or one.ledger.holds:
            raise AssertionError(f"{name}: {faults}, {len(one.ledger.holds)} holds left")
