"""Which link leads to which account, and whose token is whose: over the node's own port."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loopback import account, btp_dialler, btp_listener, digest, http_link, net, pointer, running, settings, until
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from interledger.accounts.account import AccountId, LinkSettings, Relation
from interledger.accounts.ledger import NO_LIMIT
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.ilp.packet import Prepare
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import BtpResponse, decode_btp
from interledger.node.node import Node


def btp_account(name: str, **link: str) -> object:
    return account(name, "USD/9", f"test.{name}", Relation.PEER, LinkSettings(**link))


async def admitted(node: Node, path: str, username: str, token: str) -> bool:
    """Whether a BTP client is let in there."""
    async with connect(f"ws://127.0.0.1:{node.port}{path}", compression=None) as socket:
        await socket.send(auth_message(1, username, token).encode())
        answer = await socket.recv()
        assert isinstance(answer, bytes)
        return isinstance(decode_btp(answer), BtpResponse)


@pytest.mark.parametrize(
    ("path", "username", "token", "expected"),
    [
        ("/", "", "alice-token", True),
        ("/btp", "alice", "alice-token", True),
        ("/ilp/btp?x=1", "Alice", "alice-token", True),
        ("/accounts/alice/ilp/btp", "", "alice-token", True),
        ("/accounts/ALICE/ilp/btp", "alice", "alice-token", True),
        ("/accounts/bob/ilp/btp", "", "alice-token", False),
        ("/", "bob", "alice-token", False),
        ("/", "no name at all!", "alice-token", False),
        ("/", "", "", False),
    ],
)
async def test_BT_12_the_token_selects_the_account_and_names_have_to_fit(
    path: str, username: str, token: str, expected: bool
) -> None:
    async with running(settings("test.hub")) as node:
        for name in ("alice", "bob"):
            await node.create_account(btp_account(name, btp_incoming_token_digest=digest(f"{name}-token")))  # type: ignore[arg-type]
        assert await admitted(node, path, username, token) is expected


@pytest.mark.parametrize("path", ["/accounts/no%20name%21/ilp/btp", "/accounts/alice/btp", "/elsewhere"])
async def test_there_is_no_BTP_elsewhere(path: str) -> None:
    async with running(settings("test.hub")) as node:
        with pytest.raises(InvalidStatus, match="404"):
            await admitted(node, path, "", "token")


async def test_an_account_without_a_link_is_local_or_has_none() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("holder", "USD/9", "test.hub.holder"))
        await node.create_account(btp_account("btp", btp_incoming_token_digest=digest("1")))  # type: ignore[arg-type]
        await node.create_account(btp_account("http", http_url="http://127.0.0.1:1/ilp", http_outgoing_token="t"))  # type: ignore[arg-type]
        kinds = {a.id: (node.link_status(a.id).kind, node.link_status(a.id).up) for a in node.accounts()}
        assert kinds["holder"] == ("local", True)
        assert kinds["btp"] == ("BTP", False)
        assert kinds["http"][0] == "HTTP"


@pytest.mark.parametrize("url_known", [True, False])
async def test_an_account_may_have_both_kinds_of_link(url_known: bool) -> None:
    """Packets leave by HTTP where a url is known, else by BTP; what comes in by the other one counts all the same."""
    async with running(settings("test.left")) as left, running(settings("test.right")) as right:
        both = btp_listener("left", "right")
        web = http_link("left", right, "right")
        both = replace(both, http_incoming_token_digest=web.http_incoming_token_digest)
        if url_known:
            both = replace(both, http_url=web.http_url, http_outgoing_token=web.http_outgoing_token)
        await left.create_account(account("right", "USD/9", "test.right", Relation.PEER, both))
        dial = btp_dialler("right", left, "left")
        back = http_link("right", left, "left")
        dial = replace(dial, http_incoming_token_digest=back.http_incoming_token_digest)
        await right.create_account(account("left", "USD/9", "test.left", Relation.PEER, dial))
        await left.create_account(account("ann", "USD/9", "test.left.ann"))
        await right.create_account(account("bill", "USD/9", "test.right.bill"))
        await until(lambda: right.link_status("left").up)
        await until(lambda: left.link_status("right").up)
        assert left.link_status("right").kind == ("HTTP" if url_known else "BTP")
        there = await left.pay("ann", pointer(right, "bill"), send=5_000).done()
        back_again = await right.pay("bill", pointer(left, "ann"), send=2_000).done()
        assert (there.state, back_again.state) == ("delivered", "delivered")
        assert (net(left, "right"), net(right, "left")) == (-3_000, 3_000)


async def test_a_link_that_is_replaced_takes_the_new_token_and_not_the_old_one() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(btp_account("alice", btp_incoming_token_digest=digest("old")))  # type: ignore[arg-type]
        assert await admitted(node, "/", "", "old")
        await node.replace_account(btp_account("alice", btp_incoming_token_digest=digest("new")))  # type: ignore[arg-type]
        assert not await admitted(node, "/", "", "old")
        assert await admitted(node, "/", "", "new")
        await node.delete_account("alice")
        assert not await admitted(node, "/", "", "new")


async def test_with_other_limits_a_link_stays_and_the_limits_count() -> None:
    async with running(settings("test.left")) as left:
        await left.create_account(btp_account("right", btp_incoming_token_digest=digest("t")))  # type: ignore[arg-type]
        peer = left.connector.peers[AccountId("right")]
        link, guards = peer.link, peer.guards
        await left.replace_account(replace(left.account("right"), owes_us_max=7, we_owe_max=8, packet_amount_max=9))
        assert left.connector.peers[AccountId("right")] is peer
        assert (peer.link, peer.account) == (link, left.account("right"))
        assert (peer.ledger_account.debit_max, peer.ledger_account.credit_max) == (7, 8)
        assert peer.guards != guards

        def ear(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None:
            return None

        first = peer.guards[0]
        peer.guards = (ear, *peer.guards, ear)  # as a pause and a recorder do
        await left.replace_account(replace(left.account("right"), packet_amount_max=8))
        assert (peer.guards[0], peer.guards[-1], len(peer.guards)) == (ear, ear, 3)
        assert first not in peer.guards
        peer.guards = peer.guards[1:-1]
        await left.replace_account(replace(left.account("right"), owes_us_max=None, packet_amount_max=2**64 - 1))
        assert (peer.ledger_account.debit_max, len(peer.guards)) == (NO_LIMIT, len(guards))


async def test_settled_otherwise_a_link_stays() -> None:
    async with running(settings("test.left")) as left, running(settings("test.right")) as right:
        dial = LinkSettings(btp_url=f"ws://127.0.0.1:{left.port}/accounts/right/ilp/btp", btp_outgoing_token="t")
        await left.create_account(btp_account("right", btp_incoming_token_digest=digest("t")))  # type: ignore[arg-type]
        await right.create_account(account("left", "USD/9", "test.left", Relation.PEER, dial))
        await until(lambda: right.link_status("left").up)
        link, since = right.connector.peers[AccountId("left")].link, right.link_status("left").since
        await right.replace_account(replace(right.account("left"), settle_threshold=5, settle_to=0))
        assert right.account("left").settle_threshold == 5
        assert right.connector.peers[AccountId("left")].link is link
        assert (right.link_status("left").up, right.link_status("left").since) == (True, since)
