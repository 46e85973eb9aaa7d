"""Receipts between real nodes (RFC 39): a payer, a third party in the middle, and a receiver that signs what it got."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from loopback import line, pointer, until

from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.node.node import Node
from interledger.transport.stream.receipts import read_receipt

EXAMPLE = Path(__file__).parents[2] / "examples" / "verify_receipts.py"
HERE = EgressPolicy(development=True)


@asynccontextmanager
async def shop(bob: Node) -> AsyncIterator[str]:
    """The example beside bob's node: where it listens."""
    spec = importlib.util.spec_from_file_location("verify_receipts", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    reads, said = asyncio.Event(), ""

    def tell(*words: object, **_: object) -> None:
        nonlocal said
        said = " ".join(map(str, words))
        reads.set()

    program.print = tell  # type: ignore[attr-defined]  # what the program prints
    task = asyncio.create_task(program.main(pointer(bob, "bob"), 0))
    try:
        async with asyncio.timeout(5):
            await reads.wait()
        yield said.split()[1]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        sys.modules.pop("verify_receipts", None)


async def hand_in(url: str, receipt: str) -> tuple[int, str]:
    got = await fetch("POST", url + "receipts", body=receipt.encode(), egress=HERE)
    return got.status, got.body.decode()


async def test_H16_a_third_party_learns_what_was_paid() -> None:
    async with line() as (alice, _, bob), shop(bob) as url:
        first = alice.pay("alice", url, send=10**9)
        await until(lambda: first.ended_at is not None)
        assert (first.state, first.error) == ("delivered", None)
        assert first.receipt is not None
        assert read_receipt(base64.b64decode(first.receipt)).total == first.delivered
        assert await hand_in(url, first.receipt) == (200, str(first.delivered))
        assert await hand_in(url, first.receipt) == (200, "0")
        assert (await hand_in(url, "AAAA"))[0] == 400
        forged = base64.b64encode(base64.b64decode(first.receipt)[:-1] + b"x").decode()
        assert (await hand_in(url, forged))[0] == 400


async def test_who_is_asked_directly_gives_out_no_receipts() -> None:
    async with line() as (alice, _, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=10**9)
        await until(lambda: payment.ended_at is not None)
        assert (payment.state, payment.receipt) == ("delivered", None)
