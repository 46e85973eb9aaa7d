"""What it costs a packet that somebody watches: its journey without sockets, with nobody, a recorder, and traces.

    python bench/watching.py [--packet-us 28]

All cases in turn, round by round; the best of the rounds counts. Conditions differ, as real ones do. `--packet-us`:
what a packet costs a whole node (docs/explanation/performance.md); the share is of that. 12,000 packets a second go
through, so that the recorder has its 200 in a second, and counts the others.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256

from steps import BATCH, NOW, _connector  # type: ignore[import-not-found]  # beside this file

from interledger.accounts.account import AccountId
from interledger.clock import SystemClock, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.link.base import RequestId
from interledger.node.live.recorder import Recorder
from interledger.node.live.sampling import Sampling

ROUNDS = 60
BATCHES = 20
PER_SECOND = 12_000
FULFILLMENTS = [n.to_bytes(32, "big") for n in range(BATCH * BATCHES)]
OCTETS = [
    Prepare(
        1000,
        Timestamp(NOW + 20_000),
        sha256(one).digest(),
        Address("test.hub.bob.qr3ZhVXsQv4gY0kL2fN3e_d1"),
        bytes(300),
    ).encode()
    for one in FULFILLMENTS
]

CASES: dict[str, tuple[bool, Fraction | None]] = {
    "nobody": (False, None),
    "nobody, again": (False, None),
    "traces of 1 %": (False, Fraction(1, 100)),
    "recorded": (True, None),
    "recorded, traces of 1 %": (True, Fraction(1, 100)),
}


def run(watched: bool, share: Fraction | None) -> Callable[[], float]:
    """A connector with its recorder. What is returned sends all packets through it: CPU time of one, in us."""
    connector, sink = _connector()
    recorder = Recorder(connector, SystemClock(), lambda record: None)
    recorder.record(watched=watched, samples=None if share is None else Sampling(share))
    alice, bob = AccountId("alice"), AccountId("bob")
    sent = 0

    def commit() -> None:
        batch = connector.ledger.take_batch()
        if batch is not None:
            b"".join(batch.records)
            for send, request_id, reply in batch.replies:
                send(request_id, reply)
            for send_prepare, _, request_id, prepare in batch.prepares:
                send_prepare(request_id, prepare)

    def once() -> float:
        nonlocal sent
        began = time.process_time()
        for first in range(0, len(OCTETS), BATCH):
            now = Timestamp(NOW + sent * 1000 // PER_SECOND % 10_000)
            sent += BATCH
            for index in range(first, first + BATCH):
                connector.receive_prepare(alice, RequestId(index), Prepare.decode(OCTETS[index]), now)
            commit()
            ids, sink.prepares = sink.prepares, []
            for request_id, index in zip(ids, range(first, first + BATCH), strict=True):
                connector.receive_reply(bob, request_id, Fulfill.decode(Fulfill(FULFILLMENTS[index]).encode()), now)
            commit()
        return (time.process_time() - began) / len(OCTETS) * 1e6

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packet-us", type=float, default=28.0)
    options = parser.parse_args()
    gc.freeze()
    runs = {name: run(*case) for name, case in CASES.items()}
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, once in runs.items():
            best[name] = min(best[name], once())
    for name, us in best.items():
        more = us - best["nobody"]
        share = more / options.packet_us
        print(f"{name:26} {us:6.2f} us  {more:+5.2f} us  {share:+6.1%} of a packet's {options.packet_us} us")


if __name__ == "__main__":
    main()
