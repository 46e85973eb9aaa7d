"""Invitations: how they end, and whom they must not harm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loopback import account, running, settings
from peering_kit import TERMS, invited, request_of, verdicts

from interledger.accounts.account import AccountId, Relation
from interledger.application.peering.exchange import secret_digest
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.ilp.address import Address


class LateClock:
    """Two days ahead, when it is told to be."""

    late = False

    def now(self) -> Timestamp:
        return Timestamp(1_795_262_400_000 + (2 * 86_400_000 if self.late else 0))


async def test_invitations_end() -> None:
    clock = LateClock()
    async with running(settings("test.hub"), clock=clock) as hub:
        revoked, expired = await invited(hub), await invited(hub)
        ids = {i.secret_digest: i.id for i in hub.peering.invites()}
        assert (await hub.peering.revoke(ids[secret_digest(revoked.secret)].removeprefix("inv_"))).state == "revoked"
        with pytest.raises(ConflictError, match="was revoked"):
            await hub.peering.redeem(request_of(revoked))
        with pytest.raises(NotFoundError, match="not known here"):
            await hub.peering.redeem(request_of(revoked, secret="x" * 32))
        with pytest.raises(NotFoundError):
            await hub.peering.revoke("inv_none")
        clock.late = True
        with pytest.raises(ConflictError, match="expired"):
            await hub.peering.redeem(request_of(expired))
        assert {i.state_at(clock.now()) for i in hub.peering.invites()} == {"revoked", "expired"}
        assert hub.accounts() == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("test.hub", "overlaps with this node's own"),
        ("test.hub.sub", "overlaps with this node's own"),
        ("test.bob", "overlaps with the address of another"),
        ("test.bob.deep", "overlaps with the address of another"),
        ("test.far", "overlaps with a static route"),
        ("g.hub", "another network"),
        ("test.isp", "overlaps with the address of another"),
    ],
)
async def test_C1_a_peer_cannot_take_the_packets_of_others(address: str, why: str) -> None:
    async with running(settings("test.hub")) as hub:
        await hub.create_account(account("bob", "USD/9", "test.bob", Relation.PEER))
        await hub.set_static_route("test.far.away", "bob")
        await hub.create_account(account("isp", "USD/9", "test.isp", Relation.PARENT))
        invitation = await invited(hub, replace(TERMS, relation=Relation.PEER))
        with pytest.raises(ConflictError, match=why):
            await hub.peering.redeem(request_of(invitation, address=Address(address)))
        assert [i.state for i in hub.peering.invites()] == ["open"]


async def test_a_name_that_is_taken_gets_a_figure() -> None:
    async with running(settings("test.hub")) as hub:
        for expected in ("mallory", "mallory_2", "mallory_3"):
            invitation = await invited(hub, replace(TERMS, name=None))
            assert (await hub.peering.redeem(request_of(invitation))).account == expected
        with pytest.raises(ConflictError, match="already"):
            await invited(hub, replace(TERMS, name=AccountId("mallory")))
        with pytest.raises(InvalidRequestError, match="90 days"):
            await invited(hub, replace(TERMS, lifetime_ms=10**12))


async def test_F1_an_invited_node_cannot_make_us_call_private_places() -> None:
    terms = replace(TERMS, link="http")
    async with running(settings("test.hub", development=False)) as hub:
        invitation = await invited(hub, terms)
        for url in ("http://wallet.example/ilp", "https://127.0.0.1/ilp", "https://169.254.169.254/ilp", None):
            with pytest.raises(InvalidRequestError):
                await hub.peering.redeem(request_of(invitation, http_url=url))
        # A name is looked up when packets flow, and its addresses are checked then.
        await hub.peering.redeem(request_of(invitation, http_url="https://localhost/ilp"))
        report = await hub.peering.check("carol")
        assert verdicts(report)["echo"] == "failed"
        assert hub.account("carol").link.http_public_only
