"""The BTP links of a node: which variant they speak, over the node's own port and over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import account, agree, btp_dialler, btp_listener, net, pointer, running, settings, until

from interledger.accounts.account import AccountId, BtpVersion, Relation
from interledger.errors import RefusedError
from interledger.link.btp.messages import ProtocolData
from interledger.link.btp.repeating import RepeatingLink
from interledger.link.btp.subprotocols import Answer, SubprotocolRequest
from interledger.node.node import Node

CLAIM, DONE = ProtocolData("claim", 0, b"7"), ProtocolData("claim", 0, b"done")


@asynccontextmanager
async def pair(version: BtpVersion, place: Path | None = None) -> AsyncIterator[tuple[Node, Node]]:
    """`left` dials `right`; each has a holder."""

    def where(name: str) -> Path | None:
        return None if place is None else place / name

    async with running(settings("test.right", where("right"))) as right, running(settings("test.left")) as left:
        if not right.accounts():
            listener = replace(btp_listener("right", "left"), btp_version=version)
            await right.create_account(account("left", "USD/9", "test.left", Relation.PEER, listener))
            await right.create_account(account("bill", "USD/9", "test.right.bill"))
        dialler = replace(btp_dialler("left", right, "right"), btp_version=version)
        await left.create_account(account("right", "USD/9", "test.right", Relation.PEER, dialler))
        await left.create_account(account("ann", "USD/9", "test.left.ann"))
        await until(lambda: right.link_status("left").up and left.link_status("right").up)
        yield left, right


def cut(node: Node, name: str) -> None:
    """Take the sockets of an account's link away, as a network does."""
    link = node.links.btp.find(AccountId(name))
    assert link is not None
    connection = link.newest_connection()
    if connection is not None:
        connection.close(1001, "cut", node.clock.now())


@pytest.mark.parametrize("version", BtpVersion)
async def test_a_payment_over_each_variant(version: BtpVersion) -> None:
    async with pair(version) as (left, right):
        repeats = version is BtpVersion.REPEATING
        assert left.link_status("right").kind == ("BTP/2.0-I" if repeats else "BTP")
        assert isinstance(left.connector.peers[AccountId("right")].link, RepeatingLink) is repeats
        payment = await left.pay("ann", pointer(right, "bill"), send=1_000_000).done()
        assert payment.state == "delivered"
        assert net(right, "bill") == -1_000_000
        assert agree(left, "right", right, "left")


async def test_BT_18_a_payment_goes_on_while_its_connection_is_cut_again_and_again() -> None:
    async with pair(BtpVersion.REPEATING) as (left, right):
        payment = left.pay("ann", pointer(right, "bill"), send=200_000_000_000)

        async def cutting() -> None:
            for _ in range(5):
                await asyncio.sleep(0.02)
                cut(right, "left")

        await asyncio.gather(payment.done(), cutting())
        await until(lambda: not left.ledger.holds and not right.ledger.holds)
        assert not left.ledger.unknown
        assert agree(left, "right", right, "left")
        assert payment.snapshot.delivered == -net(right, "bill") > 0


async def test_BT_18_a_transfer_is_applied_once_though_its_answer_is_cut_off() -> None:
    async with pair(BtpVersion.REPEATING) as (left, right):
        applied: list[int | None] = []

        async def take(request: SubprotocolRequest) -> Answer:
            applied.append(request.amount)
            cut(right, "left")
            await until(lambda: not right.link_status("left").up)
            return (DONE,)

        right.subprotocols.set_settlement_hook(take)
        assert await left.subprotocols.send_transfer("right", 7, (CLAIM,)) == (DONE,)
        assert applied == [7]
        with pytest.raises(RefusedError, match="F00"):
            await left.subprotocols.send_message("right", (CLAIM,))


async def test_an_account_can_change_its_variant() -> None:
    async with pair(BtpVersion.REPEATING) as (left, right):
        for node, name in ((right, "left"), (left, "right")):
            old = node.account(name)
            await node.replace_account(replace(old, link=replace(old.link, btp_version=BtpVersion.PLAIN)))
        await until(lambda: right.link_status("left").up and left.link_status("right").up)
        assert left.link_status("right").kind == right.link_status("left").kind == "BTP"
        payment = await left.pay("ann", pointer(right, "bill"), send=1_000).done()
        assert payment.state == "delivered"


async def test_the_variant_is_kept(tmp_path: Path) -> None:
    async with pair(BtpVersion.REPEATING, tmp_path) as (_, right):
        assert right.link_status("left").kind == "BTP/2.0-I"
    async with running(settings("test.right", tmp_path / "right")) as right:
        assert right.account("left").link.btp_version is BtpVersion.REPEATING
        assert right.link_status("left").kind == "BTP/2.0-I"
