"""The steps of a packet's path without sockets, each against its budget.

    python bench/steps.py            measure, compare with budget.toml, exit 1 and name the step that outgrew it
    python bench/steps.py --write    measure and write the budget (1.4 times what was measured)

Times are divided by a calibration loop that runs between the steps, so that machines can be compared: the unit is
"loops", one turn of a small Python loop (about 0.05 microseconds on a good core). The best of several rounds counts.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.clock import SystemEntropy, Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.connector.guards import Refused
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reply
from interledger.link.base import RequestId
from interledger.routing.exchange import ExchangeTable
from interledger.routing.table import Origin, RoutingTable

BUDGET = Path(__file__).parent / "budget.toml"
ROUNDS = 7
BATCH = 64
NOW = Timestamp(1_700_000_000_000)
FULFILLMENT = bytes(32)
CONDITION = sha256(FULFILLMENT).digest()
PREPARE = Prepare(
    1000, Timestamp(NOW + 20_000), CONDITION, Address("test.hub.bob.qr3ZhVXsQv4gY0kL2fN3e_d1"), bytes(300)
)
OCTETS = PREPARE.encode()
REPLY = Fulfill(FULFILLMENT, bytes(60)).encode()


class _Sink:
    """A link that keeps what is sent."""

    def __init__(self) -> None:
        self.prepares: list[RequestId] = []

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.prepares.append(request_id)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        pass

    def ready(self) -> bool:
        return True


class _Nobody:
    def find(self, destination: str) -> AccountId | Refused:
        return Refused(ErrorCode.F02_UNREACHABLE, "")


def _connector() -> tuple[Connector, _Sink]:
    routes = RoutingTable()
    routes.replace(Origin.STATIC, {f"test.bank{i}": AccountId("bob") for i in range(10_000)})
    routes.replace(Origin.ACCOUNT, {"test.hub.bob": AccountId("bob")})
    connector = Connector(
        Address("test.hub"),
        ledger=Ledger(),
        routes=routes,
        exchange=ExchangeTable(),
        receivers=_Nobody(),
        limits=Limits(packets_per_minute=10**8, in_flight_max=100_000),
    )
    sink = _Sink()
    for name in ("alice", "bob"):
        account = Account(
            id=AccountId(name),
            asset=Asset("USD", 9),
            ilp_address=Address(f"test.hub.{name}"),
            relation=Relation.CHILD,
            owes_us_max=10**15,
            packet_amount_max=10**12,
        )
        connector.attach(account.id, account, sink, is_local=False, first_request_id=1)
    return connector, sink


def journey() -> Iterator[tuple[str, Callable[[], None]]]:
    """Both halves of a packet's journey, a batch at a time, with its commit in memory."""
    connector, sink = _connector()
    alice, bob = AccountId("alice"), AccountId("bob")

    def out() -> None:
        for i in range(BATCH):
            connector.receive_prepare(alice, RequestId(i), Prepare.decode(OCTETS), NOW)

    def commit() -> None:
        batch = connector.ledger.take_batch()
        if batch is not None:
            b"".join(batch.records)
            for send, request_id, reply in batch.replies:
                send(request_id, reply)
            for send_prepare, _, request_id, prepare in batch.prepares:
                send_prepare(request_id, prepare)

    def back() -> None:
        ids, sink.prepares = sink.prepares, []
        for request_id in ids:
            connector.receive_reply(bob, request_id, Fulfill.decode(REPLY), NOW)

    yield "journey.out", out
    yield "journey.commit_hold", commit
    yield "journey.back", back
    yield "journey.commit_execute", commit


def singles() -> Iterator[tuple[str, Callable[[], None]]]:
    """Steps that stand alone, a batch at a time."""
    packet = Prepare.decode(OCTETS)
    routes = RoutingTable()
    routes.replace(Origin.STATIC, {f"g.country{i % 100}.bank{i}": AccountId("x") for i in range(100_000)})

    def repeat(do: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(BATCH):
                do()

        return run

    yield "prepare.decode", repeat(lambda: Prepare.decode(OCTETS))
    yield "prepare.forwarded", repeat(lambda: packet.forwarded(amount=999, expires_at=NOW))
    yield "fulfill.decode", repeat(lambda: Fulfill.decode(REPLY))
    yield "route.find_100k", repeat(lambda: routes.find("g.country7.bank99907.alice.xyz"))
    from interledger.transport.stream.crypto import StreamCrypto

    crypto = StreamCrypto(bytes(32), SystemEntropy())
    sealed = crypto.seal(bytes(60))
    yield "stream.seal", repeat(lambda: crypto.seal(bytes(60)))
    yield "stream.open", repeat(lambda: crypto.open(sealed))
    yield "stream.fulfillment", repeat(lambda: crypto.fulfillment(sealed))


def calibrate() -> float:
    """Seconds per turn of a loop of ordinary Python work."""
    table: dict[int, int] = {}
    began = time.process_time()
    for i in range(20_000):
        table[i & 255] = table.get(i & 127, 0) + 1
    return (time.process_time() - began) / 20_000


def measure(steps: Callable[[], Iterator[tuple[str, Callable[[], None]]]], repeats: int) -> dict[str, float]:
    """Loops per packet of each step: the best of the rounds."""
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        runs = list(steps())
        spent = dict.fromkeys((name for name, _ in runs), 0.0)
        unit = calibrate()
        for _ in range(repeats):
            for name, run in runs:
                began = time.process_time()
                run()
                spent[name] += time.process_time() - began
        unit = min(unit, calibrate())
        for name, seconds in spent.items():
            loops = seconds / repeats / BATCH / unit
            best[name] = min(best.get(name, loops), loops)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    gc.freeze()
    unit = min(calibrate() for _ in range(20))
    figures = {**measure(journey, 60), **measure(singles, 60)}
    if options.write:
        lines = ["# Loops per packet that each step may take (python bench/steps.py --write)."]
        lines += [f'"{name}" = {loops * 1.4:.1f}' for name, loops in figures.items()]
        BUDGET.write_text("\n".join(lines) + "\n")
    budget = tomllib.loads(BUDGET.read_text())
    late = []
    print(f"one loop: {unit * 1e6:.3f} us")
    for name, loops in figures.items():
        over = loops > budget.get(name, 0)
        late += [name] * over
        mark = "OVER ITS BUDGET" if over else ""
        print(f"{name:24} {loops:7.1f} loops  {loops * unit * 1e6:6.2f} us  of {budget.get(name, 0):6.1f}  {mark}")
    if late:
        print(f"Too slow: {', '.join(late)}", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
