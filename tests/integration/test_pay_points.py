"""J1, J2: a payment by the API, and the node dies at each request of its disk: killed, or cut off from power.

The node is real, and so is its port; its disk is that of `tools/torture`. It pays twice, and each state that a death
would have left is a start of its own: what the API said before is there, and no document is ahead of the books.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from interledger.api.client import ApiClient
from interledger.store.base import Durability
from interledger.store.sqlite import SqliteStore
from tests.node.loopback import account, pointer, running, settings
from tools.torture import vfs
from tools.torture.disk import Disk
from tools.torture.vfs import mounted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not vfs.is_available(), reason="this Python's SQLite cannot be given a file system"),
]

BILLION = 10**9
LOG_OCTETS = 16_384


def store_in(place: Path) -> SqliteStore:
    return SqliteStore(place, Durability.POWER, reserve_octets=0, log_octets=LOG_OCTETS)


class Paid:
    """Payments of 1 USD from alice to bob, and what was said on the way: (requests of the disk until then, id)."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.accounts_at = 0
        self.started: list[tuple[int, str]] = []
        self.delivered: list[tuple[int, str]] = []

    async def live(self, place: Path) -> None:
        with mounted(self.disk):
            store = store_in(place)
            store.open()
            async with running(settings("test.hub"), store) as node:
                for name in ("alice", "bob"):
                    await node.create_account(account(name, "USD/9", f"test.hub.{name}", owes_us_max=10 * BILLION))
                self.accounts_at = len(self.disk.ops)
                api = ApiClient(f"http://127.0.0.1:{node.port}", "admin-token")
                for _ in range(2):
                    payment = None
                    async for payment in api.pay_with_progress(pointer(node, "bob"), account="alice", send="1"):
                        if payment["state"] == "delivered":
                            self.delivered.append((len(self.disk.ops), payment["id"]))
                    assert payment is not None
                    await node.commit()
                    self.started.append((len(self.disk.ops), payment["id"]))
                    self.delivered[-1] = (len(self.disk.ops), payment["id"])


async def find(place: Path, files: dict[str, bytes], paid: Paid, at: int) -> str:
    """What a start finds, in a word; judged."""
    with mounted(Disk.of(files)):
        store = store_in(place)
        store.open()
        async with running(settings("test.hub"), store) as node:
            assert node.ledger.holds == {}
            if at < paid.accounts_at:
                return "before"
            bob = -node.position("bob").net
            assert node.position("alice").net == bob
            payments = {payment.snapshot.id: payment.snapshot for payment in node.payments()}
            # What was said is there.
            for said, payment_id in paid.started:
                assert at < said or payment_id in payments
            for said, payment_id in paid.delivered:
                assert at < said or payments[payment_id].state == "delivered"
            # No document is ahead of the books, and none is still at work.
            delivered = sum(payment.delivered for payment in payments.values())
            assert delivered <= bob <= 2 * BILLION
            assert all(payment.ended_at is not None for payment in payments.values())
            return "+".join(sorted(payment.state for payment in payments.values())) or "none"


async def test_J1_J2_a_payment_by_the_api_at_every_request_of_the_disk(tmp_path: Path) -> None:
    paid = Paid()
    await paid.live(tmp_path / "lived")
    dice = random.Random(4)
    found: dict[str, int] = {}
    ops = len(paid.disk.ops)
    for at in range(paid.accounts_at - 5, ops + 1):
        for files in (paid.disk.killed_at(at), paid.disk.cut_at(min(at, ops - 1), dice)):
            word = await find(tmp_path / "again", files, paid, at if files else 0)
            found[word] = found.get(word, 0) + 1
    assert found.keys() >= {"before", "none", "delivered+delivered"}
    assert any("unknown" in word for word in found), found
    assert sum(found.values()) > 50
